"""The facts of a referral: once to each organization, with the side it is on, and nothing about the patient."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from kit.db import Connection
from kit.outbox import record
from proto.referrals.v1 import events_pb2 as facts
from proto.referrals.v1.events_pb2 import ReferralState
from services.referrals.domain import (
    Attachment,
    Happened,
    OrganizationId,
    Overdue,
    Party,
    ProviderId,
    Referral,
    Side,
    Status,
)
from services.referrals.domain import (
    Message as Said,
)
from services.referrals.store import people


@dataclass(frozen=True, slots=True)
class Change:
    """What one verb did: the referral before and after. `code` is a no-show's reason, `comment` is PHI."""

    happened: Happened
    before: Referral | None
    after: Referral
    code: str | None = None
    comment: str | None = None


Telling = Callable[[ReferralState, Change], Message | None]


async def tell(tx: Connection, change: Change, at: datetime) -> None:
    """Record the change's fact for each organization it concerns. What was never sent concerns nobody but its own: that hears that
    there is a draft, and where, and of its end.

    An organization on both sides hears it twice, first as SENDING, then as RECEIVING: its sequence orders them.
    """
    if change.after.sent_at is None:
        await _tell_draft(tx, change, at)
        return
    telling = _FACTS.get(change.happened)
    if telling is None:
        return
    for organization_id, state in await _heard_copies(tx, change, at):
        fact = telling(state, change)
        if fact is not None:
            await record(
                tx,
                fact,
                organization_id=organization_id,
                aggregate="referral",
                aggregate_id=change.after.id,
                at=at,
                by=None,
            )


async def _tell_draft(tx: Connection, change: Change, at: datetime) -> None:
    fact = _of_draft(change)
    if fact is not None:
        await record(
            tx,
            fact,
            organization_id=change.after.sending_organization_id,
            aggregate="referral",
            aggregate_id=change.after.id,
            at=at,
            by=None,
        )


def _of_draft(change: Change) -> Message | None:
    """What a change of a draft tells: that it is there, and where, or that it will not be sent."""
    before, after = change.before, change.after
    if change.happened is Happened.CANCELLED:
        return facts.ReferralDraftDropped(referral_id=str(after.id))
    if after.status is not Status.DRAFT or (
        before is not None and _kept_at(before) == _kept_at(after)
    ):
        return None
    office_id, group_id = _kept_at(after)
    fact = facts.ReferralDrafted(
        referral_id=str(after.id),
        sending_office_id=str(office_id),
        sending_group_id=str(group_id or ""),
    )
    fact.drafted_at.FromDatetime(after.created_at)
    return fact


def _kept_at(draft: Referral) -> tuple[UUID, UUID | None]:
    return draft.sending_office_id, draft.sending_group_id


async def tell_overdue(
    tx: Connection, referral: Referral, overdue: Overdue, due: datetime, at: datetime
) -> None:
    """Record for both organizations that the present receiver is late."""

    def fact(told: ReferralState) -> Message:
        made = facts.ReferralOverdue(referral=told, overdue=overdue.value)
        made.due_at.FromDatetime(due)
        return made

    await _tell_both(tx, Change(Happened.OVERDUE, None, referral), fact, at)


async def tell_message(tx: Connection, referral: Referral, message: Said) -> None:
    """Record for both organizations that one side has written to the other; never what."""

    def fact(told: ReferralState) -> Message:
        return facts.ReferralMessageSent(
            referral=told, message_id=str(message.id), from_side=message.side.value
        )

    await _tell_both(tx, Change(Happened.MESSAGE, None, referral), fact, message.said_at)


async def tell_attachment(tx: Connection, referral: Referral, attachment: Attachment) -> None:
    """Record for both organizations that one side has attached a file; never what it is called. What was never sent concerns
    nobody else."""
    if referral.sent_at is None or attachment.kept_at is None:
        return

    def fact(told: ReferralState) -> Message:
        return facts.ReferralAttachmentAdded(
            referral=told, attachment_id=str(attachment.id), from_side=attachment.side.value
        )

    await _tell_both(tx, Change(Happened.ATTACHED, None, referral), fact, attachment.kept_at)


async def _tell_both(
    tx: Connection, change: Change, fact: Callable[[ReferralState], Message], at: datetime
) -> None:
    for organization_id, told in await _heard_copies(tx, change, at):
        await record(
            tx,
            fact(told),
            organization_id=organization_id,
            aggregate="referral",
            aggregate_id=change.after.id,
            at=at,
            by=None,
        )


async def _heard_copies(
    tx: Connection, change: Change, at: datetime
) -> list[tuple[OrganizationId, ReferralState]]:
    """The copies of a fact, but for organizations that have lost the provider on their side, and the referral with it (R14)."""
    copies = _copies(change, at)
    ends = {(organization_id, _provider_of(state)) for organization_id, state in copies}
    lost = await people.lost_ends(tx, [(one, of) for one, of in ends if of is not None])
    return [(one, state) for one, state in copies if (one, _provider_of(state)) not in lost]


def _provider_of(state: ReferralState) -> ProviderId | None:
    """Who it is on the side of the copy."""
    sends = state.side == Side.SENDING
    named = state.sending_provider_id if sends else state.receiving_provider_id
    return ProviderId(UUID(named)) if named else None


def _copies(change: Change, at: datetime) -> list[tuple[OrganizationId, ReferralState]]:
    after = change.after
    copies = [(after.sending_organization_id, state(after, Side.SENDING, at))]
    if after.receiving_organization_id is not None:
        copies.append((after.receiving_organization_id, state(after, Side.RECEIVING, at)))
    left = change.before
    if left is None or left.receiving_organization_id in (None, after.receiving_organization_id):
        return copies
    if change.happened is Happened.FORWARDED and left.receiving_organization_id is not None:
        leaving = state(left, Side.RECEIVING, at)
        leaving.version = after.version
        copies.append((left.receiving_organization_id, leaving))
    return copies


def state(referral: Referral, side: Side, at: datetime) -> ReferralState:
    """What every referral fact says of the referral."""
    when = Timestamp()
    when.FromDatetime(at)
    told = ReferralState(
        referral_id=str(referral.id),
        side=side.value,
        status=referral.status.value,
        version=referral.version,
        sending_organization_id=str(referral.sending_organization_id),
        sending_office_id=str(referral.sending_office_id),
        sending_provider_id=_text(referral.sending_provider_id),
        sending_group_id=_text(referral.sending_group_id),
        receiving_organization_id=_text(referral.receiving_organization_id),
        receiving_office_id=_text(referral.receiving_office_id),
        receiving_provider_id=_text(referral.receiving_provider_id),
        receiving_group_id=_text(referral.receiving_group_id),
        specialty_code=referral.specialty_code,
        urgency=referral.urgency.value,
        hop=referral.hop,
        occurred_at=when,
        externally_managed=referral.externally_managed,
    )
    if side is Side.SENDING:
        _tell_plan(told, referral)
    return told


def _tell_plan(told: ReferralState, referral: Referral) -> None:
    """Only the sender's side is told for which plan the receiver was chosen and what insurance said (decision 0007)."""
    told.plan_id = _text(referral.plan_id)
    told.outside_plan_reason = referral.outside_plan_reason or ""
    told.plan_acceptance = referral.plan_acceptance.value if referral.plan_acceptance else ""


def _text(id_: UUID | None) -> str:
    return "" if id_ is None else str(id_)


def _left(change: Change) -> Party:
    if change.before is None or change.before.receiver is None:
        raise LookupError("a moved referral was with nobody before")
    return change.before.receiver


def _reassigned(told: ReferralState, change: Change) -> Message:
    left = _left(change)
    return facts.ReferralReassigned(
        referral=told,
        from_office_id=str(left.office_id),
        from_provider_id=_text(left.provider_id),
        from_group_id=_text(left.group_id),
    )


def _sender_changed(told: ReferralState, change: Change) -> Message:
    if change.before is None:
        raise LookupError("a referral changed its sender from nobody")
    left = change.before.sender
    return facts.ReferralSenderChanged(
        referral=told,
        from_office_id=str(left.office_id),
        from_provider_id=_text(left.provider_id),
        from_group_id=_text(left.group_id),
    )


def _forwarded(told: ReferralState, change: Change) -> Message:
    left = _left(change)
    return facts.ReferralForwarded(
        referral=told,
        from_organization_id=str(left.organization_id),
        from_office_id=str(left.office_id),
        from_provider_id=_text(left.provider_id),
        from_group_id=_text(left.group_id),
    )


def _claimed(told: ReferralState, change: Change) -> Message | None:
    """A claim of a pending referral acknowledges it; a later one that chooses the provider reassigns it within the group."""
    before = change.before
    if before is not None and before.status is Status.PENDING:
        return facts.ReferralAcknowledged(referral=told)
    if before is not None and before.receiving_provider_id != change.after.receiving_provider_id:
        return _reassigned(told, change)
    return None


def _scheduled(told: ReferralState, change: Change) -> Message:
    fact = facts.ReferralScheduled(referral=told)
    if change.after.appointment_at is not None:
        fact.appointment_at.FromDatetime(change.after.appointment_at)
    return fact


def _completed(told: ReferralState, change: Change) -> Message:
    outcome = change.after.outcome
    return facts.ReferralCompleted(referral=told, outcome=outcome.value if outcome else "")


def _passed(told: ReferralState, change: Change) -> Message:
    """Where passed appointments complete a referral, that is the news."""
    if change.after.status is Status.COMPLETED:
        return _completed(told, change)
    return facts.ReferralAppointmentPassed(referral=told)


_FACTS: Final[dict[Happened, Telling]] = {
    Happened.SENT: lambda told, _: facts.ReferralSent(referral=told),
    Happened.RESENT: lambda told, _: facts.ReferralSent(referral=told),
    Happened.ACKNOWLEDGED: lambda told, _: facts.ReferralAcknowledged(referral=told),
    Happened.CLAIMED: _claimed,
    Happened.SCHEDULED: _scheduled,
    Happened.RESCHEDULED: _scheduled,
    Happened.APPOINTMENT_CANCELLED: lambda told, _: facts.ReferralAppointmentCancelled(
        referral=told
    ),
    Happened.APPOINTMENT_PASSED: _passed,
    Happened.COMPLETED: _completed,
    Happened.LAPSED: _completed,
    Happened.OUTCOME_ATTACHED: lambda told, _: facts.ReferralOutcomeAttached(referral=told),
    Happened.NO_SHOW: lambda told, change: facts.ReferralNoShow(
        referral=told, reason_code=change.code or ""
    ),
    Happened.DECLINED: lambda told, change: facts.ReferralDeclined(
        referral=told,
        reason_code=change.after.reason_code or "",
        commented=bool(change.comment),
    ),
    Happened.REASSIGNED: _reassigned,
    Happened.FORWARDED: _forwarded,
    Happened.SENDER_CHANGED: _sender_changed,
    Happened.CANCELLED: lambda told, change: facts.ReferralCancelled(
        referral=told, reason_code=change.after.reason_code or ""
    ),
}
