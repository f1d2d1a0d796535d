"""SQL of verifications: who said of which row, when and how, that it is true; and which rows are due."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.insurance.domain import (
    BatchId,
    ItemId,
    OrganizationId,
    Outcome,
    Participation,
    ParticipationId,
    UserId,
    VerificationMeans,
)
from services.insurance.store.rows import PARTICIPATION, lasts_from


@dataclass(frozen=True, slots=True)
class Verification:
    """Somebody said that a row is true, which stood until a day then."""

    participation_id: ParticipationId
    verified_on: date
    verified_by: UserId
    verified_at: datetime
    means: VerificationMeans
    effective_until: date | None


async def verify(
    tx: Connection,
    rows: Sequence[Participation],
    at: datetime,
    means: VerificationMeans,
    item_id: ItemId | None = None,
) -> None:
    """Note that somebody said these rows are true: `last_verified_on` and `_by` of each as it now is."""
    await tx.executemany(
        """UPDATE participations SET last_verified_on = $3, last_verified_by = $4, version = $5
            WHERE organization_id = $1 AND id = $2""",
        [
            (row.organization_id, row.id, row.last_verified_on, row.last_verified_by, row.version)
            for row in rows
        ],
    )
    await note_verifications(tx, rows, means, at, item_id)


async def note_verifications(
    tx: Connection,
    rows: Sequence[Participation],
    means: VerificationMeans,
    at: datetime | None = None,
    item_id: ItemId | None = None,
) -> None:
    """Add to the history of these rows that they were verified as they now say: at that moment, or when they were added."""
    await tx.executemany(
        """INSERT INTO participation_verifications
            (participation_id, verified_on, verified_by, verified_at, means, effective_until, item_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        [
            (
                row.id,
                row.last_verified_on,
                row.last_verified_by,
                at or row.added_at,
                means,
                row.effective_until,
                item_id,
            )
            for row in rows
        ],
    )


async def verifications_of(
    tx: Connection, ids: Sequence[UUID], limit: int
) -> dict[UUID, list[Verification]]:
    """The latest verifications of each row, newest first."""  # any-organization: the policy asks whose the rows are
    found: dict[UUID, list[Verification]] = {}
    for one in await db.many(
        tx,
        Verification,
        """SELECT * FROM (
            SELECT *, row_number() OVER (PARTITION BY participation_id ORDER BY verified_at DESC) AS place
            FROM participation_verifications WHERE participation_id = ANY($1)
        ) AS history WHERE place <= $2 ORDER BY participation_id, place""",
        ids,
        limit,
    ):
        found.setdefault(one.participation_id, []).append(one)
    return found


@dataclass(frozen=True, slots=True)
class Due:
    """Rows last verified before a day, or never, that are not past today; at some offices, or (None) anywhere; after a key."""

    before: date
    today: date
    offices: Sequence[UUID] | None
    after: tuple[date, UUID] | None
    limit: int


NEVER = date.min
"""Where rows that were never verified stand in the order of days; the driver tells it to PostgreSQL as -infinity."""


async def due(
    tx: Connection, organization_id: OrganizationId, provider_id: UUID | None, wanted: Due
) -> list[Participation]:
    """The rows to be verified, those that wait the longest first: the ones never verified, then by their days."""
    return await db.many(
        tx,
        Participation,
        f"""{PARTICIPATION} WHERE organization_id = $1 AND (last_verified_on < $2 OR last_verified_on IS NULL)
            AND {lasts_from(3)}
            AND ($4::uuid[] IS NULL OR office_id = ANY($4)) AND ($5::uuid IS NULL OR provider_id = $5)
            AND ($6::date IS NULL OR CASE WHEN $6 = '-infinity'
                THEN last_verified_on IS NOT NULL OR id > $7 ELSE (last_verified_on, id) > ($6, $7) END)
            ORDER BY last_verified_on NULLS FIRST, id LIMIT $8""",
        organization_id,
        wanted.before,
        wanted.today,
        wanted.offices,
        provider_id,
        *(wanted.after or (None, None)),
        wanted.limit,
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of an organization that are not past, by how sure they are."""

    verified: int
    stale: int
    unverified: int


async def counts(
    tx: Connection,
    organization_id: OrganizationId,
    offices: Sequence[UUID] | None,
    stale_before: date,
    today: date,
) -> Counts:
    """How many rows are verified, stale, and were never verified: at some offices, or (None) anywhere."""
    return await db.one(
        tx,
        Counts,
        """SELECT count(*) FILTER (WHERE last_verified_on >= $2) AS verified,
            count(*) FILTER (WHERE last_verified_on < $2) AS stale,
            count(*) FILTER (WHERE last_verified_on IS NULL) AS unverified
            FROM participations WHERE organization_id = $1 AND ($4::uuid[] IS NULL OR office_id = ANY($4))
            AND coalesce(effective_until, 'infinity') > greatest($3, effective_from)""",
        organization_id,
        stale_before,
        today,
        offices,
    )


# Rows verified together -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Batch:
    outcomes: tuple[Outcome, ...]


async def keep_batch(
    tx: Connection,
    organization_id: OrganizationId,
    batch_id: BatchId,
    by: UserId,
    at: datetime,
    outcomes: Sequence[Outcome],
) -> None:
    """Remember what became of each row that was to be verified in one call."""
    await db.run(
        tx,
        "INSERT INTO verification_batches VALUES ($1, $2, $3, $4, $5)",
        batch_id,
        organization_id,
        by,
        at,
        [{name: _plain(one) for name, one in asdict(outcome).items()} for outcome in outcomes],
    )


async def outcomes_of(
    tx: Connection, organization_id: OrganizationId, batch_id: BatchId
) -> tuple[Outcome, ...]:
    """What became of each row of a call."""
    found = await db.one(
        tx,
        _Batch,
        "SELECT outcomes FROM verification_batches WHERE organization_id = $1 AND id = $2",
        organization_id,
        batch_id,
    )
    return found.outcomes


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


async def due_at(
    tx: Connection,
    organization_id: OrganizationId,
    office_ids: Sequence[UUID],
    stale_before: date,
    today: date,
) -> dict[UUID, int]:
    """How many rows are stale or were never verified, at each of these offices where something is listed."""
    rows = await tx.fetch(
        """SELECT office_id, count(*) FILTER (WHERE last_verified_on IS NULL OR last_verified_on < $3) AS due
            FROM participations WHERE organization_id = $1 AND office_id = ANY($2)
            AND coalesce(effective_until, 'infinity') > greatest($4, effective_from) GROUP BY office_id""",
        organization_id,
        office_ids,
        stale_before,
        today,
    )
    return {row["office_id"]: row["due"] for row in rows}
