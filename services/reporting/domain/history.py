"""The history of a referral as one organization heard it, and what each change of it meant for the groups."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.reporting.domain.nouns import GroupId, OfficeId, PlanId, ProviderId, ReferralId


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
    OUTCOME_ATTACHED = "OUTCOME_ATTACHED"
    MESSAGE_SENT = "MESSAGE_SENT"


class Outcome(StrEnum):
    """What a completed referral came to; UNKNOWN and DECLINED are the clock's doing."""

    SEEN = "SEEN"
    DECLINED = "DECLINED"
    UNKNOWN = "UNKNOWN"


class PlanAcceptance(StrEnum):
    """What insurance said of the patient's plan when the receiver was chosen."""

    ACCEPTED = "ACCEPTED"
    NOT_LISTED = "NOT_LISTED"
    UNKNOWN = "UNKNOWN"


_RECEIVER_ACTS = frozenset(Verb) - {
    Verb.SENT,
    Verb.SENDER_CHANGED,
    Verb.CANCELLED,
    Verb.APPOINTMENT_PASSED,
    Verb.MESSAGE_SENT,
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
    outcome: Outcome | None = None
    appointment_at: datetime | None = None
    plan_acceptance: PlanAcceptance | None = None
    office_id: OfficeId | None = None
    provider_id: ProviderId | None = None
    sending_office_id: OfficeId | None = None
    plan_id: PlanId | None = None
    outside_plan_reason: str | None = None

    @property
    def by_clock(self) -> bool:
        """Whether nobody did it: an appointment's time came, or a referral ended because nobody acted."""
        lapsed = self.verb is Verb.COMPLETED and self.outcome in (Outcome.DECLINED, Outcome.UNKNOWN)
        return lapsed or self.verb is Verb.APPOINTMENT_PASSED

    @property
    def by_receiver(self) -> bool:
        """Whether the receiver did it, as a command on the referral."""
        return self.verb in _RECEIVER_ACTS and not self.by_clock

    @property
    def holder(self) -> GroupId | None:
        """The group that has work to do with the referral after the change."""
        return self.group_id if self.status in OPEN else None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a referral stands after a change. `since` is when its present receiver was first asked (the hop began).

    `appointment`: one is booked, or passed and nobody has reported on it. `worked_at`: when somebody last did anything.
    """

    change: Change
    since: datetime
    acted: bool
    scheduled: bool
    appointment: bool
    loop_closed: bool
    worked_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One change with the standing before and after. `at` never goes back from one step to the next."""

    at: datetime
    before: Standing | None
    after: Standing


def history(changes: Iterable[Change]) -> tuple[Step, ...]:
    """The steps of one referral in the order they were told, whatever order they arrive in; each version once."""
    steps: list[Step] = []
    for change in sorted(changes, key=lambda change: change.sequence):
        step = next_step(steps[-1] if steps else None, change)
        if step is not None:
            steps.append(step)
    return tuple(steps)


def next_step(last: Step | None, change: Change) -> Step | None:
    """The step that a change makes after the last one; None when its version was told before."""
    before = last.after if last else None
    again = before is not None and before.change.version == change.version
    if again and change.verb is not Verb.MESSAGE_SENT:
        return None
    at = max(change.occurred_at, last.at) if last else change.occurred_at
    return Step(at, before, _stand(before, change, at))


def _stand(before: Standing | None, change: Change, at: datetime) -> Standing:
    same = before if before is not None and before.change.hop == change.hop else None
    worked_at = at if before is None or not change.by_clock else before.worked_at
    return Standing(
        change,
        same.since if same else at,
        acted=same is not None and (same.acted or change.by_receiver),
        scheduled=(same is not None and same.scheduled) or change.verb is Verb.SCHEDULED,
        appointment=_appointment(same, change),
        loop_closed=(same is not None and same.loop_closed) or change.verb is Verb.OUTCOME_ATTACHED,
        worked_at=worked_at,
    )


def _appointment(before: Standing | None, change: Change) -> bool:
    if change.status is Status.SCHEDULED:
        return True
    waiting = before is not None and before.appointment and change.verb is not Verb.NO_SHOW
    return waiting and change.status is Status.FOLLOW_UP


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
    SENT_WITH_KNOWN_PLAN = "SENT_WITH_KNOWN_PLAN"
    SENT_OUTSIDE_PLAN = "SENT_OUTSIDE_PLAN"
    APPOINTMENT_REPORTED = "APPOINTMENT_REPORTED"
    OUTCOME_ATTACHED = "OUTCOME_ATTACHED"


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


_SENDING = (Movement.SENT, Movement.SENT_WITH_KNOWN_PLAN, Movement.SENT_OUTSIDE_PLAN)


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that counts for a group. `waited` is the time since the group's side was first asked.

    `told` is what is known of the referral: of one that leaves, as it was when the group had it.
    """

    movement: Movement
    group_id: GroupId
    change: Change
    told: Change
    at: datetime
    waited: timedelta

    @property
    def referral_id(self) -> ReferralId:
        """The referral it is about."""
        return self.change.referral_id

    @property
    def until_appointment(self) -> timedelta | None:
        """From asked until the appointment that was booked; None when its time was not told."""
        if self.change.appointment_at is None:
            return None
        return max(self.change.appointment_at - (self.at - self.waited), timedelta())


def moments(step: Step) -> Iterator[Moment]:
    """What a step counts for, and for which group."""
    counted = (*_sent(step), *_moved(step), *_worked(step), *_appointments(step), *_firsts(step))
    for movement, group_id in counted:
        since = (step.before or step.after).since
        change = step.after.change
        there = change.group_id == group_id or movement in _SENDING or step.before is None
        told = change if there or step.before is None else step.before.change
        yield Moment(movement, group_id, change, told, step.at, step.at - since)


_Counted = Iterator[tuple[Movement, GroupId]]


def _sent(step: Step) -> _Counted:
    change = step.after.change
    if change.verb is not Verb.SENT or not change.sending_group_id:
        return
    yield Movement.SENT, change.sending_group_id
    if change.plan_acceptance in (PlanAcceptance.ACCEPTED, PlanAcceptance.NOT_LISTED):
        yield Movement.SENT_WITH_KNOWN_PLAN, change.sending_group_id
    if change.plan_acceptance is PlanAcceptance.NOT_LISTED:
        yield Movement.SENT_OUTSIDE_PLAN, change.sending_group_id


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


def _appointments(step: Step) -> _Counted:
    """Reports on appointments (missed, or kept: the referral ended with one), and on what came of them."""
    change, before = step.after.change, step.before
    if before is None:
        return
    was = before.change.holder
    if was and change.verb is Verb.COMPLETED and before.appointment:
        yield Movement.APPOINTMENT_REPORTED, was
    if was and change.verb is Verb.NO_SHOW and before.change.status in _WORKED_BY[Verb.NO_SHOW][1]:
        yield Movement.APPOINTMENT_REPORTED, was
    if change.verb is Verb.OUTCOME_ATTACHED and change.group_id and not before.loop_closed:
        yield Movement.OUTCOME_ATTACHED, change.group_id


def _firsts(step: Step) -> _Counted:
    """The first thing a receiver did, and the first appointment, count for the group that had the referral."""
    before, verb = step.before, step.after.change.verb
    holder = before.change.holder if before else None
    if before is None or holder is None:
        return
    if step.after.change.by_receiver and not before.acted:
        yield Movement.FIRST_ACTION, holder
    if verb is Verb.SCHEDULED and not before.scheduled:
        yield Movement.FIRST_SCHEDULED, holder
