"""Organizations and the people of identity."""

from uuid import UUID

from google.protobuf.message import Message

from kit.db import Connection
from kit.inbox import Handler, Heard
from kit.workplace import workplace
from proto.identity.v1 import events_pb2 as identity
from services.reporting import store
from services.reporting.domain import OfficeId, OrganizationId, UserId
from services.reporting.store.people import Grant


def noted(handle: Handler) -> Handler:
    """The handler, and after it the watermark."""

    async def handle_and_note(tx: Connection, heard: Heard) -> None:
        await handle(tx, heard)
        await store.organizations.note_fact(tx, _here(heard), heard.time)

    return handle_and_note


def _here(heard: Heard) -> OrganizationId:
    return OrganizationId(heard.organization_id)


async def _organization_added(tx: Connection, heard: Heard) -> None:
    fact: identity.OrganizationAdded = heard.fact
    await store.organizations.keep_time_zone(tx, _here(heard), fact.time_zone)


# People ---------------------------------------------------------------------------------------------------------------


def _who(heard: Heard) -> UserId:
    return UserId(UUID(heard.fact.user_id))


async def _invited(tx: Connection, heard: Heard) -> None:
    await store.people.came(tx, _here(heard), _who(heard), heard.time)


async def _confirmed(tx: Connection, heard: Heard) -> None:
    await store.people.confirmed(tx, _here(heard), _who(heard), heard.time)


async def _invite_expired(tx: Connection, heard: Heard) -> None:
    await store.people.invite_expired(tx, _here(heard), _who(heard))


async def _deactivated(tx: Connection, heard: Heard) -> None:
    await store.people.left(tx, _here(heard), _who(heard), heard.time, heard.fact.because)


async def _reactivated(tx: Connection, heard: Heard) -> None:
    fact: identity.UserReactivated = heard.fact
    await store.people.came(tx, _here(heard), _who(heard), heard.time)
    if fact.confirmed:
        await store.people.confirmed(tx, _here(heard), _who(heard), heard.time)


def _grant(heard: Heard) -> Grant | None:
    """What is kept of a role: at an office if it makes somebody work there. Who only keeps an office's plans is none of its staff, and
    nothing is counted by it (R26)."""
    fact: identity.RoleGranted | identity.RoleRevoked = heard.fact
    office = workplace(fact.role, fact.office_id)
    if fact.office_id and office is None:
        return None
    return Grant(_here(heard), _who(heard), fact.role, OfficeId(office) if office else None)


async def _granted(tx: Connection, heard: Heard) -> None:
    if grant := _grant(heard):
        await store.people.granted(tx, grant, heard.time)


async def _revoked(tx: Connection, heard: Heard) -> None:
    if grant := _grant(heard):
        await store.people.revoked(tx, grant)


ORGANIZATIONS: dict[type[Message], Handler] = {
    identity.OrganizationAdded: noted(_organization_added)
}
USERS: dict[type[Message], Handler] = {
    identity.UserInvited: noted(_invited),
    identity.UserConfirmed: noted(_confirmed),
    identity.UserInviteExpired: noted(_invite_expired),
    identity.UserDeactivated: noted(_deactivated),
    identity.UserReactivated: noted(_reactivated),
    identity.RoleGranted: noted(_granted),
    identity.RoleRevoked: noted(_revoked),
}
