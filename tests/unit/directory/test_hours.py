"""Opening hours, and offices that look alike (R16)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kit.errors import Invalid
from services.directory.domain import places
from services.directory.domain.hours import OpeningHours, Weekday, clean_hours, is_open
from tests.unit.directory.builders import office

ZONE = "America/New_York"
MORNING = OpeningHours(Weekday.MONDAY, "08:00", "12:00")
AFTERNOON = OpeningHours(Weekday.MONDAY, "12:00", "17:30")
NIGHT = OpeningHours(Weekday.SUNDAY, "20:00", "24:00")


def test_hours_are_told_from_monday_morning_on() -> None:
    assert clean_hours([NIGHT, AFTERNOON, MORNING]) == (MORNING, AFTERNOON, NIGHT)
    assert clean_hours([]) == ()


@pytest.mark.parametrize(
    "spans",
    [
        [OpeningHours(Weekday.MONDAY, "8:00", "12:00")],
        [OpeningHours(Weekday.MONDAY, "08:00", "24:01")],
        [OpeningHours(Weekday.MONDAY, "24:00", "24:00")],
        [OpeningHours(Weekday.MONDAY, "12:00", "12:00")],
        [OpeningHours(Weekday.MONDAY, "22:00", "06:00")],
        [MORNING, OpeningHours(Weekday.MONDAY, "11:59", "13:00")],
        [OpeningHours(Weekday.FRIDAY, f"{hour:02}:00", f"{hour:02}:10") for hour in range(24)] * 2,
    ],
)
def test_hours_that_cannot_be_are_refused(spans: list[OpeningHours]) -> None:
    with pytest.raises(Invalid) as refused:
        clean_hours(spans)
    assert (refused.value.code, refused.value.field) == ("BAD_HOURS", "hours")


def test_an_office_is_open_by_the_clock_on_its_wall() -> None:
    hours = (MORNING, NIGHT)

    assert is_open(hours, ZONE, datetime(2026, 3, 2, 13, 0, tzinfo=UTC))
    assert not is_open(hours, ZONE, datetime(2026, 3, 2, 12, 59, tzinfo=UTC))
    assert not is_open(hours, ZONE, datetime(2026, 3, 2, 17, 0, tzinfo=UTC))
    assert is_open(hours, ZONE, datetime(2026, 3, 2, 4, 59, tzinfo=UTC)), "Sunday at 23:59"
    assert not is_open((), ZONE, datetime(2026, 3, 2, 13, 0, tzinfo=UTC))


def test_hours_change_with_the_clocks() -> None:
    winter, summer = (
        datetime(2026, 3, 2, 12, 30, tzinfo=UTC),
        datetime(2026, 3, 9, 12, 30, tzinfo=UTC),
    )

    assert not is_open((MORNING,), ZONE, winter), "07:30"
    assert is_open((MORNING,), ZONE, summer), "08:30"


def test_offices_look_alike_by_address_however_it_is_written_or_by_phone() -> None:
    """R16."""
    one = office(line1="12 Elm St.", postal_code="02139", phone="(617) 555-0100")
    same_place = office(line1="12  elm st", postal_code="02139-4307", phone="617 555 0199")
    same_phone = office(line1="9 Oak Ave", postal_code="02139", phone="+1 617.555.0100")
    neighbour = office(line1="14 Elm St.", postal_code="02139", phone="617 555 0101")
    suite = office(line1="12 Elm St.", line2="Suite 5", postal_code="02139", phone="617 555 0102")

    assert places.lookalikes(one, [one, same_place, same_phone, neighbour, suite]) == (
        same_place,
        same_phone,
    )
    refusal = places.duplicate([same_place])
    assert refusal.details == {"office_ids": [str(same_place.id)]}
