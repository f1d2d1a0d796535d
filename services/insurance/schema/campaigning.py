"""Finding and doing campaigns (R29)."""

from typing import Annotated

import strawberry

from kit.errors import Invalid
from kit.graphql import (
    CommonProblems,
    Connection,
    after_id,
    connection,
    described,
    mutation,
    page_of,
)
from kit.ids import parse_id
from services.insurance import actions, domain, policy, store
from services.insurance.schema.campaigns import Campaign, CampaignItem
from services.insurance.schema.types import Info

EVIDENCE_PAGE = 500

DeclareMajorChangeResult = Annotated[
    Campaign | CommonProblems, strawberry.union("DeclareMajorChangeResult")
]
AssignCampaignResult = Annotated[
    Campaign | CommonProblems, strawberry.union("AssignCampaignResult")
]
CallOffCampaignResult = Annotated[
    Campaign | CommonProblems, strawberry.union("CallOffCampaignResult")
]


@strawberry.type(description="Why one item of a call was not attested.")
class AttestationProblem:
    """One item's refusal."""

    code: str
    message: str
    remedy: str | None
    moved: list[str] = strawberry.field(
        description="Of STALE_PREVIEW: what has changed since the token was given."
    )


@strawberry.type(description="What became of one item of a call.")
class AttestationOutcome:
    """Attested when there is no problem."""

    item_id: strawberry.ID
    item: CampaignItem | None
    problem: AttestationProblem | None


@strawberry.type(description="What became of each item of a call, in its order.")
class CampaignItemsAttested:
    """Some may have been refused."""

    outcomes: list[AttestationOutcome]
    attested: int = strawberry.field(description="How many are attested.")


AttestCampaignItemsResult = Annotated[
    CampaignItemsAttested | CommonProblems, strawberry.union("AttestCampaignItemsResult")
]


@strawberry.type(
    description="A page of evidence: a line for each participation that was attested, or for an item without any."
)
class CampaignEvidence:
    """CSV."""

    csv: str = strawberry.field(
        description="RFC 4180; the first page begins with the names of the columns. No cell begins a formula."
    )
    items: int = strawberry.field(description="How many items the page is about.")
    has_next_page: bool
    end_cursor: str | None


@strawberry.input
class DeclareMajorChangeInput:
    """What has changed, and which payers or plans it touches."""

    reason: str
    payer_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="All of whose plans are touched."
    )
    plan_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    idempotency_key: str


@strawberry.input
class AttestCampaignItemInput:
    """An item, with the token that came with its participations."""

    item_id: strawberry.ID
    token: str


@strawberry.input
class AttestCampaignItemsInput:
    """1 to 50 items, each once. Attesting again what is attested changes nothing, so a call may be repeated."""

    items: list[AttestCampaignItemInput]


@strawberry.input
class AssignCampaignInput:
    """Hand a campaign over."""

    campaign_id: strawberry.ID
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="An insurance manager; leave it out for the client admins."
    )
    expected_version: int


@strawberry.input
class CallOffCampaignInput:
    """End a campaign about a major change before it is done."""

    campaign_id: strawberry.ID
    expected_version: int


@strawberry.type
class CampaignMutation:
    """Insurance managers and client admins do campaigns; office admins attest for their offices (R26, R29)."""

    @mutation
    async def declare_major_change(
        self, info: Info, input: DeclareMajorChangeInput
    ) -> DeclareMajorChangeResult:
        """Open a campaign about the plans that a major change touches."""
        wanted = domain.MajorChange(
            input.reason,
            tuple(domain.PayerId(parse_id(one, "payerIds")) for one in input.payer_ids),
            tuple(domain.PlanId(parse_id(one, "planIds")) for one in input.plan_ids),
        )
        key = input.idempotency_key
        return Campaign.of(await actions.declare_major_change(info.context.call, wanted, key))

    @mutation
    async def attest_campaign_items(
        self, info: Info, input: AttestCampaignItemsInput
    ) -> AttestCampaignItemsResult:
        """What is listed for these items is true as of today. What is wrong with one keeps none of the others back."""
        wanted = [
            actions.Attestation(domain.ItemId(parse_id(one.item_id, "itemId")), one.token)
            for one in input.items
        ]
        found = await actions.attest_items(info.context.call, wanted)
        return CampaignItemsAttested(
            outcomes=[_outcome(one) for one in found],
            attested=sum(one.refusal is None for one in found),
        )

    @mutation
    async def assign_campaign(self, info: Info, input: AssignCampaignInput) -> AssignCampaignResult:
        """Let another insurance manager do the campaign, or leave it to the client admins."""
        campaign = await actions.assign_campaign(
            info.context.call,
            domain.CampaignId(parse_id(input.campaign_id, "campaignId")),
            domain.UserId(parse_id(input.user_id, "userId")) if input.user_id else None,
            input.expected_version,
        )
        return Campaign.of(campaign)

    @mutation
    async def call_off_campaign(
        self, info: Info, input: CallOffCampaignInput
    ) -> CallOffCampaignResult:
        """End a campaign about a major change before it is done."""
        campaign = await actions.call_off_campaign(
            info.context.call,
            domain.CampaignId(parse_id(input.campaign_id, "campaignId")),
            input.expected_version,
        )
        return Campaign.of(campaign)


@strawberry.type
class CampaignQuery:
    """Campaigns of the viewer's organization: for insurance managers, client admins and office admins."""

    @strawberry.field
    async def campaigns(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[Campaign]:
        """Campaigns, newest first."""
        page, call = page_of(first, after), info.context.call
        policy.offices_to_answer_for(call.viewer)
        organization_id = domain.OrganizationId(call.viewer.require_organization())
        async with call.db.reading() as tx:
            found = await store.campaigns(
                tx, organization_id, before=after_id(page), limit=page.limit + 1
            )
        return connection(found, page, key=lambda one: (one.id,), node=Campaign.of)

    @strawberry.field
    async def campaign(self, info: Info, id: strawberry.ID) -> Campaign | None:
        """A campaign by id."""
        call = info.context.call
        policy.offices_to_answer_for(call.viewer)
        organization_id = domain.OrganizationId(call.viewer.require_organization())
        async with call.db.reading() as tx:
            found = await store.campaign(tx, organization_id, parse_id(id, "id"))
        return Campaign.of(found) if found else None

    @described("Pages of up to 500 items; for who keeps the plans of some offices only, of those.")
    async def campaign_evidence(
        self,
        info: Info,
        campaign_id: strawberry.ID,
        first: int = EVIDENCE_PAGE,
        after: str | None = None,
    ) -> CampaignEvidence | None:
        """Who said of which participation, and when, that it is true."""
        if not 1 <= first <= EVIDENCE_PAGE:
            raise Invalid(f"first must be 1 to {EVIDENCE_PAGE}.", code="PAGE_SIZE", field="first")
        position = parse_id(after, "after") if after else None
        found = await actions.campaign_evidence(
            info.context.call, parse_id(campaign_id, "campaignId"), position, first
        )
        if found is None:
            return None
        return CampaignEvidence(
            csv=found.csv,
            items=found.items,
            has_next_page=found.last is not None,
            end_cursor=str(found.last) if found.last else None,
        )


def _outcome(one: actions.Attested) -> AttestationOutcome:
    problem = None
    if one.refusal is not None:
        moved = one.refusal.details.get("moved")
        problem = AttestationProblem(
            code=one.refusal.code,
            message=one.refusal.message,
            remedy=one.refusal.remedy,
            moved=list(moved) if isinstance(moved, list) else [],
        )
    item = CampaignItem.seen(one.item, one.campaign) if one.item and one.campaign else None
    return AttestationOutcome(item_id=strawberry.ID(str(one.item_id)), item=item, problem=problem)
