"""Rows of suggestions, and the evidence for them (R20)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.directory.domain.groups import Cluster, Practising
from services.directory.domain.nouns import (
    OfficeId,
    OrganizationId,
    ProviderId,
    Suggestion,
    SuggestionEnd,
)


async def hold_office(tx: Connection, office_id: OfficeId) -> None:
    """Let one transaction at a time look for suggestions at the office."""
    await db.run(
        tx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 20))", f"suggestions {office_id}"
    )


async def practising(
    tx: Connection, organization_id: OrganizationId, office_id: OfficeId, now: datetime
) -> list[Practising]:
    """The approved providers whose placement at the office is not over, by their primary specialty."""
    return await db.many(
        tx,
        Practising,
        """SELECT DISTINCT p.id AS provider_id, s.code AS specialty_code, t.classification
            FROM placements l JOIN offices o ON o.id = l.office_id JOIN providers p ON p.id = l.provider_id
            JOIN provider_specialties s ON s.provider_id = p.id AND s.rank = 1
            JOIN specialties t ON t.code = s.code
            WHERE l.organization_id = $1 AND l.office_id = $2 AND p.state = 'APPROVED'
                AND o.state IN ('PLANNED', 'READY', 'LIVE')
                AND remains(l.effective_from, l.effective_until, o.time_zone, $3)
            ORDER BY p.id""",
        organization_id,
        office_id,
        now,
    )


async def groups_at(
    tx: Connection, organization_id: OrganizationId, office_id: OfficeId
) -> list[list[ProviderId]]:
    """The members of each group of the office that is not leaving."""
    rows = await tx.fetch(
        """SELECT array_agg(m.provider_id) AS members FROM group_offices o
            JOIN groups g ON g.id = o.group_id JOIN group_providers m ON m.group_id = g.id
            WHERE o.organization_id = $1 AND o.office_id = $2 AND g.state IN ('INCOMPLETE', 'READY')
            GROUP BY g.id""",
        organization_id,
        office_id,
    )
    return [row["members"] for row in rows]


async def latest(
    tx: Connection, organization_id: OrganizationId, office_id: OfficeId
) -> dict[str, Suggestion]:
    """The last suggestion made for each classification at the office."""
    rows = await db.many(
        tx,
        Suggestion,
        """SELECT DISTINCT ON (classification) * FROM suggestions WHERE organization_id = $1 AND office_id = $2
            ORDER BY classification, raised_at DESC, id DESC""",
        organization_id,
        office_id,
    )
    return {row.classification: row for row in rows}


async def dismissed(
    tx: Connection, organization_id: OrganizationId, office_id: OfficeId
) -> dict[str, list[list[ProviderId]]]:
    """Whom people did not want as a group at the office, by classification."""
    rows = await tx.fetch(
        """SELECT DISTINCT classification, provider_ids FROM suggestions
            WHERE organization_id = $1 AND office_id = $2 AND closed_because = 'DISMISSED'""",
        organization_id,
        office_id,
    )
    found: dict[str, list[list[ProviderId]]] = {}
    for row in rows:
        found.setdefault(row["classification"], []).append(row["provider_ids"])
    return found


async def add(tx: Connection, suggestion: Suggestion) -> None:
    """Keep a new suggestion."""
    await db.run(
        tx,
        """INSERT INTO suggestions (id, organization_id, office_id, classification, specialty_code, provider_ids,
            raised_at) VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        suggestion.id,
        suggestion.organization_id,
        suggestion.office_id,
        suggestion.classification,
        suggestion.specialty_code,
        list(suggestion.provider_ids),
        suggestion.raised_at,
    )


async def renew(tx: Connection, suggestion: Suggestion, cluster: Cluster) -> None:
    """Let an open suggestion name other providers."""
    await db.run(
        tx,
        """UPDATE suggestions SET provider_ids = $3, specialty_code = $4, snoozed_until = NULL, version = version + 1
            WHERE organization_id = $1 AND id = $2""",
        suggestion.organization_id,
        suggestion.id,
        list(cluster.provider_ids),
        cluster.specialty_code,
    )


async def snooze(tx: Connection, suggestion: Suggestion) -> None:
    """Keep until when a locked suggestion is put off, as its next version."""
    await db.run(
        tx,
        """UPDATE suggestions SET snoozed_until = $3, version = version + 1
            WHERE organization_id = $1 AND id = $2""",
        suggestion.organization_id,
        suggestion.id,
        suggestion.snoozed_until,
    )


async def close(
    tx: Connection, suggestion: Suggestion, because: SuggestionEnd, at: datetime
) -> None:
    """End an open suggestion."""
    await db.run(
        tx,
        """UPDATE suggestions SET closed_at = $3, closed_because = $4, version = version + 1
            WHERE organization_id = $1 AND id = $2 AND closed_at IS NULL""",
        suggestion.organization_id,
        suggestion.id,
        at,
        because,
    )


async def locked(
    tx: Connection, organization_id: OrganizationId, suggestion_id: UUID
) -> Suggestion | None:
    """The suggestion, locked until the transaction ends."""
    return await db.maybe(
        tx,
        Suggestion,
        "SELECT * FROM suggestions WHERE organization_id = $1 AND id = $2 FOR UPDATE",
        organization_id,
        suggestion_id,
    )


async def by_ids(
    tx: Connection, organization_id: OrganizationId, ids: Iterable[UUID]
) -> list[Suggestion]:
    """Those of these suggestions that were made to the organization."""
    return await db.many(
        tx,
        Suggestion,
        "SELECT * FROM suggestions WHERE organization_id = $1 AND id = ANY($2)",
        organization_id,
        list(ids),
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which open suggestions are wanted: those of an office or of all; at this moment, unless `snoozed` ones are wanted too."""

    office_id: UUID | None
    now: datetime
    snoozed: bool


async def page(
    tx: Connection,
    organization_id: OrganizationId,
    wanted: Wanted,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Suggestion]:
    """The organization's open suggestions, oldest first."""
    return await db.many(
        tx,
        Suggestion,
        """SELECT s.* FROM suggestions s JOIN offices o ON o.id = s.office_id
            WHERE s.organization_id = $1 AND s.closed_at IS NULL AND ($2::uuid IS NULL OR s.office_id = $2)
            AND ($6 OR s.snoozed_until IS NULL OR s.snoozed_until <= ($7::timestamptz AT TIME ZONE o.time_zone)::date)
            AND ($3::timestamptz IS NULL OR (s.raised_at, s.id) > ($3, $4::uuid))
            ORDER BY s.raised_at, s.id LIMIT $5""",
        organization_id,
        wanted.office_id,
        *(after or (None, None)),
        limit,
        wanted.snoozed,
        wanted.now,
    )


async def offices_to_review(tx: Connection) -> list[tuple[OrganizationId, OfficeId]]:
    """Every office where there are providers or an open suggestion."""  # any-organization: the job looks at all of them
    rows = await tx.fetch(
        """SELECT organization_id, id FROM offices o WHERE state <> 'CLOSED'
            AND EXISTS (SELECT FROM placements l WHERE l.office_id = o.id)
            OR EXISTS (SELECT FROM suggestions s WHERE s.office_id = o.id AND s.closed_at IS NULL) ORDER BY id"""
    )
    return [(row["organization_id"], row["id"]) for row in rows]
