"""Adding and ending participations."""

from datetime import date
from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, Problem, mutation, problem_type
from kit.ids import parse_id
from services.insurance import actions, domain
from services.insurance.schema.types import (
    Info,
    Participation,
    ParticipationSource,
    shown,
)


@problem_type("OVERLAP")
@strawberry.type(description="The days overlap those of an existing participation.")
class OverlapProblem(Problem):
    """OVERLAP, with the row that stands in the way."""

    participation_id: strawberry.ID
    effective_from: date
    effective_until: date | None = None


@strawberry.type(description="Why one plan of a call cannot be added.")
class PlanProblem:
    """One item's refusal."""

    plan_id: strawberry.ID
    code: str
    message: str
    remedy: str | None
    participation_id: strawberry.ID | None = strawberry.field(
        description="The participation in the way, when there is one."
    )


@problem_type("PLANS_REFUSED")
@strawberry.type(description="Some plans cannot be added, so none was.")
class PlansRefusedProblem(Problem):
    """PLANS_REFUSED, plan by plan."""

    refused: strawberry.Private[tuple[domain.PlanRefusal, ...]] = ()

    @strawberry.field
    def plans(self) -> list[PlanProblem]:
        """What is wrong with which plan."""
        return [_plan_problem(one) for one in self.refused]


def _plan_problem(one: domain.PlanRefusal) -> PlanProblem:
    standing = one.refusal.details.get("participation_id")
    return PlanProblem(
        plan_id=strawberry.ID(str(one.plan_id)),
        code=one.refusal.code,
        message=one.refusal.message,
        remedy=one.refusal.remedy,
        participation_id=strawberry.ID(str(standing)) if standing else None,
    )


@strawberry.type
class ParticipationsAdded:
    """All that a call added, in the order it named the plans."""

    participations: list[Participation]


AddParticipationResult = Annotated[
    Participation | OverlapProblem | CommonProblems, strawberry.union("AddParticipationResult")
]
AddParticipationsResult = Annotated[
    ParticipationsAdded | PlansRefusedProblem | CommonProblems,
    strawberry.union("AddParticipationsResult"),
]
EndParticipationResult = Annotated[
    Participation | CommonProblems, strawberry.union("EndParticipationResult")
]


@strawberry.input
class AddParticipationInput:
    """One provider at one office accepts one plan."""

    provider_id: strawberry.ID
    office_id: strawberry.ID
    plan_id: strawberry.ID
    effective_from: date
    effective_until: date | None = strawberry.field(
        default=None, description="The day after the last; leave it out when there is no end."
    )
    source: ParticipationSource = domain.Source.ORGANIZATION  # type: ignore[valid-type]
    idempotency_key: str


@strawberry.input
class AddParticipationsInput:
    """One provider at one office accepts several plans on the same days."""

    provider_id: strawberry.ID
    office_id: strawberry.ID
    plan_ids: list[strawberry.ID] = strawberry.field(description="1 to 100 plans, each once.")
    effective_from: date
    effective_until: date | None = strawberry.field(
        default=None, description="The day after the last; leave it out when there is no end."
    )
    source: ParticipationSource = domain.Source.ORGANIZATION  # type: ignore[valid-type]
    idempotency_key: str


@strawberry.input
class EndParticipationInput:
    """Let a participation end."""

    participation_id: strawberry.ID
    effective_until: date = strawberry.field(description="The day after the last.")
    expected_version: int


@strawberry.type
class ParticipationMutation:
    """Insurance managers, client admins and office admins keep participations (R26)."""

    @mutation
    async def add_participation(
        self, info: Info, input: AddParticipationInput
    ) -> AddParticipationResult:
        """The provider accepts the plan at the office."""
        wanted = _wanted(input, [input.plan_id], "planId")
        row = await actions.add_participation(info.context.call, wanted, input.idempotency_key)
        return (await shown(info, [row]))[0]

    @mutation
    async def add_participations(
        self, info: Info, input: AddParticipationsInput
    ) -> AddParticipationsResult:
        """The provider accepts several plans at the office: all of them are added, or none."""
        wanted = _wanted(input, input.plan_ids, "planIds")
        rows = await actions.add_participations(info.context.call, wanted, input.idempotency_key)
        return ParticipationsAdded(participations=await shown(info, rows))

    @mutation
    async def end_participation(
        self, info: Info, input: EndParticipationInput
    ) -> EndParticipationResult:
        """The plan is not accepted any more from a day on. A change of a participation is an end and a new one."""
        row = await actions.end_participation(
            info.context.call,
            domain.ParticipationId(parse_id(input.participation_id, "participationId")),
            input.effective_until,
            input.expected_version,
        )
        return (await shown(info, [row]))[0]


def _wanted(
    input: AddParticipationInput | AddParticipationsInput, plans: list[strawberry.ID], field: str
) -> actions.NewParticipations:
    return actions.NewParticipations(
        domain.ProviderId(parse_id(input.provider_id, "providerId")),
        domain.OfficeId(parse_id(input.office_id, "officeId")),
        tuple(domain.PlanId(parse_id(plan, field)) for plan in plans),
        input.effective_from,
        input.effective_until,
        input.source,
    )
