"""Rules of payers, plans and participations: what is refused, and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kit.errors import Conflict, Invalid, NotFound, Refusal
from services.insurance.domain.nouns import (
    Identifier,
    InsurancePlan,
    Participation,
    Period,
    PlanId,
    before,
    period,
)

MAX_NAME = 200
MAX_PLANS = 100
"""Plans that one call may add for a provider at an office."""


def clean_name(name: str) -> str:
    """A name without outer blanks, 1 to 200 characters."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= MAX_NAME:
        raise Invalid(
            f"A name has 1 to {MAX_NAME} characters.",
            field="name",
            remedy="Give a shorter name, not an empty one.",
        )
    return cleaned


def clean_identifiers(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """Identifiers without outer blanks and without repeats; each has a system and a value of at most 200 characters."""
    cleaned = {Identifier(one.system.strip(), one.value.strip()) for one in identifiers}
    for one in cleaned:
        if not (1 <= len(one.system) <= MAX_NAME and 1 <= len(one.value) <= MAX_NAME):
            raise Invalid(
                f"An identifier has a system and a value of 1 to {MAX_NAME} characters.",
                field="identifiers",
            )
    return tuple(sorted(cleaned, key=lambda one: (one.system, one.value)))


def clean_plan_ids(plan_ids: Sequence[PlanId]) -> tuple[PlanId, ...]:
    """The plans of one call: at least one, at most 100, none twice."""
    if not 1 <= len(plan_ids) <= MAX_PLANS:
        raise Invalid(
            f"Give 1 to {MAX_PLANS} plans.",
            field="planIds",
            remedy="Split a longer list over several calls.",
        )
    if len(set(plan_ids)) != len(plan_ids):
        raise Invalid(
            "A plan is in the list twice.",
            code="DUPLICATE",
            field="planIds",
            remedy="Name each plan once.",
        )
    return tuple(plan_ids)


@dataclass(frozen=True, slots=True)
class PlanRefusal:
    """Why one plan of a call cannot be added."""

    plan_id: PlanId
    refusal: Refusal


def refused_plans(
    wanted: Iterable[PlanId],
    days: Period,
    plans: Mapping[PlanId, InsurancePlan],
    existing: Sequence[Participation],
) -> tuple[PlanRefusal, ...]:
    """The plans that cannot be added for these days, in the order they were asked for (R27).

    `existing` are the rows of the same provider and office. Unknown plan, plan not offered on the first day, overlap.
    """
    found = ((plan_id, _refused(plan_id, days, plans.get(plan_id), existing)) for plan_id in wanted)
    return tuple(PlanRefusal(plan_id, refusal) for plan_id, refusal in found if refusal is not None)


def _refused(
    plan_id: PlanId, days: Period, plan: InsurancePlan | None, existing: Sequence[Participation]
) -> Refusal | None:
    if plan is None:
        return NotFound(
            "There is no such plan.",
            code="UNKNOWN_PLAN",
            field="planId",
            remedy="Choose one of insurancePlans.",
        )
    if not plan.period.covers(days.first):
        return Conflict(
            f"The plan is not offered on {days.first.isoformat()}.",
            code="PLAN_NOT_OFFERED",
            field="effectiveFrom",
            remedy="Choose a first day within the plan's own dates.",
        )
    rows = (row for row in existing if row.plan_id == plan_id and row.period.overlaps(days))
    return next((overlap(row) for row in rows), None)


def overlap(existing: Participation) -> Conflict:
    """The refusal of days that an existing row of the same provider, office and plan already covers (R27)."""
    until = f" until {existing.effective_until.isoformat()}" if existing.effective_until else ""
    return Conflict(
        f"The plan is already accepted there from {existing.effective_from.isoformat()}{until}.",
        code="OVERLAP",
        field="effectiveFrom",
        remedy="End the existing participation first, or choose other days.",
        participation_id=existing.id,
        effective_from=existing.effective_from,
        effective_until=existing.effective_until,
    )


def plans_refused(wanted: int, refused: Sequence[PlanRefusal]) -> Conflict:
    """The refusal of a whole call, some of whose plans cannot be added (R27)."""
    return Conflict(
        f"{len(refused)} of {wanted} plans cannot be added, so none was.",
        code="PLANS_REFUSED",
        field="planIds",
        remedy="Leave those plans out, or remove what stands in their way.",
        refused=tuple(refused),
    )


def not_at_office() -> Conflict:
    """The refusal of a provider who is not placed at the office (R27)."""
    return Conflict(
        "The provider does not work at this office on the first day.",
        code="PROVIDER_NOT_AT_OFFICE",
        field="providerId",
        remedy="Place the provider at the office first, or choose a first day on which the placement holds.",
    )


def refuse_beyond_placement(days: Period, placement_until: date) -> None:
    """Conflict PLACEMENT_ENDS when the days go on after the provider has left the office (R27)."""
    if days.clipped(placement_until) != days:
        raise Conflict(
            f"The provider works at this office until {placement_until.isoformat()}.",
            code="PLACEMENT_ENDS",
            field="effectiveUntil",
            remedy="Give an effectiveUntil no later than that day.",
            effective_until=placement_until,
        )


def end(row: Participation, until: date) -> Period:
    """The row's days once it ends before `until`. Refuses an end before the beginning, and one that would be later (R27)."""
    days = period(row.effective_from, until)
    if not before(until, row.effective_until):
        raise Conflict(
            f"The participation already ends before {row.effective_until}.",
            code="ALREADY_ENDS",
            field="effectiveUntil",
            remedy="Add a new participation for later days: history is not changed.",
        )
    return days
