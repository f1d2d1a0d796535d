"""Rules of plans that change: renamed, ended by their payer, merged into another."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NewType
from uuid import UUID

from kit.errors import Conflict, Invalid
from services.insurance.domain.nouns import (
    InsurancePlan,
    OrganizationId,
    Participation,
    Payer,
    Period,
    PlanId,
    UserId,
    before,
)

EndingId = NewType("EndingId", UUID)


@dataclass(frozen=True, slots=True)
class Touched:
    """How many rows of an organization a plan's end would end; and when the newest of them was added."""

    organization_id: OrganizationId
    participations: int
    newest: datetime


@dataclass(frozen=True, slots=True)
class PlanEnding:
    """A plan that ends on a day, perhaps followed by another; so many of its rows were ended so far."""

    id: EndingId
    plan_id: PlanId
    ends_on: date
    successor_id: PlanId | None
    started_at: datetime
    started_by: UserId
    total: int
    done: int = 0
    finished_at: datetime | None = None


def renamed_payer(payer: Payer, name: str) -> Payer:
    """The payer under another name; it keeps the one it had."""
    return replace(payer, name=name, former_names=_former(payer.former_names, payer.name, name))


def renamed_plan(plan: InsurancePlan, name: str) -> InsurancePlan:
    """The plan under another name; it keeps the one it had."""
    return replace(plan, name=name, former_names=_former(plan.former_names, plan.name, name))


def _former(known: tuple[str, ...], was: str, now: str) -> tuple[str, ...]:
    kept = tuple(name for name in known if name not in (was, now))
    return kept if was == now else (*kept, was)


def refuse_self_pay(plan: InsurancePlan) -> None:
    """Conflict SELF_PAY_STAYS: self-pay is no payer's product."""
    if plan.self_pay:
        raise Conflict(
            "Self-pay is nobody's plan: it is neither changed nor ended.",
            code="SELF_PAY_STAYS",
            field="planId",
        )


def refuse_end(plan: InsurancePlan, ends_on: date) -> None:
    """Refuse an end before the plan began (EMPTY_PERIOD), one that would be later (ALREADY_ENDS), and an end of self-pay."""
    refuse_self_pay(plan)
    if ends_on <= plan.effective_from:
        raise Invalid(
            f"The plan is offered from {plan.effective_from.isoformat()} on.",
            code="EMPTY_PERIOD",
            field="endsOn",
            remedy="endsOn is the day after the last one.",
        )
    if not before(ends_on, plan.effective_until):
        raise Conflict(
            f"The plan already ends before {plan.effective_until}.",
            code="ALREADY_ENDS",
            field="endsOn",
            remedy="Choose an earlier day; history is not changed.",
        )


def refuse_successor(plan: InsurancePlan, successor: InsurancePlan | None, ends_on: date) -> None:
    """Refuse a successor that is unknown, the plan itself, self-pay, or not offered on the day the plan ends."""
    if successor is None or successor.id == plan.id or successor.self_pay:
        raise Invalid(
            "The successor is another plan of a payer.",
            code="UNKNOWN_PLAN",
            field="successorId",
            remedy="Choose one of insurancePlans.",
        )
    if not successor.period.covers(ends_on):
        raise Conflict(
            f"The successor is not offered on {ends_on.isoformat()}.",
            code="PLAN_NOT_OFFERED",
            field="successorId",
            remedy="Choose a plan that is, or another day.",
        )


def followed(row: Participation, ends_on: date, successor: InsurancePlan) -> Period:
    """The days on which the successor's row takes over from a row of the plan that ends; perhaps none."""
    return row.period.since(ends_on).clipped(successor.effective_until)
