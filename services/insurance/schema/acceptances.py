"""Whether plans are accepted at places on a day: for lists, for patients with two plans, for visits that lie ahead (R28)."""

from datetime import date
from enum import StrEnum

import strawberry

from kit.errors import Invalid
from kit.graphql import described
from kit.ids import parse_id
from services.insurance import actions, domain, policy
from services.insurance.actions.accepting import Answer
from services.insurance.schema.types import (
    Certainty,
    Info,
    InsurancePlan,
    Office,
    Participation,
    Provider,
    load_plan,
)

MAX_PLACES = 100
MAX_PLANS = 10


@strawberry.enum
class AcceptanceState(StrEnum):
    """Whether a plan is accepted at a place on the day: it is; it is not listed there; its payer does not offer it on that day; or
    there is no plan of that id, and nothing can be said."""

    ACCEPTED = "ACCEPTED"
    NOT_LISTED = "NOT_LISTED"
    NOT_OFFERED = "NOT_OFFERED"
    UNKNOWN_PLAN = "UNKNOWN_PLAN"


@strawberry.input
class ProviderAtOfficeInput:
    """A provider at an office."""

    provider_id: strawberry.ID
    office_id: strawberry.ID


@strawberry.type(
    description="Whether a provider accepts a plan at an office on the day, how sure that is, and how old."
)
class PlanAnswer:
    """One answer."""

    plan_id: strawberry.ID
    state: AcceptanceState
    certainty: Certainty | None = strawberry.field(description="Null unless it is accepted.")  # type: ignore[valid-type]
    verified_on: date | None
    verified_days_ago: int | None
    participation: Participation | None
    place: strawberry.Private[tuple[domain.ProviderId, domain.OfficeId]]
    successor_id: strawberry.Private[domain.PlanId | None]

    @strawberry.field
    def provider(self) -> Provider | None:
        """Who."""
        return Provider(id=strawberry.ID(str(self.place[0])))

    @strawberry.field
    def office(self) -> Office | None:
        """Where."""
        return Office(id=strawberry.ID(str(self.place[1])))

    @described("When the plan is not offered on the day any more: the one it was merged into.")
    async def successor(self, info: Info) -> InsurancePlan | None:
        """The plan to ask about instead."""
        return await load_plan(info, self.successor_id) if self.successor_id else None


@strawberry.type
class AcceptanceQuery:
    """For any signed-in user of the network."""

    @described(
        "For each of 1 to 100 places and 1 to 10 plans one answer, in that order. Participations of other organizations as far as"
        " the directory shows them."
    )
    async def plan_acceptances(
        self,
        info: Info,
        places: list[ProviderAtOfficeInput],
        plan_ids: list[strawberry.ID],
        on: date,
    ) -> list[PlanAnswer]:
        """Which plans are accepted at which places on a day."""
        _require(places, MAX_PLACES, "places")
        _require(plan_ids, MAX_PLANS, "planIds")
        asked = [
            (
                domain.ProviderId(parse_id(one.provider_id, "places")),
                domain.OfficeId(parse_id(one.office_id, "places")),
            )
            for one in places
        ]
        plans = [domain.PlanId(parse_id(one, "planIds")) for one in plan_ids]
        call = info.context.call
        policy.permit_reading(call.viewer)
        answer = await actions.accepts(call, asked, plans, on, eyes=policy.eyes(call.viewer))
        listed = {
            (one.row.provider_id, one.row.office_id, one.row.plan_id): one
            for one in answer.acceptances
        }
        return [
            _acceptance(answer, place, plan, listed.get((*place, plan)))
            for place in asked
            for plan in plans
        ]


def _acceptance(
    answer: Answer,
    place: tuple[domain.ProviderId, domain.OfficeId],
    plan_id: domain.PlanId,
    found: actions.Acceptance | None,
) -> PlanAnswer:
    state = _state(answer, plan_id, found)
    ended = state is AcceptanceState.NOT_OFFERED
    return PlanAnswer(
        plan_id=strawberry.ID(str(plan_id)),
        state=state,
        certainty=found.certainty if found else None,
        verified_on=found.row.last_verified_on if found else None,
        verified_days_ago=found.age_days if found else None,
        participation=_participation(answer, found) if found else None,
        place=place,
        successor_id=answer.plans[plan_id].successor_id if ended else None,
    )


def _participation(answer: Answer, found: actions.Acceptance) -> Participation:
    return Participation.of(found.row, InsurancePlan.of(answer.plans[found.row.plan_id]))


def _state(
    answer: Answer, plan_id: domain.PlanId, found: actions.Acceptance | None
) -> AcceptanceState:
    if plan_id not in answer.plans:
        return AcceptanceState.UNKNOWN_PLAN
    if plan_id not in answer.offered:
        return AcceptanceState.NOT_OFFERED
    return AcceptanceState.ACCEPTED if found else AcceptanceState.NOT_LISTED


def _require(
    things: list[strawberry.ID] | list[ProviderAtOfficeInput], most: int, field: str
) -> None:
    if not 1 <= len(things) <= most:
        raise Invalid(f"Ask for 1 to {most}.", field=field, remedy="Ask several times.")
