"""Support accounts. They belong to no organization, so none is named here."""

from datetime import datetime

from kit import db
from kit.db import Connection
from services.identity.domain import OrganizationId, UserId
from services.identity.domain.support import AccountEnd, SupportAccount

_ACCOUNT = """SELECT u.id, u.name, u.email, a.since, a.signed_in_at, a.warned_at, a.ended_at, a.ended_because
FROM support_accounts a JOIN users u ON u.id = a.user_id"""


# any-organization: support staff belong to none
async def support_staff(tx: Connection) -> list[SupportAccount]:
    """Everybody who is or was support, the longest there first."""
    return await db.many(tx, SupportAccount, f"{_ACCOUNT} ORDER BY a.since, u.id")


# any-organization: support staff belong to none
async def hold_support(tx: Connection) -> list[SupportAccount]:
    """Everybody who is support, held, so that of those who end each other one comes after the other. Who only names them, as whoever
    breaks the glass with a session held, need not wait."""
    await tx.execute("SELECT FROM users WHERE support ORDER BY id FOR NO KEY UPDATE")
    return await db.many(tx, SupportAccount, f"{_ACCOUNT} WHERE a.ended_at IS NULL ORDER BY u.id")


# any-organization: support staff belong to none
async def add_to_support(tx: Connection, user_id: UserId, at: datetime) -> None:
    """The account is support from now on."""
    await db.run(tx, "INSERT INTO support_accounts (user_id, since) VALUES ($1, $2)", user_id, at)


# any-organization: support staff belong to none
async def support_signed_in(tx: Connection, user_id: UserId, at: datetime) -> None:
    """Somebody of support is here: what was said about being away is void."""
    await db.run(
        tx,
        "UPDATE support_accounts SET signed_in_at = $2, warned_at = NULL WHERE user_id = $1",
        user_id,
        at,
    )


# any-organization: support staff belong to none
async def support_warned(tx: Connection, user_id: UserId, at: datetime) -> None:
    """Somebody of support was told that the account is about to end."""
    await db.run(tx, "UPDATE support_accounts SET warned_at = $2 WHERE user_id = $1", user_id, at)


# any-organization: support was inside any
async def with_keys_of(tx: Connection, user_id: UserId) -> list[OrganizationId]:
    """The organizations with partners whose credentials this person of support added, and has seen, and where they are inside now, so
    that they may just be adding one."""
    rows = await tx.fetch(
        "SELECT organization_id FROM partners WHERE added_by = $1 AND removed_at IS NULL"
        " UNION SELECT organization_id FROM support_accesses WHERE user_id = $1 AND ended_at IS NULL"
        " ORDER BY organization_id",
        user_id,
    )
    return [OrganizationId(row["organization_id"]) for row in rows]


# any-organization: support staff belong to none
async def end_support(
    tx: Connection, user_id: UserId, by: UserId | None, because: AccountEnd, at: datetime
) -> None:
    """The account is support no more. `by` is None when the 90 days did it."""
    await db.run(tx, "UPDATE users SET support = false WHERE id = $1", user_id)
    await db.run(
        tx,
        "UPDATE support_accounts SET ended_at = $4, ended_by = $2, ended_because = $3 WHERE user_id = $1",
        user_id,
        by,
        because,
        at,
    )
