"""What may be looked at: one referral, its patient, a queue, open work, and changes as they happen."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit.db import Connection
from services.referrals import domain, policy
from services.referrals.actions.keeping import access_of
from services.referrals.actions.peers import Call
from services.referrals.actions.reasons import reasons_today
from services.referrals.domain import (
    Appointment,
    Happened,
    OfficeId,
    OrganizationId,
    Overdue,
    Place,
    Queue,
    QueueCounts,
    Reading,
    Reason,
    ReasonKind,
    Referral,
    ReferralId,
    Subject,
    Targets,
    UserId,
)
from services.referrals.policy import Access, Seen
from services.referrals.store import news, queues
from services.referrals.store import referrals as store
from services.referrals.store.targets import targets_of

OPEN_SHOWN = 100


async def see(call: Call, ids: Sequence[ReferralId]) -> list[Seen | None]:
    """Each referral as the viewer sees it now; None for what is unknown, another organization's, or lost (R14)."""
    if not call.viewer.is_user or call.viewer.organization_id is None:
        return [None] * len(ids)
    async with call.db.reading() as tx:
        found = await see_in(tx, call, ids)
    return [found.get(one) for one in ids]


async def see_in(tx: Connection, call: Call, ids: Sequence[ReferralId]) -> dict[ReferralId, Seen]:
    """As `see`, by the snapshot of a transaction; absent: None."""
    referrals = await store.find(tx, ids)
    hops = await store.hops(tx, ids)
    every = [hop for each in hops.values() for hop in each]
    access = await access_of(tx, call, referrals.values(), every)
    now = call.clock.now()
    views = {
        id_: policy.seen(call.viewer, access, referral, hops[id_], now)
        for id_, referral in referrals.items()
    }
    return {id_: view for id_, view in views.items() if view is not None}


@dataclass(frozen=True, slots=True)
class Clock:
    """Until when the receiver has to act next, and what it is late with."""

    due_at: datetime | None
    overdue: Overdue | None


async def appointments(call: Call, ids: Sequence[ReferralId]) -> list[list[Appointment]]:
    """Every appointment of referrals seen in FULL."""
    async with call.db.reading() as tx:
        found = await store.appointments(tx, await full(tx, call, ids))
    return [found.get(one, []) for one in ids]


async def clocks(call: Call, ids: Sequence[ReferralId]) -> list[Clock]:
    """How the receivers of referrals seen in FULL stand to their organizations' targets."""
    now = call.clock.now()
    async with call.db.reading() as tx:
        found = await store.find(tx, await full(tx, call, ids))
        owners = {
            one.receiving_organization_id for one in found.values() if one.receiving_organization_id
        }
        targets = await targets_of(tx, owners)
    return [_clock(found.get(one), targets, now) for one in ids]


def _clock(
    referral: Referral | None, targets: Mapping[OrganizationId, Targets], now: datetime
) -> Clock:
    owner = None if referral is None else referral.receiving_organization_id
    if referral is None or owner is None:
        return Clock(None, None)
    own = targets[owner]
    return Clock(domain.due_at(referral, own), domain.overdue(referral, own, now))


async def full(tx: Connection, call: Call, ids: Sequence[ReferralId]) -> list[ReferralId]:
    """Those seen in FULL by the same snapshot that is read next."""
    views = await see_in(tx, call, ids)
    return [id_ for id_, view in views.items() if view.sight is policy.Sight.FULL]


async def archived(call: Call, ids: Sequence[ReferralId]) -> list[bool]:
    """Which of the referrals the viewer has archived."""
    user_id = UserId(call.viewer.require_user())
    async with call.db.reading() as tx:
        put_away = await queues.archived_by(tx, user_id, ids)
    return [one in put_away for one in ids]


async def set_archived(call: Call, referral_id: ReferralId, *, archived: bool) -> ReferralId:
    """Put a referral into the viewer's own archive, or take it out; nobody else notices."""
    user_id = UserId(call.viewer.require_user())
    async with call.db.transaction() as tx:
        view = (await see_in(tx, call, [referral_id])).get(referral_id)
        if view is None:
            raise policy.unknown_referral()
        if archived:
            await queues.put_away(tx, user_id, referral_id, call.clock.now())
        else:
            await queues.take_back(tx, user_id, referral_id)
    return referral_id


async def reasons(call: Call, kind: ReasonKind) -> list[Reason]:
    """The coded reasons of a kind that may be given today."""
    call.viewer.require_user()
    async with call.db.reading() as tx:
        return await reasons_today(tx, call, kind)


# Queues ---------------------------------------------------------------------------------------------------------------


async def work_queue(call: Call, reading: Reading, page: tuple[Place | None, int]) -> list[Seen]:
    """Part of a queue of an office or group the viewer works for, or of the provider who the viewer is."""
    organization_id = OrganizationId(call.viewer.require_organization())
    user_id = UserId(call.viewer.require_user())
    async with call.db.reading() as tx:
        policy.permit_queue(call.viewer, await access_of(tx, call, []), reading.queue)
        rows = await queues.queue_page(tx, organization_id, user_id, reading, page)
        views = await see_in(tx, call, [row.id for row in rows])
    return [views[row.id] for row in rows if row.id in views]


async def queue_counts(call: Call, queue: Queue) -> QueueCounts:
    """How many referrals stand in each queue of an office or group the viewer works for."""
    organization_id = OrganizationId(call.viewer.require_organization())
    user_id, now = UserId(call.viewer.require_user()), call.clock.now()
    async with call.db.reading() as tx:
        policy.permit_queue(call.viewer, await access_of(tx, call, []), queue)
        return await queues.queue_counts(tx, organization_id, user_id, queue, now)


# Open work ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenWorkSeen:
    """Open work in numbers, per office of the viewer's organization, and those of it that the viewer may work on."""

    total: int
    by_office: tuple[tuple[OfficeId, int], ...]
    referrals: tuple[Seen, ...]


async def open_work(call: Call, kind: Subject, subject_id: UUID) -> OpenWorkSeen:
    """What is in the way of a removal: numbers for client admins, referrals for those who work them (R12)."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        policy.permit_counting(call.viewer, await access_of(tx, call, []))
        tally = (await queues.open_tally(tx, organization_id, kind, [subject_id])).get(
            subject_id, {}
        )
        items = await queues.open_items(tx, organization_id, kind, subject_id, OPEN_SHOWN)
        views = await see_in(tx, call, [item.referral_id for item in items])
    return OpenWorkSeen(
        sum(tally.values()),
        tuple((OfficeId(office), count) for office, count in sorted(tally.items())),
        tuple(views[item.referral_id] for item in items if item.referral_id in views),
    )


async def open_counts(call: Call, kind: Subject, ids: Sequence[UUID]) -> list[int | None]:
    """How much open work of the viewer's organization each subject has; None when the viewer may not know."""
    viewer = call.viewer
    if not viewer.is_user or viewer.organization_id is None:
        return [None] * len(ids)
    async with call.db.reading() as tx:
        if not policy.may_count(viewer, await access_of(tx, call, [])):
            return [None] * len(ids)
        tally = await queues.open_tally(tx, OrganizationId(viewer.organization_id), kind, ids)
    return [sum(tally.get(one, {}).values()) for one in ids]


# Changes as they happen -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something that happened to a referral in a watched queue, and the referral as the viewer sees it now."""

    happened: Happened
    view: Seen


async def watch(call: Call, queue: Queue) -> AsyncIterator[Noticed]:
    """Every change in a queue, as the current policy shows it; ends when the viewer has lost the queue."""
    async with call.peers.news.watching() as coming:
        policy.permit_queue(call.viewer, await _access(call), queue)
        async for told in coming:
            if isinstance(told, news.AccessChanged):
                if _ends_watch(call, queue, told):
                    return
                if _staffs_anew(queue, told) and not await _still_watching(call, queue):
                    return
            elif told.touches(queue):
                view = (await see(call, [told.referral_id]))[0]
                if view is not None:
                    yield Noticed(told.happened, view)


def _ends_watch(call: Call, queue: Queue, told: news.AccessChanged) -> bool:
    """Whether the news take the user, the session, or the grant of the watched office or provider away."""
    if told.user_id is None or told.user_id != call.viewer.user_id:
        return False
    if told.session_id is not None:
        return told.session_id == call.viewer.session_id
    if told.provider_id is not None:
        return told.provider_id == queue.provider_id
    return told.office_id is None or told.office_id == queue.office_id


def _staffs_anew(queue: Queue, told: news.AccessChanged) -> bool:
    """Whether the watched group has other staff now: worth a look, which the news about everybody else are not."""
    return told.group_id is not None and told.group_id == queue.group_id


async def _still_watching(call: Call, queue: Queue) -> bool:
    return policy.has_queue(call.viewer, await _access(call), queue)


async def _access(call: Call) -> Access:
    async with call.db.reading() as tx:
        return await access_of(tx, call, [])
