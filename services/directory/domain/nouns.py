"""The nouns of directory: providers, offices, placements, groups, suggestions."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from kit.errors import stale_version
from services.directory.domain.hours import OpeningHours

ProviderId = NewType("ProviderId", UUID)
OfficeId = NewType("OfficeId", UUID)
PlacementId = NewType("PlacementId", UUID)
GroupId = NewType("GroupId", UUID)
SuggestionId = NewType("SuggestionId", UUID)
OrganizationId = NewType("OrganizationId", UUID)
UserId = NewType("UserId", UUID)
PlanId = NewType("PlanId", UUID)

DEFAULT_SUGGEST_FROM = 3


class ProviderState(StrEnum):
    """How far a provider is (R11, R15). Only APPROVED ones can be found and receive."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    OFFBOARDING = "OFFBOARDING"
    REMOVED = "REMOVED"


class OfficeState(StrEnum):
    """How far an office is (R16, R19). READY: everything is there but the day."""

    PLANNED = "PLANNED"
    READY = "READY"
    LIVE = "LIVE"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"


class GroupState(StrEnum):
    """INCOMPLETE until at least one confirmed staff works for the group (R23)."""

    INCOMPLETE = "INCOMPLETE"
    READY = "READY"
    REMOVING = "REMOVING"
    REMOVED = "REMOVED"


class PlacementState(StrEnum):
    """PENDING: the provider is not approved yet; UPCOMING: the first day is still to come."""

    PENDING = "PENDING"
    UPCOMING = "UPCOMING"
    ACTIVE = "ACTIVE"
    ENDED = "ENDED"


class FenceStep(StrEnum):
    """Where a leaving thing stands: OPEN while people drain its work, REMOVING while it ends, KEEPING while it comes back."""

    OPEN = "OPEN"
    REMOVING = "REMOVING"
    KEEPING = "KEEPING"


class SuggestionEnd(StrEnum):
    """Why a suggestion is closed."""

    GROUP_ADDED = "GROUP_ADDED"
    DISMISSED = "DISMISSED"
    NO_LONGER_TRUE = "NO_LONGER_TRUE"


class Gender(StrEnum):
    """What a provider says of themselves, for patients who ask."""

    FEMALE = "FEMALE"
    MALE = "MALE"
    OTHER = "OTHER"


class NpiStatus(StrEnum):
    """What the national register says of an NPI; a deactivated one still has a right check digit (R11)."""

    UNKNOWN = "UNKNOWN"
    ACTIVE = "ACTIVE"
    DEACTIVATED = "DEACTIVATED"


class ApprovalNeed(StrEnum):
    """What an organization may want of a profile before it approves it, besides an NPI and a specialty (R11)."""

    PHONE = "PHONE"
    OFFICE = "OFFICE"
    PLANS = "PLANS"


@dataclass(frozen=True, slots=True)
class Specialty:
    """What a provider does, by its code of the NUCC provider taxonomy."""

    code: str
    grouping: str
    classification: str
    specialization: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What an organization has decided. Version 0: it never decided, and the defaults hold."""

    second_approver: bool = False
    suggest_groups_from: int = DEFAULT_SUGGEST_FROM
    version: int = 0
    approval_needs: frozenset[ApprovalNeed] = frozenset()


@dataclass(frozen=True, slots=True)
class Profile:
    """What a provider's profile says. The first specialty code is the primary one; languages are ISO 639 codes, the best first."""

    first_name: str
    last_name: str
    npi: str | None = None
    credential: str = ""
    phone: str = ""
    specialty_codes: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    gender: Gender | None = None
    email: str = ""


class HeldUp(StrEnum):
    """Why a provider who is to be removed once nothing is open is there still (R15)."""

    OPEN_REFERRALS = "OPEN_REFERRALS"
    OFFICES_REMAIN = "OFFICES_REMAIN"


@dataclass(frozen=True, slots=True)
class Provider:
    """A person who gives care. `proposed` is a change of an approved profile that waits for its approval (R11).

    `verified_at` is when somebody last found the approved profile right; `merged_into` the record that took this one's place;
    `ends_placements` says that the removal under way ends the placements itself, `removal_asked_at` that it is to begin by itself once
    nothing is open (R15): see domain.awaited.
    """

    id: ProviderId
    organization_id: OrganizationId
    state: ProviderState
    npi: str | None
    first_name: str
    last_name: str
    credential: str
    phone: str
    specialty_codes: tuple[str, ...]
    proposed: Profile | None
    proposed_by: UserId | None
    added_by: UserId
    submitted_by: UserId | None
    approved_at: datetime | None
    rejection_reason: str | None
    fence: FenceStep | None
    offboarding: bool
    state_before: ProviderState | None
    version: int
    languages: tuple[str, ...] = ()
    gender: Gender | None = None
    email: str = ""
    npi_status: NpiStatus = NpiStatus.UNKNOWN
    npi_deactivated_on: date | None = None
    npi_replaced_by: str | None = None
    verified_at: datetime | None = None
    merged_into: ProviderId | None = None
    ends_placements: bool = False
    removal_asked_by: UserId | None = None
    removal_asked_at: datetime | None = None
    removal_offices: tuple[OfficeId, ...] = ()
    removal_held_up: HeldUp | None = None

    @property
    def name(self) -> str:
        """The name as people say it."""
        return f"{self.first_name} {self.last_name}"

    @property
    def profile(self) -> Profile:
        """The profile that holds now."""
        return Profile(**{one.name: getattr(self, one.name) for one in fields(Profile)})

    def with_profile(self, profile: Profile) -> "Provider":
        """The provider once `profile` holds."""
        said = {one.name: getattr(profile, one.name) for one in fields(Profile)}
        return replace(self, **said, proposed=None, proposed_by=None)


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the earth, in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Place:
    """A place as far as it is known: a point, or only a city and a state."""

    point: Point | None = None
    city: str = ""
    region: str = ""

    @property
    def is_known(self) -> bool:
        """Whether anything is known of it."""
        return self.point is not None or bool(self.region)


class LocatedBy(StrEnum):
    """How an office came to its point: somebody gave it, or it is the middle of its postal code."""

    GIVEN = "GIVEN"
    POSTAL_CODE = "POSTAL_CODE"


@dataclass(frozen=True, slots=True)
class Address:
    """Where an office is: two-letter region, five- or nine-digit postal code."""

    line1: str
    line2: str
    city: str
    region: str
    postal_code: str


@dataclass(frozen=True, slots=True)
class Office:
    """A place where care is given. Its days are those of its own calendar (`time_zone`).

    `closes_on` is the first day without it and `cut_off_on` the first on which nothing more is sent to it, once its closing is
    planned (R19). `missed_on` is the first day that came and did not find it ready, once that has been told (R16). The
    `referral_owner` is one of those of whom its roster was attested (R18).
    """

    id: OfficeId
    organization_id: OrganizationId
    name: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    latitude: float | None
    longitude: float | None
    phone: str
    time_zone: str
    group_only: bool
    state: OfficeState
    go_live_on: date
    lead_days: int
    lead_reason: str | None
    live_at: datetime | None
    closed_at: datetime | None
    fence: FenceStep | None
    state_before: OfficeState | None
    version: int
    hours: tuple[OpeningHours, ...] = ()
    roster_attested: tuple[UserId, ...] = ()
    roster_attested_at: datetime | None = None
    roster_attested_by: UserId | None = None
    referral_owner: UserId | None = None
    missed_on: date | None = None
    closes_on: date | None = None
    cut_off_on: date | None = None
    fenced: bool = False
    located_by: LocatedBy | None = None

    @property
    def address(self) -> Address:
        """Its address."""
        return Address(self.line1, self.line2, self.city, self.region, self.postal_code)

    @property
    def point(self) -> Point | None:
        """Where it is; None while nobody has said so and its postal code is unknown."""
        if self.latitude is None or self.longitude is None:
            return None
        return Point(self.latitude, self.longitude)

    @property
    def place(self) -> Place:
        """Where it is, as far as it is known."""
        return Place(self.point, self.city, self.region)


@dataclass(frozen=True, slots=True)
class Placement:
    """A provider works at an office from a day until the day after the last."""

    id: PlacementId
    organization_id: OrganizationId
    provider_id: ProviderId
    office_id: OfficeId
    effective_from: date
    effective_until: date | None
    accepting_new_patients: bool
    version: int

    def covers(self, day: date) -> bool:
        """Whether the provider works there on that day."""
        return self.effective_from <= day and self.remains(day)

    def remains(self, day: date) -> bool:
        """Whether that day or a later one is among its days."""
        if self.effective_until is None:
            return True
        return self.effective_from < self.effective_until and day < self.effective_until

    def state(self, day: date, provider: ProviderState) -> PlacementState:
        """How it stands on that day."""
        if not self.remains(day):
            return PlacementState.ENDED
        if provider not in {ProviderState.APPROVED, ProviderState.OFFBOARDING}:
            return PlacementState.PENDING
        return PlacementState.ACTIVE if self.covers(day) else PlacementState.UPCOMING


@dataclass(frozen=True, slots=True)
class Handover:
    """An open referral of a group, and the member who takes it when the group goes; without a referral, the member takes all those
    at the office that nobody else does (R24)."""

    provider_id: ProviderId
    referral_id: UUID | None = None
    office_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A named set of providers at one or more offices who receive or send referrals together.

    `redistribution` says who takes what while it is removed (R24); `unstaffed_since`, since when nobody who has confirmed works
    for it (R23). `overridden_at`: since when support lets it be ready all the same (R25).
    """

    id: GroupId
    organization_id: OrganizationId
    name: str
    state: GroupState
    may_send: bool
    may_receive: bool
    office_ids: tuple[OfficeId, ...]
    provider_ids: tuple[ProviderId, ...]
    staff_user_ids: tuple[UserId, ...]
    confirmed_staff: int
    ready_at: datetime | None
    fence: FenceStep | None
    version: int
    redistribution: tuple[Handover, ...] = ()
    unstaffed_since: datetime | None = None
    overridden_at: datetime | None = None
    overridden_by: UserId | None = None
    override_reason: str | None = None
    override_request: UUID | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """These providers of one classification work at one office and no group covers them (R20)."""

    id: SuggestionId
    organization_id: OrganizationId
    office_id: OfficeId
    classification: str
    specialty_code: str
    provider_ids: tuple[ProviderId, ...]
    raised_at: datetime
    closed_at: datetime | None
    closed_because: SuggestionEnd | None
    version: int
    snoozed_until: date | None = None


def require_version(thing: str, seen: int, stands: int) -> None:
    """Conflict STALE_VERSION when the caller has seen another version of `thing` than the one that stands."""
    if seen != stands:
        raise stale_version(thing, stands)
