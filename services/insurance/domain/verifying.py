"""How sure an answer is: every row is verified every 90 days, and says so when it was not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from kit.errors import Conflict, Invalid, Refusal
from services.insurance.domain.nouns import Participation, ParticipationId

VERIFY_WITHIN = timedelta(days=90)
"""A row that was last verified longer ago than this is stale."""

MAX_VERIFIED = 100
"""Rows that one call may verify."""


class Certainty(StrEnum):
    """Whether somebody said within the last 90 days that a row is true, longer ago, or never."""

    VERIFIED = "VERIFIED"
    STALE = "STALE"
    UNVERIFIED = "UNVERIFIED"


WEAKEST_FIRST = (Certainty.UNVERIFIED, Certainty.STALE, Certainty.VERIFIED)


class VerificationMeans(StrEnum):
    """How a row was verified: by adding it, by itself, or with the item of a campaign."""

    ADDED = "ADDED"
    VERIFIED = "VERIFIED"
    ATTESTED = "ATTESTED"


def certainty(verified_on: date | None, today: date) -> Certainty:
    """How sure a row is today that was last verified on that day, if it ever was."""
    if verified_on is None:
        return Certainty.UNVERIFIED
    return Certainty.VERIFIED if today <= verified_on + VERIFY_WITHIN else Certainty.STALE


def age_days(verified_on: date | None, today: date) -> int | None:
    """Days since it was verified; None when it never was. Never negative, wherever a calendar was read."""
    return None if verified_on is None else max(0, (today - verified_on).days)


def verify_by(verified_on: date | None) -> date | None:
    """The last day on which it is not yet stale; None when it was never verified, and so is due already."""
    return None if verified_on is None else verified_on + VERIFY_WITHIN


def due_before(today: date, within: int) -> date:
    """Rows last verified before this day are due within so many days: no later than `today + within` they would be stale."""
    if not 0 <= within <= VERIFY_WITHIN.days:
        raise Invalid(
            f"within is 0 to {VERIFY_WITHIN.days} days.",
            field="within",
            remedy="0 asks for what is stale already.",
        )
    return today + timedelta(days=within) - VERIFY_WITHIN


@dataclass(frozen=True, slots=True)
class VerificationWanted:
    """One row that somebody says is true, as they saw it."""

    participation_id: ParticipationId
    expected_version: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row of a call: verified, or refused for a reason."""

    participation_id: ParticipationId
    code: str | None = None
    message: str | None = None
    remedy: str | None = None

    @classmethod
    def refused(cls, participation_id: ParticipationId, refusal: Refusal) -> "Outcome":
        """The row stays as it was."""
        return cls(participation_id, refusal.code, refusal.message, refusal.remedy)


def clean_verifications(wanted: Sequence[VerificationWanted]) -> tuple[VerificationWanted, ...]:
    """The rows of one call: at least one, at most 100, none twice."""
    if not 1 <= len(wanted) <= MAX_VERIFIED:
        raise Invalid(
            f"Give 1 to {MAX_VERIFIED} participations.",
            field="participations",
            remedy="Split a longer list over several calls.",
        )
    if len({one.participation_id for one in wanted}) != len(wanted):
        raise Invalid(
            "A participation is in the list twice.",
            code="DUPLICATE",
            field="participations",
            remedy="Name each participation once.",
        )
    return tuple(wanted)


def refuse_past(row: Participation, today: date) -> None:
    """Conflict PARTICIPATION_ENDED when the row's last day is over: there is nothing left to verify."""
    if row.past(today):
        raise Conflict(
            "The participation has ended.",
            code="PARTICIPATION_ENDED",
            remedy="Add a new participation if it holds again.",
        )
