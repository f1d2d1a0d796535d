"""Work on what somebody proves who they are with: by themselves, and soon after proving it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message

from kit.db import Connection
from kit.errors import Unauthenticated
from services.identity import store
from services.identity.actions.means import Call
from services.identity.actions.told import tell_sessions_revoked, tell_user, write_letter
from services.identity.domain import (
    SUITE,
    Account,
    Factor,
    LetterKind,
    Session,
    SessionId,
    UserId,
    letters,
)
from services.identity.domain.factors import require_proof

FACTOR_CHANGED = "FACTOR_CHANGED"


@dataclass(frozen=True, slots=True)
class OwnWork:
    """A transaction that holds the viewer's account, and sees whatever belongs to that person in any organization."""

    call: Call
    tx: Connection
    session: Session
    account: Account
    factors: list[Factor]
    now: datetime

    async def tell(self, fact: Message) -> None:
        """Tell a fact about the user, wherever the user works."""
        await tell_of_person(self.call, self.tx, self.account.id, fact)

    async def write(self, subject: str, *paragraphs: str) -> None:
        """Tell the user by mail what has happened to the account (ASVS 6.3.7)."""
        await write_notice(self.call, self.tx, self.account.id, subject, *paragraphs)

    async def end_other_sessions(self) -> None:
        """What was opened with the credentials of before is over; this session goes on."""
        ended = await store.revoke_other_sessions(
            self.tx, self.account.id, self.session.id, FACTOR_CHANGED, self.now
        )
        for session_id, organization_id in ended:
            await tell_sessions_revoked(
                self.tx,
                self.account.id,
                self.now,
                by=self.call.viewer,
                organization_id=organization_id,
                session_id=session_id,
            )


async def require_fresh_proof(call: Call) -> None:
    """Denied STEP_UP_REQUIRED unless the viewer has proved within ten minutes who they are. Unauthenticated when the session has ended
    meanwhile. A proof is never taken back, so what is begun with one may end without."""
    session_id = SessionId(call.viewer.session_id or UUID(int=0))
    # whole-suite: a session belongs to a person
    async with call.db.everywhere().reading() as tx:
        session = await store.session(tx, session_id)
    now = call.clock.now()
    if session is None or session.user_id != call.viewer.user_id or not session.live(now):
        raise Unauthenticated("The session has ended.", remedy="Sign in again.")
    require_proof(session.proved_at, now)


@asynccontextmanager
async def own_work(call: Call, user_id: UserId) -> AsyncIterator[OwnWork]:
    """Hold the viewer's account and session. Unauthenticated when the session has ended meanwhile."""
    # whole-suite: the person's account, and every organization it works for
    async with call.db.everywhere().transaction() as tx:
        account = await store.lock_account(tx, user_id)
        session_id = SessionId(call.viewer.session_id or user_id)
        session = await store.session(tx, session_id, lock=True)
        now = call.clock.now()
        if account is None or session is None or not session.live(now):
            raise Unauthenticated("The session has ended.", remedy="Sign in again.")
        factors = await store.factors_of(tx, user_id, lock=True)
        yield OwnWork(call, tx, session, account, factors, now)


async def tell_of_person(call: Call, tx: Connection, user_id: UserId, fact: Message) -> None:
    """Tell a fact about a person in every organization the person works for; of support staff it is told of the suite."""
    memberships = await store.memberships_of(tx, user_id)
    for organization_id in [one.organization_id for one in memberships] or [SUITE]:
        await tell_user(tx, fact, organization_id, user_id, call.clock.now(), by=call.viewer)


async def write_notice(
    call: Call, tx: Connection, user_id: UserId, subject: str, *paragraphs: str
) -> None:
    """Tell a user by mail what has happened to the account (ASVS 6.3.7)."""
    warning = "If this was not you, tell your client admin or support at once."
    words = letters.notice(subject, *paragraphs, warning)
    await write_letter(call, tx, LetterKind.NOTICE, user_id, words)
