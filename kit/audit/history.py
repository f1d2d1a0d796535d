"""Reading an organization's audit trail: who did what to a thing, and what a person did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it was written."""

    id: UUID
    at: datetime
    user_id: UUID | None
    service: str
    support: bool
    act: str
    kind: str
    about: UUID | None
    fields: tuple[str, ...]
    reason: str
    purpose: str
    request: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries of an organization; all that is None does not matter. `until` is the first moment that is not wanted."""

    organization_id: UUID
    about: UUID | None = None
    by: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who saw a thing: when first and last, how often, and what of it."""

    user_id: UUID
    first_at: datetime
    last_at: datetime
    times: int
    fields: tuple[str, ...]


MOST_READERS = 200


async def readers(
    tx: Connection, organization_id: UUID, act: str, about: UUID, *, until: datetime
) -> list[Reader]:
    """The people of an organization who did that to a thing until a moment, the latest first."""
    return await db.many(
        tx,
        Reader,
        "SELECT user_id, min(at) AS first_at, max(at) AS last_at, count(DISTINCT id)::integer AS times,"
        " array_agg(DISTINCT field ORDER BY field) AS fields FROM audit_entries, unnest(fields) AS field"
        " WHERE organization_id = $1 AND about = $2 AND act = $3 AND at <= $4 AND user_id IS NOT NULL"
        " GROUP BY user_id ORDER BY last_at DESC, user_id LIMIT $5",
        organization_id,
        about,
        act,
        until,
        MOST_READERS,
    )


async def entries(
    tx: Connection, wanted: Wanted, after: tuple[datetime, UUID] | None, limit: int
) -> list[Entry]:
    """The newest first, from behind `after` on. Each combination of conditions is a statement of its own: the planner then takes
    the index that was made for it."""
    given: list[object] = [wanted.organization_id]
    where = ["organization_id = $1"]
    for condition, value in (
        ("about = ${}", wanted.about),
        ("user_id = ${}", wanted.by),
        ("at >= ${}", wanted.since),
        ("at < ${}", wanted.until),
    ):
        if value is not None:
            given.append(value)
            where.append(condition.format(len(given)))
    if after is not None:
        where.append(f"(at, id) < (${len(given) + 1}, ${len(given) + 2})")
        given += after
    return await db.many(
        tx,
        Entry,
        f"SELECT * FROM audit_entries WHERE {' AND '.join(where)} ORDER BY at DESC, id DESC LIMIT {int(limit)}",  # noqa: S608 - the values are arguments
        *given,
    )
