"""SQL of what insurance hears: an organization's time zone, and departures from the places where plans are accepted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.insurance.domain import OfficeId, OrganizationId, Period, Place, ProviderId


@dataclass(frozen=True, slots=True)
class Placement:
    """A provider works at an office, as directory told it."""

    id: UUID
    organization_id: OrganizationId
    provider_id: ProviderId
    office_id: OfficeId
    effective_from: date
    effective_until: date | None

    @property
    def period(self) -> Period:
        """Its days. One that ended before it began has none."""
        return Period(self.effective_from, self.effective_until)


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


# any-organization: whoever reads a row of another organization is told how old it is there
async def time_zones(tx: Connection, organizations: Sequence[UUID]) -> dict[UUID, str]:
    """The zones of those organizations that have been heard."""
    found = await tx.fetch(
        "SELECT organization_id, time_zone FROM organizations WHERE organization_id = ANY((SELECT $1::uuid[])::uuid[])",
        organizations,
    )
    return {row["organization_id"]: row["time_zone"] for row in found}


async def show(tx: Connection, provider_or_office: UUID) -> None:
    """Remember that the network may find it."""  # any-organization: a fact of directory, told once
    await tx.execute("INSERT INTO shown VALUES ($1) ON CONFLICT DO NOTHING", provider_or_office)


async def place(tx: Connection, placement: Placement) -> None:
    """Remember who works where; what is known of the placement is replaced."""
    await db.run(
        tx,
        """INSERT INTO placements VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (id) DO UPDATE SET provider_id = $3, office_id = $4, effective_from = $5, effective_until = $6""",
        placement.id,
        placement.organization_id,
        placement.provider_id,
        placement.office_id,
        placement.effective_from,
        placement.effective_until,
    )


async def end_placement(
    tx: Connection, organization_id: OrganizationId, placement_id: UUID, until: date
) -> None:
    """The placement has an end."""
    await db.run(
        tx,
        "UPDATE placements SET effective_until = $3 WHERE organization_id = $1 AND id = $2",
        organization_id,
        placement_id,
        until,
    )


async def end_placements(
    tx: Connection, organization_id: OrganizationId, gone: Place, until: date
) -> None:
    """The provider works anywhere, or anybody at the office, until that day at the longest."""
    await db.run(
        tx,
        """UPDATE placements SET effective_until = $4 WHERE organization_id = $1
            AND ($2::uuid IS NULL OR provider_id = $2) AND ($3::uuid IS NULL OR office_id = $3)
            AND (effective_until IS NULL OR effective_until > $4)""",
        organization_id,
        gone.provider_id,
        gone.office_id,
        until,
    )


async def placements_at(
    tx: Connection, organization_id: OrganizationId, places: Iterable[tuple[UUID, UUID]]
) -> list[Placement]:
    """The placements of providers at offices."""
    pairs = list(places)
    return await db.many(
        tx,
        Placement,
        """SELECT id, organization_id, provider_id, office_id, effective_from, effective_until FROM placements
            WHERE organization_id = $1
            AND (provider_id, office_id) IN (SELECT * FROM unnest($2::uuid[], $3::uuid[])) ORDER BY id""",
        organization_id,
        [provider for provider, _ in pairs],
        [office for _, office in pairs],
    )


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


async def hold_every_place(tx: Connection, organization_id: OrganizationId) -> None:
    """Let nobody add anything anywhere in the organization until the transaction is over; after all who are adding."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", _lock(organization_id)
    )


async def note_departure(
    tx: Connection,
    organization_id: OrganizationId,
    provider_id: ProviderId | None,
    office_id: OfficeId | None,
) -> None:
    """Count that a provider left an office, every office (None), or that everybody left it (None); after all who are adding."""
    await hold_every_place(tx, organization_id)
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
