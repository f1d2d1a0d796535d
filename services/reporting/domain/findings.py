"""Findings: a rule was missed, why that may be, what was done about it, and whether it helped (R32-R34)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from kit.errors import Conflict, Invalid, stale_version
from services.reporting.domain.explaining import SMALL_CELL
from services.reporting.domain.figures import Share
from services.reporting.domain.nouns import OrganizationId, UserId
from services.reporting.domain.results import Result
from services.reporting.domain.scorecards import Measure, SubjectKind, Verdict, Work

FindingId = NewType("FindingId", UUID)

MAX_NOTE = 2000
EFFECT_WEEKS = 2
"""Over so many weeks it is measured whether it helped: the first begins on the Monday after."""


class Cause(StrEnum):
    """Why a rule may be missed. The order is that of telling."""

    COVERAGE = "COVERAGE"
    UNCONFIRMED_USERS = "UNCONFIRMED_USERS"
    UNREAD_GUIDE = "UNREAD_GUIDE"
    OVERLOAD = "OVERLOAD"
    STALE_PLANS = "STALE_PLANS"
    WRONG_GROUP = "WRONG_GROUP"
    OTHER = "OTHER"


class FindingState(StrEnum):
    """Where a finding stands."""

    OPEN = "OPEN"
    INVESTIGATING = "INVESTIGATING"
    ACTIONED = "ACTIONED"
    CLOSED = "CLOSED"


class FindingAction(StrEnum):
    """What a viewer may do to a finding."""

    RECORD_CAUSE = "RECORD_CAUSE"
    CLOSE = "CLOSE"
    ASSIGN_TRAINING = "ASSIGN_TRAINING"
    PROPOSE_ROLE_CHANGE = "PROPOSE_ROLE_CHANGE"


# Why ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evidence:
    """A number behind a hypothesis."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What may be the cause, in a sentence and in numbers. It names nobody."""

    cause: Cause
    sentence: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a subject when it misses a rule.

    `staff`: who works there, of them `confirmed` can sign in; `waiting_days`: since when the first of the others has been expected.
    `readings` of guides are asked for there, `unread` of them are missing. `elsewhere`: open referrals and confirmed staff of
    the organization's other offices. `listed`, `verified`: what insurance lists there, and how much was verified lately.
    """

    work: Work
    staff: int = 0
    confirmed: int = 0
    invites_expired: int = 0
    waiting_days: int = 0
    readings: int = 0
    unread: int = 0
    elsewhere_open: int = 0
    elsewhere_confirmed: int = 0
    listed: int = 0
    verified: int = 0


def hypotheses(measure: Measure, known: Circumstances) -> tuple[Hypothesis, ...]:
    """What the data say may be the cause; nothing when nothing stands out. The same data, the same words."""
    found = (*_people(known), *_guides(known), *_load(known), *_plans(known), *_misdirected(known))
    same = Cause.STALE_PLANS if measure is Measure.PLANS_VERIFIED else None
    return tuple(one for one in found if one.cause is not same)


def _told(cause: Cause, sentence: str, **evidence: int) -> Hypothesis:
    numbers = tuple(Evidence(name, value) for name, value in evidence.items())
    return Hypothesis(cause, sentence, numbers)


def _people(known: Circumstances) -> Iterator[Hypothesis]:
    waiting = known.staff - known.confirmed
    if waiting or known.confirmed <= 1:
        yield _told(
            Cause.COVERAGE,
            f"Of {known.staff} people who work there {known.confirmed} can sign in.",
            staff=known.staff,
            confirmed=known.confirmed,
            unconfirmed=waiting,
        )
    if waiting:
        yield _told(
            Cause.UNCONFIRMED_USERS,
            f"{waiting} have not confirmed, the first of them expected for {known.waiting_days} days;"
            f" {known.invites_expired} invitations are over.",
            unconfirmed=waiting,
            waitingDays=known.waiting_days,
            invitationsExpired=known.invites_expired,
        )


def _guides(known: Circumstances) -> Iterator[Hypothesis]:
    if known.unread:
        yield _told(
            Cause.UNREAD_GUIDE,
            f"Of {known.readings} readings of guides that are asked for there {known.unread} are missing.",
            readings=known.readings,
            unread=known.unread,
        )


def _load(known: Circumstances) -> Iterator[Hypothesis]:
    """Half as much again for each of the staff as at the organization's other offices."""
    here, there = known.work.open, known.elsewhere_open
    enough = here >= 2 * SMALL_CELL and known.confirmed and known.elsewhere_confirmed
    more = 2 * here * known.elsewhere_confirmed > 3 * there * known.confirmed
    if enough and more:
        yield _told(
            Cause.OVERLOAD,
            f"{known.confirmed} confirmed staff have {here} open referrals; {known.elsewhere_confirmed} elsewhere in the"
            f" organization have {there}.",
            open=here,
            confirmed=known.confirmed,
            elsewhereOpen=there,
            elsewhereConfirmed=known.elsewhere_confirmed,
        )


def _plans(known: Circumstances) -> Iterator[Hypothesis]:
    stale = known.listed - known.verified
    if known.listed >= SMALL_CELL and 10 * stale > known.listed:
        yield _told(
            Cause.STALE_PLANS,
            f"Of {known.listed} plans listed there {stale} were not verified within 90 days.",
            listed=known.listed,
            stale=stale,
        )


def _misdirected(known: Circumstances) -> Iterator[Hypothesis]:
    work = known.work
    if work.arrived >= SMALL_CELL and 10 * work.misdirected >= work.arrived:
        yield _told(
            Cause.WRONG_GROUP,
            f"{work.arrived} referrals came, and {work.misdirected} were declined for the wrong specialty or office, or given on.",
            arrived=work.arrived,
            misdirected=work.misdirected,
        )


# The finding ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a subject missed in a week, by the version of the rule that the week had. One of each subject and measure is not
    closed. `office_ids`: of the subject when it was raised; `actioned_at`: when something that was decided on had been done."""

    id: FindingId
    organization_id: OrganizationId
    subject: SubjectKind
    subject_id: UUID
    measure: Measure
    rule_number: int
    week_of: date
    percent: int
    part: int
    whole: int
    office_ids: frozenset[UUID]
    hypotheses: tuple[Hypothesis, ...]
    state: FindingState
    version: int
    raised_at: datetime
    cause: Cause | None = None
    note: str | None = None
    investigated_by: UserId | None = None
    investigated_at: datetime | None = None
    actioned_at: datetime | None = None
    closed_by: UserId | None = None
    closed_at: datetime | None = None

    @property
    def share(self) -> Share:
        """The figure that missed the rule."""
        return Share(self.part, self.whole)

    def require_version(self, expected: int) -> None:
        """Conflict STALE_VERSION when the caller has seen another version."""
        if self.version != expected:
            raise stale_version("finding", self.version)

    def require_open(self) -> None:
        """Conflict FINDING_CLOSED when it is over."""
        if self.state is FindingState.CLOSED:
            raise Conflict(
                "This finding is closed.",
                code="FINDING_CLOSED",
                field="findingId",
                remedy="Should the rule be missed again, a new finding is raised.",
            )


def raises(results: Sequence[Result]) -> list[Result]:
    """The results that become findings: those that miss their rule, with enough data."""
    return [one for one in results if one.verdict is Verdict.MISSED]


def clean_note(note: str | None) -> str | None:
    """What was written about a cause as it is kept; Invalid when it is too long."""
    text = (note or "").strip()
    if len(text) > MAX_NOTE or "\0" in text:
        raise Invalid(f"A note has at most {MAX_NOTE} characters.", field="note")
    return text or None


# Whether it helped ----------------------------------------------------------------------------------------------------


class EffectVerdict(StrEnum):
    """Whether it helped: the weeks are not over; too little to say; the rule is met; better; no better."""

    MEASURING = "MEASURING"
    NOT_ENOUGH_DATA = "NOT_ENOUGH_DATA"
    MET = "MET"
    BETTER = "BETTER"
    NO_BETTER = "NO_BETTER"


@dataclass(frozen=True, slots=True)
class EffectWeek:
    """A week after something was done, measured by the finding's own version of the rule."""

    finding_id: FindingId
    week_of: date
    part: int
    whole: int


@dataclass(frozen=True, slots=True)
class Effect:
    """The figure before and after; None where it is of too few referrals to be told."""

    before: Share
    after: Share | None
    weeks: tuple[EffectWeek, ...]
    verdict: EffectVerdict


def effect_weeks(actioned_on: date) -> tuple[date, ...]:
    """The Mondays of the weeks that tell: those after the week in which something had been done."""
    monday = actioned_on - timedelta(days=actioned_on.weekday())
    return tuple(monday + timedelta(weeks=number + 1) for number in range(EFFECT_WEEKS))


def effect(finding: Finding, cases: int, weeks: Sequence[EffectWeek]) -> Effect | None:
    """What the weeks say; None while nothing has been done. `cases`: as the rule has it, of fewer nothing is said."""
    if finding.actioned_at is None:
        return None
    before = finding.share
    after = Share(sum(one.part for one in weeks), sum(one.whole for one in weeks))
    return Effect(before, after, tuple(weeks), _effect_verdict(finding, cases, after, len(weeks)))


def _effect_verdict(finding: Finding, cases: int, after: Share, weeks: int) -> EffectVerdict:
    if weeks < EFFECT_WEEKS:
        return EffectVerdict.MEASURING
    if after.whole < cases:
        return EffectVerdict.NOT_ENOUGH_DATA
    if 100 * after.part >= finding.percent * after.whole:
        return EffectVerdict.MET
    better = after.part * finding.whole > finding.part * after.whole
    return EffectVerdict.BETTER if better else EffectVerdict.NO_BETTER
