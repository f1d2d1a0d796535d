"""Campaigns and their items, as people see them and do them (R29)."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from itertools import chain
from uuid import UUID

import strawberry

from kit.graphql import Connection, after_id, connection, described, page_of
from services.insurance import actions, domain, policy, store
from services.insurance.schema.types import (
    Info,
    InsurancePlan,
    Office,
    Participation,
    Payer,
    Provider,
    User,
    load_payer,
    load_plan,
    shown,
    today,
)

CampaignKind = strawberry.enum(
    domain.CampaignKind,
    name="CampaignKind",
    description="Of everything at the start of a year, or of what a major change touches.",
)
CampaignItemState = strawberry.enum(
    domain.ItemState,
    name="CampaignItemState",
    description="Not looked at yet; attested by somebody; or dropped: the provider works there no more.",
)
CampaignClosing = strawberry.enum(
    domain.Closing,
    name="CampaignClosing",
    description="No item was open any more; somebody called it off; or the next year's has begun.",
)
CampaignAction = strawberry.enum(
    domain.CampaignAction, description="What the viewer may do to a campaign now."
)
CampaignItemAction = strawberry.enum(
    domain.ItemAction,
    name="CampaignItemAction",
    description="What the viewer may do to an item now.",
)


@strawberry.type(
    description="How far a campaign is; of an office admin's offices, for an office admin."
)
class CampaignProgress:
    """Counts of items."""

    total: int
    open: int
    attested: int
    dropped: int


@strawberry.type(
    description="One provider at one office: somebody says that what is listed there is true."
)
class CampaignItem:
    """Item."""

    id: strawberry.ID
    state: CampaignItemState  # type: ignore[valid-type]
    settled_at: datetime | None
    version: int
    item: strawberry.Private[domain.Item]
    of: strawberry.Private[domain.Campaign]

    @strawberry.field
    def provider(self) -> Provider | None:
        """Who."""
        return Provider(id=strawberry.ID(str(self.item.provider_id)))

    @strawberry.field
    def office(self) -> Office | None:
        """Where."""
        return Office(id=strawberry.ID(str(self.item.office_id)))

    @strawberry.field
    def attested_by(self) -> User | None:
        """Who said so."""
        by = self.item.settled_by
        return User(id=strawberry.ID(str(by))) if by else None

    @described(
        "Of the campaign's payers and plans, not past today. Change what is wrong first, then attest."
    )
    async def participations(self, info: Info) -> list[Participation]:
        """What is listed there."""
        return await _participations_of(info, self.item)

    @described(
        "Attest the item with it: should a participation come, go or end on another day meanwhile, that is refused."
    )
    async def token(self, info: Info) -> str:
        """What was seen of its participations."""
        return actions.item_token(await self._rows(info))

    @strawberry.field
    def allowed_actions(self, info: Info) -> list[CampaignItemAction]:  # type: ignore[valid-type]
        """What the viewer may do to it now."""
        return list(policy.item_actions(info.context.call.viewer, self.of, self.item))

    async def _rows(self, info: Info) -> Sequence[domain.Participation]:
        return await _rows_of(info, self.item)

    @classmethod
    def seen(cls, item: domain.Item, campaign: domain.Campaign) -> "CampaignItem":
        """As GraphQL tells it."""
        return cls(
            id=strawberry.ID(str(item.id)),
            state=item.state,
            settled_at=item.settled_at,
            version=item.version,
            item=item,
            of=campaign,
        )


@strawberry.type(description="A review of which plans are accepted where, item by item.")
class Campaign:
    """Campaign."""

    id: strawberry.ID
    kind: CampaignKind  # type: ignore[valid-type]
    year: int | None = strawberry.field(description="Of a year's start.")
    reason: str | None = strawberry.field(description="Of a major change: what has changed.")
    opened_at: datetime
    due_on: date
    escalated_on: date | None = strawberry.field(
        description="When client admins were told that items were open on the day it was due."
    )
    closed_at: datetime | None
    closed_because: CampaignClosing | None  # type: ignore[valid-type]
    version: int
    campaign: strawberry.Private[domain.Campaign]

    @described(
        "Null: nobody is insurance manager of the whole organization, so it is up to the client admins."
    )
    def assigned_to(self) -> User | None:
        """Who does it."""
        user_id = self.campaign.assigned_to
        return User(id=strawberry.ID(str(user_id))) if user_id else None

    @described("Empty for that of a year's start, which is about everything.")
    async def payers(self, info: Info) -> list[Payer]:
        """All of whose plans it is about."""
        found = await asyncio.gather(*(load_payer(info, one) for one in self.campaign.payer_ids))
        return [one for one in found if one]

    @described("Empty for that of a year's start, which is about everything.")
    async def plans(self, info: Info) -> list[InsurancePlan]:
        """Plans it is about."""
        found = await asyncio.gather(*(load_plan(info, one) for one in self.campaign.plan_ids))
        return [one for one in found if one]

    @strawberry.field
    async def progress(self, info: Info) -> CampaignProgress:
        """How far it is."""
        found = await _progress_of(info, self.campaign)
        total = found.open + found.attested + found.dropped
        return CampaignProgress(
            total=total, open=found.open, attested=found.attested, dropped=found.dropped
        )

    @described("Who keeps the plans of some offices only sees those.")
    async def items(
        self,
        info: Info,
        state: CampaignItemState | None = None,  # type: ignore[valid-type]
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[CampaignItem]:
        """One item for each provider at an office."""
        page = page_of(first, after)
        offices = policy.offices_to_answer_for(info.context.call.viewer)
        wanted = store.ItemSearch(state, offices, after_id(page), page.limit + 1)
        async with info.context.call.db.reading() as tx:
            found = await store.items(tx, self.campaign.organization_id, self.campaign.id, wanted)
        return connection(
            found,
            page,
            key=lambda item: (item.id,),
            node=lambda item: CampaignItem.seen(item, self.campaign),
        )

    @strawberry.field
    def allowed_actions(self, info: Info) -> list[CampaignAction]:  # type: ignore[valid-type]
        """What the viewer may do to it now."""
        return list(policy.campaign_actions(info.context.call.viewer, self.campaign))

    @classmethod
    def of(cls, campaign: domain.Campaign) -> "Campaign":
        """As GraphQL tells it."""
        return cls(
            id=strawberry.ID(str(campaign.id)),
            kind=campaign.kind,
            year=campaign.year,
            reason=campaign.reason,
            opened_at=campaign.opened_at,
            due_on=campaign.due_on,
            escalated_on=campaign.escalated_on,
            closed_at=campaign.closed_at,
            closed_because=campaign.closed_because,
            version=campaign.version,
            campaign=campaign,
        )


async def _rows_of(info: Info, item: domain.Item) -> Sequence[domain.Participation]:
    call, organization_id = info.context.call, item.organization_id
    day = await today(info, organization_id)

    async def load(items: list[domain.ItemId]) -> list[list[domain.Participation]]:
        async with call.db.reading() as tx:
            found = await store.rows_of_items(tx, organization_id, items, day)
        return [found.get(one, []) for one in items]

    return await info.context.loader(f"rows of items {organization_id}", load).load(item.id)


async def _participations_of(info: Info, item: domain.Item) -> list[Participation]:
    async def load(items: list[domain.Item]) -> list[list[Participation]]:
        rows = await asyncio.gather(*(_rows_of(info, one) for one in items))
        found = {one.row.id: one for one in await shown(info, list(chain.from_iterable(rows)))}
        return [[found[row.id] for row in of_item] for of_item in rows]

    return await info.context.loader("participations of items", load).load(item)


async def _progress_of(info: Info, campaign: domain.Campaign) -> domain.Progress:
    call = info.context.call
    offices = policy.offices_to_answer_for(call.viewer)

    async def load(campaigns: list[UUID]) -> list[domain.Progress]:
        async with call.db.reading() as tx:
            found = await store.progress(tx, campaign.organization_id, campaigns, offices)
        return [found.get(one, domain.Progress()) for one in campaigns]

    loader = info.context.loader(f"progress {campaign.organization_id}", load)
    return await loader.load(campaign.id)
