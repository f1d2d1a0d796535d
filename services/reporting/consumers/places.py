"""Groups of directory, and where they are."""

from uuid import UUID

from google.protobuf.message import Message

from kit.db import Connection
from kit.inbox import Handler, Heard
from proto.directory.v1.events_pb2 import GroupAdded, GroupRemoved
from services.reporting import store
from services.reporting.domain import Group, GroupId, OfficeId, OrganizationId


async def _group_added(tx: Connection, heard: Heard) -> None:
    fact: GroupAdded = heard.fact
    group = Group(
        id=GroupId(UUID(fact.group_id)),
        organization_id=OrganizationId(heard.organization_id),
        name=fact.name,
        office_ids=frozenset(OfficeId(UUID(office)) for office in fact.office_ids),
        added_at=heard.time,
        removed_at=None,
    )
    await store.organizations.add_group(tx, group)
    await store.organizations.note_fact(tx, group.organization_id, heard.time)


async def _group_removed(tx: Connection, heard: Heard) -> None:
    fact: GroupRemoved = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    await store.organizations.remove_group(
        tx, organization_id, GroupId(UUID(fact.group_id)), heard.time
    )
    await store.organizations.note_fact(tx, organization_id, heard.time)


GROUPS: dict[type[Message], Handler] = {GroupAdded: _group_added, GroupRemoved: _group_removed}
