"""Users who leave, come back, or have not come yet."""

from typing import Annotated

import strawberry

from kit.graphql import (
    CommonProblems,
    Connection,
    StalePreviewProblem,
    after_moment,
    connection,
    mutation,
    page_of,
)
from kit.ids import parse_id
from services.identity import actions, domain, policy, store
from services.identity.actions import Agreed, LeavingShown
from services.identity.domain import UserId
from services.identity.domain.provisioning import plans_kept_at
from services.identity.schema.inputs import (
    AsSupportInput,
    RoleInput,
    SoleCoverageProblem,
    as_support,
    handover,
)
from services.identity.schema.types import Advisory, Group, Info, Office, User

TITLE = 100
"""The longest title."""


@strawberry.type(description="The user works here no more; every session of theirs is over.")
class UserDeactivated:
    """UserDeactivated."""

    user: User
    advisory: Advisory | None


@strawberry.type(description="The user works here again, with the roles that were asked for.")
class UserReactivated:
    """UserReactivated."""

    user: User
    advisory: Advisory | None


@strawberry.type(description="An office the user works for.")
class OfficeLeft:
    """OfficeLeft."""

    office: Office | None
    uncovered: bool = strawberry.field(description="Nobody else who has confirmed covers it.")
    open_referrals: int


@strawberry.type(description="A group the user works for.")
class GroupLeft:
    """GroupLeft."""

    group: Group | None
    name: str
    others: int = strawberry.field(description="How many other staff it has.")


@strawberry.type(
    description="A partner whose credential the user added, and has seen. It ends, unless it is to stay."
)
class PartnerLeft:
    """PartnerLeft."""

    id: strawberry.ID
    name: str


@strawberry.type(description="What deactivating a user would touch.")
class DeactivationPreview:
    """DeactivationPreview."""

    user: User
    offices: list[OfficeLeft]
    plans_kept_at: list[Office | None] = strawberry.field(
        description="Offices whose plans the user keeps as insurance manager of just those: then their admins do."
    )
    claimed_referrals: int = strawberry.field(
        description="Open referrals the user has claimed: they go back to their queues."
    )
    claimed_ids: list[strawberry.ID] = strawberry.field(description="The first hundred of them.")
    groups: list[GroupLeft]
    partners: list[PartnerLeft]
    other_report_readers: int | None = strawberry.field(
        description="How many others are told by mail of all of the organization's progress reports; null when the user is told of none."
    )
    token: str = strawberry.field(description="Give it to deactivateUser.")

    @classmethod
    def of(cls, shown: LeavingShown) -> "DeactivationPreview":
        """As GraphQL tells it."""
        leaving = shown.leaving
        return cls(
            user=User.of(leaving.user),
            offices=[
                OfficeLeft(
                    office=Office(id=strawberry.ID(str(one.office_id))),
                    uncovered=one.uncovered,
                    open_referrals=one.open_referrals,
                )
                for one in leaving.offices
            ],
            plans_kept_at=[
                Office(id=strawberry.ID(str(one))) for one in plans_kept_at(leaving.user)
            ],
            claimed_referrals=leaving.claimed,
            claimed_ids=[strawberry.ID(str(one)) for one in leaving.claimed_ids],
            groups=[
                GroupLeft(
                    group=Group(id=strawberry.ID(str(one.id))), name=one.name, others=one.others
                )
                for one in leaving.groups
            ],
            partners=[
                PartnerLeft(id=strawberry.ID(str(one.id)), name=one.name)
                for one in leaving.partners
            ],
            other_report_readers=leaving.other_report_readers,
            token=shown.token,
        )


DeactivateUserResult = Annotated[
    UserDeactivated | SoleCoverageProblem | StalePreviewProblem | CommonProblems,
    strawberry.union("DeactivateUserResult"),
]
ReactivateUserResult = Annotated[
    UserReactivated | CommonProblems, strawberry.union("ReactivateUserResult")
]
ChangeUserTitleResult = Annotated[User | CommonProblems, strawberry.union("ChangeUserTitleResult")]
ReportBounceResult = Annotated[User | CommonProblems, strawberry.union("ReportBounceResult")]


@strawberry.input
class DeactivateUserInput:
    """Who leaves. With the token of deactivationPreview it is refused when something of what that showed has moved. Offices that
    would be left to nobody must be acknowledged, and go to a successor, who becomes OFFICE_STAFF there. The credentials of partners that
    the user added end too, for the user has seen them, unless `keepPartners` is given."""

    user_id: strawberry.ID
    expected_version: int
    token: str | None = None
    acknowledge_uncovered: bool = False
    successor_id: strawberry.ID | None = None
    keep_partners: bool = False
    as_support: AsSupportInput | None = None


@strawberry.input
class ReactivateUserInput:
    """Who comes back, and with which roles: all of them. `User.proposedRoles` says what the user had."""

    user_id: strawberry.ID
    roles: list[RoleInput]
    expected_version: int
    as_support: AsSupportInput | None = None


@strawberry.input
class ChangeUserTitleInput:
    """What a user is called in the organization, such as Practice manager; null takes it away."""

    user_id: strawberry.ID
    title: str | None
    expected_version: int


@strawberry.input
class ReportBounceInput:
    """Whose invitation did not arrive."""

    user_id: strawberry.ID
    as_support: AsSupportInput


@strawberry.type
class PeopleQuery:
    """Who leaves, and who has not come yet."""

    @strawberry.field
    async def deactivation_preview(self, info: Info, user_id: strawberry.ID) -> DeactivationPreview:
        """What deactivating a user would touch, for whoever may do it."""
        wanted = UserId(parse_id(user_id, "userId"))
        return DeactivationPreview.of(await actions.preview_deactivation(info.context.call, wanted))

    @strawberry.field
    async def unconfirmed_users(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[User]:
        """Who was invited and has not confirmed, the longest-waiting first. Client admins see all, office admins those of their own
        offices."""
        here, offices = policy.permit_unconfirmed(info.context.call.viewer)
        page = page_of(first, after)
        async with info.context.call.db.reading() as tx:
            found = await store.unconfirmed_page(
                tx, here, offices, after_moment(page), page.limit + 1
            )
        return connection(found, page, key=lambda one: (one.invited_at, one.id), node=User.of)


@strawberry.type
class PeopleMutation:
    """Leaving and coming back."""

    @mutation
    async def deactivate_user(self, info: Info, input: DeactivateUserInput) -> DeactivateUserResult:
        """End a user's work for the organization; every session of theirs is over at once."""
        agreed = Agreed(
            input.token,
            handover(input.successor_id, acknowledged=input.acknowledge_uncovered),
            keep_partners=input.keep_partners,
        )
        changed = await actions.deactivate_user(
            info.context.call,
            UserId(parse_id(input.user_id, "userId")),
            input.expected_version,
            agreed,
            as_support(input.as_support),
        )
        return UserDeactivated(user=User.of(changed.user), advisory=Advisory.of(changed.advisory))

    @mutation
    async def reactivate_user(self, info: Info, input: ReactivateUserInput) -> ReactivateUserResult:
        """Let a deactivated user work for the organization again, with exactly these roles: none comes back by itself."""
        changed = await actions.reactivate_user(
            info.context.call,
            UserId(parse_id(input.user_id, "userId")),
            actions.roles_for([one.asked() for one in input.roles]),
            input.expected_version,
            as_support(input.as_support),
        )
        return UserReactivated(user=User.of(changed.user), advisory=Advisory.of(changed.advisory))

    @mutation
    async def change_user_title(
        self, info: Info, input: ChangeUserTitleInput
    ) -> ChangeUserTitleResult:
        """Say what a user is called in the organization."""
        title = domain.line(input.title, "title", TITLE) if input.title else None
        user_id = UserId(parse_id(input.user_id, "userId"))
        call = info.context.call
        return User.of(await actions.change_title(call, user_id, title, input.expected_version))

    @mutation
    async def report_bounce(self, info: Info, input: ReportBounceInput) -> ReportBounceResult:
        """Support only: an invitation that a mail server had taken did not arrive after all."""
        support = as_support(input.as_support)
        if support is None:
            raise AssertionError("a required input")
        user_id = UserId(parse_id(input.user_id, "userId"))
        return User.of(await actions.report_bounce(info.context.call, user_id, support))
