"""Weeks in an organization's time zone."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Invalid
from services.reporting.domain import CATCH_UP, Week, due_weeks, readable_week

NEW_YORK, KOLKATA = ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")
ZONES = st.sampled_from(
    [NEW_YORK, KOLKATA, ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Auckland")]
)
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@given(DAYS)
def test_a_week_starts_on_the_monday_on_or_before_its_days(day: date) -> None:
    """R31"""
    week = Week.of(day)

    assert week.monday.weekday() == 0
    assert week.monday <= day < week.following.monday


@given(DAYS, ZONES)
def test_weeks_follow_one_another_without_gap_or_overlap(day: date, zone: ZoneInfo) -> None:
    """R31"""
    week = Week.of(day)

    assert week.end(zone) == week.following.start(zone)
    assert week.following.preceding == week
    assert week.start(zone).astimezone(zone).hour == 0


@pytest.mark.parametrize(
    ("monday", "hours"),
    [(date(2026, 3, 2), 167), (date(2026, 3, 9), 168), (date(2026, 10, 26), 169)],
)
def test_a_week_in_which_the_clocks_change_has_an_hour_less_or_more(
    monday: date, hours: int
) -> None:
    """R31"""
    week = Week(monday)

    assert week.end(NEW_YORK) - week.start(NEW_YORK) == timedelta(hours=hours)


def test_a_week_begins_at_local_midnight() -> None:
    """R31"""
    week = Week(date(2026, 1, 5))

    assert week.start(NEW_YORK) == datetime(2026, 1, 5, 5, tzinfo=UTC)
    assert week.start(KOLKATA) == datetime(2026, 1, 4, 18, 30, tzinfo=UTC)


def test_reports_are_due_on_the_following_monday_at_six_local_time() -> None:
    """R31"""
    assert Week(date(2026, 3, 2)).due(NEW_YORK) == datetime(2026, 3, 9, 10, tzinfo=UTC)
    assert Week(date(2026, 2, 23)).due(NEW_YORK) == datetime(2026, 3, 2, 11, tzinfo=UTC)


def test_nothing_is_due_before_six_on_monday() -> None:
    """R31"""
    since, due = datetime(2026, 1, 6, tzinfo=UTC), datetime(2026, 1, 12, 11, tzinfo=UTC)

    assert due_weeks(since, due - timedelta(seconds=1), NEW_YORK) == ()
    assert due_weeks(since, due, NEW_YORK) == (Week(date(2026, 1, 5)),)


@given(st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)), ZONES)
def test_missed_weeks_are_made_up_for_oldest_first(now: datetime, zone: ZoneInfo) -> None:
    """R31"""
    weeks = due_weeks(datetime(2020, 1, 1, tzinfo=UTC), now, zone)

    assert len(weeks) == CATCH_UP
    assert weeks[-1].due(zone) <= now < weeks[-1].following.due(zone)
    assert all(later == week.following for week, later in pairwise(weeks))


def test_no_report_is_due_for_weeks_before_the_group_was() -> None:
    """R31"""
    since, now = datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 2, 3, tzinfo=UTC)

    assert [week.monday for week in due_weeks(since, now, NEW_YORK)] == [
        date(2026, 1, 19),
        date(2026, 1, 26),
    ]


def test_a_week_that_has_not_begun_is_refused() -> None:
    """R31"""
    assert readable_week(date(2026, 1, 11), date(2026, 1, 5)) == Week(date(2026, 1, 5))
    with pytest.raises(Invalid) as refused:
        readable_week(date(2026, 1, 12), date(2026, 1, 11))
    assert (refused.value.code, refused.value.field) == ("WEEK_NOT_BEGUN", "weekOf")


def test_a_week_of_another_century_is_refused() -> None:
    """R31"""
    with pytest.raises(Invalid) as refused:
        readable_week(date.min, date(2026, 1, 11))
    assert (refused.value.code, refused.value.field) == ("WEEK_TOO_EARLY", "weekOf")
