"""SQL of offices that work outside of the suite."""

from collections.abc import Collection

from kit import db
from kit.db import Connection
from services.referrals.domain import ExternalOffice, OfficeId, OrganizationId


# any-organization: whoever sends asks about an office of the receiver
async def known(tx: Connection, office_ids: Collection[OfficeId]) -> dict[OfficeId, ExternalOffice]:
    """What was said of these offices; absent: nothing, so that they work in the suite."""
    rows = await db.many(
        tx,
        ExternalOffice,
        "SELECT * FROM external_offices WHERE office_id = ANY((SELECT $1::uuid[])::uuid[])",
        list(office_ids),
    )
    return {row.office_id: row for row in rows}


async def put(tx: Connection, organization_id: OrganizationId, office: ExternalOffice) -> bool:
    """Keep the next version of what is said of the organization's office; False when another version stands."""
    changed = await db.run(
        tx,
        "INSERT INTO external_offices VALUES ($1, $2, $3, $4) ON CONFLICT (office_id) DO UPDATE SET"
        " externally_managed = excluded.externally_managed, version = excluded.version"
        " WHERE external_offices.organization_id = $1 AND external_offices.version = excluded.version - 1",
        organization_id,
        office.office_id,
        office.externally_managed,
        office.version,
    )
    return changed == 1
