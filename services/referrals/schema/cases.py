"""The cases of providers who leave, in GraphQL (R12, R13)."""

from datetime import datetime
from functools import partial

import strawberry
from strawberry import ID

from kit.graphql import Connection, after_id, connection, described, page_of
from kit.ids import parse_id
from services.referrals.actions import cases, targeting
from services.referrals.actions.cases import CaseSeen, ItemSeen
from services.referrals.domain import CaseId, OfficeId, ProviderId, ReferralId, SuggestedTarget
from services.referrals.schema.entities import Group, Info, Office, Provider, stub
from services.referrals.schema.inputs import optional
from services.referrals.schema.nodes import Referral, show
from services.referrals.schema.words import (
    OffboardingCaseAction,
    OffboardingCaseEnd,
    OffboardingCaseState,
    PlanAcceptanceState,
    ReferralSide,
    ReferralStatus,
)


@strawberry.type(description="How far a case is at one office.")
class OffboardingOfficeProgress:
    """Numbers only."""

    office: Office | None
    total: int
    remaining: int


@strawberry.type(description="How far a case is: items so far, and how many of them are open.")
class OffboardingProgress:
    """What comes in while the case is open counts as well."""

    total: int
    remaining: int
    by_office: list[OffboardingOfficeProgress]


@strawberry.type(description="Somebody of the same office who could take an item.")
class OffboardingTarget:
    """Give what was received with reassignReferral, what was sent with changeSender."""

    office: Office | None
    provider: Provider | None
    group: Group | None
    name: str
    plan_acceptance: PlanAcceptanceState | None = strawberry.field(
        description="What insurance says of the patient's plan there. NOT_LISTED: a warning. Null: there is no plan, or it does"
        " not matter."
    )


@strawberry.type(description="A referral that is open with the provider who leaves.")
class OffboardingItem:
    """No PHI; the referral itself for who works with it."""

    referral_id: ID
    status: ReferralStatus
    side: ReferralSide = strawberry.field(
        description="RECEIVING: reassign, forward, decline. SENDING: change the sender, or cancel."
    )
    office: Office | None = strawberry.field(description="The office that manages it.")
    appointment_at: datetime | None
    referral: Referral | None = strawberry.field(description="Null when you do not work with it.")
    seen: strawberry.Private[ItemSeen]

    @described(
        "Who could take it: of the office and the specialty, who accept the plan first. Null when you do not work with it, or"
        " directory is away."
    )
    async def targets(self, info: Info) -> list[OffboardingTarget] | None:
        """Others are refused with WRONG_SPECIALTY, or never take a referral now."""
        load = partial(targeting.targets, info.context.call)
        found = await info.context.loader("case targets", load).load(self.seen)
        return None if found is None else [_target(one) for one in found]


@strawberry.federation.type(description="What a provider who leaves has open, until nothing is.")
class OffboardingCase:
    """Opened when directory starts the offboarding; the provider is removed or kept there."""

    id: ID
    provider: Provider | None
    state: OffboardingCaseState
    opened_at: datetime
    closed_at: datetime | None
    closed_as: OffboardingCaseEnd | None
    progress: OffboardingProgress
    without_outcome: int = strawberry.field(
        description="Completed visits on which nobody has reported back. They hold nothing up, but once the provider is removed nobody"
        " of yours can."
    )
    allowed_actions: list[OffboardingCaseAction] = strawberry.field(
        description="What you may ask directory for: keepProvider, removeWhenEmpty, or removeProvider once the case is READY."
    )
    seen: strawberry.Private[CaseSeen]

    @described(
        "What is open, oldest first: everything for client admins (ids and numbers), for others what their offices and groups"
        " manage."
    )
    async def items(
        self,
        info: Info,
        office_id: ID | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[OffboardingItem]:
        """An item that was given on is not there any more."""
        page = page_of(first, after)
        position, office = after_id(page), optional(office_id, "officeId")
        part = (ReferralId(position) if position else None, page.limit + 1)
        whose = OfficeId(office) if office else None
        found = await cases.items(info.context.call, self.seen.case, whose, part)
        return connection(found, page, key=lambda one: [str(one.item.referral_id)], node=_item)


@strawberry.type
class CasesQuery:
    """What can be asked of cases."""

    @described(
        "The case of a provider who leaves: the latest. Null when there was none. For client admins and whoever works referrals."
    )
    async def offboarding_case(self, info: Info, provider_id: ID) -> OffboardingCase | None:
        """R13."""
        key = ProviderId(parse_id(provider_id, "providerId"))
        found = await cases.of_provider(info.context.call, key)
        return None if found is None else show_case(found)

    @described(
        "The cases of your organization that are open, or those that are closed; newest first."
    )
    async def offboarding_cases(
        self,
        info: Info,
        closed: bool = False,  # noqa: FBT001, FBT002 - a GraphQL argument
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[OffboardingCase]:
        """R13."""
        page = page_of(first, after)
        position = after_id(page)
        part = (CaseId(position) if position else None, page.limit + 1)
        found = await cases.page(info.context.call, closed=closed, part=part)
        return connection(found, page, key=lambda one: [str(one.case.id)], node=show_case)


async def case_of(info: Info, provider_id: ID) -> OffboardingCase | None:
    """The provider's latest case, where the viewer may know of it."""
    load = partial(cases.of_providers, info.context.call)
    key = ProviderId(parse_id(provider_id, "id"))
    found = await info.context.loader("cases", load).load(key)
    return None if found is None else show_case(found)


def show_case(seen: CaseSeen) -> OffboardingCase:
    """What is seen, as a node."""
    it = seen.case
    return OffboardingCase(
        id=ID(str(it.id)),
        provider=stub(Provider, it.provider_id),
        state=seen.state,
        opened_at=it.opened_at,
        closed_at=it.closed_at,
        closed_as=it.closed_as,
        progress=_progress(seen),
        without_outcome=seen.without_outcome,
        allowed_actions=list(seen.allowed),
        seen=seen,
    )


def _progress(seen: CaseSeen) -> OffboardingProgress:
    return OffboardingProgress(
        total=seen.total,
        remaining=seen.remaining,
        by_office=[
            OffboardingOfficeProgress(
                office=stub(Office, one.office_id), total=one.total, remaining=one.remaining
            )
            for one in seen.tallies
        ],
    )


def _item(seen: ItemSeen) -> OffboardingItem:
    it = seen.item
    return OffboardingItem(
        referral_id=ID(str(it.referral_id)),
        status=it.status,
        side=it.side,
        office=stub(Office, it.office_id),
        appointment_at=it.appointment_at,
        referral=None if seen.referral is None else show(seen.referral),
        seen=seen,
    )


def _target(one: SuggestedTarget) -> OffboardingTarget:
    it = one.candidate
    return OffboardingTarget(
        office=stub(Office, it.office_id),
        provider=stub(Provider, it.provider_id),
        group=stub(Group, it.group_id),
        name=it.name,
        plan_acceptance=one.plan,
    )
