"""How long what was accepted at a place still is once the place goes away, and how it goes on elsewhere."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from services.insurance.domain import Participation, Period, UserId, goes_on, lasts_until
from tests.unit.insurance.builders import row

JUNE, JULY, AUGUST = date(2026, 6, 1), date(2026, 7, 1), date(2026, 8, 1)
NEW_YEAR = date(2027, 1, 1)
UNTIL_JULY, FROM_AUGUST = Period(date(2026, 1, 1), JULY), Period(AUGUST)


def ended(until: date, said: date | None, *, by: UserId | None = None) -> Participation:
    """A row since January that was ended."""
    since = row(date(2026, 1, 1), until)
    return replace(since, ended_at=datetime(2026, 6, 1, tzinfo=UTC), ended_by=by, said_until=said)


@pytest.mark.parametrize(
    ("first", "until", "lasts"),
    [
        (date(2026, 2, 1), None, JULY),
        (date(2026, 2, 1), JUNE, JUNE),
        (AUGUST, None, None),
        (AUGUST, NEW_YEAR, NEW_YEAR),
    ],
)
def test_a_row_ends_with_the_days_on_which_its_provider_works_there_and_with_no_others(
    first: date, until: date | None, lasts: date | None
) -> None:
    """R27"""
    working = [UNTIL_JULY, FROM_AUGUST]

    assert lasts_until(row(first, until), JULY, working) == lasts


def test_a_row_of_days_on_which_nobody_was_said_to_work_there_ends_on_the_day_of_the_departure() -> (
    None
):
    """R27"""
    assert lasts_until(row(date(2025, 1, 1)), JULY, [FROM_AUGUST]) == JULY
    assert lasts_until(row(AUGUST), JULY, []) == AUGUST


@pytest.mark.parametrize("said", [None, NEW_YEAR])
@pytest.mark.parametrize("cut", [date(2026, 5, 31), JUNE, date(2026, 6, 2)])
def test_a_row_that_was_cut_with_its_place_goes_on_for_as_long_as_it_had_said(
    cut: date, said: date | None
) -> None:
    """R11, R27: the end of the place is a day of the office's calendar, the merger one of the organization's."""
    assert goes_on(ended(cut, said), JUNE, []) == [Period(cut, said)]


def test_what_a_person_ended_and_what_ran_out_does_not_come_back() -> None:
    """R11, R27"""
    assert goes_on(ended(JUNE, None, by=UserId(uuid4())), JUNE, []) == []
    assert goes_on(row(date(2026, 1, 1), JUNE), JUNE, []) == []
    assert goes_on(ended(date(2026, 3, 1), None), JUNE, []) == []


def test_a_row_goes_on_only_while_the_provider_works_there() -> None:
    """R11, R27"""
    days = goes_on(row(date(2026, 1, 1)), JUNE, [UNTIL_JULY, FROM_AUGUST])

    assert days == [Period(JUNE, JULY), FROM_AUGUST]
    assert goes_on(row(date(2026, 1, 1)), JULY, [UNTIL_JULY, FROM_AUGUST]) == [FROM_AUGUST]


def test_a_row_goes_on_where_it_was_not_heard_yet_that_the_provider_comes_back() -> None:
    """R11, R27: facts of the placement and of the merger come in any order."""
    assert goes_on(row(date(2026, 1, 1)), AUGUST, [UNTIL_JULY]) == [Period(AUGUST)]
