"""Rules of closing an office: its days, who moves where, and what must be confirmed (R19)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from kit.errors import Conflict, Invalid
from services.directory.domain.fences import TOLD, OpenReferral, OpenWork
from services.directory.domain.nouns import Group, Office, Placement, UserId


@dataclass(frozen=True, slots=True)
class Move:
    """A provider who goes on at another office."""

    provider_id: UUID
    to_office_id: UUID


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan that a provider accepts at an office, as insurance tells it."""

    participation_id: UUID
    provider_id: UUID
    office_id: UUID
    plan_id: UUID
    effective_until: date | None


@dataclass(frozen=True, slots=True)
class ClosureImpact:
    """What closing an office on a day would touch."""

    office: Office
    closes_on: date
    placements: tuple[Placement, ...]
    orphans: tuple[UUID, ...]
    groups: tuple[Group, ...]
    roster: tuple[UserId, ...]
    work: OpenWork
    plan_rows: tuple[PlanRow, ...]
    last_office: bool

    @property
    def stranded_groups(self) -> tuple[Group, ...]:
        """The groups that are at no other office."""
        return tuple(one for one in self.groups if one.office_ids == (self.office.id,))

    @property
    def late_appointments(self) -> tuple[OpenReferral, ...]:
        """The referrals whose appointment is on the day of the closing or later."""
        return tuple(
            one
            for one in self.work.referrals
            if one.appointment_at is not None and self._day(one.appointment_at) >= self.closes_on
        )

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.office.time_zone)).date()

    @property
    def parts(self) -> Mapping[str, object]:
        """What its token is bound to."""
        return {
            "office": (self.office.id, self.office.version, self.closes_on),
            "placements": [(one.id, one.version) for one in self.placements],
            "orphans": self.orphans,
            "groups": [(one.id, one.version) for one in self.groups],
            "staff": self.roster,
            "open_referrals": (self.work.total, self.work.referrals),
            "plans": self.plan_rows,
            "last_office": self.last_office,
        }


def closing_days(closes_on: date | None, cut_off_on: date | None, today: date) -> tuple[date, date]:
    """The first day without the office and the first on which nothing is sent to it; today, where nothing is said.

    Refuses DATE_IN_PAST, and a cut-off that would come after the closing.
    """
    closes = closes_on or today
    if closes < today:
        raise Invalid(
            "The closing would be in the past.",
            code="DATE_IN_PAST",
            field="closesOn",
            remedy="Choose today or a later day, on the office's calendar.",
        )
    cut_off = cut_off_on or today
    if not today <= cut_off <= closes:
        raise Invalid(
            "Nothing is sent any more from a day between today and the closing.",
            code="BAD_CUT_OFF",
            field="cutOffOn",
            remedy="Leave it out for today, or choose a day up to closesOn.",
        )
    return closes, cut_off


def require_confirmed(
    impact: ClosureImpact, moved: Collection[UUID], confirmed: Collection[str]
) -> None:
    """Refuse what nobody has confirmed: LAST_OFFICE, PROVIDERS_ORPHANED with who would work nowhere and does not move, and
    APPOINTMENTS_AFTER_CLOSING with the referrals whose patients are booked for a day without the office."""
    if impact.last_office and "LAST_OFFICE" not in confirmed:
        raise Conflict(
            "This is the last office of your organization.",
            code="LAST_OFFICE",
            field="confirmLastOffice",
            remedy="Add another office first, or set confirmLastOffice.",
        )
    orphans = [one for one in impact.orphans if one not in moved]
    if orphans and "PROVIDERS_ORPHANED" not in confirmed:
        raise Conflict(
            f"{len(orphans)} providers would work at no office.",
            code="PROVIDERS_ORPHANED",
            field="confirmOrphans",
            remedy="Say in moves where they go on, or set confirmOrphans.",
            provider_ids=[str(one) for one in orphans],
        )
    late = impact.late_appointments
    if late and "APPOINTMENTS_AFTER_CLOSING" not in confirmed:
        raise Conflict(
            f"{len(late)} patients have an appointment on the day of the closing or later.",
            code="APPOINTMENTS_AFTER_CLOSING",
            field="confirmAppointments",
            remedy="Have them rescheduled, choose a later closesOn, or set confirmAppointments: the office then"
            " stays closing until they are over.",
            referral_ids=[one.referral_id for one in late[:TOLD]],
        )


def require_open_on(office: Office, first: date) -> None:
    """Refuse OFFICE_CLOSING for a first day on which the office is closed already, as its closing is planned (R16, R19)."""
    if office.closes_on is not None and first >= office.closes_on:
        raise Conflict(
            f"The office closes on {office.closes_on.isoformat()}.",
            code="OFFICE_CLOSING",
            field="goLiveOn",
            remedy="Choose a day before, or keep the office with keepOffice first.",
        )


def require_before_closing(office: Office, until: date | None) -> None:
    """Refuse OFFICE_CLOSING for days that would go on after the office's planned closing (R19)."""
    if office.closes_on is not None and (until is None or until > office.closes_on):
        raise Conflict(
            f"The office closes on {office.closes_on.isoformat()}.",
            code="OFFICE_CLOSING",
            field="effectiveUntil",
            remedy=f"Choose an effectiveUntil up to {office.closes_on.isoformat()}, or another office.",
        )
