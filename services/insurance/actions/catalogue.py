"""Payers and plans, which support keeps for the whole network."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kit import audit, db
from kit.db import Connection
from kit.errors import Conflict, NotFound
from kit.idempotency import once
from kit.ids import new_id
from services.insurance import domain, policy, store
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
class NewPayer:
    """What support asks for when it adds a payer."""

    name: str
    identifiers: tuple[Identifier, ...]
    needs_referring_npi: bool = False


@dataclass(frozen=True)
class NewPlan:
    """What support asks for when it adds a plan."""

    payer_id: PayerId
    name: str
    product_type: ProductType
    effective_from: date
    effective_until: date | None


async def add_payer(call: Call, wanted: NewPayer, key: str) -> Payer:
    """Add a payer for the whole network. Refuses NAME_TAKEN and IDENTIFIER_TAKEN."""
    policy.permit_catalogue(call.viewer)
    payer = Payer(
        PayerId(new_id()),
        domain.clean_name(wanted.name),
        domain.clean_identifiers(wanted.identifiers),
        version=1,
        needs_referring_npi=wanted.needs_referring_npi,
    )
    refusals = {
        "payers_name": taken("There is a payer of this name.", "NAME_TAKEN", "name"),
        "payer_identifiers_one_payer": taken(
            "Another payer has this identifier.", "IDENTIFIER_TAKEN", "identifiers"
        ),
    }
    with told_as(refusals):
        async with call.db.transaction() as tx:

            async def make() -> UUID:
                await store.add_payer(tx, payer, call.clock.now())
                await _note_added(tx, call, "payer", payer.id)
                return payer.id

            made = await once(
                tx, call.viewer, key=key, request=wanted, at=call.clock.now(), make=make
            )
            return (await store.payers_by_id(tx, [made]))[made]


async def add_plan(call: Call, wanted: NewPlan, key: str) -> InsurancePlan:
    """Add a plan of a payer for the whole network. Refuses an unknown payer, EMPTY_PERIOD and NAME_TAKEN."""
    policy.permit_catalogue(call.viewer)
    days = domain.period(wanted.effective_from, wanted.effective_until)
    plan = InsurancePlan(
        PlanId(new_id()),
        wanted.payer_id,
        domain.clean_name(wanted.name),
        wanted.product_type,
        self_pay=False,
        effective_from=days.first,
        effective_until=days.until,
        version=1,
    )
    refusal = taken("The payer has a plan of this name.", "NAME_TAKEN", "name")
    with told_as({"insurance_plans_name": refusal}):
        async with call.db.transaction() as tx:

            async def make() -> UUID:
                if wanted.payer_id not in await store.payers_by_id(tx, [wanted.payer_id]):
                    raise NotFound("There is no such payer.", field="payerId")
                await store.add_plan(tx, plan, call.clock.now())
                await _note_added(tx, call, "plan", plan.id)
                return plan.id

            made = await once(
                tx, call.viewer, key=key, request=wanted, at=call.clock.now(), make=make
            )
            return (await store.plans_by_id(tx, [made]))[made]


async def plan_names(call: Call, ids: Sequence[PlanId]) -> dict[PlanId, tuple[str, str]]:
    """What each plan is called, and its payer, which is empty where the patient pays. Unknown ones are left out."""
    async with call.db.reading() as tx:
        plans = await store.plans_by_id(tx, ids)
        payers = await store.payers_by_id(
            tx, {one.payer_id for one in plans.values() if one.payer_id}
        )
    return {
        one.id: (one.name, payers[one.payer_id].name if one.payer_id else "")
        for one in plans.values()
    }


def taken(message: str, code: str, field: str) -> Conflict:
    """The refusal of a name or an identifier that something else has."""
    return Conflict(message, code=code, field=field, remedy="Look for it: it may be the same one.")


@contextmanager
def told_as(refusals: dict[str, Conflict]) -> Iterator[None]:
    """Tell the violation of these constraints as these refusals."""
    try:
        yield
    except Exception as error:
        refusal = refusals.get(db.violated(error) or "")
        if refusal is None:
            raise
        raise refusal from error


async def _note_added(tx: Connection, call: Call, kind: str, about: UUID) -> None:
    """The catalogue is the whole network's: no organization's, so no fact tells of it."""
    await audit.record(
        tx,
        call.viewer,
        act=f"{kind}.added",
        kind=kind,
        about=about,
        organization_id=None,
        at=call.clock.now(),
    )
