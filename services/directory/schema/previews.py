"""Previews: what exactly a closing or a removal would touch, with the token the verb takes."""

from datetime import date

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from kit import preview
from kit.graphql import described
from kit.ids import parse_id
from services.directory.actions import closing, group_removal, removal
from services.directory.domain import removals
from services.directory.domain.closures import ClosureImpact, PlanRow
from services.directory.domain.fences import TOLD, OpenWork
from services.directory.domain.removals import GroupImpact, ProviderImpact, Taker
from services.directory.schema import loading
from services.directory.schema.problems import ReferralInTheWay
from services.directory.schema.things import Group, Office, Placement, Provider
from services.directory.schema.words import Info, User, id_of

_FOR_THE_VERB = (
    "Give it to the verb: it is refused with STALE_PREVIEW when something of this has moved."
)


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class InsurancePlan:
    """A plan of insurance."""

    id: strawberry.ID


@strawberry.type(description="A plan that a provider accepts at an office, as insurance told it.")
class PlanRowAtStake:
    """PlanRowAtStake."""

    participation_id: strawberry.ID
    provider_id: strawberry.ID
    office_id: strawberry.ID
    effective_until: date | None
    row: strawberry.Private[PlanRow]

    @strawberry.field
    def plan(self) -> InsurancePlan | None:
        """Which plan."""
        return InsurancePlan(id=id_of(self.row.plan_id))

    @classmethod
    def of(cls, row: PlanRow) -> "PlanRowAtStake":
        """As GraphQL tells it."""
        return cls(
            participation_id=id_of(row.participation_id),
            provider_id=id_of(row.provider_id),
            office_id=id_of(row.office_id),
            effective_until=row.effective_until,
            row=row,
        )


@strawberry.type(description="What closing an office on a day would touch (R19).")
class OfficeClosurePreview:
    """OfficeClosurePreview."""

    closes_on: date
    open_referrals: int = strawberry.field(description="How many are open there, on either side.")
    last_office: bool = strawberry.field(description="Whether the organization has no other.")
    token: str = strawberry.field(description=_FOR_THE_VERB)
    impact: strawberry.Private[ClosureImpact]

    @strawberry.field
    def office(self) -> Office:
        """The office, as it was seen."""
        return Office.of(self.impact.office)

    @described("Those that reach the day of the closing.")
    def placements(self) -> list[Placement]:
        """Who works there."""
        return [Placement.of(one) for one in self.impact.placements]

    @described("Who would work nowhere, unless they move.")
    async def orphans(self, info: Info) -> list[Provider]:
        """PROVIDERS_ORPHANED."""
        return [Provider.of(one) for one in await loading.providers(info, self.impact.orphans)]

    @strawberry.field
    def groups(self) -> list[Group]:
        """The groups that receive or send there."""
        return [Group.of(one) for one in self.impact.groups]

    @described("Those of the groups that are at no other office.")
    def stranded_groups(self) -> list[Group]:
        """They would be nowhere."""
        return [Group.of(one) for one in self.impact.stranded_groups]

    @strawberry.field
    def staff(self) -> list[User | None]:
        """Who works for it."""
        return [User(id=id_of(one)) for one in self.impact.roster]

    @described("At most the oldest 100.")
    def referrals(self) -> list[ReferralInTheWay]:
        """What is open."""
        return [ReferralInTheWay.of(one) for one in self.impact.work.told]

    @described(
        "What is open whose appointment is on the day of the closing or later; at most the oldest 100."
    )
    def late_appointments(self) -> list[ReferralInTheWay]:
        """APPOINTMENTS_AFTER_CLOSING."""
        return [ReferralInTheWay.of(one) for one in self.impact.late_appointments[:TOLD]]

    @described("What was agreed for this address: it says nothing of another one.")
    def plans(self) -> list[PlanRowAtStake]:
        """Plan rows."""
        return [PlanRowAtStake.of(one) for one in self.impact.plan_rows]

    @classmethod
    def of(cls, impact: ClosureImpact) -> "OfficeClosurePreview":
        """As GraphQL tells it."""
        return cls(
            closes_on=impact.closes_on,
            open_referrals=impact.work.total,
            last_office=impact.last_office,
            token=preview.token(impact.parts),
            impact=impact,
        )


@strawberry.type(
    description="How many open referrals have this status, on this side, at this office."
)
class OpenReferralsCounted:
    """OpenReferralsCounted."""

    status: str
    side: str
    office_id: strawberry.ID
    count: int


def _counted(work: OpenWork) -> list[OpenReferralsCounted]:
    found = removals.counted(work.referrals)
    return [
        OpenReferralsCounted(status=status, side=side, office_id=strawberry.ID(office), count=many)
        for (status, side, office), many in sorted(found.items())
    ]


@strawberry.type(description="What removing a provider would touch (R12).")
class ProviderRemovalPreview:
    """ProviderRemovalPreview."""

    open_referrals: int = strawberry.field(
        description="How many are open, on either side; drafts of the provider count."
    )
    token: str = strawberry.field(description=_FOR_THE_VERB)
    impact: strawberry.Private[ProviderImpact]

    @strawberry.field
    def provider(self) -> Provider:
        """The provider, as it was seen."""
        return Provider.of(self.impact.provider)

    @described("Now or later. With endPlacements the removal ends them.")
    def placements(self) -> list[Placement]:
        """Where the provider works."""
        return [Placement.of(one) for one in self.impact.placements]

    @strawberry.field
    def groups(self) -> list[Group]:
        """The groups the provider would leave."""
        return [Group.of(one) for one in self.impact.groups]

    @described("Those that would have no member.")
    def emptied_groups(self) -> list[Group]:
        """Of the groups."""
        return [Group.of(one) for one in self.impact.emptied_groups]

    @described("At most the oldest 100, each with what you may do with it.")
    def referrals(self) -> list[ReferralInTheWay]:
        """What is open."""
        return [ReferralInTheWay.of(one) for one in self.impact.work.told]

    @described("Of all that is open.")
    def counts(self) -> list[OpenReferralsCounted]:
        """By status, side and office."""
        return _counted(self.impact.work)

    @strawberry.field
    def plans(self) -> list[PlanRowAtStake]:
        """The plans accepted."""
        return [PlanRowAtStake.of(one) for one in self.impact.plan_rows]

    @classmethod
    def of(cls, impact: ProviderImpact) -> "ProviderRemovalPreview":
        """As GraphQL tells it."""
        token = preview.token(impact.parts)
        return cls(open_referrals=impact.work.total, token=token, impact=impact)


@strawberry.type(description="A member of a group who can take its open referrals.")
class GroupTaker:
    """GroupTaker."""

    office_ids: list[strawberry.ID] = strawberry.field(
        description="The group's offices where the member works today."
    )
    accepting_at: list[strawberry.ID] = strawberry.field(
        description="Those of them where new patients are accepted: elsewhere there is no capacity."
    )
    row: strawberry.Private[Taker]

    @strawberry.field
    def provider(self) -> Provider:
        """Who."""
        return Provider.of(self.row.provider)

    @classmethod
    def of(cls, row: Taker) -> "GroupTaker":
        """As GraphQL tells it."""
        return cls(
            office_ids=[id_of(one) for one in sorted(row.office_ids)],
            accepting_at=[id_of(one) for one in sorted(row.accepting_at)],
            row=row,
        )


@strawberry.type(description="What removing a group would touch (R24).")
class GroupRemovalPreview:
    """GroupRemovalPreview."""

    open_referrals: int = strawberry.field(description="How many are open, on either side.")
    token: str = strawberry.field(description=_FOR_THE_VERB)
    impact: strawberry.Private[GroupImpact]

    @strawberry.field
    def group(self) -> Group:
        """The group, as it was seen."""
        return Group.of(self.impact.group)

    @strawberry.field
    def takers(self) -> list[GroupTaker]:
        """Approved members, who can take what is open where they work."""
        return [GroupTaker.of(one) for one in self.impact.takers]

    @described("At most the oldest 100.")
    def referrals(self) -> list[ReferralInTheWay]:
        """What is open."""
        return [ReferralInTheWay.of(one) for one in self.impact.work.told]

    @described("Of all that is open.")
    def counts(self) -> list[OpenReferralsCounted]:
        """By status, side and office."""
        return _counted(self.impact.work)

    @classmethod
    def of(cls, impact: GroupImpact) -> "GroupRemovalPreview":
        """As GraphQL tells it."""
        token = preview.token(impact.parts)
        return cls(open_referrals=impact.work.total, token=token, impact=impact)


@strawberry.type
class PreviewQuery:
    """What would happen, before it does."""

    @described("For client admins. closesOn: the first day without the office; today.")
    async def office_closure_preview(
        self, info: Info, office_id: strawberry.ID, closes_on: date | None = None
    ) -> OfficeClosurePreview | None:
        """R19."""
        impact = await closing.preview_closing(
            info.context.call, parse_id(office_id, "officeId"), closes_on
        )
        return OfficeClosurePreview.of(impact)

    @described("For client admins.")
    async def provider_removal_preview(
        self, info: Info, provider_id: strawberry.ID
    ) -> ProviderRemovalPreview | None:
        """R12."""
        one = parse_id(provider_id, "providerId")
        return ProviderRemovalPreview.of(await removal.preview_removal(info.context.call, one))

    @described("For client admins.")
    async def group_removal_preview(
        self, info: Info, group_id: strawberry.ID
    ) -> GroupRemovalPreview | None:
        """R24."""
        one = parse_id(group_id, "groupId")
        return GroupRemovalPreview.of(await group_removal.preview_removal(info.context.call, one))
