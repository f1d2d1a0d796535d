"""Why can, or can't, I see or do this: answered by the same policy that decides it."""

from dataclasses import dataclass

from services.referrals import policy
from services.referrals.actions.keeping import access_of
from services.referrals.actions.peers import Call
from services.referrals.domain import ActionExplained, Explained, ReferralId
from services.referrals.store import referrals as store


@dataclass(frozen=True, slots=True)
class Explanation:
    """How far the viewer sees a referral, why, and what the viewer may do to it (nothing is said of what is not seen)."""

    sight: policy.Sight | None
    reasons: tuple[Explained, ...]
    actions: tuple[ActionExplained, ...]


async def explain(call: Call, referral_id: ReferralId) -> Explanation:
    """Nothing of the patient, and nothing of a referral that the viewer's organization does not have."""
    call.viewer.require_organization()
    async with call.db.reading() as tx:
        referral = (await store.find(tx, [referral_id])).get(referral_id)
        hops = (await store.hops(tx, [referral_id]))[referral_id]
        access = await access_of(tx, call, [referral] if referral else [], hops)
    now = call.clock.now()
    reasons = policy.explained(call.viewer, access, referral, hops)
    seen = None if referral is None else policy.seen(call.viewer, access, referral, hops, now)
    if seen is None:
        return Explanation(None, reasons, ())
    actions = policy.explained_actions(call.viewer, access, seen.referral, now)
    return Explanation(seen.sight, reasons, actions if seen.sides else ())
