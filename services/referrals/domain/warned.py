"""What of a referral hinders nothing and should be looked at: that its payer wants to know which provider referred (R22)."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.referrals.domain.machine import SENDER_OPEN
from services.referrals.domain.nouns import PlanId, Referral, Status


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that hinders nothing and should be looked at, about one of the patient's plans."""

    code: str
    message: str
    remedy: str
    plan_id: PlanId


def doubtful_plans(referral: Referral) -> tuple[PlanId, ...]:
    """The patient's plans whose payers may want to know who referred: a group is the sender of an open referral, and names nobody."""
    named = referral.sending_provider_id is not None or referral.sending_group_id is None
    return () if named or referral.status not in SENDER_OPEN else referral.plans


def warnings(referral: Referral, needed: Mapping[PlanId, bool | None]) -> tuple[Warned, ...]:
    """What to look at, plan by plan. `needed`: whether the plan's payer wants the NPI of who refers; None: insurance could not say,
    and then nothing is claimed either way."""
    doubtful = doubtful_plans(referral)
    wanted = [_wanted(one, referral.status) for one in doubtful if needed[one]]
    return (*wanted, *(_unknown(one) for one in doubtful if needed[one] is None))


def _wanted(plan_id: PlanId, status: Status) -> Warned:
    verb = "changeDraft" if status is Status.DRAFT else "changeSender"
    return Warned(
        "REFERRING_NPI_WANTED",
        "The plan's payer wants the NPI of the provider who refers, and the group names none.",
        f"Name the provider beside the group with {verb}, or ask the payer.",
        plan_id,
    )


def _unknown(plan_id: PlanId) -> Warned:
    return Warned(
        "REFERRING_NPI_UNKNOWN",
        "It is not known now whether the plan's payer wants the NPI of the provider who refers.",
        "Look again in a moment, or name the provider beside the group.",
        plan_id,
    )
