"""What is accepted at one place, added to another: a preview, then row by row, some at a time (R27)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from kit import preview
from kit.auth import Viewer
from kit.db import Connection, Database
from kit.each import each
from kit.errors import NotFound
from kit.idempotency import once
from kit.ids import new_id
from kit.outbox import record
from proto.insurance.v1.events_pb2 import CopyFinished, CopyStarted
from services.insurance import domain, policy, store
from services.insurance.actions.peers import Call
from services.insurance.actions.telling import tell_added
from services.insurance.domain import (
    BatchId,
    Copy,
    CopyId,
    CopyItem,
    CopyOutcome,
    CopyWanted,
    InsurancePlan,
    Judged,
    OfficeId,
    OrganizationId,
    Participation,
    ParticipationId,
    Period,
    PlanId,
    ProviderId,
    Source,
    UserId,
)

AT_ONCE = 100
"""Rows that are copied in one transaction."""

_Spot = tuple[ProviderId, OfficeId]


@dataclass(frozen=True)
class CopyPreview:
    """What a copy would do, row by row: of which source rows, and with what outcome."""

    items: Sequence[CopyItem]
    sources: Sequence[tuple[ParticipationId, int]]

    @property
    def parts(self) -> Mapping[str, object]:
        """What the token is made of."""
        return {
            "source": self.sources,
            "outcome": [(one.source_id, one.provider_id, one.office_id, one.outcome,
                         one.effective_from, one.effective_until) for one in self.items],
        }  # fmt: skip

    @property
    def token(self) -> str:
        """With it the copy is started as long as this is what it would do."""
        return preview.token(self.parts)


async def copy_preview(call: Call, wanted: CopyWanted) -> CopyPreview:
    """What a copy would add, and what it would leave out and why. Denied unless the viewer may edit wherever it goes (R26)."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        return await _preview(tx, call.viewer, organization_id, domain.clean_copy(wanted))


async def _preview(
    tx: Connection, viewer: Viewer, organization_id: OrganizationId, wanted: CopyWanted
) -> CopyPreview:
    rows = await store.lasting(
        tx, organization_id, wanted.effective_from, wanted.source, lock=False
    )
    items = domain.items_of(rows, wanted)
    target = [wanted.target.office_id] if wanted.target.office_id else []
    for office_id in {*target, *(one.office_id for one in items)}:
        policy.permit_edit(viewer, organization_id, office_id)
    if not items:
        policy.offices_to_answer_for(viewer)
    chosen = {one.source_id for one in items}
    found = await store.plans_by_id(tx, {one.plan_id for one in items})
    plans = {plan.id: plan for plan in found.values()}
    judged = await _judge(tx, organization_id, items, plans)
    return CopyPreview(
        [_judged(one, found) for one, found in judged],
        [(row.id, row.version) for row in rows if row.id in chosen],
    )


def _judged(item: CopyItem, found: Judged) -> CopyItem:
    return replace(
        item,
        outcome=found.outcome,
        effective_from=found.days.first,
        effective_until=found.days.until,
        participation_id=found.standing,
    )


async def _judge(
    tx: Connection,
    organization_id: OrganizationId,
    items: Sequence[CopyItem],
    plans: Mapping[PlanId, InsurancePlan],
) -> list[tuple[CopyItem, Judged]]:
    """What becomes of each item if they are added one after the other."""
    spots: set[_Spot] = {(one.provider_id, one.office_id) for one in items}
    working: dict[_Spot, list[Period]] = {}
    for placed in await store.placements_at(tx, organization_id, spots):
        working.setdefault((placed.provider_id, placed.office_id), []).append(placed.period)
    standing: dict[tuple[_Spot, PlanId], list[tuple[ParticipationId | None, Period]]] = {}
    for row in await store.of_places(tx, organization_id, spots):
        key = ((row.provider_id, row.office_id), row.plan_id)
        standing.setdefault(key, []).append((row.id, row.period))
    return list(_one_by_one(items, working, standing, plans))


def _one_by_one(
    items: Sequence[CopyItem],
    working: Mapping[_Spot, Sequence[Period]],
    standing: dict[tuple[_Spot, PlanId], list[tuple[ParticipationId | None, Period]]],
    plans: Mapping[PlanId, InsurancePlan],
) -> Sequence[tuple[CopyItem, Judged]]:
    found: list[tuple[CopyItem, Judged]] = []
    for item in items:
        spot = (item.provider_id, item.office_id)
        known = standing.setdefault((spot, item.plan_id), [])
        judged = domain.judge(item, working.get(spot, ()), plans[item.plan_id], known)
        if judged.outcome is CopyOutcome.ADDED:
            known.append((None, judged.days))
        found.append((item, judged))
    return found


# Starting -------------------------------------------------------------------------------------------------------------


async def start_copy(call: Call, wanted: CopyWanted, *, token: str, key: str) -> Copy:
    """Copy as the preview said; refuses STALE_PREVIEW when it would be otherwise now. The first hundred rows are done when this
    returns, the others by a job. Nobody has verified what a copy adds."""
    organization_id = OrganizationId(call.viewer.require_organization())
    cleaned = domain.clean_copy(wanted)
    async with call.db.transaction() as tx:
        make, at = partial(_start, call, tx, organization_id, cleaned, token), call.clock.now()
        request = (organization_id, cleaned)
        made = await once(tx, call.viewer, key=key, request=request, at=at, make=make)
    await go_on(call.db, made, call.clock.now(), call.viewer)
    async with call.db.reading() as tx:
        return await find_copy(tx, organization_id, made)


async def _start(
    call: Call,
    tx: Connection,
    organization_id: OrganizationId,
    wanted: CopyWanted,
    token: str,
) -> UUID:
    seen = await _preview(tx, call.viewer, organization_id, wanted)
    preview.require_same(token, seen.parts)
    at, items = call.clock.now(), [replace(one, outcome=None) for one in seen.items]
    copy = Copy(
        CopyId(new_id()), organization_id,
        wanted.source.provider_id, wanted.source.office_id,
        wanted.target.provider_id, wanted.target.office_id,
        wanted.effective_from, at, UserId(call.viewer.require_user()),
        total=len(items), finished_at=None if items else at,
    )  # fmt: skip
    await store.add_copy(tx, copy, items)
    fact = CopyStarted(copy_id=str(copy.id), total=copy.total)
    await _tell(tx, copy, fact, at, call.viewer)
    return copy.id


async def _tell(
    tx: Connection, copy: Copy, fact: CopyStarted | CopyFinished, at: datetime, by: Viewer
) -> None:
    await record(
        tx,
        fact,
        organization_id=copy.organization_id,
        aggregate="copy",
        aggregate_id=copy.id,
        at=at,
        by=by,
    )


async def find_copy(tx: Connection, organization_id: OrganizationId, copy_id: UUID) -> Copy:
    """An organization's copy; NotFound for any other."""
    copy = await store.copy(tx, organization_id, copy_id)
    if copy is None:
        raise NotFound("There is no such copy.", field="id")
    return copy


# Going on -------------------------------------------------------------------------------------------------------------


async def copy_rows(call: Call) -> None:
    """The job: take every copy that is not done to its end. Whatever was done before a crash is not done again."""
    async with call.db.reading() as tx:
        copies = await store.unfinished_copies(tx)

    async def finish(copy_id: UUID) -> None:
        while not await go_on(call.db, copy_id, call.clock.now(), call.viewer):
            pass

    await each(copies, finish)


async def go_on(database: Database, copy_id: UUID, at: datetime, by: Viewer) -> bool:
    """Copy some more rows, one transaction for all of them; True when the copy is done."""
    async with database.transaction() as tx:
        copy = await store.copy_to_go_on(tx, copy_id)
        if copy is None:
            return True
        items = await store.waiting_items(tx, copy.organization_id, copy.id, AT_ONCE)
        for provider_id, office_id in sorted({(one.provider_id, one.office_id) for one in items}):
            await store.hold_place(tx, copy.organization_id, provider_id, office_id)
        outcomes = await _copy(tx, copy, items, at, by)
        copy = await store.settle_items(tx, copy, outcomes, at)
        if copy.finished_at is not None:
            added = await store.added_by_copy(tx, copy.organization_id, copy.id)
            left_out = copy.total - added
            fact = CopyFinished(copy_id=str(copy.id), added=added, left_out=left_out)
            await _tell(tx, copy, fact, at, by)
    return copy.finished_at is not None


async def _copy(
    tx: Connection, copy: Copy, items: Sequence[CopyItem], at: datetime, by: Viewer
) -> list[tuple[int, CopyOutcome, ParticipationId | None]]:
    """Add what can be added now, and say what became of each."""
    sources = {
        row.id: row
        for row in await store.own_rows(tx, copy.organization_id, [one.source_id for one in items])
    }
    gone = [one for one in items if domain.changed_since(one, sources.get(one.source_id))]
    left = [one for one in items if one not in gone]
    outcomes: list[tuple[int, CopyOutcome, ParticipationId | None]] = [
        (one.place, CopyOutcome.SOURCE_CHANGED, None) for one in gone
    ]
    added: list[Participation] = []
    plans = await store.hold_plans(tx, {one.plan_id for one in left})
    for item, judged in await _judge(tx, copy.organization_id, left, plans):
        standing = judged.standing
        if judged.outcome is CopyOutcome.ADDED:
            row = _row(copy, item, judged, at)
            added.append(row)
            standing = row.id
        outcomes.append((item.place, judged.outcome, standing))
    await store.add_rows(tx, BatchId(copy.id), added)
    for row in added:
        await tell_added(tx, row, by)
    return outcomes


def _row(copy: Copy, item: CopyItem, judged: Judged, at: datetime) -> Participation:
    return Participation(
        id=ParticipationId(new_id()),
        organization_id=copy.organization_id,
        provider_id=item.provider_id,
        office_id=item.office_id,
        plan_id=item.plan_id,
        effective_from=judged.days.first,
        effective_until=judged.days.until,
        source=Source.ORGANIZATION,
        added_at=at,
        added_by=copy.started_by,
        ended_at=None,
        last_verified_on=None,
        last_verified_by=None,
        version=1,
        copied_from=item.source_id,
    )
