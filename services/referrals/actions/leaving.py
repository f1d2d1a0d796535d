"""What happens when somebody or something leaves: fences, open work, lost access, claims given back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from kit.db import Connection, Database
from services.referrals import domain
from services.referrals.actions.keeping import keep
from services.referrals.actions.peers import Call
from services.referrals.actions.telling import Change
from services.referrals.domain import (
    GroupId,
    Happened,
    OfficeId,
    OpenItem,
    OrganizationId,
    ProviderId,
    Subject,
    UserId,
)
from services.referrals.store import fences, news, people, queues, then
from services.referrals.store import referrals as store
from services.referrals.store.news import AccessChanged

TOLD: Final = 100
ALL: Final = 10_000
"""So much open work is told to whoever wants all of it."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """A provider, office or group of an organization that may be about to go, and how much of its open work is to be told."""

    organization_id: OrganizationId
    kind: Subject
    subject_id: UUID
    told: int = TOLD


@dataclass(frozen=True, slots=True)
class OpenWork:
    """How much open work there is, and the oldest of it."""

    total: int
    items: tuple[OpenItem, ...]


async def raise_fence(database: Database, leaving: Leaving, at: datetime) -> OpenWork:
    """Refuse sends from now on, and count what got in before (R15). Raising a raised fence counts anew."""
    async with database.transaction() as tx:
        subject = (leaving.kind, leaving.subject_id)
        await fences.raise_fence(tx, leaving.organization_id, subject, at)
        return await _open_work(tx, leaving)


async def lower_fence(database: Database, leaving: Leaving) -> None:
    """Allow sends again."""
    async with database.transaction() as tx:
        subject = (leaving.kind, leaving.subject_id)
        await fences.lower_fence(tx, leaving.organization_id, subject)


async def open_work(database: Database, leaving: Leaving) -> OpenWork:
    """The open work, without a fence."""
    async with database.reading() as tx:
        return await _open_work(tx, leaving)


async def _open_work(tx: Connection, leaving: Leaving) -> OpenWork:
    organization_id, kind, subject_id = leaving.organization_id, leaving.kind, leaving.subject_id
    tally = await queues.open_tally(tx, organization_id, kind, [subject_id])
    items = await queues.open_items(tx, organization_id, kind, subject_id, leaving.told)
    return OpenWork(sum(tally.get(subject_id, {}).values()), tuple(items))


async def end_access(
    tx: Connection, organization_id: OrganizationId, provider_id: ProviderId, at: datetime
) -> None:
    """R14: whatever is read from now on, the provider's referrals are not there for the organization."""
    await people.end_access(tx, organization_id, provider_id, at)


async def merge(
    tx: Connection,
    organization_id: OrganizationId,
    provider_id: ProviderId,
    survivor_id: ProviderId,
    at: datetime,
) -> None:
    """R14: what a merged record has sent and received is lost together with the one that stays, also when that is gone by now."""
    await people.put_merged(tx, organization_id, provider_id, survivor_id)
    if await people.removed_from(tx, organization_id, [survivor_id]):
        await people.end_access(tx, organization_id, survivor_id, at)


async def release_claims(
    tx: Connection, call: Call, organization_id: OrganizationId, user_id: UserId
) -> int:
    """R07: what the user had claimed in the organization and not ended goes back to its group's queue."""
    held = await store.lock_claimed(tx, organization_id, user_id)
    for referral in held:
        after = domain.released(referral, call.clock.now())
        await keep(tx, call, Change(Happened.RELEASED, referral, after))
    return len(held)


async def end_watching(
    tx: Connection,
    user_id: UserId,
    *,
    office_id: OfficeId | None = None,
    session_id: UUID | None = None,
    provider_id: ProviderId | None = None,
) -> None:
    """End what the user watches: everything, what one office shows, what one session opened, or the queue as a provider."""
    changed = AccessChanged(user_id, office_id, session_id, provider_id=provider_id)
    await news.announce_access(tx, changed)


async def staff_group(
    tx: Connection,
    organization_id: OrganizationId,
    group_id: GroupId,
    staff: list[UUID],
    members: list[UUID],
    at: datetime,
) -> None:
    """Who works for a group and who is in it, from a moment on."""
    await people.put_group(tx, organization_id, group_id, staff, members)
    await then.note_staff(tx, organization_id, group_id, staff, at)
    await news.announce_access(tx, AccessChanged(group_id=group_id))
