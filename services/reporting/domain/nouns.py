"""Organizations and groups as reporting knows them from facts, and the reports it published."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

from kit.errors import stale_version

OrganizationId = NewType("OrganizationId", UUID)
GroupId = NewType("GroupId", UUID)
OfficeId = NewType("OfficeId", UUID)
PlanId = NewType("PlanId", UUID)
ProviderId = NewType("ProviderId", UUID)
ReferralId = NewType("ReferralId", UUID)
ReportId = NewType("ReportId", UUID)
UserId = NewType("UserId", UUID)


class ReportAction(StrEnum):
    """What a viewer may do to a published report."""

    MARK_REVIEWED = "MARK_REVIEWED"


@dataclass(frozen=True, slots=True)
class Organization:
    """The customer, with the zone in which it reads days and weeks, and the time of the last fact applied for it."""

    organization_id: OrganizationId
    time_zone: str | None
    data_as_of: datetime | None


@dataclass(frozen=True, slots=True)
class Group:
    """A group of providers, at one or more offices. Its reports outlive it."""

    id: GroupId
    organization_id: OrganizationId
    name: str
    office_ids: frozenset[OfficeId]
    added_at: datetime
    removed_at: datetime | None

    @property
    def place(self) -> tuple[str, UUID]:
        """Its place in a list of groups: by name."""
        return self.name, self.id


@dataclass(frozen=True, slots=True)
class PublishedReport:
    """A group's figures of a week as they stood when published: never changed. `version` is 2 once it was reviewed."""

    id: ReportId
    organization_id: OrganizationId
    group_id: GroupId
    week_of: date
    figures: dict[str, Any]
    data_as_of: datetime | None
    published_at: datetime
    reviewed_at: datetime | None
    reviewed_by: UserId | None
    watermark: str | None = None

    @property
    def version(self) -> int:
        """1 as published, 2 once reviewed."""
        return 1 if self.reviewed_at is None else 2


def refuse_other_version(report: PublishedReport, expected: int) -> None:
    """Conflict STALE_VERSION when the caller has seen another version of the report."""
    if report.version != expected:
        raise stale_version("report", report.version)
