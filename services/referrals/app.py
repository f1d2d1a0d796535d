"""Referrals, put together."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from kit.config import address, key, load, number, one_of, setting
from kit.objects import Objects, ObjectSettings
from kit.service import Job, Parts, Service
from services.referrals import policy
from services.referrals.actions import attachments, cases, clocks, feed, offline, patients, pieces
from services.referrals.actions.peers import FilePlaces, Peers
from services.referrals.actions.vault import Vault
from services.referrals.consumers import hearings
from services.referrals.domain import AttachmentLimits
from services.referrals.files import routes
from services.referrals.rpc import servicers
from services.referrals.schema import SCHEMA
from services.referrals.store.news import NewsRoom


@dataclass(frozen=True, kw_only=True)
class Settings(ObjectSettings):
    """What referrals is told besides."""

    directory_rpc: str = setting(
        "DIRECTORY_RPC", address, about="gRPC door of the directory service"
    )
    insurance_rpc: str = setting(
        "INSURANCE_RPC", address, about="gRPC door of the insurance service"
    )
    identity_rpc: str = setting("IDENTITY_RPC", address, about="gRPC door of the identity service")
    patient_key: bytes = setting(
        "PATIENT_KEY",
        key,
        about="key that seals the keys of patients' data; without it they cannot be read",
    )
    attachment_bytes: int = setting(
        "ATTACHMENT_BYTES",
        number(1_000, 100_000_000),
        "10000000",
        about="bytes a file that is attached to a referral may have",
    )
    attachments_per_referral: int = setting(
        "ATTACHMENTS_PER_REFERRAL",
        number(1, 100),
        "20",
        about="how many files a referral may have",
    )
    attachment_store: str = setting(
        "ATTACHMENT_STORE",
        one_of("postgres", "s3"),
        "postgres",
        about="where new files go: postgres, or s3 (the store that S3_BUCKET and the others name)",
    )

    @classmethod
    def at_odds(cls, values: Mapping[str, Any]) -> list[str]:
        """Also: files that go into a bucket need one."""
        problems = super().at_odds(values)
        if values.get("attachment_store") == "s3" and values.get("s3_bucket") == "":
            problems.append("S3_BUCKET is not set, and ATTACHMENT_STORE is s3")
        return problems


async def _pass_appointments(parts: Parts[Peers]) -> None:
    await clocks.pass_appointments(parts.call())


async def _lapse_declined(parts: Parts[Peers]) -> None:
    await clocks.lapse_declined(parts.call())


async def _end_unreported(parts: Parts[Peers]) -> None:
    await offline.end_unreported(parts.call())


async def _tell_late(parts: Parts[Peers]) -> None:
    await clocks.tell_late(parts.call())


async def _follow_cases(parts: Parts[Peers]) -> None:
    await cases.follow(parts.call())


async def _reseal(parts: Parts[Peers]) -> None:
    await patients.reseal(parts.call())


async def _drop_cut_off(parts: Parts[Peers]) -> None:
    await attachments.drop_cut_off(parts.call())


async def _drop_loose(parts: Parts[Peers]) -> None:
    await pieces.drop_loose(parts.call())


async def _count_strangers(parts: Parts[Peers]) -> None:
    await pieces.count_strangers(parts.call())


async def _keep_feed(parts: Parts[Peers]) -> None:
    await feed.keep_feed(parts.db, parts.bus, parts.clock.real())


async def _forget_withdrawn(parts: Parts[Peers]) -> None:
    await feed.forget_withdrawn(parts.db)


async def _follow_news(parts: Parts[Peers]) -> None:
    await parts.peers.news.run(parts.db)


JOBS: Final = (
    Job("pass-appointments", timedelta(seconds=20), _pass_appointments),
    Job("lapse-declined", timedelta(minutes=10), _lapse_declined),
    Job("end-unreported", timedelta(minutes=10), _end_unreported),
    Job("tell-late", timedelta(minutes=1), _tell_late),
    Job("follow-cases", timedelta(seconds=10), _follow_cases),
    Job("reseal", timedelta(minutes=1), _reseal),
    Job("drop-cut-off", timedelta(minutes=10), _drop_cut_off),
    Job("keep-feed", timedelta(seconds=1), _keep_feed),
    Job("forget-withdrawn", timedelta(hours=1), _forget_withdrawn),
    Job("drop-loose-objects", timedelta(minutes=1), _drop_loose),
    Job("count-strange-objects", timedelta(days=1), _count_strangers),
)


async def _besides(parts: Parts[Peers]) -> dict[str, bool]:
    return {"files": await pieces.can_be_had(parts.call())}


def _file_places(settings: Settings) -> FilePlaces:
    objects = Objects(settings) if settings.s3_bucket else None
    return FilePlaces(objects, settings.attachment_store == "s3")


def build(environment: Mapping[str, str] = os.environ) -> Service[Peers]:
    """The service as the environment describes it."""
    settings = load(Settings, "referrals", environment)
    return Service(
        name="referrals",
        settings=settings,
        schema=SCHEMA,
        peers=lambda connect: Peers(
            directory=connect("directory", settings.directory_rpc),
            insurance=connect("insurance", settings.insurance_rpc),
            identity=connect("identity", settings.identity_rpc),
            news=NewsRoom(),
            vault=Vault(settings.patient_key),
            attachment_limits=AttachmentLimits(
                settings.attachment_bytes, settings.attachments_per_referral
            ),
            files=_file_places(settings),
        ),
        rpc=servicers,
        callers=policy.CALLERS,
        hearings=hearings,
        jobs=JOBS,
        routes=routes,
        background=(_follow_news,),
        besides=_besides,
    )
