"""Insurance, put together."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from kit.config import ServiceSettings, address, load, setting
from kit.service import Job, Parts, Service
from services.insurance import actions, policy
from services.insurance.actions import Peers
from services.insurance.consumers import HEARINGS
from services.insurance.rpc import servicers
from services.insurance.schema import SCHEMA

OFTEN = timedelta(seconds=30)
HOURLY = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """What insurance is told besides."""

    directory_rpc: str = setting(
        "DIRECTORY_RPC", address, about="gRPC door of the directory service"
    )


async def _end_rows(parts: Parts[Peers]) -> None:
    await actions.end_rows(parts.call())


async def _copy_rows(parts: Parts[Peers]) -> None:
    await actions.copy_rows(parts.call())


async def _open_campaigns(parts: Parts[Peers]) -> None:
    await actions.open_year_starts(parts.call())


async def _tend_campaigns(parts: Parts[Peers]) -> None:
    await actions.tend_campaigns(parts.call())


async def _managers(parts: Parts[Peers]) -> None:
    await actions.remind_of_manager(parts.call())


JOBS = (
    Job("end plans", OFTEN, _end_rows),
    Job("copy participations", OFTEN, _copy_rows),
    Job("open campaigns", OFTEN, _open_campaigns),
    Job("tend campaigns", HOURLY, _tend_campaigns),
    Job("insurance managers", HOURLY, _managers),
)


def build(environment: Mapping[str, str] = os.environ) -> Service[Peers]:
    """The service as the environment describes it."""
    settings = load(Settings, "insurance", environment)
    return Service(
        name="insurance",
        settings=settings,
        schema=SCHEMA,
        peers=lambda connect: Peers(directory=connect("directory", settings.directory_rpc)),
        rpc=servicers,
        callers=policy.CALLERS,
        hearings=lambda _: HEARINGS,
        jobs=JOBS,
    )
