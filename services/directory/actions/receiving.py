"""Who may receive or send a referral now (R16, R21-R23)."""

from dataclasses import dataclass, replace
from uuid import UUID

from kit.auth import Viewer
from kit.db import Connection
from services.directory import policy, store
from services.directory.actions.peers import Call
from services.directory.domain import days
from services.directory.domain.listings import Practice
from services.directory.domain.nouns import (
    Group,
    GroupState,
    Office,
    OfficeState,
    OrganizationId,
    Provider,
    ProviderId,
    ProviderState,
)

# One receiver, one sender ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether something may receive, with the code of directory.proto; alternatives when it may not. `provider_id`: the one who
    does, also when the record that was asked for was merged into theirs."""

    code: str
    organization_id: OrganizationId | None = None
    specialty_codes: tuple[str, ...] = ()
    accepting_new_patients: bool = False
    alternatives: tuple[Practice, ...] = ()
    groups: tuple[Group, ...] = ()
    provider_id: ProviderId | None = None


_UNKNOWN = Judged("NOT_FOUND")


async def judge_provider(call: Call, provider_id: UUID, office_id: UUID) -> Judged:
    """May this provider receive at this office now? NOT_FOUND for what the viewer is not shown, as for an unknown id."""
    # whole-suite: what is not shown is judged like what is not there, by policy and not by what the wall leaves out
    async with call.db.everywhere().reading() as tx:
        provider = await _known(tx, call.viewer, provider_id)
        office = (await store.offices.by_ids(tx, [office_id])).get(office_id)
        if provider is None or office is None or not _belong(provider, office):
            return _UNKNOWN
        now = call.clock.now()
        today = days.day_at(office, now)
        rows = await store.placements.at(tx, office.organization_id, provider.id, office.id)
        placed = next((row for row in rows if row.covers(today)), None)
        code = _provider_code(provider, office, placed=placed is not None)
        if _hides(call.viewer, office):
            return _UNKNOWN
        judged = Judged(
            code,
            provider.organization_id,
            provider.specialty_codes,
            placed is not None and placed.accepting_new_patients,
            provider_id=provider.id,
        )
        return (
            judged
            if code == "OK"
            else await _with_alternatives(tx, call, judged, office, provider.id)
        )


async def _known(tx: Connection, viewer: Viewer, provider_id: UUID) -> Provider | None:
    """The provider, if the viewer is shown it; a record that was merged answers as the one in which it was."""
    found = (await store.providers.by_ids(tx, [provider_id])).get(provider_id)
    if found is None or not policy.may_see_provider(viewer, found):
        return None
    return await _known(tx, viewer, found.merged_into) if found.merged_into else found


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


def _hides(viewer: Viewer, office: Office) -> bool:
    """Whether the answer would tell that there is an office which the viewer is not shown: to another organization, one that never
    was live is as unknown as one that never was. That it is not live yet (R16) is told within the organization."""
    return not policy.may_see_office(viewer, office)


async def judge_group(call: Call, group_id: UUID, office_id: UUID) -> Judged:
    """May this group receive at this office now? NOT_FOUND for what the viewer is not shown, as for an unknown id."""
    # whole-suite: what is not shown is judged like what is not there, by policy and not by what the wall leaves out
    async with call.db.everywhere().reading() as tx:
        group = (await store.groups.by_ids(tx, [group_id])).get(group_id)
        office = (await store.offices.by_ids(tx, [office_id])).get(office_id)
        if group is None or office is None or not _belong(group, office):
            return _UNKNOWN
        code = _group_code(group, office)
        if not policy.may_see_group(call.viewer, group) or _hides(call.viewer, office):
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
    return replace(
        judged,
        alternatives=tuple(row for row in practices if row.provider_id != but),
        groups=tuple(group for group in groups if group.id != but),
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
