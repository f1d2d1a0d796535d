"""The state machine of a referral as data: who may take which action, from where, leading where."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from kit.errors import Conflict, stale_version
from services.referrals.domain.nouns import Authorization, Outcome, Referral, Side, Status


class Action(StrEnum):
    """What a person can do to a referral."""

    CHANGE_DRAFT = "CHANGE_DRAFT"
    SEND = "SEND"
    ACKNOWLEDGE = "ACKNOWLEDGE"
    CLAIM = "CLAIM"
    SCHEDULE = "SCHEDULE"
    RESCHEDULE = "RESCHEDULE"
    CANCEL_APPOINTMENT = "CANCEL_APPOINTMENT"
    COMPLETE = "COMPLETE"
    ATTACH_OUTCOME = "ATTACH_OUTCOME"
    REPORT_NO_SHOW = "REPORT_NO_SHOW"
    DECLINE = "DECLINE"
    REASSIGN = "REASSIGN"
    FORWARD = "FORWARD"
    RESEND = "RESEND"
    CHANGE_SENDER = "CHANGE_SENDER"
    CHANGE_AUTHORIZATION = "CHANGE_AUTHORIZATION"
    CANCEL = "CANCEL"


MAX_HOPS: Final = 6
FOR_OFFLINE: Final = frozenset(
    {
        Action.ACKNOWLEDGE,
        Action.SCHEDULE,
        Action.RESCHEDULE,
        Action.CANCEL_APPOINTMENT,
        Action.COMPLETE,
        Action.ATTACH_OUTCOME,
        Action.REPORT_NO_SHOW,
        Action.DECLINE,
    }
)
"""What a sender does in the place of a receiver that works outside of the suite."""

RECEIVER_OPEN: Final = frozenset(
    {Status.PENDING, Status.IN_PROGRESS, Status.SCHEDULED, Status.FOLLOW_UP}
)
# A draft and a declined referral wait for the sender: they are open work of the sending side only.
SENDER_OPEN: Final = RECEIVER_OPEN | {Status.DRAFT, Status.DECLINED}
ENDED: Final = frozenset({Status.COMPLETED, Status.CANCELLED})


@dataclass(frozen=True, slots=True)
class Move:
    """Who may take an action, from which statuses, and where it leads (None: it stays)."""

    side: Side
    sources: frozenset[Status]
    target: Status | None


def _move(side: Side, target: Status | None, *sources: Status) -> Move:
    return Move(side, frozenset(sources), target)


MOVES: Final[Mapping[Action, Move]] = {
    Action.CHANGE_DRAFT: _move(Side.SENDING, Status.DRAFT, Status.DRAFT),
    Action.SEND: _move(Side.SENDING, Status.PENDING, Status.DRAFT),
    Action.ACKNOWLEDGE: _move(Side.RECEIVING, Status.IN_PROGRESS, Status.PENDING),
    Action.CLAIM: Move(Side.RECEIVING, RECEIVER_OPEN, None),
    Action.SCHEDULE: _move(Side.RECEIVING, Status.SCHEDULED, Status.PENDING, Status.IN_PROGRESS),
    Action.RESCHEDULE: _move(Side.RECEIVING, Status.SCHEDULED, Status.SCHEDULED, Status.FOLLOW_UP),
    Action.CANCEL_APPOINTMENT: _move(Side.RECEIVING, Status.IN_PROGRESS, Status.SCHEDULED),
    Action.COMPLETE: _move(Side.RECEIVING, Status.COMPLETED, Status.SCHEDULED, Status.FOLLOW_UP),
    Action.ATTACH_OUTCOME: _move(Side.RECEIVING, None, Status.COMPLETED),
    Action.REPORT_NO_SHOW: _move(
        Side.RECEIVING, Status.FOLLOW_UP, Status.SCHEDULED, Status.FOLLOW_UP
    ),
    Action.DECLINE: Move(Side.RECEIVING, RECEIVER_OPEN, Status.DECLINED),
    Action.REASSIGN: Move(Side.RECEIVING, RECEIVER_OPEN, None),
    Action.FORWARD: Move(Side.RECEIVING, RECEIVER_OPEN - {Status.SCHEDULED}, Status.PENDING),
    Action.RESEND: _move(Side.SENDING, Status.PENDING, Status.DECLINED),
    Action.CHANGE_SENDER: Move(Side.SENDING, SENDER_OPEN - {Status.DRAFT}, None),
    Action.CHANGE_AUTHORIZATION: Move(Side.SENDING, SENDER_OPEN - {Status.DRAFT}, None),
    Action.CANCEL: Move(Side.SENDING, SENDER_OPEN, Status.CANCELLED),
}


def takers(referral: Referral, action: Action) -> frozenset[Side]:
    """The sides that may take an action: its own, and for an externally managed referral the sender, who reports in the place of a
    receiver that does not."""
    own = MOVES[action].side
    for_offline = referral.externally_managed and action in FOR_OFFLINE
    return frozenset({own, Side.SENDING} if for_offline else {own})


def turned(referral: Referral, status: Status, now: datetime) -> Referral:
    """The referral's next version, in that status."""
    since = referral.status_since if status is referral.status else now
    return replace(
        referral, status=status, status_since=since, version=referral.version + 1, changed_at=now
    )


def hindrance(referral: Referral, action: Action, now: datetime) -> Conflict | None:
    """Why the action cannot be taken on the referral as it stands; None when it can."""
    if action is Action.CLAIM and referral.claimed_by is not None:
        return _already_claimed()
    if referral.status not in MOVES[action].sources:
        return Conflict(
            f"A referral that is {referral.status.value} cannot take {action.value}.",
            code="WRONG_STATUS",
            remedy="Read the referral again and choose one of its allowedActions.",
            status=referral.status.value,
        )
    return _GUARDS.get(action, _unguarded)(referral, now)


def require(referral: Referral, action: Action, now: datetime) -> None:
    """Refuse with the hindrance, if there is one; WRONG_STATUS says what whoever may take the action may do instead."""
    refusal = hindrance(referral, action, now)
    if refusal is None:
        return
    if refusal.code == "WRONG_STATUS":
        refusal.details["allowed_actions"] = tuple(
            other
            for other in Action
            if takers(referral, action) <= takers(referral, other)
            and hindrance(referral, other, now) is None
        )
    raise refusal


def possible(referral: Referral, side: Side, now: datetime) -> tuple[Action, ...]:
    """The actions one side could take on the referral now, in the order of `Action`."""
    return tuple(
        action
        for action in Action
        if side in takers(referral, action) and hindrance(referral, action, now) is None
    )


def require_version(referral: Referral, expected: int, action: Action) -> None:
    """Refuse a change that was decided on another version than the current one.

    Of two who claim at once, the later one hears ALREADY_CLAIMED, which says more (R21).
    """
    if action is Action.CLAIM and referral.claimed_by is not None:
        raise _already_claimed()
    if referral.version != expected:
        raise stale_version("referral", referral.version)


def _already_claimed() -> Conflict:
    return Conflict(
        "Somebody has claimed this referral already.",
        code="ALREADY_CLAIMED",
        remedy="Reassign it if another provider is to see the patient.",
    )


def _unguarded(_referral: Referral, _now: datetime) -> Conflict | None:
    return None


def _claimable(referral: Referral, _now: datetime) -> Conflict | None:
    if referral.receiving_group_id is None:
        return Conflict("Only a referral to a group is claimed.", code="NOT_A_GROUP")
    return None


def _bookable(referral: Referral, _now: datetime) -> Conflict | None:
    if referral.receiving_provider_id is None:
        return Conflict(
            "Nobody of the group has claimed this referral yet.",
            code="NOT_CLAIMED",
            remedy="Claim it for the provider who is to see the patient.",
        )
    if referral.authorization is Authorization.DECLINED:
        return Conflict(
            "The payer declined to authorize the visit.",
            code="NOT_AUTHORIZED",
            remedy="The sender records it with changeAuthorization once the payer agrees.",
        )
    return None


def _passed(referral: Referral, now: datetime) -> Conflict | None:
    if referral.appointment_at is None:
        return Conflict(
            "No appointment stands on this referral.",
            code="NO_APPOINTMENT",
            remedy="Schedule one, or decline the referral.",
        )
    if referral.appointment_at > now:
        return Conflict(
            "The appointment is still to come.",
            code="APPOINTMENT_AHEAD",
            remedy="Report attendance once its time has passed, or cancel the appointment.",
        )
    return None


def _reportable(referral: Referral, _now: datetime) -> Conflict | None:
    if referral.outcome is Outcome.DECLINED:
        return Conflict(
            "The patient was not seen: the referral ended declined.",
            code="NOT_SEEN",
            remedy="Send a new referral if the patient is to be seen.",
        )
    return None


def _hops_left(referral: Referral, _now: datetime) -> Conflict | None:
    if referral.hop >= MAX_HOPS:
        return Conflict(
            f"The referral has been at {MAX_HOPS} receivers already.",
            code="TOO_MANY_HOPS",
            remedy="Decline it with a reason, so that the sender decides.",
        )
    return None


_GUARDS: Final = {
    Action.CLAIM: _claimable,
    Action.SCHEDULE: _bookable,
    Action.RESCHEDULE: _bookable,
    Action.COMPLETE: _passed,
    Action.ATTACH_OUTCOME: _reportable,
    Action.REPORT_NO_SHOW: _passed,
    Action.FORWARD: _hops_left,
}
