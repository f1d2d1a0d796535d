"""The figures of a group's progress report for a week, and whether they reconcile (R31)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Any
from uuid import UUID

from services.reporting.domain.history import Change, Moment, Movement
from services.reporting.domain.nouns import GroupId, ReferralId
from services.reporting.domain.tally import ARRIVALS, DEPARTURES, Number, Tally, tally


@dataclass(frozen=True, slots=True)
class MedianHours:
    """A median in hours and how many referrals it is taken of."""

    hours: float
    referrals: int


class Rate(StrEnum):
    """A share that the report tells."""

    NO_SHOW = "no_show_rate"
    DECLINE = "decline_rate"
    LOOP_CLOSURE = "loop_closure"
    LEAKAGE = "leakage"


SHARES: Mapping[Rate, tuple[Number, tuple[Number, ...]]] = {
    Rate.NO_SHOW: (Number.NO_SHOWS, (Number.APPOINTMENTS_OVER,)),
    Rate.DECLINE: (Number.DECLINED, (Number.OPENING, *ARRIVALS)),
    Rate.LOOP_CLOSURE: (Number.LOOPS_CLOSED, (Number.COMPLETED,)),
    Rate.LEAKAGE: (Number.SENT_OUTSIDE_PLAN, (Number.SENT_WITH_KNOWN_PLAN,)),
}
"""Of each rate the number that is a part, and those that together are the whole."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, both counts."""

    part: int
    whole: int

    @property
    def percent(self) -> float | None:
        """One decimal; None of nothing."""
        return round(100 * self.part / self.whole, 1) if self.whole else None


@dataclass(frozen=True, slots=True)
class Figures:
    """A group's week. `numbers` holds for each number the referrals it counts: one counted twice is there twice."""

    numbers: Mapping[Number, tuple[ReferralId, ...]]
    declined_by_reason: Mapping[str, tuple[ReferralId, ...]]
    to_first_action: MedianHours | None
    to_schedule: MedianHours | None
    to_completion: MedianHours | None
    to_appointment: MedianHours | None = None

    def count(self, number: Number) -> int:
        """How many referrals a number counts."""
        return len(self.numbers[number])

    def rate(self, rate: "Rate") -> "Share":
        """A share of one number in others: see `SHARES`."""
        part, whole = SHARES[rate]
        return Share(self.count(part), sum(self.count(number) for number in whole))

    @property
    def unexplained(self) -> tuple[ReferralId, ...]:
        """The referrals that stand against opening + arrivals = departures + closing, taken one by one."""
        came, went = self._all(Number.OPENING, *ARRIVALS), self._all(*DEPARTURES, Number.CLOSING)
        return tuple(sorted((came - went) | (went - came)))

    @property
    def reconciles(self) -> bool:
        """Whether opening + received + reopened + reassigned in - what left = closing, for each referral."""
        return not self.unexplained

    def _all(self, *numbers: Number) -> Counter[ReferralId]:
        return Counter(referral_id for number in numbers for referral_id in self.numbers[number])

    def as_data(self) -> dict[str, Any]:
        """Plain data for keeping; `Figures.from_data` reads it back to an equal value."""
        return {
            "numbers": _texts(self.numbers),
            "declined_by_reason": _texts(self.declined_by_reason),
            "medians": [
                None if one is None else [one.hours, one.referrals]
                for one in (
                    self.to_first_action,
                    self.to_schedule,
                    self.to_completion,
                    self.to_appointment,
                )
            ],
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "Figures":
        """The figures that were kept as data."""
        return cls(
            {number: _ids(data["numbers"].get(number, ())) for number in Number},
            {code: _ids(ids) for code, ids in data["declined_by_reason"].items()},
            *(None if one is None else MedianHours(one[0], one[1]) for one in data["medians"]),
        )


def _texts(lists: Mapping[Any, tuple[ReferralId, ...]]) -> dict[str, list[str]]:
    return {str(name): [str(referral_id) for referral_id in ids] for name, ids in lists.items()}


def _ids(texts: Iterable[str]) -> tuple[ReferralId, ...]:
    return tuple(ReferralId(UUID(text)) for text in texts)


def figures(
    changes: Iterable[Change], group_id: GroupId, start: datetime, as_of: datetime
) -> Figures:
    """A group's figures from `start` (included) until `as_of` (not included): see `tally`."""
    return figures_of(tally(changes, group_id, start, as_of))


def figures_of(told: Tally) -> Figures:
    """The figures of a tally."""
    lists: dict[Number, list[ReferralId]] = {number: [] for number in Number}
    for entry in told.entries:
        lists[entry.number].append(entry.told.referral_id)
    return Figures(
        {number: tuple(sorted(ids)) for number, ids in lists.items()},
        _reasons(told),
        _median(told.moments, Movement.FIRST_ACTION),
        _median(told.moments, Movement.FIRST_SCHEDULED),
        _median(told.moments, Movement.COMPLETED),
        _until_appointment(told.moments),
    )


def _reasons(told: Tally) -> dict[str, tuple[ReferralId, ...]]:
    reasons: dict[str, list[ReferralId]] = {}
    for entry in told.entries:
        if entry.number is Number.DECLINED:
            reasons.setdefault(entry.reason or "UNKNOWN", []).append(entry.told.referral_id)
    return {code: tuple(sorted(ids)) for code, ids in sorted(reasons.items())}


def _median(counted: Sequence[Moment], movement: Movement) -> MedianHours | None:
    return _hours([moment.waited for moment in counted if moment.movement is movement])


def _until_appointment(counted: Sequence[Moment]) -> MedianHours | None:
    waits = (
        moment.until_appointment
        for moment in counted
        if moment.movement is Movement.FIRST_SCHEDULED
    )
    return _hours([wait for wait in waits if wait is not None])


def _hours(waits: Sequence[timedelta]) -> MedianHours | None:
    hours = [wait / timedelta(hours=1) for wait in waits]
    return MedianHours(round(median(hours), 2), len(hours)) if hours else None
