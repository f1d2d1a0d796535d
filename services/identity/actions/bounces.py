"""Invitations whose mail does not reach the person (R03): refused at delivery, or reported to support later."""

from kit.auth import Viewer
from kit.db import Connection
from kit.errors import Conflict
from proto.identity.v1.events_pb2 import UserInviteBounced
from services.identity import policy, store
from services.identity.actions.means import Call
from services.identity.actions.support import support_did
from services.identity.actions.told import tell_user
from services.identity.actions.within import AsSupport, organization_work
from services.identity.domain import Status, SupportAct, User, UserId


async def invitation_bounced(call: Call, tx: Connection, user_id: UserId, by: Viewer) -> None:
    """Tell every organization that waits for the person."""
    account = await store.account(tx, user_id)
    if account is None or account.confirmed_at is not None:
        return
    for membership in await store.memberships_of(tx, user_id):
        fact = UserInviteBounced(user_id=str(user_id))
        await tell_user(tx, fact, membership.organization_id, user_id, call.clock.now(), by=by)


async def report_bounce(call: Call, user_id: UserId, support: AsSupport) -> User:
    """Support has been told, by a mail server that accepted it first, that an invitation did not arrive. Reporting it twice changes
    nothing; Conflict NOT_INVITED when none is waited for."""
    policy.permit_support(call.viewer)
    async with organization_work(call, support) as work:
        user = await work.user(user_id)
        if user.status(work.now) is Status.INVITE_BOUNCED:
            return user
        if not await store.invitation_bounced(work.tx, user_id):
            raise Conflict(
                "No invitation of this user is under way.", code="NOT_INVITED", field="userId"
            )
        await invitation_bounced(call, work.tx, user_id, work.viewer)
        await support_did(call, work, SupportAct.REPORT_BOUNCE, user)
        return await work.user(user_id)
