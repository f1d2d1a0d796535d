"""Which receivers suit a referral, in which order and why (R28). The same input on the same data gives the same order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt

from services.directory.domain.nouns import (
    GroupId,
    OfficeId,
    OrganizationId,
    PlanId,
    Point,
    ProviderId,
)

NEARBY_KM = 50.0
EARTH_KM = 6371.0
HALF_SCORE_KM = 25.0
SLOW_HOURS = 168.0
"""Seven days: the target for acknowledging a referral. Slower scores nothing."""

FEW_ANSWERS = 3
STALE_DAYS = 180.0


class PlanCertainty(StrEnum):
    """What is known of the plan at the office. UNKNOWN: nobody listed any plan there; NOT_LISTED: others are, this is not."""

    ACCEPTED = "ACCEPTED"
    UNKNOWN = "UNKNOWN"
    NOT_LISTED = "NOT_LISTED"


class FactorName(StrEnum):
    """What a receiver is ranked by."""

    PLAN = "PLAN"
    DISTANCE = "DISTANCE"
    NEW_PATIENTS = "NEW_PATIENTS"
    RESPONSIVENESS = "RESPONSIVENESS"
    FRESHNESS = "FRESHNESS"


class Widening(StrEnum):
    """How the search was widened because nothing matched."""

    FARTHER = "FARTHER"
    RELATED_SPECIALTY = "RELATED_SPECIALTY"
    NOTHING_FOUND = "NOTHING_FOUND"


WEIGHTS: Mapping[FactorName, float] = {
    FactorName.PLAN: 0.70,
    FactorName.DISTANCE: 0.12,
    FactorName.NEW_PATIENTS: 0.08,
    FactorName.RESPONSIVENESS: 0.05,
    FactorName.FRESHNESS: 0.05,
}
"""Half of the plan's weight is more than all others together, so no receiver comes before one whose plan is surer."""

_PLAN_SCORES = {
    PlanCertainty.ACCEPTED: 1.0,
    PlanCertainty.UNKNOWN: 0.5,
    PlanCertainty.NOT_LISTED: 0.0,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the sender is looking for. `today` is the day the question is asked, `on` the intended day of the visit."""

    specialty_code: str
    plan_id: PlanId | None
    near: Point | None
    on: date
    today: date
    include_groups: bool


@dataclass(frozen=True, slots=True)
class Practice:
    """An approved provider of the specialty who works at a live office on the day, with what is known of the plan there.

    `accepts` and `verified_on` are about the plan that is wanted; `plans_listed` counts the plans listed there at all.
    """

    provider_id: ProviderId
    office_id: OfficeId
    organization_id: OrganizationId
    name: str
    latitude: float
    longitude: float
    staffed: bool
    accepting_new_patients: bool
    plans_listed: int
    accepts: bool
    verified_on: date | None
    changed_on: date


@dataclass(frozen=True, slots=True)
class GroupAtOffice:
    """A ready group that receives, at one of its live offices."""

    group_id: GroupId
    office_id: OfficeId
    organization_id: OrganizationId
    name: str
    provider_ids: tuple[ProviderId, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """How soon a receiver acknowledged referrals at an office, over the last 90 days."""

    count: int
    median_hours: float


AnswersBy = Mapping[tuple[ProviderId | GroupId, OfficeId], Answers]


@dataclass(frozen=True, slots=True)
class Factor:
    """One reason for a place in the order: a score from 0 to 1 and a sentence for a person."""

    name: FactorName
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """A provider or a group at an office, and why it stands where it stands. `known_on`: when its data was last confirmed."""

    provider_id: ProviderId | None
    group_id: GroupId | None
    office_id: OfficeId
    organization_id: OrganizationId
    name: str
    distance_km: float | None
    plan: PlanCertainty | None
    plan_verified_on: date | None
    accepting_new_patients: bool
    known_on: date
    factors: tuple[Factor, ...]
    score: float


def distance_km(one: Point, other: Point) -> float:
    """The great-circle distance."""
    lat1, lat2 = radians(one.latitude), radians(other.latitude)
    lon = radians(other.longitude - one.longitude)
    chord = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(lon / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(chord)))


def ranked(
    practices: Sequence[Practice],
    groups: Iterable[GroupAtOffice],
    answers: AnswersBy,
    wanted: Wanted,
) -> list[Receiver]:
    """Every receiver, best first: providers at offices with staff, and groups of which a member practises there (R28)."""
    found = [
        _receiver((row,), row, None, answers.get((row.provider_id, row.office_id)), wanted)
        for row in practices
        if row.staffed
    ]
    if wanted.include_groups:
        found += _groups(practices, groups, answers, wanted)
    return sorted(found, key=_order)


def nearby(receivers: Iterable[Receiver]) -> list[Receiver]:
    """Those within 50 km, or of whom no distance is asked."""
    return [one for one in receivers if one.distance_km is None or one.distance_km <= NEARBY_KM]


def _order(one: Receiver) -> tuple[float, float, str, str]:
    who = one.group_id or one.provider_id
    return (-one.score, one.distance_km or 0.0, str(who), str(one.office_id))


def _groups(
    practices: Sequence[Practice],
    groups: Iterable[GroupAtOffice],
    answers: AnswersBy,
    wanted: Wanted,
) -> list[Receiver]:
    at_office: dict[OfficeId, list[Practice]] = {}
    for row in practices:
        at_office.setdefault(row.office_id, []).append(row)
    found = []
    for group in groups:
        rows = at_office.get(group.office_id, [])
        members = tuple(row for row in rows if row.provider_id in group.provider_ids)
        if members:
            given = answers.get((group.group_id, group.office_id))
            found.append(_receiver(members, members[0], group, given, wanted))
    return found


def _receiver(
    members: Sequence[Practice],
    at: Practice,
    group: GroupAtOffice | None,
    answers: Answers | None,
    wanted: Wanted,
) -> Receiver:
    plan = _certainty(members) if wanted.plan_id is not None else None
    verified = [row.verified_on for row in members if row.accepts and row.verified_on is not None]
    known_on = max([row.changed_on for row in members] + verified)
    distance = _kilometres(wanted.near, at)
    factors = (*_plan(members, plan, min(verified, default=None)), *_distance(distance))
    factors += (_new_patients(members), _responsiveness(answers))
    factors += (_freshness((wanted.today - known_on).days),)
    return Receiver(
        provider_id=None if group else at.provider_id,
        group_id=group.group_id if group else None,
        office_id=at.office_id,
        organization_id=at.organization_id,
        name=group.name if group else at.name,
        distance_km=distance,
        plan=plan,
        plan_verified_on=min(verified, default=None) if plan is PlanCertainty.ACCEPTED else None,
        accepting_new_patients=_accepting(members),
        known_on=known_on,
        factors=factors,
        score=_total(factors),
    )


def _accepting(members: Sequence[Practice]) -> bool:
    return any(row.accepting_new_patients for row in members)


def _kilometres(near: Point | None, at: Practice) -> float | None:
    if near is None:
        return None
    return round(distance_km(near, Point(at.latitude, at.longitude)), 3)


def _total(factors: Iterable[Factor]) -> float:
    weighed = [(WEIGHTS[factor.name], factor.score) for factor in factors]
    return round(sum(w * score for w, score in weighed) / sum(w for w, _ in weighed), 6)


def _certainty(members: Sequence[Practice]) -> PlanCertainty:
    """A group is as sure as its surest member."""
    if any(row.accepts for row in members):
        return PlanCertainty.ACCEPTED
    if any(row.plans_listed == 0 for row in members):
        return PlanCertainty.UNKNOWN
    return PlanCertainty.NOT_LISTED


def _plan(
    members: Sequence[Practice], certainty: PlanCertainty | None, verified_on: date | None
) -> tuple[Factor, ...]:
    if certainty is None:
        return ()
    accepting = sum(row.accepts for row in members)
    who = "It is" if len(members) == 1 else f"For {accepting} of {len(members)} members it is"
    stamp = f"last verified on {verified_on.isoformat()}" if verified_on else "never verified"
    reasons = {
        PlanCertainty.ACCEPTED: f"{who} listed that the plan is accepted at this office, {stamp}.",
        PlanCertainty.UNKNOWN: "No plans are listed at this office: ask before sending.",
        PlanCertainty.NOT_LISTED: "Other plans are listed at this office, the patient's is not.",
    }
    return (Factor(FactorName.PLAN, _PLAN_SCORES[certainty], reasons[certainty]),)


def _distance(km: float | None) -> tuple[Factor, ...]:
    if km is None:
        return ()
    score = round(1 / (1 + km / HALF_SCORE_KM), 6)
    return (Factor(FactorName.DISTANCE, score, f"{km:.1f} km away."),)


def _new_patients(members: Sequence[Practice]) -> Factor:
    if _accepting(members):
        return Factor(FactorName.NEW_PATIENTS, 1.0, "Accepts new patients.")
    return Factor(FactorName.NEW_PATIENTS, 0.0, "Does not accept new patients at this office.")


def _responsiveness(answers: Answers | None) -> Factor:
    name = FactorName.RESPONSIVENESS
    if answers is None or answers.count < FEW_ANSWERS:
        return Factor(name, 0.5, "Too few answered referrals to tell how soon it answers.")
    hours = answers.median_hours
    score = round(max(0.0, 1 - hours / SLOW_HOURS), 6)
    return Factor(
        name, score, f"Usually answers within {hours:.0f} hours ({answers.count} referrals)."
    )


def _freshness(age_days: int) -> Factor:
    age = max(0, age_days)
    score = round(max(0.0, 1 - age / STALE_DAYS), 6)
    said = "today" if age == 0 else f"{age} day{'s' if age != 1 else ''} ago"
    return Factor(FactorName.FRESHNESS, score, f"Data last confirmed {said}.")
