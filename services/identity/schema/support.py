"""Asking support (R25), and support inside an organization."""

from datetime import datetime
from typing import Annotated

import strawberry

from kit.graphql import (
    CommonProblems,
    Connection,
    after_moment,
    connection,
    described,
    in_order,
    mutation,
    own_mutation,
    page_of,
)
from kit.ids import parse_id
from services.identity import actions, policy, store
from services.identity.domain import OrganizationId, UserId, support
from services.identity.schema.types import Info, Organization, User, load_organization, load_user
from services.identity.store import support as rows

NOTE = "A few words, 300 characters at most. Support reads them: say nothing of a patient, neither name nor birthday nor illness."

RequestState = strawberry.enum(support.RequestState, name="SupportRequestState")
RequestAction = strawberry.enum(support.RequestAction, name="SupportRequestAction")
AccessEnd = strawberry.enum(support.AccessEnd, name="SupportAccessEnd")


@strawberry.type(description="Somebody who asked.")
class SupportRequestAsker:
    """SupportRequestAsker."""

    asked_at: datetime
    note: str | None = strawberry.field(
        description="What they wrote; for themselves, client admins and support."
    )
    row: strawberry.Private[support.Asker]
    organization_id: strawberry.Private[OrganizationId]

    @strawberry.field
    async def user(self, info: Info) -> User | None:
        """Who it was; for support as well."""
        return await load_user(info, self.row.user_id, self.organization_id)


@strawberry.type(description="What support was asked, and what it said.")
class SupportRequest:
    """SupportRequest."""

    id: strawberry.ID
    code: str = strawberry.field(description="The code of the problem that was met.")
    verb: str | None = strawberry.field(description="The verb that met it.")
    subject_id: strawberry.ID | None = strawberry.field(description="What it was about.")
    state: RequestState  # type: ignore[valid-type]
    asked: int = strawberry.field(description="How often it was asked while it was open.")
    opened_at: datetime
    taken_at: datetime | None
    answered_at: datetime | None
    answer: str | None
    version: int
    row: strawberry.Private[support.SupportRequest]

    @strawberry.field
    async def organization(self, info: Info) -> Organization | None:
        """Whose people asked."""
        return await load_organization(info, self.row.organization_id)

    @strawberry.field
    async def askers(self, info: Info) -> list[SupportRequestAsker]:
        """Who asked, the first one first."""
        viewer = info.context.call.viewer
        return [
            SupportRequestAsker(
                asked_at=one.asked_at,
                note=one.note if policy.may_see_note(viewer, one.user_id) else None,
                row=one,
                organization_id=self.row.organization_id,
            )
            for one in await _askers(info, self.row)
        ]

    @strawberry.field
    def allowed_actions(self, info: Info) -> list[RequestAction]:  # type: ignore[valid-type]
        """What the viewer may do with it now."""
        return list(policy.request_actions(info.context.call.viewer, self.row))

    @classmethod
    def of(cls, row: support.SupportRequest) -> "SupportRequest":
        """As GraphQL tells it."""
        return cls(
            id=strawberry.ID(str(row.id)),
            code=row.code,
            verb=row.verb or None,
            subject_id=strawberry.ID(str(row.subject_id)) if row.subject_id else None,
            state=row.state,
            asked=row.asked,
            opened_at=row.opened_at,
            taken_at=row.taken_at,
            answered_at=row.answered_at,
            answer=row.answer,
            version=row.version,
            row=row,
        )


async def _askers(info: Info, row: support.SupportRequest) -> list[support.Asker]:
    call = info.context.call

    async def load(keys: list[support.SupportRequestId]) -> list[list[support.Asker] | None]:
        # whole-suite: support answers every organization
        async with call.db.for_support(call.viewer).reading() as tx:
            return in_order(keys, await rows.askers(tx, keys))

    return await info.context.loader("askers of support", load).load(row.id) or []


@strawberry.type(
    description="Support inside an organization, with the powers of its client admins."
)
class SupportAccess:
    """SupportAccess."""

    id: strawberry.ID
    reason: str
    began_at: datetime
    ends_at: datetime = strawberry.field(description="When it is over at the latest.")
    ended_at: datetime | None
    ended_because: AccessEnd | None  # type: ignore[valid-type]
    row: strawberry.Private[support.SupportAccess]

    @strawberry.field
    async def organization(self, info: Info) -> Organization | None:
        """Where."""
        return await load_organization(info, self.row.organization_id)

    @strawberry.field
    async def name(self, info: Info) -> str:
        """Who of support it is."""
        call = info.context.call

        async def load(keys: list[UserId]) -> list[str | None]:
            async with call.db.reading() as tx:
                found = {key: await store.account(tx, key) for key in keys}
            return [account.name if account else None for account in found.values()]

        return await info.context.loader("names of support", load).load(self.row.user_id) or ""

    @described("Whether support is inside now.")
    def live(self, info: Info) -> bool:
        """Break-glass."""
        return self.row.live(info.context.call.clock.now())

    @classmethod
    def of(cls, row: support.SupportAccess) -> "SupportAccess":
        """As GraphQL tells it."""
        return cls(
            id=strawberry.ID(str(row.id)),
            reason=row.reason,
            began_at=row.began_at,
            ends_at=row.ends_at,
            ended_at=row.ended_at,
            ended_because=row.ended_because,
            row=row,
        )


@strawberry.type
class SupportQuery:
    """What support was asked, and where it was."""

    @described(
        "Requests to support, newest first: support sees all, client admins their organization's, everybody else their own (R25)."
    )
    async def support_requests(
        self,
        info: Info,
        state: RequestState | None = None,  # type: ignore[valid-type]
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[SupportRequest]:
        """R25."""
        page, call = page_of(first, after), info.context.call
        wanted = rows.RequestsWanted(*policy.requests_seen(call.viewer), state)
        # whole-suite: support answers every organization
        async with call.db.for_support(call.viewer).reading() as tx:
            found = await rows.requests_page(tx, wanted, after_moment(page), page.limit + 1)
        return connection(
            found,
            page,
            key=lambda row: (row.opened_at.isoformat(), row.id),
            node=SupportRequest.of,
        )

    @described(
        "When support was inside the organization, newest first, for its client admins; for support wherever it was."
    )
    async def support_accesses(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[SupportAccess]:
        """Break-glass."""
        page, call = page_of(first, after), info.context.call
        here = policy.accesses_seen(call.viewer)
        # whole-suite: support sees what it did everywhere
        async with call.db.for_support(call.viewer).reading() as tx:
            found = await rows.accesses_page(tx, here, after_moment(page), page.limit + 1)
        return connection(
            found,
            page,
            key=lambda row: (row.began_at.isoformat(), row.id),
            node=SupportAccess.of,
        )


@strawberry.input
class RequestSupportInput:
    """What was refused: copy the problem's `code`, the verb, and the id it was about."""

    code: str
    verb: str = ""
    subject_id: strawberry.ID | None = None
    note: str = strawberry.field(default="", description=NOTE)
    idempotency_key: str


@strawberry.input
class TakeSupportRequestInput:
    """TakeSupportRequestInput."""

    request_id: strawberry.ID
    expected_version: int


@strawberry.input
class AnswerSupportRequestInput:
    """`done`: what was asked is done; otherwise it is refused. `answer` says how, or why not, in 1 to 500 characters."""

    request_id: strawberry.ID
    expected_version: int
    done: bool
    answer: str


@strawberry.input
class BreakGlassInput:
    """Where, why, and for how many minutes, 240 at most. The reason is kept and told to the client admins."""

    organization_id: strawberry.ID
    reason: str
    minutes: int = 240
    idempotency_key: str


RequestSupportResult = Annotated[
    SupportRequest | CommonProblems, strawberry.union("RequestSupportResult")
]
TakeSupportRequestResult = Annotated[
    SupportRequest | CommonProblems, strawberry.union("TakeSupportRequestResult")
]
AnswerSupportRequestResult = Annotated[
    SupportRequest | CommonProblems, strawberry.union("AnswerSupportRequestResult")
]
BreakGlassResult = Annotated[SupportAccess | CommonProblems, strawberry.union("BreakGlassResult")]
EndBreakGlassResult = Annotated[
    SupportAccess | CommonProblems, strawberry.union("EndBreakGlassResult")
]


@strawberry.type
class SupportMutation:
    """Asking support, and what support does."""

    @own_mutation
    async def request_support(self, info: Info, input: RequestSupportInput) -> RequestSupportResult:
        """Ask support about what was refused. What is asked already is not asked twice: it is the same request (R25)."""
        asked = actions.Asked(
            input.code,
            input.verb,
            parse_id(input.subject_id, "subjectId") if input.subject_id else None,
            input.note,
        )
        call = info.context.call
        made = await actions.request_support(call, asked, key=input.idempotency_key)
        return SupportRequest.of(made)

    @mutation
    async def take_support_request(
        self, info: Info, input: TakeSupportRequestInput
    ) -> TakeSupportRequestResult:
        """Support looks into a request (R25)."""
        request_id = parse_id(input.request_id, "requestId")
        return SupportRequest.of(
            await actions.take_request(info.context.call, request_id, input.expected_version)
        )

    @mutation
    async def answer_support_request(
        self, info: Info, input: AnswerSupportRequestInput
    ) -> AnswerSupportRequestResult:
        """Support answers a request; everybody who asked gets a mail (R25)."""
        return SupportRequest.of(
            await actions.answer_request(
                info.context.call,
                parse_id(input.request_id, "requestId"),
                input.expected_version,
                done=input.done,
                answer=input.answer,
            )
        )

    @mutation
    async def break_glass(self, info: Info, input: BreakGlassInput) -> BreakGlassResult:
        """Support acts in an organization as its client admins do, in this session, until its time is over or endBreakGlass. The
        client admins get a mail at once, and the audit trail marks all of it."""
        organization_id = OrganizationId(parse_id(input.organization_id, "organizationId"))
        entry = actions.Entry(organization_id, input.reason, input.minutes)
        call = info.context.call
        return SupportAccess.of(await actions.break_glass(call, entry, key=input.idempotency_key))

    @mutation
    async def end_break_glass(self, info: Info) -> EndBreakGlassResult:
        """Support leaves the organization it is inside."""
        return SupportAccess.of(await actions.end_break_glass(info.context.call))
