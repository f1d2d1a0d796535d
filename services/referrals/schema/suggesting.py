"""Receivers offered for a referral, in GraphQL (R28)."""

from datetime import date

import strawberry
from strawberry import ID

from kit.graphql import described
from kit.ids import parse_id
from services.referrals.actions.suggesting import Offers, Wish
from services.referrals.domain import PlanId, Suggestion, Suggestions
from services.referrals.policy import Seen, Sight
from services.referrals.schema.entities import Group, Info, InsurancePlan, Office, Provider, stub
from services.referrals.schema.words import (
    PlanAcceptanceState,
    SuggestedNear,
    SuggestionWidening,
)


@strawberry.type(
    description="Somebody who could receive the referral, and why it stands where it stands."
)
class ReferralSuggestion:
    """A provider or a group at an office."""

    office: Office | None
    provider: Provider | None
    group: Group | None
    name: str
    distance_km: float | None
    plan_acceptance: PlanAcceptanceState | None = strawberry.field(
        description="Of the patient's plans, the best. NOT_LISTED: a send there needs outsidePlanReason. Null: there is no plan."
    )
    accepted_plans: list[InsurancePlan | None]
    plan_verified_on: date | None
    plan_stale: bool = strawberry.field(description="Not verified for 90 days.")
    accepting_new_patients: bool
    score: float
    reasons: list[str]
    had_before: bool = strawberry.field(description="The referral has been there already.")


@strawberry.type(description="Who could receive a referral, best first.")
class ReferralSuggestions:
    """As directory ranks them."""

    on: date
    near: SuggestedNear
    widening: SuggestionWidening | None
    insurance_unknown: bool = strawberry.field(
        description="Insurance has told of no plan at any of them: nothing is claimed of the patient's."
    )
    receivers: list[ReferralSuggestion]


@strawberry.type
class WithSuggestions:
    """What a referral offers whoever chooses its next receiver."""

    view: strawberry.Private[Seen]

    @described(
        "Who could receive it: of its specialty, for the patient's plan, near the patient or else near the sending office, on the"
        " day of the visit (today). Null when your sight is PAST."
    )
    async def suggested_receivers(
        self,
        info: Info,
        on: date | None = None,
        other_plan_ids: list[ID] | None = None,
        only_accepting_new_patients: bool = False,  # noqa: FBT001, FBT002 - a GraphQL argument
        first: int = 10,
    ) -> ReferralSuggestions | None:
        """PHI: how far they are tells where the patient lives."""
        if self.view.sight is not Sight.FULL:
            return None
        others = tuple(PlanId(parse_id(one, "otherPlanIds")) for one in other_plan_ids or ())
        wish = Wish(others, on, only_accepting_new_patients, first)
        offers = info.context.loader("suggestions", Offers(info.context.call).load)
        found = await offers.load((self.view.referral, wish))
        if isinstance(found, BaseException):
            raise found
        info.context.reads.add("referral", self.view.referral.id, "suggestedReceivers")
        return _shown(found, self.view)


def _shown(found: Suggestions, view: Seen) -> ReferralSuggestions:
    return ReferralSuggestions(
        on=found.on,
        near=found.near,
        widening=found.widening,
        insurance_unknown=found.insurance_unknown,
        receivers=[_suggestion(one, view) for one in found.receivers],
    )


def _suggestion(one: Suggestion, view: Seen) -> ReferralSuggestion:
    return ReferralSuggestion(
        office=stub(Office, one.office_id),
        provider=stub(Provider, one.provider_id),
        group=stub(Group, one.group_id),
        name=one.name,
        distance_km=one.distance_km,
        plan_acceptance=one.plan,
        accepted_plans=[stub(InsurancePlan, plan) for plan in one.accepted_plans],
        plan_verified_on=one.plan_verified_on,
        plan_stale=one.plan_stale,
        accepting_new_patients=one.accepting_new_patients,
        score=one.score,
        reasons=list(one.reasons),
        had_before=one.had(view.hops),
    )
