"""Trainings as GraphQL tells them (R34)."""

from datetime import date, datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import strawberry

from kit.graphql import (
    CommonProblems,
    Connection,
    Context,
    after_id,
    connection,
    described,
    mutation,
    page_of,
)
from kit.ids import parse_id
from services.reporting import policy
from services.reporting.actions import guides as guide_actions
from services.reporting.actions import trainings as actions
from services.reporting.actions.guides import GuideSeen
from services.reporting.actions.peers import Peers
from services.reporting.actions.trainings import TrainingSeen
from services.reporting.domain import UserId
from services.reporting.domain import trainings as domain
from services.reporting.domain.findings import FindingId
from services.reporting.domain.guides import GuideId
from services.reporting.domain.trainings import TrainingId
from services.reporting.schema.guides import Guide
from services.reporting.schema.people import User

Info: TypeAlias = strawberry.Info[Context[Peers], None]

TrainingState = strawberry.enum(
    domain.TrainingState,
    description="KNOWN: had read the guide's version when it was assigned. LEFT: does not work here any more.",
)
TrainingAction = strawberry.enum(
    domain.TrainingAction, description="What the viewer may do to a training now."
)


@strawberry.type(description="Where somebody stands with a training.")
class TrainingTask:
    """Task."""

    user: User | None
    state: TrainingState  # type: ignore[valid-type]
    overdue: bool
    ended_at: datetime | None

    @classmethod
    def of(cls, told: domain.Task, seen: TrainingSeen) -> "TrainingTask":
        """As GraphQL tells it."""
        return cls(
            user=User.of(told.user_id),
            state=told.state(seen.training),
            overdue=told.overdue(seen.training, seen.today),
            ended_at=told.ended_at,
        )


@strawberry.type(
    description="Something to learn by a day: a guide (done by acknowledging it), or anything that has a title."
)
class Training:
    """Training (R34)."""

    seen: strawberry.Private[TrainingSeen]
    id: strawberry.ID
    version: int
    title: str | None = strawberry.field(description="Null when it is a guide.")
    due_on: date
    assigned_by: User | None
    assigned_at: datetime
    cancelled_at: datetime | None
    finding_id: strawberry.ID | None = strawberry.field(
        description="Because of which finding, for who may read it."
    )
    tasks: list[TrainingTask] = strawberry.field(
        description="Client admins see all, office admins those of people at their offices, everybody their own."
    )
    allowed_actions: list[TrainingAction]  # type: ignore[valid-type]

    @classmethod
    def of(cls, info: Info, told: TrainingSeen) -> "Training":
        """As GraphQL tells it."""
        training, viewer = told.training, info.context.call.viewer
        own = next((one for one in told.tasks if one.user_id == viewer.user_id), None)
        to_do = own is not None and own.state(training) is domain.TrainingState.OPEN
        actions_ = policy.training_actions(
            viewer,
            training,
            standing=training.cancelled_at is None,
            to_do=to_do and training.guide_id is None,
        )
        shows = policy.looks_on(viewer, training.organization_id)
        return cls(
            seen=told,
            id=strawberry.ID(str(training.id)),
            version=training.version,
            title=training.title,
            due_on=training.due_on,
            assigned_by=User.of(training.assigned_by),
            assigned_at=training.assigned_at,
            cancelled_at=training.cancelled_at,
            finding_id=strawberry.ID(str(training.finding_id))
            if training.finding_id and shows
            else None,
            tasks=[TrainingTask.of(one, told) for one in told.tasks],
            allowed_actions=list(actions_),
        )

    @described("Null when it is something with a title, or for who may not read the guide.")
    async def guide(self, info: Info) -> Guide | None:
        """The guide to read (R34)."""
        if self.seen.training.guide_id is None:
            return None

        async def load(ids: list[GuideId]) -> list[GuideSeen | None]:
            return await guide_actions.guides_by_id(info.context.call, ids)

        told = await info.context.loader("guides", load).load(self.seen.training.guide_id)
        return Guide.of(info, told) if told else None


@strawberry.type
class TrainingQuery:
    """What there is to learn."""

    @described("What the viewer was asked to learn, in the order in which it was assigned.")
    async def my_training(self, info: Info) -> list[Training]:
        """Own trainings (R34)."""
        return [Training.of(info, one) for one in await actions.my_training(info.context.call)]

    @described(
        "Trainings, oldest first: all for client admins, those of people at their offices for office admins."
    )
    async def trainings(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[Training]:
        """All trainings (R34)."""
        page = page_of(first, after)
        told = await actions.all_trainings(info.context.call, after_id(page), page.limit + 1)
        return connection(
            told, page, key=lambda one: (one.training.id,), node=lambda one: Training.of(info, one)
        )


AssignTrainingResult = Annotated[
    Training | CommonProblems, strawberry.union("AssignTrainingResult")
]
CompleteTrainingResult = Annotated[
    Training | CommonProblems, strawberry.union("CompleteTrainingResult")
]
CancelTrainingResult = Annotated[
    Training | CommonProblems, strawberry.union("CancelTrainingResult")
]


@strawberry.input
class AssignTrainingInput:
    """A guide or a title; users, and offices for whoever works there now; until a day, and because of a finding if there is one."""

    finding_id: strawberry.ID | None = None
    guide_id: strawberry.ID | None = None
    title: str | None = None
    user_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    office_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    due_on: date
    idempotency_key: str

    def wanted(self) -> domain.Wanted:
        """As the domain has it."""
        finding, guide = self.finding_id, self.guide_id
        return domain.Wanted(
            FindingId(parse_id(finding, "findingId")) if finding else None,
            GuideId(parse_id(guide, "guideId")) if guide else None,
            self.title,
            frozenset(UserId(one) for one in _ids(self.user_ids, "userIds")),
            frozenset(_ids(self.office_ids, "officeIds")),
            self.due_on,
        )


def _ids(texts: list[strawberry.ID], field: str) -> list[UUID]:
    return [parse_id(text, field) for text in texts]


@strawberry.input
class CompleteTrainingInput:
    """Say that one has done a training."""

    training_id: strawberry.ID


@strawberry.input
class CancelTrainingInput:
    """Let nobody have to do a training any more."""

    training_id: strawberry.ID
    expected_version: int


@strawberry.type
class TrainingMutation:
    """Client admins assign trainings; people do them."""

    @mutation
    async def assign_training(self, info: Info, input: AssignTrainingInput) -> AssignTrainingResult:
        """Ask people to learn something by a day; once all have, the finding it is for is ACTIONED (R34)."""
        told = await actions.assign_training(
            info.context.call, input.wanted(), input.idempotency_key
        )
        return Training.of(info, told)

    @mutation
    async def complete_training(
        self, info: Info, input: CompleteTrainingInput
    ) -> CompleteTrainingResult:
        """Say that one has done it; of a guide that is said by acknowledgeGuide (R34)."""
        training_id = TrainingId(parse_id(input.training_id, "trainingId"))
        return Training.of(info, await actions.complete_training(info.context.call, training_id))

    @mutation
    async def cancel_training(self, info: Info, input: CancelTrainingInput) -> CancelTrainingResult:
        """Let nobody have to do it any more; what was done stays done (R34)."""
        training_id = TrainingId(parse_id(input.training_id, "trainingId"))
        told = await actions.cancel_training(info.context.call, training_id, input.expected_version)
        return Training.of(info, told)
