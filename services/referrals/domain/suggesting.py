"""Who would suit a referral, as directory ranks them for its patient's plans (R28)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.referrals.domain.nouns import (
    GroupId,
    Hop,
    OfficeId,
    PlanAcceptance,
    PlanId,
    ProviderId,
)

MOST_SUGGESTED = 50
MOST_PLANS = 10


class SuggestedNear(StrEnum):
    """Around which place it was looked: where the patient lives, or, where that is not known, the sending office."""

    PATIENT = "PATIENT"
    SENDING_OFFICE = "SENDING_OFFICE"


class SuggestionWidening(StrEnum):
    """How the search was widened because nothing matched nearby."""

    FARTHER = "FARTHER"
    RELATED_SPECIALTY = "RELATED_SPECIALTY"
    NOTHING_FOUND = "NOTHING_FOUND"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A provider or a group at an office. `plan` is None where the referral names no plan."""

    office_id: OfficeId
    provider_id: ProviderId | None
    group_id: GroupId | None
    name: str
    distance_km: float | None
    plan: PlanAcceptance | None
    accepted_plans: tuple[PlanId, ...]
    plan_verified_on: date | None
    plan_stale: bool
    accepting_new_patients: bool
    score: float
    reasons: tuple[str, ...]

    def had(self, hops: Iterable[Hop]) -> bool:
        """Whether the referral has been there already."""
        return any(
            hop.office_id == self.office_id
            and (
                hop.group_id == self.group_id
                if self.group_id is not None
                else hop.provider_id == self.provider_id
            )
            for hop in hops
        )


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Best first, for that day. `insurance_unknown`: insurance has told of no plan at any of them."""

    receivers: tuple[Suggestion, ...]
    on: date
    near: SuggestedNear
    widening: SuggestionWidening | None
    insurance_unknown: bool
