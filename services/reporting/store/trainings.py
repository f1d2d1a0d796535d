"""Trainings, and what each asks of whom."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.reporting.domain import OrganizationId, UserId
from services.reporting.domain.findings import FindingId
from services.reporting.domain.guides import GuideId
from services.reporting.domain.trainings import Outcome, Task, Training, TrainingId

_TRAINING = """SELECT id, organization_id, finding_id, guide_id, title, office_ids, due_on, version, assigned_by, assigned_at,
    cancelled_at FROM trainings"""
_TASK = """SELECT training_id, organization_id, user_id, outcome, ended_at, reminded_at, overdue_at FROM training_tasks"""


async def add(tx: Connection, training: Training, tasks: Sequence[Task]) -> None:
    """Keep a training and what it asks of whom."""
    await db.run(
        tx,
        """INSERT INTO trainings (id, organization_id, finding_id, guide_id, title, office_ids, due_on, version, assigned_by,
            assigned_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        training.id,
        training.organization_id,
        training.finding_id,
        training.guide_id,
        training.title,
        list(training.office_ids),
        training.due_on,
        training.version,
        training.assigned_by,
        training.assigned_at,
    )
    await tx.executemany(
        """INSERT INTO training_tasks (training_id, organization_id, user_id, outcome, ended_at)
            VALUES ($1, $2, $3, $4, $5)""",
        [
            (one.training_id, one.organization_id, one.user_id, one.outcome, one.ended_at)
            for one in tasks
        ],
    )


async def locked(
    tx: Connection, organization_id: OrganizationId, id_: TrainingId
) -> Training | None:
    """A training, locked until the transaction is over."""
    sql = f"{_TRAINING} WHERE organization_id = $1 AND id = $2 FOR UPDATE"
    return await db.maybe(tx, Training, sql, organization_id, id_)


async def by_id(
    tx: Connection, organization_id: OrganizationId, ids: Sequence[UUID]
) -> dict[UUID, Training]:
    """The organization's trainings with these ids."""
    sql = f"{_TRAINING} WHERE organization_id = $1 AND id = ANY($2)"
    return {one.id: one for one in await db.many(tx, Training, sql, organization_id, ids)}


async def page(
    tx: Connection,
    organization_id: OrganizationId,
    office_ids: Sequence[UUID] | None,
    after: UUID | None,
    limit: int,
) -> list[Training]:
    """Trainings in the order in which they were assigned: all, or those of people who work at these offices."""
    return await db.many(
        tx,
        Training,
        f"""{_TRAINING} WHERE organization_id = $1 AND ($3::uuid IS NULL OR id > $3)
            AND ($2::uuid[] IS NULL OR EXISTS (SELECT FROM training_tasks k JOIN staffing s USING (organization_id, user_id)
                WHERE k.training_id = trainings.id AND s.office_id = ANY($2)))
            ORDER BY id LIMIT $4""",
        organization_id,
        office_ids,
        after,
        limit,
    )


async def of_findings(
    tx: Connection, organization_id: OrganizationId, ids: Sequence[FindingId]
) -> list[Training]:
    """What was assigned because of these findings, the oldest first."""
    sql = f"{_TRAINING} WHERE organization_id = $1 AND finding_id = ANY($2) ORDER BY id"
    return await db.many(tx, Training, sql, organization_id, ids)


async def cancel(tx: Connection, training: Training, at: datetime) -> Training:
    """Let nobody have to do it any more."""
    await db.run(
        tx,
        "UPDATE trainings SET cancelled_at = $3, version = $4 WHERE organization_id = $1 AND id = $2",
        training.organization_id,
        training.id,
        at,
        training.version + 1,
    )
    return replace(training, cancelled_at=at, version=training.version + 1)


async def standing_of_guide(
    tx: Connection, organization_id: OrganizationId, guide_id: GuideId
) -> list[Training]:
    """The trainings by a guide that were not cancelled, locked."""
    sql = (
        f"{_TRAINING} WHERE organization_id = $1 AND guide_id = $2 AND cancelled_at IS NULL"
        " ORDER BY id FOR UPDATE"
    )
    return await db.many(tx, Training, sql, organization_id, guide_id)


# Tasks ----------------------------------------------------------------------------------------------------------------


async def tasks(
    tx: Connection, organization_id: OrganizationId, training_ids: Sequence[UUID]
) -> list[Task]:
    """What these trainings ask of whom."""
    sql = f"{_TASK} WHERE organization_id = $1 AND training_id = ANY($2) ORDER BY training_id, user_id"
    return await db.many(tx, Task, sql, organization_id, training_ids)


async def tasks_of(
    tx: Connection, organization_id: OrganizationId, user_ids: Sequence[UUID]
) -> list[Task]:
    """What is asked of these users, in the order in which it was assigned."""
    sql = f"{_TASK} WHERE organization_id = $1 AND user_id = ANY($2) ORDER BY training_id, user_id"
    return await db.many(tx, Task, sql, organization_id, user_ids)


async def end(
    tx: Connection, training: Training, user_id: UserId, outcome: Outcome, at: datetime
) -> bool:
    """Note how it ended for somebody; False when it is over for them."""
    return bool(
        await db.run(
            tx,
            """UPDATE training_tasks SET outcome = $4, ended_at = $5
                WHERE organization_id = $1 AND training_id = $2 AND user_id = $3 AND outcome IS NULL""",
            training.organization_id,
            training.id,
            user_id,
            outcome,
            at,
        )
    )


async def open_for(
    tx: Connection, organization_id: OrganizationId, user_id: UserId, guide_id: GuideId | None
) -> list[Training]:
    """The trainings that somebody has still to do, locked: by this guide, or (None) any."""
    return await db.many(
        tx,
        Training,
        f"""{_TRAINING} WHERE organization_id = $1 AND cancelled_at IS NULL AND ($3::uuid IS NULL OR guide_id = $3)
            AND EXISTS (SELECT FROM training_tasks k WHERE k.training_id = trainings.id AND k.user_id = $2
                AND k.outcome IS NULL) ORDER BY id FOR UPDATE""",
        organization_id,
        user_id,
        guide_id,
    )


async def untold(
    tx: Connection, organization_id: OrganizationId, due_until: date, *, overdue: bool
) -> dict[Training, list[UserId]]:
    """Who has not done what was due until a day, and was not reminded of it, or told that they are late, before: locked."""
    column = "overdue_at" if overdue else "reminded_at"
    rows = await tx.fetch(
        f"""SELECT k.training_id, k.user_id FROM training_tasks k JOIN trainings t ON t.id = k.training_id
            WHERE k.organization_id = $1 AND k.outcome IS NULL AND t.cancelled_at IS NULL AND t.due_on <= $2
            AND k.{column} IS NULL ORDER BY k.training_id, k.user_id FOR UPDATE OF k""",  # noqa: S608 - a name of ours
        organization_id,
        due_until,
    )
    found = await by_id(tx, organization_id, [row["training_id"] for row in rows])
    told: dict[Training, list[UserId]] = {}
    for row in rows:
        told.setdefault(found[row["training_id"]], []).append(UserId(row["user_id"]))
    return told


async def note_told(
    tx: Connection, training: Training, user_ids: Sequence[UserId], at: datetime, *, overdue: bool
) -> None:
    """Note that these were reminded, or told that they are late: who is late needs no reminder of the day."""
    column = (
        "overdue_at = $4, reminded_at = coalesce(reminded_at, $4)"
        if overdue
        else "reminded_at = $4"
    )
    await db.run(
        tx,
        f"""UPDATE training_tasks SET {column}
            WHERE organization_id = $1 AND training_id = $2 AND user_id = ANY($3)""",  # noqa: S608 - names of ours
        training.organization_id,
        training.id,
        user_ids,
        at,
    )
