"""Which provider accepts which plan at which office: adding, ending, verifying (R27)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from kit.auth import service_viewer
from kit.db import Connection
from kit.errors import NotFound, Refusal, Unavailable, stale_version
from kit.idempotency import answered, once
from kit.ids import new_id
from services.insurance import domain, policy, store
from services.insurance.actions.peers import Call, require_placed
from services.insurance.actions.telling import tell_added, tell_ended
from services.insurance.domain import (
    BatchId,
    InsurancePlan,
    OfficeId,
    OrganizationId,
    Participation,
    ParticipationId,
    Period,
    Place,
    PlanId,
    PlanRefusal,
    ProviderId,
    Source,
    UserId,
)

ASKED_ANEW = 3
"""How often directory is asked about a place that keeps changing, before the viewer is told to come back."""


@dataclass(frozen=True)
class NewParticipations:
    """One provider at one office, and the plans accepted there on the same days."""

    provider_id: ProviderId
    office_id: OfficeId
    plan_ids: tuple[PlanId, ...]
    effective_from: date
    effective_until: date | None
    source: Source

    @property
    def place(self) -> Place:
        """Where."""
        return Place(self.provider_id, self.office_id)

    @property
    def days(self) -> Period:
        """When."""
        return Period(self.effective_from, self.effective_until)


# Adding ---------------------------------------------------------------------------------------------------------------


async def add_participation(call: Call, wanted: NewParticipations, key: str) -> Participation:
    """Add the one plan of `wanted`. Refuses as `add_participations` does, with the plan's own refusal (R27)."""
    (added,) = await _add_all(call, wanted, key, lambda refused: refused[0].refusal)
    return added


async def add_participations(
    call: Call, wanted: NewParticipations, key: str
) -> list[Participation]:
    """Add every plan of `wanted` for the provider at the office, or none (R27).

    Refuses EMPTY_PERIOD, PROVIDER_NOT_AT_OFFICE, PLACEMENT_ENDS, and with PLANS_REFUSED what is wrong with each plan: UNKNOWN_PLAN,
    PLAN_NOT_OFFERED, OVERLAP.
    """
    return await _add_all(call, wanted, key, partial(domain.plans_refused, len(wanted.plan_ids)))


_Refuse = Callable[[Sequence[PlanRefusal]], Refusal]


async def _add_all(
    call: Call, wanted: NewParticipations, key: str, refuse: _Refuse
) -> list[Participation]:
    """Directory is asked before the transaction, which holds a connection. Should a departure from the place be heard in
    between, the answer may be out of date, and directory is asked again."""
    organization_id = OrganizationId(call.viewer.require_organization())
    policy.permit_edit(call.viewer, organization_id, wanted.office_id)
    domain.period(wanted.effective_from, wanted.effective_until)
    plan_ids = domain.clean_plan_ids(wanted.plan_ids)
    request = (organization_id, wanted)
    for _ in range(ASKED_ANEW):
        before = await _ask(call, wanted, key, request)
        async with call.db.transaction() as tx:
            await store.hold_place(tx, organization_id, wanted.provider_id, wanted.office_id)
            if before not in (None, await _departures(tx, call, wanted)):
                continue
            make, at = partial(_add, call, tx, wanted, refuse), call.clock.now()
            made = await once(tx, call.viewer, key=key, request=request, at=at, make=make)
            rows = await store.batch(tx, organization_id, BatchId(made))
        return sorted(rows, key=lambda row: plan_ids.index(row.plan_id))
    raise Unavailable(
        "Where the provider works is being changed at this moment.",
        remedy="Try again in a moment.",
    )


async def _ask(call: Call, wanted: NewParticipations, key: str, request: object) -> int | None:
    """Ask directory about the place; answers how many departures from it had been heard before. None when the key was answered
    already: then there is nothing to ask."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        if await answered(tx, call.viewer, key=key, request=request) is not None:
            return None
        departures = await _departures(tx, call, wanted)
        today = await day_of(tx, organization_id, call.clock.now())
    await require_placed(call, organization_id, wanted.place, wanted.days, today)
    return departures


async def _departures(tx: Connection, call: Call, wanted: NewParticipations) -> int:
    organization_id = OrganizationId(call.viewer.require_organization())
    return await store.departures(tx, organization_id, wanted.provider_id, wanted.office_id)


async def _add(call: Call, tx: Connection, wanted: NewParticipations, refuse: _Refuse) -> BatchId:
    organization_id = OrganizationId(call.viewer.require_organization())
    today = await day_of(tx, organization_id, call.clock.now())
    existing = await store.of_place(tx, organization_id, wanted.provider_id, wanted.office_id)
    plans = await store.hold_plans(tx, wanted.plan_ids)
    if refused := domain.refused_plans(wanted.plan_ids, wanted.days, plans, existing):
        raise refuse(refused)
    batch_id, like = BatchId(new_id()), _like(call, organization_id, wanted, today)
    rows = [_of_plan(like, plans[plan_id]) for plan_id in wanted.plan_ids]
    await store.add_rows(tx, batch_id, rows)
    for row in rows:
        await tell_added(tx, row, call.viewer)
    return batch_id


def _of_plan(like: Participation, plan: InsurancePlan) -> Participation:
    """A row of the plan, which does not outlast it."""
    until = like.period.clipped(plan.effective_until).until
    return replace(like, id=ParticipationId(new_id()), plan_id=plan.id, effective_until=until)


def _like(
    call: Call, organization_id: OrganizationId, wanted: NewParticipations, today: date
) -> Participation:
    """What all rows of a call have in common. What the organization itself says counts as verified on the day it says so."""
    by = UserId(call.viewer.require_user())
    own_word = wanted.source is Source.ORGANIZATION
    return Participation(
        id=ParticipationId(UUID(int=0)),
        organization_id=organization_id,
        provider_id=wanted.provider_id,
        office_id=wanted.office_id,
        plan_id=wanted.plan_ids[0],
        effective_from=wanted.effective_from,
        effective_until=wanted.effective_until,
        source=wanted.source,
        added_at=call.clock.now(),
        added_by=by,
        ended_at=None,
        last_verified_on=today if own_word else None,
        last_verified_by=by if own_word else None,
        version=1,
    )


# Ending -------------------------------------------------------------------------------------------------


async def end_participation(
    call: Call, participation_id: ParticipationId, until: date, expected_version: int
) -> Participation:
    """Let a participation end before `until` (R27). Refuses EMPTY_PERIOD, ALREADY_ENDS, STALE_VERSION, and PARTICIPATION_ENDED
    when it is over: what was true stays as it was."""
    async with call.db.transaction() as tx:
        row = await own(call, tx, participation_id, expected_version)
        domain.end(row, until)
        by, at = UserId(call.viewer.require_user()), call.clock.now()
        domain.refuse_past(row, await day_of(tx, row.organization_id, at))
        await store.end(tx, row, until, at, by)
        ended = replace(
            row, effective_until=until, ended_at=at, ended_by=by, version=row.version + 1
        )
        await tell_ended(tx, ended, at, call.viewer)
    return ended


async def own(
    call: Call, tx: Connection, participation_id: ParticipationId, expected_version: int
) -> Participation:
    """The row, if it is the viewer's to change and still as the viewer saw it (R26)."""
    organization_id = OrganizationId(call.viewer.require_organization())
    row = await store.participation(tx, organization_id, participation_id)
    if row is None:
        raise NotFound("There is no such participation.", field="participationId")
    policy.permit_edit(call.viewer, organization_id, row.office_id)
    if row.version != expected_version:
        raise stale_version("participation", row.version)
    return row


async def end_at_place(
    tx: Connection,
    organization_id: OrganizationId,
    place: Place,
    until: date,
    at: datetime,
    working: Sequence[Period] = (),
) -> None:
    """End whatever is accepted at a place that is no more, from `until` on. Doing it again changes nothing (R19, R27). Where the
    provider works there on other days as well (`working`), what belongs to those days stays.

    Whoever is adding to the place waits, and then asks directory anew.
    """
    await store.note_departure(tx, organization_id, place.provider_id, place.office_id)
    for row in await store.lasting(tx, organization_id, until, place):
        last = domain.lasts_until(row, until, working)
        if last is not None and last != row.effective_until:
            await store.end(tx, row, last, at, by=None)
            ended = replace(row, effective_until=last)
            await tell_ended(tx, ended, at, service_viewer("insurance"))


async def day_of(tx: Connection, organization_id: OrganizationId, at: datetime) -> date:
    """The day an instant is on where the organization reads its calendar; in UTC while its time zone was not heard."""
    zone = await store.time_zone(tx, organization_id)
    return at.astimezone(ZoneInfo(zone) if zone else UTC).date()


async def days_of(
    tx: Connection, organizations: Iterable[OrganizationId], at: datetime
) -> dict[OrganizationId, date]:
    """The same for several organizations."""
    wanted = list(organizations)
    zones = await store.time_zones(tx, wanted)
    return {
        one: at.astimezone(ZoneInfo(zones[one]) if one in zones else UTC).date() for one in wanted
    }
