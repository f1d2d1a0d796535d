"""Ids and time."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from kit import clock as clocks
from kit.clock import Clock, Reading
from kit.errors import Invalid
from kit.ids import new_id, parse_id

VERSION = 7


def test_ids_are_uuids_of_version_seven_and_all_different() -> None:
    ids = {new_id() for _ in range(10_000)}
    assert len(ids) == 10_000
    assert {made.version for made in ids} == {VERSION}
    assert {made.variant for made in ids} == {UUID(int=0x8 << 60).variant}


def test_later_ids_sort_after_earlier_ones_of_another_millisecond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kit.ids.time.time_ns", lambda: 1_700_000_000_000_000_000)
    earlier = new_id()
    monkeypatch.setattr("kit.ids.time.time_ns", lambda: 1_700_000_000_001_000_000)
    assert earlier < new_id()


@pytest.mark.parametrize("text", ["", "1", "not-an-id", "0" * 33])
def test_what_is_not_an_id_is_refused_by_the_name_of_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_id(text, "officeId")
    assert (refusal.value.field, refusal.value.code) == ("officeId", "INVALID_ID")


async def test_a_machine_whose_clock_is_wrong_tells_the_databases_time() -> None:
    databases = datetime(2031, 5, 6, 7, 8, tzinfo=UTC)

    async def source() -> Reading:
        return Reading(databases, timedelta(days=2))

    clock = Clock(source)
    await clock.sync()

    assert timedelta() <= clock.real() - databases < timedelta(seconds=5)
    assert clock.now() - clock.real() - timedelta(days=2) < timedelta(seconds=1)


async def test_an_answer_that_waited_its_turn_does_not_set_the_clock_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began, waits = datetime(2031, 5, 6, 7, 8, tzinfo=UTC), [4.0, 0.001]
    passed = 0.0
    monkeypatch.setattr("kit.clock.time.monotonic", lambda: passed)

    async def source() -> Reading:
        nonlocal passed
        passed += waits.pop(0)
        return Reading(began + timedelta(seconds=passed), timedelta())

    clock = Clock(source)
    await clock.sync()

    assert abs(clock.real() - began - timedelta(seconds=passed)) <= timedelta(milliseconds=1)


def test_a_clock_that_was_never_synchronized_tells_nothing() -> None:
    async def source() -> Reading:
        raise AssertionError("not asked")

    with pytest.raises(RuntimeError, match="not been synchronized"):
        Clock(source).now()


def test_a_day_is_the_day_where_a_person_reads_the_calendar() -> None:
    clock = clocks.fixed(datetime(2026, 1, 1, 3, 0, tzinfo=UTC))
    assert clock.today(ZoneInfo("America/New_York")) == date(2025, 12, 31)
    assert clock.today(ZoneInfo("Asia/Tokyo")) == date(2026, 1, 1)
