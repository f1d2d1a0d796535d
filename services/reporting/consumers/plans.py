"""What insurance lists: who accepts a plan where, when somebody said so last, and the reviews of it."""

from datetime import date
from uuid import UUID

from google.protobuf.message import Message

from kit.db import Connection
from kit.inbox import Handler, Heard
from proto.insurance.v1 import events_pb2 as insurance
from services.reporting import store
from services.reporting.consumers.people import noted
from services.reporting.domain import OrganizationId
from services.reporting.domain.hygiene import Campaign
from services.reporting.store.people import Participation


async def _participation(tx: Connection, heard: Heard) -> None:
    fact: (
        insurance.ParticipationAdded
        | insurance.ParticipationEnded
        | insurance.ParticipationVerified
    )
    fact = heard.fact
    row = Participation(
        OrganizationId(heard.organization_id),
        UUID(fact.participation_id),
        UUID(fact.provider_id),
        UUID(fact.office_id),
        date.fromisoformat(fact.effective_from),
        _day(fact.effective_until),
        _day(fact.verified_on),
    )
    await store.people.keep_participation(tx, row)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


PARTICIPATIONS: dict[type[Message], Handler] = {
    insurance.ParticipationAdded: noted(_participation),
    insurance.ParticipationEnded: noted(_participation),
    insurance.ParticipationVerified: noted(_participation),
}


# Campaigns ------------------------------------------------------------------------------------------------------------


def _campaign(heard: Heard) -> tuple[OrganizationId, UUID]:
    return OrganizationId(heard.organization_id), UUID(heard.fact.campaign_id)


async def _opened(tx: Connection, heard: Heard) -> None:
    fact: insurance.CampaignOpened = heard.fact
    organization_id, campaign_id = _campaign(heard)
    due_on = date.fromisoformat(fact.due_on)
    campaign = Campaign(campaign_id, fact.kind, fact.items, 0, due_on, heard.time, None, None, None)
    await store.hygiene.add_campaign(tx, organization_id, campaign)


async def _attested(tx: Connection, heard: Heard) -> None:
    await store.hygiene.item_attested(tx, *_campaign(heard))


async def _escalated(tx: Connection, heard: Heard) -> None:
    await store.hygiene.campaign_escalated(tx, *_campaign(heard), heard.time)


async def _closed(tx: Connection, heard: Heard) -> None:
    fact: insurance.CampaignClosed = heard.fact
    await store.hygiene.campaign_closed(tx, *_campaign(heard), heard.time, fact.because)


CAMPAIGNS: dict[type[Message], Handler] = {
    insurance.CampaignOpened: noted(_opened),
    insurance.CampaignItemAttested: noted(_attested),
    insurance.CampaignEscalated: noted(_escalated),
    insurance.CampaignClosed: noted(_closed),
}
