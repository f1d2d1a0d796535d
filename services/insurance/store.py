"""Every SQL statement of insurance."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.insurance.domain import (
    BatchId,
    InsurancePlan,
    OfficeId,
    OrganizationId,
    Participation,
    ParticipationId,
    Payer,
    PlanId,
    ProviderId,
    UserId,
)

_PAYER = """
SELECT p.id, p.name, p.version, coalesce((
    SELECT jsonb_agg(jsonb_build_object('system', i.system, 'value', i.value) ORDER BY i.system, i.value)
    FROM payer_identifiers i WHERE i.payer_id = p.id
), '[]') AS identifiers
FROM payers p
"""
_PLAN = """
SELECT id, payer_id, name, product_type, self_pay, effective_from, effective_until, version
FROM insurance_plans
"""
_PLAN_SEARCH = """
SELECT i.id, i.payer_id, i.name, i.product_type, i.self_pay, i.effective_from, i.effective_until, i.version
FROM insurance_plans i LEFT JOIN payers p ON p.id = i.payer_id
WHERE (strpos(lower(i.name), lower($1)) > 0 OR strpos(lower(p.name), lower($1)) > 0)
    AND ($2::uuid IS NULL OR i.payer_id = $2) AND ($3::text IS NULL OR (i.name, i.id) > ($3, $4::uuid))
ORDER BY i.name, i.id LIMIT $5
"""
_PARTICIPATION = """
SELECT id, organization_id, provider_id, office_id, plan_id, effective_from, effective_until, source,
    added_at, added_by, ended_at, last_verified_on, last_verified_by, version
FROM participations
"""

_SLICES = """
SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY {of} ORDER BY id) AS place FROM participations
    WHERE {of} = ANY($1)
    AND ($2::date IS NULL OR (effective_from <= $2 AND coalesce(effective_until, 'infinity') > $2))
    AND ($3::uuid IS NULL OR id > $3)
) AS slices WHERE place <= $4 ORDER BY id
"""

_ON = "(effective_from <= $%d AND coalesce(effective_until, 'infinity') > $%d)"


# Payers and plans -----------------------------------------------------------------------------------------------------
# any-organization: payers and plans are shared by the whole network


async def add_payer(tx: Connection, payer: Payer, at: datetime) -> None:
    """Keep a new payer with its identifiers."""
    await db.run(
        tx, "INSERT INTO payers (id, name, added_at) VALUES ($1, $2, $3)", payer.id, payer.name, at
    )
    await tx.executemany(
        "INSERT INTO payer_identifiers (system, value, payer_id) VALUES ($1, $2, $3)",
        [(one.system, one.value, payer.id) for one in payer.identifiers],
    )


async def payers_by_id(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, Payer]:
    """The payers with these ids."""  # any-organization: payers are shared by the whole network
    found = await db.many(tx, Payer, f"{_PAYER} WHERE p.id = ANY($1)", list(ids))
    return {payer.id: payer for payer in found}


async def payers(
    tx: Connection, *, text: str, after: tuple[str, UUID] | None, limit: int
) -> list[Payer]:
    """Payers whose name holds the text, by name."""  # any-organization: payers are shared by the whole network
    return await db.many(
        tx,
        Payer,
        f"""{_PAYER} WHERE strpos(lower(p.name), lower($1)) > 0
            AND ($2::text IS NULL OR (p.name, p.id) > ($2, $3::uuid))
            ORDER BY p.name, p.id LIMIT $4""",
        text,
        *(after or (None, None)),
        limit,
    )


async def add_plan(tx: Connection, plan: InsurancePlan, at: datetime) -> None:
    """Keep a new plan."""
    await db.run(
        tx,
        """INSERT INTO insurance_plans
            (id, payer_id, name, product_type, effective_from, effective_until, added_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        plan.id,
        plan.payer_id,
        plan.name,
        plan.product_type,
        plan.effective_from,
        plan.effective_until,
        at,
    )


async def plans_by_id(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, InsurancePlan]:
    """The plans with these ids."""  # any-organization: plans are shared by the whole network
    found = await db.many(tx, InsurancePlan, f"{_PLAN} WHERE id = ANY($1)", list(ids))
    return {plan.id: plan for plan in found}


async def plans(
    tx: Connection,
    *,
    text: str,
    payer_id: UUID | None,
    after: tuple[str, UUID] | None,
    limit: int,
) -> list[InsurancePlan]:
    """Plans whose name, or whose payer's name, holds the text, by name."""  # any-organization: shared by the network
    return await db.many(
        tx, InsurancePlan, _PLAN_SEARCH, text, payer_id, *(after or (None, None)), limit
    )


# Organizations --------------------------------------------------------------------------------------------------------


async def keep_time_zone(tx: Connection, organization_id: OrganizationId, time_zone: str) -> None:
    """Remember in which zone an organization reads its calendar."""
    await db.run(
        tx,
        """INSERT INTO organizations (organization_id, time_zone) VALUES ($1, $2)
            ON CONFLICT (organization_id) DO UPDATE SET time_zone = excluded.time_zone""",
        organization_id,
        time_zone,
    )


async def time_zone(tx: Connection, organization_id: UUID) -> str | None:
    """The zone in which an organization reads its calendar; None while it has not been heard."""
    found: str | None = await db.value(
        tx, "SELECT time_zone FROM organizations WHERE organization_id = $1", organization_id
    )
    return found


# Participations -------------------------------------------------------------------------------------------------------


async def lock_place(tx: Connection, provider_id: UUID, office_id: UUID) -> None:
    """Let nobody else add or end participations of the provider at the office until the transaction is over."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
        f"participations {provider_id} {office_id}",
    )


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


# Reading participations: directory data, for the whole network --------------------------------------------------------


async def search_participations(
    tx: Connection,
    organization_id: UUID | None,
    *,
    place: tuple[UUID | None, UUID | None],
    on: date | None,
    after: UUID | None,
    limit: int,
) -> list[Participation]:
    """Rows of a provider, an office, both (`place`), or an organization; those of a day, or all there ever were."""
    # any-organization: participations are directory data; `organization_id` only narrows the answer
    return await db.many(
        tx,
        Participation,
        f"""{_PARTICIPATION} WHERE ($1::uuid IS NULL OR organization_id = $1)
            AND ($2::uuid IS NULL OR provider_id = $2) AND ($3::uuid IS NULL OR office_id = $3)
            AND ($4::date IS NULL OR {_ON % (4, 4)}) AND ($5::uuid IS NULL OR id > $5)
            ORDER BY id LIMIT $6""",
        organization_id,
        *place,
        on,
        after,
        limit,
    )


@dataclass(frozen=True, slots=True)
class Slice:
    """Of each list those rows that hold on a day (or all), come after an id (or the first), and at most so many."""

    on: date | None
    after: UUID | None
    limit: int


async def participations_of_providers(
    tx: Connection, providers: Sequence[UUID], slice_: Slice
) -> dict[UUID, list[Participation]]:
    """A slice of the rows of each provider, in the order they were added."""  # any-organization: directory data
    sql = _SLICES.format(of="provider_id")
    rows = await db.many(tx, Participation, sql, providers, slice_.on, slice_.after, slice_.limit)
    return _grouped(rows, lambda row: row.provider_id)


async def participations_of_offices(
    tx: Connection, offices: Sequence[UUID], slice_: Slice
) -> dict[UUID, list[Participation]]:
    """A slice of the rows of each office, in the order they were added."""  # any-organization: directory data
    sql = _SLICES.format(of="office_id")
    rows = await db.many(tx, Participation, sql, offices, slice_.on, slice_.after, slice_.limit)
    return _grouped(rows, lambda row: row.office_id)


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
