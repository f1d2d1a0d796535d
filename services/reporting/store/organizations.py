"""Organizations and their groups, as they were heard."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.reporting.domain import (
    Group,
    GroupId,
    Organization,
    OrganizationId,
)

_GROUP = "SELECT id, organization_id, name, office_ids, added_at, removed_at FROM groups"


async def note_fact(tx: Connection, organization_id: OrganizationId, at: datetime) -> None:
    """Advance the organization's watermark; it never goes back."""
    await db.run(
        tx,
        """INSERT INTO organizations (organization_id, data_as_of) VALUES ($1, $2)
            ON CONFLICT (organization_id)
            DO UPDATE SET data_as_of = greatest(organizations.data_as_of, excluded.data_as_of)""",
        organization_id,
        at,
    )


async def hold(tx: Connection, organization_id: OrganizationId) -> None:
    """Let no fact of the organization be applied until the transaction is over; those applied before are seen from now on."""
    await tx.execute(
        "SELECT FROM organizations WHERE organization_id = $1 FOR UPDATE", organization_id
    )


async def keep_time_zone(tx: Connection, organization_id: OrganizationId, time_zone: str) -> None:
    """Remember in which zone an organization reads days and weeks."""
    await db.run(
        tx,
        """INSERT INTO organizations (organization_id, time_zone) VALUES ($1, $2)
            ON CONFLICT (organization_id) DO UPDATE SET time_zone = excluded.time_zone""",
        organization_id,
        time_zone,
    )


async def organization(tx: Connection, organization_id: OrganizationId) -> Organization:
    """What is known of an organization; nothing yet is an organization without time zone and watermark."""
    found = await db.maybe(
        tx, Organization, "SELECT * FROM organizations WHERE organization_id = $1", organization_id
    )
    return found or Organization(organization_id, None, None)


async def organizations(tx: Connection) -> list[Organization]:
    """Every organization whose weeks can be told, for publishing."""  # any-organization: the job goes through all of them
    return await db.many(
        tx,
        Organization,
        "SELECT * FROM organizations WHERE time_zone IS NOT NULL ORDER BY organization_id",
    )


async def add_group(tx: Connection, group: Group) -> None:
    """Remember a group."""
    await db.run(
        tx,
        """INSERT INTO groups (id, organization_id, name, office_ids, added_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (id) DO NOTHING""",
        group.id,
        group.organization_id,
        group.name,
        list(group.office_ids),
        group.added_at,
    )


async def remove_group(
    tx: Connection, organization_id: OrganizationId, group_id: GroupId, at: datetime
) -> None:
    """Note that a group is no more."""
    await db.run(
        tx,
        """UPDATE groups SET removed_at = greatest(added_at, $3)
            WHERE organization_id = $1 AND id = $2 AND removed_at IS NULL""",
        organization_id,
        group_id,
        at,
    )


async def groups_by_id(
    tx: Connection, organization_id: OrganizationId, ids: Sequence[UUID]
) -> dict[UUID, Group]:
    """The organization's groups with these ids."""
    found = await db.many(
        tx, Group, f"{_GROUP} WHERE organization_id = $1 AND id = ANY($2)", organization_id, ids
    )
    return {group.id: group for group in found}


async def groups(tx: Connection, organization_id: OrganizationId) -> list[Group]:
    """Every group the organization has or had."""
    return await db.many(tx, Group, f"{_GROUP} WHERE organization_id = $1", organization_id)
