"""Rows of imports: what the register says of NPIs, specialties, and how far an import has come."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.directory.domain.imports import NoteBatch, NoteResult, NpiNote, Progress
from services.directory.domain.nouns import (
    OrganizationId,
    Provider,
    ProviderId,
    Specialty,
    UserId,
)


async def hold_all(tx: Connection, organization_id: OrganizationId, what: Iterable[str]) -> None:
    """Hold these names or numbers of the organization as `catalogue.hold` holds one, in one order whoever asks."""
    await db.run(
        tx,
        """SELECT pg_advisory_xact_lock(hashtextextended(one, 1))
            FROM (SELECT unnest($1::text[]) AS one ORDER BY 1) AS held""",
        [f"{organization_id} {one}" for one in sorted(set(what))],
    )


async def with_npis(
    tx: Connection, organization_id: OrganizationId, npis: Collection[str]
) -> dict[str, ProviderId]:
    """Who of the organization has each of these NPIs; those who were removed do not count."""
    rows = await tx.fetch(
        """SELECT npi, id FROM providers
            WHERE organization_id = $1 AND npi = ANY($2) AND state <> 'REMOVED'""",
        organization_id,
        list(npis),
    )
    return {row["npi"]: row["id"] for row in rows}


async def note_npi(tx: Connection, provider: Provider, note: NpiNote, at: datetime) -> bool:
    """Keep what the register says of the NPI of a provider, which this transaction has locked; False when that is known."""
    touched = await db.run(
        tx,
        """UPDATE providers SET npi_status = $3, npi_deactivated_on = $4, npi_replaced_by = $5, npi_checked_at = $6,
                version = version + 1
            WHERE organization_id = $1 AND id = $2
                AND (npi_status, npi_deactivated_on, npi_replaced_by) IS DISTINCT FROM ($3, $4::date, $5)""",
        provider.organization_id,
        provider.id,
        note.status,
        note.deactivated_on,
        note.replaced_by,
        at,
    )
    return touched > 0


async def begin_active(
    tx: Connection, organization_id: OrganizationId, ids: Collection[UUID], at: datetime
) -> None:
    """The NPIs of these providers, who were just added, are active."""
    await db.run(
        tx,
        """UPDATE providers SET npi_status = 'ACTIVE', npi_checked_at = $3
            WHERE organization_id = $1 AND id = ANY($2)""",
        organization_id,
        list(ids),
        at,
    )


async def looked_up(
    tx: Connection, organization_id: OrganizationId, ids: Collection[UUID], at: datetime
) -> None:
    """The register was looked at for the NPIs of these providers, and said what was known."""
    await db.run(
        tx,
        "UPDATE providers SET npi_checked_at = $3 WHERE organization_id = $1 AND id = ANY($2)",
        organization_id,
        list(ids),
        at,
    )


async def noted(
    tx: Connection, organization_id: OrganizationId, batch_id: UUID
) -> tuple[NoteResult, ...]:
    """What a call that noted NPIs answered."""
    found = await db.one(
        tx,
        NoteBatch,
        "SELECT results FROM import_batches WHERE organization_id = $1 AND id = $2",
        organization_id,
        batch_id,
    )
    return found.results


async def keep_specialties(tx: Connection, rows: Collection[Specialty]) -> tuple[int, int]:
    """Keep these in place of what was known of their codes; answers how many are new, and how many are now told otherwise.

    A name that another code has keeps to that one: the code is put behind it.
    """  # any-organization: specialties are shared by the whole network
    found = await tx.fetch(
        """INSERT INTO specialties AS s (code, grouping, classification, specialization, name)
            SELECT code, grouping, classification, specialization, CASE WHEN EXISTS (
                    SELECT FROM specialties o WHERE o.name = given.name AND o.code <> given.code)
                THEN name || ' (' || code || ')' ELSE name END
            FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
                AS given (code, grouping, classification, specialization, name) ORDER BY code
            ON CONFLICT (code) DO UPDATE SET (grouping, classification, specialization, name)
                = (excluded.grouping, excluded.classification, excluded.specialization, excluded.name)
            WHERE (s.grouping, s.classification, s.specialization, s.name)
                IS DISTINCT FROM (excluded.grouping, excluded.classification, excluded.specialization, excluded.name)
            RETURNING xmax = 0 AS added""",
        [one.code for one in rows],
        [one.grouping for one in rows],
        [one.classification for one in rows],
        [one.specialization for one in rows],
        [one.name for one in rows],
    )
    added = sum(row["added"] for row in found)
    return added, len(found) - added


async def progress(
    tx: Connection, organization_id: OrganizationId, digest: str, kind: str
) -> Progress | None:
    """How far the organization's import of that file has come."""
    return await db.maybe(
        tx,
        Progress,
        "SELECT * FROM import_progress WHERE organization_id = $1 AND digest = $2 AND kind = $3",
        organization_id,
        digest,
        kind,
    )


async def keep_progress(
    tx: Connection, organization_id: OrganizationId, by: UserId, progress: Progress
) -> None:
    """Keep how far it has come."""
    await db.run(
        tx,
        """INSERT INTO import_progress (organization_id, digest, kind, state, kept_at, kept_by, finished_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (organization_id, digest, kind) DO UPDATE
            SET state = $4, kept_at = $5, kept_by = $6, finished_at = $7""",
        organization_id,
        progress.digest,
        progress.kind,
        progress.state,
        progress.kept_at,
        by,
        progress.finished_at,
    )


async def forget_progress(tx: Connection, before: datetime) -> int:
    """Forget imports that nobody has gone on with since then."""  # any-organization: the job cleans up for all
    return await db.run(tx, "DELETE FROM import_progress WHERE kept_at < $1", before)
