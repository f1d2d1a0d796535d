"""Sessions, and the keys that sign access tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kit import db
from kit.db import Connection
from services.identity.domain import OrganizationId, Session, SessionId, UserId

_SESSION = """
SELECT s.id, s.user_id, s.membership_id, m.organization_id, s.stage, s.began_at, s.ends_at, s.refresh_number, s.rotated_at,
    s.revoked_at
FROM sessions s LEFT JOIN memberships m ON m.id = s.membership_id WHERE s.id = $1
"""
_KEYS_LOCK = 0x6B657973


@dataclass(frozen=True, slots=True)
class SigningKeyRow:
    """A key as it is kept: the private half sealed."""

    kid: str
    public_key: dict[str, Any]
    sealed_private_key: str
    made_at: datetime


# any-organization: a session is found by its own id, which only its owner has
async def session(tx: Connection, session_id: SessionId, *, lock: bool = False) -> Session | None:
    """The session, if there is one; with `lock`, held until the transaction ends."""
    return await db.maybe(tx, Session, _SESSION + (" FOR UPDATE OF s" if lock else ""), session_id)


# any-organization: a session belongs to a person, who may belong to no organization
async def add_session(tx: Connection, session: Session) -> None:
    """Keep a new session."""
    await db.run(
        tx,
        "INSERT INTO sessions (id, user_id, membership_id, stage, began_at, ends_at, refresh_number, rotated_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        session.id,
        session.user_id,
        session.membership_id,
        session.stage,
        session.began_at,
        session.ends_at,
        session.refresh_number,
        session.rotated_at,
    )


# any-organization: a session is found by its own id, which only its owner has
async def rotate(tx: Connection, session_id: SessionId, at: datetime) -> None:
    """The next refresh token of the session is the good one now."""
    await db.run(
        tx,
        "UPDATE sessions SET refresh_number = refresh_number + 1, rotated_at = $2 WHERE id = $1",
        session_id,
        at,
    )


# any-organization: a session is found by its own id, which only its owner has
async def revoke_session(tx: Connection, session_id: SessionId, because: str, at: datetime) -> bool:
    """End a session; False when it was over already."""
    return bool(
        await db.run(
            tx,
            "UPDATE sessions SET revoked_at = $2, revoked_because = $3 WHERE id = $1 AND revoked_at IS NULL",
            session_id,
            at,
            because,
        )
    )


# any-organization: all sessions of a person end together
async def revoke_sessions_of(tx: Connection, user_id: UserId, because: str, at: datetime) -> int:
    """End every session of a user that still goes on; answers how many there were."""
    return await db.run(
        tx,
        "UPDATE sessions SET revoked_at = $2, revoked_because = $3"
        " WHERE user_id = $1 AND revoked_at IS NULL AND ends_at > $2",
        user_id,
        at,
        because,
    )


async def revoke_sessions_in(
    tx: Connection, organization_id: OrganizationId, user_id: UserId, because: str, at: datetime
) -> None:
    """End a user's sessions in one organization; those in another go on."""
    await db.run(
        tx,
        "UPDATE sessions s SET revoked_at = $3, revoked_because = $4 FROM memberships m WHERE m.id = s.membership_id"
        " AND m.organization_id = $1 AND s.user_id = $2 AND s.revoked_at IS NULL AND s.ends_at > $3",
        organization_id,
        user_id,
        at,
        because,
    )


# any-organization: housekeeping
async def forget_sessions(tx: Connection, before: datetime, most: int) -> int:
    """Drop the sessions that ended before then, at most so many; answers how many."""
    return await db.run(
        tx,
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2)",
        before,
        most,
    )


# any-organization: the keys sign for all
async def signing_keys(tx: Connection) -> list[SigningKeyRow]:
    """Every signing key, the newest first."""
    return await db.many(
        tx,
        SigningKeyRow,
        "SELECT kid, public_key, sealed_private_key, made_at FROM signing_keys ORDER BY made_at DESC, kid",
    )


# any-organization: the keys sign for all
async def add_first_signing_key(tx: Connection, key: SigningKeyRow) -> None:
    """Keep this key unless there is one; of several processes that start at once one has its way."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", _KEYS_LOCK)
    await db.run(
        tx,
        "INSERT INTO signing_keys SELECT $1, $2::jsonb, $3, $4 WHERE NOT EXISTS (SELECT FROM signing_keys)",
        key.kid,
        key.public_key,
        key.sealed_private_key,
        key.made_at,
    )
