"""Accounts, coverage, and the ages of what is listed, as they were heard."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.reporting.domain import OfficeId, OrganizationId
from services.reporting.domain.hygiene import STALE_FROM_DAYS, Account, Campaign

Offices = Sequence[UUID] | None
"""At these offices, or (None) anywhere."""

# Accounts -------------------------------------------------------------------------------------------------------------


async def unconfirmed(
    tx: Connection, organization_id: OrganizationId, offices: Offices
) -> list[Account]:
    """Who has not confirmed yet, the oldest first."""
    return await db.many(
        tx,
        Account,
        """SELECT p.user_id, p.since, p.invite_expired FROM people p
            WHERE p.organization_id = $1 AND p.left_at IS NULL AND p.confirmed_at IS NULL
            AND ($2::uuid[] IS NULL OR EXISTS (SELECT FROM staffing s WHERE s.organization_id = $1
                AND s.user_id = p.user_id AND s.office_id = ANY($2)))
            ORDER BY p.since, p.user_id""",
        organization_id,
        offices,
    )


async def inactive(tx: Connection, organization_id: OrganizationId) -> list[Account]:
    """Who was deactivated for not having signed in for 90 days and is not back, the oldest first."""
    return await db.many(
        tx,
        Account,
        """SELECT user_id, left_at AS since, invite_expired FROM people
            WHERE organization_id = $1 AND left_because = 'INACTIVE' ORDER BY left_at, user_id""",
        organization_id,
    )


async def uncovered(
    tx: Connection, organization_id: OrganizationId, offices: Offices
) -> list[OfficeId]:
    """The live and closing offices at which nobody works who has confirmed, by name."""
    rows = await tx.fetch(
        """SELECT o.office_id FROM offices o
            WHERE o.organization_id = $1 AND o.state IN ('LIVE', 'CLOSING')
            AND ($2::uuid[] IS NULL OR o.office_id = ANY($2))
            AND NOT EXISTS (SELECT FROM staffing s WHERE s.organization_id = $1 AND s.office_id = o.office_id
                AND s.confirmed_at IS NOT NULL)
            ORDER BY o.name, o.office_id""",
        organization_id,
        offices,
    )
    return [row["office_id"] for row in rows]


async def office_names(tx: Connection, organization_id: OrganizationId) -> dict[UUID, str]:
    """What the organization's offices are called."""
    rows = await tx.fetch(
        "SELECT office_id, name FROM offices WHERE organization_id = $1", organization_id
    )
    return {row["office_id"]: row["name"] for row in rows}


# Ages of what is listed -----------------------------------------------------------------------------------------------


async def participations(
    tx: Connection, organization_id: OrganizationId, offices: Offices, today: date
) -> dict[OfficeId, list[tuple[int | None, int]]]:
    """By office, how many of what is listed on the day were verified how long ago: the place among the ages, or None."""
    rows = await tx.fetch(
        """SELECT office_id, width_bucket($3::date - verified_on, $4::integer[]) AS age, count(*) FROM participations
            WHERE organization_id = $1 AND ($2::uuid[] IS NULL OR office_id = ANY($2))
            AND effective_from <= $3 AND coalesce(effective_until > $3, true)
            GROUP BY 1, 2 ORDER BY 1, 2""",
        organization_id,
        offices,
        today,
        STALE_FROM_DAYS,
    )
    found: dict[OfficeId, list[tuple[int | None, int]]] = {}
    for office_id, age, count in rows:
        found.setdefault(office_id, []).append((age, count))
    return found


async def profiles(
    tx: Connection,
    organization_id: OrganizationId,
    offices: Offices,
    now: datetime,
    today: date,
) -> list[tuple[int | None, int]]:
    """The same of approved profiles: of the providers who are placed there on the day."""
    rows = await tx.fetch(
        """SELECT width_bucket(extract(day FROM $3 - p.verified_at)::integer, $4::integer[]), count(*) FROM profiles p
            WHERE p.organization_id = $1 AND ($2::uuid[] IS NULL OR EXISTS (SELECT FROM placements l
                WHERE l.organization_id = $1 AND l.provider_id = p.provider_id AND l.office_id = ANY($2)
                AND coalesce(l.effective_until > $5, true)))
            GROUP BY 1 ORDER BY 1""",
        organization_id,
        offices,
        now,
        STALE_FROM_DAYS,
        today,
    )
    return [(row[0], row[1]) for row in rows]


async def profile_verified(
    tx: Connection, organization_id: OrganizationId, provider_id: UUID, at: datetime
) -> None:
    """Somebody approved a profile, or found it right again."""
    await db.run(
        tx,
        """INSERT INTO profiles (organization_id, provider_id, verified_at) VALUES ($1, $2, $3)
            ON CONFLICT (organization_id, provider_id) DO UPDATE SET verified_at = excluded.verified_at""",
        organization_id,
        provider_id,
        at,
    )


async def profile_gone(tx: Connection, organization_id: OrganizationId, provider_id: UUID) -> None:
    """The provider was removed, or is another."""
    await db.run(
        tx,
        "DELETE FROM profiles WHERE organization_id = $1 AND provider_id = $2",
        organization_id,
        provider_id,
    )


# Campaigns ------------------------------------------------------------------------------------------------------------


async def add_campaign(tx: Connection, organization_id: OrganizationId, campaign: Campaign) -> None:
    """A review was opened."""
    await db.run(
        tx,
        """INSERT INTO campaigns (organization_id, campaign_id, kind, items, due_on, opened_at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT DO NOTHING""",
        organization_id,
        campaign.campaign_id,
        campaign.kind,
        campaign.items,
        campaign.due_on,
        campaign.opened_at,
    )


async def item_attested(tx: Connection, organization_id: OrganizationId, campaign_id: UUID) -> None:
    """One more item of a review is done."""
    await db.run(
        tx,
        "UPDATE campaigns SET attested = attested + 1 WHERE organization_id = $1 AND campaign_id = $2",
        organization_id,
        campaign_id,
    )


async def campaign_escalated(
    tx: Connection, organization_id: OrganizationId, campaign_id: UUID, at: datetime
) -> None:
    """It was due, and items were open."""
    await db.run(
        tx,
        "UPDATE campaigns SET escalated_at = $3 WHERE organization_id = $1 AND campaign_id = $2",
        organization_id,
        campaign_id,
        at,
    )


async def campaign_closed(
    tx: Connection, organization_id: OrganizationId, campaign_id: UUID, at: datetime, because: str
) -> None:
    """It is over."""
    await db.run(
        tx,
        """UPDATE campaigns SET closed_at = $3, closed_because = $4
            WHERE organization_id = $1 AND campaign_id = $2""",
        organization_id,
        campaign_id,
        at,
        because,
    )


async def campaigns(
    tx: Connection, organization_id: OrganizationId, since: datetime
) -> list[Campaign]:
    """The open reviews, and those closed since then; the newest first."""
    return await db.many(
        tx,
        Campaign,
        """SELECT * FROM campaigns WHERE organization_id = $1 AND coalesce(closed_at >= $2, true)
            ORDER BY opened_at DESC, campaign_id""",
        organization_id,
        since,
    )
