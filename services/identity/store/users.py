"""Users as seen within an organization: memberships and grants."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.identity.domain import (
    KnownMembership,
    MembershipId,
    OrganizationId,
    Role,
    User,
    UserId,
)
from services.identity.store.grants import with_grants

_USER = """
SELECT u.id, m.organization_id, m.id AS membership_id, u.name, u.email, m.version, u.confirmed_at, m.deactivated_at,
    t.expires_at AS invited_until, coalesce(m.reactivated_at, m.added_at) AS invited_at, m.title, m.signed_in_at,
    u.password_hash IS NOT NULL AS has_password,
    (SELECT l.state FROM letters l WHERE l.user_id = u.id AND l.kind IN ('INVITATION', 'PASSWORD_RESET')
     ORDER BY l.queued_at DESC, l.id DESC LIMIT 1) AS letter_state
FROM memberships m JOIN users u ON u.id = m.user_id
LEFT JOIN temporary_passwords t ON t.user_id = u.id AND t.consumed_at IS NULL
WHERE m.organization_id = $1
"""


async def user(
    tx: Connection, organization_id: OrganizationId, user_id: UserId, *, lock: bool = False
) -> User | None:
    """The user, if the organization has one of that id; with `lock`, held until the transaction ends."""
    held = " FOR UPDATE OF m" if lock else ""
    found = await db.many(tx, User, f"{_USER} AND u.id = $2{held}", organization_id, user_id)
    return next(iter(await with_grants(tx, found)), None)


async def users_by_id(
    tx: Connection, organization_id: OrganizationId, ids: Iterable[UUID]
) -> dict[UUID, User]:
    """Those of these users that the organization has."""
    found = await db.many(
        tx, User, f"{_USER} AND u.id = ANY((SELECT $2::uuid[])::uuid[])", organization_id, list(ids)
    )
    return {one.id: one for one in await with_grants(tx, found)}


async def users_page(
    tx: Connection, organization_id: OrganizationId, after: tuple[str, UUID] | None, limit: int
) -> list[User]:
    """The organization's users by name, those that come after a name and id."""
    name, last = after or ("", UUID(int=0))
    found = await db.many(
        tx,
        User,
        f"{_USER} AND (lower(u.name), u.id) > (lower($2), $3) ORDER BY lower(u.name), u.id LIMIT $4",
        organization_id,
        name,
        last,
        limit,
    )
    return await with_grants(tx, found)


async def unconfirmed_page(
    tx: Connection,
    organization_id: OrganizationId,
    offices: Iterable[UUID] | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[User]:
    """The users who have not confirmed, the oldest first (R04); with `offices`, those who are to work there."""
    since, last = after or (None, None)
    found = await db.many(
        tx,
        User,
        f"{_USER} AND m.deactivated_at IS NULL AND u.confirmed_at IS NULL"
        " AND ($2::uuid[] IS NULL OR EXISTS (SELECT FROM live_grants g WHERE g.membership_id = m.id"
        " AND g.workplace = ANY($2)))"
        " AND ($3::timestamptz IS NULL OR (coalesce(m.reactivated_at, m.added_at), u.id) > ($3, $4::uuid))"
        " ORDER BY coalesce(m.reactivated_at, m.added_at), u.id LIMIT $5",
        organization_id,
        None if offices is None else list(offices),
        since,
        last,
        limit,
    )
    return await with_grants(tx, found)


async def client_admins(tx: Connection, organization_id: OrganizationId) -> list[User]:
    """The active client admins, confirmed or not."""
    found = await db.many(
        tx,
        User,
        f"{_USER} AND m.deactivated_at IS NULL AND EXISTS (SELECT FROM grants g WHERE g.membership_id = m.id"
        " AND g.role = 'CLIENT_ADMIN' AND g.ended_at IS NULL) ORDER BY u.id",
        organization_id,
    )
    return await with_grants(tx, found)


async def users_in_role(tx: Connection, organization_id: OrganizationId, role: Role) -> list[User]:
    """The active users who have that role now, confirmed or not."""
    found = await db.many(
        tx,
        User,
        f"{_USER} AND m.deactivated_at IS NULL AND EXISTS (SELECT FROM live_grants g WHERE g.membership_id = m.id"
        " AND g.role::text = $2) ORDER BY u.id",
        organization_id,
        role,
    )
    return await with_grants(tx, found)


async def add_membership(
    tx: Connection,
    organization_id: OrganizationId,
    user_id: UserId,
    key: MembershipId,
    at: datetime,
) -> None:
    """Make a user belong to an organization."""
    await db.run(
        tx,
        "INSERT INTO memberships (id, organization_id, user_id, added_at) VALUES ($1, $2, $3, $4)",
        key,
        organization_id,
        user_id,
        at,
    )


# any-organization: the memberships of one person, for that person's own sign-in
async def memberships_of(tx: Connection, user_id: UserId) -> list[KnownMembership]:
    """The active memberships of a user, by the organization's name."""
    return await db.many(
        tx,
        KnownMembership,
        "SELECT m.id, o.id AS organization_id, o.name AS organization_name FROM memberships m"
        " JOIN organizations o ON o.id = m.organization_id"
        " WHERE m.user_id = $1 AND m.deactivated_at IS NULL ORDER BY lower(o.name), o.id",
        user_id,
    )


async def deactivate(tx: Connection, user: User, by: UserId | None, at: datetime) -> None:
    """End a membership, and with it whatever was granted; both stay on record. `by` is None when the 90 days did it."""
    await db.run(
        tx,
        "UPDATE memberships SET deactivated_at = $3, deactivated_by = $4, version = version + 1"
        " WHERE organization_id = $1 AND id = $2",
        user.organization_id,
        user.membership_id,
        at,
        by,
    )
    await db.run(
        tx,
        "UPDATE grants SET ended_at = $2, ended_by = $3, ended_because = 'DEACTIVATED'"
        " WHERE membership_id = $1 AND ended_at IS NULL",
        user.membership_id,
        at,
        by,
    )


async def reactivate(tx: Connection, user: User, at: datetime) -> None:
    """Begin a membership anew, with nothing granted."""
    await db.run(
        tx,
        "UPDATE memberships SET deactivated_at = NULL, deactivated_by = NULL, reactivated_at = $3, warned_at = NULL,"
        " alerted_at = NULL, version = version + 1 WHERE organization_id = $1 AND id = $2",
        user.organization_id,
        user.membership_id,
        at,
    )


async def keep_title(tx: Connection, user: User, title: str | None) -> None:
    """What the user is called in the organization, such as Practice manager."""
    await db.run(
        tx,
        "UPDATE memberships SET title = $3, version = version + 1 WHERE organization_id = $1 AND id = $2",
        user.organization_id,
        user.membership_id,
        title,
    )
