"""Telling people which guides are theirs to read: of what is told here, identity makes their mail (R30)."""

from datetime import datetime, timedelta
from functools import partial
from itertools import zip_longest

from kit.auth import service_viewer
from kit.db import Database
from kit.each import each
from kit.service import Job, Parts
from proto.reporting.v1.events_pb2 import GuideAsked
from services.reporting import store
from services.reporting.actions.guides import tell
from services.reporting.actions.peers import Peers
from services.reporting.domain import Organization, OrganizationId
from services.reporting.domain.guides import GuideId
from services.reporting.store import asks, guides

AT_A_TIME = 1000
"""People in a fact."""


async def ask_readers(parts: Parts[Peers]) -> None:
    """Tell whom each published guide is for now, once for each version and person, and who is not asked any more: whoever was
    hired, given a role or confirmed since is among them."""
    now = parts.clock.now()
    async with parts.db.reading() as tx:
        organizations = await store.organizations.organizations(tx)
    await each(organizations, partial(_ask_all, parts.db, now))


async def _ask_all(database: Database, now: datetime, organization: Organization) -> None:
    here = organization.organization_id
    async with database.reading() as tx:
        found = await asks.guides_to_tell(tx, here)
    for guide_id in found:
        await _ask(database, now, here, guide_id)


async def _ask(
    database: Database, now: datetime, organization_id: OrganizationId, guide_id: GuideId
) -> None:
    """Nobody publishes or withdraws it meanwhile; who reads it does not wait."""
    async with database.transaction() as tx:
        guide = await guides.locked(tx, organization_id, guide_id)
        if guide is None:
            return
        asked, gone = await asks.untold(tx, guide), await asks.gone(tx, guide)
        await asks.forget(tx, guide, gone)
        await asks.note(tx, guide, asked, now)
        parts = (
            [list_[start : start + AT_A_TIME] for start in range(0, len(list_), AT_A_TIME)]
            for list_ in (asked, gone)
        )
        for some, others in zip_longest(*parts, fillvalue=[]):
            fact = GuideAsked(
                guide_id=str(guide.id),
                number=guide.number,
                user_ids=[str(one) for one in some],
                no_longer_user_ids=[str(one) for one in others],
            )
            await tell(tx, guide, fact, now, service_viewer("reporting"))


ASKING_JOBS = (Job("ask readers", timedelta(minutes=2), ask_readers),)
