"""Rows of offices."""

from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.directory.domain.nouns import (
    Office,
    OfficeId,
    OfficeState,
    OrganizationId,
    UserId,
)

_OWN = "organization_id = $1"
_OF_NETWORK = "$1::uuid IS NULL AND state = 'LIVE'"
"""As the index of the network's list has it."""


@dataclass(frozen=True, slots=True)
class OfficeFilter:
    """Which offices are wanted. Without `organization_id` the live ones of the whole network."""

    organization_id: OrganizationId | None
    name: str = ""
    state: OfficeState | None = None


async def add(tx: Connection, office: Office, by: UserId, at: datetime) -> None:
    """Keep a new office. Raises the violation of offices_name when the organization has one of that name."""
    await db.run(
        tx,
        """INSERT INTO offices (id, organization_id, name, line1, line2, city, region, postal_code, latitude, longitude,
            located_by, phone, time_zone, group_only, hours, go_live_on, lead_days, lead_reason, added_by, added_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)""",
        office.id,
        office.organization_id,
        *_entry(office),
        by,
        at,
    )


def _entry(office: Office) -> tuple[object, ...]:
    """What people write of an office."""
    return (
        office.name,
        *astuple(office.address),
        office.latitude,
        office.longitude,
        office.located_by,
        office.phone,
        office.time_zone,
        office.group_only,
        [asdict(one) for one in office.hours],
        office.go_live_on,
        office.lead_days,
        office.lead_reason,
    )


async def change(tx: Connection, office: Office) -> None:
    """Keep what people have changed of an office, which this transaction has locked, as its next version."""
    await db.run(
        tx,
        """UPDATE offices SET name = $3, line1 = $4, line2 = $5, city = $6, region = $7, postal_code = $8,
            latitude = $9, longitude = $10, located_by = $11, phone = $12, time_zone = $13, group_only = $14,
            hours = $15, go_live_on = $16, lead_days = $17, lead_reason = $18, missed_on = $19, version = version + 1
            WHERE organization_id = $1 AND id = $2""",
        office.organization_id,
        office.id,
        *_entry(office),
        office.missed_on,
    )


async def save(tx: Connection, office: Office, at: datetime) -> None:
    """Keep the changed state of an office, which this transaction has locked, as its next version."""
    await db.run(
        tx,
        """UPDATE offices SET state = $3, live_at = $4, closed_at = $5, fence = $6, state_before = $7,
            missed_on = $8, closes_on = $9, cut_off_on = $10, fenced = $11, go_live_on = $12, lead_days = $13,
            lead_reason = $14, roster_attested = $15, roster_attested_at = $16, roster_attested_by = $17, referral_owner = $18,
            fence_at = CASE WHEN $6::fence_step IS NOT NULL THEN $19::timestamptz END, version = version + 1
            WHERE organization_id = $1 AND id = $2""",
        office.organization_id,
        office.id,
        office.state,
        office.live_at,
        office.closed_at,
        office.fence,
        office.state_before,
        office.missed_on,
        office.closes_on,
        office.cut_off_on,
        office.fenced,
        office.go_live_on,
        office.lead_days,
        office.lead_reason,
        list(office.roster_attested),
        office.roster_attested_at,
        office.roster_attested_by,
        office.referral_owner,
        at,
    )


async def locked(tx: Connection, organization_id: OrganizationId, office_id: UUID) -> Office | None:
    """The office, locked until the transaction ends."""
    return await db.maybe(
        tx,
        Office,
        "SELECT * FROM offices WHERE organization_id = $1 AND id = $2 FOR UPDATE",
        organization_id,
        office_id,
    )


async def shared(
    tx: Connection, organization_id: OrganizationId, ids: Iterable[UUID]
) -> dict[UUID, Office]:
    """Those of these offices that the organization has, kept from going live, closing and changing until the transaction ends.

    Only becoming ready is let through: whoever readies offices holds one after the other, in the order of the news about them,
    and would otherwise wait for somebody who holds several, and they for them.
    """
    rows = await db.many(
        tx,
        Office,
        "SELECT * FROM offices WHERE organization_id = $1 AND id = ANY($2) ORDER BY id FOR KEY SHARE",
        organization_id,
        list(ids),
    )
    return {row.id: row for row in rows}


async def locked_waiting(
    tx: Connection, organization_id: OrganizationId, ids: Iterable[UUID]
) -> list[Office]:
    """Those of these offices that the organization has and that are planned or ready, locked in one order."""
    return await db.many(
        tx,
        Office,
        """SELECT * FROM offices WHERE organization_id = $1 AND id = ANY($2) AND state IN ('PLANNED', 'READY')
            ORDER BY id FOR NO KEY UPDATE""",
        organization_id,
        list(ids),
    )


async def knows_zone(tx: Connection, name: str) -> bool:
    """Whether this database knows the time zone."""  # any-organization: about the database
    known: bool = await db.value(
        tx, "SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)", name
    )
    return known


async def alike(tx: Connection, office: Office, phone_digits: str) -> list[Office]:
    """The organization's other offices with its postal code or its phone that are not closed: those it may be a duplicate of."""
    return await db.many(
        tx,
        Office,
        r"""SELECT * FROM offices WHERE organization_id = $1 AND id <> $2 AND state <> 'CLOSED'
            AND (left(postal_code, 5) = $3 OR regexp_replace(phone, '\D', '', 'g') LIKE '%' || $4) ORDER BY name, id""",
        office.organization_id,
        office.id,
        office.postal_code[:5],
        phone_digits,
    )


async def with_name(
    tx: Connection, organization_id: OrganizationId, name: str, *, but: OfficeId
) -> bool:
    """Whether the organization has another office of that name that is not closed."""
    found: bool = await db.value(
        tx,
        """SELECT EXISTS (SELECT FROM offices
            WHERE organization_id = $1 AND lower(name) = lower($2) AND state <> 'CLOSED' AND id <> $3)""",
        organization_id,
        name,
        but,
    )
    return found


async def by_ids(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, Office]:
    """The offices with these ids."""  # any-organization: policy decides for each what the viewer may see
    rows = await db.many(
        tx, Office, "SELECT * FROM offices WHERE id = ANY((SELECT $1::uuid[])::uuid[])", list(ids)
    )
    return {row.id: row for row in rows}


async def of_organization(
    tx: Connection, organization_id: OrganizationId, ids: Iterable[UUID]
) -> list[Office]:
    """Those of these offices that the organization has."""
    return await db.many(
        tx,
        Office,
        "SELECT * FROM offices WHERE organization_id = $1 AND id = ANY($2) ORDER BY id",
        organization_id,
        list(ids),
    )


async def page(
    tx: Connection, wanted: OfficeFilter, after: tuple[str, UUID] | None, limit: int
) -> list[Office]:
    """Offices by name and id."""  # any-organization: the network's live offices are public in it
    return await db.many(
        tx,
        Office,
        f"""SELECT * FROM offices WHERE {_OF_NETWORK if wanted.organization_id is None else _OWN}
            AND ($2 = '' OR strpos(lower(name), lower($2)) > 0)
            AND ($3::office_state IS NULL OR state = $3)
            AND ($4::text IS NULL OR (name, id) > ($4, $5::uuid))
            ORDER BY name, id LIMIT $6""",  # noqa: S608 - a constant of this file
        wanted.organization_id,
        wanted.name,
        wanted.state,
        *(after or (None, None)),
        limit,
    )


async def not_live_yet(tx: Connection) -> list[Office]:
    """Every planned or ready office."""  # any-organization: the go-live job looks after all of them
    return await db.many(
        tx, Office, "SELECT * FROM offices WHERE state IN ('PLANNED', 'READY') ORDER BY id"
    )


async def approved_providers(
    tx: Connection, offices: Iterable[OfficeId], now: datetime
) -> dict[UUID, int]:
    """How many approved providers have a placement at each office that is not over."""  # any-organization: by office id
    rows = await tx.fetch(
        """SELECT l.office_id, count(DISTINCT l.provider_id) AS providers
            FROM placements l JOIN providers p ON p.id = l.provider_id JOIN offices o ON o.id = l.office_id
            WHERE l.office_id = ANY($1) AND p.state = 'APPROVED'
                AND remains(l.effective_from, l.effective_until, o.time_zone, $2)
            GROUP BY l.office_id""",
        list(offices),
        now,
    )
    return {row["office_id"]: row["providers"] for row in rows}


async def orphans(tx: Connection, office: Office, on: date) -> list[UUID]:
    """The providers who would work nowhere from that day on without this office (R19)."""
    rows = await tx.fetch(
        """SELECT DISTINCT p.id FROM placements l JOIN providers p ON p.id = l.provider_id
            WHERE p.organization_id = $1 AND l.office_id = $2 AND p.state <> 'REMOVED'
                AND (l.effective_until IS NULL OR l.effective_until > greatest(l.effective_from, $3))
                AND NOT EXISTS (SELECT FROM placements e JOIN offices o ON o.id = e.office_id
                    WHERE e.provider_id = p.id AND o.id <> $2 AND o.state IN ('PLANNED', 'READY', 'LIVE')
                    AND (o.closes_on IS NULL OR o.closes_on > $3)
                    AND (e.effective_until IS NULL OR e.effective_until > greatest(e.effective_from, $3)))
            ORDER BY p.id""",
        office.organization_id,
        office.id,
        on,
    )
    return [row["id"] for row in rows]


async def locked_with(
    tx: Connection, organization_id: OrganizationId, office_id: UUID, others: Iterable[UUID]
) -> tuple[Office | None, dict[UUID, Office]]:
    """The office, locked, and those of the others that the organization has, kept as they are; in the one order in which
    everybody takes several offices."""
    found: Office | None = None
    kept: dict[UUID, Office] = {}
    for one in sorted({office_id, *others}):
        if one == office_id:
            found = await locked(tx, organization_id, one)
        else:
            kept |= await shared(tx, organization_id, [one])
    return found, kept


async def is_last(tx: Connection, office: Office) -> bool:
    """Whether the organization has no other office that is open and stays so."""
    last: bool = await db.value(
        tx,
        """SELECT NOT EXISTS (SELECT FROM offices WHERE organization_id = $1 AND id <> $2
            AND state IN ('PLANNED', 'READY', 'LIVE') AND closes_on IS NULL)""",
        office.organization_id,
        office.id,
    )
    return last


async def cut_off_due(tx: Connection, now: datetime) -> list[Office]:
    """The offices to which nothing more is to be sent, by their own calendar, and which are open still."""  # any-organization: the job
    return await db.many(
        tx,
        Office,
        """SELECT * FROM offices WHERE cut_off_on IS NOT NULL AND fence IS NULL
            AND state IN ('PLANNED', 'READY', 'LIVE') AND cut_off_on <= ($1 AT TIME ZONE time_zone)::date ORDER BY id""",
        now,
    )


async def keep_fenced(tx: Connection, office: Office) -> None:
    """Referrals has the fence of a locked closing office up."""
    await db.run(
        tx,
        "UPDATE offices SET fenced = true WHERE organization_id = $1 AND id = $2",
        office.organization_id,
        office.id,
    )
