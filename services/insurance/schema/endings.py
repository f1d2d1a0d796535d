"""Plans that end, or are merged into others: what that would change, and how far it is."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, StalePreviewProblem, described, mutation
from kit.ids import parse_id
from services.insurance import actions, domain, policy, store
from services.insurance.schema.types import Info, InsurancePlan, load_plan


@strawberry.type(description="How many participations of an organization would end.")
class OrganizationTouched:
    """One organization's part."""

    organization_id: strawberry.ID
    participations: int


@strawberry.type(description="What ending a plan would change. Nothing is changed yet.")
class PlanEndPreview:
    """The preview."""

    ends_on: date = strawberry.field(description="The day after the last it is offered.")
    participations: int = strawberry.field(description="How many would end, of all organizations.")
    organizations: list[OrganizationTouched]
    token: str = strawberry.field(description="With it the plan is ended while this is true.")
    plan: InsurancePlan
    successor: InsurancePlan | None = strawberry.field(
        description="Its rows take over, for review: nobody has verified them."
    )


@strawberry.type(description="A plan that ends, and how many of its participations have followed.")
class PlanEnding:
    """The ending."""

    id: strawberry.ID
    ends_on: date
    total: int = strawberry.field(description="Participations that were to follow at the start.")
    done: int = strawberry.field(description="Participations that have followed.")
    finished_at: datetime | None
    plan_id: strawberry.Private[domain.PlanId]
    successor_id: strawberry.Private[domain.PlanId | None]

    @strawberry.field
    async def plan(self, info: Info) -> InsurancePlan | None:
        """The plan that ends."""
        return await load_plan(info, self.plan_id)

    @described("Null when it just ends.")
    async def successor(self, info: Info) -> InsurancePlan | None:
        """The plan it is merged into."""
        return await load_plan(info, self.successor_id) if self.successor_id else None

    @classmethod
    def of(cls, ending: domain.PlanEnding) -> "PlanEnding":
        """As GraphQL tells it."""
        return cls(
            id=strawberry.ID(str(ending.id)),
            ends_on=ending.ends_on,
            total=ending.total,
            done=ending.done,
            finished_at=ending.finished_at,
            plan_id=ending.plan_id,
            successor_id=ending.successor_id,
        )


EndInsurancePlanResult = Annotated[
    PlanEnding | StalePreviewProblem | CommonProblems, strawberry.union("EndInsurancePlanResult")
]


@strawberry.input
class EndInsurancePlanInput:
    """End a plan as its preview said."""

    plan_id: strawberry.ID
    ends_on: date = strawberry.field(description="The day after the last it is offered.")
    successor_id: strawberry.ID | None = strawberry.field(
        default=None, description="The plan it is merged into, if it is."
    )
    token: str
    expected_version: int
    idempotency_key: str


@strawberry.type
class EndingMutation:
    """Support ends plans for the whole network."""

    @mutation
    async def end_insurance_plan(
        self, info: Info, input: EndInsurancePlanInput
    ) -> EndInsurancePlanResult:
        """End a plan, or merge it into another (support only). Its participations follow; history stays as it was."""
        ending = await actions.end_plan(
            info.context.call,
            _wanted(input.plan_id, input.ends_on, input.successor_id),
            expected_version=input.expected_version,
            token=input.token,
            key=input.idempotency_key,
        )
        return PlanEnding.of(ending)


@strawberry.type
class EndingQuery:
    """For support."""

    @strawberry.field
    async def insurance_plan_end_preview(
        self,
        info: Info,
        plan_id: strawberry.ID,
        ends_on: date,
        successor_id: strawberry.ID | None = None,
    ) -> PlanEndPreview:
        """What ending a plan, or merging it into another, would change (support only)."""
        wanted = _wanted(plan_id, ends_on, successor_id)
        found = await actions.plan_end_preview(info.context.call, wanted)
        return PlanEndPreview(
            ends_on=found.ends_on,
            participations=found.participations,
            organizations=[
                OrganizationTouched(
                    organization_id=strawberry.ID(str(one.organization_id)),
                    participations=one.participations,
                )
                for one in found.touched
            ],
            token=found.token,
            plan=InsurancePlan.of(found.plan),
            successor=InsurancePlan.of(found.successor) if found.successor else None,
        )

    @strawberry.field
    async def insurance_plan_endings(self, info: Info, plan_id: strawberry.ID) -> list[PlanEnding]:
        """How a plan was ended, and how far its participations have followed (support only)."""
        policy.permit_catalogue(info.context.call.viewer)
        async with info.context.call.db.reading() as tx:
            found = await store.endings_of(tx, parse_id(plan_id, "planId"))
        return [PlanEnding.of(one) for one in found]


def _wanted(
    plan_id: strawberry.ID, ends_on: date, successor_id: strawberry.ID | None
) -> actions.PlanEnd:
    return actions.PlanEnd(
        domain.PlanId(parse_id(plan_id, "planId")),
        ends_on,
        domain.PlanId(parse_id(successor_id, "successorId")) if successor_id else None,
    )
