"""SQL of plans that end: whose rows that touches, and how far the work is."""

from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.insurance.domain import (
    EndingId,
    OrganizationId,
    PlanEnding,
    PlanId,
    Touched,
)

_ENDING = """
SELECT id, plan_id, ends_on, successor_id, started_at, started_by, total, done, finished_at FROM plan_endings
"""


async def touched(tx: Connection, plan_id: PlanId, ends_on: date) -> list[Touched]:
    """Whose rows a plan's end would end, and how many."""  # any-organization: a plan ends for the whole network
    return await db.many(
        tx,
        Touched,
        """SELECT organization_id, count(*) AS participations, max(added_at) AS newest FROM participations
            WHERE plan_id = $1 AND coalesce(effective_until, 'infinity') > greatest($2, effective_from)
            GROUP BY organization_id ORDER BY organization_id""",
        plan_id,
        ends_on,
    )


# any-organization: a plan ends for the whole network
async def hold_endings(tx: Connection) -> None:
    """Let nobody else end a plan until the transaction is over: two might be merged into one another."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('plan endings', 0))")


# any-organization: a plan ends for the whole network
async def add_ending(tx: Connection, ending: PlanEnding) -> None:
    """Keep that a plan ends."""
    await db.run(
        tx,
        """INSERT INTO plan_endings (id, plan_id, ends_on, successor_id, started_at, started_by, total)
            VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        ending.id,
        ending.plan_id,
        ending.ends_on,
        ending.successor_id,
        ending.started_at,
        ending.started_by,
        ending.total,
    )


# any-organization: a plan ends for the whole network
async def unfinished_endings(tx: Connection) -> list[UUID]:
    """The endings whose rows have not all followed, oldest first."""
    found = await tx.fetch("SELECT id FROM plan_endings WHERE finished_at IS NULL ORDER BY id")
    return [row["id"] for row in found]


# any-organization: a plan ends for the whole network
async def ending_to_go_on(tx: Connection, ending_id: UUID) -> PlanEnding | None:
    """An unfinished ending, locked until the transaction is over: of several who go on with it one does, the others wait."""
    sql = f"{_ENDING} WHERE id = $1 AND finished_at IS NULL FOR UPDATE"
    return await db.maybe(tx, PlanEnding, sql, ending_id)


async def ending(tx: Connection, ending_id: UUID) -> PlanEnding | None:
    """An ending by its id."""  # any-organization: a plan ends for the whole network
    return await db.maybe(tx, PlanEnding, f"{_ENDING} WHERE id = $1", ending_id)


async def endings_of(tx: Connection, plan_id: UUID) -> list[PlanEnding]:
    """How a plan was ended: once, or again on an earlier day."""  # any-organization: a plan ends for the whole network
    return await db.many(tx, PlanEnding, f"{_ENDING} WHERE plan_id = $1 ORDER BY id", plan_id)


async def next_organization(
    tx: Connection, plan_id: PlanId, ends_on: date
) -> OrganizationId | None:
    """An organization with rows that a plan's end has yet to end."""  # any-organization: a plan ends for the whole network
    found: UUID | None = await db.value(
        tx,
        """SELECT organization_id FROM participations
            WHERE plan_id = $1 AND coalesce(effective_until, 'infinity') > greatest($2, effective_from)
            ORDER BY organization_id LIMIT 1""",
        plan_id,
        ends_on,
    )
    return OrganizationId(found) if found else None


async def note_told(tx: Connection, ending_id: EndingId, organization_id: OrganizationId) -> bool:
    """Whether the organization is to be told of the ending: the first time it is asked about."""
    return bool(
        await db.run(
            tx,
            "INSERT INTO plan_endings_told (ending_id, organization_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            ending_id,
            organization_id,
        )
    )


# any-organization: a plan ends for the whole network
async def count_ended(tx: Connection, ending_id: EndingId, rows: int) -> None:
    """So many more rows were ended."""
    await db.run(tx, "UPDATE plan_endings SET done = done + $2 WHERE id = $1", ending_id, rows)


# any-organization: a plan ends for the whole network
async def finish_ending(tx: Connection, ending_id: EndingId, at: datetime) -> None:
    """Every row has followed."""
    await db.run(tx, "UPDATE plan_endings SET finished_at = $2 WHERE id = $1", ending_id, at)
