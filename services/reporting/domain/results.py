"""What rules said of weeks, what late facts changed in it, and what of that is told (R32)."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from services.reporting.domain.explaining import SMALL_CELL
from services.reporting.domain.figures import Share
from services.reporting.domain.nouns import OrganizationId, ReferralId
from services.reporting.domain.scorecards import (
    Counts,
    Measure,
    Rule,
    Subject,
    SubjectKind,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class Result:
    """What a rule said of a subject's week. `missed`: the referrals with which it did not go well; it never changes. `hidden`: the
    figure is not to be told to the reader."""

    organization_id: OrganizationId
    week_of: date
    subject: SubjectKind
    subject_id: UUID
    measure: Measure
    rule_number: int
    percent: int
    part: int
    whole: int
    verdict: Verdict
    missed: tuple[ReferralId, ...]
    hidden: bool = False
    restated: "Restatement | None" = None

    @property
    def share(self) -> Share | None:
        """The figure; None where it is hidden."""
        return None if self.hidden else Share(self.part, self.whole)

    def told(self, since: "Restatement | None", *, all_told: bool) -> "Result":
        """As it may be told, with what the rule says since: of 1 to 4 referrals neither the figure nor which they were, unless
        `all_told`."""
        said = replace(self, restated=since and since.told(all_told=all_told))
        if all_told or not small(self.measure, self.whole):
            return said
        return replace(said, missed=(), hidden=True)


@dataclass(frozen=True, slots=True)
class Restatement:
    """What a rule says of a subject's week since late facts changed it."""

    subject_id: UUID
    week_of: date
    measure: Measure
    part: int
    whole: int
    verdict: Verdict
    missed: tuple[ReferralId, ...]
    restated_at: datetime
    hidden: bool = False

    @property
    def share(self) -> Share | None:
        """The figure; None where it is hidden."""
        return None if self.hidden else Share(self.part, self.whole)

    def told(self, *, all_told: bool) -> "Restatement":
        """As it may be told."""
        if all_told or not small(self.measure, self.whole):
            return self
        return replace(self, missed=(), hidden=True)


def unmeasured(told: Result) -> Result:
    """What was said where nothing had been heard of yet."""
    return replace(told, part=0, whole=0, missed=(), verdict=Verdict.NOT_ENOUGH_DATA)


def small(measure: Measure, whole: int) -> bool:
    """Whether a figure is of too few referrals to be told to who may not open them. What insurance lists is of no patient."""
    return measure is not Measure.PLANS_VERIFIED and 0 < whole < SMALL_CELL


def result(subject: Subject, monday: date, rule: Rule, counts: Counts) -> Result:
    """A rule's word on what was counted."""
    return Result(
        subject.organization_id,
        monday,
        subject.kind,
        subject.id,
        rule.measure,
        rule.number,
        rule.percent,
        counts.part,
        counts.whole,
        rule.verdict(counts.share),
        tuple(sorted(counts.missed)),
    )
