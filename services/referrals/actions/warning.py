"""What senders are warned of, asked when somebody looks: no send waits for it, and nothing of it is kept (R22)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from services.referrals import domain
from services.referrals.actions.looking import full
from services.referrals.actions.peers import Call, ask_referring_npi
from services.referrals.actions.reasons import today
from services.referrals.domain import PlanId, ReferralId, Warned
from services.referrals.store import referrals as store

AT_ONCE: Final = 10
"""Plans insurance is asked about at once: as many as it answers."""


async def warnings(call: Call, ids: Sequence[ReferralId]) -> list[tuple[Warned, ...]]:
    """Of each referral that is seen in FULL what should be looked at."""
    async with call.db.reading() as tx:
        found = await store.find(tx, await full(tx, call, ids))
        day = await today(tx, call)
    plans = sorted({plan for one in found.values() for plan in domain.doubtful_plans(one)})
    needed = await _needed(call, plans, day)
    return [domain.warnings(found[one], needed) if one in found else () for one in ids]


async def _needed(call: Call, plans: Sequence[PlanId], day: date) -> Mapping[PlanId, bool | None]:
    """Of which plans payers want to know who refers; None from where insurance fell silent, which is not asked again for this page."""
    needed: dict[PlanId, bool | None] = dict.fromkeys(plans)
    for first in range(0, len(plans), AT_ONCE):
        told = await ask_referring_npi(call, plans[first : first + AT_ONCE], day)
        if None in told.values():
            break
        needed |= told
    return needed
