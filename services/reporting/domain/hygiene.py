"""How well accounts, coverage and what is listed are kept (R04, R07, R18, R29): of staff and listings, so nothing is suppressed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.reporting.domain.figures import Share
from services.reporting.domain.nouns import OfficeId, UserId

SHOWN = 100
"""How many accounts a list names at most; its count is of all."""


class VerifiedAge(StrEnum):
    """How long ago somebody said that it is still true. After 90 days it is stale."""

    WITHIN_30_DAYS = "WITHIN_30_DAYS"
    WITHIN_60_DAYS = "WITHIN_60_DAYS"
    WITHIN_90_DAYS = "WITHIN_90_DAYS"
    STALE = "STALE"
    NEVER = "NEVER"


STALE_FROM_DAYS = (31, 61, 91)
"""The first day of each age but the youngest."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody whose account wants looking after, and since when."""

    user_id: UserId
    since: datetime
    invite_expired: bool


@dataclass(frozen=True, slots=True)
class AccountHygiene:
    """Who has not confirmed, who was deactivated for not signing in for 90 days, and the offices at which nobody works who has
    confirmed; the oldest first."""

    data_as_of: datetime | None
    unconfirmed: Sequence[Account]
    inactive: Sequence[Account]
    uncovered: Sequence[OfficeId]


@dataclass(frozen=True, slots=True)
class Ages:
    """How many of each age."""

    counts: Mapping[VerifiedAge, int]

    @property
    def fresh(self) -> Share:
        """Those looked at within 90 days, of all."""
        old = self.counts[VerifiedAge.STALE] + self.counts[VerifiedAge.NEVER]
        whole = sum(self.counts.values())
        return Share(whole - old, whole)


@dataclass(frozen=True, slots=True)
class DirectoryAccuracy:
    """The ages of providers' profiles and of what is listed of plans, on a day; and office by office."""

    on: date
    data_as_of: datetime | None
    profiles: Ages
    participations: Ages
    offices: Mapping[OfficeId, Ages]


@dataclass(frozen=True, slots=True)
class Campaign:
    """A review of what is accepted where, as it was told."""

    campaign_id: UUID
    kind: str
    items: int
    attested: int
    due_on: date
    opened_at: datetime
    escalated_at: datetime | None
    closed_at: datetime | None
    closed_because: str | None

    @property
    def progress(self) -> Share:
        """Items attested, of all; more cannot be than there are."""
        return Share(min(self.attested, self.items), self.items)


def ages(counts: Sequence[tuple[int | None, int]]) -> Ages:
    """Of counts by place among the ages, None for what was never verified."""
    told = dict.fromkeys(VerifiedAge, 0)
    for place, count in counts:
        told[VerifiedAge.NEVER if place is None else list(VerifiedAge)[place]] += count
    return Ages(told)
