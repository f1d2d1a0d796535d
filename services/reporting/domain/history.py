"""The history of a referral as one organization heard it, and what each change of it meant for the groups."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.reporting.domain.nouns import GroupId, ReferralId


class Status(StrEnum):
    """The status of a referral that was sent."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    SCHEDULED = "SCHEDULED"
    FOLLOW_UP = "FOLLOW_UP"
    COMPLETED = "COMPLETED"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"


OPEN = frozenset({Status.PENDING, Status.IN_PROGRESS, Status.SCHEDULED, Status.FOLLOW_UP})
"""The statuses in which somebody still has work to do."""


class Verb(StrEnum):
    """What happened to a referral."""

    SENT = "SENT"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    SCHEDULED = "SCHEDULED"
    COMPLETED = "COMPLETED"
    DECLINED = "DECLINED"
    REASSIGNED = "REASSIGNED"
    FORWARDED = "FORWARDED"
    CANCELLED = "CANCELLED"
    APPOINTMENT_CANCELLED = "APPOINTMENT_CANCELLED"
    APPOINTMENT_PASSED = "APPOINTMENT_PASSED"
    NO_SHOW = "NO_SHOW"
    SENDER_CHANGED = "SENDER_CHANGED"


_RECEIVER_ACTS = frozenset(Verb) - {
    Verb.SENT,
    Verb.SENDER_CHANGED,
    Verb.CANCELLED,
    Verb.APPOINTMENT_PASSED,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a referral, as one organization heard it. `sequence` is the order of what it heard, `version` the
    referral's own: an organization on both sides hears each version twice.

    `group_id` is the organization's group that has the referral after the change; None when it has no group, or is
    with another organization. `hop` counts the receivers the referral was sent to.
    """

    referral_id: ReferralId
    sequence: int
    version: int
    verb: Verb
    status: Status
    hop: int
    group_id: GroupId | None
    sending_group_id: GroupId | None
    reason_code: str | None
    occurred_at: datetime

    @property
    def holder(self) -> GroupId | None:
        """The group that has work to do with the referral after the change."""
        return self.group_id if self.status in OPEN else None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a referral stands after a change. `since` is when its present receiver was first asked (the hop began)."""

    change: Change
    since: datetime
    acted: bool
    scheduled: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One change with the standing before and after. `at` never goes back from one step to the next."""

    at: datetime
    before: Standing | None
    after: Standing


def history(changes: Iterable[Change]) -> tuple[Step, ...]:
    """The steps of one referral in the order they were told, whatever order they arrive in; each version once."""
    steps: list[Step] = []
    before: Standing | None = None
    for change in sorted(changes, key=lambda change: change.sequence):
        if before is not None and before.change.version == change.version:
            continue
        at = max(change.occurred_at, steps[-1].at) if steps else change.occurred_at
        after = _stand(before, change, at)
        steps.append(Step(at, before, after))
        before = after
    return tuple(steps)


def _stand(before: Standing | None, change: Change, at: datetime) -> Standing:
    if before is None or before.change.hop != change.hop:
        return Standing(change, at, acted=False, scheduled=change.verb is Verb.SCHEDULED)
    return Standing(
        change,
        before.since,
        acted=before.acted or change.verb in _RECEIVER_ACTS,
        scheduled=before.scheduled or change.verb is Verb.SCHEDULED,
    )


class Movement(StrEnum):
    """What a change means for one group."""

    SENT = "SENT"
    RECEIVED = "RECEIVED"
    REOPENED = "REOPENED"
    REASSIGNED_IN = "REASSIGNED_IN"
    REASSIGNED_OUT = "REASSIGNED_OUT"
    FORWARDED_OUT = "FORWARDED_OUT"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    DECLINED = "DECLINED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    SCHEDULED = "SCHEDULED"
    APPOINTMENT_PASSED = "APPOINTMENT_PASSED"
    NO_SHOW = "NO_SHOW"
    FIRST_ACTION = "FIRST_ACTION"
    FIRST_SCHEDULED = "FIRST_SCHEDULED"


_CLOSED_BY = {
    Verb.COMPLETED: Movement.COMPLETED,
    Verb.CANCELLED: Movement.CANCELLED,
    Verb.DECLINED: Movement.DECLINED,
}
_WORKED_BY = {
    Verb.ACKNOWLEDGED: (Movement.ACKNOWLEDGED, frozenset({Status.PENDING})),
    Verb.SCHEDULED: (Movement.SCHEDULED, OPEN - {Status.SCHEDULED}),
    Verb.APPOINTMENT_PASSED: (Movement.APPOINTMENT_PASSED, frozenset({Status.SCHEDULED})),
    Verb.NO_SHOW: (Movement.NO_SHOW, frozenset({Status.SCHEDULED, Status.FOLLOW_UP})),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that counts for a group. `waited` is the time since the group's side was first asked."""

    movement: Movement
    group_id: GroupId
    referral_id: ReferralId
    at: datetime
    waited: timedelta
    reason_code: str | None


def moments(step: Step) -> Iterator[Moment]:
    """What a step counts for, and for which group."""
    for movement, group_id in (*_sent(step), *_moved(step), *_worked(step), *_firsts(step)):
        since = (step.before or step.after).since
        change = step.after.change
        yield Moment(
            movement, group_id, change.referral_id, step.at, step.at - since, change.reason_code
        )


_Counted = Iterator[tuple[Movement, GroupId]]


def _sent(step: Step) -> _Counted:
    change = step.after.change
    if change.verb is Verb.SENT and change.sending_group_id:
        yield Movement.SENT, change.sending_group_id


def _moved(step: Step) -> _Counted:
    """The movements that add to or take from a group's open work: the terms of the reconciliation."""
    verb = step.after.change.verb
    was = step.before.change.holder if step.before else None
    now = step.after.change.holder
    if verb in _CLOSED_BY:
        if was and not now:
            yield _CLOSED_BY[verb], was
    elif verb is Verb.FORWARDED or (verb is Verb.REASSIGNED and was != now):
        yield from _handed_over(verb, was, now)
    elif verb is Verb.SENT and now and was != now:
        again = step.before is not None and step.before.change.group_id == now
        yield Movement.REOPENED if again else Movement.RECEIVED, now


def _handed_over(verb: Verb, was: GroupId | None, now: GroupId | None) -> _Counted:
    forwarded = verb is Verb.FORWARDED
    if was:
        yield Movement.FORWARDED_OUT if forwarded else Movement.REASSIGNED_OUT, was
    if now:
        yield Movement.RECEIVED if forwarded else Movement.REASSIGNED_IN, now


def _worked(step: Step) -> _Counted:
    change = step.after.change
    if change.verb in _WORKED_BY and change.holder and step.before:
        movement, earlier = _WORKED_BY[change.verb]
        if step.before.change.status in earlier:
            yield movement, change.holder


def _firsts(step: Step) -> _Counted:
    """The first thing a receiver did, and the first appointment, count for the group that had the referral."""
    before, verb = step.before, step.after.change.verb
    holder = before.change.holder if before else None
    if before is None or holder is None:
        return
    if verb in _RECEIVER_ACTS and not before.acted:
        yield Movement.FIRST_ACTION, holder
    if verb is Verb.SCHEDULED and not before.scheduled:
        yield Movement.FIRST_SCHEDULED, holder
