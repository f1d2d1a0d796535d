"""The receiver's verbs: acknowledge, claim, schedule, report what happened, decline. Only the current receiver's staff."""

from datetime import datetime

from kit.errors import Invalid
from services.referrals import domain
from services.referrals.actions.keeping import Order, changing, hold_off_fences, keep, reading
from services.referrals.actions.patients import keep_report
from services.referrals.actions.peers import Call, ask_receiver
from services.referrals.actions.reasons import Given, valid_reason
from services.referrals.actions.telling import Change
from services.referrals.domain import (
    Action,
    Happened,
    ProviderId,
    ReasonKind,
    Referral,
    ReferralId,
    Report,
    Target,
    UserId,
)
from services.referrals.store import people

MAX_REPORT = 10_000
"""Characters of what a receiver reports back."""


async def acknowledge(call: Call, order: Order, callback_at: datetime | None) -> ReferralId:
    """Take note of a pending referral; it is in progress."""
    async with changing(call, order, Action.ACKNOWLEDGE) as (tx, referral):
        after = domain.acknowledged(referral, callback_at, call.clock.now())
        await keep(tx, call, Change(Happened.ACKNOWLEDGED, referral, after))
    return after.id


async def claim(call: Call, order: Order, provider_id: ProviderId | None) -> ReferralId:
    """Take a group's referral up for a provider of the group (R21). Of two at once one wins; the other: ALREADY_CLAIMED.

    A claim that chooses the provider is checked like a send to that provider: directory's answer, then the fence.
    """
    user_id = UserId(call.viewer.require_user())
    waiting = await reading(call, order, Action.CLAIM)
    domain.claimed(waiting, user_id, provider_id, call.clock.now())
    choosing = waiting.receiving_provider_id is None and provider_id is not None
    if choosing:
        await _require_member(call, waiting, provider_id)
    async with changing(call, order, Action.CLAIM) as (tx, referral):
        after = domain.claimed(referral, user_id, provider_id, call.clock.now())
        if choosing:
            await hold_off_fences(tx, None, after.receiver)
        await keep(tx, call, Change(Happened.CLAIMED, referral, after))
    return after.id


async def _require_member(call: Call, referral: Referral, provider_id: ProviderId | None) -> None:
    receiver = referral.receiver
    if receiver is None or receiver.group_id is None or provider_id is None:
        raise LookupError("a claimable referral has a group")
    async with call.db.reading() as tx:
        members = await people.members_of(tx, receiver.organization_id, receiver.group_id)
    if provider_id not in members:
        raise Invalid(
            "That provider is not in the group.",
            code="NOT_A_MEMBER",
            field="providerId",
            remedy="Choose a provider of the group.",
        )
    await ask_receiver(call, Target(receiver.office_id, provider_id=provider_id))


async def schedule(call: Call, order: Order, at: datetime) -> ReferralId:
    """Book an appointment that lies ahead."""
    async with changing(call, order, Action.SCHEDULE) as (tx, referral):
        after = domain.scheduled(referral, at, call.clock.now())
        await keep(tx, call, Change(Happened.SCHEDULED, referral, after))
    return after.id


async def reschedule(call: Call, order: Order, at: datetime) -> ReferralId:
    """Another appointment in place of the one that stands, passed or was missed."""
    async with changing(call, order, Action.RESCHEDULE) as (tx, referral):
        after = domain.rescheduled(referral, at, call.clock.now())
        await keep(tx, call, Change(Happened.RESCHEDULED, referral, after))
    return after.id


async def cancel_appointment(call: Call, order: Order) -> ReferralId:
    """No appointment any more; the referral is in progress."""
    async with changing(call, order, Action.CANCEL_APPOINTMENT) as (tx, referral):
        after = domain.appointment_cancelled(referral, call.clock.now())
        await keep(tx, call, Change(Happened.APPOINTMENT_CANCELLED, referral, after))
    return after.id


async def complete(call: Call, order: Order) -> ReferralId:
    """Report that the patient was seen, once the appointment's time has passed."""
    async with changing(call, order, Action.COMPLETE) as (tx, referral):
        after = domain.completed(referral, call.clock.now())
        await keep(tx, call, Change(Happened.COMPLETED, referral, after))
    return after.id


async def attach_outcome(call: Call, order: Order, report: str) -> ReferralId:
    """Tell the sender what came of a completed referral: the loop is closed. Again: in place of what was told before."""
    text = report.strip()
    if not 1 <= len(text) <= MAX_REPORT:
        raise Invalid(f"Write 1 to {MAX_REPORT} characters.", field="report")
    user_id = UserId(call.viewer.require_user())
    async with changing(call, order, Action.ATTACH_OUTCOME) as (tx, referral):
        after = domain.outcome_attached(referral, call.clock.now())
        await keep_report(tx, call, after, Report(text, after.changed_at, user_id))
        await keep(tx, call, Change(Happened.OUTCOME_ATTACHED, referral, after))
    return after.id


async def report_no_show(call: Call, order: Order, given: Given) -> ReferralId:
    """Report that the patient did not come, for a coded reason; reschedule or decline next."""
    now = call.clock.now()
    async with changing(call, order, Action.REPORT_NO_SHOW) as (tx, referral):
        domain.require(referral, Action.REPORT_NO_SHOW, now)
        reason = await valid_reason(tx, call, ReasonKind.NO_SHOW, given)
        after = domain.no_show(referral, now)
        change = Change(Happened.NO_SHOW, referral, after, reason.code, given.comment)
        await keep(tx, call, change)
    return after.id


async def decline(call: Call, order: Order, given: Given) -> ReferralId:
    """Give the referral back to its sender, for a coded reason that is valid today (R13)."""
    now = call.clock.now()
    async with changing(call, order, Action.DECLINE) as (tx, referral):
        domain.require(referral, Action.DECLINE, now)
        reason = await valid_reason(tx, call, ReasonKind.DECLINE, given)
        after = domain.declined(referral, reason, now)
        await keep(tx, call, Change(Happened.DECLINED, referral, after, comment=given.comment))
    return after.id
