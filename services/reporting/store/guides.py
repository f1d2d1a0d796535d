"""Guides, their versions, who is asked to read them, and who has."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.reporting.domain.guides import (
    Asked,
    Content,
    Guide,
    GuideId,
    GuideState,
    GuideVersion,
)
from services.reporting.domain.nouns import OrganizationId, UserId

_GUIDE = "SELECT id, organization_id, kind, state, number, version, added_at FROM guides"
_VERSION = """SELECT guide_id, number, title, text, roles, offices, written_by, written_at, published_by, published_at
    FROM guide_versions"""


async def hold(tx: Connection, organization_id: OrganizationId) -> None:
    """One at a time for whoever adds guides to the organization, until the transaction is over."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 30))", f"guides {organization_id}"
    )


async def count(tx: Connection, organization_id: OrganizationId) -> int:
    """How many guides the organization has that are not withdrawn."""
    found: int = await db.value(
        tx,
        "SELECT count(*) FROM guides WHERE organization_id = $1 AND state <> 'WITHDRAWN'",
        organization_id,
    )
    return found


async def add(tx: Connection, guide: Guide) -> None:
    """Keep a new guide."""
    await db.run(
        tx,
        """INSERT INTO guides (id, organization_id, kind, state, number, version, added_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        guide.id,
        guide.organization_id,
        guide.kind,
        guide.state,
        guide.number,
        guide.version,
        guide.added_at,
    )


async def change(tx: Connection, guide: Guide) -> None:
    """Keep where a guide stands."""
    await db.run(
        tx,
        "UPDATE guides SET state = $3, number = $4, version = $5 WHERE organization_id = $1 AND id = $2",
        guide.organization_id,
        guide.id,
        guide.state,
        guide.number,
        guide.version,
    )


async def by_id(
    tx: Connection, organization_id: OrganizationId, ids: Sequence[UUID]
) -> dict[UUID, Guide]:
    """The organization's guides with these ids."""
    sql = f"{_GUIDE} WHERE organization_id = $1 AND id = ANY($2)"
    found = await db.many(tx, Guide, sql, organization_id, ids)
    return {guide.id: guide for guide in found}


async def locked(tx: Connection, organization_id: OrganizationId, id_: GuideId) -> Guide | None:
    """A guide, locked until the transaction is over."""
    sql = f"{_GUIDE} WHERE organization_id = $1 AND id = $2 FOR UPDATE"
    return await db.maybe(tx, Guide, sql, organization_id, id_)


async def page(
    tx: Connection,
    organization_id: OrganizationId,
    state: GuideState | None,
    after: UUID | None,
    limit: int,
) -> list[Guide]:
    """The organization's guides in the order in which they were added: of one state, or (None) of any."""
    return await db.many(
        tx,
        Guide,
        f"""{_GUIDE} WHERE organization_id = $1 AND ($2::guide_state IS NULL OR state = $2)
            AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4""",
        organization_id,
        state,
        after,
        limit,
    )


# Versions -------------------------------------------------------------------------------------------------------------


async def versions(
    tx: Connection, organization_id: OrganizationId, guides: Sequence[Guide]
) -> dict[tuple[UUID, int], GuideVersion]:
    """Of each guide the version published last and the draft after it, by guide and number."""
    found = await db.many(
        tx,
        GuideVersion,
        f"""{_VERSION} JOIN unnest($2::uuid[], $3::int[]) AS wanted (guide_id, number) USING (guide_id, number)
            WHERE organization_id = $1""",
        organization_id,
        [guide.id for guide in guides for _ in range(2)],
        [number for guide in guides for number in (guide.number, guide.number + 1)],
    )
    return {(one.guide_id, one.number): one for one in found}


async def version(
    tx: Connection, organization_id: OrganizationId, guide_id: GuideId, number: int
) -> GuideVersion | None:
    """One version of a guide, if it is there."""
    sql = f"{_VERSION} WHERE organization_id = $1 AND guide_id = $2 AND number = $3"
    return await db.maybe(tx, GuideVersion, sql, organization_id, guide_id, number)


async def draft(tx: Connection, guide: Guide, content: Content, by: UserId, at: datetime) -> None:
    """Write the draft of the next version, over the one that was there."""
    await db.run(
        tx,
        """INSERT INTO guide_versions (guide_id, organization_id, number, title, text, roles, offices, written_by, written_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (guide_id, number)
            DO UPDATE SET title = $4, text = $5, roles = $6, offices = $7, written_by = $8, written_at = $9""",
        guide.id,
        guide.organization_id,
        guide.number + 1,
        content.title,
        content.text,
        list(content.roles),
        content.offices,
        by,
        at,
    )


async def publish(
    tx: Connection, version: GuideVersion, organization_id: OrganizationId, by: UserId, at: datetime
) -> None:
    """Make a draft the version that is read."""
    await db.run(
        tx,
        """UPDATE guide_versions SET published_by = $4, published_at = $5
            WHERE organization_id = $1 AND guide_id = $2 AND number = $3""",
        organization_id,
        version.guide_id,
        version.number,
        by,
        at,
    )


# Readers --------------------------------------------------------------------------------------------------------------


_ASKED = """
SELECT a.guide_id, a.user_id, coalesce(array_agg(DISTINCT a.office_id ORDER BY a.office_id) FILTER (WHERE a.office_id IS NOT NULL), '{}') AS office_ids, a.number,
    bool_or(a.confirmed_at IS NOT NULL) AS confirmed, coalesce(r.number, 0) AS read_number, r.read_at
FROM guide_audience a LEFT JOIN LATERAL (
    SELECT number, read_at FROM guide_reads r WHERE r.organization_id = a.organization_id AND r.guide_id = a.guide_id
    AND r.user_id = a.user_id ORDER BY number DESC LIMIT 1) AS r ON true
WHERE a.organization_id = $1
"""
_EACH = (
    " GROUP BY a.guide_id, a.user_id, a.number, r.number, r.read_at ORDER BY a.guide_id, a.user_id"
)


async def readers(
    tx: Connection, organization_id: OrganizationId, guide_ids: Sequence[UUID]
) -> list[Asked]:
    """Who is asked to read these guides."""
    sql = f"{_ASKED} AND a.guide_id = ANY($2){_EACH}"
    return await db.many(tx, Asked, sql, organization_id, guide_ids)


async def asked(
    tx: Connection, organization_id: OrganizationId, user_ids: Sequence[UUID]
) -> list[Asked]:
    """What these users are asked to read."""
    sql = f"{_ASKED} AND a.user_id = ANY($2){_EACH}"
    return await db.many(tx, Asked, sql, organization_id, user_ids)


async def asked_at(
    tx: Connection, organization_id: OrganizationId, office_ids: Sequence[UUID] | None
) -> list[Asked]:
    """What people are asked to read at these offices, or (None) anywhere."""
    sql = f"{_ASKED} AND ($2::uuid[] IS NULL OR a.office_id = ANY($2)){_EACH}"
    return await db.many(tx, Asked, sql, organization_id, office_ids)


async def acknowledge(tx: Connection, guide: Guide, by: UserId, at: datetime) -> bool:
    """Note that somebody has read the version that is published; False when that was noted before."""
    return bool(
        await db.run(
            tx,
            """INSERT INTO guide_reads (guide_id, organization_id, number, user_id, read_at) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT DO NOTHING""",
            guide.id,
            guide.organization_id,
            guide.number,
            by,
            at,
        )
    )


async def who_read(
    tx: Connection, organization_id: OrganizationId, guide_id: GuideId
) -> set[UserId]:
    """Who has read the version of a guide that is published."""
    rows = await tx.fetch(
        """SELECT r.user_id FROM guide_reads r JOIN guides g ON g.id = r.guide_id AND g.number = r.number
            WHERE r.organization_id = $1 AND r.guide_id = $2""",
        organization_id,
        guide_id,
    )
    return {UserId(row["user_id"]) for row in rows}
