"""What is accepted at one place, copied to another: preview, start, progress (R27)."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from kit.graphql import (
    CommonProblems,
    Connection,
    StalePreviewProblem,
    after_id,
    after_key,
    connection,
    described,
    mutation,
    page_of,
)
from kit.ids import parse_id
from services.insurance import actions, domain, policy, store
from services.insurance.schema.types import Info, InsurancePlan, Office, Provider, load_plan

CopyOutcome = strawberry.enum(
    domain.CopyOutcome,
    name="CopyOutcome",
    description="What becomes of one participation that is copied: added; left out because the days are taken, the provider does"
    " not work there, the source ends earlier than it did, or the plan is not offered.",
)


@strawberry.input
class PlaceInput:
    """A provider, an office, or a provider at an office."""

    provider_id: strawberry.ID | None = None
    office_id: strawberry.ID | None = None


@strawberry.type(description="One participation of a copy.")
class CopyItem:
    """One row."""

    source_id: strawberry.ID = strawberry.field(description="The participation that is copied.")
    effective_from: date
    effective_until: date | None
    outcome: CopyOutcome | None = strawberry.field(description="Null while it waits.")  # type: ignore[valid-type]
    participation_id: strawberry.ID | None = strawberry.field(
        description="The participation that was added, or the one that is there already."
    )
    item: strawberry.Private[domain.CopyItem]

    @strawberry.field
    def provider(self) -> Provider | None:
        """To whom."""
        return Provider(id=strawberry.ID(str(self.item.provider_id)))

    @strawberry.field
    def office(self) -> Office | None:
        """To where."""
        return Office(id=strawberry.ID(str(self.item.office_id)))

    @strawberry.field
    async def plan(self, info: Info) -> InsurancePlan | None:
        """What."""
        return await load_plan(info, self.item.plan_id)

    @classmethod
    def of(cls, item: domain.CopyItem) -> "CopyItem":
        """As GraphQL tells it."""
        known = item.participation_id
        return cls(
            source_id=strawberry.ID(str(item.source_id)),
            effective_from=item.effective_from,
            effective_until=item.effective_until,
            outcome=item.outcome,
            participation_id=strawberry.ID(str(known)) if known else None,
            item=item,
        )


@strawberry.type(
    description="What a copy would do, row by row. Nothing is changed yet, and nothing is ever taken away."
)
class CopyPreview:
    """The preview."""

    total: int
    added: int = strawberry.field(description="How many participations would be added.")
    items: list[CopyItem] = strawberry.field(description="The first thousand.")
    token: str = strawberry.field(description="With it the copy is started while this is true.")


@strawberry.type(description="A copy that was started.")
class ParticipationCopy:
    """The copy, with its progress."""

    id: strawberry.ID
    total: int
    done: int = strawberry.field(
        description="How many rows are done; the others follow by themselves."
    )
    started_at: datetime
    finished_at: datetime | None
    copy: strawberry.Private[domain.Copy]

    @described("In the order of the source.")
    async def items(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[CopyItem]:
        """Row by row, what became of each."""
        page = page_of(first, after)
        key = after_key(page, int)
        async with info.context.call.db.reading() as tx:
            found = await store.copy_items(
                tx,
                self.copy.organization_id,
                self.copy.id,
                after=key[0] if key else 0,
                limit=page.limit + 1,
            )
        return connection(found, page, key=lambda item: (str(item.place),), node=CopyItem.of)

    @classmethod
    def of(cls, copy: domain.Copy) -> "ParticipationCopy":
        """As GraphQL tells it."""
        return cls(
            id=strawberry.ID(str(copy.id)),
            total=copy.total,
            done=copy.done,
            started_at=copy.started_at,
            finished_at=copy.finished_at,
            copy=copy,
        )


@strawberry.type(
    description="A provider goes to another office because the old one closes. Nothing is taken along by itself."
)
class MoveToReview:
    """The move."""

    effective_from: date = strawberry.field(description="The first day at the new office.")
    move: strawberry.Private[store.Move]

    @strawberry.field
    def provider(self) -> Provider | None:
        """Who."""
        return Provider(id=strawberry.ID(str(self.move.provider_id)))

    @strawberry.field
    def from_office(self) -> Office | None:
        """The office that closes."""
        return Office(id=strawberry.ID(str(self.move.from_office_id)))

    @strawberry.field
    def to_office(self) -> Office | None:
        """The new office."""
        return Office(id=strawberry.ID(str(self.move.to_office_id)))


CopyParticipationsResult = Annotated[
    ParticipationCopy | StalePreviewProblem | CommonProblems,
    strawberry.union("CopyParticipationsResult"),
]

SHOWN = 1000


@strawberry.input
class CopyParticipationsInput:
    """Copy as a preview said."""

    source: PlaceInput
    target: PlaceInput
    effective_from: date
    plan_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Only these plans; leave it empty for all."
    )
    token: str
    idempotency_key: str


@strawberry.type
class CopyMutation:
    """Those who may edit participations where the copy goes (R26)."""

    @mutation
    async def copy_participations(
        self, info: Info, input: CopyParticipationsInput
    ) -> CopyParticipationsResult:
        """Add to one place what is accepted at another, from a day on. Nobody has verified what a copy adds: it waits for it."""
        wanted = _wanted(input.source, input.target, input.effective_from, input.plan_ids)
        copy = await actions.start_copy(
            info.context.call, wanted, token=input.token, key=input.idempotency_key
        )
        return ParticipationCopy.of(copy)


@strawberry.type
class CopyQuery:
    """Copies of the viewer's organization."""

    @described(
        "From a provider, an office or both, to another provider, another office or both: what the target leaves open stays as it"
        " is at the source. Only what holds from `effectiveFrom` on, of `planIds` or of all plans."
    )
    async def copy_participations_preview(
        self,
        info: Info,
        source: PlaceInput,
        target: PlaceInput,
        effective_from: date,
        plan_ids: list[strawberry.ID] | None = None,
    ) -> CopyPreview:
        """What a copy would add, and leave out."""
        wanted = _wanted(source, target, effective_from, plan_ids or [])
        found = await actions.copy_preview(info.context.call, wanted)
        added = sum(one.outcome is domain.CopyOutcome.ADDED for one in found.items)
        return CopyPreview(
            total=len(found.items),
            added=added,
            items=[CopyItem.of(one) for one in found.items[:SHOWN]],
            token=found.token,
        )

    @described(
        "Ask what is accepted there, then add it, or copy it from the old office before that one closes. Of some"
        " offices, for who keeps the plans of just those."
    )
    async def moves_to_review(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[MoveToReview]:
        """Providers who go to another office, at which nothing is listed for them yet."""
        page, call = page_of(first, after), info.context.call
        offices = policy.offices_to_answer_for(call.viewer)
        organization_id = domain.OrganizationId(call.viewer.require_organization())
        async with call.db.reading() as tx:
            found = await store.moves_to_review(
                tx, organization_id, offices, after=after_id(page), limit=page.limit + 1
            )
        return connection(
            found,
            page,
            key=lambda one: (one.placement_id,),
            node=lambda one: MoveToReview(effective_from=one.effective_from, move=one),
        )

    @described("Of some offices, for who keeps the plans of just those.")
    async def participation_copies(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[ParticipationCopy]:
        """Copies, newest first."""
        page, call = page_of(first, after), info.context.call
        offices = policy.offices_to_answer_for(call.viewer)
        organization_id = domain.OrganizationId(call.viewer.require_organization())
        async with call.db.reading() as tx:
            found = await store.copies(
                tx, organization_id, offices, before=after_id(page), limit=page.limit + 1
            )
        return connection(found, page, key=lambda copy: (copy.id,), node=ParticipationCopy.of)

    @strawberry.field
    async def participation_copy(self, info: Info, id: strawberry.ID) -> ParticipationCopy | None:
        """A copy by id."""
        call = info.context.call
        offices = policy.offices_to_answer_for(call.viewer)
        organization_id = domain.OrganizationId(call.viewer.require_organization())
        async with call.db.reading() as tx:
            found = await store.copy(tx, organization_id, parse_id(id, "id"), offices)
        return ParticipationCopy.of(found) if found else None


def _wanted(
    source: PlaceInput, target: PlaceInput, first: date, plan_ids: list[strawberry.ID]
) -> domain.CopyWanted:
    return domain.CopyWanted(
        _place(source, "source"),
        _place(target, "target"),
        first,
        tuple(sorted({domain.PlanId(parse_id(one, "planIds")) for one in plan_ids})),
    )


def _place(given: PlaceInput, field: str) -> domain.Place:
    return domain.Place(
        domain.ProviderId(parse_id(given.provider_id, field)) if given.provider_id else None,
        domain.OfficeId(parse_id(given.office_id, field)) if given.office_id else None,
    )
