"""The outbox, on a real database and a real broker."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import orjson
import pytest

from kit import bus as kit_bus
from kit import db
from kit.bus import STREAM, Bus
from kit.db import Database
from kit.ids import new_id
from kit.outbox import CHANNEL, Relay, record
from proto.directory.v1.events_pb2 import ProviderAdded, ProviderApproved
from tests.service.kit.relays import (
    connected,
    everything_told,
    note,
    relaying,
    sequences,
    told,
)
from tests.support.eventually import eventually
from tests.support.ledger import ORGANIZATION, write


async def test_a_row_whose_id_was_taken_early_and_committed_late_is_told(
    database: Database, database_url: str, bus: Bus
) -> None:
    slow, quick = await connected(database_url), await connected(database_url)
    early = slow.transaction()
    await early.start()
    late_event = await note(slow, new_id())
    async with quick.transaction():
        first_event = await note(quick, new_id())

    async with database.pool.acquire() as connection:
        relay = Relay(database, bus)
        await relay.check_stream(connection)
        assert await relay.tell_some(connection) == 1
        await early.commit()
        assert await relay.tell_some(connection) == 1

    assert [event["id"] for event in await told(bus)] == [str(first_event), str(late_event)]
    await slow.close()
    await quick.close()


async def test_an_aggregate_is_never_inverted_though_the_later_writer_began_first(
    database: Database, database_url: str, bus: Bus
) -> None:
    account = new_id()
    first, second = await connected(database_url), await connected(database_url)
    began_first = first.transaction()
    await began_first.start()
    await first.execute("SELECT pg_current_xact_id()")
    async with second.transaction():
        await note(second, account)
    await note(first, account)

    async with database.pool.acquire() as connection:
        relay = Relay(database, bus)
        await relay.check_stream(connection)
        await relay.tell_some(connection)
        await began_first.commit()
        await relay.tell_some(connection)

    assert sequences(await told(bus)) == {str(account): [1, 2]}
    await first.close()
    await second.close()


async def test_an_open_writer_of_an_aggregate_makes_the_next_one_wait_so_that_ids_follow_commits(
    database: Database, database_url: str
) -> None:
    account = new_id()
    first, second = await connected(database_url), await connected(database_url)
    open_writer = first.transaction()
    await open_writer.start()
    await note(first, account)

    async def write_second() -> None:
        async with second.transaction():
            await note(second, account)

    waiting = asyncio.create_task(write_second())
    await eventually(
        lambda: database.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
    )
    await open_writer.commit()
    await waiting

    rows = await database.pool.fetch("SELECT sequence FROM outbox ORDER BY id")
    assert [row["sequence"] for row in rows] == [1, 2]
    await first.close()
    await second.close()


async def test_many_concurrent_writers_lose_nothing_and_every_aggregate_is_told_gapless_in_order(
    database: Database, bus: Bus
) -> None:
    accounts = [new_id() for _ in range(12)]

    async def writer(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - a load, not a secret
        for _ in range(50):
            async with database.transaction() as tx:
                for account in sorted(chance.sample(accounts, k=chance.randint(1, 3))):
                    await note(tx, account)

    async with relaying(database, bus):
        await asyncio.gather(*(writer(seed) for seed in range(24)))
        recorded = await database.pool.fetchval("SELECT count(*) FROM outbox")
        await eventually(lambda: everything_told(database), within=60)

    events = await told(bus)
    assert len(events) == recorded > 2000
    for found in sequences(events).values():
        assert found == list(range(1, len(found) + 1))


async def test_a_refused_action_leaves_no_fact_and_no_gap(database: Database) -> None:
    account = new_id()
    with suppress(RuntimeError):
        async with database.transaction() as tx:
            await note(tx, account)
            raise RuntimeError
    async with database.transaction() as tx:
        await note(tx, account)

    rows = await database.pool.fetch("SELECT sequence FROM outbox")
    assert [row["sequence"] for row in rows] == [1]


async def test_two_kinds_of_aggregate_with_the_same_id_count_apart(database: Database) -> None:
    shared = new_id()
    async with database.transaction() as tx:
        for aggregate in ("provider", "placement"):
            await record(
                tx,
                ProviderApproved(provider_id=str(shared)),
                organization_id=ORGANIZATION,
                aggregate=aggregate,
                aggregate_id=shared,
                at=await db.value(tx, "SELECT clock_timestamp()"),
                by=None,
            )

    rows = await database.pool.fetch("SELECT sequence FROM outbox")
    assert [row["sequence"] for row in rows] == [1, 1]


async def test_a_fact_too_large_for_the_broker_is_a_fault_of_its_writer(database: Database) -> None:
    with pytest.raises(ValueError, match="a fact may have"):
        async with database.transaction() as tx:
            await record(
                tx,
                ProviderAdded(provider_id="x" * kit_bus.MAX_BODY),
                organization_id=ORGANIZATION,
                aggregate="provider",
                aggregate_id=new_id(),
                at=await db.value(tx, "SELECT clock_timestamp()"),
                by=None,
            )


async def test_a_fact_is_a_cloud_event_on_its_own_subject(database: Database, bus: Bus) -> None:
    account = new_id()
    async with relaying(database, bus):
        (entry,) = await write(database, account)
        await eventually(lambda: everything_told(database))

    message = await bus.js.get_msg(STREAM, 1)
    event = orjson.loads(message.data or b"")
    assert message.subject == f"events.{ORGANIZATION}.directory.provider.added"
    assert message.headers == {"Nats-Msg-Id": event["id"], "Nats-Expected-Stream": STREAM}
    assert event["specversion"] == "1.0"
    assert event["type"] == "suite.directory.provider.added.v1"
    assert event["data"] == {"providerId": str(entry)}
    assert (event["subject"], event["sequence"]) == (str(account), "1")


async def test_the_notification_comes_once_for_a_transaction_and_only_when_it_commits(
    database: Database, database_url: str
) -> None:
    heard: list[str] = []
    listener = await connected(database_url)
    await listener.add_listener(CHANNEL, lambda *_: heard.append("woken"))
    with suppress(RuntimeError):
        async with database.transaction() as tx:
            await note(tx, new_id())
            raise RuntimeError
    await write(database, new_id(), 5)

    async def come() -> bool:
        await listener.execute("SELECT 1")
        return bool(heard)

    await eventually(come)
    assert heard == ["woken"]
    await listener.close()
