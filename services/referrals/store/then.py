"""SQL of how things were: who was at a referral's ends and on a group's staff, and since when that is known."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.referrals.domain import EndThen, GroupId, OrganizationId, ProviderId, ReferralId

_BEGINNING = "referrals/0017_access_then.sql"
"""The migration with which the histories begin."""


# any-organization: a day of the installation
async def began(tx: Connection) -> datetime:
    """Since when the histories are kept, by the database's own time."""
    found: datetime = await db.value(
        tx, "SELECT applied_at FROM migrations WHERE name = $1", _BEGINNING
    )
    return found


async def ends_of(
    tx: Connection, organization_id: OrganizationId, referral_id: ReferralId
) -> list[EndThen]:
    """When which of the organization's offices were an end of the referral, in order."""
    return await db.many(
        tx,
        EndThen,
        "SELECT * FROM referral_ends WHERE referral_id = $1 AND organization_id = $2 ORDER BY from_at, hop",
        referral_id,
        organization_id,
    )


async def staff_at(
    tx: Connection, organization_id: OrganizationId, groups: Sequence[GroupId], on: datetime
) -> dict[UUID, set[GroupId]]:
    """Who was on the staff of which of these groups at a moment."""
    rows = await tx.fetch(
        "SELECT user_id, group_id FROM group_staff_then WHERE organization_id = $1 AND group_id = ANY($2)"
        " AND from_at <= $3 AND (until_at IS NULL OR until_at > $3)",
        organization_id,
        groups,
        on,
    )
    found: dict[UUID, set[GroupId]] = {}
    for row in rows:
        found.setdefault(row["user_id"], set()).add(GroupId(row["group_id"]))
    return found


async def removed_at(
    tx: Connection, organization_id: OrganizationId, on: datetime
) -> frozenset[ProviderId]:
    """The providers that had been removed from the organization by then."""
    rows = await tx.fetch(
        "SELECT provider_id FROM removed_providers WHERE organization_id = $1 AND removed_at <= $2",
        organization_id,
        on,
    )
    return frozenset(ProviderId(row["provider_id"]) for row in rows)


async def note_staff(
    tx: Connection,
    organization_id: OrganizationId,
    group_id: GroupId,
    staff: Sequence[UUID],
    at: datetime,
) -> None:
    """Who is on a group's staff from a moment on: who was and is not any more has been until then."""
    await db.run(
        tx,
        "UPDATE group_staff_then SET until_at = greatest($4, from_at) WHERE organization_id = $1 AND group_id = $2"
        " AND until_at IS NULL AND user_id <> ALL($3::uuid[])",
        organization_id,
        group_id,
        staff,
        at,
    )
    await db.run(
        tx,
        "INSERT INTO group_staff_then SELECT DISTINCT $1::uuid, $2::uuid, one, $4::timestamptz FROM unnest($3::uuid[]) AS one"
        " ON CONFLICT DO NOTHING",
        organization_id,
        group_id,
        staff,
        at,
    )
