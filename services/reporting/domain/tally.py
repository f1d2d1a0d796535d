"""What a group's week counts: each number's entries, with all that is known of the referral behind each (R31)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from services.reporting.domain.history import (
    Change,
    Moment,
    Movement,
    Outcome,
    Standing,
    Status,
    Step,
    history,
    moments,
)
from services.reporting.domain.nouns import GroupId

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
    FIRST_ACTIONS = "first_actions"
    FIRST_SCHEDULED = "first_scheduled"
    APPOINTMENTS_OVER = "appointments_over"
    COMPLETED_SEEN = "completed_seen"
    LOOPS_CLOSED = "loops_closed"
    OUTCOMES_ATTACHED = "outcomes_attached"
    SENT_WITH_KNOWN_PLAN = "sent_with_known_plan"
    SENT_OUTSIDE_PLAN = "sent_outside_plan"
    OVERDUE = "overdue"
    UNWORKED = "unworked"
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

COUNTED = {
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
    Movement.FIRST_ACTION: Number.FIRST_ACTIONS,
    Movement.FIRST_SCHEDULED: Number.FIRST_SCHEDULED,
    Movement.APPOINTMENT_REPORTED: Number.APPOINTMENTS_OVER,
    Movement.OUTCOME_ATTACHED: Number.OUTCOMES_ATTACHED,
    Movement.SENT_WITH_KNOWN_PLAN: Number.SENT_WITH_KNOWN_PLAN,
    Movement.SENT_OUTSIDE_PLAN: Number.SENT_OUTSIDE_PLAN,
}
"""The number that counts each movement."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One referral that a number counts, and what was known of it then. `reason` is the coded one of declines and no-shows."""

    number: Number
    told: Change
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """All entries of a week, and what happened in it."""

    entries: tuple[Entry, ...]
    moments: tuple[Moment, ...]


Histories = Sequence[tuple[Step, ...]]


def tally(changes: Iterable[Change], group_id: GroupId, start: datetime, as_of: datetime) -> Tally:
    """What counts for a group from `start` (included) until `as_of` (not included): a week's end, or now while it runs.

    `changes` holds the whole history of every referral the group had anything to do with in that time.
    """
    return tally_of(histories(changes), group_id, start, as_of)


def histories(changes: Iterable[Change]) -> Histories:
    """The history of each referral: made once for several weeks."""
    by_referral = groupby(
        sorted(changes, key=lambda change: change.referral_id), lambda change: change.referral_id
    )
    return [history(told) for _, told in by_referral]


def tally_of(histories: Histories, group_id: GroupId, start: datetime, as_of: datetime) -> Tally:
    """As `tally`, of histories that are made already."""
    counted = tuple(
        moment
        for steps in histories
        for step in steps
        if start <= step.at < as_of
        for moment in moments(step)
        if moment.group_id == group_id
    )
    opening = (Entry(Number.OPENING, one.change) for one in _backlog(histories, group_id, start))
    closing = _closing(_backlog(histories, group_id, as_of), start, as_of)
    happened = (
        Entry(COUNTED[moment.movement], moment.told, moment.change.reason_code)
        for moment in counted
        if moment.movement in COUNTED
    )
    ends = _ends(counted, histories, as_of)
    return Tally((*opening, *happened, *closing, *ends), counted)


def _last(steps: tuple[Step, ...], at: datetime) -> Standing | None:
    return next((step.after for step in reversed(steps) if step.at < at), None)


def _backlog(histories: Histories, group_id: GroupId, at: datetime) -> Iterator[Standing]:
    """The referrals the group had open just before an instant, by the last that was heard of each."""
    for steps in histories:
        last = _last(steps, at)
        if last and last.change.holder == group_id:
            yield last


def _closing(backlog: Iterable[Standing], start: datetime, as_of: datetime) -> Iterator[Entry]:
    for standing in backlog:
        yield Entry(Number.CLOSING, standing.change)
        yield Entry(_bucket(as_of - standing.since), standing.change)
        if _overdue(standing, as_of):
            yield Entry(Number.OVERDUE, standing.change)
        if standing.worked_at < start:
            yield Entry(Number.UNWORKED, standing.change)


def _ends(counted: Sequence[Moment], histories: Histories, as_of: datetime) -> Iterator[Entry]:
    """What needs a look at how the referral stands at the end: closed loops, and appointments nobody has reported on."""
    last = {steps[0].after.change.referral_id: _last(steps, as_of) for steps in histories}
    for moment in counted:
        standing = last[moment.referral_id]
        closed = standing is not None and standing.loop_closed
        if moment.movement is Movement.COMPLETED:
            if closed or moment.change.outcome is Outcome.SEEN:
                yield Entry(Number.COMPLETED_SEEN, moment.told)
            if closed:
                yield Entry(Number.LOOPS_CLOSED, moment.told)
        if moment.movement is Movement.APPOINTMENT_PASSED and standing:
            waiting = standing.appointment and standing.change.status is Status.FOLLOW_UP
            if waiting and standing.change.holder == moment.group_id:
                yield Entry(Number.APPOINTMENTS_OVER, moment.told)


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
