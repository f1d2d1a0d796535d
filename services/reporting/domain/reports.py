"""A group's report of a week: the figures as they are known now, beside those that were published and the week before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.reporting.domain.counting import Counted, counted
from services.reporting.domain.explaining import (
    Difference,
    Explanation,
    differences,
    explain,
    restated,
    watermark,
)
from services.reporting.domain.figures import Figures, figures_of
from services.reporting.domain.history import Change
from services.reporting.domain.nouns import Group, PublishedReport
from services.reporting.domain.tally import histories, tally_of
from services.reporting.domain.weeks import Week


@dataclass(frozen=True, slots=True)
class Telling:
    """What the facts say of a group's week. `watermark`: the digest of the facts the figures are made of.

    `before` is the week before, until the same time of it while the week runs.
    """

    figures: Figures
    before: Figures
    explanations: tuple[Explanation, ...]
    watermark: str

    @classmethod
    def of(cls, before: Counted, now: Counted, mark: str) -> "Telling":
        """What is told of a week and the week before, as they were counted."""
        return cls(figures_of(now), figures_of(before), explain(before, now), mark)


@dataclass(frozen=True, slots=True)
class Span:
    """A week in an organization's time zone, as far as it has come, and the week before as far."""

    week: Week
    starts_at: datetime
    ends_at: datetime
    as_of: datetime
    before_starts_at: datetime

    @classmethod
    def of(cls, week: Week, zone: ZoneInfo, now: datetime) -> "Span":
        """The week as it stands at `now`."""
        starts_at, ends_at = week.start(zone), week.end(zone)
        return cls(week, starts_at, ends_at, min(now, ends_at), week.preceding.start(zone))

    @property
    def before_as_of(self) -> datetime:
        """Until when the week before is looked at: its end, or as far as this week has come."""
        if self.as_of == self.ends_at:
            return self.starts_at
        return min(self.before_starts_at + (self.as_of - self.starts_at), self.starts_at)

    def tell(self, group: Group, changes: Sequence[Change]) -> Telling:
        """What is told of the group's week, by definition: counted from the history of the referrals it had to do with. The
        store counts the same from what it keeps of them."""
        told = histories(changes)
        now = counted(tally_of(told, group.id, self.starts_at, self.as_of))
        before = counted(tally_of(told, group.id, self.before_starts_at, self.before_as_of))
        return Telling.of(before, now, watermark(now, changes, self.as_of))


@dataclass(frozen=True, slots=True)
class Report:
    """What is known now of a group's week. `data_as_of` is the time of the last fact that was applied."""

    group: Group
    span: Span
    data_as_of: datetime | None
    told: Telling
    published: PublishedReport | None

    @property
    def figures(self) -> Figures:
        """The figures as they are known now."""
        return self.told.figures

    @property
    def restated(self) -> bool:
        """Whether facts that came late make the figures differ from those published (R31)."""
        return self.published is not None and restated(self.published.figures, self.figures)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What they changed, number by number."""
        return differences(self.published.figures, self.figures) if self.published else ()


def in_week(group: Group, span: Span) -> bool:
    """Whether there was such a group at some time in the week."""
    return group.added_at < span.ends_at and (
        group.removed_at is None or group.removed_at >= span.starts_at
    )
