"""Scorecards: what an office or a group is measured by each week, by rules that have versions (R32)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from kit.errors import Invalid, stale_version
from services.reporting.domain.explaining import SMALL_CELL
from services.reporting.domain.figures import Share
from services.reporting.domain.history import OPEN, Change, Standing, Step, Verb
from services.reporting.domain.nouns import (
    GroupId,
    OfficeId,
    OrganizationId,
    ReferralId,
    UserId,
)

VERIFY_WITHIN = timedelta(days=90)
"""A participation that was last verified longer ago is stale."""


class SubjectKind(StrEnum):
    """What a scorecard is of. Never a person."""

    OFFICE = "OFFICE"
    GROUP = "GROUP"


class Measure(StrEnum):
    """What is measured: a share, of which more is better."""

    FIRST_ACTION_IN_TIME = "FIRST_ACTION_IN_TIME"
    ATTENDANCE_REPORTED = "ATTENDANCE_REPORTED"
    DECLINES_EXPLAINED = "DECLINES_EXPLAINED"
    PLANS_VERIFIED = "PLANS_VERIFIED"
    DRAFTS_IN_TIME = "DRAFTS_IN_TIME"


COUNTED = (
    Measure.FIRST_ACTION_IN_TIME,
    Measure.ATTENDANCE_REPORTED,
    Measure.DECLINES_EXPLAINED,
)
"""What facts of referrals alone tell, of any week at any time. Plans and the places of drafts are only known as they are now."""


class Verdict(StrEnum):
    """What a rule says of a week."""

    MET = "MET"
    MISSED = "MISSED"
    NOT_ENOUGH_DATA = "NOT_ENOUGH_DATA"


@dataclass(frozen=True, slots=True)
class Subject:
    """An office, or a group at its offices."""

    organization_id: OrganizationId
    kind: SubjectKind
    id: UUID
    name: str
    office_ids: frozenset[UUID]


# Rules ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of the rule of a measure, for weeks from `from_week` (a Monday; None: from the beginning).

    `percent`: at least so much of the whole. `cases`: of fewer nothing is said. `target_days`: of FIRST_ACTION_IN_TIME and
    DRAFTS_IN_TIME, how many days are in time.
    """

    measure: Measure
    number: int
    percent: int
    cases: int = SMALL_CELL
    target_days: int | None = None
    watched: bool = True
    from_week: date | None = None
    set_by: UserId | None = None
    set_at: datetime | None = None

    def verdict(self, share: Share) -> Verdict:
        """What it says of a share."""
        if share.whole < self.cases:
            return Verdict.NOT_ENOUGH_DATA
        met = 100 * share.part >= self.percent * share.whole
        return Verdict.MET if met else Verdict.MISSED


DEFAULTS: Mapping[Measure, Rule] = {
    Measure.FIRST_ACTION_IN_TIME: Rule(Measure.FIRST_ACTION_IN_TIME, 1, 80, target_days=7),
    Measure.ATTENDANCE_REPORTED: Rule(Measure.ATTENDANCE_REPORTED, 1, 80),
    Measure.DECLINES_EXPLAINED: Rule(Measure.DECLINES_EXPLAINED, 1, 80),
    Measure.PLANS_VERIFIED: Rule(Measure.PLANS_VERIFIED, 1, 90),
    Measure.DRAFTS_IN_TIME: Rule(Measure.DRAFTS_IN_TIME, 1, 100, target_days=3),
}
"""The rules of an organization that has set none."""


def newest(rules: Sequence[Rule], measure: Measure) -> Rule:
    """The version set last, whenever it begins."""
    found = [rule for rule in rules if rule.measure is measure]
    return max(found, key=lambda rule: rule.number, default=DEFAULTS[measure])


def in_force(rules: Sequence[Rule], measure: Measure, monday: date) -> Rule:
    """The version of a week: a week has one, whatever was set while it ran."""
    begun = [rule for rule in rules if rule.from_week is not None and rule.from_week <= monday]
    return newest(begun, measure)


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What of a rule is to be another; None is left as it is."""

    percent: int | None = None
    cases: int | None = None
    target_days: int | None = None
    watched: bool | None = None

    def of(self, before: Rule, from_week: date, by: UserId, at: datetime) -> Rule:
        """The next version; Invalid when it says nothing that can be measured."""
        _require("atLeastPercent", self.percent, 1, 100)
        _require("cases", self.cases, SMALL_CELL, 1000)
        _require("targetDays", self.target_days, 1, 90)
        if self.target_days is not None and before.target_days is None:
            raise Invalid("This measure has no target in days.", field="targetDays")
        return Rule(
            before.measure,
            before.number + 1,
            before.percent if self.percent is None else self.percent,
            before.cases if self.cases is None else self.cases,
            before.target_days if self.target_days is None else self.target_days,
            before.watched if self.watched is None else self.watched,
            from_week,
            by,
            at,
        )


def _require(field_: str, given: int | None, least: int, most: int) -> None:
    if given is not None and not least <= given <= most:
        raise Invalid(f"{field_} is {least} to {most}.", field=field_)


def require_number(rule: Rule, expected: int) -> None:
    """Conflict STALE_VERSION when the caller has seen another version of the rule."""
    if rule.number != expected:
        raise stale_version("rule", rule.number)


# Measuring ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Counts:
    """What happened at a subject in a week: how often, how often well, and with which referrals it did not go well."""

    part: int = 0
    whole: int = 0
    missed: list[ReferralId] = field(default_factory=list)

    def add(self, referral_id: ReferralId, *, well: bool) -> None:
        """Count one."""
        self.whole += 1
        self.part += well
        if not well:
            self.missed.append(referral_id)

    @property
    def share(self) -> Share:
        """As a share."""
        return Share(self.part, self.whole)


@dataclass(slots=True)
class Work:
    """The work of a subject in a week, as far as hypotheses ask for it. `misdirected`: declined for the wrong specialty or office,
    or given on to somebody else."""

    arrived: int = 0
    misdirected: int = 0
    open: int = 0


@dataclass(slots=True)
class Observed:
    """A subject's week."""

    counts: dict[Measure, Counts] = field(
        default_factory=lambda: {measure: Counts() for measure in Measure}
    )
    work: Work = field(default_factory=Work)


_MISDIRECTED = frozenset({"WRONG_SPECIALTY", "WRONG_OFFICE"})


Told = tuple[ReferralId, int]
"""A referral and the version of it that a fact told."""


class Observing:
    """Goes through referrals once, for every office and group that had them in a week: from `start` until before `end`.

    `commented`: of the declines of which that is known, whether words came with the coded reason.
    """

    def __init__(
        self, start: datetime, end: datetime, target: timedelta, commented: Mapping[Told, bool]
    ) -> None:
        self._start, self._end, self._target = start, end, target
        self._commented = commented
        self.found: dict[UUID, Observed] = {}

    def _at(self, change: Change) -> Iterator[Observed]:
        for id_ in (change.group_id, change.office_id):
            if id_ is not None:
                yield self.found.setdefault(id_, Observed())

    def see(self, steps: Iterable[Step]) -> None:
        """Count what one referral's steps say."""
        last: Standing | None = None
        passed: list[Standing] = []
        for step in steps:
            if step.at >= self._end:
                break
            last = step.after
            if step.at >= self._start:
                self._arrivals(step)
                self._receiving(step)
                if step.after.change.verb is Verb.APPOINTMENT_PASSED:
                    passed.append(step.after)
        if last is not None:
            self._at_the_end(last, passed)

    def _arrivals(self, step: Step) -> None:
        now, before = step.after.change, step.before.change if step.before else None
        if now.status in OPEN:
            for id_ in _ids(now) - (_ids(before) if before and before.status in OPEN else set()):
                self.found.setdefault(id_, Observed()).work.arrived += 1
        given_on = now.verb in (Verb.FORWARDED, Verb.REASSIGNED)
        if before and (given_on or (now.verb is Verb.DECLINED and now.reason_code in _MISDIRECTED)):
            left = _ids(before) - _ids(now) if given_on else _ids(before)
            for id_ in left:
                self.found.setdefault(id_, Observed()).work.misdirected += 1

    def _receiving(self, step: Step) -> None:
        before, change = step.before, step.after.change
        if before is None or before.change.status not in OPEN:
            return
        if change.by_receiver and not before.acted:
            well = step.at - before.since <= self._target
            self._count(Measure.FIRST_ACTION_IN_TIME, before.change, well=well)
        reported = change.by_receiver and change.verb in (Verb.COMPLETED, Verb.NO_SHOW)
        if before.appointment and reported:
            self._count(Measure.ATTENDANCE_REPORTED, before.change, well=True)
        commented = self._commented.get((change.referral_id, change.version))
        if change.verb is Verb.DECLINED and commented is not None:
            self._count(Measure.DECLINES_EXPLAINED, before.change, well=commented)

    def _at_the_end(self, last: Standing, passed: Sequence[Standing]) -> None:
        if last.change.status not in OPEN:
            return
        for seen in self._at(last.change):
            seen.work.open += 1
        if not last.acted and self._end - last.since > self._target:
            self._count(Measure.FIRST_ACTION_IN_TIME, last.change, well=False)
        if last.appointment and any(one.change.hop == last.change.hop for one in passed):
            self._count(Measure.ATTENDANCE_REPORTED, last.change, well=False)

    def _count(self, measure: Measure, change: Change, *, well: bool) -> None:
        for seen in self._at(change):
            seen.counts[measure].add(change.referral_id, well=well)


def _ids(change: Change) -> set[UUID]:
    return {id_ for id_ in (change.group_id, change.office_id) if id_ is not None}


# What is listed, and drafts ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    """What insurance lists: a provider accepts a plan at an office, and somebody said so last on a day."""

    provider_id: UUID
    office_id: UUID
    verified_on: date | None

    def verified(self, day: date) -> bool:
        """Whether that was within ninety days."""
        return self.verified_on is not None and day <= self.verified_on + VERIFY_WITHIN


def plans_verified(listed: Iterable[Listed], day: date) -> Counts:
    """How much of what is listed was verified within ninety days of a day."""
    counted = Counts()
    for one in listed:
        counted.whole += 1
        counted.part += one.verified(day)
    return counted


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft at an office, for a group if it is one's, since it was made and until it was sent or dropped; None: it is there."""

    referral_id: ReferralId
    office_id: OfficeId
    group_id: GroupId | None
    drafted_at: datetime
    ended_at: datetime | None = None


def drafts_in_time(drafts: Iterable[Draft], subject: Subject, end: datetime, days: int) -> Counts:
    """Of the drafts of a week until `end` those that ended in it, and those that were older at its end: how many were sent or
    dropped within so many days. `drafts` are those that were there in the week."""
    counted, target = Counts(), timedelta(days=days)
    for one in drafts:
        if subject.id in (one.office_id, one.group_id):
            ended = one.ended_at if one.ended_at and one.ended_at < end else None
            well = ended is not None and ended - one.drafted_at <= target
            if ended or end - one.drafted_at > target:
                counted.add(one.referral_id, well=well)
    return counted
