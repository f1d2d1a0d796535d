"""Rules of places that go away: how long what was accepted there still is, and how it goes on elsewhere (R11, R19, R27)."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from services.insurance.domain.nouns import Participation, Period

A_DAY = timedelta(days=1)
"""An office's calendar and its organization's are no further apart."""


def lasts_until(row: Participation, until: date, working: Iterable[Period]) -> date | None:
    """Until when a row lasts whose provider leaves the place on a day. `working` are all days on which the provider works there:
    a row ends with those it began in, and on that day when it began in none of them."""
    began_in = [days.until for days in working if days.covers(row.effective_from)]
    ends = [end for end in began_in if end is not None]
    if len(ends) < len(began_in):
        return row.effective_until
    return row.period.clipped(max(ends, default=until)).until


def goes_on(row: Participation, day: date, working: Sequence[Period]) -> list[Period]:
    """On which days, from that day on, a row goes on at another record of the same provider: as long as it would have lasted
    itself, while the provider works there (`working`); of that nothing may have been heard yet."""
    days = _would_last(row, day)
    heard = [one for one in working if not one.since(days.first).empty] or [days]
    found = [days.since(one.first).clipped(one.until) for one in heard]
    return [one for one in found if not one.empty]


def _would_last(row: Participation, day: date) -> Period:
    """The end of the place may have been heard before the merger, on a day of the office's calendar; what a person ended, or
    what ran out, does not come back."""
    first = max(day, row.effective_from)
    cut_by_place = row.ended_at is not None and row.ended_by is None
    cut = row.effective_until
    if cut_by_place and cut is not None and abs(cut - first) <= A_DAY:
        return Period(cut, row.said_until)
    return row.period.since(first)
