"""What users are granted, what they once were, and which offices that covers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.identity.domain import (
    Grant,
    GrantId,
    MembershipId,
    OfficeId,
    OrganizationId,
    Role,
    RoleWanted,
    User,
    UserId,
)
from services.identity.domain.roles import ProviderId


@dataclass(frozen=True, slots=True)
class _Granted:
    membership_id: MembershipId
    id: GrantId
    role: Role
    office_id: OfficeId | None
    granted_at: datetime
    provider_id: ProviderId | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A grant that has ended by itself, and whose it was."""

    user_id: UserId
    role: Role
    office_id: OfficeId | None
    provider_id: ProviderId | None


# any-organization: the users were read within one
async def with_grants(tx: Connection, users: Sequence[User]) -> list[User]:
    """The users with what they are granted now."""
    rows = await db.many(
        tx,
        _Granted,
        "SELECT membership_id, id, role, office_id, granted_at, provider_id, expires_at FROM live_grants"
        " WHERE membership_id = ANY((SELECT $1::uuid[])::uuid[]) ORDER BY role, granted_at, id",
        [one.membership_id for one in users],
    )
    grants: dict[MembershipId, list[Grant]] = {}
    for row in rows:
        grants.setdefault(row.membership_id, []).append(_grant(row))
    return [replace(one, grants=tuple(grants.get(one.membership_id, ()))) for one in users]


def _grant(row: _Granted) -> Grant:
    return Grant(row.id, row.role, row.office_id, row.granted_at, row.provider_id, row.expires_at)


# any-organization: the user was read within one
async def previous_grants(tx: Connection, user: User) -> list[Grant]:
    """What a deactivated user was granted until the last deactivation."""
    rows = await db.many(
        tx,
        _Granted,
        "SELECT g.membership_id, g.id, g.role, g.office_id, g.granted_at, g.provider_id, g.expires_at FROM grants g"
        " JOIN memberships m ON m.id = g.membership_id AND m.deactivated_at = g.ended_at"
        " WHERE g.membership_id = $1 AND g.ended_because = 'DEACTIVATED' ORDER BY g.role, g.granted_at, g.id",
        user.membership_id,
    )
    return [_grant(row) for row in rows]


async def add_grant(
    tx: Connection, user: User, wanted: RoleWanted, key: GrantId, by: UserId, at: datetime
) -> None:
    """Grant a role. Raises the violation of grants_one_person when the provider's record is somebody else's."""
    await db.run(
        tx,
        "INSERT INTO grants (id, membership_id, role, office_id, provider_id, expires_at, granted_at, granted_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        key,
        user.membership_id,
        wanted.role,
        wanted.office_id,
        wanted.provider_id,
        wanted.expires_at,
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
        "UPDATE grants SET ended_at = $5, ended_by = $6, ended_because = 'REVOKED' WHERE membership_id = $1 AND role = $2"
        " AND office_id IS NOT DISTINCT FROM $3 AND provider_id IS NOT DISTINCT FROM $4 AND ended_at IS NULL",
        user.membership_id,
        wanted.role,
        wanted.office_id,
        wanted.provider_id,
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


async def end_grants_of_office(
    tx: Connection, organization_id: OrganizationId, office_id: OfficeId, at: datetime
) -> list[Ended]:
    """Let every grant on an office lapse; answers whose they were."""
    return await _end(
        tx, "OFFICE_CLOSED", "m.organization_id = $3 AND g.office_id = $4", at, organization_id, office_id
    )  # fmt: skip


async def end_grants_of_provider(
    tx: Connection, organization_id: OrganizationId, provider_id: ProviderId, at: datetime
) -> list[Ended]:
    """The provider is no longer the organization's: nobody is that provider any more."""
    return await _end(
        tx, "PROVIDER_REMOVED", "m.organization_id = $3 AND g.provider_id = $4", at, organization_id, provider_id
    )  # fmt: skip


async def end_expired_grants(
    tx: Connection, organization_id: OrganizationId, at: datetime
) -> list[Ended]:
    """Let what was granted for a time lapse when that is over."""
    return await _end(
        tx, "EXPIRED", "m.organization_id = $3 AND g.expires_at <= $1", at, organization_id
    )


async def _end(
    tx: Connection, because: str, which: str, at: datetime, *more: object
) -> list[Ended]:
    rows = await tx.fetch(
        f"UPDATE grants g SET ended_at = $1, ended_because = $2 FROM memberships m"  # noqa: S608 - constants of this file
        f" WHERE m.id = g.membership_id AND g.ended_at IS NULL AND {which}"
        " RETURNING m.id AS membership_id, m.user_id, g.role::text AS role, g.office_id, g.provider_id",
        at,
        because,
        *more,
    )
    await db.run(
        tx,
        "UPDATE memberships SET version = version + 1 WHERE id = ANY($1)",
        [row["membership_id"] for row in rows],
    )
    ended = [
        Ended(UserId(row["user_id"]), Role(row["role"]), row["office_id"], row["provider_id"])
        for row in rows
    ]
    return sorted(ended, key=lambda one: (one.user_id, one.role, str(one.office_id)))


# any-organization: housekeeping looks for work everywhere, and does it organization by organization
async def organizations_with_expired_grants(tx: Connection, at: datetime) -> list[OrganizationId]:
    """Where something that was granted for a time is over."""
    rows = await tx.fetch(
        "SELECT DISTINCT m.organization_id FROM grants g JOIN memberships m ON m.id = g.membership_id"
        " WHERE g.ended_at IS NULL AND g.expires_at <= $1 ORDER BY m.organization_id",
        at,
    )
    return [OrganizationId(row["organization_id"]) for row in rows]


async def provider_is_somebody(
    tx: Connection, organization_id: OrganizationId, provider_id: ProviderId
) -> bool:
    """Whether a user of the organization is that provider now."""
    found: bool = await db.value(
        tx,
        "SELECT EXISTS (SELECT FROM grants g JOIN memberships m ON m.id = g.membership_id"
        " WHERE m.organization_id = $1 AND g.provider_id = $2 AND g.ended_at IS NULL)",
        organization_id,
        provider_id,
    )
    return found


# any-organization: a membership is one organization's
async def first_expiry(tx: Connection, membership_id: MembershipId) -> datetime | None:
    """When the first of what the membership is granted for a time ends."""
    found: datetime | None = await db.value(
        tx, "SELECT min(expires_at) FROM live_grants WHERE membership_id = $1", membership_id
    )
    return found


async def granter_of_provider(
    tx: Connection, organization_id: OrganizationId, provider_id: ProviderId
) -> UserId | None:
    """Who said that a user is that provider, if one is."""
    found: UserId | None = await db.value(
        tx,
        "SELECT g.granted_by FROM grants g JOIN memberships m ON m.id = g.membership_id"
        " WHERE m.organization_id = $1 AND g.provider_id = $2 AND g.ended_at IS NULL",
        organization_id,
        provider_id,
    )
    return found


async def coverage(
    tx: Connection, organization_id: OrganizationId, offices: Iterable[UUID]
) -> dict[UUID, int]:
    """How many confirmed, active users work for each office, as office admin or office staff (R18)."""
    rows = await tx.fetch(
        "SELECT g.workplace, count(DISTINCT m.user_id) AS staff FROM live_grants g"
        " JOIN memberships m ON m.id = g.membership_id JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = $1 AND g.workplace = ANY($2)"
        " AND m.deactivated_at IS NULL AND u.confirmed_at IS NOT NULL GROUP BY g.workplace",
        organization_id,
        list(offices),
    )
    return {row["workplace"]: row["staff"] for row in rows}
