"""What is asked of the search, and what it finds."""

from dataclasses import dataclass
from datetime import date

from services.directory.domain.nouns import (
    GroupId,
    OfficeId,
    OrganizationId,
    Place,
    PlanId,
    ProviderId,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the sender is looking for. `today` is the day the question is asked, `on` the intended day of the visit.

    One of the specialty codes (none given: any), one of the plans (none given: nothing is said of plans), and the name.
    """

    codes: tuple[str, ...]
    plan_ids: frozenset[PlanId]
    place: Place
    on: date
    today: date
    name: str = ""
    language: str | None = None
    only_accepting: bool = False
    include_groups: bool = True


@dataclass(frozen=True, slots=True)
class Practice:
    """An approved provider of the specialty who works at a live office on the day, with what is known of the plans there.

    `accepted` are those of the wanted plans that are accepted, `verified_on` is when the longest unverified of them was; none was
    ever when it is None. `plans_listed` counts the plans that are listed there at all.
    """

    provider_id: ProviderId
    office_id: OfficeId
    organization_id: OrganizationId
    name: str
    accepting_new_patients: bool
    changed_on: date
    plans_listed: int = 0
    accepted: frozenset[PlanId] = frozenset()
    verified_on: date | None = None
    specialty_codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answers:
    """How soon a receiver acknowledged referrals at an office, over the last 90 days."""

    count: int
    median_hours: float


@dataclass(frozen=True, slots=True)
class Listing:
    """A provider, or a group, at one office on the day; `practices` are the provider's own or those of the group's members.

    `likeness` to the name that was asked for, from 0 to 1.
    """

    provider_id: ProviderId | None
    group_id: GroupId | None
    office_id: OfficeId
    organization_id: OrganizationId
    name: str
    at: Place
    practices: tuple[Practice, ...]
    answers: Answers | None = None
    likeness: float | None = None
