"""Why can, or can't, I see or do this, in GraphQL."""

import strawberry
from strawberry import ID

from kit.graphql import described
from kit.ids import parse_id
from services.referrals.actions.explaining import explain
from services.referrals.domain import WORDS, ActionExplained, Explained, ReferralId
from services.referrals.schema.entities import Info, Office, stub
from services.referrals.schema.words import AccessReasonCode, ReferralAction, ReferralSight


@strawberry.type(description="Why you see a referral, or do not.")
class AccessReason:
    """The code for a machine, the text for a person."""

    code: AccessReasonCode
    message: str
    office: Office | None = strawberry.field(description="The office it is about.")


@strawberry.type(description="Whether you may do something to a referral now.")
class ActionExplanation:
    """With the refusal you would get."""

    action: ReferralAction
    allowed: bool
    code: str | None
    message: str | None
    remedy: str | None


@strawberry.type(description="Why you can or cannot see a referral, and what you can do to it.")
class AccessExplanation:
    """By the policy that decides it."""

    sight: ReferralSight | None = strawberry.field(description="Null: you do not see it.")
    reasons: list[AccessReason]
    actions: list[ActionExplanation] = strawberry.field(
        description="Every action, when you work with the referral."
    )


@strawberry.type
class ExplainingQuery:
    """What can be explained."""

    @described(
        "Why you can or cannot see a referral or do something to it. What your organization does not have is UNKNOWN, exactly"
        " like what never was."
    )
    async def explain_access(self, info: Info, referral_id: ID) -> AccessExplanation:
        """R14."""
        id_ = ReferralId(parse_id(referral_id, "referralId"))
        found = await explain(info.context.call, id_)
        return AccessExplanation(
            sight=found.sight,
            reasons=[reason(one) for one in found.reasons],
            actions=[_action(one) for one in found.actions],
        )


def reason(it: Explained) -> AccessReason:
    """A reason in words."""
    return AccessReason(
        code=it.because, message=WORDS[it.because], office=stub(Office, it.office_id)
    )


def _action(it: ActionExplained) -> ActionExplanation:
    refusal = it.refusal
    return ActionExplanation(
        action=it.action,
        allowed=refusal is None,
        code=refusal.code if refusal else None,
        message=refusal.message if refusal else None,
        remedy=refusal.remedy if refusal else None,
    )
