"""Facts of the ledger as the relay tells them, and what became of them: for the tests of inbox and dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import orjson
from nats.js.errors import NotFoundError

from kit.bus import STREAM, Bus
from kit.db import Database
from kit.ids import new_id
from kit.inbox import Consumer, Hearing
from kit.tasks import stop
from tests.support.ledger import HEARS, ORGANIZATION

SUBJECT = f"events.{ORGANIZATION}.directory.provider.added"


def event(account: UUID, sequence: int, /, **changed: object) -> bytes:
    """A fact of the ledger as the relay tells it. Its id follows from account and sequence."""
    told = {
        "specversion": "1.0",
        "id": str(UUID(int=account.int ^ sequence)),
        "type": "suite.directory.provider.added.v1",
        "subject": str(account),
        "time": "2026-01-02T03:04:05+00:00",
        "organizationid": str(ORGANIZATION),
        "sequence": str(sequence),
        "data": {"providerId": str(entry_of(account, sequence))},
    }
    return orjson.dumps(told | changed)


def entry_of(account: UUID, sequence: int) -> UUID:
    """The entry that an `event` is about."""
    return UUID(int=account.int ^ sequence ^ (1 << 40))


async def tell(bus: Bus, account: UUID, *sequences: int) -> None:
    """Publish facts with fresh message ids, so that the broker takes each of them for a new one."""
    for sequence in sequences:
        await bus.publish(SUBJECT, event(account, sequence), str(new_id()))


async def booked(database: Database, account: UUID) -> list[int]:
    """The sequences that were booked for an account, in the order of booking."""
    rows = await database.pool.fetch(
        "SELECT sequence FROM booked WHERE account = $1 ORDER BY id", account
    )
    return [row["sequence"] for row in rows]


async def letters(database: Database) -> list[tuple[int | None, str]]:
    """The open dead letters: sequence and cause."""
    rows = await database.pool.fetch(
        "SELECT sequence, cause FROM dead_letters WHERE redriven_at IS NULL ORDER BY sequence"
    )
    return [(row["sequence"], row["cause"]) for row in rows]


def has(
    ask: Callable[[], Awaitable[object]], wanted: Callable[[Any], bool]
) -> Callable[[], Awaitable[bool]]:
    """A condition for `eventually`."""

    async def holds() -> bool:
        return wanted(await ask())

    return holds


async def unchanged(something: list[UUID]) -> list[UUID]:
    """The same, for `has`."""
    return something


async def everything_acknowledged(bus: Bus, name: str = "ledger") -> bool:
    """Whether the broker waits for nothing from the consumer."""
    with suppress(NotFoundError):
        info = await bus.js.consumer_info(STREAM, name)
        return not info.num_pending and not info.num_ack_pending
    return False


@asynccontextmanager
async def consuming(
    database: Database, bus: Bus, hears: tuple[Hearing, ...] = HEARS, name: str = "ledger"
) -> AsyncIterator[Consumer]:
    """A consumer that runs until the block ends."""
    consumer = Consumer(name, database, bus, hears)
    task = asyncio.create_task(consumer.run())
    try:
        yield consumer
        assert not task.done(), task
    finally:
        assert await stop([task]) == []


async def poison(database: Database, account: UUID, sequence: int) -> None:
    """From now on that entry cannot be booked."""
    await database.pool.execute("INSERT INTO poisoned VALUES ($1)", entry_of(account, sequence))


async def cure(database: Database) -> None:
    """The fix was released, and an operator redrives the first letter of each aggregate."""
    await database.pool.execute("DELETE FROM poisoned")
    await database.pool.execute(
        "UPDATE dead_letters SET redrive_at = clock_timestamp() WHERE cause NOT LIKE 'waits behind%'"
    )
