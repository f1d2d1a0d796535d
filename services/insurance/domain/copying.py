"""Rules of copies: what is accepted at one place is added to another, and nothing is ever taken away (R27)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from kit.errors import Invalid
from services.insurance.domain.nouns import (
    InsurancePlan,
    OfficeId,
    OrganizationId,
    Participation,
    ParticipationId,
    Period,
    Place,
    PlanId,
    ProviderId,
    UserId,
    before,
)

CopyId = NewType("CopyId", UUID)

MAX_COPIED = 10_000
"""Rows that one copy may hold."""


class CopyOutcome(StrEnum):
    """What becomes of one row that is copied."""

    ADDED = "ADDED"
    ALREADY_THERE = "ALREADY_THERE"
    NOT_AT_OFFICE = "NOT_AT_OFFICE"
    SOURCE_CHANGED = "SOURCE_CHANGED"
    NOT_OFFERED = "NOT_OFFERED"


@dataclass(frozen=True, slots=True)
class CopyWanted:
    """What to copy: the rows of a provider, an office or both, from a day on, of some plans or of all; and to whom or where."""

    source: Place
    target: Place
    effective_from: date
    plan_ids: tuple[PlanId, ...] = ()


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that was started: so many of its rows are done."""

    id: CopyId
    organization_id: OrganizationId
    from_provider_id: ProviderId | None
    from_office_id: OfficeId | None
    to_provider_id: ProviderId | None
    to_office_id: OfficeId | None
    effective_from: date
    started_at: datetime
    started_by: UserId
    total: int
    done: int = 0
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CopyItem:
    """One row to be copied, to where, on which days; and what became of it, or would."""

    place: int
    source_id: ParticipationId
    source_until: date | None
    provider_id: ProviderId
    office_id: OfficeId
    plan_id: PlanId
    effective_from: date
    effective_until: date | None
    outcome: CopyOutcome | None = None
    participation_id: ParticipationId | None = None
    """The row that was added, or the one that is there already."""

    @property
    def period(self) -> Period:
        """The days that would be added."""
        return Period(self.effective_from, self.effective_until)


def clean_copy(wanted: CopyWanted) -> CopyWanted:
    """What makes sense: from somebody or somewhere, to somebody or somewhere else."""
    for place, field in ((wanted.source, "from"), (wanted.target, "to")):
        if place.provider_id is None and place.office_id is None:
            raise Invalid("Name a provider, an office or both.", field=field)
    for_provider = wanted.target.provider_id in (None, wanted.source.provider_id)
    for_office = wanted.target.office_id in (None, wanted.source.office_id)
    if for_provider and for_office:
        raise Invalid(
            "A copy goes to another provider or another office.",
            field="to",
            remedy="Name the provider or the office that the plans are to be added to.",
        )
    return wanted


def items_of(rows: Sequence[Participation], wanted: CopyWanted) -> list[CopyItem]:
    """One item for each row that holds a day from the first day of the copy on, in the order of the rows."""
    found: list[CopyItem] = []
    for row in rows:
        days = row.period.since(wanted.effective_from)
        provider_id = wanted.target.provider_id or row.provider_id
        office_id = wanted.target.office_id or row.office_id
        elsewhere = (provider_id, office_id) != (row.provider_id, row.office_id)
        chosen = not wanted.plan_ids or row.plan_id in wanted.plan_ids
        if not days.empty and elsewhere and chosen:
            found.append(
                CopyItem(
                    len(found) + 1, row.id, row.effective_until, provider_id, office_id,
                    row.plan_id, days.first, days.until,
                )
            )  # fmt: skip
    if len(found) > MAX_COPIED:
        raise Invalid(
            f"A copy holds at most {MAX_COPIED} rows; this one would hold {len(found)}.",
            code="TOO_MANY",
            remedy="Copy some plans, or one provider or office, at a time.",
        )
    return found


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of an item: on which days it is added, or which row stands in its way."""

    outcome: CopyOutcome
    days: Period
    standing: ParticipationId | None = None


def judge(
    item: CopyItem,
    placements: Iterable[Period],
    plan: InsurancePlan,
    existing: Iterable[tuple[ParticipationId | None, Period]],
) -> Judged:
    """What becomes of an item where the provider works at the office on the days of `placements` (in no order), and `existing`
    are the rows of the same provider, office and plan (without an id: about to be added). No row outlasts the placement or the plan."""
    if not plan.period.covers(item.effective_from):
        return Judged(CopyOutcome.NOT_OFFERED, item.period)
    working = [one for one in placements if one.covers(item.effective_from)]
    if not working:
        return Judged(CopyOutcome.NOT_AT_OFFICE, item.period)
    ends = None if any(one.until is None for one in working) else max(
        one.until for one in working if one.until
    )  # fmt: skip
    days = item.period.clipped(ends).clipped(plan.effective_until)
    for row_id, taken in existing:
        if taken.overlaps(days):
            return Judged(CopyOutcome.ALREADY_THERE, days, row_id)
    return Judged(CopyOutcome.ADDED, days)


def changed_since(item: CopyItem, source: Participation | None) -> bool:
    """Whether the row that is copied ends earlier than it did when the copy was started."""
    return source is None or (
        source.effective_until != item.source_until
        and before(source.effective_until or source.effective_from, item.source_until)
    )
