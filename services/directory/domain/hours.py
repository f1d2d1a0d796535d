"""Rules of opening hours: spans of weekdays on the office's own calendar."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from kit.errors import Invalid

MOST_SPANS = 28
"""Four a weekday."""

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_MIDNIGHT = "24:00"


class Weekday(StrEnum):
    """A day of the week, Monday first."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


_WEEK = tuple(Weekday)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """A span of a weekday, as the clock on the office's wall says it: `opens` HH:MM, `closes` HH:MM or 24:00."""

    weekday: Weekday
    opens: str
    closes: str


def clean_hours(spans: Iterable[OpeningHours]) -> tuple[OpeningHours, ...]:
    """The spans from Monday on; Invalid BAD_HOURS for a time that is none, an empty span, or two that share a minute."""
    found = sorted(spans, key=lambda one: (_WEEK.index(one.weekday), one.opens))
    if len(found) > MOST_SPANS:
        raise _bad(f"Give at most {MOST_SPANS} spans.")
    for span in found:
        if _TIME.fullmatch(span.opens) is None:
            raise _bad("opens is a time such as 08:00.")
        if span.closes != _MIDNIGHT and _TIME.fullmatch(span.closes) is None:
            raise _bad("closes is a time such as 17:30, or 24:00.")
        if span.closes <= span.opens:
            raise _bad(f"On {span.weekday.title()} it would close before it opens.")
    for one, following in pairwise(found):
        if one.weekday is following.weekday and following.opens < one.closes:
            raise _bad(f"Two spans of {one.weekday.title()} share a time.")
    return tuple(found)


def _bad(message: str) -> Invalid:
    return Invalid(
        message,
        code="BAD_HOURS",
        field="hours",
        remedy="Give spans of one weekday each; a night that passes midnight is two of them.",
    )


def is_open(hours: Iterable[OpeningHours], time_zone: str, now: datetime) -> bool:
    """Whether the office is open, by the clock on its wall: when clocks change, its hours change with them."""
    local = now.astimezone(ZoneInfo(time_zone))
    weekday, wall = _WEEK[local.weekday()], local.strftime("%H:%M")
    return any(one.weekday is weekday and one.opens <= wall < one.closes for one in hours)
