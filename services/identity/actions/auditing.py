"""Entries of the audit trail for what identity tells nobody as a fact."""

from dataclasses import replace
from uuid import UUID

from kit import audit
from kit.auth import Stage, Viewer
from kit.db import Connection
from services.identity.actions.means import Call
from services.identity.domain import Account, KnownMembership, Session


async def note_session(tx: Connection, by: Viewer, session: Session) -> None:
    """Somebody has signed in, as far as the session's stage says."""
    done = "signed_in" if session.stage is Stage.FULL else "sign_in_begun"
    await audit.record(
        tx,
        replace(by, session_id=session.id),
        act=f"user.{done}",
        about=session.user_id,
        kind="user",
        organization_id=session.organization_id,
        at=session.began_at,
    )


async def note_failed_sign_in(call: Call, account: Account | None) -> None:
    """A password was wrong. Written down whether the account exists or not, at the same cost."""
    async with call.db.transaction() as tx:
        await audit.record(
            tx,
            call.viewer,
            act="user.sign_in_failed",
            about=account.id if account else None,
            kind="user",
            organization_id=None,
            at=call.clock.now(),
        )


async def note_for_organizations(
    tx: Connection,
    call: Call,
    act: str,
    user_id: UUID,
    memberships: list[KnownMembership],
    why: str = "",
) -> None:
    """What was done to an account, once for each organization it belongs to: each reads it of its own user."""
    for membership in memberships:
        await audit.record(
            tx,
            call.viewer,
            act=act,
            about=user_id,
            kind="user",
            organization_id=membership.organization_id,
            at=call.clock.now(),
            reason=why,
        )
