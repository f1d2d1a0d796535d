"""Plans that their payer ends, or merges into another: the plan at once, its rows of every organization some at a time (R27)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from uuid import UUID

from kit import audit, preview
from kit.auth import Viewer, service_viewer
from kit.db import Connection, Database
from kit.each import each
from kit.errors import NotFound
from kit.idempotency import once
from kit.ids import new_id
from services.insurance import domain, policy, store
from services.insurance.actions.catalogue_changes import plan_to_change
from services.insurance.actions.peers import Call
from services.insurance.actions.telling import tell_added, tell_ended, tell_plan_ended
from services.insurance.domain import (
    BatchId,
    EndingId,
    InsurancePlan,
    OrganizationId,
    Participation,
    ParticipationId,
    PlanEnding,
    PlanId,
    Source,
    Touched,
    UserId,
)

AT_ONCE = 200
"""Rows that follow in one transaction."""


@dataclass(frozen=True)
class PlanEnd:
    """The plan is not offered from a day on; with a successor, it is merged into it."""

    plan_id: PlanId
    ends_on: date
    successor_id: PlanId | None


@dataclass(frozen=True)
class PlanEndPreview:
    """What ending a plan would change."""

    plan: InsurancePlan
    successor: InsurancePlan | None
    ends_on: date
    touched: Sequence[Touched]

    @property
    def participations(self) -> int:
        """How many rows would end, of all organizations."""
        return sum(one.participations for one in self.touched)

    @property
    def parts(self) -> Mapping[str, object]:
        """What the token is made of."""
        return {
            "plan": (self.plan.id, self.plan.version, self.ends_on),
            "successor": (self.successor.id, self.successor.version) if self.successor else None,
            "participations": {one.organization_id: one.participations for one in self.touched},
        }

    @property
    def token(self) -> str:
        """With it the plan is ended as long as this is what would change."""
        return preview.token(self.parts)


async def plan_end_preview(call: Call, wanted: PlanEnd) -> PlanEndPreview:
    """What ending the plan would change, of every organization's. Refuses as `end_plan` does."""
    policy.permit_catalogue(call.viewer)
    # whole-suite: a plan is shared, and its end reaches the rows of every organization
    async with call.db.for_support(call.viewer).reading() as tx:
        plan = (await store.plans_by_id(tx, [wanted.plan_id])).get(wanted.plan_id)
        if plan is None:
            raise NotFound("There is no such plan.", code="UNKNOWN_PLAN", field="planId")
        return await _preview(tx, plan, wanted)


async def _preview(tx: Connection, plan: InsurancePlan, wanted: PlanEnd) -> PlanEndPreview:
    domain.refuse_end(plan, wanted.ends_on)
    successor = None
    if wanted.successor_id is not None:
        found = await store.plans_by_id(tx, [wanted.successor_id])
        successor = found.get(wanted.successor_id)
        domain.refuse_successor(plan, successor, wanted.ends_on)
    touched = await store.touched(tx, plan.id, wanted.ends_on)
    return PlanEndPreview(plan, successor, wanted.ends_on, touched)


async def end_plan(
    call: Call, wanted: PlanEnd, *, expected_version: int, token: str, key: str
) -> PlanEnding:
    """End a plan, or merge it into its successor. Whoever asks whether it is accepted sees it at once; the rows follow, the first
    of them before this returns. Refuses EMPTY_PERIOD, ALREADY_ENDS, SELF_PAY_STAYS, a wrong successor, STALE_PREVIEW."""
    policy.permit_catalogue(call.viewer)
    # whole-suite: a plan is shared, and its end reaches the rows of every organization
    database = call.db.for_support(call.viewer)
    async with database.transaction() as tx:
        make, at = partial(_end, call, tx, wanted, expected_version, token), call.clock.now()
        made = await once(tx, call.viewer, key=key, request=wanted, at=at, make=make)
    await go_on(database, made, call.clock.now())
    async with database.reading() as tx:
        ending = await store.ending(tx, made)
    if ending is None:
        raise LookupError("an ending that was just kept")
    return ending


async def _end(
    call: Call, tx: Connection, wanted: PlanEnd, expected_version: int, token: str
) -> UUID:
    await store.hold_endings(tx)
    plan = await plan_to_change(tx, wanted.plan_id, expected_version)
    if wanted.successor_id is not None:
        await store.hold_plans(tx, [wanted.successor_id])
    seen = await _preview(tx, plan, wanted)
    preview.require_same(token, seen.parts)
    ended = replace(plan, effective_until=wanted.ends_on, successor_id=wanted.successor_id)
    await store.change_plan(tx, ended)
    ending = PlanEnding(
        EndingId(new_id()), plan.id, wanted.ends_on, wanted.successor_id, call.clock.now(),
        UserId(call.viewer.require_user()), total=seen.participations,
    )  # fmt: skip
    await store.add_ending(tx, ending)
    await audit.record(
        tx,
        call.viewer,
        act="plan.ended",
        kind="plan",
        about=plan.id,
        organization_id=None,
        at=ending.started_at,
    )
    return ending.id


# The rows follow ------------------------------------------------------------------------------------------------------


async def end_rows(call: Call) -> None:
    """The job: take every ending that is not done to its end. Whatever was done before a crash is not done again."""
    async with call.db.reading() as tx:
        endings = await store.unfinished_endings(tx)

    async def finish(ending_id: UUID) -> None:
        while not await go_on(call.db, ending_id, call.clock.now()):
            pass

    await each(endings, finish)


async def go_on(database: Database, ending_id: UUID, at: datetime) -> bool:
    """End some more rows; True when the ending is done. `database` sees every organization's rows."""
    async with database.transaction() as tx:
        ending = await store.ending_to_go_on(tx, ending_id)
        if ending is None:
            return True
        organization_id = await store.next_organization(tx, ending.plan_id, ending.ends_on)
        if organization_id is None:
            await store.finish_ending(tx, ending.id, at)
            return True
        by = service_viewer("insurance")
        if await store.note_told(tx, ending.id, organization_id):
            await tell_plan_ended(tx, ending, organization_id, at, by)
        rows = await _rows_to_end(tx, ending, organization_id)
        await _add_followers(tx, ending, rows, at, by)
        for row in rows:
            last = row.period.clipped(ending.ends_on).until or ending.ends_on
            await store.end(tx, row, last, at, by=None)
            await tell_ended(tx, replace(row, effective_until=last), at, by)
        await store.count_ended(tx, ending.id, len(rows))
    return False


async def _rows_to_end(
    tx: Connection, ending: PlanEnding, organization_id: OrganizationId
) -> list[Participation]:
    """The next rows, locked, and their places held: nothing is added there meanwhile."""
    plan_id, ends_on = ending.plan_id, ending.ends_on
    found = await store.lasting_of_plan(tx, organization_id, plan_id, ends_on, limit=AT_ONCE)
    for provider_id, office_id in sorted({(row.provider_id, row.office_id) for row in found}):
        await store.hold_place(tx, organization_id, provider_id, office_id)
    ids = [row.id for row in found]
    rows = await store.own_rows(tx, organization_id, ids, lock=True)
    return [row for row in rows if not row.period.since(ends_on).empty]


async def _add_followers(
    tx: Connection, ending: PlanEnding, rows: Sequence[Participation], at: datetime, by: Viewer
) -> None:
    """Of a merged plan, the successor's rows: on the days that are taken from the plan's own, unverified, for review. Where the
    successor is accepted already, nothing is added."""
    if ending.successor_id is None:
        return
    successor = (await store.hold_plans(tx, [ending.successor_id]))[ending.successor_id]
    added: list[Participation] = []
    for row in rows:
        days = domain.followed(row, ending.ends_on, successor)
        known = await store.of_place(tx, row.organization_id, row.provider_id, row.office_id)
        taken = [one.period for one in (*known, *added) if _same(one, row, successor.id)]
        if not days.empty and not any(one.overlaps(days) for one in taken):
            added.append(_follower(row, successor.id, days, ending, at))
    await store.add_rows(tx, BatchId(new_id()), added)
    for row in added:
        await tell_added(tx, row, by)


def _same(one: Participation, row: Participation, plan_id: PlanId) -> bool:
    place = (one.provider_id, one.office_id) == (row.provider_id, row.office_id)
    return place and one.plan_id == plan_id


def _follower(
    row: Participation,
    plan_id: PlanId,
    days: domain.Period,
    ending: PlanEnding,
    at: datetime,
) -> Participation:
    return replace(
        row,
        id=ParticipationId(new_id()),
        plan_id=plan_id,
        effective_from=days.first,
        effective_until=days.until,
        source=Source.PAYER,
        added_at=at,
        added_by=ending.started_by,
        ended_at=None,
        ended_by=None,
        said_until=None,
        last_verified_on=None,
        last_verified_by=None,
        version=1,
        copied_from=row.id,
    )
