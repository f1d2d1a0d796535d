"""Sessions by token: asked of identity, remembered for seconds while revocations are heard, never for a mutation."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from gateway.auth.identity import NOBODY, Identity, Session, bearer

if TYPE_CHECKING:
    from uuid import UUID

    from gateway.auth.revocations import Revocations

REMEMBERED_FOR = 10.0
"""Seconds after which identity is asked again in any case."""

MOST = 10_000


class Sessions:
    """Turns an Authorization value into a session."""

    def __init__(self, identity: Identity, revocations: Revocations) -> None:
        self._identity = identity
        self._revocations = revocations
        self._known: OrderedDict[bytes, tuple[Session, float]] = OrderedDict()

    async def of(self, authorization: str | None, *, fresh: bool) -> Session:
        """The session behind an Authorization value; nobody's without one.

        `fresh` asks identity in any case, as every mutation must. Unauthenticated when the token is bad, expired or revoked;
        Unavailable when identity does not answer.
        """
        token = bearer(authorization)
        if token is None:
            return NOBODY
        key = hashlib.sha256(token.encode()).digest()
        if not fresh and (known := self._recall(key)):
            return known
        changes = self._revocations.changes
        session = await self._identity.introspect(token)
        if self._revocations.hearing and changes == self._revocations.changes:
            self._remember(key, session)
        return session

    def forget(self, user_id: UUID | None) -> None:
        """Forget what is known about this user, or about everybody."""
        if user_id is None:
            self._known.clear()
            return
        stale = [
            key for key, (session, _) in self._known.items() if session.viewer.user_id == user_id
        ]
        for key in stale:
            del self._known[key]

    def _recall(self, key: bytes) -> Session | None:
        if not self._revocations.hearing or key not in self._known:
            return None
        session, until = self._known[key]
        expired = session.expires_at is None or session.expires_at <= self._identity.clock.now()
        if expired or time.monotonic() >= until:
            del self._known[key]
            return None
        return session

    def _remember(self, key: bytes, session: Session) -> None:
        self._known[key] = (session, time.monotonic() + REMEMBERED_FOR)
        self._known.move_to_end(key)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
