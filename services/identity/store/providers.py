"""Providers of directory that are gone, as far as it has been told."""

from kit import db
from kit.db import Connection
from services.identity.domain import OrganizationId
from services.identity.domain.roles import ProviderId


async def keep_gone(
    tx: Connection,
    organization_id: OrganizationId,
    provider_id: ProviderId,
    survivor_id: ProviderId | None = None,
) -> None:
    """The provider was merged into another, or removed."""
    await db.run(
        tx,
        "INSERT INTO gone_providers (organization_id, provider_id, survivor_id) VALUES ($1, $2, $3)"
        " ON CONFLICT (organization_id, provider_id) DO UPDATE"
        " SET survivor_id = coalesce(excluded.survivor_id, gone_providers.survivor_id)",
        organization_id,
        provider_id,
        survivor_id,
    )


async def staying(
    tx: Connection, organization_id: OrganizationId, provider_id: ProviderId
) -> ProviderId | None:
    """Whom the provider has become by now, itself if nothing has happened; None when that one was removed."""
    found: ProviderId | None = await db.value(
        tx,
        "WITH RECURSIVE merged AS (SELECT $2::uuid AS id UNION SELECT g.survivor_id FROM merged m"
        " JOIN gone_providers g ON g.organization_id = $1 AND g.provider_id = m.id WHERE g.survivor_id IS NOT NULL)"
        " SELECT id FROM merged WHERE NOT EXISTS"
        " (SELECT FROM gone_providers g WHERE g.organization_id = $1 AND g.provider_id = merged.id)",
        organization_id,
        provider_id,
    )
    return found
