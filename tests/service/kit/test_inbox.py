"""The inbox and its consumer, on a real database and a real broker."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from uuid import UUID

import pytest

from kit.bus import STREAM, Bus
from kit.db import Connection, Database
from kit.ids import new_id
from kit.inbox import Consumer, Heard, Hearing, tables
from proto.directory.v1.events_pb2 import PlacementAdded, ProviderAdded
from tests.service.kit.facts import (
    SUBJECT,
    booked,
    consuming,
    event,
    everything_acknowledged,
    has,
    letters,
    tell,
    unchanged,
)
from tests.support.eventually import eventually
from tests.support.ledger import HEARS, ORGANIZATION, book


async def test_a_fact_is_applied_once_however_often_it_comes(database: Database, bus: Bus) -> None:
    account = new_id()
    await tell(bus, account, 1, 1, 2, 1, 2, 2, 3)
    async with consuming(database, bus):
        await eventually(has(lambda: booked(database, account), lambda seen: len(seen) >= 3))
        await eventually(lambda: everything_acknowledged(bus))
    assert await booked(database, account) == [1, 2, 3]


async def test_facts_shuffled_and_repeated_end_in_the_same_state_as_in_order(
    database: Database, bus: Bus
) -> None:
    accounts = [new_id() for _ in range(8)]
    chance = random.Random(5)  # noqa: S311 - a load, not a secret
    storm = [
        (account, sequence)
        for account in accounts
        for sequence in range(1, 16)
        for _ in range(chance.randint(1, 4))
    ]
    chance.shuffle(storm)
    for account, sequence in storm:
        await tell(bus, account, sequence)
    async with consuming(database, bus):
        await eventually(lambda: everything_acknowledged(bus), within=40)
    for account in accounts:
        assert await booked(database, account) == list(range(1, 16))
    assert await letters(database) == []


async def test_two_replicas_share_the_work_and_keep_the_order(database: Database, bus: Bus) -> None:
    accounts = [new_id() for _ in range(5)]
    for sequence in range(1, 41):
        for account in accounts:
            await tell(bus, account, sequence)
    async with consuming(database, bus), consuming(database, bus):
        await eventually(lambda: everything_acknowledged(bus), within=40)
    for account in accounts:
        assert await booked(database, account) == list(range(1, 41))


async def test_a_fact_whose_predecessor_is_missing_waits_for_it(
    database: Database, bus: Bus
) -> None:
    account, other = new_id(), new_id()
    await tell(bus, account, 2, 3)
    await tell(bus, other, 1)
    async with consuming(database, bus):
        await eventually(has(lambda: booked(database, other), bool))
        assert await booked(database, account) == []
        await tell(bus, account, 1)
        await eventually(has(lambda: booked(database, account), lambda seen: len(seen) == 3))
    assert await booked(database, account) == [1, 2, 3]


async def test_a_stale_fact_is_passed_over(database: Database, bus: Bus) -> None:
    account = new_id()
    consumer = Consumer("ledger", database, bus, HEARS)
    assert await consumer.apply(SUBJECT, event(account, 1))
    assert not await consumer.apply(SUBJECT, event(account, 1, id=str(new_id())))
    assert await booked(database, account) == [1]


async def test_a_crash_between_effect_and_acknowledgement_applies_once(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    await tell(bus, account, 1)
    await bus.ensure_consumer("ledger", [HEARS[0].subject])
    async with aclosing(bus.deliveries("ledger")) as messages:
        (message,) = await anext(messages)
        assert await Consumer("ledger", database, bus, HEARS).apply(message.subject, message.data)
        await message.nak()  # the process died before its ack: the broker delivers again
    async with consuming(database, bus):
        await eventually(lambda: everything_acknowledged(bus))
    assert await booked(database, account) == [1]


async def test_an_effect_that_fails_leaves_neither_inbox_row_nor_half_an_effect(
    database: Database, bus: Bus
) -> None:
    async def half(tx: Connection, heard: Heard) -> None:
        await book(tx, heard)
        raise RuntimeError

    hears = (Hearing("directory", "provider", {ProviderAdded: half}),)
    with pytest.raises(RuntimeError):
        await Consumer("ledger", database, bus, hears).apply(SUBJECT, event(new_id(), 1))
    for table in ("inbox", "booked", "inbox_sequences"):
        assert await database.pool.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608 - names of ours


async def test_facts_without_a_handler_advance_the_order(database: Database, bus: Bus) -> None:
    account = new_id()
    unheard = event(account, 1, type="suite.directory.provider.approved.v1")
    consumer = Consumer("ledger", database, bus, HEARS)
    assert await consumer.apply(SUBJECT, unheard)
    assert await consumer.apply(SUBJECT, event(account, 2))
    assert await booked(database, account) == [2]


async def test_aggregates_of_two_sources_with_the_same_id_do_not_mix_up_their_order(
    database: Database, bus: Bus
) -> None:
    shared = new_id()
    seen: list[str] = []

    async def note(_: Connection, heard: Heard) -> None:
        seen.append(type(heard.fact).__name__)

    hears = (
        Hearing("directory", "provider", {ProviderAdded: note}),
        Hearing("directory", "placement", {PlacementAdded: note}),
    )
    consumer = Consumer("ledger", database, bus, hears)
    placement = event(
        shared, 1, id=str(new_id()), type="suite.directory.placement.added.v1", data={}
    )
    assert await consumer.apply(SUBJECT, event(shared, 1))
    assert await consumer.apply(SUBJECT, placement)
    assert seen == ["ProviderAdded", "PlacementAdded"]


async def test_a_service_that_hears_more_than_before_is_told_it_from_the_beginning(
    database: Database, bus: Bus
) -> None:
    account, place = new_id(), new_id()
    subject = f"events.{ORGANIZATION}.directory.placement.added"
    placement = event(place, 1, type="suite.directory.placement.added.v1", data={})
    await bus.publish(subject, placement, str(new_id()))
    await tell(bus, account, 1)
    async with consuming(database, bus):
        await eventually(has(lambda: booked(database, account), bool))

    heard: list[UUID] = []

    async def note(_: Connection, fact: Heard) -> None:
        heard.append(fact.aggregate_id)

    more = (*HEARS, Hearing("directory", "placement", {PlacementAdded: note}))
    async with consuming(database, bus, more):
        await eventually(has(lambda: unchanged(heard), bool))
        await eventually(lambda: everything_acknowledged(bus))
    assert heard == [place]
    assert await booked(database, account) == [1]


async def test_a_deleted_consumer_is_made_again_and_applies_nothing_twice(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    await tell(bus, account, 1, 2)
    async with consuming(database, bus):
        await eventually(has(lambda: booked(database, account), lambda seen: len(seen) == 2))
        await bus.js.delete_consumer(STREAM, "ledger")
        await tell(bus, account, 3)
        await eventually(has(lambda: booked(database, account), lambda seen: len(seen) == 3))
        await eventually(lambda: everything_acknowledged(bus))
    assert await booked(database, account) == [1, 2, 3]


async def test_what_a_stopped_consumer_had_pulled_goes_to_the_next_one_at_once(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    busy = asyncio.Event()

    async def hang(_: Connection, __: Heard) -> None:
        busy.set()
        await asyncio.Event().wait()

    await tell(bus, account, *range(1, 21))
    async with consuming(database, bus, (Hearing("directory", "provider", {ProviderAdded: hang}),)):
        await busy.wait()
    async with consuming(database, bus):
        await eventually(
            has(lambda: booked(database, account), lambda seen: len(seen) == 20), within=5
        )
    assert await booked(database, account) == list(range(1, 21))


async def test_old_ids_are_forgotten_and_what_they_were_about_stays_known(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    consumer = Consumer("ledger", database, bus, HEARS)
    await consumer.apply(SUBJECT, event(account, 1))
    await consumer.apply(SUBJECT, event(account, 2))
    await database.pool.execute("UPDATE inbox SET heard_at = heard_at - interval '36 days'")
    await tables.forget(database)
    assert await database.pool.fetchval("SELECT count(*) FROM inbox") == 0
    assert not await consumer.apply(SUBJECT, event(account, 1))
    assert await booked(database, account) == [1, 2]
