"""Which receivers suit a referral, in which order and why (R28). The same input on the same data gives the same order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.directory.domain import factors
from services.directory.domain.factors import WEIGHTS, Factor, FactorName, PlanCertainty
from services.directory.domain.geography import distance_km
from services.directory.domain.listings import Listing, Wanted
from services.directory.domain.nouns import (
    GroupId,
    OfficeId,
    OrganizationId,
    Place,
    PlanId,
    ProviderId,
)

__all__ = [
    "NEARBY_KM", "WEIGHTS", "Factor", "FactorName", "PlanCertainty", "Receiver", "Widening", "nearby", "ranked",
]  # fmt: skip

NEARBY_KM = 50.0


class Widening(StrEnum):
    """How the search was widened because nothing matched."""

    FARTHER = "FARTHER"
    RELATED_SPECIALTY = "RELATED_SPECIALTY"
    NOTHING_FOUND = "NOTHING_FOUND"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A provider or a group at an office, and why it stands where it stands. `known_on`: when its data was last confirmed.

    `plan_stale`: the plan is listed as accepted, and that was not verified for 90 days.
    """

    provider_id: ProviderId | None
    group_id: GroupId | None
    office_id: OfficeId
    organization_id: OrganizationId
    name: str
    distance_km: float | None
    plan: PlanCertainty | None
    accepted: frozenset[PlanId]
    plan_verified_on: date | None
    plan_stale: bool
    accepting_new_patients: bool
    known_on: date
    factors: tuple[Factor, ...]
    score: float


def ranked(listings: Iterable[Listing], wanted: Wanted) -> list[Receiver]:
    """Every receiver once, best first (R28)."""
    found: dict[tuple[object, OfficeId], Receiver] = {}
    for listing in listings:
        one = _receiver(listing, wanted)
        key = (one.group_id or one.provider_id, one.office_id)
        if key not in found or _order(one) < _order(found[key]):
            found[key] = one
    return sorted(found.values(), key=_order)


def nearby(receivers: Iterable[Receiver]) -> list[Receiver]:
    """Those within 50 km, and those of whom it is not known how far they are."""
    return [one for one in receivers if one.distance_km is None or one.distance_km <= NEARBY_KM]


def _order(one: Receiver) -> tuple[float, float, str, str]:
    who = one.group_id or one.provider_id
    return (-one.score, one.distance_km or 0.0, str(who), str(one.office_id))


def _receiver(listing: Listing, wanted: Wanted) -> Receiver:
    members = listing.practices
    plan = factors.plan_state(members, wanted.today) if wanted.plan_ids else None
    verified = [row.verified_on for row in members if row.verified_on is not None]
    known_on = max([row.changed_on for row in members] + verified)
    km = _kilometres(wanted.place, listing.at)
    weighed = factors.weigh(listing, wanted, plan, km, known_on)
    return Receiver(
        provider_id=listing.provider_id,
        group_id=listing.group_id,
        office_id=listing.office_id,
        organization_id=listing.organization_id,
        name=listing.name,
        distance_km=km,
        plan=plan.certainty if plan else None,
        accepted=frozenset(one for row in members for one in row.accepted),
        plan_verified_on=plan.verified_on if plan else None,
        plan_stale=plan is not None and plan.stale,
        accepting_new_patients=factors.is_accepting(members),
        known_on=known_on,
        factors=weighed,
        score=factors.total(weighed),
    )


def _kilometres(wanted: Place, at: Place) -> float | None:
    if wanted.point is None or at.point is None:
        return None
    return round(distance_km(wanted.point, at.point), 3)
