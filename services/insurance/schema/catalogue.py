"""Payers and plans, as support keeps them for the whole network."""

from datetime import date
from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, mutation
from kit.ids import parse_id
from services.insurance import actions, domain
from services.insurance.schema.types import (
    Info,
    InsurancePlan,
    Payer,
    ProductType,
)

AddPayerResult = Annotated[Payer | CommonProblems, strawberry.union("AddPayerResult")]
ChangePayerResult = Annotated[Payer | CommonProblems, strawberry.union("ChangePayerResult")]
AddInsurancePlanResult = Annotated[
    InsurancePlan | CommonProblems, strawberry.union("AddInsurancePlanResult")
]
ChangeInsurancePlanResult = Annotated[
    InsurancePlan | CommonProblems, strawberry.union("ChangeInsurancePlanResult")
]


@strawberry.input
class PayerIdentifierInput:
    """A payer's id in somebody else's system."""

    system: str
    value: str


@strawberry.input
class AddPayerInput:
    """A payer for the whole network."""

    name: str
    identifiers: list[PayerIdentifierInput] = strawberry.field(default_factory=list)
    needs_referring_npi: bool = strawberry.field(
        default=False, description="It wants to know which provider referred (R22)."
    )
    idempotency_key: str


@strawberry.input
class ChangePayerInput:
    """What is to be different; what is left out stays as it is."""

    payer_id: strawberry.ID
    name: str | None = None
    identifiers: list[PayerIdentifierInput] | None = strawberry.field(
        default=None, description="All of them, in place of those it has."
    )
    needs_referring_npi: bool | None = strawberry.field(
        default=None, description="Whether it wants to know which provider referred (R22)."
    )
    expected_version: int


@strawberry.input
class AddInsurancePlanInput:
    """A plan of a payer for the whole network."""

    payer_id: strawberry.ID
    name: str
    product_type: ProductType  # type: ignore[valid-type]
    effective_from: date
    effective_until: date | None = None
    idempotency_key: str


@strawberry.input
class ChangeInsurancePlanInput:
    """What is to be different; what is left out stays as it is."""

    plan_id: strawberry.ID
    name: str | None = None
    product_type: ProductType | None = None  # type: ignore[valid-type]
    expected_version: int


@strawberry.type
class CatalogueMutation:
    """Support keeps payers and plans."""

    @mutation
    async def add_payer(self, info: Info, input: AddPayerInput) -> AddPayerResult:
        """Add a payer (support only)."""
        wanted = actions.NewPayer(
            input.name, _identifiers(input.identifiers), input.needs_referring_npi
        )
        return Payer.of(await actions.add_payer(info.context.call, wanted, input.idempotency_key))

    @mutation
    async def change_payer(self, info: Info, input: ChangePayerInput) -> ChangePayerResult:
        """Give a payer another name or other identifiers, or say what it wants to know (support only). It is found by its former
        names as well."""
        identifiers = None if input.identifiers is None else _identifiers(input.identifiers)
        payer = await actions.change_payer(
            info.context.call,
            domain.PayerId(parse_id(input.payer_id, "payerId")),
            actions.PayerChange(input.name, identifiers, input.needs_referring_npi),
            input.expected_version,
        )
        return Payer.of(payer)

    @mutation
    async def add_insurance_plan(
        self, info: Info, input: AddInsurancePlanInput
    ) -> AddInsurancePlanResult:
        """Add a plan of a payer (support only)."""
        wanted = actions.NewPlan(
            domain.PayerId(parse_id(input.payer_id, "payerId")),
            input.name,
            input.product_type,
            input.effective_from,
            input.effective_until,
        )
        plan = await actions.add_plan(info.context.call, wanted, input.idempotency_key)
        return InsurancePlan.of(plan)

    @mutation
    async def change_insurance_plan(
        self, info: Info, input: ChangeInsurancePlanInput
    ) -> ChangeInsurancePlanResult:
        """Give a plan another name or product type (support only). It is found by its former names as well."""
        plan = await actions.change_plan(
            info.context.call,
            domain.PlanId(parse_id(input.plan_id, "planId")),
            actions.PlanChange(input.name, input.product_type),
            input.expected_version,
        )
        return InsurancePlan.of(plan)


def _identifiers(given: list[PayerIdentifierInput]) -> tuple[domain.Identifier, ...]:
    return tuple(domain.Identifier(one.system, one.value) for one in given)
