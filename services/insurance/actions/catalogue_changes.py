"""Payers and plans that change their names or what they are. Support does it for the whole network."""

from dataclasses import dataclass, replace
from uuid import UUID

from kit import audit
from kit.db import Connection
from kit.errors import NotFound, stale_version
from services.insurance import domain, policy, store
from services.insurance.actions.catalogue import taken, told_as
from services.insurance.actions.peers import Call
from services.insurance.domain import (
    Identifier,
    InsurancePlan,
    Payer,
    PayerId,
    PlanId,
    ProductType,
)


@dataclass(frozen=True)
class PayerChange:
    """What is to be different; None leaves it as it is."""

    name: str | None
    identifiers: tuple[Identifier, ...] | None
    needs_referring_npi: bool | None = None


@dataclass(frozen=True)
class PlanChange:
    """What is to be different; None leaves it as it is."""

    name: str | None
    product_type: ProductType | None


async def change_payer(
    call: Call, payer_id: PayerId, change: PayerChange, expected_version: int
) -> Payer:
    """Give a payer another name, which it is found by as well as by its former ones, or other identifiers; or say whether it wants
    to know which provider referred (R22)."""
    policy.permit_catalogue(call.viewer)
    refusals = {
        "payers_name": taken("There is a payer of this name.", "NAME_TAKEN", "name"),
        "payer_identifiers_one_payer": taken(
            "Another payer has this identifier.", "IDENTIFIER_TAKEN", "identifiers"
        ),
    }
    with told_as(refusals):
        async with call.db.transaction() as tx:
            await store.hold_payer(tx, payer_id)
            payer = (await store.payers_by_id(tx, [payer_id])).get(payer_id)
            if payer is None:
                raise NotFound("There is no such payer.", field="payerId")
            if payer.version != expected_version:
                raise stale_version("payer", payer.version)
            if change.name is not None:
                payer = domain.renamed_payer(payer, domain.clean_name(change.name))
            if change.identifiers is not None:
                payer = replace(payer, identifiers=domain.clean_identifiers(change.identifiers))
            if change.needs_referring_npi is not None:
                payer = replace(payer, needs_referring_npi=change.needs_referring_npi)
            await store.change_payer(tx, payer)
            await _note(tx, call, "payer", payer_id, change)
    return replace(payer, version=payer.version + 1)


async def change_plan(
    call: Call, plan_id: PlanId, change: PlanChange, expected_version: int
) -> InsurancePlan:
    """Give a plan another name, which it is found by as well as by its former ones, or another product type."""
    policy.permit_catalogue(call.viewer)
    with told_as(
        {"insurance_plans_name": taken("The payer has a plan of this name.", "NAME_TAKEN", "name")}
    ):
        async with call.db.transaction() as tx:
            plan = await plan_to_change(tx, plan_id, expected_version)
            domain.refuse_self_pay(plan)
            if change.name is not None:
                plan = domain.renamed_plan(plan, domain.clean_name(change.name))
            plan = replace(plan, product_type=change.product_type or plan.product_type)
            await store.change_plan(tx, plan)
            await _note(tx, call, "plan", plan_id, change)
    return replace(plan, version=plan.version + 1)


async def plan_to_change(tx: Connection, plan_id: PlanId, expected_version: int) -> InsurancePlan:
    """The plan, locked, if it is still as the viewer saw it."""
    plan = await store.plan_to_change(tx, plan_id)
    if plan is None:
        raise NotFound("There is no such plan.", code="UNKNOWN_PLAN", field="planId")
    if plan.version != expected_version:
        raise stale_version("plan", plan.version)
    return plan


async def _note(
    tx: Connection, call: Call, kind: str, about: UUID, change: PayerChange | PlanChange
) -> None:
    changed = [name for name, value in vars(change).items() if value is not None]
    await audit.record(
        tx,
        call.viewer,
        act=f"{kind}.changed",
        kind=kind,
        about=about,
        organization_id=None,
        at=call.clock.now(),
        fields=changed,
    )
