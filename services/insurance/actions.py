"""The verbs of insurance: each loads, permits, decides, saves, and records the fact."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from kit import db
from kit.db import Connection
from kit.errors import Conflict, NotFound, Refusal
from kit.idempotency import once
from kit.ids import new_id
from kit.outbox import record
from kit.rpc import Peer
from kit.service import Call
from proto.directory.v1.directory_pb2 import PlacementKey, PlacementsRequest
from proto.directory.v1.directory_pb2_grpc import DirectoryStub
from proto.insurance.v1.events_pb2 import (
    ParticipationAdded,
    ParticipationEnded,
    ParticipationVerified,
)
from services.insurance import domain, policy, store
from services.insurance.domain import (
    BatchId,
    Identifier,
    InsurancePlan,
    OfficeId,
    OrganizationId,
    Participation,
    ParticipationId,
    Payer,
    PayerId,
    PlanId,
    PlanRefusal,
    ProductType,
    ProviderId,
    Source,
    UserId,
)


@dataclass(frozen=True)
class Peers:
    """The siblings insurance asks."""

    directory: Peer


@dataclass(frozen=True)
class NewPayer:
    """What support asks for when it adds a payer."""

    name: str
    identifiers: tuple[Identifier, ...]


@dataclass(frozen=True)
class NewPlan:
    """What support asks for when it adds a plan."""

    payer_id: PayerId
    name: str
    product_type: ProductType
    effective_from: date
    effective_until: date | None


@dataclass(frozen=True)
class NewParticipations:
    """One provider at one office, and the plans accepted there on the same days."""

    provider_id: ProviderId
    office_id: OfficeId
    plan_ids: tuple[PlanId, ...]
    effective_from: date
    effective_until: date | None
    source: Source


# Payers and plans -----------------------------------------------------------------------------------------------------


async def add_payer(call: Call[Peers], wanted: NewPayer, key: str) -> Payer:
    """Add a payer for the whole network. Refuses NAME_TAKEN and IDENTIFIER_TAKEN."""
    policy.permit_catalogue(call.viewer)
    payer = Payer(
        PayerId(new_id()),
        domain.clean_name(wanted.name),
        domain.clean_identifiers(wanted.identifiers),
        version=1,
    )
    taken = {
        "payers_name": _taken("There is a payer of this name.", "NAME_TAKEN", "name"),
        "payer_identifiers_one_payer": _taken(
            "Another payer has this identifier.", "IDENTIFIER_TAKEN", "identifiers"
        ),
    }
    with _told_as(taken):
        async with call.db.transaction() as tx:

            async def make() -> UUID:
                await store.add_payer(tx, payer, call.clock.now())
                return payer.id

            made = await once(
                tx, call.viewer, key=key, request=wanted, at=call.clock.now(), make=make
            )
            return (await store.payers_by_id(tx, [made]))[made]


async def add_plan(call: Call[Peers], wanted: NewPlan, key: str) -> InsurancePlan:
    """Add a plan of a payer for the whole network. Refuses an unknown payer, EMPTY_PERIOD and NAME_TAKEN."""
    policy.permit_catalogue(call.viewer)
    days = domain.period(wanted.effective_from, wanted.effective_until)
    plan = InsurancePlan(
        PlanId(new_id()),
        wanted.payer_id,
        domain.clean_name(wanted.name),
        wanted.product_type,
        self_pay=False,
        effective_from=days.first,
        effective_until=days.until,
        version=1,
    )
    taken = _taken("The payer has a plan of this name.", "NAME_TAKEN", "name")
    with _told_as({"insurance_plans_name": taken}):
        async with call.db.transaction() as tx:

            async def make() -> UUID:
                if wanted.payer_id not in await store.payers_by_id(tx, [wanted.payer_id]):
                    raise NotFound("There is no such payer.", field="payerId")
                await store.add_plan(tx, plan, call.clock.now())
                return plan.id

            made = await once(
                tx, call.viewer, key=key, request=wanted, at=call.clock.now(), make=make
            )
            return (await store.plans_by_id(tx, [made]))[made]


def _taken(message: str, code: str, field: str) -> Conflict:
    return Conflict(message, code=code, field=field, remedy="Look for it: it may be the same one.")


@contextmanager
def _told_as(refusals: dict[str, Conflict]) -> Iterator[None]:
    """Tell the violation of these constraints as these refusals."""
    try:
        yield
    except Exception as error:
        refusal = refusals.get(db.violated(error) or "")
        if refusal is None:
            raise
        raise refusal from error


# Participations -------------------------------------------------------------------------------------------------------


async def add_participation(
    call: Call[Peers], wanted: NewParticipations, key: str
) -> Participation:
    """Add the one plan of `wanted`. Refuses as `add_participations` does, with the plan's own refusal (R27)."""
    (added,) = await _add_all(call, wanted, key, lambda refused: refused[0].refusal)
    return added


async def add_participations(
    call: Call[Peers], wanted: NewParticipations, key: str
) -> list[Participation]:
    """Add every plan of `wanted` for the provider at the office, or none (R27).

    Refuses EMPTY_PERIOD, PROVIDER_NOT_AT_OFFICE, PLACEMENT_ENDS, and with PLANS_REFUSED what is wrong with each plan: UNKNOWN_PLAN,
    PLAN_NOT_OFFERED, OVERLAP.
    """
    return await _add_all(call, wanted, key, partial(domain.plans_refused, len(wanted.plan_ids)))


_Refuse = Callable[[Sequence[PlanRefusal]], Refusal]


async def _add_all(
    call: Call[Peers], wanted: NewParticipations, key: str, refuse: _Refuse
) -> list[Participation]:
    organization_id = OrganizationId(call.viewer.require_organization())
    policy.permit_edit(call.viewer, organization_id, wanted.office_id)
    domain.period(wanted.effective_from, wanted.effective_until)
    plan_ids = domain.clean_plan_ids(wanted.plan_ids)
    async with call.db.transaction() as tx:
        make = partial(_add, call, tx, wanted, refuse)
        request, at = (organization_id, wanted), call.clock.now()
        made = await once(tx, call.viewer, key=key, request=request, at=at, make=make)
        rows = await store.batch(tx, organization_id, BatchId(made))
    return sorted(rows, key=lambda row: plan_ids.index(row.plan_id))


async def _add(
    call: Call[Peers], tx: Connection, wanted: NewParticipations, refuse: _Refuse
) -> BatchId:
    """The place stays locked while directory is asked: a placement that ends meanwhile is heard after these rows."""
    organization_id = OrganizationId(call.viewer.require_organization())
    await store.lock_place(tx, wanted.provider_id, wanted.office_id)
    today = await day_of(tx, organization_id, call.clock.now())
    await _require_placed(call, organization_id, wanted, max(wanted.effective_from, today))
    existing = await store.of_place(tx, organization_id, wanted.provider_id, wanted.office_id)
    plans = {
        PlanId(key): plan for key, plan in (await store.plans_by_id(tx, wanted.plan_ids)).items()
    }
    days = domain.Period(wanted.effective_from, wanted.effective_until)
    if refused := domain.refused_plans(wanted.plan_ids, days, plans, existing):
        raise refuse(refused)
    batch_id = BatchId(new_id())
    rows = [store.NewParticipation(ParticipationId(new_id()), plan) for plan in wanted.plan_ids]
    await store.add_participations(tx, batch_id, _like(call, organization_id, wanted, today), rows)
    for row in await store.batch(tx, organization_id, batch_id):
        await _record_added(tx, row)
    return batch_id


def _like(
    call: Call[Peers], organization_id: OrganizationId, wanted: NewParticipations, today: date
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


async def _require_placed(
    call: Call[Peers], organization_id: OrganizationId, wanted: NewParticipations, on: date
) -> None:
    """Refuse PROVIDER_NOT_AT_OFFICE unless directory says that the provider works there, for this organization, and
    PLACEMENT_ENDS when not for as long (R27)."""
    place = PlacementKey(provider_id=str(wanted.provider_id), office_id=str(wanted.office_id))
    reply = await call.peers.directory.ask(
        DirectoryStub(call.peers.directory.channel).Placements,
        PlacementsRequest(keys=[place], on=on.isoformat()),
        viewer=call.viewer,
    )
    own = [one for one in reply.placements if UUID(one.organization_id) == organization_id]
    if not own:
        raise domain.not_at_office()
    ends = [one.effective_until for one in own]
    if all(ends):
        days = domain.Period(wanted.effective_from, wanted.effective_until)
        domain.refuse_beyond_placement(days, date.fromisoformat(max(ends)))


async def end_participation(
    call: Call[Peers], participation_id: ParticipationId, until: date, expected_version: int
) -> Participation:
    """Let a participation end before `until` (R27). Refuses EMPTY_PERIOD, ALREADY_ENDS and STALE_VERSION."""
    async with call.db.transaction() as tx:
        row = await _own(call, tx, participation_id, expected_version)
        domain.end(row, until)
        by, at = UserId(call.viewer.require_user()), call.clock.now()
        await store.end(tx, row, until, at, by)
        ended = replace(row, effective_until=until, ended_at=at, version=row.version + 1)
        await _record_ended(tx, ended, at)
    return ended


async def verify_participation(
    call: Call[Peers], participation_id: ParticipationId, expected_version: int
) -> Participation:
    """Say that a participation is still true today (R27). Refuses PARTICIPATION_ENDED and STALE_VERSION."""
    async with call.db.transaction() as tx:
        row = await _own(call, tx, participation_id, expected_version)
        by, at = UserId(call.viewer.require_user()), call.clock.now()
        today = await day_of(tx, row.organization_id, at)
        domain.refuse_past(row, today)
        await store.verify(tx, row, today, by, at)
        fact = ParticipationVerified(participation_id=str(row.id), verified_on=today.isoformat())
        await _record(tx, row, fact, at)
    return replace(row, last_verified_on=today, last_verified_by=by, version=row.version + 1)


async def _own(
    call: Call[Peers], tx: Connection, participation_id: ParticipationId, expected_version: int
) -> Participation:
    """The row, if it is the viewer's to change and still as the viewer saw it (R26)."""
    organization_id = OrganizationId(call.viewer.require_organization())
    row = await store.participation(tx, organization_id, participation_id)
    if row is None:
        raise NotFound("There is no such participation.", field="participationId")
    policy.permit_edit(call.viewer, organization_id, row.office_id)
    if row.version != expected_version:
        raise Conflict(
            "The participation was changed in the meantime.",
            code="STALE_VERSION",
            field="expectedVersion",
            remedy="Read it again.",
            version=row.version,
        )
    return row


@dataclass(frozen=True, slots=True)
class Place:
    """A provider, an office, or (both given) a provider at an office."""

    provider_id: ProviderId | None = None
    office_id: OfficeId | None = None


async def end_at_place(
    tx: Connection, organization_id: OrganizationId, place: Place, until: date, at: datetime
) -> None:
    """End whatever is accepted at a place that is no more, from `until` on. Doing it again changes nothing (R19, R27)."""
    if place.provider_id and place.office_id:
        await store.lock_place(tx, place.provider_id, place.office_id)
    rows = await store.lasting(
        tx, organization_id, until, provider_id=place.provider_id, office_id=place.office_id
    )
    for row in rows:
        last = row.period.clipped(until).until or until
        await store.end(tx, row, last, at, by=None)
        await _record_ended(tx, replace(row, effective_until=last), at)


async def day_of(tx: Connection, organization_id: OrganizationId, at: datetime) -> date:
    """The day an instant is on where the organization reads its calendar; in UTC while its time zone was not heard."""
    zone = await store.time_zone(tx, organization_id)
    return at.astimezone(ZoneInfo(zone) if zone else UTC).date()


# Facts ----------------------------------------------------------------------------------------------------------------


async def _record_added(tx: Connection, row: Participation) -> None:
    fact = ParticipationAdded(
        participation_id=str(row.id),
        provider_id=str(row.provider_id),
        office_id=str(row.office_id),
        plan_id=str(row.plan_id),
        effective_from=row.effective_from.isoformat(),
        effective_until=_iso(row.effective_until),
        verified_on=_iso(row.last_verified_on),
    )
    await _record(tx, row, fact, row.added_at)


async def _record_ended(tx: Connection, row: Participation, at: datetime) -> None:
    fact = ParticipationEnded(
        participation_id=str(row.id),
        provider_id=str(row.provider_id),
        office_id=str(row.office_id),
        plan_id=str(row.plan_id),
        effective_from=row.effective_from.isoformat(),
        effective_until=_iso(row.effective_until),
    )
    await _record(tx, row, fact, at)


async def _record(
    tx: Connection,
    row: Participation,
    fact: ParticipationAdded | ParticipationEnded | ParticipationVerified,
    at: datetime,
) -> None:
    await record(
        tx,
        fact,
        organization_id=row.organization_id,
        aggregate="participation",
        aggregate_id=row.id,
        at=at,
    )


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
