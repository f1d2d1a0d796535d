"""The figures of a group's progress report for a week, and whether they reconcile (R31)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.reporting.domain.counting import Counted, MedianHours, Wait, counted
from services.reporting.domain.history import Change
from services.reporting.domain.nouns import GroupId, ReferralId
from services.reporting.domain.tally import ARRIVALS, DEPARTURES, Number, tally


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
    return figures_of(counted(tally(changes, group_id, start, as_of)))


def figures_of(told: Counted) -> Figures:
    """The figures that were counted."""
    lists: dict[Number, list[ReferralId]] = {number: [] for number in Number}
    for (number, _), ids in told.ids.items():
        lists[number] += ids
    return Figures(
        {number: tuple(sorted(ids)) for number, ids in lists.items()},
        _reasons(told),
        **{wait.value: told.medians.get(wait) for wait in Wait},
    )


def _reasons(told: Counted) -> dict[str, tuple[ReferralId, ...]]:
    reasons = {
        reason or "UNKNOWN": tuple(sorted(ids))
        for (number, reason), ids in told.ids.items()
        if number is Number.DECLINED
    }
    return dict(sorted(reasons.items()))
