"""The call centre's feed: what is another than it was when it was last told (R10)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, NewType
from uuid import UUID

from services.directory.domain.nouns import OrganizationId, UserId

FeedItemId = NewType("FeedItemId", UUID)

PATIENCE = timedelta(seconds=20)
"""How long a change waits before it is told: what is undone meanwhile was never worth a word."""

UNANSWERED = timedelta(hours=24)
"""After so long what nobody has acknowledged goes to the client admins."""

BURST = 20
"""More things than these at once are one digest."""

GROWING = timedelta(minutes=5)
"""What comes in bursts within so long after an unacknowledged digest is added to it."""


class Subject(StrEnum):
    """What an item is about."""

    PROVIDER = "PROVIDER"
    OFFICE = "OFFICE"
    DIGEST = "DIGEST"


class ChangeKind(StrEnum):
    """What has changed."""

    PROVIDER_ADDED = "PROVIDER_ADDED"
    PROVIDER_REMOVED = "PROVIDER_REMOVED"
    PROVIDER_MERGED = "PROVIDER_MERGED"
    PLACEMENT_ADDED = "PLACEMENT_ADDED"
    PLACEMENT_ENDED = "PLACEMENT_ENDED"
    PLACEMENT_CHANGED = "PLACEMENT_CHANGED"
    MOVED = "MOVED"
    NEW_PATIENTS = "NEW_PATIENTS"
    PLANS = "PLANS"
    OFFICE_LIVE = "OFFICE_LIVE"
    OFFICE_CLOSING = "OFFICE_CLOSING"
    OFFICE_CLOSED = "OFFICE_CLOSED"
    OFFICE_STAYS = "OFFICE_STAYS"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that has changed; which of the others are set follows from the kind. `count`: of a digest, how often."""

    kind: ChangeKind
    office_id: UUID | None = None
    from_office_id: UUID | None = None
    survivor_id: UUID | None = None
    effective_from: date | None = None
    effective_until: date | None = None
    accepting_new_patients: bool | None = None
    plans_added: tuple[UUID, ...] = ()
    plans_ended: tuple[UUID, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class Touched:
    """Something that was touched: how it was and how it is. `known`: the provider was approved at some time, or it is an office;
    what nobody was told of before is nobody's loss."""

    kind: str
    provider_id: UUID | None
    office_id: UUID | None
    before: Any
    after: Any
    known: bool


@dataclass(frozen=True, slots=True)
class Told:
    """All that has changed with one thing, or the numbers of many."""

    kind: Subject
    subject_id: UUID | None
    changes: tuple[Change, ...]
    subjects: int = 1


@dataclass(frozen=True, slots=True)
class FeedItem:
    """What was told to the call centre, and who has taken note of it."""

    id: FeedItemId
    organization_id: OrganizationId
    kind: Subject
    subject_id: UUID | None
    changes: tuple[Change, ...]
    subjects: int
    told_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: UserId | None
    escalated_at: datetime | None


def news(touched: Iterable[Touched]) -> list[Told]:
    """What is to be told of what was touched, one for each provider and office; many of them become one digest."""
    found: dict[tuple[Subject, UUID], list[Change]] = {}
    for one in touched:
        if one.known and (changes := _changes(one)):
            found.setdefault(_subject(one), []).extend(changes)
    items = [
        Told(kind, subject, tuple(_together(changes))) for (kind, subject), changes in found.items()
    ]
    return [digest(items)] if len(items) > BURST else items


def digest(items: Sequence[Told]) -> Told:
    """The numbers of many."""
    counts: Counter[ChangeKind] = Counter()
    for item in items:
        for change in item.changes:
            counts[change.kind] += change.count
    changes = tuple(Change(kind, count=counts[kind]) for kind in ChangeKind if counts[kind])
    return Told(Subject.DIGEST, None, changes, sum(item.subjects for item in items))


def _subject(one: Touched) -> tuple[Subject, UUID]:
    if one.provider_id is not None:
        return Subject.PROVIDER, one.provider_id
    if one.office_id is None:
        raise ValueError("what was touched is neither a provider nor an office")
    return Subject.OFFICE, one.office_id


def _changes(one: Touched) -> list[Change]:
    if one.kind == "PLACEMENT":
        return _of_placement(one.office_id, _stays(one.before), _stays(one.after))
    if one.kind == "PLANS":
        return _of_plans(one.office_id, _plans(one.before), _plans(one.after))
    if one.kind == "PROVIDER":
        return _of_provider(one.before, one.after)
    return _of_office(one.before, one.after)


def _together(changes: Sequence[Change]) -> list[Change]:
    """Who goes takes everything else along; who leaves one office for another has moved."""
    gone = [
        one
        for one in changes
        if one.kind in {ChangeKind.PROVIDER_REMOVED, ChangeKind.PROVIDER_MERGED}
    ]
    if gone:
        return gone
    added = [one for one in changes if one.kind is ChangeKind.PLACEMENT_ADDED]
    ended = [one for one in changes if one.kind is ChangeKind.PLACEMENT_ENDED]
    if len(added) == 1 and len(ended) == 1 and added[0].office_id != ended[0].office_id:
        moved = replace(added[0], kind=ChangeKind.MOVED, from_office_id=ended[0].office_id)
        return [moved, *(one for one in changes if one not in (added[0], ended[0]))]
    return list(changes)


# Placements ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stay:
    """Half-open days at an office."""

    first: date
    until: date | None
    accepting: bool


def _stays(rows: Sequence[Mapping[str, Any]]) -> list[_Stay]:
    """The days at an office; those that follow one another are one, and none that never came about is among them."""
    found: list[_Stay] = []
    for row in rows:
        stay = _Stay(date.fromisoformat(row["from"]), _day(row["until"]), row["accepting"])
        if stay.until is not None and stay.until <= stay.first:
            continue
        if found and found[-1].until == stay.first:
            stay = replace(stay, first=found.pop().first)
        found.append(stay)
    return found


def _of_placement(
    office_id: UUID | None, before: Sequence[_Stay], after: Sequence[_Stay]
) -> list[Change]:
    was, now = (before[-1] if before else None), (after[-1] if after else None)
    if now is not None and len(after) > len(before):
        return [
            Change(
                ChangeKind.PLACEMENT_ADDED,
                office_id,
                effective_from=now.first,
                effective_until=now.until,
                accepting_new_patients=now.accepting,
            )
        ]
    if was is None:
        return []
    if now is None or len(after) < len(before) or _ends_sooner(was, now):
        until = now.until if now and len(after) == len(before) else was.first
        return [Change(ChangeKind.PLACEMENT_ENDED, office_id, effective_until=until)]
    found = []
    if (was.first, was.until) != (now.first, now.until):
        days = {"effective_from": now.first, "effective_until": now.until}
        found.append(Change(ChangeKind.PLACEMENT_CHANGED, office_id, **days))  # type: ignore[arg-type]
    if was.accepting != now.accepting:
        found.append(
            Change(ChangeKind.NEW_PATIENTS, office_id, accepting_new_patients=now.accepting)
        )
    return found


def _ends_sooner(was: _Stay, now: _Stay) -> bool:
    return now.until is not None and (was.until is None or now.until < was.until)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


# Plans, providers, offices ------------------------------------------------------------------------------------------------


def _plans(rows: Sequence[Mapping[str, Any]]) -> dict[UUID, date | None]:
    """Until when each plan is accepted; None: without an end."""
    found: dict[UUID, date | None] = {}
    for plan, stays in groupby(rows, key=lambda row: str(row["plan"])):
        ends = [
            _day(row["until"])
            for row in stays
            if row["until"] is None or row["until"] > row["from"]
        ]
        if ends:
            known = [end for end in ends if end is not None]
            found[UUID(plan)] = max(known) if len(known) == len(ends) else None
    return found


def _of_plans(
    office_id: UUID | None, before: dict[UUID, date | None], after: dict[UUID, date | None]
) -> list[Change]:
    never = date.max
    differs = {
        plan for plan in before.keys() | after.keys() if before.get(plan, 0) != after.get(plan, 0)
    }
    added = [
        plan
        for plan in differs & after.keys()
        if plan not in before or (after[plan] or never) > (before[plan] or never)
    ]
    ended = differs - set(added)
    if not differs:
        return []
    return [
        Change(
            ChangeKind.PLANS,
            office_id,
            plans_added=tuple(sorted(added)),
            plans_ended=tuple(sorted(ended)),
        )
    ]


def _of_provider(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    was, now = before["state"], after["state"]
    if now == "REMOVED" and was != "REMOVED":
        if after["merged_into"]:
            return [Change(ChangeKind.PROVIDER_MERGED, survivor_id=UUID(after["merged_into"]))]
        return [Change(ChangeKind.PROVIDER_REMOVED)]
    if now == "APPROVED" and was in {"DRAFT", "SUBMITTED", "REJECTED"}:
        return [Change(ChangeKind.PROVIDER_ADDED)]
    return []


def _of_office(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    was, now = before["state"], after["state"]
    closes, closed_before = _day(after["closes_on"]), _day(before["closes_on"])
    if now == "CLOSED":
        return [Change(ChangeKind.OFFICE_CLOSED)] if was != "CLOSED" else []
    if closes is not None and closes != closed_before:
        return [Change(ChangeKind.OFFICE_CLOSING, effective_until=closes)]
    if closes is None and closed_before is not None and was != "CLOSED":
        return [Change(ChangeKind.OFFICE_STAYS)]
    if now == "LIVE" and was in {"PLANNED", "READY", "CLOSED"}:
        return [Change(ChangeKind.OFFICE_LIVE)]
    return []
