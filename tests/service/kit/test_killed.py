"""Processes and servers that die in mid-flow: nothing is lost, nothing is applied twice, and all goes on within bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from kit.bus import Bus
from kit.db import AWAY, LOST_CONNECTION, Database, open_database
from kit.errors import Unavailable
from kit.ids import new_id
from kit.tasks import stop
from tests.service.kit.conftest import ledger_database
from tests.support import servers
from tests.support.eventually import eventually
from tests.support.ledger import write
from tests.support.process import ledger_process
from tests.support.servers import NatsServer, PostgresServer

ACCOUNTS = [new_id() for _ in range(6)]
WRITERS = 4


async def counted(database: Database, table: str) -> int:
    """How many rows a table of the ledger has; -1 when the database is away."""
    try:
        return int(await database.pool.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - names of ours
    except LOST_CONNECTION:
        return -1


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[None]:
    """Writers who go on until the block ends, whatever happens to the database."""

    async def writer(number: int) -> None:
        while True:
            for account in ACCOUNTS[number % 2 :: 2]:
                try:
                    await write(database, account)
                except LOST_CONNECTION:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.05)

    tasks = [asyncio.create_task(writer(number)) for number in range(WRITERS)]
    try:
        yield
    finally:
        assert await stop(tasks) == []


async def flowing(database: Database, more: int = 60) -> None:
    """Wait until so many more facts were booked."""
    before = max(await counted(database, "booked"), 0)

    async def grown() -> bool:
        return await counted(database, "booked") >= before + more

    await eventually(grown, within=40)


async def everything_is_booked_once_in_order(database: Database) -> None:
    """The invariant: each entry is booked, none twice, each account in its order."""

    async def even() -> bool:
        return await counted(database, "booked") >= await counted(database, "entries") > 0

    await eventually(even, within=40)
    rows = await database.pool.fetch("SELECT event_id, account, sequence FROM booked ORDER BY id")
    found: dict[UUID, list[int]] = {}
    for row in rows:
        found.setdefault(row["account"], []).append(row["sequence"])
    assert len({row["event_id"] for row in rows}) == len(rows)
    assert len(rows) == await counted(database, "entries")
    for sequences in found.values():
        assert sequences == list(range(1, len(sequences) + 1))
    assert await counted(database, "dead_letters") == 0


async def test_a_service_killed_again_and_again_loses_nothing_and_applies_nothing_twice(
    database: Database, database_url: str, bus: Bus, broker: NatsServer, tmp_path: Path
) -> None:
    del bus
    url = servers.operator_url(broker)
    async with writing(database):
        for _ in range(3):
            async with ledger_process(database_url, url, tmp_path) as ledger:
                await flowing(database)
                await ledger.kill()
    async with ledger_process(database_url, url, tmp_path):
        await everything_is_booked_once_in_order(database)


async def test_a_second_replica_takes_over_when_the_first_is_killed(
    database: Database, database_url: str, bus: Bus, broker: NatsServer, tmp_path: Path
) -> None:
    del bus
    url = servers.operator_url(broker)
    async with (
        ledger_process(database_url, url, tmp_path) as first,
        ledger_process(database_url, url, tmp_path),
    ):
        async with writing(database):
            await flowing(database)
            await first.kill()
            await flowing(database)
        await everything_is_booked_once_in_order(database)


async def test_a_killed_broker_loses_nothing(
    database: Database, database_url: str, bus: Bus, broker: NatsServer, tmp_path: Path
) -> None:
    del bus
    async with ledger_process(database_url, servers.operator_url(broker), tmp_path):
        async with writing(database):
            for _ in range(2):
                await flowing(database)
                await broker.kill()
                await broker.restart()
            await flowing(database)
        await everything_is_booked_once_in_order(database)


async def test_a_broker_that_comes_back_without_its_storage_loses_nothing(
    database: Database, database_url: str, bus: Bus, broker: NatsServer, tmp_path: Path
) -> None:
    del bus
    async with ledger_process(database_url, servers.operator_url(broker), tmp_path):
        async with writing(database):
            await flowing(database)
            await broker.kill()
            await broker.restart(forget=True)
            await flowing(database)
        await everything_is_booked_once_in_order(database)


async def test_a_killed_database_loses_nothing_and_is_not_poison(
    mortal_postgres: PostgresServer, bus: Bus, broker: NatsServer, tmp_path: Path
) -> None:
    del bus
    url = await ledger_database(mortal_postgres)
    database = await open_database(url, size=8)
    async with ledger_process(url, servers.operator_url(broker), tmp_path) as ledger:
        async with writing(database):
            for _ in range(2):
                await flowing(database)
                await mortal_postgres.kill()
                await mortal_postgres.restart()
            await flowing(database)
        await everything_is_booked_once_in_order(database)
        assert ledger.process.returncode is None
    await database.pool.close()


async def test_a_lost_database_is_told_as_away_whatever_the_driver_calls_it(
    mortal_postgres: PostgresServer,
) -> None:
    database = await open_database(await ledger_database(mortal_postgres), size=2)

    async def work(*, interrupted: bool) -> None:
        async with database.transaction() as tx:
            await tx.execute("SELECT 1")
            if interrupted:
                await mortal_postgres.kill()
            await tx.execute("SELECT 1")

    with pytest.raises(AWAY):
        await work(interrupted=True)
    with pytest.raises(Unavailable):
        await work(interrupted=False)
    await mortal_postgres.restart()
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT 1") == 1
    await database.pool.close()
