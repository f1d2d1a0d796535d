"""Who could be office admin: what is known of the staff of offices, and whom nobody wants to be suggested again (R-S1)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.identity.domain import OfficeId, OrganizationId, UserId
from services.identity.domain.candidates import Known

_STAFF = """
SELECT m.user_id, u.name, m.title, g.office_id, coalesce(m.reactivated_at, m.added_at) AS since,
    (SELECT count(DISTINCT s.began_at::date) FROM sessions s WHERE s.membership_id = m.id AND s.stage = 'full'
        AND s.began_at > $2)::integer AS days_signed_in,
    (SELECT count(DISTINCT o.workplace) FROM live_grants o WHERE o.membership_id = m.id)::integer AS offices,
    (SELECT count(DISTINCT om.user_id) FROM live_grants og JOIN memberships om ON om.id = og.membership_id
        JOIN users ou ON ou.id = om.user_id WHERE og.workplace = g.office_id AND om.deactivated_at IS NULL
        AND ou.confirmed_at IS NOT NULL AND om.user_id <> m.user_id)::integer AS colleagues
FROM live_grants g JOIN memberships m ON m.id = g.membership_id JOIN users u ON u.id = m.user_id
WHERE m.organization_id = $1 AND m.deactivated_at IS NULL AND u.confirmed_at IS NOT NULL AND g.role = 'OFFICE_STAFF'
    AND NOT EXISTS (SELECT FROM live_grants a JOIN memberships am ON am.id = a.membership_id
        WHERE a.office_id = g.office_id AND a.role = 'OFFICE_ADMIN' AND am.deactivated_at IS NULL)
    AND NOT EXISTS (SELECT FROM dismissed_candidates d WHERE d.organization_id = $1 AND d.office_id = g.office_id
        AND (d.user_id IS NULL OR d.user_id = m.user_id))
ORDER BY g.office_id, m.user_id
"""


async def possible_office_admins(
    tx: Connection, organization_id: OrganizationId, active_since: datetime
) -> list[Known]:
    """The confirmed staff of offices that have no office admin, without those whom nobody wants to be suggested."""
    return await db.many(tx, Known, _STAFF, organization_id, active_since)


async def dismiss_candidate(
    tx: Connection,
    organization_id: OrganizationId,
    about: tuple[OfficeId, UserId | None],
    by: UserId,
    at: datetime,
) -> None:
    """Suggest this user, or without one anybody, no more for the office."""
    await db.run(
        tx,
        "INSERT INTO dismissed_candidates VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        organization_id,
        about[0],
        about[1],
        at,
        by,
    )


async def offices_staffed(
    tx: Connection, organization_id: OrganizationId, offices: Iterable[UUID]
) -> set[UUID]:
    """Those of these offices at which somebody works, or did."""
    rows = await tx.fetch(
        "SELECT DISTINCT g.workplace FROM grants g JOIN memberships m ON m.id = g.membership_id"
        " WHERE m.organization_id = $1 AND g.workplace = ANY($2)",
        organization_id,
        list(offices),
    )
    return {row["workplace"] for row in rows}
