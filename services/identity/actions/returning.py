"""A deactivated user comes back: what they had is proposed, and nothing of it restored unless it is asked for anew (R07)."""

from proto.identity.v1.events_pb2 import UserReactivated
from services.identity import policy, store
from services.identity.actions.enrolment import grant
from services.identity.actions.means import Call
from services.identity.actions.organizations import Changed, changed
from services.identity.actions.support import support_did
from services.identity.actions.told import tell_user, write_letter
from services.identity.actions.within import (
    AsSupport,
    Work,
    acting_in,
    organization_work,
    require_known,
    require_open,
)
from services.identity.domain import LetterKind, Role, RoleWanted, SupportAct, User, UserId, letters


async def reactivate_user(
    call: Call,
    user_id: UserId,
    wanted: tuple[RoleWanted, ...],
    expected_version: int,
    support: AsSupport | None = None,
) -> Changed:
    """Let a user work for the organization again, with exactly these roles, each permitted anew. One who is active changes nothing.

    The account and its password are as they were. Who had not confirmed still has to, with what is left of the first password's 48
    hours, or after support has made a new one (R05).
    """
    organization_id = acting_in(call, support)
    await require_known(call, wanted, organization_id)
    async with organization_work(call, support) as work:
        user = await work.user(user_id)
        policy.permit_reactivate(
            work.viewer, user, await store.previous_grants(work.tx, user), wanted
        )
        if not user.active:
            user.require_version(expected_version)
            await require_open(work, (role.office_id for role in wanted))
            await _return(call, work, user, wanted)
            await support_did(call, work, SupportAct.REACTIVATE_USER, user)
        advise = any(role.role is Role.CLIENT_ADMIN for role in wanted)
        return await changed(work, user_id, advise=advise)


async def _return(call: Call, work: Work, user: User, wanted: tuple[RoleWanted, ...]) -> None:
    await store.lock_account(work.tx, user.id)
    await store.reactivate(work.tx, user, work.now)
    fact = UserReactivated(user_id=str(user.id), confirmed=user.confirmed)
    await tell_user(work.tx, fact, work.organization.id, user.id, work.now, by=work.viewer)
    for role in wanted:
        await grant(call, work, user.id, role)
    words = letters.membership(work.organization.name, call.peers.post.public_url)
    await write_letter(call, work.tx, LetterKind.MEMBERSHIP, user.id, words)
