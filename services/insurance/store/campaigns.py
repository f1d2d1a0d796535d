"""SQL of campaigns and their items."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.insurance.domain import (
    Campaign,
    CampaignId,
    Item,
    ItemId,
    ItemState,
    Line,
    OfficeId,
    OrganizationId,
    Participation,
    Progress,
    ProviderId,
)
from services.insurance.store.rows import PARTICIPATION, lasts_from

_CAMPAIGN = """
SELECT id, organization_id, year, reason, payer_ids, plan_ids, opened_at, opened_on, opened_by, due_on, assigned_to,
    reminded_on, escalated_on, closed_at, closed_because, version FROM campaigns
"""
_ITEM = """
SELECT id, campaign_id, organization_id, provider_id, office_id, state, opened_at, settled_at, settled_by, version
FROM campaign_items
"""

# The rows that a campaign is about: of its payers or plans, or all when it names none; those that are not past.
_IN_SCOPE = """(c.payer_ids = '{}' AND c.plan_ids = '{}' OR p.plan_id = ANY(c.plan_ids)
        OR p.plan_id IN (SELECT id FROM insurance_plans WHERE payer_id = ANY(c.payer_ids)))
    AND coalesce(p.effective_until, 'infinity') > greatest($3, p.effective_from)"""
_PLACES_IN_SCOPE = f"""
SELECT DISTINCT p.provider_id, p.office_id
FROM campaigns c JOIN participations p ON p.organization_id = c.organization_id AND {_IN_SCOPE}
WHERE c.organization_id = $1 AND c.id = $2 ORDER BY p.provider_id, p.office_id
"""  # noqa: S608 - made of constants
_ROWS_OF_ITEMS = f"""
SELECT i.id AS item, p.id AS row
FROM campaign_items i JOIN campaigns c ON c.id = i.campaign_id JOIN participations p
    ON p.organization_id = i.organization_id AND p.provider_id = i.provider_id AND p.office_id = i.office_id AND {_IN_SCOPE}
WHERE i.organization_id = $1 AND i.id = ANY($2)
"""  # noqa: S608 - made of constants


async def hold_campaigns(tx: Connection, organization_id: OrganizationId) -> None:
    """Let nobody else open a campaign of the organization, or change what its items follow, until the transaction is over."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"campaigns {organization_id}"
    )


async def add_campaign(tx: Connection, campaign: Campaign) -> bool:
    """Keep a new campaign; False when the organization has one of that year already."""
    return bool(
        await db.run(
            tx,
            """INSERT INTO campaigns (id, organization_id, year, reason, payer_ids, plan_ids, opened_at, opened_on,
                opened_by, due_on, assigned_to) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                ON CONFLICT ON CONSTRAINT campaigns_one_a_year DO NOTHING""",
            campaign.id,
            campaign.organization_id,
            campaign.year,
            campaign.reason,
            campaign.payer_ids,
            campaign.plan_ids,
            campaign.opened_at,
            campaign.opened_on,
            campaign.opened_by,
            campaign.due_on,
            campaign.assigned_to,
        )
    )


async def campaign(
    tx: Connection, organization_id: OrganizationId, campaign_id: UUID, *, lock: bool = False
) -> Campaign | None:
    """An organization's campaign; locked until the transaction is over when asked to."""
    return await db.maybe(
        tx,
        Campaign,
        f"{_CAMPAIGN} WHERE organization_id = $1 AND id = $2" + (" FOR UPDATE" if lock else ""),
        organization_id,
        campaign_id,
    )


async def campaigns(
    tx: Connection, organization_id: OrganizationId, *, before: UUID | None, limit: int
) -> list[Campaign]:
    """An organization's campaigns, newest first."""
    return await db.many(
        tx,
        Campaign,
        f"{_CAMPAIGN} WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        organization_id,
        before,
        limit,
    )


async def open_campaigns(tx: Connection, organization_id: OrganizationId) -> list[Campaign]:
    """The organization's campaigns that are not over, locked."""
    sql = f"{_CAMPAIGN} WHERE organization_id = $1 AND closed_at IS NULL ORDER BY id FOR UPDATE"
    return await db.many(tx, Campaign, sql, organization_id)


async def change_campaign(tx: Connection, changed: Campaign) -> None:
    """Keep who does a campaign, when somebody was reminded or told, and whether it is over; its version counts on."""
    await db.run(
        tx,
        """UPDATE campaigns SET assigned_to = $3, reminded_on = $4, escalated_on = $5, closed_at = $6,
            closed_because = $7, version = version + 1 WHERE organization_id = $1 AND id = $2""",
        changed.organization_id,
        changed.id,
        changed.assigned_to,
        changed.reminded_on,
        changed.escalated_on,
        changed.closed_at,
        changed.closed_because,
    )


# Items ----------------------------------------------------------------------------------------------------------------


async def places_working(
    tx: Connection, organization_id: OrganizationId, first: date, last: date
) -> list[tuple[ProviderId, OfficeId]]:
    """Who works where on some day from the first to the last, as directory told it."""
    found = await tx.fetch(
        """SELECT DISTINCT provider_id, office_id FROM placements WHERE organization_id = $1
            AND effective_from <= $3 AND coalesce(effective_until, 'infinity') > greatest($2, effective_from)
            ORDER BY provider_id, office_id""",
        organization_id,
        first,
        last,
    )
    return [(row["provider_id"], row["office_id"]) for row in found]


async def places_in_scope(
    tx: Connection, organization_id: OrganizationId, campaign_id: CampaignId, first: date
) -> list[tuple[ProviderId, OfficeId]]:
    """Where something that the campaign is about is accepted on some day from the first on."""
    found = await tx.fetch(
        _PLACES_IN_SCOPE,
        organization_id,
        campaign_id,
        first,
    )
    return [(row["provider_id"], row["office_id"]) for row in found]


async def open_items(tx: Connection, items: Sequence[Item]) -> int:
    """Add items, or open again those that were dropped. Answers how many are open that were not."""
    return await db.run(
        tx,
        """INSERT INTO campaign_items AS known (id, campaign_id, organization_id, provider_id, office_id, opened_at)
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[])
            ON CONFLICT ON CONSTRAINT campaign_items_one_a_place DO UPDATE
            SET state = 'OPEN', settled_at = NULL, settled_by = NULL, version = known.version + 1
            WHERE known.state = 'DROPPED'""",
        [one.id for one in items],
        [one.campaign_id for one in items],
        [one.organization_id for one in items],
        [one.provider_id for one in items],
        [one.office_id for one in items],
        [one.opened_at for one in items],
    )


async def drop_items(
    tx: Connection, organization_id: OrganizationId, at: datetime, today: date
) -> int:
    """Drop the open items of providers who have left the office for good: whoever was not told to work there is left alone."""
    return await db.run(
        tx,
        """UPDATE campaign_items i SET state = 'DROPPED', settled_at = $2, version = version + 1
            WHERE organization_id = $1 AND state = 'OPEN' AND EXISTS (
                SELECT FROM placements p WHERE p.organization_id = $1
                AND p.provider_id = i.provider_id AND p.office_id = i.office_id
            ) AND NOT EXISTS (
                SELECT FROM placements p WHERE p.organization_id = $1
                AND p.provider_id = i.provider_id AND p.office_id = i.office_id
                AND coalesce(p.effective_until, 'infinity') > greatest($3, p.effective_from)
            )""",
        organization_id,
        at,
        today,
    )


async def items_by_id(
    tx: Connection, organization_id: OrganizationId, ids: Sequence[UUID], *, lock: bool = False
) -> list[Item]:
    """An organization's items, in the order of their ids; locked until the transaction is over when asked to."""
    return await db.many(
        tx,
        Item,
        f"{_ITEM} WHERE organization_id = $1 AND id = ANY($2) ORDER BY id"
        + (" FOR UPDATE" if lock else ""),
        organization_id,
        ids,
    )


async def settle_item(tx: Connection, item: Item) -> None:
    """Keep an item as it now is."""
    await db.run(
        tx,
        """UPDATE campaign_items SET state = $3, settled_at = $4, settled_by = $5, version = $6
            WHERE organization_id = $1 AND id = $2""",
        item.organization_id,
        item.id,
        item.state,
        item.settled_at,
        item.settled_by,
        item.version,
    )


@dataclass(frozen=True, slots=True)
class ItemSearch:
    """Which items of a campaign are wanted: in one state or any, at some offices or (None) anywhere, after an id."""

    state: ItemState | None
    offices: Sequence[UUID] | None
    after: UUID | None
    limit: int


async def items(
    tx: Connection, organization_id: OrganizationId, campaign_id: CampaignId, wanted: ItemSearch
) -> list[Item]:
    """Items of a campaign, in the order of their ids."""
    return await db.many(
        tx,
        Item,
        f"""{_ITEM} WHERE organization_id = $1 AND campaign_id = $2 AND ($3::item_state IS NULL OR state = $3)
            AND ($4::uuid[] IS NULL OR office_id = ANY($4)) AND ($5::uuid IS NULL OR id > $5) ORDER BY id LIMIT $6""",
        organization_id,
        campaign_id,
        wanted.state,
        wanted.offices,
        wanted.after,
        wanted.limit,
    )


async def progress(
    tx: Connection,
    organization_id: OrganizationId,
    campaign_ids: Sequence[UUID],
    offices: Sequence[UUID] | None,
) -> dict[UUID, Progress]:
    """How far campaigns are, at some offices or (None) everywhere."""
    found = await tx.fetch(
        """SELECT campaign_id, count(*) FILTER (WHERE state = 'OPEN') AS open,
            count(*) FILTER (WHERE state = 'ATTESTED') AS attested, count(*) FILTER (WHERE state = 'DROPPED') AS dropped
            FROM campaign_items WHERE organization_id = $1 AND campaign_id = ANY($2)
            AND ($3::uuid[] IS NULL OR office_id = ANY($3)) GROUP BY campaign_id""",
        organization_id,
        campaign_ids,
        offices,
    )
    return {
        row["campaign_id"]: Progress(row["open"], row["attested"], row["dropped"]) for row in found
    }


async def rows_of_item(
    tx: Connection, item: Item, today: date, *, lock: bool = False
) -> list[Participation]:
    """What an item is about: the rows of its place, within the campaign's scope, that are not past."""
    found = await rows_of_items(tx, item.organization_id, [item.id], today, lock=lock)
    return found.get(item.id, [])


async def rows_of_items(
    tx: Connection,
    organization_id: OrganizationId,
    item_ids: Sequence[UUID],
    today: date,
    *,
    lock: bool = False,
) -> dict[ItemId, list[Participation]]:
    """What each item is about, in the order of the rows' ids."""
    pairs = await tx.fetch(
        _ROWS_OF_ITEMS,
        organization_id,
        item_ids,
        today,
    )
    rows = await db.many(
        tx,
        Participation,
        f"{PARTICIPATION} WHERE organization_id = $1 AND id = ANY($2) AND {lasts_from(3)} ORDER BY id"
        + (" FOR NO KEY UPDATE" if lock else ""),
        organization_id,
        [pair["row"] for pair in pairs],
        today,
    )
    known = {row.id: row for row in rows}
    found: dict[ItemId, list[Participation]] = {}
    for pair in sorted(pairs, key=lambda one: one["row"]):
        if pair["row"] in known:
            found.setdefault(ItemId(pair["item"]), []).append(known[pair["row"]])
    return found


async def evidence(
    tx: Connection,
    organization_id: OrganizationId,
    campaign_id: CampaignId,
    wanted: ItemSearch,
) -> list[Line]:
    """Of each item of a page what was attested with it, as it stood then."""
    return await db.many(
        tx,
        Line,
        """SELECT i.id AS item_id, i.provider_id, i.office_id, i.state, i.settled_at, i.settled_by,
            p.id AS participation_id, payer.name AS payer, plan.name AS plan, p.effective_from, v.effective_until,
            p.source, v.verified_on, v.verified_by
            FROM (SELECT * FROM campaign_items WHERE organization_id = $1 AND campaign_id = $2
                AND ($3::uuid[] IS NULL OR office_id = ANY($3)) AND ($4::uuid IS NULL OR id > $4)
                ORDER BY id LIMIT $5) AS i
            LEFT JOIN participation_verifications v ON v.item_id = i.id
            LEFT JOIN participations p ON p.id = v.participation_id
            LEFT JOIN insurance_plans plan ON plan.id = p.plan_id LEFT JOIN payers payer ON payer.id = plan.payer_id
            ORDER BY i.id, p.id""",
        organization_id,
        campaign_id,
        wanted.offices,
        wanted.after,
        wanted.limit,
    )
