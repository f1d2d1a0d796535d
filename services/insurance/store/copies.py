"""SQL of copies, row by row."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.insurance.domain import (
    Copy,
    CopyId,
    CopyItem,
    CopyOutcome,
    OrganizationId,
    ParticipationId,
)

_COPY = """
SELECT id, organization_id, from_provider_id, from_office_id, to_provider_id, to_office_id, effective_from,
    started_at, started_by, total, done, finished_at FROM copies
"""
_ITEM = """
SELECT place, source_id, source_until, provider_id, office_id, plan_id, effective_from, effective_until,
    outcome, participation_id FROM copy_items
"""

_WITHIN = """(${0}::uuid[] IS NULL OR (c.to_office_id IS NULL OR c.to_office_id = ANY(${0}))
    AND NOT EXISTS (SELECT FROM copy_items i WHERE i.copy_id = c.id AND i.office_id <> ALL(${0})))"""


async def add_copy(tx: Connection, copy: Copy, items: Sequence[CopyItem]) -> None:
    """Keep a copy with everything it is to copy."""
    await db.run(
        tx,
        """INSERT INTO copies (id, organization_id, from_provider_id, from_office_id, to_provider_id, to_office_id,
            effective_from, started_at, started_by, total, finished_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        copy.id,
        copy.organization_id,
        copy.from_provider_id,
        copy.from_office_id,
        copy.to_provider_id,
        copy.to_office_id,
        copy.effective_from,
        copy.started_at,
        copy.started_by,
        copy.total,
        copy.finished_at,
    )
    await tx.executemany(
        """INSERT INTO copy_items (copy_id, place, organization_id, source_id, source_until, provider_id, office_id,
            plan_id, effective_from, effective_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        [(copy.id, one.place, copy.organization_id, *_columns(one)) for one in items],
    )


def _columns(item: CopyItem) -> tuple[object, ...]:
    return (
        item.source_id,
        item.source_until,
        item.provider_id,
        item.office_id,
        item.plan_id,
        item.effective_from,
        item.effective_until,
    )


async def copy(
    tx: Connection,
    organization_id: OrganizationId,
    copy_id: UUID,
    offices: Sequence[UUID] | None = None,
) -> Copy | None:
    """An organization's copy; of those that go to some offices and nowhere else, when they are named."""
    return await db.maybe(
        tx,
        Copy,
        f"{_COPY} c WHERE organization_id = $1 AND id = $2 AND {_WITHIN.format(3)}",
        organization_id,
        copy_id,
        offices,
    )


async def copies(
    tx: Connection,
    organization_id: OrganizationId,
    offices: Sequence[UUID] | None,
    *,
    before: UUID | None,
    limit: int,
) -> list[Copy]:
    """An organization's copies, newest first; those that go to some offices and nowhere else, or (None) all."""
    return await db.many(
        tx,
        Copy,
        f"""{_COPY} c WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2) AND {_WITHIN.format(4)}
            ORDER BY id DESC LIMIT $3""",
        organization_id,
        before,
        limit,
        offices,
    )


# any-organization: the job goes on with every organization's copies
async def unfinished_copies(tx: Connection) -> list[UUID]:
    """The copies that are not done, oldest first."""
    found = await tx.fetch("SELECT id FROM copies WHERE finished_at IS NULL ORDER BY id")
    return [row["id"] for row in found]


# any-organization: whoever started it goes on with it, or the job
async def copy_to_go_on(tx: Connection, copy_id: UUID) -> Copy | None:
    """An unfinished copy, locked until the transaction is over: of several who go on with it one does, the others wait."""
    return await db.maybe(
        tx, Copy, f"{_COPY} WHERE id = $1 AND finished_at IS NULL FOR UPDATE", copy_id
    )


async def waiting_items(
    tx: Connection, organization_id: OrganizationId, copy_id: CopyId, limit: int
) -> list[CopyItem]:
    """The next rows of a copy that nothing has become of yet."""
    return await db.many(
        tx,
        CopyItem,
        f"""{_ITEM} WHERE organization_id = $1 AND copy_id = $2 AND outcome IS NULL ORDER BY place LIMIT $3""",
        organization_id,
        copy_id,
        limit,
    )


async def copy_items(
    tx: Connection, organization_id: OrganizationId, copy_id: CopyId, *, after: int, limit: int
) -> list[CopyItem]:
    """The rows of a copy in its order, and what became of each."""
    return await db.many(
        tx,
        CopyItem,
        f"{_ITEM} WHERE organization_id = $1 AND copy_id = $2 AND place > $3 ORDER BY place LIMIT $4",
        organization_id,
        copy_id,
        after,
        limit,
    )


async def settle_items(
    tx: Connection,
    copy_: Copy,
    outcomes: Sequence[tuple[int, CopyOutcome, ParticipationId | None]],
    at: datetime,
) -> Copy:
    """Note what became of these rows. Answers the copy as it is then: done with the last of them."""
    await tx.executemany(
        "UPDATE copy_items SET outcome = $3, participation_id = $4 WHERE copy_id = $1 AND place = $2",
        [(copy_.id, *one) for one in outcomes],
    )
    return await db.one(
        tx,
        Copy,
        """UPDATE copies SET done = done + $3, finished_at = CASE WHEN done + $3 = total THEN $4::timestamptz END
            WHERE organization_id = $1 AND id = $2
            RETURNING id, organization_id, from_provider_id, from_office_id, to_provider_id, to_office_id,
                effective_from, started_at, started_by, total, done, finished_at""",
        copy_.organization_id,
        copy_.id,
        len(outcomes),
        at,
    )


async def added_by_copy(tx: Connection, organization_id: OrganizationId, copy_id: CopyId) -> int:
    """How many rows a copy has added."""
    found: int = await db.value(
        tx,
        "SELECT count(*) FROM copy_items WHERE organization_id = $1 AND copy_id = $2 AND outcome = 'ADDED'",
        organization_id,
        copy_id,
    )
    return found
