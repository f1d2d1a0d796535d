"""Facts that cannot be applied: buried with their cause, waited behind, and redriven in order."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import UUID

import pytest
from nats.js.errors import NotFoundError

import kit.inbox.consumer
from kit import db
from kit.bus import STREAM, Bus
from kit.db import Connection, Database
from kit.ids import new_id
from kit.inbox import MAX_TRIES, Consumer, Heard, Hearing
from proto.directory.v1.events_pb2 import ProviderAdded
from tests.service.kit.facts import (
    SUBJECT,
    booked,
    consuming,
    cure,
    entry_of,
    event,
    everything_acknowledged,
    has,
    letters,
    poison,
    tell,
)
from tests.support.eventually import eventually
from tests.support.ledger import HEARS, book


async def test_a_gap_that_nobody_fills_goes_to_the_dead_letters_where_people_see_it(
    database: Database, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit.inbox.consumer, "GAP_PATIENCE", 0.5)
    account = new_id()
    await tell(bus, account, 1, 3, 4)
    async with consuming(database, bus) as consumer:
        await eventually(has(lambda: letters(database), lambda seen: len(seen) == 2))
        (third, fourth) = await letters(database)
        assert third == (3, "GapError: number 2 of its aggregate has not come")
        assert fourth[1].startswith("waits behind") or fourth[1].startswith("GapError")
        await tell(bus, account, 2)
        await eventually(has(lambda: booked(database, account), lambda seen: seen == [1, 2]))
        await database.pool.execute("UPDATE dead_letters SET redrive_at = clock_timestamp()")
        assert await consumer.redrive() == 2
    assert await booked(database, account) == [1, 2, 3, 4]


async def test_an_operator_may_go_on_without_a_fact_that_is_lost_for_good(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    consumer = Consumer("ledger", database, bus, HEARS)
    await consumer._bury(SUBJECT, event(account, 7), "GapError: 6 has not come")  # noqa: SLF001 - as after a long wait
    await database.pool.execute("UPDATE dead_letters SET redrive_at = clock_timestamp()")
    assert await consumer.redrive() == 1
    assert await consumer.apply(SUBJECT, event(account, 8))
    assert await booked(database, account) == [7, 8]


async def test_poison_is_buried_with_its_cause_and_only_its_own_aggregate_waits(
    database: Database, bus: Bus
) -> None:
    sick, well = new_id(), new_id()
    await poison(database, sick, 2)
    for sequence in range(1, 5):
        await tell(bus, sick, sequence)
        await tell(bus, well, sequence)
    async with consuming(database, bus):
        await eventually(has(lambda: booked(database, well), lambda seen: len(seen) == 4), within=2)
        await eventually(has(lambda: letters(database), lambda seen: len(seen) == 3))
        await eventually(lambda: everything_acknowledged(bus))
    assert await booked(database, sick) == [1]
    second, third, fourth = await letters(database)
    assert second == (2, f"PoisonError: entry {entry_of(sick, 2)} cannot be booked")
    assert third[1] == fourth[1] == f"waits behind {UUID(int=sick.int ^ 2)}"


async def test_poison_is_tried_a_few_times_before_it_is_buried(
    database: Database, bus: Bus
) -> None:
    tries = 0

    async def fail(_: Connection, __: Heard) -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError

    await tell(bus, new_id(), 1)
    async with consuming(database, bus, (Hearing("directory", "provider", {ProviderAdded: fail}),)):
        await eventually(has(lambda: letters(database), bool))
    assert tries == MAX_TRIES


async def test_waiting_behind_a_gap_does_not_use_up_the_tries_of_a_fact(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    tries: list[int] = []

    async def fail_at_first(tx: Connection, heard: Heard) -> None:
        tries.append(heard.sequence)
        if tries.count(2) == 1 and heard.sequence == 2:
            raise RuntimeError
        await book(tx, heard)

    hears = (Hearing("directory", "provider", {ProviderAdded: fail_at_first}),)
    await tell(bus, account, 2)
    async with consuming(database, bus, hears):

        async def delivered_often() -> bool:
            with suppress(NotFoundError):
                info = await bus.js.consumer_info(STREAM, "ledger")
                return (info.delivered.consumer_seq if info.delivered else 0) > 2 * MAX_TRIES
            return False

        await eventually(delivered_often)
        await tell(bus, account, 1)
        await eventually(has(lambda: booked(database, account), lambda seen: seen == [1, 2]))
    assert await letters(database) == []


async def test_redriving_applies_the_letter_and_what_waits_behind_it_in_order(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    await poison(database, account, 2)
    await tell(bus, account, 1, 2, 3, 4)
    async with consuming(database, bus) as consumer:
        await eventually(has(lambda: letters(database), lambda seen: len(seen) == 3))
        await cure(database)
        await consumer.redrive()
        assert await booked(database, account) == [1, 2, 3, 4]
        await tell(bus, account, 5)
        await eventually(has(lambda: booked(database, account), lambda seen: len(seen) == 5))
    assert await letters(database) == []


async def test_a_letter_that_fails_again_stays_and_so_does_what_waits_behind_it(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    await poison(database, account, 2)
    await tell(bus, account, 1, 2, 3)
    async with consuming(database, bus) as consumer:
        await eventually(has(lambda: letters(database), lambda seen: len(seen) == 2))
        await database.pool.execute("UPDATE dead_letters SET redrive_at = clock_timestamp()")
        assert await consumer.redrive() == 0
        assert await booked(database, account) == [1]
        await cure(database)
        assert await consumer.redrive() == 2
    assert await booked(database, account) == [1, 2, 3]


async def test_a_letter_behind_one_that_nobody_redrives_stays_where_it_is(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    await poison(database, account, 1)
    await tell(bus, account, 1, 2)
    async with consuming(database, bus) as consumer:
        await eventually(has(lambda: letters(database), lambda seen: len(seen) == 2))
        await database.pool.execute(
            "UPDATE dead_letters SET redrive_at = clock_timestamp() WHERE sequence = 2"
        )
        assert await consumer.redrive() == 0
    assert await booked(database, account) == []


async def test_two_replicas_that_redrive_at_once_apply_each_letter_once(
    database: Database, bus: Bus
) -> None:
    accounts = [new_id() for _ in range(10)]
    consumer = Consumer("ledger", database, bus, HEARS)
    for account in accounts:
        await consumer._bury(SUBJECT, event(account, 1), "a fault of ours")  # noqa: SLF001 - as after MAX_TRIES
    await database.pool.execute("UPDATE dead_letters SET redrive_at = clock_timestamp()")
    await asyncio.gather(*(consumer.redrive() for _ in range(4)))
    assert await database.pool.fetchval("SELECT count(*) FROM booked") == len(accounts)


MALFORMED = [
    b"",
    b"\x00\xff\xfe",
    b"not json",
    b"[]",
    b"{}",
    b'{"id": 1}',
    event(UUID(int=1), 1, id="no id"),
    event(UUID(int=1), 1, type="of another world"),
    event(UUID(int=1), 1, sequence="0"),
    event(UUID(int=1), 1, sequence="9" * 40),
    event(UUID(int=1), 1, sequence="\0"),
    event(UUID(int=1), 1, time="yesterday"),
    event(UUID(int=1), 1, data=7),
    event(UUID(int=1), 1, subject=None),
]


async def test_malformed_messages_are_buried_and_stop_nobody(database: Database, bus: Bus) -> None:
    for body in MALFORMED:
        await bus.publish(SUBJECT, body, str(new_id()))
    account = new_id()
    await tell(bus, account, 1)
    async with consuming(database, bus):
        await eventually(has(lambda: booked(database, account), bool))
    buried = await letters(database)
    assert len(buried) == len(MALFORMED)
    assert all(cause.startswith("not an event") for _, cause in buried)


async def test_data_that_does_not_fit_its_declaration_is_buried_with_its_aggregate_waiting(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    wrong = event(account, 1, data={"providerId": ["a\0b", "\N{GRINNING FACE}"]})
    await bus.publish(SUBJECT, wrong, str(new_id()))
    await tell(bus, account, 2)
    async with consuming(database, bus):
        await eventually(has(lambda: letters(database), lambda seen: len(seen) == 2))
    first, second = await letters(database)
    assert first[1].startswith("MalformedError: suite.directory.provider.added.v1 does not fit")
    assert second[1].startswith("waits behind")


@pytest.mark.parametrize("text", ["zero \0 byte", "lone \udc80 surrogate"])
async def test_a_cause_that_the_database_would_not_take_does_not_stop_the_consumer(
    database: Database, bus: Bus, text: str
) -> None:
    async def fail(_: Connection, __: Heard) -> None:
        raise RuntimeError(text)

    await tell(bus, new_id(), 1)
    async with consuming(database, bus, (Hearing("directory", "provider", {ProviderAdded: fail}),)):
        await eventually(has(lambda: letters(database), bool))


async def test_a_wrong_argument_in_a_handler_is_poison_and_not_taken_for_an_outage(
    database: Database, bus: Bus
) -> None:
    async def fail(tx: Connection, _: Heard) -> None:
        await db.run(tx, "INSERT INTO poisoned VALUES ($1)", "not a uuid")

    await tell(bus, new_id(), 1)
    async with consuming(database, bus, (Hearing("directory", "provider", {ProviderAdded: fail}),)):
        await eventually(has(lambda: letters(database), bool))
    assert (await letters(database))[0][1].startswith("DataError")
