"""Who accepts which plan where on a day, how sure that is, and how old (R27, R28)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.insurance import domain, store
from services.insurance.actions.participations import days_of
from services.insurance.actions.peers import Call
from services.insurance.domain import (
    Certainty,
    InsurancePlan,
    OrganizationId,
    Participation,
)


@dataclass(frozen=True)
class Acceptance:
    """A row by which a provider accepts a plan at an office on the day; `until` as the plan's own end allows."""

    row: Participation
    certainty: Certainty
    age_days: int | None
    until: date | None


@dataclass(frozen=True)
class Answer:
    """The known ones of the plans that were asked about, which of them are offered on the day, and who accepts them."""

    plans: Mapping[UUID, InsurancePlan]
    offered: frozenset[UUID]
    acceptances: Sequence[Acceptance]


async def accepts(
    call: Call,
    places: Sequence[tuple[UUID, UUID]],
    plan_ids: Sequence[UUID],
    on: date,
    *,
    eyes: OrganizationId | None,
) -> Answer:
    """Which plans are accepted at which places (provider and office) on a day, which may lie ahead. How sure that is counts from
    the organization's today. A plan that its payer has ended is accepted by nobody from that day on, whatever the rows say."""
    async with call.db.reading() as tx:
        plans = await store.plans_by_id(tx, plan_ids)
        offered = frozenset(one.id for one in plans.values() if one.period.covers(on))
        rows = await store.accepting(tx, places, list(offered), on, eyes) if offered else []
        organizations = {row.organization_id for row in rows}
        today = await days_of(tx, organizations, call.clock.now())
    return Answer(
        plans,
        offered,
        [_acceptance(row, plans[row.plan_id], today[row.organization_id]) for row in rows],
    )


def _acceptance(row: Participation, plan: InsurancePlan, today: date) -> Acceptance:
    verified_on = row.last_verified_on
    return Acceptance(
        row,
        domain.certainty(verified_on, today),
        domain.age_days(verified_on, today),
        row.period.clipped(plan.effective_until).until,
    )
