"""The outbox and its relay, on a real database and a real broker."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
from nats.js.errors import NotFoundError

from kit import bus as kit_bus
from kit import db
from kit.bus import STREAM, Bus, open_bus
from kit.db import Connection, Database, open_database
from kit.ids import new_id
from kit.outbox import CHANNEL, Relay, record
from kit.tasks import stop
from proto.directory.v1.events_pb2 import ProviderAdded, ProviderApproved
from tests.support import servers
from tests.support.eventually import eventually
from tests.support.ledger import ORGANIZATION, write
from tests.support.servers import NatsServer


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
    )


async def connected(url: str) -> asyncpg.Connection[asyncpg.Record]:
    """One connection outside every pool."""
    return await asyncpg.connect(url)


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
        await eventually(lambda: _none_untold(database), within=60)

    events = await told(bus)
    assert len(events) == recorded > 2000
    for found in sequences(events).values():
        assert found == list(range(1, len(found) + 1))


async def _none_untold(database: Database) -> bool:
    return await untold(database) == 0


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
            )


async def test_a_fact_is_a_cloud_event_on_its_own_subject(database: Database, bus: Bus) -> None:
    account = new_id()
    async with relaying(database, bus):
        (entry,) = await write(database, account)
        await eventually(lambda: _none_untold(database))

    message = await bus.js.get_msg(STREAM, 1)
    event = orjson.loads(message.data or b"")
    assert message.subject == f"events.{ORGANIZATION}.directory.provider.added"
    assert message.headers == {"Nats-Msg-Id": event["id"], "Nats-Expected-Stream": STREAM}
    assert event["specversion"] == "1.0"
    assert event["type"] == "suite.directory.provider.added.v1"
    assert event["data"] == {"providerId": str(entry)}
    assert (event["subject"], event["sequence"]) == (str(account), "1")


async def test_of_two_relays_one_is_active_and_the_other_takes_over_when_it_ends(
    database: Database, bus: Bus
) -> None:
    holders = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    async with relaying(database, bus):
        await write(database, new_id())
        await eventually(lambda: _none_untold(database))
        async with relaying(database, bus), relaying(database, bus):
            await write(database, new_id(), 20)
            await eventually(lambda: _none_untold(database))
            assert await database.pool.fetchval(holders) == 1
    async with relaying(database, bus):
        await write(database, new_id())
        await eventually(lambda: _none_untold(database), within=5)
    assert len(await told(bus)) == 22


async def test_a_relay_whose_connection_is_cut_takes_the_lead_again(
    database: Database, bus: Bus
) -> None:
    async with relaying(database, bus):
        await write(database, new_id())
        await eventually(lambda: _none_untold(database))
        cut = await database.pool.fetchval(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        )
        assert cut
        await write(database, new_id())
        await eventually(lambda: _none_untold(database), within=5)


async def test_notify_wakes_the_relay_within_milliseconds(database: Database, bus: Bus) -> None:
    delays: list[float] = []
    async with relaying(database, bus):
        await write(database, new_id())
        await eventually(lambda: _none_untold(database))
        for _ in range(20):
            since = time.perf_counter()
            await write(database, new_id())
            await eventually(lambda: _none_untold(database), within=5)
            delays.append(time.perf_counter() - since)
    assert sorted(delays)[10] < 0.2


async def test_a_fact_is_told_within_the_poll_though_no_notification_came(
    database: Database, bus: Bus
) -> None:
    async with relaying(database, bus):
        await write(database, new_id())
        await eventually(lambda: _none_untold(database))
        await database.pool.execute(
            "INSERT INTO outbox (event_id, organization_id, aggregate, aggregate_id, sequence, subject, body, recorded_at)"
            " SELECT gen_random_uuid(), organization_id, aggregate, aggregate_id, 2, subject, body, recorded_at FROM outbox"
        )
        await eventually(lambda: _none_untold(database), within=3)


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


async def test_the_message_id_keeps_a_fact_told_twice_from_being_stored_twice(
    database: Database, bus: Bus
) -> None:
    await write(database, new_id(), 3)
    relay = Relay(database, bus)
    async with database.pool.acquire() as connection:
        await relay.check_stream(connection)
        assert await relay.tell_some(connection) == 3
        await database.pool.execute("UPDATE outbox SET sent_at = NULL")
        assert await relay.tell_some(connection) == 3
    assert len(await told(bus)) == 3


async def test_a_deleted_stream_is_made_again_and_told_everything_again(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    async with relaying(database, bus):
        await write(database, account, 10)
        await eventually(lambda: _none_untold(database))
        await bus.js.delete_stream(STREAM)
        await write(database, account, 5)

        async def all_there() -> bool:
            with suppress(NotFoundError):
                return (await bus.js.stream_info(STREAM)).state.messages == 15
            return False

        await eventually(all_there)
    assert sorted(sequences(await told(bus))[str(account)]) == list(range(1, 16))


async def test_a_stream_that_somebody_else_made_again_is_noticed(
    database: Database, bus: Bus
) -> None:
    await write(database, new_id(), 4)
    relay = Relay(database, bus)
    async with database.pool.acquire() as connection:
        assert not await relay.check_stream(connection)
        await relay.tell_some(connection)
        assert not await relay.check_stream(connection)
        await bus.js.delete_stream(STREAM)
        await bus.ensure_stream()
        assert await relay.check_stream(connection)
        assert await relay.tell_some(connection) == 4
        assert not await relay.check_stream(connection)


async def test_a_broker_that_lost_its_storage_while_it_was_down_is_told_everything_again(
    database: Database, broker: NatsServer, bus: Bus
) -> None:
    account = new_id()
    async with relaying(database, bus):
        await write(database, account, 30)
        await eventually(lambda: _none_untold(database))
        await broker.kill()
        await write(database, account, 10)
        await broker.restart(forget=True)
        await eventually(lambda: _none_untold(database), within=20)
    assert sequences(await told(bus)) == {str(account): list(range(1, 41))}


async def test_a_failed_publish_keeps_the_order_within_an_aggregate(
    database: Database, broker: NatsServer, bus: Bus
) -> None:
    accounts = [new_id() for _ in range(5)]
    async with relaying(database, bus):
        for turn in range(30):
            for account in accounts:
                await write(database, account, 4)
            if turn == 10:
                await broker.kill()
            if turn == 20:
                await broker.restart()
        await eventually(lambda: _none_untold(database), within=30)
    assert sequences(await told(bus)) == {str(account): list(range(1, 121)) for account in accounts}


async def test_told_facts_are_forgotten_when_they_are_old_and_untold_ones_never(
    database: Database, bus: Bus
) -> None:
    await write(database, new_id(), 3)
    relay = Relay(database, bus)
    await database.pool.execute(
        "UPDATE outbox SET sent_at = clock_timestamp() - interval '36 days' WHERE id = 1"
    )
    await database.pool.execute("UPDATE outbox SET sent_at = clock_timestamp() WHERE id = 2")
    async with database.pool.acquire() as connection:
        await relay.forget(connection)
    rows = await database.pool.fetch("SELECT id FROM outbox ORDER BY id")
    assert [row["id"] for row in rows] == [2, 3]


async def test_a_service_may_do_on_the_broker_what_its_relay_and_consumer_need(
    broker: NatsServer, database_url: str, bus: Bus
) -> None:
    database = await open_database(database_url, size=6)
    own = await open_bus(broker.url("directory"), name="directory")
    await own.ensure_consumer("directory", ["events.*.directory.provider.*"])
    async with relaying(database, own):
        await write(database, new_id())
        async with aclosing(own.deliveries("directory")) as messages:
            await (await anext(messages)).ack()
    await own.ensure_consumer(
        "directory", ["events.*.directory.office.*", "events.*.directory.provider.*"]
    )
    assert len(await told(bus)) == 1
    await own.close()
    await database.pool.close()


async def test_closing_a_connection_to_a_broker_that_is_away_takes_no_time(
    broker: NatsServer,
) -> None:
    opened = await open_bus(servers.operator_url(broker), name="test")
    await broker.kill()
    since = time.monotonic()
    await opened.close()
    assert time.monotonic() - since < 3
    await broker.restart()
