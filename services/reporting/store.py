"""Every SQL statement of reporting."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from kit import db
from kit.db import Connection
from services.reporting.domain import (
    Change,
    Group,
    GroupId,
    Organization,
    OrganizationId,
    PublishedReport,
    ReportId,
    UserId,
)

_GROUP = "SELECT id, organization_id, name, office_ids, added_at, removed_at FROM groups"
_PUBLISHED = """
SELECT p.id, p.organization_id, p.group_id, p.week_of, p.figures, p.data_as_of, p.published_at, p.watermark, r.reviewed_at,
    r.reviewed_by
FROM published_reports p LEFT JOIN report_reviews r ON r.report_id = p.id
"""


# Organizations and groups ---------------------------------------------------------------------------------------------


async def note_fact(tx: Connection, organization_id: OrganizationId, at: datetime) -> None:
    """Advance the organization's watermark; it never goes back."""
    await db.run(
        tx,
        """INSERT INTO organizations (organization_id, data_as_of) VALUES ($1, $2)
            ON CONFLICT (organization_id)
            DO UPDATE SET data_as_of = greatest(organizations.data_as_of, excluded.data_as_of)""",
        organization_id,
        at,
    )


async def keep_time_zone(tx: Connection, organization_id: OrganizationId, time_zone: str) -> None:
    """Remember in which zone an organization reads days and weeks."""
    await db.run(
        tx,
        """INSERT INTO organizations (organization_id, time_zone) VALUES ($1, $2)
            ON CONFLICT (organization_id) DO UPDATE SET time_zone = excluded.time_zone""",
        organization_id,
        time_zone,
    )


async def organization(tx: Connection, organization_id: OrganizationId) -> Organization:
    """What is known of an organization; nothing yet is an organization without time zone and watermark."""
    found = await db.maybe(
        tx, Organization, "SELECT * FROM organizations WHERE organization_id = $1", organization_id
    )
    return found or Organization(organization_id, None, None)


async def organizations(tx: Connection) -> list[Organization]:
    """Every organization whose weeks can be told, for publishing."""  # any-organization: the job goes through all of them
    return await db.many(
        tx,
        Organization,
        "SELECT * FROM organizations WHERE time_zone IS NOT NULL ORDER BY organization_id",
    )


async def add_group(tx: Connection, group: Group) -> None:
    """Remember a group."""
    await db.run(
        tx,
        """INSERT INTO groups (id, organization_id, name, office_ids, added_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (id) DO NOTHING""",
        group.id,
        group.organization_id,
        group.name,
        list(group.office_ids),
        group.added_at,
    )


async def remove_group(
    tx: Connection, organization_id: OrganizationId, group_id: GroupId, at: datetime
) -> None:
    """Note that a group is no more."""
    await db.run(
        tx,
        """UPDATE groups SET removed_at = greatest(added_at, $3)
            WHERE organization_id = $1 AND id = $2 AND removed_at IS NULL""",
        organization_id,
        group_id,
        at,
    )


async def groups_by_id(
    tx: Connection, organization_id: OrganizationId, ids: Sequence[UUID]
) -> dict[UUID, Group]:
    """The organization's groups with these ids."""
    found = await db.many(
        tx, Group, f"{_GROUP} WHERE organization_id = $1 AND id = ANY($2)", organization_id, ids
    )
    return {group.id: group for group in found}


async def groups(tx: Connection, organization_id: OrganizationId) -> list[Group]:
    """Every group the organization has or had."""
    return await db.many(tx, Group, f"{_GROUP} WHERE organization_id = $1", organization_id)


# The history of referrals ---------------------------------------------------------------------------------------------


async def add_change(tx: Connection, organization_id: OrganizationId, change: Change) -> None:
    """Remember what an organization heard of a referral, and where the referral stands since."""
    await db.run(
        tx,
        """INSERT INTO referral_changes (organization_id, referral_id, sequence, version, verb, status, hop, group_id,
            sending_group_id, reason_code, occurred_at, outcome, appointment_at, plan_acceptance, office_id, provider_id,
            sending_office_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING""",
        organization_id,
        *asdict(change).values(),
    )
    await db.run(
        tx,
        """INSERT INTO referrals AS r (organization_id, referral_id, sequence, holder, first_changed_at, last_changed_at)
            VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (organization_id, referral_id) DO UPDATE SET
            sequence = greatest(r.sequence, excluded.sequence),
            holder = CASE WHEN excluded.sequence > r.sequence THEN excluded.holder ELSE r.holder END,
            first_changed_at = least(r.first_changed_at, excluded.first_changed_at),
            last_changed_at = greatest(r.last_changed_at, excluded.last_changed_at)""",
        organization_id,
        change.referral_id,
        change.sequence,
        change.holder,
        change.occurred_at,
    )


async def changes(
    tx: Connection,
    organization_id: OrganizationId,
    group_ids: Sequence[GroupId],
    span: tuple[datetime, datetime],
) -> list[Change]:
    """The whole history of the referrals one of the groups ever had or sent, if they began before the span's end and are open
    with one of them or changed since its start."""
    return await db.many(
        tx,
        Change,
        """SELECT c.referral_id, c.sequence, c.version, c.verb, c.status, c.hop, c.group_id, c.sending_group_id,
            c.reason_code, c.occurred_at, c.outcome, c.appointment_at, c.plan_acceptance, c.office_id, c.provider_id,
            c.sending_office_id
            FROM referrals r JOIN referral_changes c USING (organization_id, referral_id)
            WHERE r.organization_id = $1 AND r.first_changed_at < $4
            AND (r.holder = ANY($2) OR r.last_changed_at >= $3)
            AND EXISTS (SELECT FROM referral_changes g WHERE g.organization_id = $1 AND g.referral_id = r.referral_id
                AND (g.group_id = ANY($2) OR g.sending_group_id = ANY($2)))
            ORDER BY c.referral_id, c.sequence""",
        organization_id,
        group_ids,
        *span,
    )


# Published reports ----------------------------------------------------------------------------------------------------


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


# Restating and reminding ----------------------------------------------------------------------------------------------


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
