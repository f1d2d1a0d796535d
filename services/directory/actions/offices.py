"""Adding an office, with its providers (R16, R17)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kit.db import Connection
from kit.errors import Conflict, Invalid
from kit.idempotency import once
from kit.ids import new_id
from services.directory import policy, store
from services.directory.actions import items, placements, suggestions, telling
from services.directory.actions.peers import Call
from services.directory.actions.placements import NewPlacement
from services.directory.domain import days, places
from services.directory.domain.nouns import (
    Address,
    Office,
    OfficeId,
    OfficeState,
    OrganizationId,
    Point,
    Provider,
)

MOST_PROVIDERS = 100


@dataclass(frozen=True, slots=True)
class NewOffice:
    """An office as it is asked for. `acknowledge_short_lead_time` and `reason` belong together (R16)."""

    name: str
    address: Address
    point: Point
    phone: str
    time_zone: str
    go_live_on: date
    provider_ids: tuple[UUID, ...] = ()
    group_only: bool = False
    acknowledge_short_lead_time: bool = False
    reason: str | None = None


async def add_office(call: Call, wanted: NewOffice, *, key: str) -> Office:
    """Add an office and place its providers from its first day, all or nothing (R16, R17).

    Refuses LEAD_TIME_SHORT below seven days without acknowledgement and reason, and ITEMS_REFUSED with each bad provider.
    """
    organization_id = policy.acting(call.viewer)
    policy.permit_client_admin(call.viewer, organization_id)
    async with call.db.transaction() as tx:

        async def make() -> UUID:
            office = await _added(tx, call, _planned(call, organization_id, wanted))
            await _place_all(tx, call, office, wanted)
            return office.id

        made = await once(
            tx,
            call.viewer,
            key=key,
            request=("addOffice", wanted),
            at=call.clock.now(),
            make=make,
        )
        office = (await store.offices.by_ids(tx, [made]))[made]
    await suggestions.review(call, organization_id, [office.id])
    return office


def _planned(call: Call, organization_id: OrganizationId, wanted: NewOffice) -> Office:
    lead_days, reason = _lead_time(call, wanted)
    address = places.clean_address(wanted.address)
    point = places.clean_point(wanted.point)
    return Office(
        id=OfficeId(new_id()),
        organization_id=organization_id,
        name=places.clean_name(wanted.name),
        line1=address.line1,
        line2=address.line2,
        city=address.city,
        region=address.region,
        postal_code=address.postal_code,
        latitude=point.latitude,
        longitude=point.longitude,
        phone=places.clean_phone(wanted.phone),
        time_zone=wanted.time_zone,
        group_only=wanted.group_only,
        state=OfficeState.PLANNED,
        go_live_on=wanted.go_live_on,
        lead_days=lead_days,
        lead_reason=reason,
        live_at=None,
        closed_at=None,
        fence=None,
        state_before=None,
        version=1,
    )


def _lead_time(call: Call, wanted: NewOffice) -> tuple[int, str | None]:
    return days.lead_time(
        wanted.go_live_on,
        call.clock.today(days.zone(wanted.time_zone)),
        acknowledged=wanted.acknowledge_short_lead_time,
        reason=places.clean_reason(wanted.reason),
    )


async def _added(tx: Connection, call: Call, office: Office) -> Office:
    await store.catalogue.hold(tx, office.organization_id, f"office {office.name.lower()}")
    if await store.offices.with_name(tx, office.organization_id, office.name):
        raise Conflict(
            "Your organization has an office of this name.",
            code="NAME_TAKEN",
            field="name",
            remedy="Choose another name, or use that office.",
        )
    await store.offices.add(tx, office, policy.acting_user(call.viewer), call.clock.now())
    await telling.of_office(tx, call, office, telling.planned(office))
    return office


async def _place_all(tx: Connection, call: Call, office: Office, wanted: NewOffice) -> None:
    ids = wanted.provider_ids
    if len(ids) > MOST_PROVIDERS:
        raise Invalid(f"Name at most {MOST_PROVIDERS} providers.", field="providerIds")
    found: dict[UUID, Provider] = await store.providers.locked_all(tx, office.organization_id, ids)
    items.require_none(items.check(ids, found, "providerIds", placements.hindrance))
    for provider_id in ids:
        placement = NewPlacement(provider_id, office.id, effective_from=office.go_live_on)
        await placements.place(tx, call, found[provider_id], office, placement)
