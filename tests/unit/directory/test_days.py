"""Rules of days, and of what an office's entry says (R16, R17)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Conflict, Invalid
from services.directory.domain import days, places
from services.directory.domain.days import Readiness
from services.directory.domain.nouns import (
    Address,
    Office,
    OfficeState,
    PlacementState,
    Point,
    ProviderState,
    UserId,
)
from tests.unit.directory.builders import NOW, office, placement

TODAY = date(2026, 3, 2)
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))
READY = Readiness(confirmed_staff=1, approved_providers=1, group_only=False)


def test_seven_days_are_enough() -> None:
    """R16."""
    on = TODAY + timedelta(days=7)

    assert days.lead_time(on, TODAY, acknowledged=False, reason="unneeded") == (7, None)


@pytest.mark.parametrize(("acknowledged", "reason"), [(False, None), (False, "x"), (True, None)])
def test_six_days_need_an_acknowledgement_and_a_reason(
    *, acknowledged: bool, reason: str | None
) -> None:
    """R16."""
    on = TODAY + timedelta(days=6)
    with pytest.raises(Conflict) as refused:
        days.lead_time(on, TODAY, acknowledged=acknowledged, reason=reason)

    assert refused.value.code == "LEAD_TIME_SHORT"
    assert refused.value.details == {"days_until_go_live": 6}
    assert days.lead_time(on, TODAY, acknowledged=True, reason="why") == (6, "why")


def test_a_past_day_is_refused_whatever_is_acknowledged() -> None:
    """R16."""
    with pytest.raises(Invalid):
        days.lead_time(TODAY - timedelta(days=1), TODAY, acknowledged=True, reason="why")


def test_a_day_is_the_day_where_the_office_is() -> None:
    """R16."""
    late = datetime(2026, 3, 3, 4, 59, tzinfo=UTC)

    assert days.day_at(office(), late) == date(2026, 3, 2)
    assert days.day_at(office(), late + timedelta(minutes=1)) == date(2026, 3, 3)
    assert days.day_at(office(time_zone="Asia/Tokyo"), late) == date(2026, 3, 3)


def test_an_unknown_time_zone_is_refused() -> None:
    assert days.zone("America/New_York").key == "America/New_York"
    for name in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(Invalid):
            days.zone(name)


@pytest.mark.parametrize(
    ("readiness", "reasons"),
    [
        (READY, ()),
        (Readiness(0, 1, group_only=False), ("NO_COVERAGE",)),
        (Readiness(1, 0, group_only=False), ("NO_APPROVED_PROVIDER",)),
        (Readiness(1, 0, group_only=True), ()),
        (Readiness(0, 0, group_only=True), ("NO_COVERAGE",)),
        (Readiness(1, 1, group_only=False, roster_attested=False), ("ROSTER_NOT_ATTESTED",)),
    ],
)
def test_what_an_office_still_needs_is_named(
    readiness: Readiness, reasons: tuple[str, ...]
) -> None:
    """R16, R17, R18."""
    assert readiness.reasons == reasons


def test_an_office_goes_live_at_its_own_midnight() -> None:
    """R16."""
    planned = office(go_live_on=date(2026, 3, 10))
    midnight = datetime(2026, 3, 10, 4, tzinfo=UTC)

    assert days.advanced(planned, READY, midnight - timedelta(seconds=1)) is OfficeState.READY
    assert days.advanced(planned, READY, midnight) is OfficeState.LIVE


def test_an_office_that_is_not_ready_stays_planned_after_its_day() -> None:
    """R16, R18."""
    late = datetime(2026, 4, 1, tzinfo=UTC)
    lacking = Readiness(0, 1, group_only=False)

    for state in (OfficeState.PLANNED, OfficeState.READY):
        assert days.advanced(office(state=state), lacking, late) is OfficeState.PLANNED


def test_a_planned_office_becomes_ready_with_all_it_needs_whatever_the_day() -> None:
    """R16, R18."""
    lacking = Readiness(0, 1, group_only=False)
    past = office(go_live_on=date(2020, 1, 1))

    assert days.rechecked(past, READY, revoking=False) is OfficeState.READY
    assert days.rechecked(office(), lacking, revoking=True) is OfficeState.PLANNED
    for state in set(OfficeState) - {OfficeState.PLANNED}:
        assert days.rechecked(office(state=state), READY, revoking=True) is state


def test_only_what_takes_something_away_makes_a_ready_office_planned_again() -> None:
    """R18."""
    lacking, ready = Readiness(0, 1, group_only=False), office(state=OfficeState.READY)

    assert days.rechecked(ready, lacking, revoking=False) is OfficeState.READY
    assert days.rechecked(ready, lacking, revoking=True) is OfficeState.PLANNED
    live = office(state=OfficeState.LIVE)
    assert days.rechecked(live, lacking, revoking=True) is OfficeState.LIVE


def test_a_roster_stands_while_just_those_who_were_attested_work_there() -> None:
    """R18."""
    one, two = UserId(UUID(int=1)), UserId(UUID(int=2))
    attested = office(
        roster_attested=(one, two), roster_attested_at=NOW, roster_attested_by=UserId(UUID(int=3))
    )

    assert days.roster_stands(attested, [two, one])
    assert not days.roster_stands(attested, [one])
    assert not days.roster_stands(attested, [one, two, UserId(UUID(int=4))])
    assert not days.roster_stands(office(), [])


def test_a_first_day_that_finds_the_office_not_ready_is_missed_once_for_each_day_that_is_set() -> (
    None
):
    """R16."""
    lacking, day = Readiness(0, 1, group_only=False), date(2026, 3, 10)
    midnight = datetime(2026, 3, 10, 4, tzinfo=UTC)
    planned = office(go_live_on=day)

    assert not days.missed(planned, lacking, midnight - timedelta(seconds=1))
    assert days.missed(planned, lacking, midnight)
    assert not days.missed(planned, READY, midnight)
    assert not days.missed(office(go_live_on=day, missed_on=day), lacking, midnight)
    assert days.missed(office(go_live_on=day, missed_on=date(2026, 3, 3)), lacking, midnight)
    assert not days.missed(office(go_live_on=day, state=OfficeState.LIVE), lacking, midnight)


@pytest.mark.parametrize(
    ("zone", "day", "midnight"),
    [
        ("America/New_York", date(2026, 3, 8), datetime(2026, 3, 8, 5, tzinfo=UTC)),
        ("America/New_York", date(2026, 3, 9), datetime(2026, 3, 9, 4, tzinfo=UTC)),
        ("America/New_York", date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ("America/New_York", date(2026, 11, 2), datetime(2026, 11, 2, 5, tzinfo=UTC)),
        ("America/Santiago", date(2026, 9, 6), datetime(2026, 9, 6, 4, tzinfo=UTC)),
        ("Asia/Tokyo", date(2028, 2, 29), datetime(2028, 2, 28, 15, tzinfo=UTC)),
    ],
)
def test_midnight_is_where_the_office_is_on_days_when_clocks_change_and_on_leap_days(
    zone: str, day: date, midnight: datetime
) -> None:
    """R16. In Santiago the clock has no midnight on that day: the day begins at one o'clock."""
    planned = office(go_live_on=day, time_zone=zone)

    assert days.advanced(planned, READY, midnight - timedelta(seconds=1)) is OfficeState.READY
    assert days.advanced(planned, READY, midnight) is OfficeState.LIVE


def test_a_week_is_seven_days_over_a_leap_day_and_over_a_change_of_clocks() -> None:
    """R16."""
    for added in (date(2028, 2, 25), date(2026, 3, 5), date(2026, 10, 28)):
        week = added + timedelta(days=7)
        assert days.lead_time(week, added, acknowledged=False, reason=None) == (7, None)


def test_a_first_day_moves_later_freely_and_sooner_by_the_rule_of_a_new_office() -> None:
    """R16."""
    planned = office(go_live_on=TODAY + timedelta(days=10), lead_days=10)
    soon = office(go_live_on=TODAY + timedelta(days=2), lead_days=2, lead_reason="why")

    def moved(one: Office, into: int, *, reason: str | None = None) -> tuple[int, str | None]:
        on = TODAY + timedelta(days=into)
        return days.moved_lead_time(one, on, TODAY, acknowledged=bool(reason), reason=reason)

    assert moved(planned, 15) == (15, None)
    assert moved(soon, 4) == (4, "why")
    assert moved(planned, 8) == (8, None)
    assert moved(planned, 6, reason="now") == (6, "now")
    for one, into in ((planned, 6), (soon, 1)):
        with pytest.raises(Conflict) as refused:
            moved(one, into)
        assert refused.value.code == "LEAD_TIME_SHORT"
    for past in (planned, office(go_live_on=TODAY - timedelta(days=5))):
        with pytest.raises(Invalid):
            moved(past, -1, reason="why")


@pytest.mark.parametrize("state", [OfficeState.LIVE, OfficeState.CLOSING, OfficeState.CLOSED])
def test_an_office_past_its_beginning_is_not_moved_by_the_calendar(state: OfficeState) -> None:
    lacking = Readiness(0, 0, group_only=False)

    assert days.advanced(office(state=state), lacking, datetime(2027, 1, 1, tzinfo=UTC)) is state


@given(DAYS, DAYS | st.none(), DAYS, DAYS | st.none())
def test_two_placements_share_a_day_exactly_when_some_day_is_in_both(
    first: date, until: date | None, other: date, other_until: date | None
) -> None:
    existing = placement(first, until)
    new = placement(other, other_until)
    if other_until is not None and other_until <= other:
        return
    every = [date(2026, 1, 1) + timedelta(days=n) for n in range(366)]

    assert days.share_a_day(existing, other, other_until) is any(
        existing.covers(day) and new.covers(day) for day in every
    )


@given(DAYS, DAYS | st.none(), DAYS)
def test_a_placement_remains_exactly_when_a_day_is_left(
    first: date, until: date | None, today: date
) -> None:
    one = placement(first, until)
    every = [today + timedelta(days=n) for n in range(400)]

    assert one.remains(today) is any(one.covers(day) for day in every)


def test_a_placement_without_days_is_refused() -> None:
    with pytest.raises(Invalid):
        days.placement_days(TODAY, TODAY)
    assert days.placement_days(TODAY, None) == (TODAY, None)


@given(DAYS, DAYS | st.none(), DAYS, DAYS)
def test_an_end_never_lengthens_a_placement_nor_changes_the_past(
    first: date, until: date | None, wanted: date, today: date
) -> None:
    before = placement(first, until)
    try:
        end = days.placement_end(before, wanted, today)
    except (Invalid, Conflict):
        return
    after = placement(first, end)
    every = [date(2025, 12, 1) + timedelta(days=n) for n in range(500)]

    assert end >= first
    assert all(before.covers(day) for day in every if after.covers(day))
    assert all(before.covers(day) is after.covers(day) for day in every if day < today)


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (placement(TODAY, TODAY + timedelta(days=1)), "ALREADY_ENDS"),
        (placement(TODAY - timedelta(days=9), TODAY), "ALREADY_ENDED"),
    ],
)
def test_an_end_that_would_be_later_is_refused(one: object, code: str) -> None:
    with pytest.raises(Conflict) as refused:
        days.placement_end(one, TODAY + timedelta(days=5), TODAY)  # type: ignore[arg-type]

    assert refused.value.code == code


def test_a_placement_is_pending_until_its_provider_is_approved() -> None:
    """R17."""
    one = placement(TODAY)

    assert one.state(TODAY, ProviderState.SUBMITTED) is PlacementState.PENDING
    assert one.state(TODAY, ProviderState.APPROVED) is PlacementState.ACTIVE
    assert one.state(TODAY - timedelta(days=1), ProviderState.APPROVED) is PlacementState.UPCOMING
    assert placement(TODAY, TODAY).state(TODAY, ProviderState.APPROVED) is PlacementState.ENDED


def test_an_overlap_says_which_days_stand() -> None:
    refused = days.overlap(placement(TODAY, date(2026, 4, 1)))

    assert "from 2026-03-02 until 2026-04-01" in refused.message
    assert "until" not in days.overlap(placement(TODAY)).message


@pytest.mark.parametrize(
    ("address", "field"),
    [
        (Address("", "", "Boston", "MA", "02139"), "line1"),
        (Address("1 A", "", "", "MA", "02139"), "city"),
        (Address("1 A", "", "Boston", "Mass", "02139"), "region"),
        (Address("1 A", "", "Boston", "MA", "2139"), "postalCode"),
        (Address("1 A", "", "Boston", "MA", "٠٢١٣٩"), "postalCode"),
    ],
)
def test_what_is_wrong_with_an_address_is_named(address: Address, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        places.clean_address(address)

    assert refused.value.field == field


def test_an_address_is_cleaned() -> None:
    cleaned = places.clean_address(Address(" 1  A ", " ", " Boston", "ma", "02139-4307 "))

    assert cleaned == Address("1 A", "", "Boston", "MA", "02139-4307")


@pytest.mark.parametrize(
    "point", [Point(90.1, 0), Point(0, -180.5), Point(float("nan"), 0), Point(0, float("inf"))]
)
def test_coordinates_that_do_not_exist_are_refused(point: Point) -> None:
    with pytest.raises(Invalid):
        places.clean_point(point)


def test_a_phone_number_has_digits() -> None:
    assert places.clean_phone(" 617 555 0100 ") == "617 555 0100"
    with pytest.raises(Invalid):
        places.clean_phone("call us")


def test_an_empty_reason_is_none() -> None:
    assert places.clean_reason("  ") is None
    assert places.clean_reason(" because ") == "because"
