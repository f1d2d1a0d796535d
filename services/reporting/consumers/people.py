"""Organizations and the people of identity."""

from google.protobuf.message import Message

from kit.db import Connection
from kit.inbox import Handler, Heard
from proto.identity.v1.events_pb2 import OrganizationAdded
from services.reporting import store
from services.reporting.domain import OrganizationId


async def _organization_added(tx: Connection, heard: Heard) -> None:
    fact: OrganizationAdded = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    await store.organizations.keep_time_zone(tx, organization_id, fact.time_zone)
    await store.organizations.note_fact(tx, organization_id, heard.time)


ORGANIZATIONS: dict[type[Message], Handler] = {OrganizationAdded: _organization_added}
