"""Rows of tasks, and what makes them due."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.directory.domain.nouns import OfficeId, OrganizationId
from services.directory.domain.tasks import Affiliation, Due, Idle, Task, TaskKind


async def hold(tx: Connection) -> None:
    """Let one transaction at a time look over the tasks."""  # any-organization: the job looks at all of them
    await db.run(tx, "SELECT pg_advisory_xact_lock(hashtextextended('tasks', 60))")


async def idle_providers(tx: Connection, since: datetime, now: datetime) -> list[Idle]:
    """The approved providers, since then or before, who work nowhere now or later (R06)."""  # any-organization: the job
    return await db.many(
        tx,
        Idle,
        """SELECT p.id AS provider_id, p.organization_id, p.import_batch FROM providers p
            WHERE p.state = 'APPROVED' AND p.approved_at <= $1 AND NOT EXISTS (
                SELECT FROM placements l JOIN offices o ON o.id = l.office_id WHERE l.provider_id = p.id
                AND remains(l.effective_from, l.effective_until, o.time_zone, $2)) ORDER BY p.id""",
        since,
        now,
    )


async def due_elsewhere(tx: Connection, since: datetime, verified_since: datetime) -> list[Due]:
    """Groups without staff, at once when they had some before (R23); live offices whose roster is another than was attested (R18);
    offices whose first day found them not ready (R16); profiles nobody has looked at for long (R11)."""  # any-organization: the job
    return await db.many(
        tx,
        Due,
        """SELECT 'GROUP_WITHOUT_STAFF' AS kind, organization_id, id AS subject_id, unstaffed_since::text AS occasion FROM groups
            WHERE (state = 'INCOMPLETE' AND (ready_at IS NOT NULL OR unstaffed_since <= $1))
                OR (state = 'READY' AND overridden_at IS NOT NULL AND unstaffed_since <= $1)
        UNION ALL SELECT 'GO_LIVE_MISSED', organization_id, id, missed_on::text FROM offices
            WHERE state IN ('PLANNED', 'READY') AND missed_on = go_live_on
        UNION ALL SELECT 'PROFILE_TO_VERIFY', organization_id, id, coalesce(verified_at, approved_at)::text FROM providers
            WHERE state = 'APPROVED' AND coalesce(verified_at, approved_at) <= $2
        UNION ALL SELECT 'ROSTER_NOT_ATTESTED', organization_id, o.id, md5(array_to_string(r.users, ' ')) FROM offices o
            CROSS JOIN LATERAL (SELECT coalesce(array_agg(DISTINCT w.user_id ORDER BY w.user_id), '{}') AS users
                FROM office_users_heard w JOIN users_heard u USING (user_id, organization_id)
                WHERE w.office_id = o.id AND w.organization_id = o.organization_id AND u.active) AS r
            WHERE o.state = 'LIVE' AND (o.roster_attested_at IS NULL OR o.roster_attested <> r.users)
        ORDER BY 1, 3""",
        since,
        verified_since,
    )


async def opened(tx: Connection) -> list[Task]:
    """Every open task, locked."""  # any-organization: the job looks at all of them
    return await db.many(
        tx, Task, "SELECT * FROM tasks WHERE closed_at IS NULL ORDER BY id FOR UPDATE"
    )


async def opened_about(
    tx: Connection, organization_id: OrganizationId, kind: TaskKind, subject_id: UUID
) -> list[Task]:
    """The open task of that kind about something, if there is one, locked."""
    return await db.many(
        tx,
        Task,
        """SELECT * FROM tasks WHERE organization_id = $1 AND kind = $2 AND subject_id = $3 AND closed_at IS NULL
            FOR UPDATE""",
        organization_id,
        kind,
        subject_id,
    )


async def dismissed(tx: Connection) -> dict[tuple[TaskKind, UUID], set[str]]:
    """The occasions for which each thing was dismissed."""  # any-organization: the job looks at all of them
    rows = await tx.fetch(
        "SELECT kind, subject_id, occasion FROM tasks WHERE closed_because = 'DISMISSED'"
    )
    found: dict[tuple[TaskKind, UUID], set[str]] = {}
    for row in rows:
        found.setdefault((TaskKind(row["kind"]), row["subject_id"]), set()).add(row["occasion"])
    return found


async def add(tx: Connection, task: Task) -> None:
    """Keep a new task."""
    await db.run(
        tx,
        """INSERT INTO tasks (id, organization_id, kind, subject_id, occasion, raised_at)
            VALUES ($1, $2, $3, $4, $5, $6)""",
        task.id,
        task.organization_id,
        task.kind,
        task.subject_id,
        task.occasion,
        task.raised_at,
    )


async def close(tx: Connection, task: Task) -> None:
    """Keep that a locked task is closed, as its next version."""
    await db.run(
        tx,
        """UPDATE tasks SET closed_at = $3, closed_because = $4, closed_by = $5, reason = $6, version = version + 1
            WHERE organization_id = $1 AND id = $2""",
        task.organization_id,
        task.id,
        task.closed_at,
        task.closed_because,
        task.closed_by,
        task.reason,
    )


async def locked(tx: Connection, organization_id: OrganizationId, task_id: UUID) -> Task | None:
    """The task, locked until the transaction ends."""
    return await db.maybe(
        tx,
        Task,
        "SELECT * FROM tasks WHERE organization_id = $1 AND id = $2 FOR UPDATE",
        organization_id,
        task_id,
    )


async def by_id(tx: Connection, organization_id: OrganizationId, task_id: UUID) -> Task:
    """A task that is there."""
    return await db.one(
        tx,
        Task,
        "SELECT * FROM tasks WHERE organization_id = $1 AND id = $2",
        organization_id,
        task_id,
    )


async def affiliation(
    tx: Connection, organization_id: OrganizationId, since: datetime, now: datetime
) -> Affiliation:
    """How soon the providers who were approved since then were placed somewhere, and who works nowhere of all who are approved (R06)."""
    return await db.one(
        tx,
        Affiliation,
        """WITH begun AS (
            SELECT p.id, greatest(0, extract(epoch FROM (
                SELECT min(coalesce(l.added_at, l.changed_at)) FROM placements l WHERE l.provider_id = p.id
                    AND (l.effective_until IS NULL OR l.effective_until > l.effective_from)) - p.approved_at) / 3600) AS hours,
                EXISTS (SELECT FROM placements l WHERE l.provider_id = p.id
                    AND (l.effective_until IS NULL OR l.effective_until > l.effective_from)) AS placed
            FROM providers p WHERE p.organization_id = $1 AND p.approved_at >= $2 AND p.merged_into IS NULL
        )
        SELECT count(*) AS approved, count(*) FILTER (WHERE placed) AS placed,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY hours) FILTER (WHERE placed) AS median_hours,
            (max(hours) FILTER (WHERE placed))::float8 AS longest_hours,
            (SELECT count(*) FROM providers p WHERE p.organization_id = $1 AND p.state = 'APPROVED' AND NOT EXISTS (
                SELECT FROM placements l JOIN offices o ON o.id = l.office_id WHERE l.provider_id = p.id
                AND remains(l.effective_from, l.effective_until, o.time_zone, $3))) AS without_office
        FROM begun""",
        organization_id,
        since,
        now,
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks are wanted; with `offices` those about these offices and the groups there."""

    kind: TaskKind | None = None
    offices: frozenset[OfficeId] | None = None


async def page(
    tx: Connection,
    organization_id: OrganizationId,
    wanted: Wanted,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Task]:
    """The organization's open tasks, oldest first."""
    return await db.many(
        tx,
        Task,
        """SELECT * FROM tasks t WHERE organization_id = $1 AND closed_at IS NULL
            AND ($2::text IS NULL OR kind = $2)
            AND ($3::uuid[] IS NULL OR subject_id = ANY($3) OR EXISTS (
                SELECT FROM group_offices g WHERE g.group_id = t.subject_id AND g.office_id = ANY($3)))
            AND ($4::timestamptz IS NULL OR (raised_at, id) > ($4, $5::uuid))
            ORDER BY raised_at, id LIMIT $6""",
        organization_id,
        wanted.kind,
        None if wanted.offices is None else list(wanted.offices),
        *(after or (None, None)),
        limit,
    )


async def without_office_of(
    tx: Connection, organization_id: OrganizationId, batch: UUID, now: datetime
) -> list[UUID]:
    """The approved providers of an import who work nowhere."""
    rows = await tx.fetch(
        """SELECT p.id FROM providers p WHERE p.organization_id = $1 AND p.import_batch = $2 AND p.state = 'APPROVED'
            AND NOT EXISTS (SELECT FROM placements l JOIN offices o ON o.id = l.office_id WHERE l.provider_id = p.id
                AND remains(l.effective_from, l.effective_until, o.time_zone, $3)) ORDER BY p.id""",
        organization_id,
        batch,
        now,
    )
    return [row["id"] for row in rows]
