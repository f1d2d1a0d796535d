"""Verbs of placements: add, end, say whether new patients are accepted (R09, R10)."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from kit.db import Connection
from kit.errors import Conflict, Refusal
from kit.idempotency import once
from kit.ids import new_id
from services.directory import policy, store
from services.directory.actions import finding, going_live, suggestions, tasks, telling
from services.directory.actions.peers import Call
from services.directory.domain import closures, days
from services.directory.domain.nouns import (
    Office,
    OfficeId,
    OfficeState,
    OrganizationId,
    Placement,
    PlacementId,
    Provider,
    ProviderId,
    ProviderState,
    require_version,
)


@dataclass(frozen=True, slots=True)
class NewPlacement:
    """A provider is to work at an office. Without a first day: today, or the office's first day when that is later."""

    provider_id: UUID
    office_id: UUID
    effective_from: date | None = None
    effective_until: date | None = None
    accepting_new_patients: bool = True


async def add_placement(call: Call, wanted: NewPlacement, *, key: str) -> Placement:
    """Place a provider at an office. Office admins do so at their own offices (R09). Refuses OVERLAP."""
    organization_id = policy.acting(call.viewer)
    async with call.db.transaction() as tx:

        async def make() -> UUID:
            office = await finding.office_as_it_is(tx, call.viewer, wanted.office_id)
            policy.permit_office(call.viewer, organization_id, office.id)
            require_open(office)
            provider = await finding.provider(tx, call.viewer, wanted.provider_id)
            return (await place(tx, call, provider, office, wanted)).id

        made = await once(
            tx,
            call.viewer,
            key=key,
            request=("addPlacement", wanted),
            at=call.clock.now(),
            make=make,
        )
        placed = (await store.placements.by_ids(tx, [made]))[made]
    await going_live.recheck(call, organization_id, [placed.office_id])
    await suggestions.review(call, organization_id, [placed.office_id])
    return placed


def require_open(office: Office) -> None:
    """Nobody is placed at an office that is closing or closed (R19)."""
    if office.state in {OfficeState.CLOSING, OfficeState.CLOSED}:
        raise Conflict(
            f"The office is {office.state.lower()}.",
            code="OFFICE_CLOSING" if office.state is OfficeState.CLOSING else "OFFICE_CLOSED",
            field="officeId",
            remedy="Choose another office, or keep this one with keepOffice.",
        )


def hindrance(provider: Provider) -> Refusal | None:
    """Why the provider cannot be placed anywhere now; approved or not does not matter: the placement then is pending."""
    if provider.state is ProviderState.OFFBOARDING:
        return Conflict(
            "The provider is leaving.",
            code="PROVIDER_LEAVING",
            field="providerId",
            remedy="Keep the provider with keepProvider first.",
        )
    if provider.state is ProviderState.REMOVED:
        return policy.unknown("provider", "providerId")
    return None


async def place(
    tx: Connection, call: Call, provider: Provider, office: Office, wanted: NewPlacement
) -> Placement:
    """Place a locked provider at an office that stays as it is; OVERLAP when it works there on one of the days already."""
    if (refusal := hindrance(provider)) is not None:
        raise refusal
    first = wanted.effective_from or max(days.day_at(office, call.clock.now()), office.go_live_on)
    first, until = days.placement_days(first, wanted.effective_until)
    closures.require_before_closing(office, until)
    for existing in await store.placements.at(tx, office.organization_id, provider.id, office.id):
        if days.share_a_day(existing, first, until):
            raise days.overlap(existing)
    placed = Placement(
        id=PlacementId(new_id()),
        organization_id=OrganizationId(office.organization_id),
        provider_id=ProviderId(provider.id),
        office_id=OfficeId(office.id),
        effective_from=first,
        effective_until=until,
        accepting_new_patients=wanted.accepting_new_patients,
        version=1,
    )
    await store.placements.add(tx, placed, call.clock.now())
    await telling.of_placement(tx, call, placed, telling.placement_added(placed))
    await tasks.provider_placed(tx, call, provider)
    return placed


async def end_placement(
    call: Call, placement_id: UUID, seen: int, effective_until: date | None
) -> Placement:
    """End a placement: `effective_until` is the first day without it; today when it is not given. Never in the past."""
    async with call.db.transaction() as tx:
        before, office = await _changeable(tx, call, placement_id, seen)
        today = days.day_at(office, call.clock.now())
        until = days.placement_end(before, effective_until or today, today)
        after = replace(before, effective_until=until)
        await end(tx, call, after)
    await suggestions.review(call, before.organization_id, [before.office_id])
    return await _read(call, placement_id)


async def end(tx: Connection, call: Call, ended: Placement) -> None:
    """Keep and tell a placement that has an end now."""
    await store.placements.save(tx, ended, call.clock.now())
    await telling.of_placement(tx, call, ended, telling.placement_ended(ended))


async def set_accepting_new_patients(
    call: Call, placement_id: UUID, seen: int, *, accepting: bool
) -> Placement:
    """Say whether the provider accepts new patients at the office (R10)."""
    async with call.db.transaction() as tx:
        before, _ = await _changeable(tx, call, placement_id, seen)
        after = replace(before, accepting_new_patients=accepting)
        await store.placements.save(tx, after, call.clock.now())
        await telling.of_placement(tx, call, after, telling.placement_changed(after))
    return await _read(call, placement_id)


async def _changeable(
    tx: Connection, call: Call, placement_id: UUID, seen: int
) -> tuple[Placement, Office]:
    before = await finding.placement(tx, call.viewer, placement_id)
    policy.permit_office(call.viewer, before.organization_id, before.office_id)
    require_version("placement", seen, before.version)
    office = (await store.offices.by_ids(tx, [before.office_id]))[before.office_id]
    if not before.remains(days.day_at(office, call.clock.now())):
        raise Conflict(
            "The placement is over.", code="ALREADY_ENDED", remedy="Add a new placement."
        )
    return before, office


async def _read(call: Call, placement_id: UUID) -> Placement:
    async with call.db.reading() as tx:
        return (await store.placements.by_ids(tx, [placement_id]))[placement_id]
