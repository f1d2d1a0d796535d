"""The case of a provider who leaves: what is open with the provider, given on item by item (R12, R13)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from services.referrals.domain.nouns import (
    GroupId,
    OfficeId,
    OrganizationId,
    PlanAcceptance,
    PlanId,
    ProviderId,
    ReferralId,
    Side,
    Status,
)

CaseId = NewType("CaseId", UUID)


class CaseState(StrEnum):
    """OPEN while anything is open with the provider, READY when nothing is; CLOSED when the provider was removed or kept."""

    OPEN = "OPEN"
    READY = "READY"
    CLOSED = "CLOSED"


class CaseEnd(StrEnum):
    """How a case ended."""

    REMOVED = "REMOVED"
    KEPT = "KEPT"


class CaseAction(StrEnum):
    """What directory is asked for once a case stands as it does."""

    KEEP_PROVIDER = "KEEP_PROVIDER"
    REMOVE_WHEN_EMPTY = "REMOVE_WHEN_EMPTY"
    REMOVE_PROVIDER = "REMOVE_PROVIDER"


@dataclass(frozen=True, slots=True)
class Case:
    """A provider who leaves an organization. `ready_at`: since when nothing is open, as it was told."""

    id: CaseId
    organization_id: OrganizationId
    provider_id: ProviderId
    opened_at: datetime
    ready_at: datetime | None = None
    closed_at: datetime | None = None
    closed_as: CaseEnd | None = None

    def state(self, remaining: int) -> CaseState:
        """Where the case stands, with so many items open now."""
        if self.closed_at is not None:
            return CaseState.CLOSED
        return CaseState.OPEN if remaining else CaseState.READY


@dataclass(frozen=True, slots=True)
class Tally:
    """How much a case has held at one office, and how much of it is open."""

    office_id: OfficeId
    total: int
    remaining: int


@dataclass(frozen=True, slots=True)
class CaseItem:
    """One open referral of a case, on its side's managing office. No PHI."""

    referral_id: ReferralId
    version: int
    status: Status
    side: Side
    office_id: OfficeId
    group_id: GroupId | None
    specialty_code: str
    plan_id: PlanId | None
    second_plan_id: PlanId | None
    appointment_at: datetime | None

    @property
    def plans(self) -> tuple[PlanId, ...]:
        """The patient's plans."""
        return tuple(one for one in (self.plan_id, self.second_plan_id) if one is not None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody of the same office who could take an item; no codes: nothing is known of specialties."""

    office_id: OfficeId
    provider_id: ProviderId | None
    group_id: GroupId | None
    name: str
    specialty_codes: frozenset[str]
    members: frozenset[ProviderId]


@dataclass(frozen=True, slots=True)
class SuggestedTarget:
    """A candidate for one item, with what is known of the patient's plan there (None: no plan, or it does not matter)."""

    candidate: Candidate
    plan: PlanAcceptance | None


Accepting = Mapping[tuple[OfficeId, PlanId], frozenset[ProviderId] | None]
"""Who accepts a plan at an office; None, or no key: it is not known."""

_BEST_FIRST = (PlanAcceptance.ACCEPTED, None, PlanAcceptance.UNKNOWN, PlanAcceptance.NOT_LISTED)


def targets(
    item: CaseItem, candidates: tuple[Candidate, ...], accepting: Accepting
) -> tuple[SuggestedTarget, ...]:
    """Who could take the item, best first: of its specialty (R13 refuses others), those who accept the plan before the others.

    What the provider has sent goes to a provider in whose name it is sent from then on: no group, and no plan to ask for.
    """
    if item.side is Side.SENDING:
        senders = (one for one in candidates if one.provider_id is not None)
        found = [SuggestedTarget(one, None) for one in senders]
    else:
        able = (one for one in candidates if _serves(one, item.specialty_code))
        found = [SuggestedTarget(one, _acceptance(item, one, accepting)) for one in able]
    return tuple(
        sorted(found, key=lambda one: (_BEST_FIRST.index(one.plan), one.candidate.name.casefold()))
    )


def _serves(one: Candidate, specialty_code: str) -> bool:
    return not one.specialty_codes or specialty_code in one.specialty_codes


def _acceptance(item: CaseItem, one: Candidate, accepting: Accepting) -> PlanAcceptance | None:
    """What is known best of the patient's plans."""
    if not item.plans:
        return None
    known = [accepting.get((one.office_id, plan)) for plan in item.plans]
    if any(accepted and accepted & one.members for accepted in known):
        return PlanAcceptance.ACCEPTED
    unsure = not one.members or any(accepted is None for accepted in known)
    return PlanAcceptance.UNKNOWN if unsure else PlanAcceptance.NOT_LISTED
