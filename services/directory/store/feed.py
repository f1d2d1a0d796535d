"""Rows of the call centre's feed: who reads it, what was touched, what was told (R10)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from kit import db
from kit.db import Connection
from services.directory.domain.feed import (
    Change,
    ChangeKind,
    FeedItem,
    FeedItemId,
    Subject,
    Told,
    Touched,
)
from services.directory.domain.nouns import OrganizationId, UserId

MOST = 5000
"""So many things that were touched are looked at in one transaction."""


# Who reads it -------------------------------------------------------------------------------------------------------------


async def add_reader(tx: Connection, organization_id: OrganizationId, user_id: UserId) -> None:
    """The user works in the call centre."""
    await db.run(
        tx,
        "INSERT INTO call_centre_heard VALUES ($1, $2) ON CONFLICT DO NOTHING",
        organization_id,
        user_id,
    )


async def drop_reader(tx: Connection, organization_id: OrganizationId, user_id: UserId) -> None:
    """The user no longer works in the call centre. Who goes last takes along what was not told yet."""
    await db.run(
        tx,
        "DELETE FROM call_centre_heard WHERE organization_id = $1 AND user_id = $2",
        organization_id,
        user_id,
    )
    await db.run(
        tx,
        "DELETE FROM feed_pending WHERE organization_id = $1 AND NOT feed_has_readers($1)",
        organization_id,
    )


# What was touched ---------------------------------------------------------------------------------------------------------


async def waiting(tx: Connection, before: datetime) -> list[OrganizationId]:
    """The organizations where something was touched at that moment or earlier."""
    rows = await tx.fetch(  # any-organization: the job looks everywhere, and tells organization by organization
        "SELECT DISTINCT organization_id FROM feed_pending WHERE since <= $1 ORDER BY organization_id",
        before,
    )
    return [OrganizationId(row["organization_id"]) for row in rows]


async def hold(tx: Connection, organization_id: OrganizationId) -> None:
    """One tells an organization's feed at a time, until its transaction ends."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('feed ' || $1, 0))", str(organization_id)
    )


async def take(tx: Connection, organization_id: OrganizationId) -> list[Touched]:
    """What was touched and is committed, as it was and as it is now; whoever tells it has taken it. What somebody is touching at
    this moment stays for the next time."""
    taken = await tx.fetch(
        """DELETE FROM feed_pending WHERE ctid = ANY(ARRAY(SELECT ctid FROM feed_pending WHERE organization_id = $1
            ORDER BY since LIMIT $2 FOR UPDATE SKIP LOCKED)) 
            RETURNING kind, provider_id::text AS provider_id, office_id::text AS office_id, before""",
        organization_id,
        MOST,
    )
    return await db.many(
        tx,
        Touched,
        """SELECT t.kind, t.provider_id, t.office_id, t.before, CASE t.kind
                WHEN 'PLACEMENT' THEN feed_placements(t.provider_id, t.office_id)
                WHEN 'PLANS' THEN feed_plans(t.provider_id, t.office_id)
                WHEN 'PROVIDER' THEN jsonb_build_object('state', p.state, 'merged_into', p.merged_into)
                ELSE jsonb_build_object('state', o.state, 'closes_on', o.closes_on) END AS after,
            t.kind = 'OFFICE' OR p.approved_at IS NOT NULL AS known
        FROM jsonb_to_recordset($2) AS t (kind text, provider_id uuid, office_id uuid, before jsonb)
        LEFT JOIN providers p ON p.id = t.provider_id AND p.organization_id = $1
        LEFT JOIN offices o ON o.id = t.office_id AND o.organization_id = $1""",
        organization_id,
        [dict(row) for row in taken],
    )


# What was told ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    id: FeedItemId
    organization_id: OrganizationId
    kind: Subject
    subject_id: UUID | None
    changes: Any
    subjects: int
    told_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: UserId | None
    escalated_at: datetime | None

    def item(self) -> FeedItem:
        values = {name: getattr(self, name) for name in self.__slots__}
        return FeedItem(**values | {"changes": tuple(map(_change, self.changes))})


def _change(kept: dict[str, Any]) -> Change:
    days = {name: _day(kept[name]) for name in ("effective_from", "effective_until")}
    ids = {name: _id(kept[name]) for name in ("office_id", "from_office_id", "survivor_id")}
    plans = {name: tuple(map(UUID, kept[name])) for name in ("plans_added", "plans_ended")}
    return Change(**kept | days | ids | plans | {"kind": ChangeKind(kept["kind"])})


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None


async def add(
    tx: Connection, organization_id: OrganizationId, key: FeedItemId, told: Told, at: datetime
) -> None:
    """Keep what is told."""
    await db.run(
        tx,
        """INSERT INTO feed_items (id, organization_id, kind, subject_id, changes, subjects, told_at, grown_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $7)""",
        key,
        organization_id,
        told.kind,
        told.subject_id,
        _kept(told),
        told.subjects,
        at,
    )


def _kept(told: Told) -> list[dict[str, Any]]:
    return [
        {
            name: str(value) if isinstance(value, UUID) else value
            for name, value in asdict(change).items()
        }
        for change in told.changes
    ]


async def growing(
    tx: Connection, organization_id: OrganizationId, since: datetime
) -> FeedItem | None:
    """The newest digest that nobody has acknowledged and that grew at that moment or later, locked."""
    row = await db.maybe(
        tx,
        _Row,
        """SELECT * FROM feed_items WHERE organization_id = $1 AND kind = 'DIGEST' AND acknowledged_at IS NULL
            AND grown_at >= $2 ORDER BY told_at DESC, id DESC LIMIT 1 FOR UPDATE""",
        organization_id,
        since,
    )
    return row.item() if row else None


async def grow(tx: Connection, item: FeedItem, told: Told, at: datetime) -> None:
    """A locked digest has more in it."""
    await db.run(
        tx,
        "UPDATE feed_items SET changes = $3, subjects = $4, grown_at = $5 WHERE organization_id = $1 AND id = $2",
        item.organization_id,
        item.id,
        _kept(told),
        told.subjects,
        at,
    )


async def page(
    tx: Connection,
    organization_id: OrganizationId,
    after: tuple[datetime, UUID] | None,
    limit: int,
    *,
    unacknowledged: bool,
) -> list[FeedItem]:
    """What was told to the organization, newest first."""
    rows = await db.many(
        tx,
        _Row,
        """SELECT * FROM feed_items WHERE organization_id = $1 AND (NOT $2 OR acknowledged_at IS NULL)
            AND ($3::timestamptz IS NULL OR (told_at, id) < ($3, $4::uuid))
            ORDER BY told_at DESC, id DESC LIMIT $5""",
        organization_id,
        unacknowledged,
        *(after or (None, None)),
        limit,
    )
    return [row.item() for row in rows]


async def by_ids(
    tx: Connection, organization_id: OrganizationId, ids: Sequence[UUID]
) -> list[FeedItem]:
    """Those of these items that the organization has."""
    rows = await db.many(
        tx,
        _Row,
        "SELECT * FROM feed_items WHERE organization_id = $1 AND id = ANY($2) ORDER BY told_at DESC, id DESC",
        organization_id,
        ids,
    )
    return [row.item() for row in rows]


async def acknowledge(
    tx: Connection,
    organization_id: OrganizationId,
    which: tuple[Sequence[UUID], FeedItem | None],
    by: UserId,
    at: datetime,
) -> int:
    """Somebody takes note of these, or of one and all before it; answers of how many nobody had before."""
    ids, up_to = which
    return await db.run(
        tx,
        """UPDATE feed_items SET acknowledged_at = $4, acknowledged_by = $3 WHERE organization_id = $1
            AND acknowledged_at IS NULL AND (id = ANY($2) OR (told_at, id) <= ($5::timestamptz, $6::uuid))""",
        organization_id,
        ids,
        by,
        at,
        up_to.told_at if up_to else None,
        up_to.id if up_to else None,
    )


async def escalate(tx: Connection, told_before: datetime, at: datetime) -> dict[UUID, int]:
    """What nobody acknowledged in time is passed on, once; answers how much of which organization."""
    rows = await tx.fetch(  # any-organization: the job looks everywhere
        """WITH late AS (UPDATE feed_items SET escalated_at = $2 WHERE acknowledged_at IS NULL AND escalated_at IS NULL
            AND told_at <= $1 RETURNING organization_id)
        SELECT organization_id, count(*) AS items FROM late GROUP BY organization_id ORDER BY organization_id""",
        told_before,
        at,
    )
    return {row["organization_id"]: row["items"] for row in rows}
