"""Reporting, put together."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from kit.config import ServiceSettings, address, load, setting
from kit.service import Service
from services.reporting.actions import JOBS, Peers
from services.reporting.actions.asking import ASKING_JOBS
from services.reporting.actions.measuring import PRACTICE_JOBS
from services.reporting.actions.restating import RESTATING_JOBS
from services.reporting.actions.trainings import TRAINING_JOBS
from services.reporting.consumers import HEARINGS
from services.reporting.files import routes
from services.reporting.schema import SCHEMA


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """What reporting is told besides."""

    directory_rpc: str = setting(
        "DIRECTORY_RPC", address, about="gRPC door of the directory service"
    )
    insurance_rpc: str = setting(
        "INSURANCE_RPC", address, about="gRPC door of the insurance service"
    )


def build(environment: Mapping[str, str] = os.environ) -> Service[Peers]:
    """The service as the environment describes it."""
    settings = load(Settings, "reporting", environment)
    return Service(
        name="reporting",
        settings=settings,
        schema=SCHEMA,
        peers=lambda connect: Peers(
            directory=connect("directory", settings.directory_rpc),
            insurance=connect("insurance", settings.insurance_rpc),
        ),
        hearings=lambda _: HEARINGS,
        jobs=(*JOBS, *PRACTICE_JOBS, *RESTATING_JOBS, *TRAINING_JOBS, *ASKING_JOBS),
        routes=routes,
    )
