"""Which referrals' facts an organization's partners may hear no more, since it lost the providers (R14)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from kit import db
from kit.db import Connection
from services.referrals.domain import OrganizationId, ProviderId

LOOK_AGAIN = timedelta(minutes=2)
"""After so long a removal is looked at once more, and again while anything withdrawn is still being told: what was being recorded at
that moment has been by then."""


# any-organization: partners' facts are withdrawn by one job for all of them
async def removals_due(
    tx: Connection, now: datetime
) -> Mapping[OrganizationId, Sequence[ProviderId]]:
    """Removals whose facts are still to be taken out of what partners hear, and those that are to be looked at again."""
    rows = await tx.fetch(
        "SELECT organization_id, array_agg(provider_id) AS providers FROM removed_providers"
        " WHERE taken_out_at IS NULL OR settled_at IS NULL AND taken_out_at <= $1 GROUP BY 1 ORDER BY 1",
        now - LOOK_AGAIN,
    )
    return {OrganizationId(row["organization_id"]): row["providers"] for row in rows}


async def lost(
    tx: Connection, organization_id: OrganizationId, referrals: Sequence[UUID]
) -> list[UUID]:
    """Which of these referrals the organization sees nothing of: each end and each past hop that was its own is a provider's who was
    removed from it."""
    rows = await tx.fetch(
        "WITH gone AS MATERIALIZED (SELECT provider_id FROM removed_providers WHERE organization_id = $1)"
        " SELECT r.id FROM referrals r WHERE r.id = ANY((SELECT $2::uuid[])::uuid[])"
        " AND NOT (r.sending_organization_id = $1"
        " AND (r.sending_provider_id IS NULL OR r.sending_provider_id NOT IN (SELECT provider_id FROM gone)))"
        " AND NOT coalesce(r.sent_at IS NOT NULL AND r.receiving_organization_id = $1"
        " AND (r.receiving_provider_id IS NULL OR r.receiving_provider_id NOT IN (SELECT provider_id FROM gone)), false)"
        " AND NOT EXISTS (SELECT FROM hops h WHERE h.referral_id = r.id AND h.organization_id = $1 AND h.left_at IS NOT NULL"
        " AND (h.provider_id IS NULL OR h.provider_id NOT IN (SELECT provider_id FROM gone)))",
        organization_id,
        referrals,
    )
    return [row["id"] for row in rows]


async def note_taken_out(
    tx: Connection,
    organization_id: OrganizationId,
    providers: Sequence[ProviderId],
    at: datetime,
    *,
    settled: bool,
) -> None:
    """These removals have been followed, once, or once more; the second time is the last if everything is `settled`."""
    await db.run(
        tx,
        "UPDATE removed_providers SET settled_at = CASE WHEN taken_out_at IS NOT NULL AND $4 THEN $3::timestamptz END,"
        " taken_out_at = coalesce(taken_out_at, $3) WHERE organization_id = $1 AND provider_id = ANY($2)",
        organization_id,
        providers,
        at,
        settled,
    )
