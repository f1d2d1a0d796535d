"""Entries of the audit trail for what identity tells nobody as a fact."""

from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from kit import audit
from kit.auth import Stage, Viewer
from kit.db import Connection
from services.identity.actions.means import Call
from services.identity.domain import Account, KnownMembership, Session, SupportAct


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


async def note_own(call: Call, tx: Connection, did: str) -> None:
    """What the viewer did with their own account, or tried."""
    await audit.record(
        tx,
        call.viewer,
        act=f"user.{did}",
        about=call.viewer.user_id,
        kind="user",
        organization_id=call.viewer.organization_id,
        at=call.clock.now(),
    )


async def note_wrong_proof(call: Call) -> None:
    """Who holds a session has not proved to be its user."""
    async with call.db.transaction() as tx:
        await note_own(call, tx, "proof_failed")


async def note_reuse(call: Call, tx: Connection, session: Session) -> None:
    """A refresh token came back after it was used: somebody has a copy of it."""
    await audit.record(
        tx,
        replace(call.viewer, session_id=session.id),
        act="user.refresh_token_reused",
        about=session.user_id,
        kind="user",
        organization_id=session.organization_id,
        at=call.clock.now(),
    )


async def note_password_link(call: Call, tx: Connection, user_id: UUID) -> None:
    """Somebody said that the user's password is forgotten, and a link was sent. That it was said of whoever is not written down: strangers
    could fill the trail."""
    await audit.record(
        tx,
        call.viewer,
        act="user.password_link_sent",
        about=user_id,
        kind="user",
        organization_id=None,
        at=call.clock.now(),
    )


async def note_rotation(call: Call, tx: Connection, why: str) -> None:
    """Another key signs access tokens; by itself, or for a reason."""
    await audit.record(
        tx,
        call.viewer,
        act="suite.signing_keys_rotated",
        about=None,
        kind="suite",
        organization_id=None,
        at=call.clock.now(),
        reason=why,
    )


class Concerned(NamedTuple):
    """What support's act concerns: a user or an organization, where (None: nowhere)."""

    kind: str
    about: UUID
    organization_id: UUID | None


async def note_support(
    call: Call, tx: Connection, act: SupportAct, why: str, concerned: Concerned
) -> None:
    """What support did in somebody's matters, and why: the entry of the fact itself has no reason."""
    await audit.record(
        tx,
        call.viewer,
        act=f"{concerned.kind}.support_acted",
        about=concerned.about,
        kind=concerned.kind,
        organization_id=concerned.organization_id,
        at=call.clock.now(),
        fields=(act,),
        reason=why,
    )
