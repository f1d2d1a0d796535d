"""The audit trail in GraphQL: one root field a service, with types that every service shares."""

# Without `from __future__ import annotations`: the types are made for each service, and strawberry must find them.
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple
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


Person = Callable[[Any, UUID], Awaitable[Any]]
Kind = Any
"""A type of the schema that is made for each service."""


def audit_field(
    service: str,
    *,
    user: type,
    permit: Callable[[Viewer], UUID],
    person: Person | None = None,
) -> Any:  # noqa: ANN401 - strawberry's field descriptor
    """The root field `<service>Audit`. `permit` answers the organization whose trail the viewer may read, or refuses; `user` is
    the service's type User, and `person(info, id)` answers one where that is more than its id."""

    async def stub(_: object, id_: UUID) -> Any:  # noqa: ANN401 - whatever User is
        return user(id=strawberry.ID(str(id_)))

    kinds = _kinds(user, person or stub)
    return strawberry.field(
        resolver=_resolver(permit, lambda entry: kinds.node(service, entry)),
        name=f"{service}Audit",
        description=_ABOUT,
        graphql_type=kinds.page,
    )


def _resolver(
    permit: Callable[[Viewer], UUID], node: Callable[[Entry], Any]
) -> Callable[..., Awaitable[Any]]:
    async def resolve(  # noqa: PLR0913 - GraphQL arguments
        info: strawberry.Info[Context[Any], None],
        *,
        about: strawberry.ID | None = None,
        by: strawberry.ID | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Any:  # noqa: ANN401 - made for each service
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

    return resolve


def _moment(given: datetime | None, field: str) -> datetime | None:
    if given is not None and given.tzinfo is None:
        raise Invalid(f"{field} needs a time zone.", field=field, remedy="End it with Z.")
    try:
        return given.astimezone(UTC) if given else None
    except OverflowError:
        raise Invalid(f"{field} is no moment of ours.", field=field) from None


def _key(entry: Entry) -> tuple[str, UUID]:
    return entry.at.isoformat(), entry.id


# The types ------------------------------------------------------------------------------------------------------------


@strawberry.type
class _Actor:
    user_id: strawberry.Private[UUID | None]
    service: str | None = strawberry.field(description="When it was the suite itself.")


@strawberry.type
class _Entry:
    id: strawberry.ID
    at: datetime
    act: str = strawberry.field(description="Service, kind and verb: directory.provider.approved.")
    kind: str = strawberry.field(description="What kind of thing it was done to.")
    about: strawberry.ID | None = strawberry.field(description="The thing it was done to.")
    fields: list[str] = strawberry.field(description="What of it was changed, or seen.")
    reason: str | None
    purpose: str | None = strawberry.field(description="Why a patient's data was read.")
    request_id: str | None
    by_support: bool = strawberry.field(description="Whether support did it.")


@strawberry.type
class _Edge:
    cursor: str


@strawberry.type
class _Page:
    page_info: PageInfo


class _Kinds(NamedTuple):
    """The types of one service. They differ from another's in nothing but the class behind User."""

    actor: Kind
    entry: Kind
    page: Kind

    def node(self, service: str, entry: Entry) -> Any:  # noqa: ANN401 - made for each service
        """An entry as GraphQL tells it."""
        return self.entry(
            id=strawberry.ID(str(entry.id)),
            at=entry.at,
            act=f"{service}.{entry.act}",
            actor=self.actor(user_id=entry.user_id, service=entry.service or None),
            kind=entry.kind,
            about=strawberry.ID(str(entry.about)) if entry.about else None,
            fields=list(entry.fields),
            reason=entry.reason or None,
            purpose=entry.purpose or None,
            request_id=entry.request or None,
            by_support=entry.support,
        )


def _kinds(user: Kind, person: Person) -> _Kinds:
    async def who(self: _Actor, info: strawberry.Info[Context[Any], None]) -> Any:  # noqa: ANN401 - a User
        return await person(info, self.user_id) if self.user_id else None

    named = strawberry.field(
        resolver=who, graphql_type=user | None, description="Who was signed in."
    )
    about = "Who did it: a person, a service of the suite, or nobody known."
    actor = _shared("AuditActor", about, _Actor, user=named)
    entry = _shared(
        "AuditEntry", "One thing that was done.", _Entry, actor=strawberry.field(graphql_type=actor)
    )
    edge = _shared(
        "AuditEntryEdge", "One entry of a page.", _Edge, node=strawberry.field(graphql_type=entry)
    )
    page = _shared(
        "AuditEntryConnection",
        "A page of entries.",
        _Page,
        edges=strawberry.field(graphql_type=list[edge]),  # type: ignore[valid-type]
    )
    return _Kinds(actor, entry, page)


def _shared(name: str, about: str, base: type, **fields: Any) -> Kind:  # noqa: ANN401 - strawberry's fields
    """A type that every service has alike: the base's fields, and these."""
    made = type(name, (base,), {"__annotations__": dict.fromkeys(fields, Any), **fields})
    return strawberry.federation.type(made, shareable=True, description=about)
