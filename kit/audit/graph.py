"""The audit trail in GraphQL: one root field a service, with types that every service shares."""

# Without `from __future__ import annotations`: the types are made for each service, and strawberry must find them.
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import strawberry

from kit.audit import history
from kit.audit.history import Entry, Wanted
from kit.auth import Viewer
from kit.errors import Invalid
from kit.graphql import Context, PageInfo, after_moment, page_of
from kit.ids import parse_id
from kit.pages import connection

_ABOUT = (
    "What was done, by whom, newest first: to a thing (about), by a person (by), in a span of time. Those of your own"
    " organization, for its client admins and for support that acts in it."
)


def audit_field(
    service: str,
    *,
    user: type,
    permit: Callable[[Viewer], UUID],
    person: Callable[[Any, UUID], Awaitable[Any]] | None = None,
) -> Any:  # noqa: ANN401 - strawberry's field descriptor
    """The root field `<service>Audit`. `permit` answers the organization whose trail the viewer may read, or refuses; `user` is
    the service's type User, and `person(info, id)` answers one where that is more than its id."""

    async def stub(_: object, id_: UUID) -> Any:  # noqa: ANN401 - whatever User is
        return user(id=strawberry.ID(str(id_)))

    page_type, node = _types(service, user, person or stub)

    async def resolve(  # noqa: PLR0913 - GraphQL arguments
        info: strawberry.Info[Context[Any], None],
        *,
        about: strawberry.ID | None = None,
        by: strawberry.ID | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Any:  # noqa: ANN401 - made above
        page, call = page_of(first, after), info.context.call
        wanted = Wanted(
            permit(call.viewer),
            parse_id(about, "about") if about else None,
            parse_id(by, "by") if by else None,
            _moment(since, "since"),
            _moment(until, "until"),
        )
        async with call.db.reading() as tx:
            found = await history.entries(tx, wanted, after_moment(page), page.limit + 1)
        return connection(found, page, key=_key, node=node)

    return strawberry.field(
        resolver=resolve, name=f"{service}Audit", description=_ABOUT, graphql_type=page_type
    )


def _moment(given: datetime | None, field: str) -> datetime | None:
    if given is not None and given.tzinfo is None:
        raise Invalid(f"{field} needs a time zone.", field=field, remedy="End it with Z.")
    return given.astimezone(UTC) if given else None


def _key(entry: Entry) -> tuple[str, UUID]:
    return entry.at.isoformat(), entry.id


def _types(
    service: str, user: type, person: Callable[[Any, UUID], Awaitable[Any]]
) -> tuple[type, Callable[[Entry], Any]]:
    """The type of the field, and what makes a node of an entry. They differ in nothing but the class behind User."""

    somebody = user | None

    async def _user(self: Any, info: strawberry.Info[Context[Any], None]) -> Any:  # noqa: ANN401 - made at run time
        user_id: UUID | None = self.entry.user_id
        return await person(info, user_id) if user_id else None

    @strawberry.federation.type(
        shareable=True, description="Who did it: a person, a service of the suite, or nobody known."
    )
    class AuditActor:
        entry: strawberry.Private[Entry]
        service: str | None = strawberry.field(description="When it was the suite itself.")

        user: Any = strawberry.field(
            resolver=_user, graphql_type=somebody, description="Who was signed in."
        )

    @strawberry.federation.type(shareable=True, description="One thing that was done.")
    class AuditEntry:
        id: strawberry.ID
        at: datetime
        act: str = strawberry.field(
            description="Service, kind and verb: directory.provider.approved."
        )
        actor: AuditActor
        kind: str = strawberry.field(description="What kind of thing it was done to.")
        about: strawberry.ID | None = strawberry.field(description="The thing it was done to.")
        fields: list[str] = strawberry.field(description="What of it was changed, or seen.")
        reason: str | None
        purpose: str | None = strawberry.field(description="Why a patient's data was read.")
        request_id: str | None
        by_support: bool = strawberry.field(description="Whether support did it.")

    @strawberry.federation.type(shareable=True, description="One entry of a page.")
    class AuditEntryEdge:
        node: AuditEntry
        cursor: str

    @strawberry.federation.type(shareable=True, description="A page of entries.")
    class AuditEntryConnection:
        edges: list[AuditEntryEdge]
        page_info: PageInfo

    def node(entry: Entry) -> AuditEntry:
        return AuditEntry(
            id=strawberry.ID(str(entry.id)),
            at=entry.at,
            act=f"{service}.{entry.act}",
            actor=AuditActor(entry=entry, service=entry.service or None),
            kind=entry.kind,
            about=strawberry.ID(str(entry.about)) if entry.about else None,
            fields=list(entry.fields),
            reason=entry.reason or None,
            purpose=entry.purpose or None,
            request_id=entry.request or None,
            by_support=entry.support,
        )

    return AuditEntryConnection, node
