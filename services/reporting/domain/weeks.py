"""Weeks as an organization reads its calendar: they begin on Monday at local midnight."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kit.errors import Invalid

PUBLISHED_AT = time(6)
"""Local time on the following Monday at which a week's reports are published (R31)."""

EARLIEST = date(2000, 1, 3)
"""The first week of which reports are told."""

CATCH_UP = 12
"""How many weeks back a publication that was missed is made up for."""


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """The ISO week that starts on `monday`. It has 167 or 169 hours when the clocks change."""

    monday: date

    @classmethod
    def of(cls, day: date) -> "Week":
        """The week a day is in."""
        return cls(day - timedelta(days=day.weekday()))

    @property
    def following(self) -> "Week":
        """The week after."""
        return Week(self.monday + timedelta(days=7))

    @property
    def preceding(self) -> "Week":
        """The week before."""
        return Week(self.monday - timedelta(days=7))

    def start(self, zone: ZoneInfo) -> datetime:
        """The instant it begins, in UTC."""
        return datetime.combine(self.monday, time(), zone).astimezone(UTC)

    def end(self, zone: ZoneInfo) -> datetime:
        """The instant it is over, in UTC: the next week's start, which is not part of it."""
        return self.following.start(zone)

    def due(self, zone: ZoneInfo) -> datetime:
        """When its reports are published, in UTC (R31)."""
        return datetime.combine(self.following.monday, PUBLISHED_AT, zone).astimezone(UTC)


def readable_week(day: date, today: date) -> Week:
    """The week of a day, which must have begun: Invalid WEEK_NOT_BEGUN, or WEEK_TOO_EARLY before the year 2000."""
    if day < EARLIEST:
        raise Invalid(
            "There are no reports of that time.",
            code="WEEK_TOO_EARLY",
            field="weekOf",
            remedy="Ask for a day of this century.",
        )
    week = Week.of(day)
    if week.monday > today:
        raise Invalid(
            "This week has not begun.",
            code="WEEK_NOT_BEGUN",
            field="weekOf",
            remedy="Ask for a day of this week or of an earlier one.",
        )
    return week


def due_weeks(since: datetime, now: datetime, zone: ZoneInfo) -> tuple[Week, ...]:
    """The weeks from `since` on whose publication is due by now, the oldest first; at most the last twelve."""
    week = Week.of(now.astimezone(zone).date()).preceding
    if now < week.due(zone):
        week = week.preceding
    weeks: list[Week] = []
    while len(weeks) < CATCH_UP and week.end(zone) > since:
        weeks.append(week)
        week = week.preceding
    return tuple(reversed(weeks))
