"""Support accounts, and their end."""

from datetime import datetime
from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, mutation
from kit.ids import parse_id
from services.identity import actions, policy
from services.identity.domain import UserId, support
from services.identity.schema.types import Info

AccountEnd = strawberry.enum(support.AccountEnd, name="SupportAccountEnd")
SupportAccountAction = strawberry.enum(support.SupportAccountAction, name="SupportAccountAction")


@strawberry.type(description="Somebody who is support, or was.")
class SupportAccount:
    """SupportAccount."""

    id: strawberry.ID
    name: str
    email: str
    since: datetime
    signed_in_at: datetime | None = strawberry.field(description="The last sign-in; null: never.")
    ended_at: datetime | None = strawberry.field(description="Since when it is support no more.")
    ended_because: AccountEnd | None  # type: ignore[valid-type]
    row: strawberry.Private[support.SupportAccount]

    @strawberry.field
    def allowed_actions(self, info: Info) -> list[SupportAccountAction]:  # type: ignore[valid-type]
        """What the viewer may do with it now."""
        return list(policy.support_account_actions(info.context.call.viewer, self.row))

    @classmethod
    def of(cls, row: support.SupportAccount) -> "SupportAccount":
        """As GraphQL tells it."""
        return cls(
            id=strawberry.ID(str(row.id)),
            name=row.name,
            email=row.email,
            since=row.since,
            signed_in_at=row.signed_in_at,
            ended_at=row.ended_at,
            ended_because=row.ended_because,
            row=row,
        )


EndSupportAccountResult = Annotated[
    SupportAccount | CommonProblems, strawberry.union("EndSupportAccountResult")
]


@strawberry.input
class EndSupportAccountInput:
    """Whose, and why: the reason is kept."""

    user_id: strawberry.ID
    reason: str


@strawberry.type
class SupportStaffQuery:
    """Who is support."""

    @strawberry.field
    async def support_accounts(self, info: Info) -> list[SupportAccount]:
        """Everybody who is or was support, the longest there first, for support."""
        found = await actions.support_accounts(info.context.call)
        return [SupportAccount.of(one) for one in found]


@strawberry.type
class SupportStaffMutation:
    """The end of support accounts."""

    @mutation
    async def end_support_account(
        self, info: Info, input: EndSupportAccountInput
    ) -> EndSupportAccountResult:
        """Support only: a colleague, or the viewer, is support no more, and every session of theirs is over at once. The last account
        stays (LAST_SUPPORT_ACCOUNT)."""
        user_id = UserId(parse_id(input.user_id, "userId"))
        call = info.context.call
        return SupportAccount.of(await actions.end_support_account(call, user_id, input.reason))
