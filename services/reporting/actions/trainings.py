"""Assigning trainings, doing them, and being reminded of them (R34)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from google.protobuf.message import Message

from kit import idempotency
from kit.auth import Viewer, service_viewer
from kit.db import Connection, Database
from kit.each import each
from kit.errors import Conflict, NotFound
from kit.ids import new_id
from kit.outbox import record
from kit.service import Call, Job, Parts
from proto.reporting.v1.events_pb2 import (
    TrainingAssigned,
    TrainingCancelled,
    TrainingCompleted,
    TrainingOverdue,
    TrainingReminded,
)
from services.reporting import policy, store
from services.reporting.actions import findings
from services.reporting.actions.peers import Peers
from services.reporting.domain import Organization, OrganizationId, UserId
from services.reporting.domain.findings import FindingId
from services.reporting.domain.guides import Guide, GuideId, require_published
from services.reporting.domain.scorecards import SubjectKind
from services.reporting.domain.trainings import (
    REMINDED_BEFORE,
    Outcome,
    Task,
    Training,
    TrainingId,
    Wanted,
    refuse_known,
    require_people,
    settled,
)
from services.reporting.store import guides, scorecards, trainings


@dataclass(frozen=True, slots=True)
class TrainingSeen:
    """A training, as much of its tasks as the viewer may see, and the day it is today in the organization."""

    training: Training
    tasks: tuple[Task, ...]
    today: date


# Assigning ------------------------------------------------------------------------------------------------------------


async def assign_training(call: Call[Peers], wanted: Wanted, key: str) -> TrainingSeen:
    """Ask people to learn something by a day: those named, and whoever works at these offices now. Refuses GUIDE_NOT_PUBLISHED,
    USER_NOT_ACTIVE, NOBODY_TO_TRAIN, ALREADY_TRAINED, FINDING_CLOSED."""
    organization_id = OrganizationId(policy.permit_practice(call.viewer))
    async with call.db.transaction() as tx:
        today = await _today(tx, organization_id, call.clock.now())

        async def make() -> UUID:
            # who leaves meanwhile is heard of after it
            await store.organizations.hold(tx, organization_id)
            return await _assign(call, tx, organization_id, wanted.clean(today))

        at = call.clock.now()
        id_ = await idempotency.once(
            tx, call.viewer, key=key, request=("assignTraining", wanted), at=at, make=make
        )
        (told,) = await _seen(tx, call, [TrainingId(id_)])
    return told


async def _assign(
    call: Call[Peers], tx: Connection, organization_id: OrganizationId, wanted: Wanted
) -> UUID:
    if wanted.guide_id is not None:
        await _published(tx, organization_id, wanted.guide_id)
    if wanted.finding_id is not None:
        await findings.to_change(call, tx, wanted.finding_id, None)
    by, at = UserId(call.viewer.require_user()), call.clock.now()
    training = Training(
        id=TrainingId(new_id()),
        organization_id=organization_id,
        finding_id=wanted.finding_id,
        guide_id=wanted.guide_id,
        title=wanted.title,
        office_ids=wanted.office_ids,
        due_on=wanted.due_on,
        version=1,
        assigned_by=by,
        assigned_at=at,
    )
    tasks = await _tasks(tx, training, await _people(tx, organization_id, wanted), at)
    await trainings.add(tx, training, tasks)
    fact = TrainingAssigned(
        training_id=str(training.id),
        finding_id=str(training.finding_id or ""),
        due_on=training.due_on.isoformat(),
        user_ids=[str(one.user_id) for one in tasks if one.outcome is None],
    )
    await tell(tx, training, fact, at, call.viewer)
    return training.id


async def _published(tx: Connection, organization_id: OrganizationId, id_: GuideId) -> Guide:
    guide = await guides.locked(tx, organization_id, id_)
    if guide is None:
        raise NotFound("There is no such guide.", field="guideId")
    require_published(guide)
    return guide


async def _people(tx: Connection, organization_id: OrganizationId, wanted: Wanted) -> list[UserId]:
    known = await scorecards.places(tx, organization_id, sorted(wanted.office_ids))
    if {one.id for one in known if one.kind is SubjectKind.OFFICE} != wanted.office_ids:
        raise NotFound("There is no such office.", field="officeIds")
    named = sorted(wanted.user_ids)
    active = await store.people.active_users(tx, organization_id, named)
    staff = await store.people.staffing(tx, organization_id, sorted(wanted.office_ids))
    everybody = sorted(wanted.user_ids | {one.user_id for one in staff})
    require_people(named, active, everybody)
    return everybody


async def _tasks(
    tx: Connection, training: Training, people: Sequence[UserId], at: datetime
) -> list[Task]:
    """One for each; who has read the guide's version knows it already."""
    known: set[UserId] = set()
    if training.guide_id is not None:
        known = await guides.who_read(tx, training.organization_id, training.guide_id)
    tasks = [
        Task(training.id, training.organization_id, one, Outcome.KNOWN, at)
        if one in known
        else Task(training.id, training.organization_id, one)
        for one in people
    ]
    refuse_known(tasks)
    return tasks


async def cancel_training(
    call: Call[Peers], training_id: TrainingId, expected_version: int
) -> TrainingSeen:
    """Let nobody have to do it any more; what was done stays done. Refuses TRAINING_CANCELLED."""
    async with call.db.transaction() as tx:
        training = await _locked(tx, call.viewer, training_id)
        policy.permit_practice(call.viewer)
        training.require_version(expected_version)
        training.require_standing()
        await _cancel(tx, training, call.clock.now(), call.viewer)
        (told,) = await _seen(tx, call, [training_id])
    return told


async def _cancel(tx: Connection, training: Training, at: datetime, by: Viewer) -> None:
    await trainings.cancel(tx, training, at)
    await tell(tx, training, TrainingCancelled(training_id=str(training.id)), at, by)


async def guide_withdrawn(tx: Connection, guide: Guide, at: datetime, by: Viewer) -> None:
    """Nobody is trained by a guide that is not there any more."""
    for training in await trainings.standing_of_guide(tx, guide.organization_id, guide.id):
        await _cancel(tx, training, at, by)


async def _locked(tx: Connection, viewer: Viewer, id_: TrainingId) -> Training:
    organization_id = OrganizationId(viewer.require_organization())
    training = await trainings.locked(tx, organization_id, id_)
    if training is None:
        raise NotFound("There is no such training.", field="trainingId")
    return training


# Doing ----------------------------------------------------------------------------------------------------------------


async def complete_training(call: Call[Peers], training_id: TrainingId) -> TrainingSeen:
    """Say that one has done it. Saying it again changes nothing. Refuses READ_THE_GUIDE: that is done by acknowledging it. Who was
    not asked is Denied."""
    async with call.db.transaction() as tx:
        training = await _locked(tx, call.viewer, training_id)
        by = UserId(call.viewer.require_user())
        asked = await trainings.tasks(tx, training.organization_id, [training_id])
        policy.permit_training(call.viewer, asked=any(one.user_id == by for one in asked))
        training.require_standing()
        if training.guide_id is not None:
            raise Conflict(
                "This is done by reading the guide.",
                code="READ_THE_GUIDE",
                field="trainingId",
                remedy="Acknowledge the guide with acknowledgeGuide.",
            )
        await _done(tx, training, by, call.clock.now(), call.viewer)
        (told,) = await _seen(tx, call, [training_id])
    return told


async def guide_read(
    tx: Connection, guide: Guide, user_id: UserId, at: datetime, by: Viewer
) -> None:
    """Whoever acknowledges a guide has done the trainings by it."""
    for training in await trainings.open_for(tx, guide.organization_id, user_id, guide.id):
        await _done(tx, training, user_id, at, by)


async def _done(
    tx: Connection, training: Training, user_id: UserId, at: datetime, by: Viewer
) -> None:
    if await trainings.end(tx, training, user_id, Outcome.DONE, at):
        fact = TrainingCompleted(training_id=str(training.id), user_id=str(user_id))
        await tell(tx, training, fact, at, by)
        await _settle(tx, training, at, by)


async def user_left(
    tx: Connection, organization_id: OrganizationId, user_id: UserId, at: datetime
) -> None:
    """Who was deactivated has nothing to learn any more."""
    for training in await trainings.open_for(tx, organization_id, user_id, None):
        await trainings.end(tx, training, user_id, Outcome.LEFT, at)
        await _settle(tx, training, at, service_viewer("reporting"))


async def _settle(tx: Connection, training: Training, at: datetime, by: Viewer) -> None:
    """Once the last has done it, something was done about the finding."""
    told = await trainings.tasks(tx, training.organization_id, [training.id])
    if training.finding_id is not None and settled(told):
        await findings.actioned(tx, training.organization_id, training.finding_id, at, by)


# Looking --------------------------------------------------------------------------------------------------------------


async def my_training(call: Call[Peers]) -> list[TrainingSeen]:
    """The trainings that the viewer was asked to do, in the order in which they were assigned."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        own = await trainings.tasks_of(tx, organization_id, [call.viewer.require_user()])
        return await _seen(tx, call, [one.training_id for one in own])


async def all_trainings(call: Call[Peers], after: UUID | None, limit: int) -> list[TrainingSeen]:
    """The organization's trainings for client admins; for office admins those of people at their offices."""
    policy.permit_reading_some(call.viewer)
    organization_id = OrganizationId(call.viewer.require_organization())
    everywhere = policy.looks_on(call.viewer, organization_id)
    offices = None if everywhere else sorted(call.viewer.office_admin_of)
    async with call.db.reading() as tx:
        found = await trainings.page(tx, organization_id, offices, after, limit)
        return await _seen(tx, call, [one.id for one in found])


async def of_findings(call: Call[Peers], ids: Sequence[FindingId]) -> list[list[TrainingSeen]]:
    """What was assigned because of each finding, as the viewer may see it."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        found = await trainings.of_findings(tx, organization_id, ids)
        told = await _seen(tx, call, [one.id for one in found])
    return [[one for one in told if one.training.finding_id == id_] for id_ in ids]


async def _seen(tx: Connection, call: Call[Peers], ids: Sequence[TrainingId]) -> list[TrainingSeen]:
    """Trainings with the tasks the viewer may see: client admins all, office admins those of people at their offices, others their
    own."""
    organization_id = OrganizationId(call.viewer.require_organization())
    found = await trainings.by_id(tx, organization_id, ids)
    tasks = await trainings.tasks(tx, organization_id, ids)
    if not policy.looks_on(call.viewer, organization_id):
        offices = sorted(call.viewer.office_admin_of)
        there = await store.people.staffing(tx, organization_id, offices)
        shown = {one.user_id for one in there} | {call.viewer.require_user()}
        tasks = [one for one in tasks if one.user_id in shown]
    today = await _today(tx, organization_id, call.clock.now())
    return [
        TrainingSeen(found[id_], tuple(one for one in tasks if one.training_id == id_), today)
        for id_ in ids
    ]


async def _today(tx: Connection, organization_id: OrganizationId, now: datetime) -> date:
    organization = await store.organizations.organization(tx, organization_id)
    return now.astimezone(ZoneInfo(organization.time_zone or "UTC")).date()


# Reminding ------------------------------------------------------------------------------------------------------------


async def remind_of_trainings(parts: Parts[Peers]) -> None:
    """Remind once whoever has not done what is due in two days, and tell once who is late (R34)."""
    now = parts.clock.now()
    async with parts.db.reading() as tx:
        organizations = await store.organizations.organizations(tx)
    await each(organizations, partial(_remind_all, parts.db, now))


async def _remind_all(database: Database, now: datetime, organization: Organization) -> None:
    async with database.transaction() as tx:
        here = organization.organization_id
        today = await _today(tx, here, now)
        late = await trainings.untold(tx, here, today - timedelta(days=1), overdue=True)
        for training, people in late.items():
            await _tell_late(tx, training, people, now)
        soon = await trainings.untold(tx, here, today + REMINDED_BEFORE, overdue=False)
        for training, people in soon.items():
            await _remind(tx, training, people, now)


async def _tell_late(
    tx: Connection, training: Training, people: Sequence[UserId], now: datetime
) -> None:
    await trainings.note_told(tx, training, people, now, overdue=True)
    fact = TrainingOverdue(
        training_id=str(training.id),
        due_on=training.due_on.isoformat(),
        user_ids=[str(one) for one in people],
    )
    await tell(tx, training, fact, now, service_viewer("reporting"))


async def _remind(
    tx: Connection, training: Training, people: Sequence[UserId], now: datetime
) -> None:
    await trainings.note_told(tx, training, people, now, overdue=False)
    fact = TrainingReminded(
        training_id=str(training.id),
        due_on=training.due_on.isoformat(),
        user_ids=[str(one) for one in people],
    )
    await tell(tx, training, fact, now, service_viewer("reporting"))


TRAINING_JOBS = (Job("remind of trainings", timedelta(minutes=15), remind_of_trainings),)


async def tell(tx: Connection, training: Training, fact: Message, at: datetime, by: Viewer) -> None:
    """Record a fact about a training."""
    await record(
        tx,
        fact,
        organization_id=training.organization_id,
        aggregate="training",
        aggregate_id=training.id,
        at=at,
        by=by,
    )
