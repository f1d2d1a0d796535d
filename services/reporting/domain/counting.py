"""What a week comes to, in cells that add up: made of a tally here, and by the store in SQL, to the same (R31)."""

from collections import Counter
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
    """How many referrals of a number have everything in common by which it is taken apart."""

    number: Number
    keys: Keys
    referrals: int


EXPLAINED: Mapping[Number, str] = {
    Number.RECEIVED: "Referrals received",
    Number.COMPLETED: "Completed referrals",
    Number.CANCELLED: "Referrals cancelled by their senders",
    Number.DECLINED: "Declined referrals",
    Number.FORWARDED_OUT: "Referrals forwarded elsewhere",
    Number.CLOSING: "Open referrals at the end",
    Number.SENT: "Referrals sent",
    Number.SCHEDULED: "Referrals scheduled",
    Number.NO_SHOWS: "Missed appointments",
    Number.SENT_OUTSIDE_PLAN: "Referrals sent outside the patient's plan",
    Number.OVERDUE: "Overdue referrals",
    Number.UNWORKED: "Open referrals nobody worked on",
}
"""The numbers whose changes are explained, and so are taken apart; in words."""


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
    """What a week of a group comes to: the referrals of each number and coded reason (empty where there is none), and cells of
    what is explained. The order of cells and of referrals means nothing."""

    ids: dict[tuple[Number, str], list[ReferralId]]
    cells: list[Cell]
    medians: dict[Wait, MedianHours]

    def of(self, number: Number) -> tuple[Cell, ...]:
        """The cells of a number."""
        return tuple(cell for cell in self.cells if cell.number is number)

    def count(self, number: Number) -> int:
        """How many referrals a number counts."""
        return sum(len(ids) for (one, _), ids in self.ids.items() if one is number)

    @property
    def referrals(self) -> frozenset[ReferralId]:
        """Every referral that any number counts."""
        return frozenset(referral_id for ids in self.ids.values() for referral_id in ids)


def counted(told: Tally) -> Counted:
    """What a tally comes to."""
    ids: dict[tuple[Number, str], list[ReferralId]] = {}
    for entry in told.entries:
        ids.setdefault((entry.number, entry.reason or ""), []).append(entry.told.referral_id)
    found = Counter((one.number, _keys(one)) for one in told.entries if one.number in EXPLAINED)
    cells = [Cell(number, keys, count) for (number, keys), count in found.items()]
    return Counted(ids, cells, _medians(told.moments))


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
