"""The inbox and its consumer, on a real database and a real broker."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import orjson
import pytest
from nats.js.errors import NotFoundError

import kit.inbox.consumer
from kit import db
from kit.bus import STREAM, Bus
from kit.db import Connection, Database
from kit.ids import new_id
from kit.inbox import MAX_TRIES, Consumer, Heard, Hearing
from kit.tasks import stop
from proto.directory.v1.events_pb2 import PlacementAdded, ProviderAdded
from tests.support.eventually import eventually
from tests.support.ledger import HEARS, ORGANIZATION, book

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


async def _same(something: list[UUID]) -> list[UUID]:
    return something


async def everything_acknowledged(bus: Bus, name: str = "ledger") -> bool:
    """Whether the broker waits for nothing from the consumer."""
    with suppress(NotFoundError):
        info = await bus.js.consumer_info(STREAM, name)
        return info.num_pending == 0 and info.num_ack_pending == 0
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
        message = await anext(messages)
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
        await eventually(has(lambda: _same(heard), bool))
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
    await kit.inbox.consumer.tables.forget(database)
    assert await database.pool.fetchval("SELECT count(*) FROM inbox") == 0
    assert not await consumer.apply(SUBJECT, event(account, 1))
    assert await booked(database, account) == [1, 2]
