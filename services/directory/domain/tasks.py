"""What admins are to look after: when it is raised, and when it is done (R06, R11, R16, R18, R23)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from kit.errors import Conflict
from services.directory.domain.nouns import OrganizationId, UserId

TaskId = NewType("TaskId", UUID)

PATIENCE = timedelta(hours=24)
"""How long a new provider may be without an office, and a new group without staff, before admins are asked."""

TOGETHER = 2
"""From so many providers of one import on there is one task for the import."""


class TaskKind(StrEnum):
    """What is to be looked after, and where."""

    PROVIDER_WITHOUT_OFFICE = "PROVIDER_WITHOUT_OFFICE"
    IMPORT_WITHOUT_OFFICES = "IMPORT_WITHOUT_OFFICES"
    GROUP_WITHOUT_STAFF = "GROUP_WITHOUT_STAFF"
    ROSTER_NOT_ATTESTED = "ROSTER_NOT_ATTESTED"
    GO_LIVE_MISSED = "GO_LIVE_MISSED"
    PROFILE_TO_VERIFY = "PROFILE_TO_VERIFY"


class TaskEnd(StrEnum):
    """Why a task is closed."""

    DONE = "DONE"
    DISMISSED = "DISMISSED"


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is to be looked after now. The same subject may come again on another occasion."""

    kind: TaskKind
    organization_id: OrganizationId
    subject_id: UUID
    occasion: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A task of an organization's admins."""

    id: TaskId
    organization_id: OrganizationId
    kind: TaskKind
    subject_id: UUID
    occasion: str
    raised_at: datetime
    closed_at: datetime | None
    closed_because: TaskEnd | None
    closed_by: UserId | None
    reason: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Idle:
    """An approved provider who has had no office for a day; of which import, if of one."""

    provider_id: UUID
    organization_id: OrganizationId
    import_batch: UUID | None


@dataclass(frozen=True, slots=True)
class Affiliation:
    """How soon providers who were approved in a time had an office: hours from the approval to the first placement (0 for who was
    placed before), of those who have been placed; and how many of all approved ones have none now (R06)."""

    approved: int
    placed: int
    median_hours: float | None
    longest_hours: float | None
    without_office: int


MOST_DAYS = 366
"""As far back as figures go."""


def without_office(idle: Iterable[Idle], dismissed: Iterable[UUID] = ()) -> list[Due]:
    """One task for each provider, but a single one for those of one import (R06). Who was dismissed does not count."""
    not_meant = set(dismissed)
    rows = [one for one in idle if one.provider_id not in not_meant]
    together = Counter(one.import_batch for one in rows if one.import_batch is not None)
    found: dict[UUID, Due] = {}
    for one in rows:
        if one.import_batch is not None and together[one.import_batch] >= TOGETHER:
            kind, subject = TaskKind.IMPORT_WITHOUT_OFFICES, one.import_batch
        else:
            kind, subject = TaskKind.PROVIDER_WITHOUT_OFFICE, one.provider_id
        found[subject] = Due(kind, one.organization_id, subject)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Changes:
    """Which tasks are to be raised, and which of the open ones are done."""

    raised: tuple[Due, ...]
    done: tuple[Task, ...]


def changes(
    due: Iterable[Due], opened: Iterable[Task], dismissed: Mapping[tuple[TaskKind, UUID], set[str]]
) -> Changes:
    """What is due and neither open nor dismissed for the occasion is raised; what is open and no longer due is done."""
    wanted = {(one.kind, one.subject_id): one for one in due}
    known = {(one.kind, one.subject_id): one for one in opened}
    raised = [
        one
        for key, one in wanted.items()
        if key not in known and one.occasion not in dismissed.get(key, set())
    ]
    done = [one for key, one in known.items() if key not in wanted]
    return Changes(tuple(raised), tuple(done))


def require_open(task: Task) -> None:
    """Conflict TASK_CLOSED for a task that is closed already."""
    if task.closed_at is not None:
        raise Conflict("The task is closed already.", code="TASK_CLOSED")
