"""What admins are to look after: looked over by a job and after what makes it done, and dismissed with a reason (R06)."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from kit.db import Connection
from kit.errors import Invalid
from kit.ids import new_id
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import telling
from services.directory.actions.peers import Call
from services.directory.domain import profiles, tasks
from services.directory.domain.nouns import Provider, require_version
from services.directory.domain.tasks import Affiliation, Due, Task, TaskEnd, TaskId, TaskKind


async def review(call: Call) -> None:
    """The job: raise what is due, each once however many look, and close what is done."""
    async with call.db.transaction() as tx:
        await store.tasks.hold(tx)
        now = call.clock.now()
        unwanted = await store.tasks.dismissed(tx)
        not_meant = [
            subject for kind, subject in unwanted if kind is TaskKind.PROVIDER_WITHOUT_OFFICE
        ]
        idle = await store.tasks.idle_providers(tx, now - tasks.PATIENCE, now)
        due = tasks.without_office(idle, not_meant)
        due += await store.tasks.due_elsewhere(
            tx, now - tasks.PATIENCE, now - profiles.VERIFIED_FOR
        )
        found = tasks.changes(due, await store.tasks.opened(tx), unwanted)
        for one in found.raised:
            await _raise(tx, call, one)
        for task in found.done:
            await _close(tx, call, replace(task, closed_because=TaskEnd.DONE))


async def affiliation(call: Call, days: int) -> Affiliation:
    """How soon providers who were approved in so many days had an office (R06). Client admins ask."""
    organization_id = policy.permit_figures(call.viewer)
    if not 1 <= days <= tasks.MOST_DAYS:
        raise Invalid(f"days must be 1 to {tasks.MOST_DAYS}.", field="days")
    now = call.clock.now()
    async with call.db.reading() as tx:
        return await store.tasks.affiliation(tx, organization_id, now - timedelta(days=days), now)


async def _raise(tx: Connection, call: Call, due: Due) -> None:
    now = call.clock.now()
    task = Task(
        id=TaskId(new_id()),
        organization_id=due.organization_id,
        kind=due.kind,
        subject_id=due.subject_id,
        occasion=due.occasion,
        raised_at=now,
        closed_at=None,
        closed_because=None,
        closed_by=None,
        reason=None,
        version=1,
    )
    await store.tasks.add(tx, task)
    raised_at = Timestamp()
    raised_at.FromDatetime(now)
    await telling.of_task(
        tx,
        call,
        task,
        facts.TaskRaised(
            task_id=str(task.id),
            kind=task.kind,
            subject_id=str(task.subject_id),
            raised_at=raised_at,
        ),
    )


async def _close(tx: Connection, call: Call, task: Task) -> None:
    now = call.clock.now()
    await store.tasks.close(tx, replace(task, closed_at=now))
    closed_at = Timestamp()
    closed_at.FromDatetime(now)
    await telling.of_task(
        tx,
        call,
        task,
        facts.TaskClosed(
            task_id=str(task.id),
            kind=task.kind,
            subject_id=str(task.subject_id),
            because=str(task.closed_because),
            closed_at=closed_at,
        ),
    )


async def provider_placed(tx: Connection, call: Call, provider: Provider) -> None:
    """What was asked about the provider's having no office is done (R06)."""
    for task in await store.tasks.opened_about(
        tx, provider.organization_id, TaskKind.PROVIDER_WITHOUT_OFFICE, provider.id
    ):
        await _close(tx, call, replace(task, closed_because=TaskEnd.DONE))


async def dismiss(call: Call, task_id: UUID, seen: int, reason: str) -> Task:
    """Say that it is meant to be so, and why: the same is not raised again (R06)."""
    said = profiles.clean_text(reason, "reason", profiles.MAX_REASON)
    organization_id = policy.acting(call.viewer)
    async with call.db.transaction() as tx:
        before = await store.tasks.locked(tx, organization_id, task_id)
        if before is None:
            raise policy.unknown("task", "taskId")
        policy.permit_client_admin(call.viewer, before.organization_id)
        require_version("task", seen, before.version)
        tasks.require_open(before)
        after = replace(
            before,
            closed_because=TaskEnd.DISMISSED,
            closed_by=policy.acting_user(call.viewer),
            reason=said,
        )
        await _close(tx, call, after)
        return await store.tasks.by_id(tx, organization_id, before.id)
