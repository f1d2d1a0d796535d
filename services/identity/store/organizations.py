"""Organizations, and the offices that closed."""

from collections.abc import Iterable
from uuid import UUID

from kit import db
from kit.db import Connection
from services.identity.domain import OfficeId, Organization, OrganizationId

_ORGANIZATION = "SELECT id, name, time_zone, added_at, version FROM organizations"


async def add_organization(tx: Connection, organization: Organization) -> None:
    """Keep a new organization."""
    await db.run(
        tx,
        "INSERT INTO organizations (id, name, time_zone, added_at) VALUES ($1, $2, $3, $4)",
        organization.id,
        organization.name,
        organization.time_zone,
        organization.added_at,
    )


async def organization(tx: Connection, organization_id: OrganizationId) -> Organization | None:
    """The organization, if there is one."""
    return await db.maybe(tx, Organization, f"{_ORGANIZATION} WHERE id = $1", organization_id)


async def lock_organization(tx: Connection, organization_id: OrganizationId) -> Organization:
    """The organization, held until the transaction ends: changes of its users and grants come one after another."""
    return await db.one(
        tx, Organization, f"{_ORGANIZATION} WHERE id = $1 FOR UPDATE", organization_id
    )


# any-organization: who may see which is decided by the policy of the caller
async def organizations_by_id(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, Organization]:
    """Those of these organizations that there are."""
    found = await db.many(
        tx, Organization, f"{_ORGANIZATION} WHERE id = ANY((SELECT $1::uuid[])::uuid[])", list(ids)
    )
    return {one.id: one for one in found}


# any-organization: the list is for support, who look after all of them
async def organizations_page(
    tx: Connection, after: tuple[str, UUID] | None, limit: int
) -> list[Organization]:
    """Organizations by name, those that come after a name and id."""
    name, last = after or ("", UUID(int=0))
    return await db.many(
        tx,
        Organization,
        f"{_ORGANIZATION} WHERE (lower(name), id) > (lower($1), $2) ORDER BY lower(name), id LIMIT $3",
        name,
        last,
        limit,
    )


async def close_office(
    tx: Connection, organization_id: OrganizationId, office_id: OfficeId
) -> None:
    """Remember that an office is closed for good."""
    await db.run(
        tx,
        "INSERT INTO closed_offices VALUES ($1, $2) ON CONFLICT DO NOTHING",
        organization_id,
        office_id,
    )


async def open_office(tx: Connection, organization_id: OrganizationId, office_id: OfficeId) -> None:
    """An office is not closed any more."""
    await db.run(
        tx,
        "DELETE FROM closed_offices WHERE organization_id = $1 AND office_id = $2",
        organization_id,
        office_id,
    )


async def closed_offices(
    tx: Connection, organization_id: OrganizationId, offices: Iterable[UUID]
) -> set[UUID]:
    """Those of these offices that are closed for good."""
    rows = await tx.fetch(
        "SELECT office_id FROM closed_offices WHERE organization_id = $1 AND office_id = ANY($2)",
        organization_id,
        list(offices),
    )
    return {row["office_id"] for row in rows}
