"""Rules of days: lead time, go-live, and the days of a placement (R16, R17)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from kit.errors import Conflict, Invalid
from services.directory.domain.nouns import Office, OfficeState, Placement, UserId

LEAD_DAYS = 7
"""An office is added at least this many days before its first day (R16)."""

_ZONES = frozenset(available_timezones()) - {"localtime", "posixrules", "Factory"}
"""Without those that are another zone on another machine, or none."""


def zone(name: str) -> ZoneInfo:
    """The time zone of that name; Invalid UNKNOWN_TIME_ZONE when there is none."""
    if name not in _ZONES:
        raise unknown_zone(name)
    return ZoneInfo(name)


def unknown_zone(name: str) -> Invalid:
    """The refusal of a zone that is none."""
    return Invalid(
        f"There is no time zone {name[:60]!r}.",
        code="UNKNOWN_TIME_ZONE",
        field="timeZone",
        remedy="Use an IANA name such as America/New_York.",
    )


def day_at(office: Office, now: datetime) -> date:
    """The day it is at the office."""
    return now.astimezone(ZoneInfo(office.time_zone)).date()


def lead_time(
    go_live_on: date, today: date, *, acknowledged: bool, reason: str | None
) -> tuple[int, str | None]:
    """The days until go-live, and the reason when they are too few (R16).

    Refuses a day that is past, and fewer than seven days without an acknowledgement and a reason. Seven days are enough.
    """
    days = (go_live_on - today).days
    if days < 0:
        raise Invalid(
            "The first day of the office is past.",
            code="DATE_IN_PAST",
            field="goLiveOn",
            remedy="Choose today or a later day, in the office's time zone.",
        )
    if days >= LEAD_DAYS:
        return days, None
    if acknowledged and reason:
        return days, reason
    raise Conflict(
        f"The office goes live in {days} days; it should be added at least {LEAD_DAYS} days before.",
        code="LEAD_TIME_SHORT",
        field="reason" if acknowledged else "goLiveOn",
        remedy="Choose a later day, or set acknowledgeShortLeadTime and give a reason.",
        days_until_go_live=days,
    )


def moved_lead_time(
    office: Office, go_live_on: date, today: date, *, acknowledged: bool, reason: str | None
) -> tuple[int, str | None]:
    """The same for a first day that is moved (R16): senders who counted on the day have less notice only when it comes sooner.

    A later day keeps what was said when the office was added; a sooner one is judged as for a new office.
    """
    if go_live_on >= office.go_live_on and go_live_on >= today:
        later = (go_live_on - office.go_live_on).days
        return office.lead_days + later, office.lead_reason
    return lead_time(go_live_on, today, acknowledged=acknowledged, reason=reason)


class Needed(StrEnum):
    """What an office must have before it goes live (R16, R18)."""

    COVERAGE = "COVERAGE"
    ROSTER_ATTESTED = "ROSTER_ATTESTED"
    PROVIDERS = "PROVIDERS"


_LACKING = {
    Needed.COVERAGE: "NO_COVERAGE",
    Needed.ROSTER_ATTESTED: "ROSTER_NOT_ATTESTED",
    Needed.PROVIDERS: "NO_APPROVED_PROVIDER",
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """What an office has of what it needs before it can go live (R16, R18)."""

    confirmed_staff: int
    approved_providers: int
    group_only: bool
    roster_attested: bool = True

    @property
    def checklist(self) -> dict[Needed, bool]:
        """Each thing it must have, and whether it has it."""
        return {
            Needed.COVERAGE: self.confirmed_staff > 0,
            Needed.ROSTER_ATTESTED: self.roster_attested,
            Needed.PROVIDERS: self.approved_providers > 0 or self.group_only,
        }

    @property
    def reasons(self) -> tuple[str, ...]:
        """What is missing, as codes: NO_COVERAGE, ROSTER_NOT_ATTESTED, NO_APPROVED_PROVIDER. Empty when the office is ready."""
        return tuple(_LACKING[one] for one, there in self.checklist.items() if not there)


def roster_stands(office: Office, roster: Collection[UserId]) -> bool:
    """Whether somebody has attested just these users, who work for the office now (R18)."""
    return office.roster_attested_at is not None and set(office.roster_attested) == set(roster)


def referral_owner(office: Office, confirmed: Sequence[UserId], wanted: UUID | None) -> UserId:
    """Who answers for the office's referrals: one of those of its roster who have confirmed (R18). Unless somebody is named, it stays
    who it was; else it is the first of them."""
    if wanted is not None and wanted not in confirmed:
        raise Conflict(
            "Only somebody of the roster who has confirmed the account answers for the office's referrals.",
            code="OWNER_UNABLE",
            field="referralOwnerId",
            remedy="Name one of userIds who has confirmed, or leave it out.",
        )
    stays = office.referral_owner if office.referral_owner in confirmed else None
    return UserId(wanted) if wanted else stays or confirmed[0]


def advanced(office: Office, readiness: Readiness, now: datetime) -> OfficeState:
    """The state of an office that is not live yet, by what it has and by its own calendar (R16).

    On or after its first day a ready office is live; one that is not stays planned and its reasons say why.
    """
    if office.state not in {OfficeState.PLANNED, OfficeState.READY}:
        return office.state
    if readiness.reasons:
        return OfficeState.PLANNED
    return OfficeState.LIVE if office.go_live_on <= day_at(office, now) else OfficeState.READY


def rechecked(office: Office, readiness: Readiness, *, revoking: bool) -> OfficeState:
    """The state of an office that is not live yet once something of it has changed, whatever its first day is: READY with all
    it needs; PLANNED again when it has not, if what changed is `revoking` (R16, R18)."""
    if office.state is OfficeState.PLANNED and not readiness.reasons:
        return OfficeState.READY
    if office.state is OfficeState.READY and readiness.reasons and revoking:
        return OfficeState.PLANNED
    return office.state


def missed(office: Office, readiness: Readiness, now: datetime) -> bool:
    """Whether the office's first day has come, did not find it ready, and nobody has been told (R16)."""
    waiting = office.state in {OfficeState.PLANNED, OfficeState.READY}
    due = office.go_live_on <= day_at(office, now)
    return waiting and due and bool(readiness.reasons) and office.missed_on != office.go_live_on


def placement_days(first: date, until: date | None) -> tuple[date, date | None]:
    """Half-open days with at least one day in them; Invalid EMPTY_PERIOD otherwise."""
    if until is not None and until <= first:
        raise Invalid(
            "The placement would have no day: effectiveUntil is the day after the last.",
            code="EMPTY_PERIOD",
            field="effectiveUntil",
            remedy="Choose a later effectiveUntil, or leave it out for no end.",
        )
    return first, until


def placement_end(placement: Placement, until: date, today: date) -> date:
    """The `effective_until` of a placement that is to end on the morning of `until`; from today on, and never later than before.

    A placement that never began ends on its first day, and so has no day at all.
    """
    if until < today:
        raise Invalid(
            "A placement cannot end in the past.",
            code="DATE_IN_PAST",
            field="effectiveUntil",
            remedy="Use today for a placement that is over now.",
        )
    if not placement.remains(today):
        raise Conflict("The placement has ended already.", code="ALREADY_ENDED")
    if placement.effective_until is not None and placement.effective_until < until:
        raise Conflict(
            f"The placement ends already on {placement.effective_until.isoformat()}.",
            code="ALREADY_ENDS",
            field="effectiveUntil",
            remedy="Add a new placement for later days.",
        )
    return max(until, placement.effective_from)


def overlap(existing: Placement) -> Conflict:
    """The refusal of days on which the provider is placed at the office already."""
    until = f" until {existing.effective_until.isoformat()}" if existing.effective_until else ""
    return Conflict(
        f"The provider works there already from {existing.effective_from.isoformat()}{until}.",
        code="OVERLAP",
        field="effectiveFrom",
        remedy="End that placement first, or choose other days.",
        placement_id=str(existing.id),
    )


def share_a_day(placement: Placement, first: date, until: date | None) -> bool:
    """Whether the placement and the days [first, until) have a day in common."""
    if not placement.remains(first):
        return False
    return until is None or placement.effective_from < until
