"""What roles people had at a moment: by grants, which are ended and never deleted."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from proto.identity.v1.identity_pb2 import RolesAtRequest
from tests.service.identity.asking import DEACTIVATE, GRANT, REVOKE, about, role
from tests.service.identity.conftest import Identity, Organization, an_email, new_organization


async def at_office(
    identity: Identity, here: Organization, on: datetime, *users: UUID
) -> dict[str, tuple[list[str], list[str]]]:
    """Who had a role at the office then, and what at all; and these users."""
    request = RolesAtRequest(
        organization_id=str(here.id),
        office_ids=[str(here.office)],
        user_ids=[str(one) for one in users],
    )
    request.at.FromDatetime(on)
    reply = await identity.ask("RolesAt", request)
    return {
        one.user_id: (list(one.office_admin_of), list(one.office_staff_of)) for one in reply.users
    }


async def moment(identity: Identity) -> datetime:
    """A moment in which nothing else happens."""
    await identity.running.advance(timedelta(minutes=1))
    found = identity.running.parts.clock.now()
    await identity.running.advance(timedelta(minutes=1))
    return found


async def test_a_role_is_told_for_the_time_it_was_held(
    identity: Identity, here: Organization
) -> None:
    """R08, R14: granted, expired, revoked, ended with the membership; and whom nobody gave one."""
    office = str(here.office)
    none = await identity.member(here)
    await identity.invite(here.admin, an_email(), role("OFFICE_STAFF", here.office))
    before = await moment(identity)
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    until = identity.running.parts.clock.now() + timedelta(hours=2)
    user = await identity.user(none.user_id, here.admin)
    expiring = role("OFFICE_ADMIN", here.office) | {"expiresAt": until.isoformat()}
    await identity.mutate(GRANT, about(user, **expiring), here.admin)
    during = await moment(identity)
    await identity.running.advance(timedelta(hours=3))
    expired = await moment(identity)
    user = await identity.user(staff.user_id, here.admin)
    heir = str((await identity.member(here)).user_id)
    over = {"acknowledgeUncovered": True, "successorId": heir}
    wanted = about(user, **role("OFFICE_STAFF", here.office), **over)
    await identity.mutate(REVOKE, wanted, here.admin)
    revoked = await moment(identity)

    mine, theirs = str(staff.user_id), str(none.user_id)
    assert await at_office(identity, here, before) == {}
    assert await at_office(identity, here, during) == {
        mine: ([], [office]),
        theirs: ([office], []),
    }
    assert await at_office(identity, here, expired) == {mine: ([], [office])}
    assert await at_office(identity, here, revoked) == {heir: ([], [office])}
    assert staff.user_id
    found = await at_office(identity, here, revoked, staff.user_id)
    assert found == {mine: ([], []), heir: ([], [office])}


async def test_who_has_left_was_there_until_then_and_nobody_else_is_told(
    identity: Identity, here: Organization
) -> None:
    """R02, R07, R14."""
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    there = await moment(identity)
    user = await identity.user(staff.user_id, here.admin)
    given = about(user, acknowledgeUncovered=True, successorId=str(here.admin.user_id))
    assert "code" not in await identity.mutate(DEACTIVATE, given, here.admin)
    gone = await moment(identity)
    other = await new_organization(identity, "Hillside Care")
    assert staff.user_id

    assert str(staff.user_id) in await at_office(identity, here, there)
    assert set(await at_office(identity, here, gone, staff.user_id)) == {str(here.admin.user_id)}
    assert await at_office(identity, other, there, staff.user_id) == {}
