"""Rows of specialties, of an organization's settings and of import batches; and holding a name."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.directory.domain.imports import ImportBatch, ImportResult, NoteResult
from services.directory.domain.nouns import OrganizationId, Settings, Specialty, UserId


async def hold(tx: Connection, organization_id: OrganizationId, what: str) -> None:
    """Let one transaction at a time use a name or number of the organization, so that the second one sees the first."""
    await db.run(
        tx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", f"{organization_id} {what}"
    )


async def specialties(tx: Connection) -> list[Specialty]:
    """Every specialty, by name."""  # any-organization: specialties are shared by the whole network
    return await db.many(tx, Specialty, "SELECT * FROM specialties ORDER BY name")


async def specialties_by_code(tx: Connection, codes: Iterable[str]) -> dict[str, Specialty]:
    """The specialties with these codes."""  # any-organization: specialties are shared by the whole network
    rows = await db.many(
        tx, Specialty, "SELECT * FROM specialties WHERE code = ANY($1)", list(codes)
    )
    return {row.code: row for row in rows}


async def related(tx: Connection, to: Specialty) -> list[str]:
    """The codes of the same classification."""  # any-organization: specialties are shared by the whole network
    rows = await tx.fetch(
        """SELECT code FROM specialties WHERE classification = $1 AND grouping = $2 AND code <> $3
            ORDER BY code""",
        to.classification,
        to.grouping,
        to.code,
    )
    return [row["code"] for row in rows]


async def settings(tx: Connection, organization_id: OrganizationId) -> Settings:
    """What the organization has decided, or the defaults."""
    found = await db.maybe(
        tx,
        Settings,
        "SELECT * FROM organization_settings WHERE organization_id = $1 FOR SHARE",
        organization_id,
    )
    return found or Settings()


async def settings_seen(tx: Connection, organization_id: OrganizationId) -> Settings:
    """What the organization has decided, for a read-only transaction."""
    found = await db.maybe(
        tx,
        Settings,
        "SELECT * FROM organization_settings WHERE organization_id = $1",
        organization_id,
    )
    return found or Settings()


async def save_settings(tx: Connection, organization_id: OrganizationId, wanted: Settings) -> bool:
    """Keep the settings as one version on from `wanted.version`; False when another version stands."""
    touched = await db.run(
        tx,
        """INSERT INTO organization_settings AS s
            (organization_id, second_approver, suggest_groups_from, approval_needs, version) VALUES ($1, $2, $3, $4, 1)
            ON CONFLICT (organization_id) DO UPDATE SET second_approver = $2, suggest_groups_from = $3, approval_needs = $4,
                version = s.version + 1 WHERE s.version = $5""",
        organization_id,
        wanted.second_approver,
        wanted.suggest_groups_from,
        sorted(wanted.approval_needs),
        wanted.version,
    )
    return touched == 1


async def add_batch(
    tx: Connection,
    batch_id: UUID,
    organization_id: OrganizationId,
    user_id: UserId,
    at: datetime,
    results: Iterable[ImportResult | NoteResult],
) -> None:
    """Keep what an import call answers."""
    await db.run(
        tx,
        "INSERT INTO import_batches VALUES ($1, $2, $3, $4, $5)",
        batch_id,
        organization_id,
        user_id,
        at,
        [asdict(one) for one in results],
    )


async def batch_results(
    tx: Connection, organization_id: OrganizationId, batch_id: UUID
) -> tuple[ImportResult, ...]:
    """What an import call answered."""
    found = await db.one(
        tx,
        ImportBatch,
        "SELECT results FROM import_batches WHERE organization_id = $1 AND id = $2",
        organization_id,
        batch_id,
    )
    return found.results
