"""Nouns of insurance: payers, plans, and which provider accepts which plan at which office, on which days."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from kit.errors import Invalid

PayerId = NewType("PayerId", UUID)
PlanId = NewType("PlanId", UUID)
ParticipationId = NewType("ParticipationId", UUID)
BatchId = NewType("BatchId", UUID)
ProviderId = NewType("ProviderId", UUID)
OfficeId = NewType("OfficeId", UUID)
OrganizationId = NewType("OrganizationId", UUID)
UserId = NewType("UserId", UUID)

SELF_PAY = PlanId(UUID("00000000-0000-7000-8000-000000000001"))
"""The one plan without a payer: the patient pays."""


class ProductType(StrEnum):
    """The product types of the Plan-Net directory standard."""

    COMMPPO = "COMMPPO"
    COMMHDHP = "COMMHDHP"
    COMMPOS = "COMMPOS"
    COMMHMO = "COMMHMO"
    COMMEPO = "COMMEPO"
    MEDI = "MEDI"
    MEDIHMO = "MEDIHMO"
    MEDIADV = "MEDIADV"
    MEDIADVHMO = "MEDIADVHMO"
    MEDIA = "MEDIA"
    MEDIB = "MEDIB"
    MEDID = "MEDID"
    MEDIAB = "MEDIAB"
    QHP = "QHP"
    IHS = "IHS"
    FEP = "FEP"
    TRI = "TRI"
    VA = "VA"
    DENT = "DENT"
    DENTHMO = "DENTHMO"
    VIS = "VIS"
    VISHMO = "VISHMO"


class Source(StrEnum):
    """Who said that the provider accepts the plan."""

    ORGANIZATION = "ORGANIZATION"
    PAYER = "PAYER"
    IMPORT = "IMPORT"


class ParticipationAction(StrEnum):
    """What a viewer may do to a participation."""

    END = "END"
    VERIFY = "VERIFY"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` until the day before `until`; without `until` there is no end. Periods that meet do not overlap."""

    first: date
    until: date | None = None

    @property
    def empty(self) -> bool:
        """Whether it holds no day at all."""
        return self.until is not None and self.until <= self.first

    def covers(self, day: date) -> bool:
        """Whether the day is one of its days."""
        return self.first <= day and before(day, self.until)

    def overlaps(self, other: "Period") -> bool:
        """Whether some day is in both."""
        if self.empty or other.empty:
            return False
        return before(self.first, other.until) and before(other.first, self.until)

    def clipped(self, until: date | None) -> "Period":
        """The same days, but none from `until` on, if that is a day; perhaps no day is left."""
        if until is None or not before(until, self.until):
            return self
        return Period(self.first, max(self.first, until))

    def since(self, first: date) -> "Period":
        """The same days, but none before `first`; perhaps no day is left."""
        return Period(max(self.first, first), self.until)


def before(day: date, until: date | None) -> bool:
    """Whether the day comes before the end, if there is one."""
    return until is None or day < until


def period(first: date, until: date | None) -> Period:
    """The period a person asked for; Invalid EMPTY_PERIOD when it would hold no day (R27)."""
    wanted = Period(first, until)
    if wanted.empty:
        raise Invalid(
            "A period ends after it begins.",
            code="EMPTY_PERIOD",
            field="effectiveUntil",
            remedy="effectiveUntil is the day after the last one; leave it out when there is no end.",
        )
    return wanted


@dataclass(frozen=True, slots=True)
class Place:
    """A provider, an office, or (both given) a provider at an office."""

    provider_id: ProviderId | None = None
    office_id: OfficeId | None = None


@dataclass(frozen=True, slots=True)
class Identifier:
    """A payer's id in somebody else's system."""

    system: str
    value: str


@dataclass(frozen=True, slots=True)
class Payer:
    """The company that offers plans."""

    id: PayerId
    name: str
    identifiers: tuple[Identifier, ...]
    version: int
    former_names: tuple[str, ...] = ()
    needs_referring_npi: bool = False
    """Whether it wants to know which provider referred, by the NPI of a person (R22)."""


@dataclass(frozen=True, slots=True)
class InsurancePlan:
    """A product of a payer, or self-pay, which has neither payer nor product type."""

    id: PlanId
    payer_id: PayerId | None
    name: str
    product_type: ProductType | None
    self_pay: bool
    effective_from: date
    effective_until: date | None
    version: int
    former_names: tuple[str, ...] = ()
    successor_id: PlanId | None = None
    """The plan into which its payer merged it."""
    needs_referring_npi: bool = False
    """Whether its payer wants to know which provider referred (R22)."""

    @property
    def period(self) -> Period:
        """The days on which the payer offers it."""
        return Period(self.effective_from, self.effective_until)


@dataclass(frozen=True, slots=True)
class Participation:
    """The provider accepts the plan at the office on the days of the period (R27)."""

    id: ParticipationId
    organization_id: OrganizationId
    provider_id: ProviderId
    office_id: OfficeId
    plan_id: PlanId
    effective_from: date
    effective_until: date | None
    source: Source
    added_at: datetime
    added_by: UserId
    ended_at: datetime | None
    last_verified_on: date | None
    last_verified_by: UserId | None
    version: int
    copied_from: ParticipationId | None = None
    """The row after which it was made, by a copy or by the merger of its plan."""
    ended_by: UserId | None = None
    """Who ended it; nobody did when its place or its plan ended."""
    said_until: date | None = None
    """Of a row that nobody ended, but its place or its plan: until when it had said it lasts."""

    @property
    def period(self) -> Period:
        """Its days."""
        return Period(self.effective_from, self.effective_until)

    def past(self, today: date) -> bool:
        """Whether its last day is over, or never was."""
        return not before(max(today, self.effective_from), self.effective_until)
