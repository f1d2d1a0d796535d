"""Granting and revoking roles (R08), and what happens to grants when an office closes."""

from datetime import datetime

from kit.auth import service_viewer
from kit.db import Connection
from kit.errors import Conflict
from services.identity import policy, store
from services.identity.actions.enrolment import grant
from services.identity.actions.means import Call
from services.identity.actions.organizations import Changed, changed
from services.identity.actions.told import role_revoked, tell_user
from services.identity.actions.within import (
    Work,
    organization_work,
    require_offices,
    require_open,
)
from services.identity.domain import (
    OfficeId,
    OrganizationId,
    Role,
    RoleWanted,
    User,
    UserId,
    keep_a_client_admin,
)


async def grant_role(
    call: Call, user_id: UserId, wanted: RoleWanted, expected_version: int
) -> Changed:
    """Grant a role; granting one the user has changes nothing. Unavailable when an office is named and directory does not
    answer."""
    organization_id = OrganizationId(call.viewer.require_organization())
    policy.permit_grant(call.viewer, organization_id, wanted)
    await require_offices(call, [wanted.office_id])
    async with organization_work(call) as work:
        policy.permit_grant(work.viewer, organization_id, wanted)
        user = _require_active(await work.user(user_id))
        await require_open(work, [wanted.office_id])
        if not user.has(wanted):
            user.require_version(expected_version)
            await grant(call, work, user_id, wanted)
        return await changed(work, user_id, advise=wanted.role is Role.CLIENT_ADMIN)


def _require_active(user: User) -> User:
    if not user.active:
        raise Conflict("This user has been deactivated.", code="USER_DEACTIVATED", field="userId")
    return user


async def revoke_role(
    call: Call, user_id: UserId, wanted: RoleWanted, expected_version: int
) -> Changed:
    """Take a role back; one the user does not have changes nothing. Conflict LAST_CLIENT_ADMIN when nobody would remain who
    can act as client admin (R01)."""
    async with organization_work(call) as work:
        policy.permit_grant(work.viewer, work.organization.id, wanted)
        user = await work.user(user_id)
        if user.has(wanted):
            user.require_version(expected_version)
            await _revoke(work, user, wanted)
        return await changed(work, user_id, advise=wanted.role is Role.CLIENT_ADMIN)


async def _revoke(work: Work, user: User, wanted: RoleWanted) -> None:
    if wanted.role is Role.CLIENT_ADMIN:
        keep_a_client_admin(user, await store.client_admins(work.tx, work.organization.id))
    await store.end_grant(work.tx, user, wanted, work.by, work.now)
    fact = role_revoked(user.id, wanted.role, wanted.office_id)
    await tell_user(work.tx, fact, work.organization.id, user.id, work.now, by=work.viewer)


async def lapse_grants(
    tx: Connection, organization_id: OrganizationId, office_id: OfficeId, at: datetime
) -> None:
    """The office is closed for good: every grant on it lapses, and none is made any more (R08)."""
    await store.lock_organization(tx, organization_id)
    await store.close_office(tx, organization_id, office_id)
    for user_id, role in await store.end_grants_of_office(tx, organization_id, office_id, at):
        fact = role_revoked(user_id, role, office_id)
        await tell_user(
            tx, fact, organization_id, UserId(user_id), at, by=service_viewer("identity")
        )
