"""Trainings: a guide or something with a title, for people to have done by a day (R34)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from kit.errors import Conflict, Invalid, stale_version
from services.reporting.domain.findings import FindingId
from services.reporting.domain.guides import MAX_TITLE, GuideId
from services.reporting.domain.nouns import OrganizationId, UserId

TrainingId = NewType("TrainingId", UUID)

REMINDED_BEFORE = timedelta(days=2)
"""Whoever has not done it is reminded so long before the day."""

MOST = 500
"""People of one training."""


class TrainingState(StrEnum):
    """Where somebody stands with a training. KNOWN: had read the guide's version when it was assigned. LEFT: does not work here any
    more. CANCELLED: nobody has to do it any more."""

    OPEN = "OPEN"
    DONE = "DONE"
    KNOWN = "KNOWN"
    LEFT = "LEFT"
    CANCELLED = "CANCELLED"


class Outcome(StrEnum):
    """How it ended for somebody."""

    DONE = "DONE"
    KNOWN = "KNOWN"
    LEFT = "LEFT"


class TrainingAction(StrEnum):
    """What a viewer may do to a training."""

    COMPLETE = "COMPLETE"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class Training:
    """Something to learn by a day: a guide, or (by `title`) anything else."""

    id: TrainingId
    organization_id: OrganizationId
    finding_id: FindingId | None
    guide_id: GuideId | None
    title: str | None
    office_ids: frozenset[UUID]
    due_on: date
    version: int
    assigned_by: UserId
    assigned_at: datetime
    cancelled_at: datetime | None = None

    def require_version(self, expected: int) -> None:
        """Conflict STALE_VERSION when the caller has seen another version."""
        if self.version != expected:
            raise stale_version("training", self.version)

    def require_standing(self) -> None:
        """Conflict TRAINING_CANCELLED when nobody has to do it any more."""
        if self.cancelled_at is not None:
            raise Conflict(
                "This training was cancelled.", code="TRAINING_CANCELLED", field="trainingId"
            )


@dataclass(frozen=True, slots=True)
class Task:
    """What a training asks of somebody."""

    training_id: TrainingId
    organization_id: OrganizationId
    user_id: UserId
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    reminded_at: datetime | None = None
    overdue_at: datetime | None = None

    def state(self, training: Training) -> TrainingState:
        """Where they stand."""
        if self.outcome is not None:
            return TrainingState(self.outcome)
        return TrainingState.CANCELLED if training.cancelled_at else TrainingState.OPEN

    def overdue(self, training: Training, today: date) -> bool:
        """Whether the day has gone by."""
        return self.state(training) is TrainingState.OPEN and today > training.due_on


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be learnt, by whom, until when."""

    finding_id: FindingId | None
    guide_id: GuideId | None
    title: str | None
    user_ids: frozenset[UserId]
    office_ids: frozenset[UUID]
    due_on: date

    def clean(self, today: date) -> "Wanted":
        """As it is kept; Invalid when something is missing."""
        title = (self.title or "").strip() or None
        if (title is None) == (self.guide_id is None):
            raise Invalid(
                "Name a guide, or give a title.",
                code="GUIDE_OR_TITLE",
                field="guideId",
                remedy="Not both, and not neither.",
            )
        if title is not None and (len(title) > MAX_TITLE or not title.isprintable()):
            raise Invalid(f"A title has at most {MAX_TITLE} printable characters.", field="title")
        if self.due_on < today:
            raise Invalid("That day has gone by.", field="dueOn", remedy="Choose a later day.")
        return Wanted(
            self.finding_id, self.guide_id, title, self.user_ids, self.office_ids, self.due_on
        )


def require_people(
    named: Collection[UUID], active: Collection[UUID], everybody: Collection[UUID]
) -> None:
    """Conflict USER_NOT_ACTIVE when somebody who was named has left, NOBODY_TO_TRAIN when nobody is meant; Invalid when too many."""
    gone = sorted(set(named) - set(active))
    if gone:
        raise Conflict(
            f"{len(gone)} of these users do not work here any more.",
            code="USER_NOT_ACTIVE",
            field="userIds",
            remedy="Leave them out.",
            user_ids=[str(one) for one in gone],
        )
    if not everybody:
        raise Conflict(
            "Nobody works there.",
            code="NOBODY_TO_TRAIN",
            field="officeIds",
            remedy="Name users, or offices with staff.",
        )
    if len(everybody) > MOST:
        raise Invalid(f"A training is for at most {MOST} people.", field="officeIds")


def refuse_known(tasks: Sequence[Task]) -> None:
    """Conflict ALREADY_TRAINED when everybody has read the guide's version."""
    if all(task.outcome is Outcome.KNOWN for task in tasks):
        raise Conflict(
            "Everybody has read this version of the guide.",
            code="ALREADY_TRAINED",
            field="guideId",
            remedy="Publish another version, or assign something else.",
        )


def settled(tasks: Sequence[Task]) -> bool:
    """Whether nobody has to do anything any more, and somebody did."""
    over = all(task.outcome is not None for task in tasks)
    return over and any(task.outcome is Outcome.DONE for task in tasks)
