"""Guides as GraphQL tells them: written by client admins, read by those whose work they are about (R30)."""

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from kit.graphql import (
    CommonProblems,
    Connection,
    Context,
    after_id,
    connection,
    described,
    mutation,
    page_of,
)
from kit.ids import parse_id
from services.reporting import policy
from services.reporting.actions import guides as actions
from services.reporting.actions.guides import GuideChange, GuideSeen
from services.reporting.actions.peers import Peers
from services.reporting.domain import guides as domain
from services.reporting.domain.guides import GuideId
from services.reporting.domain.markdown import to_html
from services.reporting.schema.offices import Office
from services.reporting.schema.people import User

Info: TypeAlias = strawberry.Info[Context[Peers], None]

GuideKind = strawberry.enum(domain.GuideKind, description="What a guide is about.")
GuideState = strawberry.enum(
    domain.GuideState, description="DRAFT: never published; WITHDRAWN: asked of nobody any more."
)
GuideRole = strawberry.enum(
    domain.GuideRole,
    description="Whose work a guide is about. Who works for a group counts as staff of its offices.",
)
GuideOffices = strawberry.enum(
    domain.GuideOffices,
    description="At which offices. One with providers of its own sends and receives; one that only has groups does what"
    " they may.",
)
GuideAction = strawberry.enum(
    domain.GuideAction, description="What the viewer may do to a guide now."
)


@strawberry.type(description="One version of a guide. Once published it never changes.")
class GuideVersion:
    """Guide version."""

    number: int
    title: str
    text: str = strawberry.field(
        description="As it was written: Markdown (CommonMark with tables). It is not HTML: show `html`, or render it with raw"
        " HTML off."
    )
    html: str = strawberry.field(
        description="The text as HTML, safe to show: no tags but those of Markdown, no pictures, links to https, http, mailto"
        " and tel only."
    )
    roles: list[GuideRole]  # type: ignore[valid-type]
    offices: GuideOffices  # type: ignore[valid-type]
    written_at: datetime
    published_at: datetime | None = strawberry.field(description="Null: it is a draft.")

    @classmethod
    def of(cls, told: domain.GuideVersion | None) -> "GuideVersion | None":
        """As GraphQL tells it."""
        if told is None:
            return None
        return cls(
            number=told.number,
            title=told.title,
            text=told.text,
            html=to_html(told.text),
            roles=list(told.roles),
            offices=told.offices,
            written_at=told.written_at,
            published_at=told.published_at,
        )


@strawberry.type(description="Somebody who is asked to read a guide.")
class GuideReader:
    """Reader."""

    user: User | None
    offices: list[Office] | None = strawberry.field(description="For which offices.")
    confirmed: bool = strawberry.field(description="Who is not, is asked once they have come.")
    unread: bool = strawberry.field(description="Has not read the version that is published.")
    read_number: int | None = strawberry.field(description="The version read last.")
    read_at: datetime | None

    @classmethod
    def of(cls, told: domain.Asked) -> "GuideReader":
        """As GraphQL tells it."""
        return cls(
            user=User.of(told.user_id),
            offices=[Office.of(one) for one in told.office_ids],
            confirmed=told.confirmed,
            unread=told.unread,
            read_number=told.read_number or None,
            read_at=told.read_at,
        )


@strawberry.type(
    description="How to send, or to receive, well: read and acknowledged by those whose work it is, each version anew."
)
class Guide:
    """Guide (R30)."""

    seen: strawberry.Private[GuideSeen]
    id: strawberry.ID
    kind: GuideKind  # type: ignore[valid-type]
    state: GuideState  # type: ignore[valid-type]
    version: int
    published: GuideVersion | None = strawberry.field(
        description="The version published last; null before the first."
    )
    draft: GuideVersion | None = strawberry.field(
        description="The next version, while it is written; shown to client admins only."
    )
    unread: bool = strawberry.field(
        description="Whether the viewer is asked to read the published version, and has not."
    )
    acknowledged_at: datetime | None = strawberry.field(
        description="When the viewer read the published version."
    )
    allowed_actions: list[GuideAction]  # type: ignore[valid-type]

    @classmethod
    def of(cls, info: Info, told: GuideSeen) -> "Guide":
        """As GraphQL tells it."""
        guide, asked = told.guide, told.asked
        unread = asked is not None and asked.unread
        read = asked is not None and asked.read_number == guide.number
        actions_ = policy.guide_actions(
            info.context.call.viewer, guide, has_draft=told.draft is not None, unread=unread
        )
        return cls(
            seen=told,
            id=strawberry.ID(str(guide.id)),
            kind=guide.kind,
            state=guide.state,
            version=guide.version,
            published=GuideVersion.of(told.published),
            draft=GuideVersion.of(told.draft),
            unread=unread,
            acknowledged_at=asked.read_at if asked is not None and read else None,
            allowed_actions=list(actions_),
        )

    @described("How many confirmed people have not read it; shown to client admins only.")
    async def unread_count(self, info: Info) -> int | None:
        """Readers who have not read (R30)."""
        if not policy.looks_on(info.context.call.viewer, self.seen.guide.organization_id):
            return None
        return domain.unread(await self._readers(info))

    @described(
        "Who is asked to read it and who has, by user; shown to client admins only. Empty while it is not published."
    )
    async def readers(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[GuideReader] | None:
        """Readers (R30)."""
        page = page_of(first, after)
        if not policy.looks_on(info.context.call.viewer, self.seen.guide.organization_id):
            return None
        past = after_id(page)
        told = [one for one in await self._readers(info) if past is None or one.user_id > past]
        return connection(
            told[: page.limit + 1], page, key=lambda one: (one.user_id,), node=GuideReader.of
        )

    async def _readers(self, info: Info) -> list[domain.Asked]:
        async def load(ids: list[GuideId]) -> list[list[domain.Asked]]:
            return await actions.readers(info.context.call, ids)

        return await info.context.loader("readers", load).load(self.seen.guide.id)


@strawberry.type
class GuideQuery:
    """What there is to read."""

    @described(
        "The guides the viewer is asked to read, oldest first; new staff are asked by themselves."
    )
    async def my_guides(self, info: Info, *, unread_only: bool = False) -> list[Guide]:
        """Own guides (R30)."""
        told = await actions.my_guides(info.context.call, unread_only=unread_only)
        return [Guide.of(info, one) for one in told]

    @described("A guide; null for one that is not there or not the viewer's to read.")
    async def guide(self, info: Info, id: strawberry.ID) -> Guide | None:
        """One guide (R30)."""
        (told,) = await actions.guides_by_id(info.context.call, [GuideId(parse_id(id, "id"))])
        return Guide.of(info, told) if told else None

    @described("Every guide of the organization, oldest first. For client admins.")
    async def guides(
        self,
        info: Info,
        state: GuideState | None = None,  # type: ignore[valid-type]
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[Guide]:
        """All guides (R30)."""
        page = page_of(first, after)
        told = await actions.guides(info.context.call, state, after_id(page), page.limit + 1)
        return connection(
            told, page, key=lambda one: (one.guide.id,), node=lambda one: Guide.of(info, one)
        )


AddGuideResult = Annotated[Guide | CommonProblems, strawberry.union("AddGuideResult")]
ChangeGuideResult = Annotated[Guide | CommonProblems, strawberry.union("ChangeGuideResult")]
PublishGuideResult = Annotated[Guide | CommonProblems, strawberry.union("PublishGuideResult")]
WithdrawGuideResult = Annotated[Guide | CommonProblems, strawberry.union("WithdrawGuideResult")]
AcknowledgeGuideResult = Annotated[
    Guide | CommonProblems, strawberry.union("AcknowledgeGuideResult")
]


@strawberry.input
class AddGuideInput:
    """A new guide, as a draft. `text` is Markdown."""

    kind: GuideKind  # type: ignore[valid-type]
    title: str
    text: str
    roles: list[GuideRole]  # type: ignore[valid-type]
    offices: GuideOffices = domain.GuideOffices.ALL  # type: ignore[valid-type]
    idempotency_key: str


@strawberry.input
class ChangeGuideInput:
    """What is to be another in the next version; what is left out stays."""

    guide_id: strawberry.ID
    expected_version: int
    title: str | None = None
    text: str | None = None
    roles: list[GuideRole] | None = None  # type: ignore[valid-type]
    offices: GuideOffices | None = None  # type: ignore[valid-type]


@strawberry.input
class PublishGuideInput:
    """Publish the draft of a guide."""

    guide_id: strawberry.ID
    expected_version: int


@strawberry.input
class WithdrawGuideInput:
    """Ask nobody to read a guide any more."""

    guide_id: strawberry.ID
    expected_version: int


@strawberry.input
class AcknowledgeGuideInput:
    """Say that a version was read: its number."""

    guide_id: strawberry.ID
    number: int


def _id(text: strawberry.ID) -> GuideId:
    return GuideId(parse_id(text, "guideId"))


@strawberry.type
class GuideMutation:
    """Client admins write and publish guides; readers acknowledge them."""

    @mutation
    async def add_guide(self, info: Info, input: AddGuideInput) -> AddGuideResult:
        """Begin a guide; nobody reads it before it is published (R30)."""
        content = domain.Content(input.title, input.text, tuple(input.roles), input.offices)
        told = await actions.add_guide(
            info.context.call, input.kind, content, input.idempotency_key
        )
        return Guide.of(info, told)

    @mutation
    async def change_guide(self, info: Info, input: ChangeGuideInput) -> ChangeGuideResult:
        """Write the draft of a guide's next version; the published one stays as it is (R30)."""
        roles = None if input.roles is None else tuple(input.roles)
        wanted = GuideChange(input.title, input.text, roles, input.offices)
        told = await actions.change_guide(
            info.context.call, _id(input.guide_id), wanted, input.expected_version
        )
        return Guide.of(info, told)

    @mutation
    async def publish_guide(self, info: Info, input: PublishGuideInput) -> PublishGuideResult:
        """Publish the draft: everybody it is for is asked to read it, whatever they read before (R30)."""
        told = await actions.publish_guide(
            info.context.call, _id(input.guide_id), input.expected_version
        )
        return Guide.of(info, told)

    @mutation
    async def withdraw_guide(self, info: Info, input: WithdrawGuideInput) -> WithdrawGuideResult:
        """Ask nobody to read it any more (R30)."""
        told = await actions.withdraw_guide(
            info.context.call, _id(input.guide_id), input.expected_version
        )
        return Guide.of(info, told)

    @mutation
    async def acknowledge_guide(
        self, info: Info, input: AcknowledgeGuideInput
    ) -> AcknowledgeGuideResult:
        """Say that the published version was read; saying it again changes nothing (R30)."""
        told = await actions.acknowledge_guide(info.context.call, _id(input.guide_id), input.number)
        return Guide.of(info, told)
