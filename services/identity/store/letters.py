"""Mail to be sent. It belongs to the person it is for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kit import db
from kit.db import Connection
from services.identity.domain import LetterId, LetterKind, UserId

LEASE = timedelta(minutes=1)
"""How long a claimed letter is left to whoever claimed it."""


@dataclass(frozen=True, slots=True)
class DueLetter:
    """A letter that is to be sent now, to an address as it is today."""

    id: LetterId
    sealed: str
    email: str
    attempts: int
    user_id: UserId
    kind: LetterKind


# any-organization: a letter belongs to a person
async def queue_letter(
    tx: Connection, key: LetterId, kind: LetterKind, user_id: UserId, sealed: str, at: datetime
) -> None:
    """Keep a letter until it is sent."""
    await db.run(
        tx,
        "INSERT INTO letters (id, kind, user_id, sealed, queued_at, due_at) VALUES ($1, $2, $3, $4, $5, $5)",
        key,
        kind,
        user_id,
        sealed,
        at,
    )


# any-organization: the post serves all
async def claim_letter(tx: Connection, at: datetime) -> DueLetter | None:
    """A letter that is due, taken for a minute so that no other replica sends it too."""
    return await db.maybe(
        tx,
        DueLetter,
        "UPDATE letters l SET due_at = $1::timestamptz + $2::interval, attempts = attempts + 1 FROM users u"
        " WHERE u.id = l.user_id AND l.id = (SELECT id FROM letters WHERE state = 'QUEUED' AND due_at <= $1"
        " ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)"
        " RETURNING l.id, l.sealed, u.email, l.attempts, l.user_id, l.kind",
        at,
        LEASE,
    )


# any-organization: the post serves all
async def letter_sent(tx: Connection, key: LetterId, at: datetime) -> None:
    """The server took it. Invitations are kept sealed, because they may be sent again; the rest is forgotten."""
    await db.run(
        tx,
        "UPDATE letters SET state = 'SENT', sent_at = $2,"
        " sealed = CASE WHEN kind IN ('INVITATION', 'PASSWORD_RESET') THEN sealed END"
        " WHERE id = $1 AND state = 'QUEUED'",
        key,
        at,
    )


# any-organization: the post serves all
async def letter_bounced(tx: Connection, key: LetterId) -> None:
    """The server refused it for good."""
    await db.run(
        tx,
        "UPDATE letters SET state = 'BOUNCED',"
        " sealed = CASE WHEN kind IN ('INVITATION', 'PASSWORD_RESET') THEN sealed END"
        " WHERE id = $1 AND state = 'QUEUED'",
        key,
    )


# any-organization: a letter belongs to a person
async def invitation_bounced(tx: Connection, user_id: UserId) -> bool:
    """The newest invitation, which a server took, did not arrive; False when there is none."""
    return bool(
        await db.run(
            tx,
            "UPDATE letters SET state = 'BOUNCED' WHERE id = (SELECT id FROM letters"
            " WHERE user_id = $1 AND kind IN ('INVITATION', 'PASSWORD_RESET') ORDER BY queued_at DESC, id DESC LIMIT 1)"
            " AND state = 'SENT'",
            user_id,
        )
    )


# any-organization: the post serves all
async def postpone_letter(tx: Connection, key: LetterId, until: datetime) -> None:
    """Try again later."""
    await db.run(
        tx, "UPDATE letters SET due_at = $2 WHERE id = $1 AND state = 'QUEUED'", key, until
    )


# any-organization: a letter belongs to a person
async def requeue_invitation(tx: Connection, user_id: UserId, at: datetime) -> bool:
    """Send the newest invitation once more, as it is; False when there is none to send."""
    return bool(
        await db.run(
            tx,
            "UPDATE letters SET state = 'QUEUED', due_at = $2, attempts = 0 WHERE id = (SELECT id FROM letters"
            " WHERE user_id = $1 AND kind IN ('INVITATION', 'PASSWORD_RESET') AND state <> 'WITHDRAWN'"
            " ORDER BY queued_at DESC, id DESC LIMIT 1) AND sealed IS NOT NULL",
            user_id,
            at,
        )
    )


# any-organization: a letter belongs to a person
async def withdraw_invitations(tx: Connection, user_id: UserId) -> None:
    """The secrets in the user's invitations are void: forget them, and send none that still waits."""
    await db.run(
        tx,
        "UPDATE letters SET sealed = NULL, state = CASE state WHEN 'QUEUED' THEN 'WITHDRAWN' ELSE state END"
        " WHERE user_id = $1 AND kind IN ('INVITATION', 'PASSWORD_RESET')",
        user_id,
    )


# any-organization: housekeeping
async def forget_expired_letters(tx: Connection, at: datetime) -> int:
    """Forget the text of invitations whose secrets have expired."""
    return await db.run(
        tx,
        "UPDATE letters l SET sealed = NULL, state = CASE l.state WHEN 'QUEUED' THEN 'WITHDRAWN' ELSE l.state END"
        " FROM temporary_passwords t WHERE t.user_id = l.user_id AND t.expires_at <= $1 AND l.sealed IS NOT NULL"
        " AND l.kind IN ('INVITATION', 'PASSWORD_RESET')",
        at,
    )
