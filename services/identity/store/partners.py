"""Partners of an organization."""

from uuid import UUID

from kit import db
from kit.db import Connection
from services.identity.domain import OrganizationId, Partner, PartnerId, UserId

_PARTNER = (
    "SELECT id, organization_id, name, public_key, added_at, removed_at, version FROM partners"
)


async def add_partner(tx: Connection, partner: Partner, by: UserId) -> None:
    """Keep a new partner."""
    await db.run(
        tx,
        "INSERT INTO partners (id, organization_id, name, public_key, added_at, added_by)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        partner.id,
        partner.organization_id,
        partner.name,
        partner.public_key,
        partner.added_at,
        by,
    )


async def partner(
    tx: Connection, organization_id: OrganizationId, partner_id: PartnerId, *, lock: bool = False
) -> Partner | None:
    """The partner, if the organization has one of that id; with `lock`, held until the transaction ends."""
    held = " FOR UPDATE" if lock else ""
    return await db.maybe(
        tx,
        Partner,
        f"{_PARTNER} WHERE organization_id = $1 AND id = $2{held}",
        organization_id,
        partner_id,
    )


async def partners_of(tx: Connection, organization_id: OrganizationId) -> list[Partner]:
    """The organization's partners that were not removed, by name."""
    return await db.many(
        tx,
        Partner,
        f"{_PARTNER} WHERE organization_id = $1 AND removed_at IS NULL ORDER BY lower(name), id",
        organization_id,
    )


async def partners_added_by(
    tx: Connection, organization_id: OrganizationId, user_id: UserId
) -> list[Partner]:
    """Those of them whose credential that user added."""
    return await db.many(
        tx,
        Partner,
        f"{_PARTNER} WHERE organization_id = $1 AND removed_at IS NULL AND added_by = $2 ORDER BY lower(name), id",
        organization_id,
        user_id,
    )


async def remove_partner(tx: Connection, partner: Partner, by: UserId | None) -> None:
    """Mark a partner as removed. `by` is None when the 90 days did it."""
    await db.run(
        tx,
        "UPDATE partners SET removed_at = $3, removed_by = $4, version = version + 1"
        " WHERE organization_id = $1 AND id = $2",
        partner.organization_id,
        partner.id,
        partner.removed_at,
        by,
    )


# any-organization: the broker's consumers are kept for all organizations together
async def all_partners(tx: Connection) -> list[Partner]:
    """Every partner there is or was."""
    return await db.many(tx, Partner, f"{_PARTNER} ORDER BY id")


# any-organization: a partner proves itself to the broker by its key alone
async def partner_by_key(tx: Connection, public_key: str) -> Partner | None:
    """The partner with that public key, unless it was removed."""
    return await db.maybe(
        tx, Partner, f"{_PARTNER} WHERE public_key = $1 AND removed_at IS NULL", public_key
    )


async def name_taken(tx: Connection, organization_id: OrganizationId, name: str) -> bool:
    """Whether the organization has a partner of that name now."""
    found: UUID | None = await db.value(
        tx,
        "SELECT id FROM partners WHERE organization_id = $1 AND lower(name) = lower($2) AND removed_at IS NULL",
        organization_id,
        name,
    )
    return found is not None
