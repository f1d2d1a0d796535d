"""Who has been away for long, and whose invitation has run out."""

from dataclasses import dataclass
from datetime import datetime

from kit import db
from kit.db import Connection
from services.identity.domain import MembershipId, OrganizationId, User, UserId

_AWAY = """
SELECT m.organization_id, m.user_id, last.seen AS since, m.warned_at, m.alerted_at
FROM memberships m JOIN users u ON u.id = m.user_id
CROSS JOIN LATERAL (SELECT greatest(m.signed_in_at, m.added_at, m.reactivated_at, u.confirmed_at) AS seen) last
WHERE m.deactivated_at IS NULL AND u.confirmed_at IS NOT NULL AND last.seen <= $1
"""
"""When somebody was here last: who never signed in counts from the day of the account."""


@dataclass(frozen=True, slots=True)
class Away:
    """A confirmed user who has not signed in for long, and since when."""

    organization_id: OrganizationId
    user_id: UserId
    since: datetime
    warned_at: datetime | None
    alerted_at: datetime | None


# any-organization: the job looks everywhere, and acts organization by organization
async def away_since(tx: Connection, before: datetime) -> list[Away]:
    """The active, confirmed users who were last here at that moment or earlier."""
    return await db.many(tx, Away, _AWAY + " ORDER BY m.organization_id, m.user_id", before)


async def still_away(
    tx: Connection, organization_id: OrganizationId, user_id: UserId, before: datetime
) -> Away | None:
    """The same of one user, looked at again under the organization's lock."""
    return await db.maybe(
        tx,
        Away,
        _AWAY + " AND m.organization_id = $2 AND m.user_id = $3 FOR UPDATE OF m",
        before,
        organization_id,
        user_id,
    )


async def was_warned(tx: Connection, user: User, at: datetime) -> None:
    """The user was told that the account is about to end."""
    await db.run(
        tx,
        "UPDATE memberships SET warned_at = $3 WHERE organization_id = $1 AND id = $2",
        user.organization_id,
        user.membership_id,
        at,
    )


async def was_alerted(tx: Connection, user: User, at: datetime) -> None:
    """Support was told that the organization's last client admin is away."""
    await db.run(
        tx,
        "UPDATE memberships SET alerted_at = $3 WHERE organization_id = $1 AND id = $2",
        user.organization_id,
        user.membership_id,
        at,
    )


# any-organization: a session belongs to a person, and says in which membership
async def signed_in(tx: Connection, membership_id: MembershipId, at: datetime) -> None:
    """The user is here: what was said about being away is void."""
    await db.run(
        tx,
        "UPDATE memberships SET signed_in_at = $2, warned_at = NULL, alerted_at = NULL WHERE id = $1",
        membership_id,
        at,
    )


# any-organization: the first password belongs to a person; every organization of theirs is told
async def expired_invitations(tx: Connection, at: datetime) -> list[UserId]:
    """Whose first password has run out unused, of which nothing was told yet; held, each by one job."""
    rows = await tx.fetch(
        "SELECT user_id FROM temporary_passwords WHERE consumed_at IS NULL AND expiry_told_at IS NULL"
        " AND expires_at <= $1 ORDER BY user_id LIMIT 500 FOR UPDATE SKIP LOCKED",
        at,
    )
    return [UserId(row["user_id"]) for row in rows]


# any-organization: the first password belongs to a person
async def expiry_told(tx: Connection, users: list[UserId], at: datetime) -> None:
    """It was told."""
    await db.run(
        tx, "UPDATE temporary_passwords SET expiry_told_at = $2 WHERE user_id = ANY($1)", users, at
    )


# any-organization: support staff belong to none
async def support_accounts(tx: Connection) -> list[UserId]:
    """Everybody who can be told of what no organization can mend by itself."""
    rows = await tx.fetch("SELECT id FROM users WHERE support ORDER BY id")
    return [UserId(row["id"]) for row in rows]
