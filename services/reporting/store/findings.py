"""Findings, and what was measured after something was done."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from kit import db
from kit.db import Connection
from services.reporting.domain import OrganizationId
from services.reporting.domain.findings import EffectWeek, Finding, FindingId, FindingState

_FINDING = """SELECT id, organization_id, subject, subject_id, measure, rule_number, week_of, percent, part, whole, office_ids,
    hypotheses, state, version, raised_at, cause, note, investigated_by, investigated_at, actioned_at, closed_by, closed_at
    FROM findings"""


async def raise_finding(tx: Connection, finding: Finding) -> bool:
    """Keep a finding; False when the subject has one about the measure that is not closed."""
    return bool(
        await db.run(
            tx,
            """INSERT INTO findings (id, organization_id, subject, subject_id, measure, rule_number, week_of, percent, part,
                whole, office_ids, hypotheses, state, version, raised_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
                ON CONFLICT (organization_id, subject_id, measure) WHERE state <> 'CLOSED' DO NOTHING""",
            finding.id,
            finding.organization_id,
            finding.subject,
            finding.subject_id,
            finding.measure,
            finding.rule_number,
            finding.week_of,
            finding.percent,
            finding.part,
            finding.whole,
            list(finding.office_ids),
            _plain(finding),
            finding.state,
            finding.version,
            finding.raised_at,
        )
    )


def _plain(finding: Finding) -> list[dict[str, Any]]:
    return [asdict(one) for one in finding.hypotheses]


async def change(tx: Connection, finding: Finding) -> None:
    """Keep where a finding stands."""
    await db.run(
        tx,
        """UPDATE findings SET state = $3, version = $4, cause = $5, note = $6, investigated_by = $7, investigated_at = $8,
            actioned_at = $9, closed_by = $10, closed_at = $11 WHERE organization_id = $1 AND id = $2""",
        finding.organization_id,
        finding.id,
        finding.state,
        finding.version,
        finding.cause,
        finding.note,
        finding.investigated_by,
        finding.investigated_at,
        finding.actioned_at,
        finding.closed_by,
        finding.closed_at,
    )


async def locked(tx: Connection, organization_id: OrganizationId, id_: FindingId) -> Finding | None:
    """A finding, locked until the transaction is over."""
    sql = f"{_FINDING} WHERE organization_id = $1 AND id = $2 FOR UPDATE"
    return await db.maybe(tx, Finding, sql, organization_id, id_)


async def by_id(
    tx: Connection, organization_id: OrganizationId, ids: Sequence[UUID]
) -> dict[UUID, Finding]:
    """The organization's findings with these ids."""
    sql = f"{_FINDING} WHERE organization_id = $1 AND id = ANY($2)"
    return {one.id: one for one in await db.many(tx, Finding, sql, organization_id, ids)}


async def page(
    tx: Connection,
    organization_id: OrganizationId,
    office_ids: Sequence[UUID] | None,
    state: FindingState | None,
    after: UUID | None,
    limit: int,
) -> list[Finding]:
    """Findings in the order in which they were raised: about these offices, or (None) any; of one state, or (None) any."""
    return await db.many(
        tx,
        Finding,
        f"""{_FINDING} WHERE organization_id = $1 AND ($2::uuid[] IS NULL OR office_ids && $2)
            AND ($3::finding_state IS NULL OR state = $3) AND ($4::uuid IS NULL OR id > $4) ORDER BY id LIMIT $5""",
        organization_id,
        office_ids,
        state,
        after,
        limit,
    )


async def not_closed(
    tx: Connection, organization_id: OrganizationId, subject_ids: Sequence[UUID]
) -> list[Finding]:
    """What was found out about these subjects and is not closed, the oldest first."""
    return await db.many(
        tx,
        Finding,
        f"""{_FINDING} WHERE organization_id = $1 AND subject_id = ANY($2) AND state <> 'CLOSED' ORDER BY id""",
        organization_id,
        subject_ids,
    )


# Effects --------------------------------------------------------------------------------------------------------------


async def actioned(
    tx: Connection, organization_id: OrganizationId, since: datetime
) -> list[Finding]:
    """The findings about which something was done after a moment."""
    return await db.many(
        tx,
        Finding,
        f"""{_FINDING} WHERE organization_id = $1 AND actioned_at IS NOT NULL AND actioned_at > $2""",
        organization_id,
        since,
    )


async def keep_effect(
    tx: Connection, finding: Finding, monday: date, part: int, whole: int
) -> None:
    """Keep a week after something was done, as it is known now."""
    await db.run(
        tx,
        """INSERT INTO finding_effects (finding_id, organization_id, week_of, part, whole) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (finding_id, week_of) DO UPDATE SET part = $4, whole = $5""",
        finding.id,
        finding.organization_id,
        monday,
        part,
        whole,
    )


async def effects(
    tx: Connection, organization_id: OrganizationId, ids: Sequence[UUID]
) -> list[EffectWeek]:
    """What was measured after something was done about these findings, week by week."""
    return await db.many(
        tx,
        EffectWeek,
        """SELECT finding_id, week_of, part, whole FROM finding_effects
            WHERE organization_id = $1 AND finding_id = ANY($2) ORDER BY week_of""",
        organization_id,
        ids,
    )
