"""SQL of participations."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.insurance.domain import (
    BatchId,
    OrganizationId,
    Participation,
    ParticipationId,
    Place,
    PlanId,
    UserId,
    VerificationMeans,
)
from services.insurance.store.rows import PARTICIPATION, holds_on, lasts_from
from services.insurance.store.verifications import note_verifications

# For others than the own organization only where directory shows both the provider and the office; NULL asks for everything.
_SEEN = """(${0}::uuid IS NULL OR organization_id = ${0} OR (
    EXISTS (SELECT FROM shown WHERE id = provider_id) AND EXISTS (SELECT FROM shown WHERE id = office_id)))"""

_SLICES = """
SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY {of} ORDER BY id) AS place FROM participations
    WHERE {of} = ANY($1)
    AND ($2::date IS NULL OR (effective_from <= $2 AND coalesce(effective_until, 'infinity') > $2))
    AND ($3::uuid IS NULL OR id > $3) AND {seen}
) AS slices WHERE place <= $4 ORDER BY id
"""

_ACCEPTING = f"""
{PARTICIPATION} WHERE (provider_id, office_id) IN (SELECT * FROM unnest((SELECT $1::uuid[]), (SELECT $2::uuid[])))
    AND plan_id = ANY((SELECT $3::uuid[])::uuid[]) AND {holds_on(4)}
"""  # noqa: S608 - made of constants


async def add_rows(tx: Connection, batch_id: BatchId, rows: Sequence[Participation]) -> None:
    """Keep new rows, which one call or one piece of work adds. Those that come verified say so in their history."""
    await tx.executemany(
        """INSERT INTO participations (id, batch_id, organization_id, provider_id, office_id, plan_id,
            effective_from, effective_until, source, added_at, added_by, last_verified_on, last_verified_by,
            copied_from)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)""",
        [(row.id, batch_id, *_columns(row)) for row in rows],
    )
    verified = [row for row in rows if row.last_verified_on is not None]
    await note_verifications(tx, verified, VerificationMeans.ADDED)


def _columns(row: Participation) -> tuple[object, ...]:
    return (
        row.organization_id,
        row.provider_id,
        row.office_id,
        row.plan_id,
        row.effective_from,
        row.effective_until,
        row.source,
        row.added_at,
        row.added_by,
        row.last_verified_on,
        row.last_verified_by,
        row.copied_from,
    )


async def batch(
    tx: Connection, organization_id: OrganizationId, batch_id: BatchId
) -> list[Participation]:
    """The rows that one call added."""
    return await db.many(
        tx,
        Participation,
        f"{PARTICIPATION} WHERE organization_id = $1 AND batch_id = $2 ORDER BY id",
        organization_id,
        batch_id,
    )


async def participation(
    tx: Connection, organization_id: OrganizationId, participation_id: ParticipationId
) -> Participation | None:
    """An organization's row, locked until the transaction is over."""
    return await db.maybe(
        tx,
        Participation,
        f"{PARTICIPATION} WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE",
        organization_id,
        participation_id,
    )


async def own_rows(
    tx: Connection, organization_id: OrganizationId, ids: Sequence[UUID], *, lock: bool = False
) -> list[Participation]:
    """An organization's rows with these ids, in the order of their ids; locked until the transaction is over when asked to."""
    return await db.many(
        tx,
        Participation,
        f"{PARTICIPATION} WHERE organization_id = $1 AND id = ANY($2) ORDER BY id"
        + (" FOR NO KEY UPDATE" if lock else ""),
        organization_id,
        ids,
    )


async def of_place(
    tx: Connection, organization_id: OrganizationId, provider_id: UUID, office_id: UUID
) -> list[Participation]:
    """Every row of a provider at an office, past and future ones too."""
    return await db.many(
        tx,
        Participation,
        f"{PARTICIPATION} WHERE organization_id = $1 AND provider_id = $2 AND office_id = $3",
        organization_id,
        provider_id,
        office_id,
    )


async def of_places(
    tx: Connection, organization_id: OrganizationId, places: Iterable[tuple[UUID, UUID]]
) -> list[Participation]:
    """Every row of these providers at these offices, past and future ones too."""
    pairs = list(places)
    return await db.many(
        tx,
        Participation,
        f"""{PARTICIPATION} WHERE organization_id = $1
            AND (provider_id, office_id) IN (SELECT * FROM unnest($2::uuid[], $3::uuid[]))
            ORDER BY id""",  # noqa: S608 - made of constants
        organization_id,
        [provider for provider, _ in pairs],
        [office for _, office in pairs],
    )


async def of_provider(
    tx: Connection, organization_id: OrganizationId, provider_id: UUID
) -> list[Participation]:
    """Every row of a provider, past and future ones too, in the order of their ids."""
    return await db.many(
        tx,
        Participation,
        f"{PARTICIPATION} WHERE organization_id = $1 AND provider_id = $2 ORDER BY id",
        organization_id,
        provider_id,
    )


async def lasting(
    tx: Connection,
    organization_id: OrganizationId,
    until: date,
    place: Place,
    *,
    lock: bool = True,
) -> list[Participation]:
    """The rows of a provider, an office or both that hold a day from `until` on, in the order of their ids."""
    return await db.many(
        tx,
        Participation,
        f"""{PARTICIPATION} WHERE organization_id = $1 AND {lasts_from(2)}
            AND ($3::uuid IS NULL OR provider_id = $3) AND ($4::uuid IS NULL OR office_id = $4)
            ORDER BY id"""
        + (" FOR NO KEY UPDATE" if lock else ""),
        organization_id,
        until,
        place.provider_id,
        place.office_id,
    )


async def lasting_of_plan(
    tx: Connection,
    organization_id: OrganizationId,
    plan_id: PlanId,
    until: date,
    *,
    limit: int,
    lock: bool = False,
) -> list[Participation]:
    """The rows of a plan that hold a day from `until` on, of one organization."""
    return await db.many(
        tx,
        Participation,
        f"""{PARTICIPATION} WHERE organization_id = $1 AND plan_id = $2 AND {lasts_from(3)}
            ORDER BY id LIMIT $4"""
        + (" FOR NO KEY UPDATE" if lock else ""),
        organization_id,
        plan_id,
        until,
        limit,
    )


async def end(
    tx: Connection, row: Participation, until: date, at: datetime, by: UserId | None
) -> None:
    """Let a row end before `until`; `by` is None when its place or its plan went away: then it is kept what it had said."""
    await db.run(
        tx,
        """UPDATE participations SET effective_until = $3, ended_at = $4, ended_by = $5,
            said_until = CASE WHEN $5::uuid IS NULL THEN effective_until END, version = version + 1
            WHERE organization_id = $1 AND id = $2""",
        row.organization_id,
        row.id,
        until,
        at,
        by,
    )


# Reading participations: directory data, for the whole network as far as directory shows it ---------------------------


@dataclass(frozen=True, slots=True)
class Slice:
    """Of a list those rows that hold on a day (or all), come after an id (or the first), and at most so many; and whose eyes
    they are for: an organization's, or None for everybody's."""

    on: date | None
    after: UUID | None
    limit: int
    seen_by: OrganizationId | None


async def search_participations(
    tx: Connection,
    organization_id: UUID | None,
    place: tuple[UUID | None, UUID | None],
    slice_: Slice,
) -> list[Participation]:
    """Rows of a provider, an office, both (`place`), or an organization; those of a day, or all there ever were."""
    # any-organization: participations are directory data; `organization_id` only narrows the answer
    return await db.many(
        tx,
        Participation,
        f"""{PARTICIPATION} WHERE ($1::uuid IS NULL OR organization_id = $1)
            AND ($2::uuid IS NULL OR provider_id = $2) AND ($3::uuid IS NULL OR office_id = $3)
            AND ($4::date IS NULL OR {holds_on(4)}) AND ($5::uuid IS NULL OR id > $5)
            AND {_SEEN.format(7)} ORDER BY id LIMIT $6""",
        organization_id,
        *place,
        slice_.on,
        slice_.after,
        slice_.limit,
        slice_.seen_by,
    )


async def participations_of_providers(
    tx: Connection, providers: Sequence[UUID], slice_: Slice
) -> dict[UUID, list[Participation]]:
    """A slice of the rows of each provider, in the order they were added."""  # any-organization: directory data
    return _grouped(
        await _slices(tx, "provider_id", providers, slice_), lambda row: row.provider_id
    )


async def participations_of_offices(
    tx: Connection, offices: Sequence[UUID], slice_: Slice
) -> dict[UUID, list[Participation]]:
    """A slice of the rows of each office, in the order they were added."""  # any-organization: directory data
    return _grouped(await _slices(tx, "office_id", offices, slice_), lambda row: row.office_id)


async def _slices(
    tx: Connection, of: str, keys: Sequence[UUID], slice_: Slice
) -> list[Participation]:  # any-organization: directory data
    sql = _SLICES.format(of=of, seen=_SEEN.format(5))
    return await db.many(
        tx, Participation, sql, keys, slice_.on, slice_.after, slice_.limit, slice_.seen_by
    )


def _grouped(
    rows: Iterable[Participation], key: Callable[[Participation], UUID]
) -> dict[UUID, list[Participation]]:
    grouped: dict[UUID, list[Participation]] = {}
    for row in rows:
        grouped.setdefault(key(row), []).append(row)
    return grouped


async def accepting(
    tx: Connection,
    places: Sequence[tuple[UUID, UUID]],
    plan_ids: Sequence[UUID],
    on: date,
    seen_by: OrganizationId | None,
) -> list[Participation]:
    """The rows by which providers accept one of the plans at their offices on the day."""  # any-organization: directory data
    asked = ([provider for provider, _ in places], [office for _, office in places], plan_ids, on)
    # A statement for each: one that could be either is planned each time.
    if seen_by is None:
        return await db.many(tx, Participation, f"{_ACCEPTING} ORDER BY id", *asked)
    seen = f"{_ACCEPTING} AND {_SEEN.format(5)} ORDER BY id"
    return await db.many(tx, Participation, seen, *asked, seen_by)
