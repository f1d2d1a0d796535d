"""SQL of what insurance hears: an organization's time zone, and departures from the places where plans are accepted."""

from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.insurance.domain import OfficeId, OrganizationId, ProviderId


async def keep_organization(
    tx: Connection, organization_id: OrganizationId, time_zone: str, added_at: datetime
) -> None:
    """Remember since when an organization is there, and in which zone it reads its calendar."""
    await db.run(
        tx,
        """INSERT INTO organizations (organization_id, time_zone, added_at) VALUES ($1, $2, $3)
            ON CONFLICT (organization_id) DO UPDATE SET time_zone = excluded.time_zone""",
        organization_id,
        time_zone,
        added_at,
    )


async def time_zone(tx: Connection, organization_id: UUID) -> str | None:
    """The zone in which an organization reads its calendar; None while it has not been heard."""
    found: str | None = await db.value(
        tx, "SELECT time_zone FROM organizations WHERE organization_id = $1", organization_id
    )
    return found


async def show(tx: Connection, provider_or_office: UUID) -> None:
    """Remember that the network may find it."""  # any-organization: a fact of directory, told once
    await tx.execute("INSERT INTO shown VALUES ($1) ON CONFLICT DO NOTHING", provider_or_office)


# A departure takes the organization's lock alone, whoever adds shares it: so either the departure finds the new rows, or whoever
# adds finds the departure.


async def hold_place(
    tx: Connection, organization_id: OrganizationId, provider_id: ProviderId, office_id: OfficeId
) -> None:
    """Hold off departures from the organization's places, and whoever else adds to this one, until the transaction is over."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))", _lock(organization_id)
    )
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
        f"participations {provider_id} {office_id}",
    )


async def note_departure(
    tx: Connection,
    organization_id: OrganizationId,
    provider_id: ProviderId | None,
    office_id: OfficeId | None,
) -> None:
    """Count that a provider left an office, every office (None), or that everybody left it (None); after all who are adding."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", _lock(organization_id)
    )
    await db.run(
        tx,
        """INSERT INTO departures AS d VALUES ($1, $2, $3, 1)
            ON CONFLICT (organization_id, provider_id, office_id) DO UPDATE SET heard = d.heard + 1""",
        organization_id,
        provider_id,
        office_id,
    )


async def departures(
    tx: Connection, organization_id: OrganizationId, provider_id: ProviderId, office_id: OfficeId
) -> int:
    """How many departures that concern the provider at the office were heard so far."""
    heard: int = await db.value(
        tx,
        """SELECT coalesce(sum(heard), 0) FROM departures WHERE organization_id = $1
            AND (provider_id = $2 AND office_id = $3 OR provider_id = $2 AND office_id IS NULL
                OR provider_id IS NULL AND office_id = $3)""",
        organization_id,
        provider_id,
        office_id,
    )
    return heard


def _lock(organization_id: UUID) -> str:
    return f"departures {organization_id}"
