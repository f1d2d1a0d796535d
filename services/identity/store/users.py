"""Users as seen within an organization: memberships and grants."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.identity.domain import (
    Grant,
    GrantId,
    KnownMembership,
    MembershipId,
    OfficeId,
    OrganizationId,
    Role,
    RoleWanted,
    User,
    UserId,
)

_USER = """
SELECT u.id, m.organization_id, m.id AS membership_id, u.name, u.email, m.version, u.confirmed_at, m.deactivated_at,
    t.expires_at AS invited_until,
    (SELECT l.state FROM letters l WHERE l.user_id = u.id AND l.kind IN ('INVITATION', 'PASSWORD_RESET')
     ORDER BY l.queued_at DESC, l.id DESC LIMIT 1) AS letter_state
FROM memberships m JOIN users u ON u.id = m.user_id
LEFT JOIN temporary_passwords t ON t.user_id = u.id AND t.consumed_at IS NULL
WHERE m.organization_id = $1
"""


@dataclass(frozen=True, slots=True)
class _Granted:
    membership_id: MembershipId
    id: GrantId
    role: Role
    office_id: OfficeId | None
    granted_at: datetime


async def user(
    tx: Connection, organization_id: OrganizationId, user_id: UserId, *, lock: bool = False
) -> User | None:
    """The user, if the organization has one of that id; with `lock`, held until the transaction ends."""
    held = " FOR UPDATE OF m" if lock else ""
    found = await db.many(tx, User, f"{_USER} AND u.id = $2{held}", organization_id, user_id)
    return next(iter(await _with_grants(tx, found)), None)


async def users_by_id(
    tx: Connection, organization_id: OrganizationId, ids: Iterable[UUID]
) -> dict[UUID, User]:
    """Those of these users that the organization has."""
    found = await db.many(tx, User, f"{_USER} AND u.id = ANY($2)", organization_id, list(ids))
    return {one.id: one for one in await _with_grants(tx, found)}


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
    return await _with_grants(tx, found)


async def client_admins(tx: Connection, organization_id: OrganizationId) -> list[User]:
    """The active client admins, confirmed or not."""
    found = await db.many(
        tx,
        User,
        f"{_USER} AND m.deactivated_at IS NULL AND EXISTS (SELECT FROM grants g WHERE g.membership_id = m.id"
        " AND g.role = 'CLIENT_ADMIN' AND g.ended_at IS NULL) ORDER BY u.id",
        organization_id,
    )
    return await _with_grants(tx, found)


# any-organization: the users were read within one
async def _with_grants(tx: Connection, users: Sequence[User]) -> list[User]:
    rows = await db.many(
        tx,
        _Granted,
        "SELECT membership_id, id, role, office_id, granted_at FROM grants"
        " WHERE membership_id = ANY($1) AND ended_at IS NULL ORDER BY role, granted_at, id",
        [one.membership_id for one in users],
    )
    grants: dict[MembershipId, list[Grant]] = {}
    for row in rows:
        grant = Grant(row.id, row.role, row.office_id, row.granted_at)
        grants.setdefault(row.membership_id, []).append(grant)
    return [replace(one, grants=tuple(grants.get(one.membership_id, ()))) for one in users]


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


async def deactivate(tx: Connection, user: User, by: UserId, at: datetime) -> None:
    """End a membership; its grants stay on record."""
    await db.run(
        tx,
        "UPDATE memberships SET deactivated_at = $3, deactivated_by = $4, version = version + 1"
        " WHERE organization_id = $1 AND id = $2",
        user.organization_id,
        user.membership_id,
        at,
        by,
    )


async def add_grant(
    tx: Connection, user: User, wanted: RoleWanted, key: GrantId, by: UserId, at: datetime
) -> None:
    """Grant a role."""
    await db.run(
        tx,
        "INSERT INTO grants (id, membership_id, role, office_id, granted_at, granted_by)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        key,
        user.membership_id,
        wanted.role,
        wanted.office_id,
        at,
        by,
    )
    await _touch(tx, user)


async def end_grant(
    tx: Connection, user: User, wanted: RoleWanted, by: UserId, at: datetime
) -> None:
    """Take a role back."""
    await db.run(
        tx,
        "UPDATE grants SET ended_at = $4, ended_by = $5 WHERE membership_id = $1 AND role = $2"
        " AND office_id IS NOT DISTINCT FROM $3 AND ended_at IS NULL",
        user.membership_id,
        wanted.role,
        wanted.office_id,
        at,
        by,
    )
    await _touch(tx, user)


async def _touch(tx: Connection, user: User) -> None:
    await db.run(
        tx,
        "UPDATE memberships SET version = version + 1 WHERE organization_id = $1 AND id = $2",
        user.organization_id,
        user.membership_id,
    )


async def coverage(
    tx: Connection, organization_id: OrganizationId, offices: Iterable[UUID]
) -> dict[UUID, int]:
    """How many confirmed, active users work for each office, as office admin or office staff (R18)."""
    rows = await tx.fetch(
        "SELECT g.office_id, count(DISTINCT m.user_id) AS staff FROM grants g"
        " JOIN memberships m ON m.id = g.membership_id JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = $1 AND g.office_id = ANY($2) AND g.ended_at IS NULL"
        " AND m.deactivated_at IS NULL AND u.confirmed_at IS NOT NULL GROUP BY g.office_id",
        organization_id,
        list(offices),
    )
    return {row["office_id"]: row["staff"] for row in rows}
