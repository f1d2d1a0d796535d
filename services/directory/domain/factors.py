"""What a receiver is ranked by: scores from 0 to 1, how much each counts, and a sentence that says why (R28)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.directory.domain.geography import same_city, same_region
from services.directory.domain.listings import Answers, Listing, Practice, Wanted
from services.directory.domain.nouns import Place

HALF_SCORE_KM = 25.0
CITY_SCORE, REGION_SCORE = 0.5, 0.2
"""For an office of which only the city or the state is known."""

SLOW_HOURS = 168.0
"""Seven days: the target for acknowledging a referral. Slower scores nothing."""

FEW_ANSWERS = 3
STALE_DAYS = 180.0
VERIFIED_DAYS = 90
"""A participation that was not verified for longer is stale."""


class PlanCertainty(StrEnum):
    """What is known of the plan at the office. UNKNOWN: nobody listed any plan there; NOT_LISTED: others are, this is not."""

    ACCEPTED = "ACCEPTED"
    UNKNOWN = "UNKNOWN"
    NOT_LISTED = "NOT_LISTED"


class FactorName(StrEnum):
    """What a receiver is ranked by."""

    NAME = "NAME"
    PLAN = "PLAN"
    DISTANCE = "DISTANCE"
    NEW_PATIENTS = "NEW_PATIENTS"
    RESPONSIVENESS = "RESPONSIVENESS"
    FRESHNESS = "FRESHNESS"


WEIGHTS: Mapping[FactorName, float] = {
    FactorName.NAME: 3.00,
    FactorName.PLAN: 0.70,
    FactorName.DISTANCE: 0.12,
    FactorName.NEW_PATIENTS: 0.08,
    FactorName.RESPONSIVENESS: 0.05,
    FactorName.FRESHNESS: 0.05,
}
"""A factor that was not asked for does not count. Of a name, a third of its weight is as much as all others together. Without one,
less than half of the plan's weight is more than the others, so no receiver comes before one whose plan is surer."""

_PLAN_SCORES = {
    PlanCertainty.ACCEPTED: 1.0,
    PlanCertainty.UNKNOWN: 0.5,
    PlanCertainty.NOT_LISTED: 0.0,
}
_STALE_SCORE = 0.95


@dataclass(frozen=True, slots=True)
class Factor:
    """One reason for a place in the order: a score from 0 to 1 and a sentence for a person."""

    name: FactorName
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class PlanState:
    """What is known of the wanted plans at an office. A stale one was not verified for 90 days, or never."""

    certainty: PlanCertainty
    verified_on: date | None
    stale: bool


def plan_state(members: Sequence[Practice], today: date) -> PlanState:
    """A group is as sure as its surest member; of those who accept, the longest unverified one tells when."""
    sure = [row for row in members if row.accepted]
    if not sure:
        silent = any(row.plans_listed == 0 for row in members)
        certainty = PlanCertainty.UNKNOWN if silent else PlanCertainty.NOT_LISTED
        return PlanState(certainty, None, stale=False)
    days = [row.verified_on for row in sure]
    verified = min((day for day in days if day is not None), default=None)
    stale = None in days or verified is None or (today - verified).days > VERIFIED_DAYS
    return PlanState(PlanCertainty.ACCEPTED, verified, stale)


def weigh(
    listing: Listing, wanted: Wanted, plan: PlanState | None, km: float | None, known_on: date
) -> tuple[Factor, ...]:
    """Every factor that counts for what is wanted."""
    found = [] if listing.likeness is None else [_name(listing.likeness)]
    if plan is not None:
        found.append(_plan(listing.practices, plan))
    if wanted.place.is_known:
        found.append(_distance(km, wanted.place, listing.at))
    found.append(_new_patients(accepting=is_accepting(listing.practices)))
    found.append(_responsiveness(listing.answers))
    found.append(_freshness((wanted.today - known_on).days))
    return tuple(found)


def total(factors: Sequence[Factor]) -> float:
    """The score: the mean of the factors' scores by their weights."""
    weights = sum(WEIGHTS[one.name] for one in factors)
    return round(sum(WEIGHTS[one.name] * one.score for one in factors) / weights, 6)


def is_accepting(members: Sequence[Practice]) -> bool:
    """Whether any of them accepts new patients."""
    return any(row.accepting_new_patients for row in members)


def _name(likeness: float) -> Factor:
    said = "It has the name." if likeness == 1 else f"The name is {100 * likeness:.0f} % alike."
    return Factor(FactorName.NAME, round(likeness, 6), said)


def _plan(members: Sequence[Practice], state: PlanState) -> Factor:
    if state.certainty is PlanCertainty.UNKNOWN:
        reason = "No plans are listed at this office: ask before sending."
    elif state.certainty is PlanCertainty.NOT_LISTED:
        reason = "Other plans are listed at this office, the patient's is not."
    else:
        sure = sum(bool(row.accepted) for row in members)
        who = "It is" if len(members) == 1 else f"For {sure} of {len(members)} members it is"
        reason = f"{who} listed that the plan is accepted at this office, {_verified(state)}."
    score = _STALE_SCORE if state.stale else _PLAN_SCORES[state.certainty]
    return Factor(FactorName.PLAN, score, reason)


def _verified(state: PlanState) -> str:
    if state.verified_on is None:
        return "never verified: ask before sending"
    stamp = f"last verified on {state.verified_on.isoformat()}"
    return f"{stamp}, more than {VERIFIED_DAYS} days ago" if state.stale else stamp


def _distance(km: float | None, wanted: Place, at: Place) -> Factor:
    name = FactorName.DISTANCE
    if km is not None:
        return Factor(name, round(1 / (1 + km / HALF_SCORE_KM), 6), f"{km:.1f} km away.")
    if same_city(wanted, at):
        return Factor(name, CITY_SCORE, "In the same city; how far is not known.")
    if same_region(wanted, at):
        return Factor(name, REGION_SCORE, f"Somewhere in {at.region}; how far is not known.")
    return Factor(name, 0.0, "How far it is, is not known.")


def _new_patients(*, accepting: bool) -> Factor:
    if accepting:
        return Factor(FactorName.NEW_PATIENTS, 1.0, "Accepts new patients.")
    return Factor(FactorName.NEW_PATIENTS, 0.0, "Does not accept new patients at this office.")


def _responsiveness(answers: Answers | None) -> Factor:
    name = FactorName.RESPONSIVENESS
    if answers is None or answers.count < FEW_ANSWERS:
        return Factor(name, 0.5, "Too few answered referrals to tell how soon it answers.")
    score = round(max(0.0, 1 - answers.median_hours / SLOW_HOURS), 6)
    hours = f"{answers.median_hours:.0f} hours"
    return Factor(name, score, f"Usually answers within {hours} ({answers.count} referrals).")


def _freshness(age_days: int) -> Factor:
    age = max(0, age_days)
    score = round(max(0.0, 1 - age / STALE_DAYS), 6)
    said = "today" if age == 0 else f"{age} day{'s' if age != 1 else ''} ago"
    return Factor(FactorName.FRESHNESS, score, f"Data last confirmed {said}.")
