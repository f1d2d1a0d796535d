"""What was done with referrals at offices: the ground of what offices, providers and plans are measured by."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.reporting.domain.history import (
    OPEN,
    Change,
    PlanAcceptance,
    Standing,
    Status,
    Step,
    Verb,
)
from services.reporting.domain.nouns import OfficeId, PlanId, ProviderId, ReferralId


class DeedKind(StrEnum):
    """What was done. All but SENT are the receiving office's; SENT is told where insurance knew of the plan."""

    SENT = "SENT"
    RECEIVED = "RECEIVED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    SCHEDULED = "SCHEDULED"
    COMPLETED = "COMPLETED"
    DECLINED = "DECLINED"
    NO_SHOW = "NO_SHOW"
    APPOINTMENT_OVER = "APPOINTMENT_OVER"
    LOOP_CLOSED = "LOOP_CLOSED"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done at an office of the organization. `waited`: since the office was asked.

    ACKNOWLEDGED is the first thing a receiver does, SCHEDULED its first appointment; COMPLETED is somebody's doing, not the
    clock's. `reason_code` is that of a decline, of a no-show, or of sending outside the plan.
    """

    kind: DeedKind
    referral_id: ReferralId
    sequence: int
    at: datetime
    waited: timedelta
    office_id: OfficeId
    provider_id: ProviderId | None = None
    reason_code: str | None = None
    plan_id: PlanId | None = None
    outside_plan: bool | None = None


_KNOWN = {PlanAcceptance.ACCEPTED: False, PlanAcceptance.NOT_LISTED: True}
_MISSABLE = frozenset({Status.SCHEDULED, Status.FOLLOW_UP})


def deeds(step: Step) -> Iterator[Deed]:
    """What was done by a step."""
    yield from _sending(step)
    change, before = step.after.change, step.before
    if change.office_id and change.verb in (Verb.SENT, Verb.FORWARDED):
        yield _deed(step, DeedKind.RECEIVED, change)
    if before is None:
        return
    if before.change.office_id and before.change.status in OPEN:
        yield from _receiving(step, before)
    if change.verb is Verb.OUTCOME_ATTACHED and change.office_id and not before.loop_closed:
        yield _deed(step, DeedKind.LOOP_CLOSED, change)


def _sending(step: Step) -> Iterator[Deed]:
    change = step.after.change
    known = change.plan_acceptance in _KNOWN
    if change.verb is Verb.SENT and known and change.sending_office_id and change.plan_acceptance:
        yield Deed(
            DeedKind.SENT,
            change.referral_id,
            change.sequence,
            step.at,
            timedelta(),
            change.sending_office_id,
            reason_code=change.outside_plan_reason,
            plan_id=change.plan_id,
            outside_plan=_KNOWN[change.plan_acceptance],
        )


def _receiving(step: Step, before: Standing) -> Iterator[Deed]:
    change, had = step.after.change, before.change
    at = change if change.office_id == had.office_id else had
    told = {
        DeedKind.ACKNOWLEDGED: change.by_receiver and not before.acted,
        DeedKind.SCHEDULED: change.verb is Verb.SCHEDULED and not before.scheduled,
        DeedKind.COMPLETED: change.verb is Verb.COMPLETED and not change.by_clock,
        DeedKind.DECLINED: change.verb is Verb.DECLINED,
        DeedKind.NO_SHOW: change.verb is Verb.NO_SHOW and had.status in _MISSABLE,
    }
    kept = change.verb is Verb.COMPLETED and before.appointment
    told[DeedKind.APPOINTMENT_OVER] = kept or told[DeedKind.NO_SHOW]
    for kind, happened in told.items():
        if happened:
            yield _deed(step, kind, at)


def _deed(step: Step, kind: DeedKind, place: Change) -> Deed:
    """`place`: the change that says where it was. A receiver that was only just asked has not waited."""
    change = step.after.change
    since = (step.before or step.after).since
    waited = timedelta() if kind is DeedKind.RECEIVED else step.at - since
    assert place.office_id is not None  # noqa: S101 - its callers have looked
    coded = kind in (DeedKind.DECLINED, DeedKind.NO_SHOW)
    reason = change.reason_code if coded else None
    known = (change.referral_id, change.sequence, step.at, waited)
    return Deed(kind, *known, place.office_id, place.provider_id, reason)
