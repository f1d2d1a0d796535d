"""A running relay, and what the stream holds: for the tests of outbox and relay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from kit import db
from kit.auth import service_viewer
from kit.bus import STREAM, Bus
from kit.db import Connection, Database
from kit.outbox import Relay, record
from kit.tasks import stop
from proto.directory.v1.events_pb2 import ProviderAdded
from tests.support.ledger import ORGANIZATION


async def told(bus: Bus) -> list[dict[str, Any]]:
    """Every event in the stream, in its order."""
    info = await bus.js.stream_info(STREAM)
    last = info.state.last_seq
    events: list[dict[str, Any]] = []
    for sequence in range(1, last + 1):
        message = await bus.js.get_msg(STREAM, sequence)
        events.append(orjson.loads(message.data or b""))
    return events


def sequences(events: list[dict[str, Any]]) -> dict[str, list[int]]:
    """The sequences of each aggregate, in the order of the stream."""
    found: dict[str, list[int]] = {}
    for event in events:
        found.setdefault(event["subject"], []).append(int(event["sequence"]))
    return found


async def untold(database: Database) -> int:
    """How many facts wait."""
    return int(await database.pool.fetchval("SELECT count(*) FROM outbox WHERE sent_at IS NULL"))


@asynccontextmanager
async def relaying(database: Database, bus: Bus) -> AsyncIterator[Relay]:
    """A relay that runs until the block ends."""
    relay = Relay(database, bus)
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        assert await stop([task]) == []


async def note(tx: Connection, aggregate_id: UUID) -> UUID:
    """Record one fact of an aggregate."""
    return await record(
        tx,
        ProviderAdded(provider_id=str(aggregate_id)),
        organization_id=ORGANIZATION,
        aggregate="provider",
        aggregate_id=aggregate_id,
        at=await db.value(tx, "SELECT clock_timestamp()"),
        by=service_viewer("directory"),
    )


async def connected(url: str) -> asyncpg.Connection[asyncpg.Record]:
    """One connection outside every pool."""
    return await asyncpg.connect(url)


async def everything_told(database: Database) -> bool:
    """Whether no fact waits."""
    return await untold(database) == 0
