"""SQL of how roles were at a moment: grants are never deleted, only ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.identity.domain import OrganizationId


@dataclass(frozen=True, slots=True)
class RolesThen:
    """What a user had at a moment."""

    user_id: UUID
    office_admin_of: tuple[UUID, ...]
    office_staff_of: tuple[UUID, ...]
    provider_id: UUID | None


async def roles_at(
    tx: Connection,
    organization_id: OrganizationId,
    at: datetime,
    wanted: tuple[Sequence[UUID], Sequence[UUID], Sequence[UUID]],
) -> list[RolesThen]:
    """Who worked at one of the offices, or was one of the providers, or is one of the users `wanted`: as far as they were
    confirmed and active then. Somebody who came back counts as away until then only since the last time of leaving."""
    return await db.many(
        tx,
        RolesThen,
        """
        SELECT m.user_id,
            coalesce(array_agg(g.office_id ORDER BY g.office_id) FILTER (WHERE g.role = 'OFFICE_ADMIN'), '{}') AS office_admin_of,
            coalesce(array_agg(g.office_id ORDER BY g.office_id) FILTER (WHERE g.role = 'OFFICE_STAFF'), '{}') AS office_staff_of,
            (array_agg(g.provider_id) FILTER (WHERE g.role = 'PROVIDER'))[1] AS provider_id
        FROM memberships m JOIN users u ON u.id = m.user_id
        LEFT JOIN grants g ON g.membership_id = m.id AND g.granted_at <= $2
            AND (g.ended_at IS NULL OR g.ended_at > $2) AND (g.expires_at IS NULL OR g.expires_at > $2)
        WHERE m.organization_id = $1 AND u.confirmed_at <= $2 AND m.added_at <= $2
            AND (m.deactivated_at IS NULL OR m.deactivated_at > $2)
        GROUP BY m.user_id
        HAVING coalesce(bool_or(g.workplace = ANY($3)), false) OR coalesce(bool_or(g.provider_id = ANY($4)), false)
            OR m.user_id = ANY($5)
        ORDER BY m.user_id
        """,
        organization_id,
        at,
        *wanted,
    )
