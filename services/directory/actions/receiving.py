"""Who may receive or send a referral now, and who would suit one (R16, R21-R23, R28)."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from kit.auth import Viewer
from kit.db import Connection
from kit.errors import Invalid
from services.directory import policy, store
from services.directory.actions.peers import Call
from services.directory.domain import days, places, ranking
from services.directory.domain.nouns import (
    Group,
    GroupState,
    Office,
    OfficeState,
    OrganizationId,
    PlanId,
    Point,
    Provider,
    ProviderState,
)
from services.directory.domain.ranking import Practice, Receiver, Wanted, Widening

MEMORY = timedelta(days=90)
"""How far back answers count."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a sender is looking for, as it is asked."""

    specialty_code: str
    plan_id: UUID | None
    near: Point | None
    office_id: UUID | None
    on: date | None
    include_groups: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Receivers, best first, for that day; and how the search was widened, if it had to be."""

    receivers: tuple[Receiver, ...]
    on: date
    widening: Widening | None


async def suggest_receivers(call: Call, search: Search, first: int) -> Found:
    """Receivers for a specialty, ranked and explained (R28). With no match nearby the search is widened, and says so."""
    policy.permit_reading(call.viewer)
    async with call.db.reading() as tx:
        specialty = (await store.catalogue.specialties_by_code(tx, [search.specialty_code])).get(
            search.specialty_code
        )
        if specialty is None:
            raise Invalid(
                "There is no such specialty.",
                code="UNKNOWN_SPECIALTY",
                field="specialtyCode",
                remedy="Choose from the query specialties.",
            )
        wanted = await _wanted(tx, call, search)
        ranked = await _ranked(tx, call, [specialty.code], wanted)
        if close := ranking.nearby(ranked):
            return Found(tuple(close[:first]), wanted.on, None)
        if ranked:
            return Found(tuple(ranked[:first]), wanted.on, Widening.FARTHER)
        related = [
            one.code
            for one in await store.catalogue.specialties(tx)
            if one.classification == specialty.classification
        ]
        ranked = await _ranked(tx, call, related, wanted)
    widening = Widening.RELATED_SPECIALTY if ranked else Widening.NOTHING_FOUND
    return Found(tuple(ranked[:first]), wanted.on, widening)


async def _wanted(tx: Connection, call: Call, search: Search) -> Wanted:
    today = call.clock.now().date()
    near = search.near
    if near is not None:
        near = places.clean_point(near)
    elif search.office_id is not None:
        office = (await store.offices.by_ids(tx, [search.office_id])).get(search.office_id)
        if office is None or not policy.may_see_office(call.viewer, office):
            raise policy.unknown("office", "officeId")
        near, today = office.point, days.day_at(office, call.clock.now())
    plan_id = PlanId(search.plan_id) if search.plan_id else None
    on = search.on or today
    if on < today:
        raise Invalid(
            "The day of the visit is past.",
            code="DATE_IN_PAST",
            field="on",
            remedy="Leave it out for today.",
        )
    return Wanted(search.specialty_code, plan_id, near, on, today, search.include_groups)


async def _ranked(tx: Connection, call: Call, codes: list[str], wanted: Wanted) -> list[Receiver]:
    practices = await store.receivers.practices(tx, codes, wanted)
    offices = sorted({row.office_id for row in practices})
    groups = await store.receivers.receiving_groups(tx, offices)
    answers = await store.receivers.answers(tx, offices, call.clock.now() - MEMORY)
    return ranking.ranked(practices, groups, answers, wanted)


# One receiver, one sender ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether something may receive, with the code of directory.proto; alternatives when it may not."""

    code: str
    organization_id: OrganizationId | None = None
    specialty_codes: tuple[str, ...] = ()
    accepting_new_patients: bool = False
    alternatives: tuple[Practice, ...] = ()
    groups: tuple[Group, ...] = ()


_UNKNOWN = Judged("NOT_FOUND")


async def judge_provider(call: Call, provider_id: UUID, office_id: UUID) -> Judged:
    """May this provider receive at this office now? NOT_FOUND for what the viewer is not shown, as for an unknown id."""
    # whole-suite: of an office that is still planned a sender is told that it is not live (R16), and nothing else
    async with call.db.everywhere().reading() as tx:
        provider = (await store.providers.by_ids(tx, [provider_id])).get(provider_id)
        office = (await store.offices.by_ids(tx, [office_id])).get(office_id)
        if provider is None or office is None or not _belong(provider, office):
            return _UNKNOWN
        now = call.clock.now()
        today = days.day_at(office, now)
        rows = await store.placements.at(tx, office.organization_id, provider.id, office.id)
        placed = next((row for row in rows if row.covers(today)), None)
        code = _provider_code(provider, office, placed=placed is not None)
        if not policy.may_see_provider(call.viewer, provider) or _hides(call.viewer, office, code):
            return _UNKNOWN
        judged = Judged(
            code,
            provider.organization_id,
            provider.specialty_codes,
            placed is not None and placed.accepting_new_patients,
        )
        return (
            judged
            if code == "OK"
            else await _with_alternatives(tx, call, judged, office, provider.id)
        )


def _belong(thing: Provider | Group, office: Office) -> bool:
    gone = thing.state in {ProviderState.REMOVED, GroupState.REMOVED}
    return thing.organization_id == office.organization_id and not gone


def _provider_code(provider: Provider, office: Office, *, placed: bool) -> str:
    if provider.state is ProviderState.OFFBOARDING:
        return "RECEIVER_LEAVING"
    if provider.state is not ProviderState.APPROVED:
        return "NOT_APPROVED"
    return _office_code(office) or ("OK" if placed else "NOT_PLACED")


def _office_code(office: Office) -> str | None:
    if office.state is OfficeState.CLOSING:
        return "OFFICE_CLOSING"
    return None if office.state is OfficeState.LIVE else "OFFICE_NOT_LIVE"


def _hides(viewer: Viewer, office: Office, code: str) -> bool:
    """Whether the answer would tell that there is an office which the viewer is not shown.

    That a planned office is not live yet is told to whoever may see the receiver (R16), and nothing else about it.
    """
    if policy.may_see_office(viewer, office):
        return False
    planned = office.state in {OfficeState.PLANNED, OfficeState.READY}
    return not (planned and code == "OFFICE_NOT_LIVE")


async def judge_group(call: Call, group_id: UUID, office_id: UUID) -> Judged:
    """May this group receive at this office now? NOT_FOUND for what the viewer is not shown, as for an unknown id."""
    # whole-suite: of an office that is still planned a sender is told that it is not live (R16), and nothing else
    async with call.db.everywhere().reading() as tx:
        group = (await store.groups.by_ids(tx, [group_id])).get(group_id)
        office = (await store.offices.by_ids(tx, [office_id])).get(office_id)
        if group is None or office is None or not _belong(group, office):
            return _UNKNOWN
        code = _group_code(group, office)
        if not policy.may_see_group(call.viewer, group) or _hides(call.viewer, office, code):
            return _UNKNOWN
        members = await store.providers.by_ids(tx, group.provider_ids)
        placed = await store.placements.on_day(
            tx,
            [(one, office.id) for one in group.provider_ids],
            days.day_at(office, call.clock.now()),
        )
        judged = Judged(
            code,
            group.organization_id,
            tuple(sorted({code for one in members.values() for code in one.specialty_codes})),
            any(row.accepting_new_patients for row in placed),
        )
        return (
            judged if code == "OK" else await _with_alternatives(tx, call, judged, office, group.id)
        )


def _group_code(group: Group, office: Office) -> str:
    if group.state is GroupState.REMOVING:
        return "RECEIVER_LEAVING"
    if office.id not in group.office_ids:
        return "NOT_PLACED"
    if not group.may_receive:
        return "GROUP_CANNOT_RECEIVE"
    if group.state is not GroupState.READY:
        return "GROUP_NOT_STAFFED"
    return _office_code(office) or "OK"


async def _with_alternatives(
    tx: Connection, call: Call, judged: Judged, office: Office, but: UUID
) -> Judged:
    """Others at the same office with one of the same specialties who may receive instead."""
    codes = judged.specialty_codes
    practices = await store.receivers.siblings(tx, office.id, codes, call.clock.now())
    members = {row.provider_id for row in practices}
    groups = [
        group
        for group in await store.groups.at_offices(tx, office.organization_id, [office.id])
        if _group_code(group, office) == "OK" and not members.isdisjoint(group.provider_ids)
    ]
    return Judged(
        judged.code,
        judged.organization_id,
        codes,
        judged.accepting_new_patients,
        tuple(row for row in practices if row.provider_id != but),
        tuple(group for group in groups if group.id != but),
    )


@dataclass(frozen=True, slots=True)
class Sending:
    """Who is to send: an office of the organization, with a provider or a group of it."""

    organization_id: UUID
    office_id: UUID
    provider_id: UUID | None
    group_id: UUID | None


async def judge_sender(call: Call, sending: Sending) -> str:
    """May this office send with this provider or group now? A group may send without a provider (R22)."""
    async with call.db.reading() as tx:
        office = (await store.offices.by_ids(tx, [sending.office_id])).get(sending.office_id)
        if office is None or office.organization_id != sending.organization_id:
            return "NOT_FOUND"
        if office.state is not OfficeState.LIVE:
            return "OFFICE_NOT_LIVE"
        code = "OK" if sending.group_id or sending.provider_id else "PROVIDER_REQUIRED"
        if sending.group_id is not None:
            code = await _group_sends(tx, sending.group_id, office)
        if code == "OK" and sending.provider_id is not None:
            code = await _provider_sends(tx, call, sending.provider_id, office)
        return code


async def _group_sends(tx: Connection, group_id: UUID, office: Office) -> str:
    group = (await store.groups.by_ids(tx, [group_id])).get(group_id)
    if group is None or not _belong(group, office) or office.id not in group.office_ids:
        return "NOT_FOUND"
    ready = group.state is GroupState.READY and group.may_send
    return "OK" if ready else "GROUP_CANNOT_SEND"


async def _provider_sends(tx: Connection, call: Call, provider_id: UUID, office: Office) -> str:
    provider = (await store.providers.by_ids(tx, [provider_id])).get(provider_id)
    if provider is None or not _belong(provider, office):
        return "NOT_FOUND"
    if provider.state is not ProviderState.APPROVED:
        return "NOT_APPROVED"
    today = days.day_at(office, call.clock.now())
    rows = await store.placements.at(tx, office.organization_id, provider.id, office.id)
    return "OK" if any(row.covers(today) for row in rows) else "NOT_PLACED"
