"""What of a referral should be looked at, in GraphQL (R22)."""

import strawberry

from kit.graphql import described
from services.referrals.actions.warning import warnings
from services.referrals.domain import Warned
from services.referrals.schema.attached import WithAttachments
from services.referrals.schema.entities import Info, InsurancePlan, stub


@strawberry.type(
    description="Something of a referral that hinders nothing and should be looked at."
)
class ReferralWarning:
    """ReferralWarning."""

    code: str
    message: str
    remedy: str
    plan: InsurancePlan | None = strawberry.field(description="The patient's plan it is about.")


@strawberry.type
class WithWarnings(WithAttachments):
    """What a referral warns of."""

    @described(
        "What should be looked at while it is open, before it is sent as well. REFERRING_NPI_WANTED: a group sends and names no"
        " provider, and a payer of the patient's wants one. REFERRING_NPI_UNKNOWN: insurance could not say whether it does."
        " Empty when your sight is PAST."
    )
    async def warnings(self, info: Info) -> list[ReferralWarning]:
        """R22."""
        return [_warning(one) for one in await self._load(info, "warnings", warnings)]


def _warning(one: Warned) -> ReferralWarning:
    return ReferralWarning(
        code=one.code,
        message=one.message,
        remedy=one.remedy,
        plan=stub(InsurancePlan, one.plan_id),
    )
