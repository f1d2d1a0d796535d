"""A service that listens for the first time to things older than the stream: it begins as it declares, and hides no gap."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import nats.js.errors
import pytest

from kit import bus as kit_bus
from kit.bus import STREAM, Bus
from kit.db import Connection, Database
from kit.ids import new_id
from kit.inbox import Consumer, Event, Hearing, consumer, from_here_on
from kit.outbox import KEPT, Relay
from proto.directory.v1.events_pb2 import ProviderAdded
from tests.service.kit.facts import (
    SUBJECT,
    booked,
    consuming,
    event,
    everything_acknowledged,
    has,
    letters,
)
from tests.service.kit.relays import everything_told, relaying
from tests.support.eventually import eventually
from tests.support.ledger import HEARS, book, write

LONG_AGO = "2001-01-01T00:00:00+00:00"


def from_its_middle() -> tuple[Hearing, ...]:
    """What the ledger hears, if every fact of it were about itself alone."""
    return tuple(one._replace(begin=from_here_on) for one in HEARS)


async def tell_all(database: Database, bus: Bus) -> None:
    async with relaying(database, bus):
        await eventually(lambda: everything_told(database))


async def age(database: Database, bus: Bus, by: timedelta) -> None:
    """So much later: what was told has left the stream, and the outbox if that is longer than it keeps facts."""
    await database.pool.execute("UPDATE outbox SET sent_at = sent_at - $1::interval", by)
    async with database.pool.acquire() as connection:
        await Relay(database, bus).forget(connection)
    await bus.js.delete_stream(STREAM)
    await eventually(lambda: begun_anew(database, bus))


async def begun_anew(database: Database, bus: Bus) -> bool:
    """The stream is another one, and was never known to be longer: its facts went by their age."""
    try:
        state = await bus.ensure_stream()
    except nats.js.errors.ServerError:
        return False
    await database.pool.execute(
        "UPDATE outbox_stream SET created_at = $1, last_sequence = 0", state.created_at
    )
    return True


async def test_who_listens_for_the_first_time_begins_where_the_stream_begins(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    await write(database, account, 3)
    await tell_all(database, bus)
    await age(database, bus, KEPT + timedelta(days=1))
    await write(database, account, 2)
    await tell_all(database, bus)

    async with consuming(database, bus, from_its_middle()):
        await eventually(has(lambda: booked(database, account), lambda seen: len(seen) == 2))
        await eventually(lambda: everything_acknowledged(bus))

    assert await booked(database, account) == [4, 5]
    assert await letters(database) == []


async def test_what_left_the_stream_and_not_yet_the_outbox_is_not_waited_for_either(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    await write(database, account, 3)
    await tell_all(database, bus)
    await age(database, bus, kit_bus.RETENTION + timedelta(days=1))
    await write(database, account, 1)
    await tell_all(database, bus)

    async with consuming(database, bus, from_its_middle()):
        await eventually(has(lambda: booked(database, account), bool))

    assert await booked(database, account) == [4]


async def test_without_a_way_to_begin_people_see_it_at_once_and_nothing_later_overtakes_it(
    database: Database, bus: Bus
) -> None:
    account, other = new_id(), new_id()
    await write(database, account, 3)
    await tell_all(database, bus)
    await age(database, bus, KEPT + timedelta(days=1))
    await write(database, account, 2)
    await write(database, other, 1)
    await tell_all(database, bus)

    async with consuming(database, bus):
        await eventually(has(lambda: letters(database), lambda lying: len(lying) == 2))
        await eventually(has(lambda: booked(database, other), bool))

    (first, cause), (second, waits) = await letters(database)
    assert (first, second) == (4, 5)
    assert cause == "MissedError: number 1 of its aggregate was not heard, and is told no more"
    assert waits.startswith("waits behind")
    assert await booked(database, account) == []


async def test_after_a_release_that_says_how_to_begin_the_letters_are_applied_in_order(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    before = Consumer("ledger", database, bus, HEARS)
    await before._bury(SUBJECT, event(account, 4), "MissedError")  # noqa: SLF001 - as the release before did
    await before.apply(SUBJECT, event(account, 5))
    begun: list[tuple[UUID, int]] = []

    async def begin(_: Connection, met: Event) -> None:
        begun.append((met.aggregate_id, met.sequence))

    now = Consumer("ledger", database, bus, [one._replace(begin=begin) for one in HEARS])
    await database.pool.execute("UPDATE dead_letters SET redrive_at = clock_timestamp()")
    assert await now.redrive() == 2

    assert begun == [(account, 4)]
    assert await booked(database, account) == [4, 5]


async def test_a_beginning_brings_the_owners_state_in_the_same_transaction(
    database: Database, bus: Bus
) -> None:
    account, fails = new_id(), [True]

    async def begin(tx: Connection, met: Event) -> None:
        await tx.execute("INSERT INTO calls (what) VALUES ($1)", str(met.aggregate_id))

    async def book_the_second_time(tx: Connection, heard: object) -> None:
        if fails.pop() if fails else False:
            raise RuntimeError
        await book(tx, heard)  # type: ignore[arg-type] # a Heard

    hears = Hearing("directory", "provider", {ProviderAdded: book_the_second_time}, begin)
    await bus.publish(SUBJECT, event(account, 7), str(new_id()), previous=LONG_AGO)
    async with consuming(database, bus, (hears,)):
        await eventually(has(lambda: booked(database, account), bool))

    assert await booked(database, account) == [7]
    assert await database.pool.fetchval("SELECT count(*) FROM calls") == 1


async def test_a_gap_behind_something_that_was_heard_is_never_passed_over(
    database: Database, bus: Bus
) -> None:
    """Whoever was away for longer than the stream remembers has missed something: that is for people."""
    account = new_id()
    await bus.publish(SUBJECT, event(account, 1), str(new_id()))
    await bus.publish(SUBJECT, event(account, 5), str(new_id()), previous=kit_bus.FORGOTTEN)
    async with consuming(database, bus, from_its_middle()):
        await eventually(has(lambda: letters(database), bool))
    assert await booked(database, account) == [1]
    ((number, cause),) = await letters(database)
    assert number == 5
    assert cause == "MissedError: number 2 of its aggregate was not heard, and is told no more"


async def test_what_may_still_come_is_waited_for_also_by_who_may_begin_anywhere(
    database: Database, bus: Bus
) -> None:
    """After a stream lost its memory new facts may come before the old ones are told again."""
    account, other = new_id(), new_id()
    just_now = await database.pool.fetchval("SELECT clock_timestamp() - interval '3 days'")
    await bus.publish(SUBJECT, event(account, 3), str(new_id()), previous=just_now.isoformat())
    await bus.publish(SUBJECT, event(other, 1), str(new_id()))
    async with consuming(database, bus, from_its_middle()):
        await eventually(has(lambda: booked(database, other), bool))
        assert await booked(database, account) == []
        for sequence in (1, 2):
            await bus.publish(SUBJECT, event(account, sequence), str(new_id()))
        await eventually(has(lambda: booked(database, account), lambda seen: len(seen) == 3))
    assert await booked(database, account) == [1, 2, 3]


async def test_a_hearing_that_cannot_begin_keeps_the_others_of_its_aggregate_from_it(
    database: Database, bus: Bus
) -> None:
    account = new_id()
    both = (*from_its_middle(), Hearing("directory", "provider", {}))
    await bus.publish(SUBJECT, event(account, 9), str(new_id()), previous=LONG_AGO)
    async with consuming(database, bus, both):
        await eventually(has(lambda: letters(database), bool))
    assert await booked(database, account) == []


@pytest.mark.parametrize(
    ("minutes", "begins"), [(30, True), (-5, False)], ids=["gone a while ago", "still there"]
)
async def test_what_left_the_stream_a_moment_ago_is_waited_for_and_then_believed_gone(
    database: Database,
    bus: Bus,
    monkeypatch: pytest.MonkeyPatch,
    minutes: int,
    begins: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    """The broker's clock is not the database's: of what is just too old nobody knows at once whether it is gone."""
    monkeypatch.setattr(consumer, "GAP_PATIENCE", 1.0)
    account = new_id()
    told = "SELECT clock_timestamp() - $1::interval"
    age_ = kit_bus.RETENTION + timedelta(minutes=minutes)
    previous = (await database.pool.fetchval(told, age_)).isoformat()
    await bus.publish(SUBJECT, event(account, 4), str(new_id()), previous=previous)
    async with consuming(database, bus, from_its_middle()):
        await eventually(lambda: everything_acknowledged(bus))
    assert await booked(database, account) == ([4] if begins else [])
    assert [number for number, _ in await letters(database)] == ([] if begins else [4])
