"""How long a receiver may take, as its organization has set it, and what it is late with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kit.errors import Conflict, Invalid, stale_version
from services.referrals.domain.nouns import OrganizationId, Referral, Status

ACKNOWLEDGE_DAYS = 7
DECIDE_DAYS = 14
"""The product's own targets, in days from the arrival at a receiver."""

MOST_DAYS = 90
"""A target farther away is none."""


class Overdue(StrEnum):
    """What a receiver is late with."""

    ACKNOWLEDGE = "ACKNOWLEDGE"
    DECIDE = "DECIDE"


class PassedAppointment(StrEnum):
    """What becomes of a referral whose appointment passed and nobody reported."""

    FOLLOW_UP = "FOLLOW_UP"
    COMPLETED = "COMPLETED"


@dataclass(frozen=True, slots=True)
class Targets:
    """A receiving organization's own targets; `version` 0: never changed."""

    organization_id: OrganizationId
    acknowledge_days: int = ACKNOWLEDGE_DAYS
    decide_days: int = DECIDE_DAYS
    passed_appointment: PassedAppointment = PassedAppointment.FOLLOW_UP
    version: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no target."""
        for field, days in (
            ("acknowledgeDays", self.acknowledge_days),
            ("decideDays", self.decide_days),
        ):
            if not 1 <= days <= MOST_DAYS:
                raise Invalid(f"Give 1 to {MOST_DAYS} days.", field=field)
        if self.decide_days < self.acknowledge_days:
            raise Invalid(
                "Nobody decides before taking note: give decideDays at least acknowledgeDays.",
                field="decideDays",
            )


def stale_targets(standing: Targets) -> Conflict:
    """Refuse a change that was decided on another version than the one that stands."""
    return stale_version("setting", standing.version)


def due_at(referral: Referral, targets: Targets) -> datetime | None:
    """Until when the receiver has to act next; None when it is not its turn, or nothing is due."""
    if referral.received_at is None:
        return None
    if referral.status is Status.PENDING:
        return referral.received_at + timedelta(days=targets.acknowledge_days)
    if referral.status is Status.IN_PROGRESS:
        return referral.received_at + timedelta(days=targets.decide_days)
    return None


def overdue(referral: Referral, targets: Targets, now: datetime) -> Overdue | None:
    """What the receiver is late with: to acknowledge, or else to decide (schedule, decline, forward). Both count from the
    arrival at the present receiver."""
    due = due_at(referral, targets)
    if due is None or referral.received_at is None or now <= due:
        return None
    undecided = now > referral.received_at + timedelta(days=targets.decide_days)
    return Overdue.DECIDE if undecided else Overdue.ACKNOWLEDGE
