"""Transactions and rows, on a real database."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from kit import db
from kit.db import Database, open_database, violated
from kit.errors import Invalid, Unavailable
from kit.ids import new_id


async def keep(database: Database, sql: str, *args: object) -> None:
    """One statement in a transaction."""
    async with database.transaction() as tx:
        await db.run(tx, sql, *args)


@pytest.mark.parametrize(
    ("sql", "text"),
    [("INSERT INTO calls (what) VALUES ($1)", "a\0b"), ("SELECT $1::jsonb", ["a\0b"])],
)
async def test_text_that_postgresql_cannot_keep_is_invalid_and_not_a_fault(
    database: Database, sql: str, text: object
) -> None:
    with pytest.raises(Invalid) as refused:
        await keep(database, sql, text)
    assert refused.value.code == "BAD_TEXT"


async def test_a_lost_race_tells_which_constraint_stood_in_its_way(database: Database) -> None:
    entry = new_id()
    await keep(database, "INSERT INTO entries VALUES ($1, $1)", entry)
    with pytest.raises(asyncpg.UniqueViolationError) as raised:
        await keep(database, "INSERT INTO entries VALUES ($1, $1)", entry)
    assert violated(raised.value) == "entries_pkey"


async def test_a_reading_sees_one_moment_and_cannot_write(database: Database) -> None:
    async with database.reading() as tx:
        before = await db.value(tx, "SELECT count(*) FROM entries")
        await keep(database, "INSERT INTO entries VALUES ($1, $1)", new_id())
        assert await db.value(tx, "SELECT count(*) FROM entries") == before
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await db.run(tx, "DELETE FROM entries")


async def test_a_service_whose_connections_are_all_in_use_says_so_in_time(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "ACQUIRE_TIMEOUT", 0.1)
    small = await open_database(database_url, size=1)
    async with small.transaction():
        with pytest.raises(Unavailable):
            await keep(small, "SELECT 1")
    await keep(small, "SELECT 1")
    await small.pool.close()


async def test_a_cancelled_transaction_leaves_nothing_and_its_connection_is_good_again(
    database_url: str,
) -> None:
    small = await open_database(database_url, size=1)

    async def long() -> None:
        async with small.transaction() as tx:
            await db.run(tx, "INSERT INTO entries VALUES ($1, $1)", new_id())
            await db.value(tx, "SELECT pg_sleep(30)")

    for pause in (0.0, 0.01, 0.05):
        task = asyncio.create_task(long())
        await asyncio.wait({task}, timeout=pause)
        task.cancel()
        await asyncio.wait({task}, timeout=5)
        assert task.cancelled()
    assert await small.pool.fetchval("SELECT count(*) FROM entries") == 0
    await small.pool.close()
