"""The watch over a live query: it ends when its session does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kit.errors import Refusal, Unauthenticated, Unavailable

if TYPE_CHECKING:
    from uuid import UUID

    from gateway.auth.identity import Identity, Session
    from gateway.auth.revocations import Revocations

ASK_EVERY = 30.0
"""Seconds after which identity is asked about a live session even when no fact was heard."""

SOONEST = 1.0


async def until_over(session: Session, identity: Identity, revocations: Revocations) -> Refusal:
    """Wait until the session must not go on, and answer why. Never returns for nobody's session.

    Identity is the judge: it is asked when a fact about the user is heard, when the token should have ended, and now and then.
    """
    changed = asyncio.Event()

    def listen(user_id: UUID | None) -> None:
        if user_id is None or user_id == session.viewer.user_id:
            changed.set()

    if session.anonymous:
        await asyncio.Event().wait()
    with revocations.heard_by(listen):
        while True:
            if (reason := await _judge(session, identity)) is not None:
                return reason
            try:
                async with asyncio.timeout(_patience(session, identity)):
                    await changed.wait()
            except TimeoutError:
                continue
            finally:
                changed.clear()


async def _judge(session: Session, identity: Identity) -> Refusal | None:
    try:
        current = await identity.introspect(session.token)
    except Unauthenticated as refusal:
        return refusal
    except Unavailable:
        return _expired() if _left(session, identity) <= 0 else None
    if current.viewer != session.viewer:
        return Unauthenticated(
            "What you may see has changed since you subscribed.", remedy="Subscribe again."
        )
    return None


def _left(session: Session, identity: Identity) -> float:
    if session.expires_at is None:
        return ASK_EVERY
    return (session.expires_at - identity.clock.now()).total_seconds()


def _patience(session: Session, identity: Identity) -> float:
    return max(SOONEST, min(ASK_EVERY, _left(session, identity)))


def _expired() -> Refusal:
    return Unauthenticated("The access token has ended.", remedy="Refresh it and subscribe again.")
