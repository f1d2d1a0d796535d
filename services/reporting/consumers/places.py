"""Groups, offices and placements of directory, and what groups may do and who is in them."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from google.protobuf.message import Message

from kit.db import Connection
from kit.inbox import Handler, Heard
from proto.directory.v1 import events_pb2 as directory
from services.reporting import store
from services.reporting.consumers.people import noted
from services.reporting.domain import Group, GroupId, OfficeId, OrganizationId
from services.reporting.store.people import Placement, Team


def _here(heard: Heard) -> OrganizationId:
    return OrganizationId(heard.organization_id)


def _group(heard: Heard) -> GroupId:
    return GroupId(UUID(heard.fact.group_id))


def _ids(texts: Sequence[str]) -> list[UUID]:
    return [UUID(text) for text in texts]


# Groups ---------------------------------------------------------------------------------------------------------------


async def _group_added(tx: Connection, heard: Heard) -> None:
    fact: directory.GroupAdded = heard.fact
    offices = _ids(fact.office_ids)
    group = Group(
        id=_group(heard),
        organization_id=_here(heard),
        name=fact.name,
        office_ids=frozenset(OfficeId(office) for office in offices),
        added_at=heard.time,
        removed_at=None,
    )
    team = Team(office_ids=offices, may_send=fact.may_send, may_receive=fact.may_receive)
    await store.organizations.add_group(tx, group)
    await store.people.keep_team(tx, group.organization_id, group.id, team)


async def _group_removed(tx: Connection, heard: Heard) -> None:
    await store.organizations.remove_group(tx, _here(heard), _group(heard), heard.time)
    await store.people.keep_team(tx, _here(heard), _group(heard), Team(removed=True))


async def _group_staffed(tx: Connection, heard: Heard) -> None:
    fact: directory.GroupStaffed = heard.fact
    team = Team(provider_ids=_ids(fact.provider_ids), staff_user_ids=_ids(fact.staff_user_ids))
    await store.people.keep_team(tx, _here(heard), _group(heard), team)


async def _group_flags(tx: Connection, heard: Heard) -> None:
    fact: directory.GroupFlagsChanged = heard.fact
    team = Team(may_send=fact.may_send, may_receive=fact.may_receive)
    await store.people.keep_team(tx, _here(heard), _group(heard), team)


# Offices --------------------------------------------------------------------------------------------------------------


async def _office(tx: Connection, heard: Heard) -> None:
    fact: directory.OfficePlanned | directory.OfficeChanged = heard.fact
    office_id = OfficeId(UUID(fact.office_id))
    await store.people.keep_office(tx, _here(heard), office_id, fact.name)


def _office_is(state: str) -> Handler:
    async def handle(tx: Connection, heard: Heard) -> None:
        office_id = OfficeId(UUID(heard.fact.office_id))
        await store.people.office_is(tx, _here(heard), office_id, state)

    return noted(handle)


async def _placement(tx: Connection, heard: Heard) -> None:
    fact: directory.PlacementAdded | directory.PlacementChanged | directory.PlacementEnded
    fact = heard.fact
    until = fact.effective_until
    row = Placement(
        _here(heard),
        UUID(fact.placement_id),
        UUID(fact.provider_id),
        UUID(fact.office_id),
        date.fromisoformat(until) if until else None,
    )
    await store.people.keep_placement(tx, row)


GROUPS: dict[type[Message], Handler] = {
    directory.GroupAdded: noted(_group_added),
    directory.GroupRemoved: noted(_group_removed),
    directory.GroupStaffed: noted(_group_staffed),
    directory.GroupFlagsChanged: noted(_group_flags),
}
OFFICES: dict[type[Message], Handler] = {
    directory.OfficePlanned: noted(_office),
    directory.OfficeChanged: noted(_office),
    directory.OfficeLive: _office_is("LIVE"),
    directory.OfficeClosing: _office_is("CLOSING"),
    directory.OfficeKept: _office_is("LIVE"),
    directory.OfficeReopened: _office_is("PLANNED"),
    directory.OfficeClosed: _office_is("CLOSED"),
}
PLACEMENTS: dict[type[Message], Handler] = {
    directory.PlacementAdded: noted(_placement),
    directory.PlacementChanged: noted(_placement),
    directory.PlacementEnded: noted(_placement),
}


# Profiles -------------------------------------------------------------------------------------------------------------


async def _verified(tx: Connection, heard: Heard) -> None:
    provider_id = UUID(heard.fact.provider_id)
    await store.hygiene.profile_verified(tx, _here(heard), provider_id, heard.time)


async def _gone(tx: Connection, heard: Heard) -> None:
    await store.hygiene.profile_gone(tx, _here(heard), UUID(heard.fact.provider_id))


PROVIDERS: dict[type[Message], Handler] = {
    directory.ProviderApproved: noted(_verified),
    directory.ProviderVerified: noted(_verified),
    directory.ProviderRemoved: noted(_gone),
    directory.ProviderMerged: noted(_gone),
}
