"""Another receiver: reassign within the organization, forward beyond it (R13)."""

from dataclasses import dataclass

from services.referrals import domain, policy
from services.referrals.actions.keeping import Order, changing, hold_off_fences, keep, reading
from services.referrals.actions.looking import see
from services.referrals.actions.peers import Call
from services.referrals.actions.reasons import require_short
from services.referrals.actions.sending import ask_about, reasoned
from services.referrals.actions.telling import Change
from services.referrals.domain import Action, Happened, ReferralId, Target
from services.referrals.policy import Seen
from services.referrals.store import referrals as store


@dataclass(frozen=True, slots=True)
class Where:
    """The receiver somebody moves a referral to, and why it may be outside of the patient's plan (R28)."""

    target: Target
    outside: str | None = None


async def reassign(
    call: Call, order: Order, where: Where, *, keeps_appointment: bool = False
) -> Seen:
    """Another provider, office or group of the same organization, of the same specialty. A booked appointment is void, unless it is
    kept on purpose."""
    now = call.clock.now()
    before = await reading(call, order, Action.REASSIGN)
    domain.require(before, Action.REASSIGN, now)
    asked = await ask_about(call, where.target, before.plans)
    domain.reassigned(before, asked.receiver.party, None, now)
    domain.require_specialty(before, asked.receiver.specialty_codes)
    asked = await reasoned(call, asked, where.outside)
    async with changing(call, order, Action.REASSIGN) as (tx, referral):
        receiver = asked.receiver.party
        after = domain.reassigned(
            referral, receiver, asked.plan, call.clock.now(), keeps_appointment=keeps_appointment
        )
        after = asked.manage(after)
        await hold_off_fences(tx, None, receiver, asked.receiver.alternatives)
        await keep(tx, call, Change(Happened.REASSIGNED, referral, after))
        left = referral.receiver or receiver
    return (await see(call, [after.id]))[0] or policy.out_of_sight(after, left)


async def forward(
    call: Call, order: Order, where: Where, *, confirm_loop: bool, comment: str | None
) -> ReferralId:
    """Pending at another receiver, one hop further. Back to a past receiver only when confirmed."""
    require_short(comment)
    before = await reading(call, order, Action.FORWARD)
    domain.require(before, Action.FORWARD, call.clock.now())
    asked = await ask_about(call, where.target, before.plans)
    asked = await reasoned(call, asked, where.outside)
    async with changing(call, order, Action.FORWARD) as (tx, referral):
        receiver = asked.receiver.party
        hops = (await store.hops(tx, [referral.id]))[referral.id]
        domain.require_no_loop(hops, receiver, confirmed=confirm_loop)
        after = domain.forwarded(referral, receiver, asked.plan, call.clock.now())
        after = asked.manage(after)
        await hold_off_fences(tx, None, receiver, asked.receiver.alternatives)
        await keep(tx, call, Change(Happened.FORWARDED, referral, after, comment=comment))
    return after.id
