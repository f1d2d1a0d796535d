"""Accounts and their first passwords. A person has one account in all organizations, so none is named here."""

from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.identity.domain import (
    Account,
    Email,
    SupportAct,
    TemporaryPassword,
    UserId,
)

_ACCOUNT = "SELECT id, email, name, support, password_hash, confirmed_at FROM users"
_TEMPORARY = (
    "SELECT user_id, password_hash, issued_at, expires_at, consumed_at FROM temporary_passwords"
)


# any-organization: signing in starts from the address alone
async def account_by_email(tx: Connection, email_key: str) -> Account | None:
    """The account with that address, if there is one."""
    return await db.maybe(tx, Account, f"{_ACCOUNT} WHERE email_key = $1", email_key)


# any-organization: an account belongs to a person
async def account(tx: Connection, user_id: UserId) -> Account | None:
    """The account, if there is one of that id."""
    return await db.maybe(tx, Account, f"{_ACCOUNT} WHERE id = $1", user_id)


# any-organization: an account belongs to a person
async def lock_account(tx: Connection, user_id: UserId) -> Account | None:
    """The account, held until the transaction ends."""
    return await db.maybe(tx, Account, f"{_ACCOUNT} WHERE id = $1 FOR UPDATE", user_id)


# any-organization: an account belongs to a person
async def add_account(
    tx: Connection, user_id: UserId, email: Email, name: str, at: datetime
) -> bool:
    """Keep a new account without a password; False when there is one with that address, whoever was first."""
    return bool(
        await db.run(
            tx,
            "INSERT INTO users (id, email, email_key, name, added_at) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT ON CONSTRAINT users_one_account DO NOTHING",
            user_id,
            email.address,
            email.key,
            name,
            at,
        )
    )


# any-organization: support staff belong to none
async def add_support_account(
    tx: Connection, user_id: UserId, email: Email, password_hash: str, at: datetime
) -> bool:
    """Keep a confirmed support account; False when there is an account with that address."""
    return bool(
        await db.run(
            tx,
            "INSERT INTO users (id, email, email_key, name, support, password_hash, confirmed_at, added_at)"
            " VALUES ($1, $2, $3, 'Support', true, $4, $5, $5)"
            " ON CONFLICT ON CONSTRAINT users_one_account DO NOTHING",
            user_id,
            email.address,
            email.key,
            password_hash,
            at,
        )
    )


# any-organization: a password belongs to a person
async def set_password(tx: Connection, user_id: UserId, password_hash: str, at: datetime) -> None:
    """Give the account a password of the user's own; the first one confirms it."""
    await db.run(
        tx,
        "UPDATE users SET password_hash = $2, confirmed_at = coalesce(confirmed_at, $3) WHERE id = $1",
        user_id,
        password_hash,
        at,
    )


# any-organization: a password belongs to a person
async def put_temporary_password(
    tx: Connection, password: TemporaryPassword, link_hash: bytes
) -> None:
    """Keep a temporary password and its link in the place of those before."""
    await db.run(
        tx,
        "INSERT INTO temporary_passwords (user_id, password_hash, link_hash, issued_at, expires_at)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash,"
        " link_hash = excluded.link_hash, issued_at = excluded.issued_at, expires_at = excluded.expires_at,"
        " consumed_at = NULL",
        password.user_id,
        password.password_hash,
        link_hash,
        password.issued_at,
        password.expires_at,
    )


# any-organization: a password belongs to a person
async def temporary_password(tx: Connection, user_id: UserId) -> TemporaryPassword | None:
    """The temporary password of the account, used or not."""
    return await db.maybe(tx, TemporaryPassword, f"{_TEMPORARY} WHERE user_id = $1", user_id)


# any-organization: whoever has the link is its owner
async def temporary_password_by_link(tx: Connection, link_hash: bytes) -> TemporaryPassword | None:
    """The temporary password that came with a link."""
    return await db.maybe(tx, TemporaryPassword, f"{_TEMPORARY} WHERE link_hash = $1", link_hash)


# any-organization: a password belongs to a person
async def consume_temporary_password(tx: Connection, user_id: UserId, at: datetime) -> None:
    """The account has a password of its own: neither the temporary one nor the link works again."""
    await db.run(
        tx,
        "UPDATE temporary_passwords SET consumed_at = $2 WHERE user_id = $1 AND consumed_at IS NULL",
        user_id,
        at,
    )


# any-organization: support acts for all organizations, and this is the record of it
async def note_support_act(
    tx: Connection, key: UUID, by: UserId, about: UserId, act: tuple[SupportAct, str], at: datetime
) -> None:
    """Keep what support did about whom, and why."""
    await db.run(
        tx,
        "INSERT INTO support_acts (id, support_user_id, user_id, act, reason, at) VALUES ($1, $2, $3, $4, $5, $6)",
        key,
        by,
        about,
        act[0],
        act[1],
        at,
    )
