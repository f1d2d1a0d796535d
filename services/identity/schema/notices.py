"""What the viewer is told by mail, and when."""

from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, own_mutation
from services.identity import actions
from services.identity.domain import notices as domain
from services.identity.schema.types import Info

NoticeKind = strawberry.enum(domain.NoticeKind, name="NoticeKind")
NoticeDelivery = strawberry.enum(domain.Delivery, name="NoticeDelivery")


@strawberry.type(description="How the viewer is told of one kind of things by mail.")
class NoticePreference:
    """NoticePreference."""

    kind: NoticeKind  # type: ignore[valid-type]
    delivery: NoticeDelivery  # type: ignore[valid-type]
    by_default: NoticeDelivery = strawberry.field(  # type: ignore[valid-type]
        description="How it is until the viewer chooses."
    )
    optional: bool = strawberry.field(
        description="Whether the viewer may choose; false for what is always mailed at once."
    )

    @classmethod
    def of(cls, row: domain.Preference) -> "NoticePreference":
        """As GraphQL tells it."""
        return cls(
            kind=row.kind,
            delivery=row.delivery,
            by_default=row.by_default,
            optional=row.optional,
        )


@strawberry.type(description="How the viewer is told of every kind from now on.")
class NoticePreferenceChanged:
    """NoticePreferenceChanged."""

    preferences: list[NoticePreference]


ChangeNoticePreferenceResult = Annotated[
    NoticePreferenceChanged | CommonProblems, strawberry.union("ChangeNoticePreferenceResult")
]


@strawberry.input
class ChangeNoticePreferenceInput:
    """Of what, and how."""

    kind: NoticeKind  # type: ignore[valid-type]
    delivery: NoticeDelivery  # type: ignore[valid-type]


@strawberry.type
class NoticeQuery:
    """Notices."""

    @strawberry.field
    async def notice_preferences(self, info: Info) -> list[NoticePreference]:
        """What the viewer is told by mail, in the organization they are signed in to: every kind, and how."""
        found = await actions.notice_preferences(info.context.call)
        return [NoticePreference.of(one) for one in found]


@strawberry.type
class NoticeMutation:
    """Notices."""

    @own_mutation
    async def change_notice_preference(
        self, info: Info, input: ChangeNoticePreferenceInput
    ) -> ChangeNoticePreferenceResult:
        """Be told of a kind at once, once a day, or not by mail. What is about the security of accounts is always mailed."""
        call = info.context.call
        kind, delivery = domain.NoticeKind(input.kind), domain.Delivery(input.delivery)
        found = await actions.change_notice_preference(call, kind, delivery)
        return NoticePreferenceChanged(preferences=[NoticePreference.of(one) for one in found])
