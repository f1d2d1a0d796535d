"""Insurance, put together."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from kit.config import ServiceSettings, address, load, setting
from kit.service import Service
from services.insurance.actions import Peers
from services.insurance.consumers import HEARINGS
from services.insurance.rpc import servicers
from services.insurance.schema import SCHEMA


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """What insurance is told besides."""

    directory_rpc: str = setting(
        "DIRECTORY_RPC", address, about="gRPC door of the directory service"
    )


def build(environment: Mapping[str, str] = os.environ) -> Service[Peers]:
    """The service as the environment describes it."""
    settings = load(Settings, "insurance", environment)
    return Service(
        name="insurance",
        settings=settings,
        schema=SCHEMA,
        peers=lambda connect: Peers(directory=connect("directory", settings.directory_rpc)),
        rpc=lambda parts: servicers(parts.db),
        hearings=lambda _: HEARINGS,
    )
