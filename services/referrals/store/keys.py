"""SQL of organizations' data keys, and of the marks by which a patient is found again."""

from collections.abc import Sequence

from kit import db
from kit.db import Connection
from services.referrals.domain import DataKey, OrganizationId, Referral, ReferralId


async def keys_of(tx: Connection, organization_ids: Sequence[OrganizationId]) -> list[DataKey]:
    """Every key of these organizations that something may still be sealed with."""
    return await db.many(
        tx,
        DataKey,
        "SELECT * FROM data_keys WHERE organization_id = ANY((SELECT $1::uuid[])::uuid[])",
        organization_ids,
    )


async def add_key(tx: Connection, key: DataKey) -> None:
    """Keep a sealed key; one that has its number already stays."""
    await db.run(
        tx,
        "INSERT INTO data_keys VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        key.organization_id,
        key.number,
        key.sealed,
    )


async def drop_keys(tx: Connection, organization_id: OrganizationId, before: int) -> None:
    """Forget the keys below a number: nothing is sealed with them any more."""
    await db.run(
        tx,
        "DELETE FROM data_keys WHERE organization_id = $1 AND number < $2",
        organization_id,
        before,
    )


# any-organization: a job renews what every organization has sealed with an old key
async def with_old_keys(tx: Connection) -> list[OrganizationId]:
    """The organizations that have more than one key."""
    rows = await tx.fetch(
        "SELECT organization_id FROM data_keys GROUP BY organization_id HAVING count(*) > 1 ORDER BY 1"
    )
    return [OrganizationId(row["organization_id"]) for row in rows]


async def lock_sealed_before(
    tx: Connection, organization_id: OrganizationId, number: int, limit: int
) -> list[Referral]:
    """Referrals the organization sent of which something is sealed with an older key than that, locked."""
    return await db.many(
        tx,
        Referral,
        "SELECT * FROM referrals r WHERE r.sending_organization_id = $1 AND ("
        " EXISTS (SELECT FROM patients p WHERE p.referral_id = r.id AND p.key_number < $2)"
        " OR EXISTS (SELECT FROM outcome_reports o WHERE o.referral_id = r.id AND o.key_number < $2)"
        " OR EXISTS (SELECT FROM messages m WHERE m.referral_id = r.id AND m.key_number < $2)"
        " OR EXISTS (SELECT FROM steps s WHERE s.referral_id = r.id AND s.key_number < $2))"
        " ORDER BY r.id LIMIT $3 FOR UPDATE",
        organization_id,
        number,
        limit,
    )


# Marks ----------------------------------------------------------------------------------------------------------------


async def drop_marks(tx: Connection, referral_id: ReferralId) -> None:
    """By these its patient is not found any more."""  # any-organization: the referral's own
    await db.run(tx, "DELETE FROM patient_marks WHERE referral_id = $1", referral_id)


async def put_marks(
    tx: Connection,
    organization_id: OrganizationId,
    referral_id: ReferralId,
    marks: Sequence[bytes],
) -> None:
    """By what the patient of a referral of the sending organization is found."""
    await db.run(
        tx,
        "INSERT INTO patient_marks SELECT one, $1, $2 FROM unnest($3::bytea[]) AS one",
        referral_id,
        organization_id,
        marks,
    )


async def correspondents(tx: Connection, organization_id: OrganizationId) -> list[OrganizationId]:
    """Whoever sent what the organization sent or has received."""
    rows = await tx.fetch(
        "SELECT $1::uuid AS id UNION SELECT sending_organization_id FROM referrals WHERE receiving_organization_id = $1",
        organization_id,
    )
    return [OrganizationId(row["id"]) for row in rows]


async def marked(
    tx: Connection,
    organization_id: OrganizationId,
    marks: Sequence[bytes],
    page: tuple[ReferralId | None, int],
) -> list[ReferralId]:
    """The organization's referrals, on either side, whose patient has one of the marks: newest first, after an id, so many."""
    rows = await tx.fetch(
        "SELECT r.id FROM referrals r JOIN patient_marks m ON m.referral_id = r.id WHERE m.mark = ANY($2)"
        " AND $1 IN (r.sending_organization_id, r.receiving_organization_id) AND ($3::uuid IS NULL OR r.id < $3)"
        " GROUP BY r.id ORDER BY r.id DESC LIMIT $4",
        organization_id,
        marks,
        *page,
    )
    return [ReferralId(row["id"]) for row in rows]
