"""Reports as they were published, reviewed, restated and reminded of."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from kit import db
from kit.db import Connection
from services.reporting.domain import (
    GroupId,
    OrganizationId,
    PublishedReport,
    ReferralId,
    ReportId,
    UserId,
)

_PUBLISHED = """
SELECT p.id, p.organization_id, p.group_id, p.week_of, p.figures, p.data_as_of, p.published_at, p.watermark, r.reviewed_at,
    r.reviewed_by
FROM published_reports p LEFT JOIN report_reviews r ON r.report_id = p.id
"""


async def publish(tx: Connection, report: PublishedReport) -> bool:
    """Keep a report; False when the group has one for the week already, which then stays as it is."""
    return bool(
        await db.run(
            tx,
            """INSERT INTO published_reports (id, organization_id, group_id, week_of, figures, data_as_of, published_at,
                    watermark)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                ON CONFLICT (organization_id, group_id, week_of) DO NOTHING""",
            report.id,
            report.organization_id,
            report.group_id,
            report.week_of,
            report.figures,
            report.data_as_of,
            report.published_at,
            report.watermark,
        )
    )


async def published(
    tx: Connection, organization_id: OrganizationId, group_ids: Sequence[GroupId], week_of: date
) -> dict[UUID, PublishedReport]:
    """The reports published for a week, by group."""
    found = await db.many(
        tx,
        PublishedReport,
        f"{_PUBLISHED} WHERE p.organization_id = $1 AND p.group_id = ANY($2) AND p.week_of = $3",
        organization_id,
        group_ids,
        week_of,
    )
    return {report.group_id: report for report in found}


async def published_before(
    tx: Connection, organization_id: OrganizationId, group_id: GroupId, weeks: tuple[date, date]
) -> list[PublishedReport]:
    """A group's published reports from one week (included) until another (not included), the oldest first."""
    return await db.many(
        tx,
        PublishedReport,
        f"""{_PUBLISHED} WHERE p.organization_id = $1 AND p.group_id = $2 AND p.week_of >= $3 AND p.week_of < $4
            ORDER BY p.week_of""",
        organization_id,
        group_id,
        *weeks,
    )


async def published_weeks(
    tx: Connection, organization_id: OrganizationId, since: date
) -> set[tuple[UUID, date]]:
    """For which groups and weeks a report was published, from the week that begins on `since`."""
    rows = await tx.fetch(
        "SELECT group_id, week_of FROM published_reports WHERE organization_id = $1 AND week_of >= $2",
        organization_id,
        since,
    )
    return {(row["group_id"], row["week_of"]) for row in rows}


async def published_report(
    tx: Connection, organization_id: OrganizationId, report_id: ReportId
) -> PublishedReport | None:
    """A published report, locked until the transaction is over. It is read after the lock: a review may come before."""
    await tx.execute(
        "SELECT FROM published_reports WHERE organization_id = $1 AND id = $2 FOR UPDATE",
        organization_id,
        report_id,
    )
    return await db.maybe(
        tx,
        PublishedReport,
        f"{_PUBLISHED} WHERE p.organization_id = $1 AND p.id = $2",
        organization_id,
        report_id,
    )


async def add_review(tx: Connection, report: PublishedReport, by: UserId, at: datetime) -> None:
    """Note who reviewed a report."""
    await db.run(
        tx,
        "INSERT INTO report_reviews (report_id, organization_id, reviewed_by, reviewed_at) VALUES ($1, $2, $3, $4)",
        report.id,
        report.organization_id,
        by,
        at,
    )


async def restate(
    tx: Connection, report: PublishedReport, watermark: str, figures: dict[str, Any], at: datetime
) -> bool:
    """Keep what a published report says since facts came late; False when this state was told before."""
    return bool(
        await db.run(
            tx,
            """INSERT INTO report_restatements (report_id, organization_id, watermark, figures, restated_at)
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING""",
            report.id,
            report.organization_id,
            watermark,
            figures,
            at,
        )
    )


async def doubt(
    tx: Connection, organization_id: OrganizationId, referral_id: ReferralId, at: datetime
) -> None:
    """Note which published reports something at `at` may have changed: of the groups that ever had or sent the referral, those
    of weeks that ended later, wherever that is."""
    await db.run(
        tx,
        """INSERT INTO report_doubts (report_id, organization_id)
            SELECT p.id, p.organization_id FROM published_reports p
            WHERE p.organization_id = $1 AND p.week_of > $4
            AND (p.week_of + 8)::timestamp AT TIME ZONE 'UTC' > $3
            AND EXISTS (SELECT FROM referral_changes c WHERE c.organization_id = $1 AND c.referral_id = $2
                AND p.group_id IN (c.group_id, c.sending_group_id))
            ON CONFLICT DO NOTHING""",
        organization_id,
        referral_id,
        at,
        (at - timedelta(days=9)).date(),
    )


async def doubtful_weeks(tx: Connection, organization_id: OrganizationId) -> list[date]:
    """The weeks of which a report is in doubt, the oldest first."""
    rows = await tx.fetch(
        """SELECT DISTINCT p.week_of FROM report_doubts d JOIN published_reports p ON p.id = d.report_id
            WHERE d.organization_id = $1 ORDER BY 1""",
        organization_id,
    )
    return [row["week_of"] for row in rows]


async def settle(tx: Connection, organization_id: OrganizationId, week_of: date) -> list[GroupId]:
    """Let the reports of a week be in doubt no more; answers whose they were."""
    rows = await tx.fetch(
        """DELETE FROM report_doubts d USING published_reports p
            WHERE d.organization_id = $1 AND p.id = d.report_id AND p.week_of = $2 RETURNING p.group_id""",
        organization_id,
        week_of,
    )
    return [row["group_id"] for row in rows]


async def unreviewed(
    tx: Connection, organization_id: OrganizationId, since: datetime
) -> list[PublishedReport]:
    """Reports published until `since` that nobody reviewed and nobody was reminded of, the oldest first."""
    return await db.many(
        tx,
        PublishedReport,
        f"""{_PUBLISHED} LEFT JOIN report_reminders m ON m.report_id = p.id
            WHERE p.organization_id = $1 AND p.published_at <= $2 AND r.report_id IS NULL AND m.report_id IS NULL
            ORDER BY p.published_at, p.id""",
        organization_id,
        since,
    )


async def remind(tx: Connection, report: PublishedReport, at: datetime) -> bool:
    """Note that a report's review was asked for; False when it was before, or when it has been reviewed meanwhile."""
    return bool(
        await db.run(
            tx,
            """INSERT INTO report_reminders (report_id, organization_id, reminded_at)
                SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM report_reviews WHERE report_id = $1)
                ON CONFLICT DO NOTHING""",
            report.id,
            report.organization_id,
            at,
        )
    )
