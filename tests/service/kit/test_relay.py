"""The relay: one is active, told by NOTIFY, and it survives what happens to broker and stream."""

from __future__ import annotations

import time
from contextlib import aclosing, suppress

from nats.js.errors import NotFoundError

from kit.bus import STREAM, Bus, open_bus
from kit.db import Database, open_database
from kit.ids import new_id
from kit.outbox import Relay
from tests.service.kit.relays import (
    everything_told,
    relaying,
    sequences,
    told,
)
from tests.support import servers
from tests.support.eventually import eventually
from tests.support.ledger import write
from tests.support.servers import NatsServer


async def test_of_two_relays_one_is_active_and_the_other_takes_over_when_it_ends(
    database: Database, bus: Bus
) -> None:
    holders = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    async with relaying(database, bus):
        await write(database, new_id())
        await eventually(lambda: everything_told(database))
        async with relaying(database, bus), relaying(database, bus):
            await write(database, new_id(), 20)
            await eventually(lambda: everything_told(database))
            assert await database.pool.fetchval(holders) == 1
    async with relaying(database, bus):
        await write(database, new_id())
        await eventually(lambda: everything_told(database), within=5)
    assert len(await told(bus)) == 22


async def test_a_relay_whose_connection_is_cut_takes_the_lead_again(
    database: Database, bus: Bus
) -> None:
    async with relaying(database, bus):
        await write(database, new_id())
        await eventually(lambda: everything_told(database))
        cut = await database.pool.fetchval(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        )
        assert cut
        await write(database, new_id())
        await eventually(lambda: everything_told(database), within=5)


async def test_notify_wakes_the_relay_within_milliseconds(database: Database, bus: Bus) -> None:
    delays: list[float] = []
    async with relaying(database, bus):
        await write(database, new_id())
        await eventually(lambda: everything_told(database))
        for _ in range(20):
            since = time.perf_counter()
            await write(database, new_id())
            await eventually(lambda: everything_told(database), within=5)
            delays.append(time.perf_counter() - since)
    assert sorted(delays)[10] < 0.2


async def test_a_fact_is_told_within_the_poll_though_no_notification_came(
    database: Database, bus: Bus
) -> None:
    async with relaying(database, bus):
        await write(database, new_id())
        await eventually(lambda: everything_told(database))
        await database.pool.execute(
            "INSERT INTO outbox (event_id, organization_id, aggregate, aggregate_id, sequence, subject, body, recorded_at)"
            " SELECT gen_random_uuid(), organization_id, aggregate, aggregate_id, 2, subject, body, recorded_at FROM outbox"
        )
        await eventually(lambda: everything_told(database), within=3)


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
        await eventually(lambda: everything_told(database))
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
        await eventually(lambda: everything_told(database))
        await broker.kill()
        await write(database, account, 10)
        await broker.restart(forget=True)
        await eventually(lambda: everything_told(database), within=20)
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
        await eventually(lambda: everything_told(database), within=30)
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
            (message,) = await anext(messages)
            await message.ack()
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
