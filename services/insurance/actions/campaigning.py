"""Campaigns, as people do them: declaring a major change, attesting items, handing over, calling off (R29)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from kit import preview
from kit.db import Connection
from kit.errors import Conflict, NotFound, Refusal, stale_version
from kit.idempotency import once
from kit.ids import new_id
from services.insurance import domain, policy, store
from services.insurance.actions.campaign_telling import tell_assigned, tell_attested
from services.insurance.actions.campaign_work import close, close_if_done, open_campaign
from services.insurance.actions.participations import day_of
from services.insurance.actions.peers import Call
from services.insurance.actions.verifying import keep_verified
from services.insurance.domain import (
    AnsweringRole,
    Campaign,
    CampaignId,
    Closing,
    Item,
    ItemId,
    ItemState,
    MajorChange,
    OrganizationId,
    Participation,
    UserId,
    VerificationMeans,
)


async def declare_major_change(call: Call, wanted: MajorChange, key: str) -> Campaign:
    """Open a campaign about the plans of some payers, or some plans: one item for each provider at an office where one of them
    is accepted. Refuses an unknown payer or plan, and NOTHING_TO_REVIEW where none of them is accepted anywhere."""
    organization_id = OrganizationId(call.viewer.require_organization())
    policy.permit_campaigns(call.viewer)
    cleaned = domain.clean_change(wanted)
    async with call.db.transaction() as tx:
        make, at = partial(_declare, call, tx, organization_id, cleaned), call.clock.now()
        request = (organization_id, cleaned)
        made = await once(tx, call.viewer, key=key, request=request, at=at, make=make)
        return await _campaign(tx, organization_id, made, lock=False)


async def _declare(
    call: Call, tx: Connection, organization_id: OrganizationId, wanted: MajorChange
) -> UUID:
    await _require_known(tx, wanted)
    at = call.clock.now()
    today = await day_of(tx, organization_id, at)
    managers = await store.holders(tx, organization_id, AnsweringRole.INSURANCE_MANAGER)
    campaign = Campaign(
        id=CampaignId(new_id()),
        organization_id=organization_id,
        year=None,
        reason=wanted.reason,
        payer_ids=wanted.payer_ids,
        plan_ids=wanted.plan_ids,
        opened_at=at,
        opened_on=today,
        opened_by=UserId(call.viewer.require_user()),
        due_on=today + domain.MAJOR_CHANGE_TAKES,
        assigned_to=domain.assignee(managers),
    )
    if not await open_campaign(tx, campaign, call.viewer):
        raise Conflict(
            "None of these plans is accepted anywhere in your organization.",
            code="NOTHING_TO_REVIEW",
            field="planIds",
            remedy="Choose the payers or plans whose participations are to be reviewed.",
        )
    return campaign.id


async def _require_known(tx: Connection, wanted: MajorChange) -> None:
    if len(await store.payers_by_id(tx, wanted.payer_ids)) < len(wanted.payer_ids):
        raise NotFound("There is no such payer.", field="payerIds")
    if len(await store.plans_by_id(tx, wanted.plan_ids)) < len(wanted.plan_ids):
        raise NotFound("There is no such plan.", code="UNKNOWN_PLAN", field="planIds")


# Attesting ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attestation:
    """An item somebody attests, as they saw it."""

    item_id: ItemId
    token: str


@dataclass(frozen=True)
class Attested:
    """What became of one item: attested, or refused."""

    item_id: ItemId
    item: Item | None = None
    campaign: Campaign | None = None
    refusal: Refusal | None = None


def item_token(rows: Sequence[Participation]) -> str:
    """With it an item is attested as long as the rows are those that were seen: the same ones, until the same days."""
    return preview.token({"participations": domain.seen(rows)})


async def attest_items(call: Call, wanted: Sequence[Attestation]) -> list[Attested]:
    """Say of providers at offices that what is listed there is true today: each of the rows counts as verified. Answers what
    became of each: unknown, not the viewer's to attest, ITEM_SETTLED, CAMPAIGN_CLOSED, STALE_PREVIEW when a row came, went or
    ends on another day than the viewer saw. Attesting again what is attested already changes nothing."""
    organization_id = OrganizationId(call.viewer.require_organization())
    cleaned = domain.clean_attested(wanted, lambda one: one.item_id)
    return [await _attest(call, organization_id, one) for one in cleaned]


async def _attest(call: Call, organization_id: OrganizationId, wanted: Attestation) -> Attested:
    """One item, in a transaction of its own."""
    try:
        async with call.db.transaction() as tx:
            await store.hold_campaigns(tx, organization_id)
            item, campaign = await _attest_in(call, tx, organization_id, wanted)
    except Refusal as refusal:
        return Attested(wanted.item_id, refusal=refusal)
    return Attested(wanted.item_id, item, campaign)


async def _attest_in(
    call: Call, tx: Connection, organization_id: OrganizationId, wanted: Attestation
) -> tuple[Item, Campaign]:
    found = await store.items_by_id(tx, organization_id, [wanted.item_id], lock=True)
    if not found:
        raise NotFound("There is no such item.", field="itemId")
    (item,) = found
    policy.permit_edit(call.viewer, organization_id, item.office_id)
    campaign = await _campaign(tx, organization_id, item.campaign_id, lock=True)
    by, at = UserId(call.viewer.require_user()), call.clock.now()
    if item.state is ItemState.ATTESTED and item.settled_by == by:
        return item, campaign
    domain.refuse_settled(campaign, item)
    today = await day_of(tx, organization_id, at)
    rows = await store.rows_of_item(tx, item, today, lock=True)
    preview.require_same(wanted.token, {"participations": domain.seen(rows)})
    await keep_verified(call, tx, rows, today, VerificationMeans.ATTESTED, item.id)
    attested = replace(
        item, state=ItemState.ATTESTED, settled_at=at, settled_by=by, version=item.version + 1
    )
    await store.settle_item(tx, attested)
    await tell_attested(tx, campaign, attested, len(rows), call.viewer)
    return attested, await close_if_done(tx, campaign, at, call.viewer)


# Handing over, calling off --------------------------------------------------------------------------------------------


async def assign_campaign(
    call: Call, campaign_id: CampaignId, user_id: UserId | None, expected_version: int
) -> Campaign:
    """Let another insurance manager of the whole organization do the campaign; None leaves it to the client admins. Refuses NOT_A_MANAGER."""
    async with call.db.transaction() as tx:
        campaign = await _to_change(call, tx, campaign_id, expected_version)
        managers = await store.holders(
            tx, campaign.organization_id, AnsweringRole.INSURANCE_MANAGER
        )
        if user_id is not None and user_id not in {one for one, _ in managers}:
            raise Conflict(
                "This user is no insurance manager of the whole organization.",
                code="NOT_A_MANAGER",
                field="userId",
                remedy="Grant the role first, or choose somebody who has it.",
            )
        changed = replace(campaign, assigned_to=user_id)
        await store.change_campaign(tx, changed)
        await tell_assigned(tx, changed, call.clock.now(), call.viewer)
    return replace(changed, version=campaign.version + 1)


async def call_off_campaign(call: Call, campaign_id: CampaignId, expected_version: int) -> Campaign:
    """End a campaign about a major change before it is done. That of a year's start is not called off: YEAR_START_STAYS."""
    async with call.db.transaction() as tx:
        campaign = await _to_change(call, tx, campaign_id, expected_version)
        if campaign.year is not None:
            raise Conflict(
                "The review at the start of a year is not called off.",
                code="YEAR_START_STAYS",
                field="campaignId",
                remedy="Attest what is open.",
            )
        return await close(tx, campaign, Closing.CALLED_OFF, call.clock.now(), call.viewer)


async def _to_change(
    call: Call, tx: Connection, campaign_id: CampaignId, expected_version: int
) -> Campaign:
    organization_id = OrganizationId(call.viewer.require_organization())
    policy.permit_campaigns(call.viewer)
    await store.hold_campaigns(tx, organization_id)
    campaign = await _campaign(tx, organization_id, campaign_id, lock=True)
    if campaign.version != expected_version:
        raise stale_version("campaign", campaign.version)
    domain.refuse_closed(campaign)
    return campaign


async def _campaign(
    tx: Connection, organization_id: OrganizationId, campaign_id: UUID, *, lock: bool
) -> Campaign:
    found = await store.campaign(tx, organization_id, campaign_id, lock=lock)
    if found is None:
        raise NotFound("There is no such campaign.", field="campaignId")
    return found


# Evidence -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Evidence:
    """A page of a campaign's evidence: of so many items, and after which the next page begins, if there is one."""

    csv: str
    items: int
    last: UUID | None


async def campaign_evidence(
    call: Call, campaign_id: UUID, after: UUID | None, limit: int
) -> Evidence | None:
    """Who said of which row, and when, that it is true: a page of items as CSV, the first one with the names of the columns.
    None when there is no such campaign. Who keeps the plans of some offices gets the evidence of those (R26)."""
    organization_id = OrganizationId(call.viewer.require_organization())
    offices = policy.offices_to_answer_for(call.viewer)
    async with call.db.reading() as tx:
        campaign = await store.campaign(tx, organization_id, campaign_id)
        if campaign is None:
            return None
        wanted = store.ItemSearch(None, offices, after, limit + 1)
        lines = await store.evidence(tx, organization_id, campaign.id, wanted)
    items = sorted({line.item_id for line in lines})
    more, shown = len(items) > limit, set(items[:limit])
    kept = [line for line in lines if line.item_id in shown]
    text = domain.as_csv(kept, head=after is None)
    return Evidence(text, len(shown), items[limit - 1] if more else None)
