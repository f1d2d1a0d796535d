"""Nouns and rules of insurance: payers, plans, and which provider accepts which plan at which office, on which days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from kit.errors import Conflict, Invalid, NotFound, Refusal

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

MAX_NAME = 200
MAX_PLANS = 100
"""Plans that one call may add for a provider at an office."""


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
        return self.first <= day and _before(day, self.until)

    def overlaps(self, other: "Period") -> bool:
        """Whether some day is in both."""
        if self.empty or other.empty:
            return False
        return _before(self.first, other.until) and _before(other.first, self.until)

    def clipped(self, until: date) -> "Period":
        """The same days, but none from `until` on; perhaps no day is left."""
        if not _before(until, self.until):
            return self
        return Period(self.first, max(self.first, until))


def _before(day: date, until: date | None) -> bool:
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

    @property
    def period(self) -> Period:
        """Its days."""
        return Period(self.effective_from, self.effective_until)

    def past(self, today: date) -> bool:
        """Whether its last day is over, or never was."""
        return not _before(max(today, self.effective_from), self.effective_until)


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
    if not _before(until, row.effective_until):
        raise Conflict(
            f"The participation already ends before {row.effective_until}.",
            code="ALREADY_ENDS",
            field="effectiveUntil",
            remedy="Add a new participation for later days: history is not changed.",
        )
    return days


def refuse_past(row: Participation, today: date) -> None:
    """Conflict PARTICIPATION_ENDED when the row's last day is over: there is nothing left to verify."""
    if row.past(today):
        raise Conflict(
            "The participation has ended.",
            code="PARTICIPATION_ENDED",
            remedy="Add a new participation if it holds again.",
        )
