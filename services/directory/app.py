"""Directory, put together."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from kit.config import ServiceSettings, address, load, setting
from kit.service import Job, Parts, Service
from services.directory import policy
from services.directory.actions import (
    awaiting,
    closing,
    feed,
    going_live,
    imports,
    jobs,
    searching,
    tasks,
)
from services.directory.actions.peers import Peers, connect
from services.directory.consumers import hearings
from services.directory.rpc import servicers
from services.directory.schema import SCHEMA

SOON = timedelta(seconds=10)
OFTEN = timedelta(seconds=15)
MINUTES = timedelta(minutes=5)
HOURLY = timedelta(hours=1)
DAILY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """What directory is told besides."""

    identity_rpc: str = setting("IDENTITY_RPC", address, about="gRPC door of the identity service")
    referrals_rpc: str = setting(
        "REFERRALS_RPC", address, about="gRPC door of the referrals service"
    )


async def _go_live(parts: Parts[Peers]) -> None:
    await going_live.advance_offices(parts.call())


async def _cut_off(parts: Parts[Peers]) -> None:
    await closing.cut_off_offices(parts.call())


async def _resume(parts: Parts[Peers]) -> None:
    await jobs.resume_leaving(parts.call())


async def _remove_awaited(parts: Parts[Peers]) -> None:
    await awaiting.remove_awaited(parts.call())


async def _review(parts: Parts[Peers]) -> None:
    await jobs.review_suggestions(parts.call())


async def _recount(parts: Parts[Peers]) -> None:
    await searching.recount_answers(parts.call())


async def _forget_imports(parts: Parts[Peers]) -> None:
    await imports.forget(parts.call())


async def _tasks(parts: Parts[Peers]) -> None:
    await tasks.review(parts.call())


async def _feed(parts: Parts[Peers]) -> None:
    await feed.tell(parts.call())


async def _escalate(parts: Parts[Peers]) -> None:
    await feed.escalate(parts.call())


JOBS = (
    Job("tell the call centre", SOON, _feed),
    Job("escalate what the call centre left", MINUTES, _escalate),
    Job("go live", OFTEN, _go_live),
    Job("cut off offices", OFTEN, _cut_off),
    Job("resume leaving", OFTEN, _resume),
    Job("remove who was to go", OFTEN, _remove_awaited),
    Job("review suggestions", HOURLY, _review),
    Job("review tasks", MINUTES, _tasks),
    Job("recount answers", DAILY, _recount),
    Job("forget imports", DAILY, _forget_imports),
)


def build(environment: Mapping[str, str] = os.environ) -> Service[Peers]:
    """The service as the environment describes it."""
    settings = load(Settings, "directory", environment)
    return Service(
        name="directory",
        settings=settings,
        schema=SCHEMA,
        peers=lambda to: connect(
            to, identity=settings.identity_rpc, referrals=settings.referrals_rpc
        ),
        rpc=servicers,
        callers=policy.CALLERS,
        hearings=hearings,
        jobs=JOBS,
    )
