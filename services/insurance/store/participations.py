"""SQL of participations."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.insurance.domain import (
    BatchId,
    OfficeId,
    OrganizationId,
    Participation,
    ParticipationId,
    PlanId,
    ProviderId,
    UserId,
)

_PARTICIPATION = """
SELECT id, organization_id, provider_id, office_id, plan_id, effective_from, effective_until, source,
    added_at, added_by, ended_at, last_verified_on, last_verified_by, version
FROM participations
"""

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

_ON = "(effective_from <= $%d AND coalesce(effective_until, 'infinity') > $%d)"


@dataclass(frozen=True, slots=True)
class NewParticipation:
    """A row to be added."""

    id: ParticipationId
    plan_id: PlanId


async def add_participations(
    tx: Connection, batch_id: BatchId, like: Participation, rows: Sequence[NewParticipation]
) -> None:
    """Add rows that differ in their plan only; all else is as in `like`."""
    await tx.executemany(
        """INSERT INTO participations (id, batch_id, organization_id, provider_id, office_id, plan_id,
            effective_from, effective_until, source, added_at, added_by, last_verified_on, last_verified_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)""",
        [_columns(row, batch_id, like) for row in rows],
    )
    if like.last_verified_on is not None:
        for row in rows:
            await _note_verification(
                tx, row.id, like.last_verified_on, like.added_by, like.added_at
            )


def _columns(row: NewParticipation, batch_id: BatchId, like: Participation) -> tuple[object, ...]:
    return (
        row.id,
        batch_id,
        like.organization_id,
        like.provider_id,
        like.office_id,
        row.plan_id,
        like.effective_from,
        like.effective_until,
        like.source,
        like.added_at,
        like.added_by,
        like.last_verified_on,
        like.last_verified_by,
    )


async def batch(
    tx: Connection, organization_id: OrganizationId, batch_id: BatchId
) -> list[Participation]:
    """The rows that one call added."""
    return await db.many(
        tx,
        Participation,
        f"{_PARTICIPATION} WHERE organization_id = $1 AND batch_id = $2 ORDER BY id",
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
        f"{_PARTICIPATION} WHERE organization_id = $1 AND id = $2 FOR UPDATE",
        organization_id,
        participation_id,
    )


async def of_place(
    tx: Connection, organization_id: OrganizationId, provider_id: UUID, office_id: UUID
) -> list[Participation]:
    """Every row of a provider at an office, past and future ones too."""
    return await db.many(
        tx,
        Participation,
        f"{_PARTICIPATION} WHERE organization_id = $1 AND provider_id = $2 AND office_id = $3",
        organization_id,
        provider_id,
        office_id,
    )


async def lasting(
    tx: Connection,
    organization_id: OrganizationId,
    until: date,
    *,
    provider_id: UUID | None,
    office_id: UUID | None,
) -> list[Participation]:
    """The rows of a provider, an office or both that hold a day from `until` on, locked."""
    return await db.many(
        tx,
        Participation,
        f"""{_PARTICIPATION} WHERE organization_id = $1
            AND coalesce(effective_until, 'infinity') > greatest($2, effective_from)
            AND ($3::uuid IS NULL OR provider_id = $3) AND ($4::uuid IS NULL OR office_id = $4)
            ORDER BY id FOR UPDATE""",
        organization_id,
        until,
        provider_id,
        office_id,
    )


async def end(
    tx: Connection, row: Participation, until: date, at: datetime, by: UserId | None
) -> None:
    """Let a row end before `until`; `by` is None when its place went away."""
    await db.run(
        tx,
        """UPDATE participations SET effective_until = $3, ended_at = $4, ended_by = $5, version = version + 1
            WHERE organization_id = $1 AND id = $2""",
        row.organization_id,
        row.id,
        until,
        at,
        by,
    )


async def verify(tx: Connection, row: Participation, on: date, by: UserId, at: datetime) -> None:
    """Note that somebody said the row is still true."""
    await db.run(
        tx,
        """UPDATE participations SET last_verified_on = $3, last_verified_by = $4, version = version + 1
            WHERE organization_id = $1 AND id = $2""",
        row.organization_id,
        row.id,
        on,
        by,
    )
    await _note_verification(tx, row.id, on, by, at)


async def _note_verification(
    tx: Connection, participation_id: ParticipationId, on: date, by: UserId, at: datetime
) -> None:
    await db.run(
        tx,
        "INSERT INTO participation_verifications VALUES ($1, $2, $3, $4)",
        participation_id,
        on,
        by,
        at,
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
        f"""{_PARTICIPATION} WHERE ($1::uuid IS NULL OR organization_id = $1)
            AND ($2::uuid IS NULL OR provider_id = $2) AND ($3::uuid IS NULL OR office_id = $3)
            AND ($4::date IS NULL OR {_ON % (4, 4)}) AND ($5::uuid IS NULL OR id > $5)
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
    providers: Sequence[ProviderId],
    office_id: OfficeId,
    plan_id: PlanId,
    on: date,
) -> list[Participation]:
    """The rows by which these providers accept the plan at the office on the day."""  # any-organization: directory data
    return await db.many(
        tx,
        Participation,
        f"""{_PARTICIPATION} WHERE provider_id = ANY($1) AND office_id = $2 AND plan_id = $3
            AND {_ON % (4, 4)}""",
        providers,
        office_id,
        plan_id,
        on,
    )
