"""What becomes of trainings and proposals when identity tells of a person: after what is kept of people."""

from uuid import UUID

from google.protobuf.message import Message

from kit.db import Connection
from kit.inbox import Handler, Heard
from proto.identity.v1 import events_pb2 as identity
from services.reporting.actions import proposals, trainings
from services.reporting.consumers.people import USERS
from services.reporting.domain import OfficeId, OrganizationId, UserId
from services.reporting.domain.proposals import OfficeRole, RoleChange, WantedChange


def _here(heard: Heard) -> OrganizationId:
    return OrganizationId(heard.organization_id)


async def _deactivated(tx: Connection, heard: Heard) -> None:
    await USERS[identity.UserDeactivated](tx, heard)
    await trainings.user_left(tx, _here(heard), UserId(UUID(heard.fact.user_id)), heard.time)


def _changed(change: RoleChange, kind: type[Message]) -> Handler:
    async def handle(tx: Connection, heard: Heard) -> None:
        await USERS[kind](tx, heard)
        fact: identity.RoleGranted | identity.RoleRevoked = heard.fact
        if fact.role in set(OfficeRole) and fact.office_id:
            made = WantedChange(
                change,
                UserId(UUID(fact.user_id)),
                OfficeRole(fact.role),
                OfficeId(UUID(fact.office_id)),
            )
            await proposals.change_made(tx, _here(heard), made, heard.time)

    return handle


PRACTISED: dict[type[Message], Handler] = {
    **USERS,
    identity.UserDeactivated: _deactivated,
    identity.RoleGranted: _changed(RoleChange.GRANT, identity.RoleGranted),
    identity.RoleRevoked: _changed(RoleChange.REVOKE, identity.RoleRevoked),
}
