"""Forgotten passwords: who said so, and the links that let them set another. An account belongs to a person, not to an organization."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.identity.domain import UserId

_LINK = (
    "SELECT user_id, issued_at, expires_at, consumed_at FROM password_links WHERE link_hash = $1"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """That somebody said they forgot the password of an address, which may be nobody's."""

    id: UUID
    email_key: str


@dataclass(frozen=True, slots=True)
class PasswordLink:
    """The link by which a user sets a new password."""

    user_id: UserId
    issued_at: datetime
    expires_at: datetime
    consumed_at: datetime | None = None


# any-organization: whoever asks is not signed in
async def ask_for_password(tx: Connection, key: UUID, email_key: str, at: datetime) -> None:
    """Keep that somebody asked, whether the address is known or not."""
    await db.run(tx, "INSERT INTO forgotten_passwords VALUES ($1, $2, $3)", key, email_key, at)


# any-organization: the job answers for all
async def take_asked(tx: Connection) -> Asked | None:
    """The oldest that was not answered yet, taken away."""
    return await db.maybe(
        tx,
        Asked,
        "DELETE FROM forgotten_passwords WHERE id = (SELECT id FROM forgotten_passwords ORDER BY asked_at, id LIMIT 1"
        " FOR UPDATE SKIP LOCKED) RETURNING id, email_key",
    )


# any-organization: a password belongs to a person
async def put_password_link(tx: Connection, link: PasswordLink, link_hash: bytes) -> None:
    """Keep a link in the place of the one before, which is void."""
    await db.run(
        tx,
        "INSERT INTO password_links VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET"
        " link_hash = excluded.link_hash, issued_at = excluded.issued_at, expires_at = excluded.expires_at,"
        " consumed_at = NULL",
        link.user_id,
        link_hash,
        link.issued_at,
        link.expires_at,
    )


# any-organization: whoever has the link is its owner
async def password_link(
    tx: Connection, link_hash: bytes, *, lock: bool = False
) -> PasswordLink | None:
    """What a link is good for; with `lock`, held until the transaction ends."""
    return await db.maybe(
        tx,
        PasswordLink,
        _LINK + (" FOR UPDATE" if lock else ""),
        link_hash,
    )


# any-organization: a password belongs to a person
async def password_link_of(tx: Connection, user_id: UserId) -> PasswordLink | None:
    """The newest link of a user, used or not."""
    return await db.maybe(
        tx,
        PasswordLink,
        "SELECT user_id, issued_at, expires_at, consumed_at FROM password_links WHERE user_id = $1",
        user_id,
    )


# any-organization: a password belongs to a person
async def consume_password_link(tx: Connection, user_id: UserId, at: datetime) -> None:
    """The link does not work again, and neither does one that was not used."""
    await db.run(
        tx,
        "UPDATE password_links SET consumed_at = $2 WHERE user_id = $1 AND consumed_at IS NULL",
        user_id,
        at,
    )
