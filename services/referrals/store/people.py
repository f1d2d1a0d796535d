"""SQL of what was heard: who works for a group, who is in it, whose referrals an organization has lost, and its time zone."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.referrals.domain import (
    GroupId,
    OrganizationId,
    ProviderId,
    Reason,
    ReasonKind,
    UserId,
)


async def keep_time_zone(tx: Connection, organization_id: OrganizationId, time_zone: str) -> None:
    """Remember in which zone an organization reads its calendar."""
    await db.run(
        tx,
        "INSERT INTO organizations VALUES ($1, $2) ON CONFLICT (organization_id) DO UPDATE SET time_zone = excluded.time_zone",
        organization_id,
        time_zone,
    )


async def time_zone(tx: Connection, organization_id: OrganizationId) -> str | None:
    """The zone in which an organization reads its calendar; None while it has not been heard."""
    found: str | None = await db.value(
        tx, "SELECT time_zone FROM organizations WHERE organization_id = $1", organization_id
    )
    return found


async def access(
    tx: Connection,
    organization_id: OrganizationId,
    user_id: UserId,
    providers: Sequence[ProviderId],
) -> tuple[frozenset[GroupId], frozenset[ProviderId]]:
    """The groups of the organization that the user works for, and which of these providers were removed from it."""
    groups, removed = await db.value(
        tx,
        "SELECT (ARRAY(SELECT group_id FROM group_staff WHERE organization_id = $1 AND user_id = $2),"
        " ARRAY(SELECT provider_id FROM removed_providers WHERE organization_id = $1"
        " AND provider_id = ANY((SELECT $3::uuid[])::uuid[])))",
        organization_id,
        user_id,
        providers,
    )
    return frozenset(map(GroupId, groups)), frozenset(map(ProviderId, removed))


async def members_of(
    tx: Connection, organization_id: OrganizationId, group_id: GroupId
) -> list[ProviderId]:
    """The providers of a group."""
    rows = await tx.fetch(
        "SELECT provider_id FROM group_members WHERE organization_id = $1 AND group_id = $2 ORDER BY provider_id",
        organization_id,
        group_id,
    )
    return [ProviderId(row["provider_id"]) for row in rows]


async def put_group(
    tx: Connection,
    organization_id: OrganizationId,
    group_id: GroupId,
    staff: Sequence[UUID],
    members: Sequence[UUID],
) -> None:
    """The whole truth about a group, in place of what was known. No staff and no members: the group is gone."""
    await db.run(tx, "DELETE FROM group_staff WHERE group_id = $1", group_id)
    await db.run(tx, "DELETE FROM group_members WHERE group_id = $1", group_id)
    await db.run(
        tx,
        "INSERT INTO group_staff SELECT DISTINCT $1::uuid, one, $2::uuid FROM unnest($3::uuid[]) AS one",
        group_id,
        organization_id,
        staff,
    )
    await db.run(
        tx,
        "INSERT INTO group_members SELECT DISTINCT $1::uuid, one, $2::uuid FROM unnest($3::uuid[]) AS one",
        group_id,
        organization_id,
        members,
    )


async def end_access(
    tx: Connection, organization_id: OrganizationId, provider_id: ProviderId, at: datetime
) -> None:
    """The organization reads none of the provider's referrals from now on, nor of any record that was merged into it (R14)."""
    await db.run(
        tx,
        "WITH RECURSIVE same AS (SELECT $2::uuid AS provider_id UNION SELECT m.provider_id FROM merged_providers m"
        " JOIN same s ON s.provider_id = m.survivor_id WHERE m.organization_id = $1)"
        " INSERT INTO removed_providers SELECT $1::uuid, provider_id, $3::timestamptz FROM same ON CONFLICT DO NOTHING",
        organization_id,
        provider_id,
        at,
    )


async def put_merged(
    tx: Connection, organization_id: OrganizationId, provider_id: ProviderId, survivor_id: UUID
) -> None:
    """A record of a provider is from now on another one's."""
    await db.run(
        tx,
        "INSERT INTO merged_providers VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        organization_id,
        provider_id,
        survivor_id,
    )


async def removed_from(
    tx: Connection, organization_id: OrganizationId, providers: Sequence[ProviderId]
) -> frozenset[ProviderId]:
    """Which of these providers were removed from the organization."""
    rows = await tx.fetch(
        "SELECT provider_id FROM removed_providers WHERE organization_id = $1"
        " AND provider_id = ANY((SELECT $2::uuid[])::uuid[])",
        organization_id,
        providers,
    )
    return frozenset(ProviderId(row["provider_id"]) for row in rows)


# any-organization: whoever tells both sides must know whom one of them has lost
async def lost_ends(
    tx: Connection, ends: Sequence[tuple[OrganizationId, ProviderId]]
) -> frozenset[tuple[OrganizationId, ProviderId]]:
    """Which of these providers were removed from the organization beside them."""
    if not ends:
        return frozenset()
    organizations, providers = zip(*ends, strict=True)
    rows = await tx.fetch(
        "SELECT x.organization_id, x.provider_id FROM unnest((SELECT $1::uuid[]), (SELECT $2::uuid[])) AS e (organization_id, provider_id)"
        " JOIN removed_providers x ON x.organization_id = e.organization_id AND x.provider_id = e.provider_id",
        organizations,
        providers,
    )
    return frozenset(
        (OrganizationId(row["organization_id"]), ProviderId(row["provider_id"])) for row in rows
    )


# any-organization: reasons are the product's own words
async def reason(tx: Connection, kind: ReasonKind, code: str) -> Reason | None:
    """A coded reason, whenever it is valid."""
    return await db.maybe(
        tx, Reason, "SELECT * FROM reasons WHERE kind = $1 AND code = $2", kind, code
    )


# any-organization: reasons are the product's own words
async def lapsing(tx: Connection) -> list[Reason]:
    """The reasons of a decline after which a referral ends by itself."""
    return await db.many(tx, Reason, "SELECT * FROM reasons WHERE lapses ORDER BY code")


# any-organization: reasons are the product's own words
async def reasons(tx: Connection, kind: ReasonKind, day: date) -> list[Reason]:
    """The coded reasons that may be given on a day."""
    return await db.many(
        tx,
        Reason,
        "SELECT * FROM reasons WHERE kind = $1 AND valid_from <= $2 AND (valid_until IS NULL OR $2 < valid_until)"
        " ORDER BY code",
        kind,
        day,
    )
