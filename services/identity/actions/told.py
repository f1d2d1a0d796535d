"""Facts and letters, written in the transaction of the change they tell of."""

from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from kit import outbox
from kit.auth import Viewer
from kit.db import Connection
from kit.ids import new_id
from proto.identity.v1.events_pb2 import RoleGranted, RoleRevoked, SessionsRevoked
from services.identity import store
from services.identity.actions.means import Call
from services.identity.domain import (
    SUITE,
    LetterId,
    LetterKind,
    OrganizationId,
    RoleWanted,
    SessionId,
    UserId,
)
from services.identity.domain.letters import Envelope, Words, compose


async def tell_user(
    tx: Connection,
    fact: Message,
    organization_id: OrganizationId,
    user_id: UserId,
    at: datetime,
    *,
    by: Viewer,
) -> None:
    """Tell a fact about a user within an organization, made true by `by`."""
    await outbox.record(
        tx,
        fact,
        organization_id=organization_id,
        aggregate="user",
        aggregate_id=user_id,
        at=at,
        by=by,
    )


def role_granted(user_id: UserId, role: RoleWanted) -> RoleGranted:
    """The fact that a role was granted."""
    fact = RoleGranted(
        user_id=str(user_id),
        role=role.role,
        office_id=_text(role.office_id),
        provider_id=_text(role.provider_id),
    )
    if role.expires_at is not None:
        fact.expires_at.FromDatetime(role.expires_at)
    return fact


def role_revoked(user_id: UUID, role: RoleWanted) -> RoleRevoked:
    """The fact that a role was taken back, or lapsed."""
    return RoleRevoked(
        user_id=str(user_id),
        role=role.role,
        office_id=_text(role.office_id),
        provider_id=_text(role.provider_id),
    )


def _text(key: UUID | None) -> str:
    return str(key) if key else ""


async def tell_sessions_revoked(
    tx: Connection,
    user_id: UserId,
    at: datetime,
    *,
    by: Viewer,
    organization_id: OrganizationId | None = None,
    session_id: SessionId | None = None,
) -> None:
    """Tell that one session of a user is over, or all that began until now. Without an organization it is told of the suite."""
    moment = Timestamp()
    moment.FromDatetime(at)
    fact = SessionsRevoked(
        user_id=str(user_id), not_after=moment, session_id=str(session_id) if session_id else ""
    )
    await tell_user(tx, fact, organization_id or SUITE, user_id, at, by=by)


async def write_letter(
    call: Call, tx: Connection, kind: LetterKind, user_id: UserId, words: Words
) -> None:
    """Queue a letter to a user, sealed."""
    account = await store.account(tx, user_id)
    if account is None:
        raise LookupError("a letter to nobody")
    now = call.clock.now()
    envelope = Envelope(
        LetterId(new_id()), call.peers.post.sender, account.name, account.email, now
    )
    sealed = call.peers.vault.seal(compose(envelope, words))
    await store.queue_letter(tx, envelope.letter_id, kind, user_id, sealed, now)
