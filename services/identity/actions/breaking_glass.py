"""Support inside an organization: with a reason, for four hours at most, and never without the client admins knowing (break-glass)."""

from dataclasses import dataclass, replace
from uuid import UUID

from google.protobuf.message import Message

from kit import audit, idempotency, outbox
from kit.auth import Viewer
from kit.db import Connection
from kit.errors import Conflict, Denied, NotFound, Unauthenticated
from kit.ids import new_id
from proto.identity.v1.events_pb2 import SupportAccessBegan, SupportAccessEnded
from services.identity import policy, store
from services.identity.actions.means import Call
from services.identity.actions.told import write_letter
from services.identity.domain import (
    LetterKind,
    OrganizationId,
    Session,
    SessionId,
    UserId,
    letters,
    reason,
)
from services.identity.domain.support import (
    AccessEnd,
    SupportAccess,
    SupportAccessId,
    access_life,
)
from services.identity.store import support as rows


@dataclass(frozen=True, slots=True)
class Entry:
    """Where support wants in, why, and for how long."""

    organization_id: OrganizationId
    why: str
    minutes: int


async def break_glass(call: Call, entry: Entry, *, key: str) -> SupportAccess:
    """Support acts in the organization as its client admins do, in this session alone, and no longer than it lasts. Conflict
    GLASS_BROKEN while it is inside one."""
    by, session_id = policy.permit_entering(call.viewer)
    why, life = reason(entry.why), access_life(entry.minutes)
    # whole-suite: support belongs to none of the organizations, and says which one it enters
    async with call.db.for_support(call.viewer).transaction() as tx:
        if await store.organization(tx, entry.organization_id) is None:
            raise NotFound("There is no such organization.", field="organizationId")

        async def make() -> UUID:
            session = await _require_outside(tx, call, SessionId(session_id))
            now = call.clock.now()
            new = SupportAccessId(new_id())
            where = (entry.organization_id, by, session.id)
            until = min(now + life, session.ends_at)
            made = SupportAccess(new, *where, why, now, until, None, None)
            await _enter(tx, call, made)
            return made.id

        # A retry comes from inside already, and is the same request.
        who = replace(call.viewer, organization_id=None)
        request, now = ("breakGlass", entry), call.clock.now()
        made = await idempotency.once(tx, who, key=key, request=request, at=now, make=make)
        return await rows.access(tx, made)


async def _enter(tx: Connection, call: Call, access: SupportAccess) -> None:
    await rows.add_access(tx, access)
    fact = SupportAccessBegan(access_id=str(access.id), user_id=str(access.user_id))
    fact.ends_at.FromDatetime(access.ends_at)
    await _tell(tx, call, access, fact, "began")
    await _write_to_client_admins(call, tx, access)


async def _require_outside(tx: Connection, call: Call, session_id: SessionId) -> Session:
    """The session, which goes on and is inside nowhere. What has ended by itself is written down; of two at once in one session, the
    second waits and then is inside."""
    session = await store.session(tx, session_id, lock=True)
    if session is None or not session.live(call.clock.now()):
        raise Unauthenticated("The session has ended.", remedy="Sign in again.")
    known = await rows.access_of(tx, session_id, lock=True)
    if known is None:
        return session
    if known.live(call.clock.now()):
        raise Conflict(
            "You act in an organization already.",
            code="GLASS_BROKEN",
            remedy="Leave it with endBreakGlass first.",
        )
    await _end(tx, call, known, AccessEnd.EXPIRED)
    return session


async def end_break_glass(call: Call) -> SupportAccess:
    """Support is outside again. Conflict NOT_INSIDE when it was."""
    _, session_id = policy.permit_leaving(call.viewer)
    # whole-suite: support that is outside belongs to no organization
    async with call.db.for_support(call.viewer).transaction() as tx:
        known = await rows.access_of(tx, SessionId(session_id), lock=True)
        if known is None:
            raise Conflict("You act in no organization.", code="NOT_INSIDE")
        over = AccessEnd.ENDED if known.live(call.clock.now()) else AccessEnd.EXPIRED
        await _end(tx, call, known, over)
        return await rows.access(tx, known.id)


async def leave_with_session(call: Call, tx: Connection, session_id: SessionId) -> None:
    """The session is over, and with it support's being inside."""
    known = await rows.access_of(tx, session_id, lock=True)
    if known is not None:
        over = AccessEnd.ENDED if known.live(call.clock.now()) else AccessEnd.EXPIRED
        await _end(tx, call, known, over)


async def leave_everywhere(call: Call, tx: Connection, user_id: UserId) -> None:
    """Somebody is support no more: wherever they are inside, they are outside now. Their sessions are ended before, so that none breaks
    the glass behind this."""
    for access in await rows.accesses_of_user(tx, user_id):
        over = AccessEnd.ENDED if access.live(call.clock.now()) else AccessEnd.EXPIRED
        await _end(tx, call, access, over)


async def end_expired(call: Call) -> None:
    """The job: write down and tell what has ended by itself, or with a session that was ended from elsewhere."""
    now = call.clock.now()
    async with call.db.transaction() as tx:
        for access in await rows.over_accesses(tx, now):
            over = AccessEnd.ENDED if access.live(now) else AccessEnd.EXPIRED
            await _end(tx, call, access, over)


async def inside(call: Call, tx: Connection, viewer: Viewer) -> SupportAccess | None:
    """Where the session of support is inside at this moment."""
    if not viewer.support or viewer.session_id is None:
        return None
    known = await rows.access_of(tx, SessionId(viewer.session_id))
    return known if known and known.live(call.clock.now()) else None


async def require_inside(call: Call, tx: Connection) -> SupportAccess:
    """The same for support that acts in an organization without naming it; Denied when it has ended meanwhile."""
    found = await inside(call, tx, call.viewer)
    if found is None or found.organization_id != call.viewer.organization_id:
        raise Denied(
            "You are not inside the organization any more.",
            code="GLASS_WHOLE",
            remedy="Call breakGlass again, and say why.",
        )
    return found


async def _end(tx: Connection, call: Call, access: SupportAccess, because: AccessEnd) -> None:
    await rows.end_access(tx, access.id, because, call.clock.now())
    fact = SupportAccessEnded(
        access_id=str(access.id), user_id=str(access.user_id), because=because
    )
    await _tell(tx, call, access, fact, "ended")


async def _tell(
    tx: Connection, call: Call, access: SupportAccess, fact: Message, verb: str
) -> None:
    """The fact, and the entry of the audit trail, which has the reason."""
    now = call.clock.now()
    await outbox.record(
        tx,
        fact,
        organization_id=access.organization_id,
        aggregate="user",
        aggregate_id=access.user_id,
        at=now,
        by=None,
    )
    await audit.record(
        tx,
        call.viewer,
        act=f"user.support_access_{verb}",
        kind="user",
        about=access.user_id,
        organization_id=access.organization_id,
        at=now,
        reason=access.reason,
    )


async def _write_to_client_admins(call: Call, tx: Connection, access: SupportAccess) -> None:
    account = await store.account(tx, access.user_id)
    organization = await store.organization(tx, access.organization_id)
    if account is None or organization is None:
        raise LookupError("support is nobody, or nowhere")
    words = letters.notice(
        f"Support acts at {organization.name}",
        f"{account.email} of support acts at {organization.name} as your client admins do,"
        f" until {access.ends_at:%d %B %Y, %H:%M} UTC at the latest.",
        f"The reason given: {access.reason}",
        "Everything that is done is in your audit trail, marked as done by support. If you did not expect this, ask support.",
    )
    for admin in await store.client_admins(tx, access.organization_id):
        if admin.confirmed:
            await write_letter(call, tx, LetterKind.NOTICE, admin.id, words)
