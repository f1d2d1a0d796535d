"""Adding an office with its providers, and changing what it says (R16, R17)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from uuid import UUID

from kit.db import Connection
from kit.errors import Conflict, Invalid, Refusal
from kit.idempotency import once
from kit.ids import new_id
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import (
    finding,
    going_live,
    items,
    locating,
    placements,
    suggestions,
    telling,
)
from services.directory.actions.peers import Call, KnownUser
from services.directory.actions.placements import NewPlacement
from services.directory.domain import closures, days, places
from services.directory.domain.hours import OpeningHours, clean_hours
from services.directory.domain.nouns import (
    Address,
    LocatedBy,
    Office,
    OfficeId,
    OfficeState,
    OrganizationId,
    Point,
    Provider,
    UserId,
    require_version,
)

MOST_PROVIDERS = 100


@dataclass(frozen=True, slots=True)
class NewOffice:
    """An office as it is asked for. `acknowledge_short_lead_time` and `reason` belong together (R16); `acknowledge_duplicate`: it
    is another office though one of the organization has its address or phone."""

    name: str
    address: Address
    point: Point | None
    phone: str
    time_zone: str
    go_live_on: date
    provider_ids: tuple[UUID, ...] = ()
    group_only: bool = False
    hours: tuple[OpeningHours, ...] = ()
    acknowledge_short_lead_time: bool = False
    reason: str | None = None
    acknowledge_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class OfficeChange:
    """What is to change of an office; None leaves it as it is. The acknowledgements are those of NewOffice."""

    name: str | None = None
    address: Address | None = None
    point: Point | None = None
    phone: str | None = None
    time_zone: str | None = None
    group_only: bool | None = None
    hours: tuple[OpeningHours, ...] | None = None
    go_live_on: date | None = None
    acknowledge_short_lead_time: bool = False
    reason: str | None = None
    acknowledge_duplicate: bool = False


async def add_office(call: Call, wanted: NewOffice, *, key: str) -> Office:
    """Add an office and place its providers from its first day, all or nothing (R16, R17).

    Refuses LEAD_TIME_SHORT below seven days without acknowledgement and reason, DUPLICATE_OFFICE until it is acknowledged, and
    ITEMS_REFUSED with each bad provider.
    """
    organization_id = policy.acting(call.viewer)
    policy.permit_client_admin(call.viewer, organization_id)
    async with call.db.transaction() as tx:

        async def make() -> UUID:
            planned = _planned(call, organization_id, wanted)
            await _require_zone(tx, planned)
            planned = await locating.located(tx, planned)
            office = await _added(tx, call, planned, acknowledged=wanted.acknowledge_duplicate)
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
    point = places.clean_point(wanted.point) if wanted.point else None
    return Office(
        id=OfficeId(new_id()),
        organization_id=organization_id,
        name=places.clean_name(wanted.name),
        line1=address.line1,
        line2=address.line2,
        city=address.city,
        region=address.region,
        postal_code=address.postal_code,
        latitude=point.latitude if point else None,
        longitude=point.longitude if point else None,
        located_by=LocatedBy.GIVEN if point else None,
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
        hours=clean_hours(wanted.hours),
    )


async def _require_zone(tx: Connection, office: Office) -> None:
    """The database reads everybody's days by their zones: it has to know each, also where its tables of them are older than ours."""
    if not await store.offices.knows_zone(tx, office.time_zone):
        raise days.unknown_zone(office.time_zone)


def _lead_time(call: Call, wanted: NewOffice) -> tuple[int, str | None]:
    return days.lead_time(
        wanted.go_live_on,
        call.clock.today(days.zone(wanted.time_zone)),
        acknowledged=wanted.acknowledge_short_lead_time,
        reason=places.clean_reason(wanted.reason),
    )


async def _added(tx: Connection, call: Call, office: Office, *, acknowledged: bool) -> Office:
    await require_free(tx, office, acknowledged=acknowledged)
    await store.offices.add(tx, office, policy.acting_user(call.viewer), call.clock.now())
    await telling.of_office(tx, call, office, telling.planned(office))
    return office


async def require_free(tx: Connection, office: Office, *, acknowledged: bool) -> None:
    """NAME_TAKEN for a name another office of the organization has; DUPLICATE_OFFICE for its address or phone, unless that is
    acknowledged. Of two who ask at once, the second sees the first."""
    await store.catalogue.hold(tx, office.organization_id, "offices")
    if await store.offices.with_name(tx, office.organization_id, office.name, but=office.id):
        raise Conflict(
            "Your organization has an office of this name.",
            code="NAME_TAKEN",
            field="name",
            remedy="Choose another name, or use that office.",
        )
    if acknowledged:
        return
    near = await store.offices.alike(tx, office, places.phone_digits(office.phone))
    if found := places.lookalikes(office, near):
        raise places.duplicate(found)


async def _place_all(tx: Connection, call: Call, office: Office, wanted: NewOffice) -> None:
    ids = wanted.provider_ids
    if len(ids) > MOST_PROVIDERS:
        raise Invalid(f"Name at most {MOST_PROVIDERS} providers.", field="providerIds")
    found: dict[UUID, Provider] = await store.providers.locked_all(tx, office.organization_id, ids)
    items.require_none(items.check(ids, found, "providerIds", placements.hindrance))
    for provider_id in ids:
        placement = NewPlacement(provider_id, office.id, effective_from=office.go_live_on)
        await placements.place(tx, call, found[provider_id], office, placement)


# Changing -------------------------------------------------------------------------------------------------------------


async def change_office(call: Call, office_id: UUID, seen: int, change: OfficeChange) -> Office:
    """Change what an office says. Its first day can be moved until it is live: to a later one freely, to a sooner one by the
    rules of a new office (R16). Providers who were to begin on the first day move with it."""
    async with call.db.transaction() as tx:
        before = await finding.office(tx, call.viewer, office_id)
        policy.permit_client_admin(call.viewer, before.organization_id)
        require_version("office", seen, before.version)
        _require_changeable(before, change)
        changed_as_asked = await locating.located(tx, _changed(before, change))
        after = _dated(call, before, changed_as_asked, change)
        if after.time_zone != before.time_zone:
            await _require_zone(tx, after)
        changed = _differences(before, after)
        if {"name", "address", "phone"} & set(changed):
            await require_free(tx, after, acknowledged=change.acknowledge_duplicate)
        await store.offices.change(tx, after)
        await _move_beginnings(tx, call, before, after)
        fact = facts.OfficeChanged(
            office_id=str(after.id),
            name=after.name,
            time_zone=after.time_zone,
            go_live_on=after.go_live_on.isoformat(),
            changed=changed,
        )
        await telling.of_office(tx, call, after, fact)
    if "group_only" in changed:
        await going_live.recheck(call, before.organization_id, [before.id], revoking=True)
    return await _read(call, office_id)


def _require_changeable(office: Office, change: OfficeChange) -> None:
    placements.require_open(office)
    if change.go_live_on is not None and office.state is OfficeState.LIVE:
        raise Conflict(
            "The office is live: its first day was.",
            code="OFFICE_STATE",
            field="goLiveOn",
            remedy="Leave goLiveOn out.",
        )


def _changed(office: Office, change: OfficeChange) -> Office:
    address = places.clean_address(change.address or office.address)
    at = locating.placed(locating.moved(office, address), change.point)
    return replace(
        at,
        **asdict(address),
        name=office.name if change.name is None else places.clean_name(change.name),
        phone=office.phone if change.phone is None else places.clean_phone(change.phone),
        time_zone=days.zone(change.time_zone or office.time_zone).key,
        group_only=office.group_only if change.group_only is None else change.group_only,
        hours=office.hours if change.hours is None else clean_hours(change.hours),
    )


def _dated(call: Call, before: Office, after: Office, change: OfficeChange) -> Office:
    if change.go_live_on is None or change.go_live_on == before.go_live_on:
        return after
    closures.require_open_on(before, change.go_live_on)
    lead_days, reason = days.moved_lead_time(
        before,
        change.go_live_on,
        call.clock.today(days.zone(after.time_zone)),
        acknowledged=change.acknowledge_short_lead_time,
        reason=places.clean_reason(change.reason),
    )
    return replace(after, go_live_on=change.go_live_on, lead_days=lead_days, lead_reason=reason)


_FIELDS = ("name", "address", "point", "phone", "time_zone", "group_only", "hours", "go_live_on")


def _differences(before: Office, after: Office) -> list[str]:
    return [one for one in _FIELDS if getattr(before, one) != getattr(after, one)]


async def _move_beginnings(tx: Connection, call: Call, before: Office, after: Office) -> None:
    """Placements that were to begin with the office still do; one that would then have no day, or share one, stays as it was."""
    if before.go_live_on == after.go_live_on:
        return
    rows = await store.placements.remaining_at_office(
        tx, before.organization_id, before.id, call.clock.now()
    )
    for row in rows:
        others = [one for one in rows if one.provider_id == row.provider_id and one.id != row.id]
        moved = replace(row, effective_from=after.go_live_on)
        shares = any(
            days.share_a_day(one, moved.effective_from, moved.effective_until) for one in others
        )
        if (
            row.effective_from == before.go_live_on
            and moved.remains(after.go_live_on)
            and not shares
        ):
            await store.placements.save(tx, moved, call.clock.now())
            await telling.of_placement(tx, call, moved, telling.placement_changed(moved))


# The roster -----------------------------------------------------------------------------------------------------------


async def attest_roster(
    call: Call, office_id: UUID, seen: int, user_ids: Sequence[UUID], owner: UUID | None = None
) -> Office:
    """Say that just these users work for the office, and which of them answers for its referrals (R18): client admins, and its
    office admins. It holds until somebody comes or goes.

    Refuses ITEMS_REFUSED with each who does not, ROSTER_DIFFERS with those who do and are not named, NO_COVERAGE when none of
    them is confirmed, and OWNER_UNABLE for an owner who is not one of those.
    """
    organization_id = policy.acting(call.viewer)
    users = await call.peers.identity.users(organization_id, user_ids)
    async with call.db.transaction() as tx:
        before = await finding.office(tx, call.viewer, office_id)
        policy.permit_office(call.viewer, before.organization_id, before.id)
        require_version("office", seen, before.version)
        placements.require_open(before)
        items.require_none(items.check(user_ids, users, "userIds", _absence(before.id)))
        await _require_whole(tx, before, user_ids, users)
        confirmed = [UserId(one) for one in user_ids if users[one].confirmed]
        after = replace(
            before,
            roster_attested=tuple(UserId(one) for one in sorted(user_ids)),
            roster_attested_at=call.clock.now(),
            roster_attested_by=policy.acting_user(call.viewer),
            referral_owner=days.referral_owner(before, confirmed, owner),
        )
        await store.offices.save(tx, after, call.clock.now())
        fact = facts.OfficeRosterAttested(
            office_id=str(after.id),
            user_ids=[str(one) for one in after.roster_attested],
            attested_by=str(after.roster_attested_by),
            referral_owner_id=str(after.referral_owner),
        )
        await telling.of_office(tx, call, after, fact)
    await going_live.recheck(call, organization_id, [before.id])
    return await _read(call, office_id)


async def _read(call: Call, office_id: UUID) -> Office:
    async with call.db.reading() as tx:
        return (await store.offices.by_ids(tx, [office_id]))[office_id]


def _absence(office_id: OfficeId) -> Callable[[KnownUser], Refusal | None]:
    def absence(user: KnownUser) -> Refusal | None:
        if user.active and office_id in user.office_ids:
            return None
        return Conflict("The user does not work for this office.", code="NOT_AT_OFFICE")

    return absence


async def _require_whole(
    tx: Connection, office: Office, named: Sequence[UUID], users: Mapping[UUID, KnownUser]
) -> None:
    rosters = await store.heard.rosters(tx, office.organization_id, [office.id])
    if others := sorted(set(rosters.get(office.id, ())) - set(named)):
        raise Conflict(
            f"{len(others)} more work for the office.",
            code="ROSTER_DIFFERS",
            field="userIds",
            remedy="Name them as well, or end their work for the office first.",
            user_ids=[str(one) for one in others],
        )
    if not any(users[one].confirmed for one in named):
        raise Conflict(
            "Nobody who works for the office has confirmed the account.",
            code="NO_COVERAGE",
            field="userIds",
            remedy="Have one of them follow the link in the invitation, or invite somebody.",
        )
