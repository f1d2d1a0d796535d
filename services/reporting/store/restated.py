"""Weeks of scorecards that late facts may have changed, and what the rules say of them since (R32)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from kit import db
from kit.db import Connection
from services.reporting.domain import OrganizationId
from services.reporting.domain.results import Restatement, Result


async def doubt(tx: Connection, organization_id: OrganizationId, at: datetime) -> None:
    """Note which measured weeks something at `at` may have changed: those that ended later, where the organization is."""
    await db.run(
        tx,
        """INSERT INTO scorecard_doubts (organization_id, week_of)
            SELECT organization_id, week_of FROM scorecard_weeks WHERE organization_id = $1 AND week_of > $3
            AND coalesce(ends_at, (week_of + 8)::timestamp AT TIME ZONE 'UTC') > $2
            ON CONFLICT DO NOTHING""",
        organization_id,
        at,
        (at - timedelta(days=9)).date(),
    )


async def doubt_week(tx: Connection, organization_id: OrganizationId, monday: date) -> None:
    """Have a week counted again."""
    await db.run(
        tx,
        "INSERT INTO scorecard_doubts (organization_id, week_of) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        organization_id,
        monday,
    )


async def doubtful(tx: Connection, organization_id: OrganizationId) -> list[date]:
    """The weeks in doubt, the oldest first."""
    rows = await tx.fetch(
        "SELECT week_of FROM scorecard_doubts WHERE organization_id = $1 ORDER BY 1",
        organization_id,
    )
    return [row["week_of"] for row in rows]


async def settle(tx: Connection, organization_id: OrganizationId, monday: date) -> bool:
    """Let a week be in doubt no more; False when somebody was faster."""
    return bool(
        await db.run(
            tx,
            "DELETE FROM scorecard_doubts WHERE organization_id = $1 AND week_of = $2",
            organization_id,
            monday,
        )
    )


async def restate(tx: Connection, now: Result, at: datetime) -> None:
    """Keep what a rule says since; nothing when it says so already."""
    await db.run(
        tx,
        """INSERT INTO scorecard_restatements AS r (organization_id, subject_id, week_of, measure, part, whole, verdict, missed,
            restated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (organization_id, subject_id, week_of, measure) DO UPDATE SET part = $5, whole = $6, verdict = $7,
            missed = $8, restated_at = $9 WHERE (r.part, r.whole, r.missed) IS DISTINCT FROM ($5, $6, $8::uuid[])""",
        now.organization_id,
        now.subject_id,
        now.week_of,
        now.measure,
        now.part,
        now.whole,
        now.verdict,
        list(now.missed),
        at,
    )


async def withdraw(tx: Connection, now: Result) -> None:
    """It says again what it said first."""
    await db.run(
        tx,
        """DELETE FROM scorecard_restatements
            WHERE organization_id = $1 AND subject_id = $2 AND week_of = $3 AND measure = $4""",
        now.organization_id,
        now.subject_id,
        now.week_of,
        now.measure,
    )


async def restatements(
    tx: Connection, organization_id: OrganizationId, told: Sequence[Result]
) -> list[Restatement]:
    """What the rules say since of the weeks of these results."""
    return await db.many(
        tx,
        Restatement,
        """SELECT subject_id, week_of, measure, part, whole, verdict, missed, restated_at FROM scorecard_restatements
            WHERE organization_id = $1 AND subject_id = ANY($2) AND week_of = ANY($3)""",
        organization_id,
        list[UUID]({one.subject_id for one in told}),
        list({one.week_of for one in told}),
    )
