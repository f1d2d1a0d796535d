"""The feed that partners read: what was withdrawn is gone from it, for good, and nothing else is (R14)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import nats
import nats.errors
import nats.js.errors
import orjson
import pytest
from nats.js.api import StreamConfig

from kit import db, feed
from kit.auth import service_viewer
from kit.bus import BUS_AWAY, STREAM, Bus, open_bus
from kit.db import Database
from kit.feed import FEED, Feed
from kit.ids import new_id
from kit.outbox import Relay, record
from kit.partners import ensure_partner_consumer, partner_consumers
from proto.directory.v1.events_pb2 import ProviderAdded
from tests.service.kit.conftest import made_anew
from tests.service.kit.facts import booked, consuming, everything_acknowledged, has, letters
from tests.service.kit.relays import everything_told, relaying, told
from tests.support.eventually import eventually
from tests.support.ledger import ORGANIZATION
from tests.support.servers import NatsServer

OTHER = UUID(int=8)


@pytest.fixture
async def keeper(database: Database, broker: NatsServer, bus: Bus) -> AsyncIterator[Feed]:
    """The feed as referrals keeps it, with the rights of referrals; the aggregates here are directory's."""
    with_rights = await open_bus(broker.url("referrals"), name="referrals")
    with suppress(nats.js.errors.NotFoundError):
        await bus.js.delete_stream(FEED)
    yield Feed("directory", database, with_rights)
    await with_rights.close()


async def say(database: Database, account: UUID, times: int, to: UUID = ORGANIZATION) -> None:
    """Record facts about an account, for one organization."""
    for _ in range(times):
        async with database.transaction() as tx:
            await record(
                tx,
                ProviderAdded(provider_id=str(account)),
                organization_id=to,
                aggregate="provider",
                aggregate_id=account,
                at=await db.value(tx, "SELECT clock_timestamp()"),
                by=service_viewer("directory"),
            )


async def tell_all(database: Database, bus: Bus) -> None:
    async with relaying(database, bus):
        await eventually(lambda: everything_told(database))


async def withdraw(database: Database, account: UUID, of: UUID = ORGANIZATION) -> None:
    async with database.transaction() as tx:
        assert account in await feed.told(tx, of, "provider")
        await feed.withdraw(tx, of, "provider", [account])


async def heard(bus: Bus, organization: UUID = ORGANIZATION) -> list[tuple[str, int]]:
    """What a partner of the organization hears that begins now: subject and sequence."""
    durable = f"partner_{new_id()}"
    await ensure_partner_consumer(bus, durable, f"events.{organization}.>")
    return await rest(bus, durable)


async def heard_raw(bus: Bus) -> list[bytes]:
    """The bodies a partner hears that begins now."""
    durable = f"partner_{new_id()}"
    await ensure_partner_consumer(bus, durable, f"events.{ORGANIZATION}.>")
    reading = await bus.js.pull_subscribe_bind(durable=durable, stream=FEED)
    bodies = [message.data for message in await reading.fetch(100, timeout=0.5)]
    await reading.unsubscribe()
    return bodies


async def rest(bus: Bus, durable: str, most: int = 100) -> list[tuple[str, int]]:
    """What the partner hears from where it is, acknowledged."""
    reading = await bus.js.pull_subscribe_bind(durable=durable, stream=FEED)
    try:
        messages = await reading.fetch(most, timeout=0.5)
    except nats.errors.TimeoutError:
        messages = []
    for message in messages:
        await message.ack_sync()
    await reading.unsubscribe()
    events = [orjson.loads(message.data) for message in messages]
    return [(event["subject"], int(event["sequence"])) for event in events]


async def test_who_begins_after_a_withdrawal_hears_none_of_it_and_all_the_rest(
    database: Database, bus: Bus, keeper: Feed
) -> None:
    """R14: the other organization keeps what it was told of the same thing, and our own services everything."""
    gone, stays = new_id(), new_id()
    await say(database, gone, 3)
    await say(database, gone, 3, OTHER)
    await say(database, stays, 2)
    await tell_all(database, bus)
    await keeper.keep()
    assert len(await heard(bus)) == 5

    await withdraw(database, gone)
    await keeper.take_out(ORGANIZATION)

    assert await heard(bus) == [(str(stays), 1), (str(stays), 2)]
    assert await heard(bus, OTHER) == [(str(gone), 1), (str(gone), 2), (str(gone), 3)]
    assert len(await told(bus)) == 8


async def test_who_is_half_way_hears_no_more_of_it(
    database: Database, bus: Bus, keeper: Feed
) -> None:
    """R14: what was pulled and not acknowledged does not come again either."""
    gone, stays = new_id(), new_id()
    await say(database, gone, 4)
    await tell_all(database, bus)
    await say(database, stays, 1)
    await tell_all(database, bus)
    await keeper.keep()
    await ensure_partner_consumer(bus, "partner_half", f"events.{ORGANIZATION}.>")
    assert await rest(bus, "partner_half", 2) == [(str(gone), 1), (str(gone), 2)]
    reading = await bus.js.pull_subscribe_bind(durable="partner_half", stream=FEED)
    (pulled,) = await reading.fetch(1, timeout=1)

    await withdraw(database, gone)
    await keeper.take_out(ORGANIZATION)
    await pulled.nak()

    assert await rest(bus, "partner_half") == [(str(stays), 1)]
    await reading.unsubscribe()


async def test_a_withdrawal_that_was_cut_off_is_carried_out_by_the_next(
    database: Database, broker: NatsServer, bus: Bus, keeper: Feed
) -> None:
    """R14: once it is committed nothing is needed but another try, however far the first came."""
    gone = new_id()
    await say(database, gone, 6)
    await tell_all(database, bus)
    await keeper.keep()
    await withdraw(database, gone)
    await bus.js.delete_msg(FEED, 3)
    await broker.kill()
    with pytest.raises(BUS_AWAY):
        await keeper.take_out(ORGANIZATION)
    await broker.restart()

    await eventually(lambda: can(keeper))
    await eventually(lambda: is_there(bus))

    assert await heard(bus) == []


async def can(keeper: Feed) -> bool:
    """Whether the broker is back for it."""
    try:
        await keeper.take_out(ORGANIZATION)
    except BUS_AWAY:
        return False
    return True


async def is_there(bus: Bus) -> bool:
    """Whether the connection is back."""
    return bus.connected


async def test_what_was_told_twice_is_gone_twice(
    database: Database, bus: Bus, keeper: Feed
) -> None:
    """R14: a relay that crashed before it noted what it had told."""
    gone = new_id()
    await say(database, gone, 1)
    await tell_all(database, bus)
    first = await bus.js.get_msg(STREAM, 1)
    assert first.subject is not None
    await bus.publish(first.subject, first.data or b"", str(new_id()))
    await keeper.keep()
    assert len(await heard(bus)) == 2

    await withdraw(database, gone)
    await keeper.take_out(ORGANIZATION)

    assert await heard(bus) == []


@pytest.mark.parametrize("body", [b"", b"[1]", b"{}", b'{"sequence":"x","subject":[]}'])
async def test_what_is_no_fact_keeps_no_fact_from_being_taken_out(
    database: Database, bus: Bus, keeper: Feed, body: bytes
) -> None:
    """R14: somebody may have told nonsense by hand; it stays in the stream for 30 days."""
    gone = new_id()
    await bus.publish(f"events.{ORGANIZATION}.directory.provider.added", body, str(new_id()))
    await say(database, gone, 2)
    await tell_all(database, bus)
    await withdraw(database, gone)

    await keeper.keep()

    assert len(await heard_raw(bus)) == 1


async def test_after_the_stream_lost_its_memory_our_services_hear_it_again_and_no_partner_does(
    database: Database, bus: Bus, keeper: Feed
) -> None:
    """R14: and what is told since the withdrawal is told to everybody."""
    gone = new_id()
    await say(database, gone, 3)
    await tell_all(database, bus)
    await keeper.keep()
    await withdraw(database, gone)
    await say(database, gone, 1)

    await bus.js.delete_stream(STREAM)
    await eventually(lambda: made_anew(bus))
    relay = Relay(database, bus)
    async with database.pool.acquire() as connection:
        assert await relay.check_stream(connection)
    await tell_all(database, bus)
    await eventually(lambda: kept(keeper))

    assert await heard(bus) == [(str(gone), 4)]
    async with consuming(database, bus):
        await eventually(has(lambda: booked(database, gone), lambda seen: len(seen) == 4))
        await eventually(lambda: everything_acknowledged(bus))
    assert await booked(database, gone) == [1, 2, 3, 4]
    assert await letters(database) == []


async def kept(keeper: Feed) -> bool:
    """Whether the feed could be made: the server may still be clearing the files of the one that was deleted."""
    try:
        await keeper.keep()
    except nats.js.errors.ServerError:
        return False
    return True


async def test_a_feed_made_anew_is_closed_until_everything_withdrawn_was_taken_out(
    database: Database, bus: Bus, keeper: Feed
) -> None:
    """R14: its mirror begins with everything the stream has."""
    gone, stays = new_id(), new_id()
    await say(database, gone, 2)
    await say(database, stays, 1)
    await tell_all(database, bus)
    await keeper.keep()
    await withdraw(database, gone)
    config = (await bus.js.stream_info(FEED)).config
    metadata = {"of": (config.metadata or {})["of"]}
    await bus.js.delete_stream(FEED)
    await eventually(lambda: made(bus, config.evolve(metadata=metadata)))

    assert await feed.opened_at(bus) is None
    await ensure_partner_consumer(bus, "partner_early", f"events.{ORGANIZATION}.>")
    assert await partner_consumers(bus) == frozenset()

    await keeper.keep()

    assert await feed.opened_at(bus) is not None
    assert await heard(bus) == [(str(stays), 1)]


async def made(bus: Bus, config: StreamConfig) -> bool:
    try:
        await bus.js.add_stream(config)
    except nats.js.errors.ServerError:
        return False
    return True


async def test_a_stream_that_came_back_shorter_has_a_new_feed(
    database: Database, bus: Bus, keeper: Feed
) -> None:
    """A mirror would not notice what comes in the place of what was cut off."""
    await say(database, new_id(), 1)
    await tell_all(database, bus)
    await keeper.keep()
    before = await feed.opened_at(bus)
    await keeper.keep()
    assert await feed.opened_at(bus) == before

    await database.pool.execute("UPDATE outbox_stream SET last_sequence = 1000000")
    async with database.pool.acquire() as connection:
        assert await Relay(database, bus).check_stream(connection)
    await eventually(lambda: kept(keeper))

    assert await feed.opened_at(bus) not in (None, before)


async def test_a_stream_that_was_cut_off_is_noticed_although_others_told_it_more_since(
    database: Database, bus: Bus, keeper: Feed
) -> None:
    """All services tell again after the broker was restored from a copy, each when it is back: the first makes it longer than it was."""
    account = new_id()
    await say(database, account, 3)
    await tell_all(database, bus)
    await keeper.keep()
    before = await feed.opened_at(bus)
    await bus.js.delete_stream(STREAM)
    await eventually(lambda: made_anew(bus))
    copy = await bus.ensure_stream()
    sql = "UPDATE outbox_stream SET created_at = $1"
    await database.pool.execute(sql, copy.created_at)
    for number in range(5):
        await bus.publish(f"events.{OTHER}.insurance.plan.added", b"{}", f"another-{number}")

    async with database.pool.acquire() as connection:
        assert await Relay(database, bus).check_stream(connection)
        assert not await Relay(database, bus).check_stream(connection)
    await tell_all(database, bus)
    await eventually(lambda: kept(keeper))

    assert await heard(bus) == [(str(account), 1), (str(account), 2), (str(account), 3)]
    assert await feed.opened_at(bus) not in (None, before)


async def test_what_was_withdrawn_is_remembered_as_long_as_its_facts_are_kept(
    database: Database,
) -> None:
    gone = new_id()
    await say(database, gone, 1)
    await withdraw(database, gone)
    await feed.forget(database)
    assert await database.pool.fetchval("SELECT count(*) FROM outbox_withdrawn") == 1

    await database.pool.execute("DELETE FROM outbox")
    await feed.forget(database)

    assert await database.pool.fetchval("SELECT count(*) FROM outbox_withdrawn") == 0


async def test_more_than_a_thousand_partners_keep_no_fact_from_being_taken_out_and_all_are_known(
    database: Database, bus: Bus, keeper: Feed
) -> None:
    """R14: the broker's own limit is a thousand consumers, and a thousand names an answer; one not named is not ended with its partner."""
    gone = new_id()
    await say(database, gone, 1)
    await tell_all(database, bus)
    await keeper.keep()
    names = [f"partner_{number:04}" for number in range(1100)]
    for some in range(0, len(names), 50):
        made = (ensure_partner_consumer(bus, one, "events.x.>") for one in names[some : some + 50])
        await asyncio.gather(*made)
    assert await partner_consumers(bus) >= {*names}

    await withdraw(database, gone)
    await keeper.take_out(ORGANIZATION)

    assert await heard(bus) == []
    await bus.js.delete_stream(FEED)
