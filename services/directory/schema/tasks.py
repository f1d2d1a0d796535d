"""What admins are to look after (R06)."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import strawberry

from kit.graphql import (
    CommonProblems,
    Connection,
    after_moment,
    connection,
    described,
    mutation,
    page_of,
)
from kit.ids import parse_id
from services.directory import policy, store
from services.directory.actions import tasks as verbs
from services.directory.domain import allowed, tasks
from services.directory.domain.tasks import TaskKind
from services.directory.schema import loading
from services.directory.schema.inputs import seen
from services.directory.schema.things import Group, Office, Provider
from services.directory.schema.words import Info

TaskKindWord = strawberry.enum(tasks.TaskKind, name="DirectoryTaskKind")
TaskEndWord = strawberry.enum(tasks.TaskEnd, name="DirectoryTaskEnd")
TaskActionWord = strawberry.enum(allowed.TaskAction, name="DirectoryTaskAction")

_OF_OFFICES = frozenset({TaskKind.ROSTER_NOT_ATTESTED, TaskKind.GO_LIVE_MISSED})
_OF_PROVIDERS = frozenset({TaskKind.PROVIDER_WITHOUT_OFFICE, TaskKind.PROFILE_TO_VERIFY})
_TO_DO = {
    TaskKind.PROVIDER_WITHOUT_OFFICE: "Place the provider at an office, or say why there is none.",
    TaskKind.IMPORT_WITHOUT_OFFICES: "Place the providers of the import at their offices.",
    TaskKind.GROUP_WITHOUT_STAFF: "Let somebody who has confirmed the account work for the group.",
    TaskKind.ROSTER_NOT_ATTESTED: "Look at the office's roster and attest it.",
    TaskKind.GO_LIVE_MISSED: "See what the office's checklist lacks, or move its first day.",
    TaskKind.PROFILE_TO_VERIFY: "Look at the profile, and say with verifyProvider that it is right.",
}


@strawberry.type(description="Something that admins of the organization are to look after.")
class DirectoryTask:
    """DirectoryTask."""

    id: strawberry.ID
    kind: TaskKindWord  # type: ignore[valid-type]
    raised_at: datetime
    closed_at: datetime | None
    closed_because: TaskEndWord | None  # type: ignore[valid-type]
    reason: str | None = strawberry.field(description="Why it was dismissed.")
    version: int
    row: strawberry.Private[tasks.Task]

    @strawberry.field
    def to_do(self) -> str:
        """What to do."""
        return _TO_DO[self.row.kind]

    @described("For PROVIDER_WITHOUT_OFFICE and PROFILE_TO_VERIFY.")
    async def provider(self, info: Info) -> Provider | None:
        """Whom it is about."""
        about = self.row.kind in _OF_PROVIDERS
        row = await loading.provider(info, self.row.subject_id) if about else None
        return Provider.of(row) if row else None

    @described("For IMPORT_WITHOUT_OFFICES: those of the import who work nowhere.")
    async def providers(self, info: Info) -> list[Provider]:
        """R06."""
        if self.row.kind is not TaskKind.IMPORT_WITHOUT_OFFICES:
            return []
        call = info.context.call
        async with call.db.reading() as tx:
            ids = await store.tasks.without_office_of(
                tx, self.row.organization_id, self.row.subject_id, call.clock.now()
            )
        return [Provider.of(one) for one in await loading.providers(info, ids)]

    @described("For GROUP_WITHOUT_STAFF.")
    async def group(self, info: Info) -> Group | None:
        """R23."""
        about = self.row.kind is TaskKind.GROUP_WITHOUT_STAFF
        row = await loading.group(info, self.row.subject_id) if about else None
        return Group.of(row) if row else None

    @described("For ROSTER_NOT_ATTESTED and GO_LIVE_MISSED.")
    async def office(self, info: Info) -> Office | None:
        """R16, R18."""
        about = self.row.kind in _OF_OFFICES
        row = await loading.office(info, self.row.subject_id) if about else None
        return Office.of(row) if row else None

    @strawberry.field
    def allowed_actions(self, info: Info) -> list[TaskActionWord]:  # type: ignore[valid-type]
        """What the viewer may do with the task now."""
        return list(policy.task_actions(info.context.call.viewer, self.row))

    @classmethod
    def of(cls, row: tasks.Task) -> "DirectoryTask":
        """As GraphQL tells it."""
        return cls(
            id=strawberry.ID(str(row.id)),
            kind=row.kind,
            raised_at=row.raised_at,
            closed_at=row.closed_at,
            closed_because=row.closed_because,
            reason=row.reason,
            version=row.version,
            row=row,
        )


@strawberry.type(description="How soon providers had an office after they were approved (R06).")
class AffiliationFigures:
    """AffiliationFigures."""

    without_office: int = strawberry.field(
        description="How many approved providers work nowhere, now or later."
    )
    approved: int = strawberry.field(description="How many were approved in these days.")
    placed: int = strawberry.field(
        description="How many of them have been placed since, or before."
    )
    median_hours: float | None = strawberry.field(
        description="From the approval to the first placement, of those who were placed; 0 for who was before."
    )
    longest_hours: float | None

    @classmethod
    def of(cls, row: tasks.Affiliation) -> "AffiliationFigures":
        """As GraphQL tells it."""
        return cls(**asdict(row))


@strawberry.type
class TaskQuery:
    """What is to be looked after."""

    @described(
        "For client admins: of the providers approved in the last so many days, 366 at most."
    )
    async def affiliation_figures(self, info: Info, days: int = 90) -> AffiliationFigures:
        """R06."""
        return AffiliationFigures.of(await verbs.affiliation(info.context.call, days))

    @described(
        "The open ones, oldest first: client admins see all, office admins those about their offices (R06)."
    )
    async def directory_tasks(
        self,
        info: Info,
        kind: TaskKindWord | None = None,  # type: ignore[valid-type]
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[DirectoryTask]:
        """For admins."""
        page, call = page_of(first, after), info.context.call
        offices = policy.task_offices(call.viewer)
        async with call.db.reading() as tx:
            rows = await store.tasks.page(
                tx,
                policy.acting(call.viewer),
                store.tasks.Wanted(kind, offices),
                after_moment(page),
                page.limit + 1,
            )
        return connection(
            rows,
            page,
            key=lambda row: (row.raised_at.isoformat(), row.id),
            node=DirectoryTask.of,
        )


@strawberry.input
class DismissTaskInput:
    """DismissTaskInput."""

    task_id: strawberry.ID
    expected_version: int = seen()
    reason: str = strawberry.field(description="Why it is meant to be so.")


DismissTaskResult = Annotated[DirectoryTask | CommonProblems, strawberry.union("DismissTaskResult")]


@strawberry.type
class TaskMutation:
    """Verbs of tasks."""

    @mutation
    async def dismiss_task(self, info: Info, input: DismissTaskInput) -> DismissTaskResult:
        """Say that it is meant to be so, and why: the same is not raised again (R06)."""
        return DirectoryTask.of(
            await verbs.dismiss(
                info.context.call,
                parse_id(input.task_id, "taskId"),
                input.expected_version,
                input.reason,
            )
        )
