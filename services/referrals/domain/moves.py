"""The pure functions that move a referral along its machine: the referral as it is, in; as it will be, out."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from kit.errors import Conflict, Invalid
from services.referrals.domain.machine import (
    MOVES,
    RECEIVER_OPEN,
    SENDER_OPEN,
    Action,
    hindrance,
    require,
    turned,
)
from services.referrals.domain.nouns import (
    Authorization,
    Draft,
    GroupId,
    Hop,
    Outcome,
    Party,
    PlanAnswer,
    ProviderId,
    Reason,
    Referral,
    ReferralId,
    Status,
    UserId,
)

FARTHEST: Final = timedelta(days=5 * 366)
"""How far ahead an appointment or a callback may lie: farther is a slip of the pen."""

LAPSES_AFTER: Final = timedelta(days=10)
"""How long a sender has to send a declined referral again, where the reason lets it lapse."""


def _next(referral: Referral, action: Action, now: datetime) -> Referral:
    require(referral, action, now)
    return turned(referral, MOVES[action].target or referral.status, now)


def drafted(referral_id: ReferralId, draft: Draft, now: datetime) -> Referral:
    """A new draft. PROVIDER_REQUIRED unless a group sends (R22)."""
    _require_named_sender(draft.sender)
    blank = Referral(
        id=referral_id, version=1, status=Status.DRAFT,
        sending_organization_id=draft.sender.organization_id,
        sending_office_id=draft.sender.office_id, sending_provider_id=None,
        sending_group_id=None, receiving_organization_id=None, receiving_office_id=None,
        receiving_provider_id=None, receiving_group_id=None, specialty_code="",
        urgency=draft.urgency, plan_id=None, second_plan_id=None, plan_acceptance=None, plan_asked=0,
        plan_accepting=0, outside_plan_reason=None, externally_managed=False, authorization=None, hop=1, claimed_by=None, callback_at=None,
        appointment_at=None, reason_kind=None, reason_code=None, outcome=None, outcome_at=None,
        created_at=now, sent_at=None, received_at=None, status_since=now, changed_at=now,
    )  # fmt: skip
    return _written(blank, draft)


def redrafted(referral: Referral, draft: Draft, now: datetime) -> Referral:
    """The draft with other contents."""
    _require_named_sender(draft.sender)
    return _written(_next(referral, Action.CHANGE_DRAFT, now), draft)


def _require_named_sender(sender: Party) -> None:
    if sender.provider_id is None and sender.group_id is None:
        raise Invalid(
            "Say which provider refers the patient.",
            code="PROVIDER_REQUIRED",
            field="sender.providerId",
            remedy="Name the provider, or send from a group that may send.",
        )


def _written(referral: Referral, draft: Draft) -> Referral:
    receiver = draft.receiver
    return replace(
        referral,
        sending_organization_id=draft.sender.organization_id,
        sending_office_id=draft.sender.office_id,
        sending_provider_id=draft.sender.provider_id,
        sending_group_id=draft.sender.group_id,
        receiving_organization_id=None,
        receiving_office_id=receiver.office_id if receiver else None,
        receiving_provider_id=receiver.provider_id if receiver else None,
        receiving_group_id=receiver.group_id if receiver else None,
        specialty_code=draft.specialty_code,
        urgency=draft.urgency,
        plan_id=draft.plan_id,
        second_plan_id=draft.second_plan_id,
        authorization=draft.authorization,
    )


def _at(referral: Referral, receiver: Party, answer: PlanAnswer | None) -> Referral:
    return replace(
        referral,
        receiving_organization_id=receiver.organization_id,
        receiving_office_id=receiver.office_id,
        receiving_provider_id=receiver.provider_id,
        receiving_group_id=receiver.group_id,
        plan_acceptance=answer.acceptance if answer else None,
        plan_asked=answer.asked if answer else 0,
        plan_accepting=answer.accepting if answer else 0,
        outside_plan_reason=answer.outside_reason if answer else None,
        claimed_by=None,
    )


def sent(referral: Referral, receiver: Party, answer: PlanAnswer | None, now: datetime) -> Referral:
    """The draft, sent to its receiver."""
    moved = _at(_next(referral, Action.SEND, now), receiver, answer)
    return replace(moved, sent_at=now, received_at=now)


def sent_at_once(
    referral_id: ReferralId, draft: Draft, receiver: Party, answer: PlanAnswer | None, now: datetime
) -> Referral:
    """A referral that was never kept as a draft."""
    return replace(sent(drafted(referral_id, draft, now), receiver, answer, now), version=1)


def resent(
    referral: Referral, receiver: Party, answer: PlanAnswer | None, now: datetime
) -> Referral:
    """A declined referral, sent again (to the same receiver or another) as a new hop."""
    moved = _at(_next(referral, Action.RESEND, now), receiver, answer)
    return replace(
        _arrived(moved, referral, now), reason_kind=None, reason_code=None, callback_at=None
    )


def _arrived(moved: Referral, left: Referral, now: datetime) -> Referral:
    """At a new receiver, whose clocks begin."""
    return replace(moved, hop=left.hop + 1, received_at=now, status_since=now)


def sender_changed(referral: Referral, sender: Party, now: datetime) -> Referral:
    """Another sender of the same organization: how what a leaving provider has sent is handed over (R12)."""
    _require_named_sender(sender)
    if sender.organization_id != referral.sending_organization_id:
        raise Conflict(
            "That sender belongs to another organization.",
            code="OTHER_ORGANIZATION",
            field="sender",
        )
    if sender == referral.sender:
        raise Conflict("The referral has that sender already.", code="SAME_SENDER", field="sender")
    return replace(
        _next(referral, Action.CHANGE_SENDER, now),
        sending_office_id=sender.office_id,
        sending_provider_id=sender.provider_id,
        sending_group_id=sender.group_id,
    )


def authorization_changed(
    referral: Referral, authorization: Authorization | None, now: datetime
) -> Referral:
    """What the payer says of the visit now; None: it needs no permission. The status does not move."""
    return replace(_next(referral, Action.CHANGE_AUTHORIZATION, now), authorization=authorization)


def acknowledged(referral: Referral, callback_at: datetime | None, now: datetime) -> Referral:
    """The receiver took note; `callback_at` is when the item returns to the review queue."""
    if callback_at is not None:
        _ahead(callback_at, now, "callbackAt")
    return replace(_next(referral, Action.ACKNOWLEDGE, now), callback_at=callback_at)


def claimed(
    referral: Referral, user_id: UserId, provider_id: ProviderId | None, now: datetime
) -> Referral:
    """A group's referral taken up by a staff member for a provider of the group (R21).

    A pending one is thereby in progress. The provider, once chosen, changes only by reassigning.
    """
    moved = _next(referral, Action.CLAIM, now)
    chosen = referral.receiving_provider_id
    if chosen is None and provider_id is None:
        raise Invalid(
            "Say which provider of the group will see the patient.",
            code="PROVIDER_REQUIRED",
            field="providerId",
        )
    if chosen is not None and provider_id not in (None, chosen):
        raise Conflict(
            "Another provider of the group has this referral already.",
            code="PROVIDER_CHOSEN",
            field="providerId",
            remedy="Claim it without naming a provider, then reassign it.",
        )
    taken = replace(moved, claimed_by=user_id, receiving_provider_id=chosen or provider_id)
    if moved.status is not Status.PENDING:
        return taken
    return replace(taken, status=Status.IN_PROGRESS, status_since=now)


def released(referral: Referral, now: datetime) -> Referral:
    """A claim given back to the queue, because the user who held it left (R07).

    The provider stays: what was arranged with a provider does not end with a staff account.
    """
    return replace(referral, claimed_by=None, version=referral.version + 1, changed_at=now)


def scheduled(referral: Referral, at: datetime, now: datetime) -> Referral:
    """An appointment booked for the first time."""
    moved = _next(referral, Action.SCHEDULE, now)
    return replace(moved, appointment_at=_ahead(at, now), callback_at=None)


def rescheduled(referral: Referral, at: datetime, now: datetime) -> Referral:
    """Another appointment in place of the one that stood or passed."""
    moved = _next(referral, Action.RESCHEDULE, now)
    return replace(moved, appointment_at=_ahead(at, now), callback_at=None)


def _ahead(at: datetime, now: datetime, field: str = "at") -> datetime:
    if at.tzinfo is None:
        raise Invalid("Give the time with its offset from UTC.", field=field)
    if at <= now:
        raise Invalid("The time must lie ahead.", code="TIME_PASSED", field=field)
    if at > now + FARTHEST:
        raise Invalid("The time is too far ahead.", code="TIME_TOO_FAR", field=field)
    return at


def appointment_cancelled(referral: Referral, now: datetime) -> Referral:
    """No appointment any more; the referral is in progress again."""
    return replace(_next(referral, Action.CANCEL_APPOINTMENT, now), appointment_at=None)


def appointment_passed(
    referral: Referral, now: datetime, *, completes: bool = False
) -> Referral | None:
    """The referral in follow-up (or completed, where the receiving organization `completes` so), if its appointment passed
    unreported; None when there is nothing to do (somebody was faster)."""
    if referral.status is not Status.SCHEDULED:
        return None
    if hindrance(referral, Action.REPORT_NO_SHOW, now) is not None:
        return None
    if completes:
        return replace(turned(referral, Status.COMPLETED, now), outcome=Outcome.UNKNOWN)
    return turned(referral, Status.FOLLOW_UP, now)


def completed(referral: Referral, now: datetime) -> Referral:
    """The patient was seen. The loop is closed only when the outcome is attached."""
    return replace(_next(referral, Action.COMPLETE, now), outcome=Outcome.SEEN)


def outcome_attached(referral: Referral, now: datetime) -> Referral:
    """The sender is told what came of it: the loop is closed. Attaching again replaces what was told."""
    moved = _next(referral, Action.ATTACH_OUTCOME, now)
    return replace(moved, outcome=Outcome.SEEN, outcome_at=now)


def lapsed(referral: Referral, reason: Reason, now: datetime) -> Referral | None:
    """Completed as declined, ten days after a decline whose reason lets it lapse; None when it is not so far."""
    declined = referral.status is Status.DECLINED and referral.reason_code == reason.code
    if not declined or not reason.lapses or now < referral.status_since + LAPSES_AFTER:
        return None
    ended = turned(referral, Status.COMPLETED, now)
    return replace(ended, outcome=Outcome.DECLINED, reason_kind=None, reason_code=None)


def no_show(referral: Referral, now: datetime) -> Referral:
    """The patient did not come: reschedule or decline next."""
    return replace(_next(referral, Action.REPORT_NO_SHOW, now), appointment_at=None)


def declined(referral: Referral, reason: Reason, now: datetime) -> Referral:
    """The receiver will not see the patient, for a coded reason; back to the sender (R13)."""
    return _ended(_next(referral, Action.DECLINE, now), reason)


def cancelled(referral: Referral, reason: Reason, now: datetime) -> Referral:
    """The sender takes the referral back, for a coded reason."""
    return _ended(_next(referral, Action.CANCEL, now), reason)


def _ended(referral: Referral, reason: Reason) -> Referral:
    return replace(
        referral,
        reason_kind=reason.kind,
        reason_code=reason.code,
        appointment_at=None,
        callback_at=None,
        claimed_by=None,
    )


def reassigned(
    referral: Referral,
    receiver: Party,
    answer: PlanAnswer | None,
    now: datetime,
    *,
    keeps_appointment: bool = False,
) -> Referral:
    """Another receiver of the same organization. An appointment is void with its provider, and a scheduled referral in progress again,
    unless it is kept on purpose, with another provider."""
    require(referral, Action.REASSIGN, now)
    if receiver.organization_id != referral.receiving_organization_id:
        raise Conflict(
            "That receiver belongs to another organization.",
            code="OTHER_ORGANIZATION",
            field="receiver",
            remedy="Forward the referral instead.",
        )
    if receiver == referral.receiver:
        raise Conflict("The referral is with that receiver already.", code="SAME_RECEIVER")
    moved = _at(_next(referral, Action.REASSIGN, now), receiver, answer)
    kept = keeps_appointment and receiver.provider_id is not None
    if referral.status is Status.SCHEDULED and not kept:
        return replace(moved, status=Status.IN_PROGRESS, status_since=now, appointment_at=None)
    return moved


def handed_over(
    referral: Referral, group_id: GroupId, provider_id: ProviderId, now: datetime
) -> Referral | None:
    """The open referral with one of its providers in place of a group that goes (R24), on whichever side the group is; None when
    it is on neither. What is booked with just that provider stays booked; with another it is void."""
    receives = referral.receiving_group_id == group_id and referral.status in RECEIVER_OPEN
    sends = referral.sending_group_id == group_id and referral.status in SENDER_OPEN
    if not (receives or sends):
        return None
    void = receives and referral.receiving_provider_id != provider_id
    void = void and referral.status is Status.SCHEDULED
    moved = turned(referral, Status.IN_PROGRESS if void else referral.status, now)
    if void:
        moved = replace(moved, appointment_at=None)
    if receives:
        moved = replace(
            moved, receiving_group_id=None, receiving_provider_id=provider_id, claimed_by=None
        )
    if sends:
        moved = replace(moved, sending_group_id=None, sending_provider_id=provider_id)
    return moved


def forwarded(
    referral: Referral, receiver: Party, answer: PlanAnswer | None, now: datetime
) -> Referral:
    """Pending at another receiver, one hop further."""
    moved = _at(_next(referral, Action.FORWARD, now), receiver, answer)
    return replace(_arrived(moved, referral, now), appointment_at=None, callback_at=None)


def require_specialty(referral: Referral, served: Iterable[str]) -> None:
    """Refuse a receiver that says which specialties it serves, when the referral's is not among them (R13)."""
    known = frozenset(served)
    if known and referral.specialty_code not in known:
        raise Conflict(
            "That receiver does not serve the specialty the referral asks for.",
            code="WRONG_SPECIALTY",
            field="receiver",
            remedy="Choose a receiver of that specialty, or decline as wrong specialty.",
        )


def require_no_loop(hops: Iterable[Hop], receiver: Party, *, confirmed: bool) -> None:
    """Refuse to forward to the current receiver, and, unless confirmed, back to a past one (R13)."""
    same = [hop for hop in hops if _same_door(hop.party, receiver)]
    if any(hop.left_at is None for hop in same):
        raise Conflict(
            "The referral is with that receiver already.", code="SAME_RECEIVER", field="receiver"
        )
    if same and not confirmed:
        raise Conflict(
            "The referral has been at that receiver before.",
            code="FORWARD_LOOP",
            field="receiver",
            remedy="Choose another receiver, or confirm with confirmLoop.",
        )


def _same_door(past: Party, receiver: Party) -> bool:
    if receiver.group_id is not None:
        return past.group_id == receiver.group_id and past.office_id == receiver.office_id
    return past.provider_id == receiver.provider_id and past.office_id == receiver.office_id
