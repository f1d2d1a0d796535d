"""The tables of the inbox: what was heard, how far each aggregate is, and the dead letters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from kit import db
from kit.bus import FORGOTTEN, RETENTION
from kit.db import Connection, Database
from kit.inbox.events import Event, read_event
from kit.outbox import KEPT

OUT_OF_REACH: Final = RETENTION + timedelta(hours=1)
"""The broker drops what is too old now and then, not to the second; and its clock is not the database's."""


class Before(NamedTuple):
    """What is known of the fact before one: when it was `told` (what the header PREVIOUS says), and whether it was `waited` for."""

    told: str | None
    waited: bool = False


_NEXT_LETTERS = """
SELECT DISTINCT ON (organization_id, source, aggregate_id) id, subject, body
FROM dead_letters AS letter
WHERE redrive_at IS NOT NULL AND redriven_at IS NULL AND event_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM dead_letters AS earlier
    WHERE (earlier.organization_id, earlier.source, earlier.aggregate_id)
        = (letter.organization_id, letter.source, letter.aggregate_id)
    AND earlier.sequence < letter.sequence AND earlier.redriven_at IS NULL AND earlier.redrive_at IS NULL
)
ORDER BY organization_id, source, aggregate_id, sequence
"""


_TAKE = """
WITH new AS (INSERT INTO inbox (event_id) VALUES ($5) ON CONFLICT (event_id) DO NOTHING RETURNING event_id)
INSERT INTO inbox_sequences AS s (organization_id, source, aggregate_id, last) SELECT $1, $2, $3, ($4::bigint = 1)::integer FROM new
ON CONFLICT (organization_id, source, aggregate_id) DO UPDATE SET last = s.last + (s.last = $4 - 1)::integer
RETURNING coalesce(old.last, 0)
"""


async def take(tx: Connection, event: Event) -> int | None:
    """Write the event into the inbox, and the order forward if its turn has come; answers the last sequence before, 0 before any;
    None when it was there. Nobody else takes one of the aggregate until the transaction ends."""
    before: int | None = await db.value(tx, _TAKE, *event.aggregate, event.sequence, event.event_id)
    return before


async def is_new(tx: Connection, event: Event) -> bool:
    """Write the event into the inbox; False when it was there."""
    return bool(
        await db.run(
            tx,
            "INSERT INTO inbox (event_id) VALUES ($1) ON CONFLICT (event_id) DO NOTHING",
            event.event_id,
        )
    )


async def take_turn(tx: Connection, event: Event) -> int:
    """Wait for the aggregate's turn and keep it until the transaction ends; answers the last sequence applied, 0 before any."""
    last: int = await db.value(
        tx,
        "INSERT INTO inbox_sequences VALUES ($1, $2, $3, 0) ON CONFLICT (organization_id, source, aggregate_id)"
        " DO UPDATE SET last = inbox_sequences.last RETURNING last",
        *event.aggregate,
    )
    return last


async def is_out_of_reach(tx: Connection, before: Before) -> bool:
    """Whether the fact before has left the stream for good: whoever reads what the stream still has cannot meet it. Of one that was
    waited for in vain it is believed as soon as it may be so."""
    if before.told is None or before.told == FORGOTTEN:
        return before.told is not None
    gone: bool = await db.value(
        tx,
        "SELECT $1::timestamptz < clock_timestamp() - $2::interval",
        datetime.fromisoformat(before.told),
        RETENTION if before.waited else OUT_OF_REACH,
    )
    return gone


async def advance(tx: Connection, event: Event) -> None:
    """The event of the aggregate whose turn was taken is applied."""
    await tx.execute(
        "UPDATE inbox_sequences SET last = $4 WHERE organization_id = $1 AND source = $2 AND aggregate_id = $3",
        *event.aggregate,
        event.sequence,
    )


async def earlier_letter(tx: Connection, event: Event) -> UUID | None:
    """The first earlier fact of the aggregate that lies among the dead letters: this one waits behind it."""
    found: UUID | None = await db.value(
        tx,
        "SELECT event_id FROM dead_letters WHERE organization_id = $1 AND source = $2 AND aggregate_id = $3"
        " AND sequence < $4 AND redriven_at IS NULL ORDER BY sequence LIMIT 1",
        *event.aggregate,
        event.sequence,
    )
    return found


async def lay_down(tx: Connection, event: Event, cause: str) -> None:
    """Put an event among the dead letters."""
    await tx.execute(
        "INSERT INTO dead_letters (event_id, organization_id, source, aggregate_id, sequence, subject, body, cause)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        event.event_id,
        *event.aggregate,
        event.sequence,
        _plain(event.subject),
        event.body,
        _plain(cause),
    )


async def lay_down_malformed(database: Database, subject: str, body: bytes, cause: str) -> None:
    """Put what is not an event of ours among the dead letters. It has no aggregate, so nothing waits behind it."""
    await database.pool.execute(
        "INSERT INTO dead_letters (subject, body, cause) VALUES ($1, $2, $3)",
        _plain(subject),
        _plain(body.decode(errors="replace")),
        _plain(cause),
    )


async def next_letters(database: Database) -> list[tuple[int, Event]]:
    """Of each aggregate the first letter that is to be redriven, unless an earlier one is not."""
    rows = await database.pool.fetch(_NEXT_LETTERS)
    return [(row["id"], read_event(row["subject"], row["body"].encode())) for row in rows]


async def letter_applied(tx: Connection, letter: int, event: Event) -> None:
    """A letter is done with, and what waits behind it is to be redriven next."""
    await tx.execute(
        "UPDATE dead_letters SET redriven_at = clock_timestamp() WHERE id = $1", letter
    )
    await tx.execute(
        "UPDATE dead_letters SET redrive_at = clock_timestamp() WHERE organization_id = $1 AND source = $2"
        " AND aggregate_id = $3 AND redriven_at IS NULL AND redrive_at IS NULL",
        *event.aggregate,
    )


async def letter_failed(database: Database, letter: int, cause: str) -> None:
    """A letter stays, with its new cause, until it is marked again."""
    await database.pool.execute(
        "UPDATE dead_letters SET redrive_at = NULL, cause = $2 WHERE id = $1",
        letter,
        _plain(cause),
    )


async def forget(database: Database) -> None:
    """Delete the oldest ids of the inbox: ids are born in order. The sequences remain, and know what is stale."""
    await database.pool.execute(
        "DELETE FROM inbox WHERE event_id IN (SELECT event_id FROM inbox ORDER BY event_id LIMIT 10000)"
        " AND heard_at < clock_timestamp() - $1::interval",
        KEPT,
    )


def _plain(text: str) -> str:
    """Text that PostgreSQL takes, whatever was in it."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
