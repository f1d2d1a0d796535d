"""The history of referrals: what happened to each, in the order it happened."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from kit import db
from kit.db import Connection
from services.reporting.domain import (
    Change,
    GroupId,
    OrganizationId,
)

_CHANGE = tuple(field.name for field in fields(Change))


async def add_change(tx: Connection, organization_id: OrganizationId, change: Change) -> None:
    """Remember what an organization heard of a referral, and where the referral stands since."""
    await db.run(
        tx,
        """WITH changed AS (
                INSERT INTO referral_changes (organization_id, referral_id, sequence, version, verb, status, hop, group_id,
                    sending_group_id, reason_code, occurred_at, outcome, appointment_at, plan_acceptance, office_id, provider_id,
                    sending_office_id, plan_id, outside_plan_reason)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
                ON CONFLICT DO NOTHING)
            INSERT INTO referrals AS r (organization_id, referral_id, sequence, holder, first_changed_at, last_changed_at)
            VALUES ($1, $2, $3, $20, $11, $11) ON CONFLICT (organization_id, referral_id) DO UPDATE SET
            sequence = greatest(r.sequence, excluded.sequence),
            holder = CASE WHEN excluded.sequence > r.sequence THEN excluded.holder ELSE r.holder END,
            first_changed_at = least(r.first_changed_at, excluded.first_changed_at),
            last_changed_at = greatest(r.last_changed_at, excluded.last_changed_at)""",
        organization_id,
        *(getattr(change, name) for name in _CHANGE),
        change.holder,
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
            c.sending_office_id, c.plan_id, c.outside_plan_reason
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
