"""SQL of the clocks: an organization's targets, what is overdue by them, and what was said to be."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from kit import db
from kit.db import Connection
from services.referrals.domain import (
    ACKNOWLEDGE_DAYS,
    DECIDE_DAYS,
    OrganizationId,
    Overdue,
    Referral,
    ReferralId,
    Targets,
)


async def targets_of(
    tx: Connection, organization_ids: Collection[OrganizationId]
) -> dict[OrganizationId, Targets]:
    """The targets of these organizations: their own, or the product's."""
    rows = await db.many(
        tx, Targets, "SELECT * FROM targets WHERE organization_id = ANY($1)", list(organization_ids)
    )
    own = {row.organization_id: row for row in rows}
    return {one: own.get(one, Targets(one)) for one in organization_ids}


async def put(tx: Connection, targets: Targets) -> bool:
    """Keep the next version of an organization's targets; False when another version stands."""
    changed = await db.run(
        tx,
        "INSERT INTO targets VALUES ($1, $2, $3, $4, $5) ON CONFLICT (organization_id) DO UPDATE SET"
        " acknowledge_days = excluded.acknowledge_days, decide_days = excluded.decide_days,"
        " passed_appointment = excluded.passed_appointment, version = excluded.version"
        " WHERE targets.version = excluded.version - 1",
        targets.organization_id,
        targets.acknowledge_days,
        targets.decide_days,
        targets.passed_appointment,
        targets.version,
    )
    return changed == 1


# $1 now, $2 and $3 the product's days, $4 what is left alone, $5 limit.
_LATE: Final = """
SELECT r.* FROM referrals r
LEFT JOIN targets t ON t.organization_id = r.receiving_organization_id
CROSS JOIN LATERAL (SELECT CASE
    WHEN r.received_at + make_interval(days => coalesce(t.decide_days, $3)) < $1 THEN 'DECIDE'
    WHEN r.status = 'PENDING' AND r.received_at + make_interval(days => coalesce(t.acknowledge_days, $2)) < $1
        THEN 'ACKNOWLEDGE' END AS overdue) AS late
WHERE r.status IN ('PENDING', 'IN_PROGRESS') AND late.overdue IS NOT NULL AND r.id <> ALL($4) AND NOT EXISTS (
    SELECT FROM overdue_told o WHERE o.referral_id = r.id AND o.hop = r.hop AND o.overdue = late.overdue)
ORDER BY r.received_at LIMIT $5 FOR UPDATE OF r SKIP LOCKED
"""


# any-organization: a job looks at everybody's clocks
async def lock_untold(
    tx: Connection, now: datetime, left: Sequence[ReferralId], limit: int
) -> list[Referral]:
    """Referrals that are overdue and of which it has not been said, but for some, locked; those somebody else holds are left to them."""
    return await db.many(tx, Referral, _LATE, now, ACKNOWLEDGE_DAYS, DECIDE_DAYS, left, limit)


async def note_told(tx: Connection, referral: Referral, overdue: Overdue, at: datetime) -> None:
    """Remember that it was said of the present receiver."""
    await db.run(
        tx,
        "INSERT INTO overdue_told VALUES ($1, $2, $3, $4)",
        referral.id,
        referral.hop,
        overdue,
        at,
    )
