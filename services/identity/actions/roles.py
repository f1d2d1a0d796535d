"""Granting and revoking roles (R08), and copying them from one user to another."""

from dataclasses import dataclass

from kit import preview
from kit.errors import Conflict, Invalid
from services.identity import policy, store
from services.identity.actions.covering import hand_over
from services.identity.actions.enrolment import grant
from services.identity.actions.means import Call
from services.identity.actions.organizations import Changed, changed
from services.identity.actions.support import support_did
from services.identity.actions.told import role_revoked, tell_user
from services.identity.actions.within import (
    AsSupport,
    Work,
    acting_in,
    organization_work,
    require_known,
    require_open,
)
from services.identity.domain import (
    Role,
    RoleWanted,
    SupportAct,
    User,
    UserId,
    keep_a_client_admin,
)
from services.identity.domain.provisioning import Copying, Handover, copying, given_up


async def grant_role(
    call: Call,
    user_id: UserId,
    wanted: RoleWanted,
    expected_version: int,
    support: AsSupport | None = None,
) -> Changed:
    """Grant a role; granting one the user has changes nothing. Making client admin of a user who is there already is support's
    (SUPPORT_ONLY, R01). Unavailable when an office or provider is named and directory does not answer."""
    organization_id = acting_in(call, support)
    if support is None:
        policy.permit_grant(call.viewer, organization_id, wanted)
        policy.permit_upgrade(call.viewer, wanted)
    await require_known(call, [wanted], organization_id)
    async with organization_work(call, support) as work:
        policy.permit_grant(work.viewer, organization_id, wanted)
        policy.permit_upgrade(work.viewer, wanted)
        user = require_active(await work.user(user_id))
        await require_open(work, [wanted.office_id])
        if not user.has(wanted):
            user.require_version(expected_version)
            await grant(call, work, user_id, wanted)
            await support_did(call, work, SupportAct.GRANT_ROLE, user)
        return await changed(work, user_id, advise=wanted.role is Role.CLIENT_ADMIN)


def require_active(user: User) -> User:
    """Conflict USER_DEACTIVATED when the user does not work here any more."""
    if not user.active:
        raise Conflict("This user has been deactivated.", code="USER_DEACTIVATED", field="userId")
    return user


async def revoke_role(
    call: Call,
    user_id: UserId,
    wanted: RoleWanted,
    expected_version: int,
    agreed: Handover,
    support: AsSupport | None = None,
) -> Changed:
    """Take a role back; one the user does not have changes nothing. Conflict LAST_CLIENT_ADMIN when nobody would remain who
    can act as client admin (R01), SOLE_COVERAGE when nobody would cover the office any more (R33)."""
    async with organization_work(call, support) as work:
        policy.permit_grant(work.viewer, work.organization.id, wanted)
        user = await work.user(user_id)
        if user.has(wanted):
            user.require_version(expected_version)
            await hand_over(call, work, user, given_up(user, wanted), agreed)
            await _revoke(work, user, wanted)
            await support_did(call, work, SupportAct.REVOKE_ROLE, user)
        return await changed(work, user_id, advise=wanted.role is Role.CLIENT_ADMIN)


async def _revoke(work: Work, user: User, wanted: RoleWanted) -> None:
    if wanted.role is Role.CLIENT_ADMIN:
        keep_a_client_admin(user, await store.client_admins(work.tx, work.organization.id))
    await store.end_grant(work.tx, user, wanted, work.granter, work.now)
    fact = role_revoked(user.id, wanted)
    await tell_user(work.tx, fact, work.organization.id, user.id, work.now, by=work.viewer)


# Copying --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CopyShown:
    """What copying would add, and the token that binds it."""

    copying: Copying
    token: str


async def preview_copy(call: Call, source_id: UserId, target_id: UserId) -> CopyShown:
    """What copying the roles of one user to another would add (R08). For client admins."""
    organization_id = policy.permit_copying(call.viewer)
    async with call.db.reading() as tx:
        found = await store.users_by_id(tx, organization_id, [source_id, target_id])
    source, target = policy.found(found.get(source_id)), policy.found(found.get(target_id))
    _require_two(source, target)
    return CopyShown(copying(source, target), preview.token(_parts(source, target)))


async def copy_roles(call: Call, source_id: UserId, target_id: UserId, token: str) -> Changed:
    """Give a user what another has and they have not; nothing is taken away (R08). Conflict STALE_PREVIEW when either has changed
    since the preview."""
    organization_id = policy.permit_copying(call.viewer)
    async with call.db.reading() as tx:
        seen = (await store.users_by_id(tx, organization_id, [source_id])).get(source_id)
    if seen is not None:
        await require_known(call, [grant.wanted for grant in seen.grants], organization_id)
    async with organization_work(call) as work:
        policy.permit_copying(work.viewer)
        first, second = sorted((source_id, target_id))
        held = {one: await work.user(one) for one in dict.fromkeys((first, second))}
        source, target = held[source_id], require_active(held[target_id])
        _require_two(source, target)
        preview.require_same(token, _parts(source, target))
        for wanted in copying(source, target).added:
            await require_open(work, [wanted.office_id])
            await grant(call, work, target_id, wanted)
        return await changed(work, target_id, advise=False)


def _require_two(source: User, target: User) -> None:
    if source.id == target.id:
        raise Invalid("Name two users.", field="toUserId", remedy="Copy to somebody else.")


def _parts(source: User, target: User) -> dict[str, object]:
    """What the copy is bound to: who has what. A grant that lapsed by itself changes it, though no version moved yet."""
    return {"source": _held(source), "target": _held(target)}


def _held(user: User) -> tuple[object, ...]:
    return (user.version, user.active, *(grant.id for grant in user.grants))
