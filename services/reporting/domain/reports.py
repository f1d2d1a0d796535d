"""A group's report of a week: the figures as they are known now, beside those that were published."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.reporting.domain.figures import Figures, figures
from services.reporting.domain.history import Change
from services.reporting.domain.nouns import Group, PublishedReport
from services.reporting.domain.weeks import Week


@dataclass(frozen=True, slots=True)
class Report:
    """What is known now of a group's week. `as_of` is the week's end, or now while the week runs; `data_as_of` the time
    of the last fact that was applied."""

    group: Group
    week: Week
    starts_at: datetime
    ends_at: datetime
    as_of: datetime
    data_as_of: datetime | None
    figures: Figures
    published: PublishedReport | None

    @property
    def restated(self) -> bool:
        """Whether facts that came late make the figures differ from those published (R31)."""
        if self.published is None:
            return False
        return Figures.from_data(self.published.figures) != self.figures


@dataclass(frozen=True, slots=True)
class Span:
    """A week in an organization's time zone, as far as it has come."""

    week: Week
    starts_at: datetime
    ends_at: datetime
    as_of: datetime

    @classmethod
    def of(cls, week: Week, zone: ZoneInfo, now: datetime) -> "Span":
        """The week as it stands at `now`."""
        ends_at = week.end(zone)
        return cls(week, week.start(zone), ends_at, min(now, ends_at))

    def figures(self, group: Group, changes: list[Change]) -> Figures:
        """The group's figures of the week, counted from the history of the referrals it had to do with."""
        return figures(changes, group.id, self.starts_at, self.as_of)


def in_week(group: Group, span: Span) -> bool:
    """Whether there was such a group at some time in the week."""
    return group.added_at < span.ends_at and (
        group.removed_at is None or group.removed_at >= span.starts_at
    )
