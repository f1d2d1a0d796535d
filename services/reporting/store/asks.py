"""Who has been told that a guide is theirs to read, and whom it is still to be told."""

from collections.abc import Sequence
from datetime import datetime

from kit import db
from kit.db import Connection
from services.reporting.domain.guides import Guide, GuideId
from services.reporting.domain.nouns import OrganizationId, UserId

_UNTOLD = """
SELECT DISTINCT a.guide_id, a.user_id FROM guide_audience a
WHERE a.organization_id = $1 AND ($2::uuid IS NULL OR a.guide_id = $2) AND a.confirmed_at IS NOT NULL
AND NOT EXISTS (SELECT FROM guide_asks k WHERE k.guide_id = a.guide_id AND k.user_id = a.user_id AND k.number = a.number)
AND NOT EXISTS (SELECT FROM guide_reads r WHERE r.guide_id = a.guide_id AND r.user_id = a.user_id AND r.number = a.number)
"""
_GONE = """
SELECT k.guide_id, k.user_id FROM guide_asks k
WHERE k.organization_id = $1 AND ($2::uuid IS NULL OR k.guide_id = $2) AND NOT EXISTS (SELECT FROM guide_audience a
    WHERE a.organization_id = $1 AND a.guide_id = k.guide_id AND a.user_id = k.user_id)
"""


async def guides_to_tell(tx: Connection, organization_id: OrganizationId) -> list[GuideId]:
    """The guides that are somebody's to read, or are not any more, and they have not been told."""
    rows = await tx.fetch(
        f"SELECT DISTINCT guide_id FROM (({_UNTOLD}) UNION ({_GONE})) AS found ORDER BY 1",  # noqa: S608 - queries of ours
        organization_id,
        None,
    )
    return [GuideId(row["guide_id"]) for row in rows]


async def untold(tx: Connection, guide: Guide) -> list[UserId]:
    """Who is asked to read the version that is published, has not read it, and has not been told: those who can sign in."""
    return await _users(tx, _UNTOLD, guide)


async def gone(tx: Connection, guide: Guide) -> list[UserId]:
    """Who was told, and is not asked any more."""
    return await _users(tx, _GONE, guide)


async def _users(tx: Connection, sql: str, guide: Guide) -> list[UserId]:
    rows = await tx.fetch(f"{sql} ORDER BY user_id", guide.organization_id, guide.id)
    return [UserId(row["user_id"]) for row in rows]


async def note(tx: Connection, guide: Guide, users: Sequence[UserId], at: datetime) -> None:
    """These are told now."""
    await db.run(
        tx,
        """INSERT INTO guide_asks (organization_id, guide_id, user_id, number, asked_at)
            SELECT $1, $2, asked.user_id, $4, $5 FROM unnest($3::uuid[]) AS asked (user_id)
            ON CONFLICT (guide_id, user_id) DO UPDATE SET number = $4, asked_at = $5""",
        guide.organization_id,
        guide.id,
        users,
        guide.number,
        at,
    )


async def forget(tx: Connection, guide: Guide, users: Sequence[UserId] | None = None) -> None:
    """These, or (None) all, are not asked any more: should they be again, they are told again."""
    await db.run(
        tx,
        """DELETE FROM guide_asks WHERE organization_id = $1 AND guide_id = $2
            AND ($3::uuid[] IS NULL OR user_id = ANY($3))""",
        guide.organization_id,
        guide.id,
        users,
    )
