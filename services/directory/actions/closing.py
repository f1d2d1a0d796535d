"""Closing an office: what it would touch, and the closing itself, guarded by the fence (R19).

Until its cut-off an office that is to close stays what it is. Then it is CLOSING: nothing is sent to it any more. It is closed when
its day has come and its open referrals are done; a job looks again and again.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from uuid import UUID

from kit import preview
from kit.db import Connection
from kit.each import each
from kit.errors import Conflict, Invalid, Unavailable
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import (
    fencing,
    items,
    peers,
    placements,
    staying,
    suggestions,
    telling,
)
from services.directory.actions.peers import Call
from services.directory.actions.placements import NewPlacement
from services.directory.domain import closures, days
from services.directory.domain.closures import ClosureImpact, Move
from services.directory.domain.fences import OpenWork
from services.directory.domain.nouns import (
    FenceStep,
    Office,
    OfficeId,
    OfficeState,
    OrganizationId,
    Placement,
    Provider,
    require_version,
)

log = logging.getLogger(__name__)

MOST_MOVES = 200


@dataclass(frozen=True, slots=True)
class Closing:
    """How an office is to close: its days, who goes on where, which warnings were heard, and the preview it was decided on."""

    token: str
    closes_on: date | None = None
    cut_off_on: date | None = None
    moves: tuple[Move, ...] = ()
    confirmed: frozenset[str] = frozenset()


async def preview_closing(call: Call, office_id: UUID, closes_on: date | None) -> ClosureImpact:
    """What closing the office on that day (today) would touch. Client admins ask."""
    work = await _open_work(call, office_id)
    async with call.db.reading() as tx:
        office = await _seen(tx, call, office_id)
        on, _ = closures.closing_days(closes_on, None, days.day_at(office, call.clock.now()))
        return await _impact(tx, office, on, work)


async def _open_work(call: Call, office_id: UUID) -> OpenWork:
    """What is open there, asked for whoever may close it."""
    async with call.db.reading() as tx:
        office = await _seen(tx, call, office_id)
    return await call.peers.referrals.open_work(office.organization_id, peers.OFFICE, office_id)


async def _seen(tx: Connection, call: Call, office_id: UUID) -> Office:
    found = await store.offices.of_organization(tx, policy.acting(call.viewer), [office_id])
    if not found:
        raise policy.unknown("office", "officeId")
    policy.permit_client_admin(call.viewer, found[0].organization_id)
    return found[0]


async def _impact(tx: Connection, office: Office, on: date, work: OpenWork) -> ClosureImpact:
    organization_id = office.organization_id
    rows = (await store.placements.of_offices(tx, [office.id])).get(office.id, [])
    groups = await store.groups.at_offices(tx, organization_id, [office.id])
    rosters = await store.heard.rosters(tx, organization_id, [office.id])
    plans = await store.heard.plan_rows(tx, organization_id, on, office_id=office.id)
    return ClosureImpact(
        office=office,
        closes_on=on,
        placements=tuple(row for row in rows if row.remains(on)),
        orphans=tuple(await store.offices.orphans(tx, office, on)),
        groups=tuple(groups),
        roster=rosters.get(office.id, ()),
        work=work,
        plan_rows=tuple(plans),
        last_office=await store.offices.is_last(tx, office),
    )


async def close_office(call: Call, office_id: UUID, seen: int, wanted: Closing) -> Office:
    """Plan to close an office, or begin at once when its cut-off is today; providers who move are placed at their new offices.

    Refuses what nobody has confirmed (LAST_OFFICE, PROVIDERS_ORPHANED, APPOINTMENTS_AFTER_CLOSING), ITEMS_REFUSED with each move
    that cannot be, and STALE_PREVIEW with what has moved since the preview.
    """
    organization_id, work = policy.acting(call.viewer), await _open_work(call, office_id)
    async with call.db.transaction() as tx:
        before, others = await store.offices.locked_with(
            tx, organization_id, office_id, [one.to_office_id for one in wanted.moves]
        )
        if before is None:
            raise policy.unknown("office", "officeId")
        require_version("office", seen, before.version)
        _require_open(before)
        today = days.day_at(before, call.clock.now())
        on, cut_off = closures.closing_days(wanted.closes_on, wanted.cut_off_on, today)
        impact = await _impact(tx, before, on, work)
        preview.require_same(wanted.token, impact.parts)
        moved = [one.provider_id for one in wanted.moves]
        closures.require_confirmed(impact, moved, wanted.confirmed)
        new_offices = await _move(tx, call, impact, wanted.moves, others)
        planned = replace(before, closes_on=on, cut_off_on=cut_off)
        await _plan(tx, call, planned)
        if cut_off <= today:
            await _begin(tx, call, replace(planned, version=seen + 1))
    await suggestions.review(call, organization_id, [one.id for one in new_offices])
    if cut_off <= today:
        await _try_to_finish(call, organization_id, office_id, seen + 2)
    return await staying.read(call, office_id)


def _require_open(office: Office) -> None:
    if office.state not in staying.OPEN or office.closes_on is not None:
        raise Conflict(
            f"The office is {office.state.lower()} already."
            if office.state not in staying.OPEN
            else "The office is to close already.",
            code="OFFICE_STATE",
            remedy="Keep it first with keepOffice, to decide anew.",
        )


async def _plan(tx: Connection, call: Call, planned: Office) -> None:
    await store.offices.save(tx, planned, call.clock.now())
    fact = facts.OfficeClosurePlanned(
        office_id=str(planned.id),
        closes_on=str(planned.closes_on),
        cut_off_on=str(planned.cut_off_on),
    )
    await telling.of_office(tx, call, planned, fact)


async def _begin(tx: Connection, call: Call, before: Office) -> None:
    """From now on nothing is sent to the office."""
    after = replace(
        before, state=OfficeState.CLOSING, fence=FenceStep.REMOVING, state_before=before.state
    )
    await store.offices.save(tx, after, call.clock.now())
    await telling.of_office(tx, call, after, facts.OfficeClosing(office_id=str(after.id)))


async def _try_to_finish(
    call: Call, organization_id: OrganizationId, office_id: UUID, version: int
) -> None:
    try:
        await finish_closing(call, organization_id, office_id, version)
    except Unavailable:
        log.warning("an office is closed later", extra={"office_id": str(office_id)})


async def cut_off_offices(call: Call) -> None:
    """The job: begin to close every office whose cut-off has come on its own calendar, each once."""
    async with call.db.reading() as tx:
        due = await store.offices.cut_off_due(tx, call.clock.now())
    await each(due, partial(_cut_off, call))


async def _cut_off(call: Call, office: Office) -> None:
    async with call.db.transaction() as tx:
        before = await store.offices.locked(tx, office.organization_id, office.id)
        if before is None or before.version != office.version:
            return
        await _begin(tx, call, before)
    await _try_to_finish(call, office.organization_id, office.id, office.version + 1)


# Who moves ------------------------------------------------------------------------------------------------------------


async def _move(
    tx: Connection,
    call: Call,
    impact: ClosureImpact,
    moves: Sequence[Move],
    others: dict[UUID, Office],
) -> list[Office]:
    """Place each who moves at the new office from the day of the closing; what plans were accepted is to be looked at there."""
    if len(moves) > MOST_MOVES:
        raise Invalid(f"Name at most {MOST_MOVES} moves.", field="moves")
    here: dict[UUID, list[Placement]] = {}
    for row in impact.placements:
        here.setdefault(row.provider_id, []).append(row)
    ids = [one.provider_id for one in moves]
    found = await store.providers.locked_all(tx, impact.office.organization_id, ids)
    refused = items.check(ids, found, "moves.providerId", lambda one: _not_here(one, here))
    targets = list(dict.fromkeys(one.to_office_id for one in moves))
    refused += items.check(targets, others, "moves.toOfficeId", _not_open(impact.closes_on))
    items.require_none(refused)
    for move in moves:
        provider, office = found[move.provider_id], others[move.to_office_id]
        for row in here[provider.id]:
            await _move_one(tx, call, provider, row, (impact, office))
    return list(others.values())


def _not_here(provider: Provider, here: Collection[UUID]) -> Conflict | None:
    if provider.id not in here:
        return Conflict("Does not work at the office when it closes.", code="NOT_AT_OFFICE")
    refusal = placements.hindrance(provider)
    return refusal if isinstance(refusal, Conflict) else None


def _not_open(on: date) -> items.Hindrance[Office]:
    def hindrance(office: Office) -> Conflict | None:
        closes_first = office.closes_on is not None and office.closes_on <= on
        if office.state in staying.OPEN and not closes_first:
            return None
        return Conflict("That office is closing or closed as well.", code="OFFICE_CLOSING")

    return hindrance


async def _move_one(
    tx: Connection,
    call: Call,
    provider: Provider,
    row: Placement,
    way: tuple[ClosureImpact, Office],
) -> None:
    """A provider who is placed there from that day already just goes on."""
    impact, office = way
    first = max(impact.closes_on, office.go_live_on, row.effective_from)
    there = await store.placements.at(tx, office.organization_id, provider.id, office.id)
    until = row.effective_until
    if any(days.share_a_day(one, first, until) for one in there):
        return
    wanted = NewPlacement(provider.id, office.id, first, until, row.accepting_new_patients)
    placed = await placements.place(tx, call, provider, office, wanted)
    fact = facts.PlacementMoved(
        placement_id=str(placed.id),
        provider_id=str(provider.id),
        from_office_id=str(impact.office.id),
        to_office_id=str(office.id),
        effective_from=placed.effective_from.isoformat(),
    )
    await telling.of_placement(tx, call, placed, fact)


# Done -----------------------------------------------------------------------------------------------------------------


async def finish_closing(
    call: Call, organization_id: OrganizationId, office_id: UUID, version: int
) -> None:
    """With no open work under the fence, and its day come: end the placements and close the office. Otherwise it stays CLOSING."""
    work = await call.peers.referrals.raise_fence(organization_id, peers.OFFICE, office_id)
    state = await _settle(call, organization_id, office_id, version, work)
    if state is None:
        await fencing.lower_stray(call, peers.OFFICE, organization_id, office_id)
    if state is OfficeState.CLOSED:
        await suggestions.review(call, organization_id, [OfficeId(office_id)])


async def _settle(
    call: Call, organization_id: OrganizationId, office_id: UUID, version: int, work: OpenWork
) -> OfficeState | None:
    """Decide under lock whether the office is closed now, and answer its state. None: the case is somebody else's."""
    async with call.db.transaction() as tx:
        before = await staying.at_step(tx, organization_id, office_id, version, FenceStep.REMOVING)
        if before is None:
            return None
        now = call.clock.now()
        today = days.day_at(before, now)
        if work.total or (before.closes_on is not None and before.closes_on > today):
            if not before.fenced:
                await store.offices.keep_fenced(tx, before)
            return OfficeState.CLOSING
        for placement in await store.placements.remaining_at_office(
            tx, organization_id, before.id, now
        ):
            until = max(today, placement.effective_from)
            await placements.end(tx, call, replace(placement, effective_until=until))
        closed = replace(
            before, state=OfficeState.CLOSED, fence=None, state_before=None, closed_at=now
        )
        await store.offices.save(tx, closed, now)
        await telling.of_office(tx, call, closed, facts.OfficeClosed(office_id=str(closed.id)))
    return OfficeState.CLOSED
