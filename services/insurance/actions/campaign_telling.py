"""The facts of campaigns, recorded in the transaction that made them true."""

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.message import Message

from kit.auth import Viewer
from kit.db import Connection
from kit.outbox import record
from proto.insurance.v1.events_pb2 import (
    CampaignAssigned,
    CampaignClosed,
    CampaignEscalated,
    CampaignItemAttested,
    CampaignOpened,
    CampaignReminded,
    ManagerMissing,
)
from services.insurance.domain import Campaign, Item, OrganizationId, UserId


async def _tell(
    tx: Connection, campaign: Campaign, fact: Message, at: datetime, by: Viewer
) -> None:
    await record(
        tx,
        fact,
        organization_id=campaign.organization_id,
        aggregate="campaign",
        aggregate_id=campaign.id,
        at=at,
        by=by,
    )


async def tell_opened(
    tx: Connection, campaign: Campaign, items: int, managers: Sequence[UserId], by: Viewer
) -> None:
    """There is a campaign, with so many items; `managers` keep the plans of just some of their offices (R26)."""
    fact = CampaignOpened(
        campaign_id=str(campaign.id),
        kind=campaign.kind,
        items=items,
        due_on=campaign.due_on.isoformat(),
        office_manager_ids=[str(one) for one in managers],
    )
    await _tell(tx, campaign, fact, campaign.opened_at, by)


async def tell_assigned(tx: Connection, campaign: Campaign, at: datetime, by: Viewer) -> None:
    """Somebody does it from now on; or nobody, which leaves it to the client admins."""
    user_id = str(campaign.assigned_to) if campaign.assigned_to else ""
    fact = CampaignAssigned(campaign_id=str(campaign.id), user_id=user_id)
    await _tell(tx, campaign, fact, at, by)


async def tell_attested(
    tx: Connection, campaign: Campaign, item: Item, participations: int, by: Viewer
) -> None:
    """Somebody said of a provider at an office that what is listed there is true."""
    fact = CampaignItemAttested(
        campaign_id=str(campaign.id),
        item_id=str(item.id),
        provider_id=str(item.provider_id),
        office_id=str(item.office_id),
        participations=participations,
    )
    await _tell(tx, campaign, fact, item.settled_at or campaign.opened_at, by)


async def tell_reminded(
    tx: Connection,
    campaign: Campaign,
    open_items: int,
    users: Sequence[UserId],
    at: datetime,
    by: Viewer,
) -> None:
    """Whoever does it is reminded of what is open."""
    fact = CampaignReminded(
        campaign_id=str(campaign.id),
        open_items=open_items,
        due_on=campaign.due_on.isoformat(),
        user_ids=[str(one) for one in users],
    )
    await _tell(tx, campaign, fact, at, by)


async def tell_escalated(
    tx: Connection,
    campaign: Campaign,
    open_items: int,
    users: Sequence[UserId],
    at: datetime,
    by: Viewer,
) -> None:
    """It was due, and something is open: the client admins are told."""
    fact = CampaignEscalated(
        campaign_id=str(campaign.id),
        open_items=open_items,
        due_on=campaign.due_on.isoformat(),
        user_ids=[str(one) for one in users],
    )
    await _tell(tx, campaign, fact, at, by)


async def tell_closed(tx: Connection, campaign: Campaign, at: datetime, by: Viewer) -> None:
    """It is over."""
    fact = CampaignClosed(campaign_id=str(campaign.id), because=str(campaign.closed_because))
    await _tell(tx, campaign, fact, at, by)


async def tell_manager_missing(
    tx: Connection,
    organization_id: OrganizationId,
    users: Sequence[UserId],
    at: datetime,
    by: Viewer,
) -> None:
    """Plans are listed at an office of which nobody is insurance manager, nor of the whole organization."""
    fact = ManagerMissing(user_ids=[str(one) for one in users])
    await record(
        tx,
        fact,
        organization_id=organization_id,
        aggregate="manager",
        aggregate_id=organization_id,
        at=at,
        by=by,
    )
