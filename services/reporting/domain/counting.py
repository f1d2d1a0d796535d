"""What a week comes to, in cells that add up: made of a tally here, and by the store in SQL, to the same (R31)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from statistics import median

from services.reporting.domain.history import Moment, Movement
from services.reporting.domain.nouns import ReferralId
from services.reporting.domain.tally import Entry, Number, Tally


class Dimension(StrEnum):
    """By what a number is taken apart. The order breaks ties."""

    REASON = "REASON"
    SENDING_OFFICE = "SENDING_OFFICE"
    SENDING_GROUP = "SENDING_GROUP"
    OFFICE = "OFFICE"
    PROVIDER = "PROVIDER"


Keys = tuple[str, ...]
"""A value of each dimension, in their order; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The referrals that a number counts and that have everything in common by which it is taken apart."""

    number: Number
    keys: Keys
    ids: tuple[ReferralId, ...]


class Wait(StrEnum):
    """A time from when the receiver was asked."""

    FIRST_ACTION = "to_first_action"
    SCHEDULE = "to_schedule"
    COMPLETION = "to_completion"
    APPOINTMENT = "to_appointment"


WAITS: Mapping[Wait, Movement] = {
    Wait.FIRST_ACTION: Movement.FIRST_ACTION,
    Wait.SCHEDULE: Movement.FIRST_SCHEDULED,
    Wait.COMPLETION: Movement.COMPLETED,
}
"""What ends each, but for the wait for the appointment: it ends when the first one is."""


@dataclass(frozen=True, slots=True)
class MedianHours:
    """A median in hours and how many referrals it is taken of."""

    hours: float
    referrals: int

    @classmethod
    def between(cls, low: timedelta, high: timedelta, referrals: int) -> "MedianHours":
        """Of the two waits in the middle, which are one when there is an odd number of them."""
        hour = timedelta(hours=1)
        return cls(round(median([low / hour, high / hour]), 2), referrals)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a week of a group comes to. The order of the cells, and of the ids in them, means nothing."""

    cells: tuple[Cell, ...]
    medians: Mapping[Wait, MedianHours]

    def of(self, number: Number) -> tuple[Cell, ...]:
        """The cells of a number."""
        return tuple(cell for cell in self.cells if cell.number is number)


def counted(told: Tally) -> Counted:
    """What a tally comes to."""
    ids: dict[tuple[Number, Keys], list[ReferralId]] = {}
    for entry in told.entries:
        ids.setdefault((entry.number, _keys(entry)), []).append(entry.told.referral_id)
    cells = tuple(Cell(number, keys, tuple(found)) for (number, keys), found in ids.items())
    return Counted(cells, _medians(told.moments))


def _keys(entry: Entry) -> Keys:
    told = entry.told
    values: Mapping[Dimension, object] = {
        Dimension.REASON: entry.reason,
        Dimension.SENDING_OFFICE: told.sending_office_id,
        Dimension.SENDING_GROUP: told.sending_group_id,
        Dimension.OFFICE: told.office_id,
        Dimension.PROVIDER: told.provider_id,
    }
    return tuple(str(values[dimension] or "") for dimension in Dimension)


def _medians(moments: Sequence[Moment]) -> dict[Wait, MedianHours]:
    waits = {
        wait: [moment.waited for moment in moments if moment.movement is movement]
        for wait, movement in WAITS.items()
    }
    booked = (one for one in moments if one.movement is Movement.FIRST_SCHEDULED)
    until = (moment.until_appointment for moment in booked)
    waits[Wait.APPOINTMENT] = [one for one in until if one is not None]
    return {wait: _median(sorted(found)) for wait, found in waits.items() if found}


def _median(waits: Sequence[timedelta]) -> MedianHours:
    count = len(waits)
    return MedianHours.between(waits[(count - 1) // 2], waits[count // 2], count)
