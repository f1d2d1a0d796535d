"""What can be read of insurance."""

from datetime import date

import strawberry

from kit.audit.graph import audit_field
from kit.graphql import Connection, after_id, after_name, connection, described, page_of
from kit.ids import parse_id
from services.insurance import policy, store
from services.insurance.schema.types import (
    Info,
    InsurancePlan,
    Participation,
    Payer,
    User,
    load_payer,
    load_plan,
    page_of_rows,
    plans_of,
)


@strawberry.type
class LookingQuery:
    """Plans and participations are directory data: any signed-in user of the network reads them."""

    insurance_audit = audit_field("insurance", user=User, permit=policy.permit_audit)

    @strawberry.field
    async def payers(
        self, info: Info, text: str = "", first: int | None = None, after: str | None = None
    ) -> Connection[Payer]:
        """Payers whose name holds the text, by name."""
        policy.permit_reading(info.context.call.viewer)
        page = page_of(first, after)
        async with info.context.call.db.reading() as tx:
            found = await store.payers(tx, text=text, after=after_name(page), limit=page.limit + 1)
        return connection(found, page, key=lambda payer: (payer.name, payer.id), node=Payer.of)

    @strawberry.field
    async def payer(self, info: Info, id: strawberry.ID) -> Payer | None:
        """A payer by id."""
        return await load_payer(info, parse_id(id, "id"))

    @strawberry.field
    async def insurance_plans(
        self,
        info: Info,
        text: str = "",
        payer_id: strawberry.ID | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[InsurancePlan]:
        """Plans whose name, or whose payer's name, holds the text, by name."""
        policy.permit_reading(info.context.call.viewer)
        page = page_of(first, after)
        async with info.context.call.db.reading() as tx:
            found = await store.plans(
                tx,
                text=text,
                payer_id=parse_id(payer_id, "payerId") if payer_id else None,
                after=after_name(page),
                limit=page.limit + 1,
            )
        return connection(found, page, key=lambda plan: (plan.name, plan.id), node=InsurancePlan.of)

    @strawberry.field
    async def insurance_plan(self, info: Info, id: strawberry.ID) -> InsurancePlan | None:
        """A plan by id."""
        return await load_plan(info, parse_id(id, "id"))

    @described(
        "Of a provider, an office or both; without either, those of the viewer's organization."
        " Other organizations' as far as the directory shows them. With `on`, only those that hold on this day; without it all there ever were and will be."
    )
    async def participations(
        self,
        info: Info,
        provider_id: strawberry.ID | None = None,
        office_id: strawberry.ID | None = None,
        on: date | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[Participation]:
        """Participations in the order they were added."""
        viewer = info.context.call.viewer
        page = page_of(first, after)
        provider = parse_id(provider_id, "providerId") if provider_id else None
        office = parse_id(office_id, "officeId") if office_id else None
        own = viewer.require_organization() if provider is None and office is None else None
        slice_ = store.Slice(on, after_id(page), page.limit + 1, policy.eyes(viewer))
        async with info.context.call.db.reading() as tx:
            rows = await store.search_participations(tx, own, (provider, office), slice_)
            plans = await plans_of(tx, rows)
        return page_of_rows([Participation.of(row, plans[row.plan_id]) for row in rows], page)
