"""Sessions."""

from datetime import datetime

from kit import db
from kit.db import Connection
from services.identity.domain import OrganizationId, Session, SessionId, UserId

_SESSION = """
SELECT s.id, s.user_id, s.membership_id, m.organization_id, s.stage, s.began_at, s.ends_at, s.refresh_number, s.rotated_at,
    s.revoked_at, s.second_factor, s.proved_at, s.single_sign_on
FROM sessions s LEFT JOIN memberships m ON m.id = s.membership_id WHERE s.id = $1
"""


# any-organization: a session is found by its own id, which only its owner has
async def session(tx: Connection, session_id: SessionId, *, lock: bool = False) -> Session | None:
    """The session, if there is one; with `lock`, held until the transaction ends."""
    return await db.maybe(tx, Session, _SESSION + (" FOR UPDATE OF s" if lock else ""), session_id)


# any-organization: a session belongs to a person, who may belong to no organization
async def add_session(tx: Connection, session: Session) -> None:
    """Keep a new session."""
    await db.run(
        tx,
        "INSERT INTO sessions (id, user_id, membership_id, stage, began_at, ends_at, refresh_number, rotated_at,"
        " second_factor, proved_at, single_sign_on) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        session.id,
        session.user_id,
        session.membership_id,
        session.stage,
        session.began_at,
        session.ends_at,
        session.refresh_number,
        session.rotated_at,
        session.second_factor,
        session.proved_at,
        session.single_sign_on,
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


# any-organization: all sessions of a person but one end together
async def revoke_other_sessions(
    tx: Connection, user_id: UserId, kept: SessionId, because: str, at: datetime
) -> list[tuple[SessionId, OrganizationId | None]]:
    """End every other session of a user that still goes on; answers which, and in which organization each was."""
    rows = await tx.fetch(
        "UPDATE sessions s SET revoked_at = $3, revoked_because = $4 WHERE s.user_id = $1 AND s.id <> $2"
        " AND s.revoked_at IS NULL AND s.ends_at > $3"
        " RETURNING s.id, (SELECT m.organization_id FROM memberships m WHERE m.id = s.membership_id) AS organization_id",
        user_id,
        kept,
        at,
        because,
    )
    return [(row["id"], row["organization_id"]) for row in rows]


# any-organization: a session is found by its own id, which only its owner has
async def note_proof(
    tx: Connection, session_id: SessionId, at: datetime, *, second_factor: bool
) -> None:
    """The session's user has just proved who they are; `second_factor`: with a second factor."""
    await db.run(
        tx,
        "UPDATE sessions SET proved_at = $2, second_factor = second_factor OR $3 WHERE id = $1",
        session_id,
        at,
        second_factor,
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
