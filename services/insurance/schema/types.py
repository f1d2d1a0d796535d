"""The GraphQL types of insurance, and how references from other subgraphs resolve."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime
from itertools import chain
from typing import TypeAlias, TypeVar
from uuid import UUID

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from kit.db import Connection as Database
from kit.graphql import (
    Connection,
    Context,
    Page,
    after_id,
    connection,
    described,
    in_order,
    page_of,
)
from kit.ids import parse_id
from services.insurance import actions, domain, policy, store
from services.insurance.actions import Peers
from services.insurance.schema.due import WithPlansDue

Info: TypeAlias = strawberry.Info[Context[Peers], None]
FoundT = TypeVar("FoundT")

ProductType = strawberry.enum(
    domain.ProductType, description="Product types of the Plan-Net directory standard."
)
ParticipationSource = strawberry.enum(
    domain.Source,
    name="ParticipationSource",
    description="Who said that the provider accepts the plan.",
)
Certainty = strawberry.enum(
    domain.Certainty,
    name="Certainty",
    description="Whether somebody said within the last 90 days that it is true, longer ago, or never.",
)
VerificationMeans = strawberry.enum(
    domain.VerificationMeans,
    name="VerificationMeans",
    description="How it was verified: by adding it, by itself, or with the item of a campaign.",
)
ParticipationAction = strawberry.enum(
    domain.ParticipationAction, description="What the viewer may do to a participation now."
)


@strawberry.type(description="A payer's id in somebody else's system.")
class PayerIdentifier:
    """Identifier."""

    system: str
    value: str


@strawberry.federation.type(keys=["id"], description="The company that offers plans.")
class Payer:
    """Payer."""

    id: strawberry.ID
    name: str
    identifiers: list[PayerIdentifier]
    former_names: list[str] = strawberry.field(description="Names it had, the latest one last.")
    needs_referring_npi: bool = strawberry.field(description="It wants to know who referred (R22).")
    version: int

    @classmethod
    def of(cls, payer: domain.Payer) -> "Payer":
        """As GraphQL tells it."""
        return cls(
            id=strawberry.ID(str(payer.id)),
            name=payer.name,
            identifiers=[
                PayerIdentifier(system=i.system, value=i.value) for i in payer.identifiers
            ],
            former_names=list(payer.former_names),
            needs_referring_npi=payer.needs_referring_npi,
            version=payer.version,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Payer | None":
        """A payer another subgraph names."""
        return await load_payer(info, parse_id(id, "id"))


@strawberry.federation.type(
    keys=["id"], description="A product of a payer; or self-pay, which has no payer."
)
class InsurancePlan:
    """InsurancePlan."""

    id: strawberry.ID
    name: str
    product_type: ProductType | None = strawberry.field(description="Null for self-pay.")  # type: ignore[valid-type]
    self_pay: bool = strawberry.field(description="The patient pays: the one plan without a payer.")
    effective_from: date = strawberry.field(description="The first day it is offered.")
    effective_until: date | None = strawberry.field(
        description="The day after the last it is offered; null: no end is known."
    )
    former_names: list[str] = strawberry.field(description="Names it had, the latest one last.")
    version: int
    payer_id: strawberry.Private[UUID | None]
    successor_id: strawberry.Private[UUID | None]

    @described("Null unless its payer has merged it into another.")
    async def successor(self, info: Info) -> "InsurancePlan | None":
        """The plan into which it was merged."""
        return await load_plan(info, self.successor_id) if self.successor_id else None

    @described("Null for self-pay.")
    async def payer(self, info: Info) -> Payer | None:
        """The company that offers it."""
        return await load_payer(info, self.payer_id) if self.payer_id else None

    @classmethod
    def of(cls, plan: domain.InsurancePlan) -> "InsurancePlan":
        """As GraphQL tells it."""
        return cls(
            id=strawberry.ID(str(plan.id)),
            name=plan.name,
            product_type=plan.product_type,
            self_pay=plan.self_pay,
            effective_from=plan.effective_from,
            effective_until=plan.effective_until,
            former_names=list(plan.former_names),
            version=plan.version,
            payer_id=plan.payer_id,
            successor_id=plan.successor_id,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "InsurancePlan | None":
        """A plan another subgraph names."""
        return await load_plan(info, parse_id(id, "id"))


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class User:
    """Somebody identity knows."""

    id: strawberry.ID


@strawberry.type(description="Somebody said that a participation is true.")
class Verification:
    """Verification."""

    on: date = strawberry.field(description="The day, by the organization's calendar.")
    at: datetime
    means: VerificationMeans  # type: ignore[valid-type]
    effective_until: date | None = strawberry.field(
        description="Until when the participation stood at that time."
    )
    by: User | None


@strawberry.type(
    description="The provider accepts the plan at the office, from a day until the day after the last."
)
class Participation:
    """Participation."""

    id: strawberry.ID
    effective_from: date
    effective_until: date | None = strawberry.field(
        description="The day after the last; null: no end. Equal to effectiveFrom when it never took effect."
    )
    source: ParticipationSource  # type: ignore[valid-type]
    last_verified_on: date | None
    version: int
    plan: InsurancePlan = strawberry.field(description="What is accepted.")
    row: strawberry.Private[domain.Participation]

    @strawberry.field
    def provider(self) -> "Provider | None":
        """Who accepts."""
        return Provider(id=strawberry.ID(str(self.row.provider_id)))

    @strawberry.field
    def office(self) -> "Office | None":
        """Where."""
        return Office(id=strawberry.ID(str(self.row.office_id)))

    @described("Shown within the organization only.")
    def last_verified_by(self, info: Info) -> User | None:
        """Who said last that it is true."""
        by = policy.verifier_shown(info.context.call.viewer, self.row)
        return User(id=strawberry.ID(str(by))) if by else None

    @described("By the calendar of the organization, today.")
    async def certainty(self, info: Info) -> Certainty:  # type: ignore[valid-type]
        """How sure it is."""
        return domain.certainty(
            self.row.last_verified_on, await today(info, self.row.organization_id)
        )

    @described("Null when it never was.")
    async def verified_days_ago(self, info: Info) -> int | None:
        """Days since it was last verified."""
        return domain.age_days(
            self.row.last_verified_on, await today(info, self.row.organization_id)
        )

    @described(
        "The last day on which it is not stale yet; null when it was never verified, and so is due."
    )
    def verify_by(self) -> date | None:
        """When it is to be verified again."""
        return domain.verify_by(self.row.last_verified_on)

    @described("By a copy, or by the merger of its plan. Null when it was added by itself.")
    def copied_from(self) -> strawberry.ID | None:
        """The participation after which it was made."""
        return strawberry.ID(str(self.row.copied_from)) if self.row.copied_from else None

    @described(
        "The latest twenty, newest first. Shown within the organization only, and empty elsewhere."
    )
    async def verifications(self, info: Info) -> list[Verification]:
        """Who said when that it is true."""
        if not policy.history_shown(info.context.call.viewer, self.row):
            return []
        return [_verification(one) for one in await _history(info, self.row.id)]

    @strawberry.field
    async def allowed_actions(self, info: Info) -> list[ParticipationAction]:  # type: ignore[valid-type]
        """What the viewer may do to it now."""
        day = await today(info, self.row.organization_id)
        return list(policy.allowed_actions(info.context.call.viewer, self.row, day))

    @classmethod
    def of(cls, row: domain.Participation, plan: InsurancePlan) -> "Participation":
        """As GraphQL tells it. The plan is brought along: what had to be awaited row by row would cost the executor most of its
        time."""
        return cls(
            id=strawberry.ID(str(row.id)),
            effective_from=row.effective_from,
            effective_until=row.effective_until,
            source=row.source,
            last_verified_on=row.last_verified_on,
            version=row.version,
            plan=plan,
            row=row,
        )


async def shown(info: Info, rows: Sequence[domain.Participation]) -> list[Participation]:
    """Participations with their plans."""
    async with info.context.call.db.reading() as tx:
        plans = await plans_of(tx, rows)
    return [Participation.of(row, plans[row.plan_id]) for row in rows]


HISTORY = 20


async def _history(info: Info, row_id: UUID) -> list[store.Verification]:
    async def load(ids: list[UUID]) -> list[list[store.Verification]]:
        async with info.context.call.db.reading() as tx:
            found = await store.verifications_of(tx, ids, HISTORY)
        return [found.get(one, []) for one in ids]

    return await info.context.loader("verifications", load).load(row_id)


def _verification(one: store.Verification) -> Verification:
    return Verification(
        on=one.verified_on,
        at=one.verified_at,
        means=one.means,
        effective_until=one.effective_until,
        by=User(id=strawberry.ID(str(one.verified_by))),
    )


async def today(info: Info, organization_id: domain.OrganizationId) -> date:
    """Today by the organization's calendar, batched with the others of the request."""
    call = info.context.call

    async def load(organizations: list[domain.OrganizationId]) -> list[date]:
        async with call.db.reading() as tx:
            found = await actions.days_of(tx, organizations, call.clock.now())
        return [found[one] for one in organizations]

    return await info.context.loader("today", load).load(organization_id)


_ON = "Only those that hold on this day; without it all there ever were and will be."


@strawberry.federation.type(keys=["id"])
class Provider:
    """A provider of directory, with the plans accepted."""

    id: strawberry.ID

    @described(_ON)
    async def participations(
        self, info: Info, on: date | None = None, first: int | None = None, after: str | None = None
    ) -> Connection[Participation] | None:
        """The plans the provider accepts, per office."""
        page = page_of(first, after)
        load = _rows_of(info, "provider", store.participations_of_providers, page, on)
        return page_of_rows(await load(parse_id(self.id, "id")), page)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Provider":
        """A provider another subgraph names; what it accepts is decided field by field."""
        return cls(id=id)


@strawberry.federation.type(keys=["id"])
class Office(WithPlansDue):
    """An office of directory, with the plans accepted there."""

    id: strawberry.ID

    @described(_ON)
    async def participations(
        self, info: Info, on: date | None = None, first: int | None = None, after: str | None = None
    ) -> Connection[Participation] | None:
        """The plans accepted at the office, per provider."""
        page = page_of(first, after)
        load = _rows_of(info, "office", store.participations_of_offices, page, on)
        return page_of_rows(await load(parse_id(self.id, "id")), page)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Office":
        """An office another subgraph names; what is accepted there is decided field by field."""
        return cls(id=id)


_Fetch = Callable[
    [Database, Sequence[UUID], store.Slice], Awaitable[dict[UUID, list[domain.Participation]]]
]


def _rows_of(
    info: Info, of: str, fetch: _Fetch, page: Page, on: date | None
) -> Callable[[UUID], Awaitable[list[Participation]]]:
    """Loads a page of the rows of many providers or offices at once, with their plans."""
    slice_ = store.Slice(on, after_id(page), page.limit + 1, policy.eyes(info.context.call.viewer))

    async def load(keys: list[UUID]) -> list[list[Participation]]:
        async with info.context.call.db.reading() as tx:
            found = await fetch(tx, keys, slice_)
            plans = await plans_of(tx, chain.from_iterable(found.values()))
        return [
            [Participation.of(row, plans[row.plan_id]) for row in found.get(key, ())]
            for key in keys
        ]

    return info.context.loader(f"participations of {of} {slice_}", load).load


async def plans_of(tx: Database, rows: Iterable[domain.Participation]) -> dict[UUID, InsurancePlan]:
    """The plans of these rows."""
    found = await store.plans_by_id(tx, {row.plan_id for row in rows})
    return {plan_id: InsurancePlan.of(plan) for plan_id, plan in found.items()}


def page_of_rows(rows: list[Participation], page: Page) -> Connection[Participation]:
    """A page of rows in the order of their ids."""
    return connection(rows, page, key=lambda one: (one.id,), node=lambda one: one)


async def load_payer(info: Info, payer_id: UUID) -> Payer | None:
    """A payer by id, batched with the others of the request."""
    payer = await _load(info, "payers", store.payers_by_id, payer_id)
    return Payer.of(payer) if payer else None


async def load_plan(info: Info, plan_id: UUID) -> InsurancePlan | None:
    """A plan by id, batched with the others of the request."""
    plan = await _load(info, "plans", store.plans_by_id, plan_id)
    return InsurancePlan.of(plan) if plan else None


async def _load(
    info: Info,
    name: str,
    fetch: Callable[[Database, Sequence[UUID]], Awaitable[dict[UUID, FoundT]]],
    key: UUID,
) -> FoundT | None:
    policy.permit_reading(info.context.call.viewer)

    async def load(keys: list[UUID]) -> list[FoundT | None]:
        async with info.context.call.db.reading() as tx:
            return in_order(keys, await fetch(tx, keys))

    return await info.context.loader(name, load).load(key)
