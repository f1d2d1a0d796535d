"""The figures of a group's progress report for a week, and whether they reconcile (R31)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from statistics import median
from typing import Any
from uuid import UUID

from services.reporting.domain.history import (
    Change,
    Moment,
    Movement,
    Standing,
    Status,
    Step,
    history,
    moments,
)
from services.reporting.domain.nouns import GroupId, ReferralId

PENDING_TARGET = timedelta(days=7)
"""A referral still PENDING after this long is overdue."""

DECISION_TARGET = timedelta(days=14)
"""A referral neither scheduled, declined nor completed after this long is overdue."""


class Number(StrEnum):
    """A number of the report. Each is told with the referrals it counts."""

    OPENING = "opening"
    RECEIVED = "received"
    REOPENED = "reopened"
    REASSIGNED_IN = "reassigned_in"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    FORWARDED_OUT = "forwarded_out"
    REASSIGNED_OUT = "reassigned_out"
    CLOSING = "closing"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    SCHEDULED = "scheduled"
    APPOINTMENTS_PASSED = "appointments_passed"
    NO_SHOWS = "no_shows"
    OVERDUE = "overdue"
    BACKLOG_0_TO_3_DAYS = "backlog_0_to_3_days"
    BACKLOG_4_TO_7_DAYS = "backlog_4_to_7_days"
    BACKLOG_8_TO_14_DAYS = "backlog_8_to_14_days"
    BACKLOG_15_DAYS_AND_MORE = "backlog_15_days_and_more"


ARRIVALS = (Number.RECEIVED, Number.REOPENED, Number.REASSIGNED_IN)
DEPARTURES = (
    Number.COMPLETED,
    Number.CANCELLED,
    Number.DECLINED,
    Number.FORWARDED_OUT,
    Number.REASSIGNED_OUT,
)
BACKLOG = (
    (4, Number.BACKLOG_0_TO_3_DAYS),
    (8, Number.BACKLOG_4_TO_7_DAYS),
    (15, Number.BACKLOG_8_TO_14_DAYS),
)
"""Ages of open work: below so many full days, this number; from the last on, BACKLOG_15_DAYS_AND_MORE."""

_COUNTED = {
    Movement.SENT: Number.SENT,
    Movement.RECEIVED: Number.RECEIVED,
    Movement.REOPENED: Number.REOPENED,
    Movement.REASSIGNED_IN: Number.REASSIGNED_IN,
    Movement.REASSIGNED_OUT: Number.REASSIGNED_OUT,
    Movement.FORWARDED_OUT: Number.FORWARDED_OUT,
    Movement.COMPLETED: Number.COMPLETED,
    Movement.CANCELLED: Number.CANCELLED,
    Movement.DECLINED: Number.DECLINED,
    Movement.ACKNOWLEDGED: Number.ACKNOWLEDGED,
    Movement.SCHEDULED: Number.SCHEDULED,
    Movement.APPOINTMENT_PASSED: Number.APPOINTMENTS_PASSED,
    Movement.NO_SHOW: Number.NO_SHOWS,
}


@dataclass(frozen=True, slots=True)
class MedianHours:
    """A median in hours and how many referrals it is taken of."""

    hours: float
    referrals: int


@dataclass(frozen=True, slots=True)
class Figures:
    """A group's week. `numbers` holds for each number the referrals it counts: one counted twice is there twice."""

    numbers: Mapping[Number, tuple[ReferralId, ...]]
    declined_by_reason: Mapping[str, tuple[ReferralId, ...]]
    to_first_action: MedianHours | None
    to_schedule: MedianHours | None
    to_completion: MedianHours | None

    def count(self, number: Number) -> int:
        """How many referrals a number counts."""
        return len(self.numbers[number])

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
                for one in (self.to_first_action, self.to_schedule, self.to_completion)
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
    """A group's figures from `start` (included) until `as_of` (not included): a week's end, or now while it runs.

    `changes` holds the whole history of every referral the group had anything to do with in that time.
    """
    by_referral = groupby(
        sorted(changes, key=lambda change: change.referral_id), lambda change: change.referral_id
    )
    histories = [history(told) for _, told in by_referral]
    opening = list(_backlog(histories, group_id, start))
    closing = list(_backlog(histories, group_id, as_of))
    counted = [
        moment
        for steps in histories
        for step in steps
        if start <= step.at < as_of
        for moment in moments(step)
        if moment.group_id == group_id
    ]
    return Figures(
        _numbers(counted, opening, closing, as_of),
        _reasons(counted),
        _median(counted, Movement.FIRST_ACTION),
        _median(counted, Movement.FIRST_SCHEDULED),
        _median(counted, Movement.COMPLETED),
    )


def _backlog(
    histories: Sequence[tuple[Step, ...]], group_id: GroupId, at: datetime
) -> Iterator[Standing]:
    """The referrals the group had open just before an instant, by the last that was heard of each."""
    for steps in histories:
        last = next((step.after for step in reversed(steps) if step.at < at), None)
        if last and last.change.holder == group_id:
            yield last


def _numbers(
    counted: Sequence[Moment],
    opening: Sequence[Standing],
    closing: Sequence[Standing],
    as_of: datetime,
) -> dict[Number, tuple[ReferralId, ...]]:
    lists: dict[Number, list[ReferralId]] = {number: [] for number in Number}
    for moment in counted:
        if number := _COUNTED.get(moment.movement):
            lists[number].append(moment.referral_id)
    lists[Number.OPENING] = [standing.change.referral_id for standing in opening]
    for standing in closing:
        lists[Number.CLOSING].append(standing.change.referral_id)
        lists[_bucket(as_of - standing.since)].append(standing.change.referral_id)
        if _overdue(standing, as_of):
            lists[Number.OVERDUE].append(standing.change.referral_id)
    return {number: tuple(sorted(ids)) for number, ids in lists.items()}


def _bucket(age: timedelta) -> Number:
    return next(
        (number for below, number in BACKLOG if age.days < below),
        Number.BACKLOG_15_DAYS_AND_MORE,
    )


def _overdue(standing: Standing, at: datetime) -> bool:
    age, status = at - standing.since, standing.change.status
    undecided = status in (Status.PENDING, Status.IN_PROGRESS)
    return (status is Status.PENDING and age > PENDING_TARGET) or (
        undecided and age > DECISION_TARGET
    )


def _reasons(counted: Sequence[Moment]) -> dict[str, tuple[ReferralId, ...]]:
    reasons: dict[str, list[ReferralId]] = {}
    for moment in counted:
        if moment.movement is Movement.DECLINED:
            reasons.setdefault(moment.reason_code or "UNKNOWN", []).append(moment.referral_id)
    return {code: tuple(sorted(ids)) for code, ids in sorted(reasons.items())}


def _median(counted: Sequence[Moment], movement: Movement) -> MedianHours | None:
    hours = [
        moment.waited / timedelta(hours=1) for moment in counted if moment.movement is movement
    ]
    return MedianHours(round(median(hours), 2), len(hours)) if hours else None
