"""SQL of what is in one user's hands."""

from dataclasses import dataclass

from kit import db
from kit.db import Connection
from services.referrals.domain import OrganizationId, ReferralId, UserId

MOST = 100


@dataclass(frozen=True, slots=True)
class Held:
    """How much somebody has claimed, and the first of it."""

    total: int
    first: tuple[ReferralId, ...]


async def held_by(tx: Connection, organization_id: OrganizationId, user_id: UserId) -> Held:
    """What the user has claimed for the organization and not ended (R07)."""
    return await db.one(
        tx,
        Held,
        "WITH held AS (SELECT id FROM referrals WHERE receiving_organization_id = $1 AND claimed_by = $2"
        " AND status IN ('PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP'))"
        " SELECT (SELECT count(*) FROM held)::integer AS total, ARRAY(SELECT id FROM held ORDER BY id LIMIT $3) AS first",
        organization_id,
        user_id,
        MOST,
    )
