"""Rows of placements."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.directory.domain.nouns import OfficeId, OrganizationId, Placement, ProviderId

_REMAINING = """SELECT l.* FROM placements l JOIN offices o ON o.id = l.office_id
    WHERE l.organization_id = $1 AND remains(l.effective_from, l.effective_until, o.time_zone, $2)"""


async def add(tx: Connection, placement: Placement, at: datetime) -> None:
    """Keep a new placement. Raises the violation of placements_overlap when it shares a day with another."""
    await db.run(
        tx,
        """INSERT INTO placements (id, organization_id, provider_id, office_id, effective_from, effective_until,
            accepting_new_patients, changed_at, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)""",
        placement.id,
        placement.organization_id,
        placement.provider_id,
        placement.office_id,
        placement.effective_from,
        placement.effective_until,
        placement.accepting_new_patients,
        at,
    )


async def save(tx: Connection, placement: Placement, at: datetime) -> None:
    """Keep a changed placement, which this transaction has locked, as its next version."""
    await db.run(
        tx,
        """UPDATE placements SET effective_from = $3, effective_until = $4, accepting_new_patients = $5,
            changed_at = $6, version = version + 1 WHERE organization_id = $1 AND id = $2""",
        placement.organization_id,
        placement.id,
        placement.effective_from,
        placement.effective_until,
        placement.accepting_new_patients,
        at,
    )


async def locked(
    tx: Connection, organization_id: OrganizationId, placement_id: UUID
) -> Placement | None:
    """The placement, locked until the transaction ends."""
    return await db.maybe(
        tx,
        Placement,
        "SELECT * FROM placements WHERE organization_id = $1 AND id = $2 FOR UPDATE",
        organization_id,
        placement_id,
    )


async def remaining_of_provider(
    tx: Connection, organization_id: OrganizationId, provider_id: UUID, now: datetime
) -> list[Placement]:
    """The placements of the provider that are not over."""
    return await db.many(
        tx,
        Placement,
        f"{_REMAINING} AND l.provider_id = $3 ORDER BY l.office_id, l.effective_from",
        organization_id,
        now,
        provider_id,
    )


async def locked_of_provider(
    tx: Connection, organization_id: OrganizationId, provider_id: UUID, now: datetime
) -> list[Placement]:
    """The placements of the provider that are not over, locked."""
    return await db.many(
        tx,
        Placement,
        f"{_REMAINING} AND l.provider_id = $3 ORDER BY l.id FOR UPDATE OF l",
        organization_id,
        now,
        provider_id,
    )


async def remaining_at_office(
    tx: Connection, organization_id: OrganizationId, office_id: OfficeId, now: datetime
) -> list[Placement]:
    """The placements at the office that are not over, locked."""
    return await db.many(
        tx,
        Placement,
        f"{_REMAINING} AND l.office_id = $3 ORDER BY l.id FOR UPDATE OF l",
        organization_id,
        now,
        office_id,
    )


async def at(
    tx: Connection, organization_id: OrganizationId, provider_id: UUID, office_id: UUID
) -> list[Placement]:
    """Every placement of a provider at one office, oldest first."""
    return await db.many(
        tx,
        Placement,
        """SELECT * FROM placements WHERE organization_id = $1 AND provider_id = $2 AND office_id = $3
            ORDER BY effective_from, id""",
        organization_id,
        provider_id,
        office_id,
    )


async def by_ids(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, Placement]:
    """The placements with these ids."""  # any-organization: policy decides for each what the viewer may see
    rows = await db.many(
        tx,
        Placement,
        "SELECT * FROM placements WHERE id = ANY((SELECT $1::uuid[])::uuid[])",
        list(ids),
    )
    return {row.id: row for row in rows}


async def of_providers(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, list[Placement]]:
    """The placements of each of these providers, oldest first."""  # any-organization: policy decides for each
    rows = await db.many(
        tx,
        Placement,
        "SELECT * FROM placements WHERE provider_id = ANY((SELECT $1::uuid[])::uuid[]) ORDER BY effective_from, id",
        list(ids),
    )
    found: dict[UUID, list[Placement]] = {}
    for row in rows:
        found.setdefault(row.provider_id, []).append(row)
    return found


async def of_offices(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, list[Placement]]:
    """The placements at each of these offices, oldest first."""  # any-organization: policy decides for each
    rows = await db.many(
        tx,
        Placement,
        "SELECT * FROM placements WHERE office_id = ANY((SELECT $1::uuid[])::uuid[]) ORDER BY effective_from, id",
        list(ids),
    )
    found: dict[UUID, list[Placement]] = {}
    for row in rows:
        found.setdefault(row.office_id, []).append(row)
    return found


async def on_day(
    tx: Connection, keys: Iterable[tuple[ProviderId, OfficeId]], day: date
) -> list[Placement]:
    """The placements of these provider-office pairs that hold on the day."""  # any-organization: siblings ask about any
    pairs = list(keys)
    return await db.many(
        tx,
        Placement,
        """SELECT l.* FROM placements l
            JOIN unnest($1::uuid[], $2::uuid[]) AS asked (provider_id, office_id)
                ON (l.provider_id, l.office_id) = (asked.provider_id, asked.office_id)
            WHERE l.effective_from <= $3 AND (l.effective_until IS NULL OR l.effective_until > $3) ORDER BY l.id""",
        [provider for provider, _ in pairs],
        [office for _, office in pairs],
        day,
    )
