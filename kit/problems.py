"""Refusals as data in GraphQL: the problems a mutation can answer with, and how a refusal becomes one."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, Union

import strawberry
from graphql import GraphQLUnionType, get_named_type
from strawberry.extensions import FieldExtension

from kit.errors import (
    Conflict,
    Denied,
    Invalid,
    NotFound,
    RateLimited,
    Refusal,
    Unauthenticated,
    Unavailable,
)

ProblemT = TypeVar("ProblemT", bound="Problem")


@strawberry.interface(description="Why something was refused, and the way out.")
class Problem:
    """Every refusal a mutation can answer with."""

    code: str = strawberry.field(description="Reason for a machine; stable.")
    message: str = strawberry.field(description="Reason for a person.")
    field: str | None = strawberry.field(
        default=None, description="The input that is to blame, when it is one."
    )
    remedy: str | None = strawberry.field(default=None, description="The way out.")


@strawberry.federation.type(shareable=True, description="The input is wrong.")
class InvalidProblem(Problem):
    """Invalid."""


@strawberry.federation.type(shareable=True, description="Known, and not allowed.")
class DeniedProblem(Problem):
    """Denied."""


@strawberry.federation.type(shareable=True, description="Unknown, or not yours to know.")
class NotFoundProblem(Problem):
    """NotFound."""


@strawberry.federation.type(shareable=True, description="The state of things stands against it.")
class ConflictProblem(Problem):
    """Conflict."""


@strawberry.federation.type(shareable=True, description="Too much, too fast.")
class RateLimitedProblem(Problem):
    """RateLimited."""

    retry_after_seconds: int = strawberry.field(
        default=1, description="Come back after this many seconds."
    )


@strawberry.federation.type(
    shareable=True, description="A part that is needed is away; nothing was done."
)
class UnavailableProblem(Problem):
    """Unavailable."""


@strawberry.federation.type(shareable=True, description="It has changed since you read it.")
class StaleVersionProblem(Problem):
    """A Conflict of its own (kit.errors.stale_version): nearly every change can meet it, and the way out is always the same."""

    current_version: int | None = strawberry.field(
        default=None, description="The version it has now."
    )


@strawberry.federation.type(
    shareable=True, description="What a preview showed has changed since: look again."
)
class StalePreviewProblem(Problem):
    """A Conflict of its own (kit.preview): a verb that takes a preview's token lists it in its union."""

    moved: list[str] = strawberry.field(
        default_factory=list, description="The parts of the preview that have changed."
    )


CommonProblems = Union[  # noqa: UP007 - strawberry flattens a Union into the union it is listed in
    InvalidProblem,
    DeniedProblem,
    NotFoundProblem,
    ConflictProblem,
    StaleVersionProblem,
    RateLimitedProblem,
    UnavailableProblem,
]

_BY_KIND: dict[type[Refusal], type[Problem]] = {
    Invalid: InvalidProblem,
    Denied: DeniedProblem,
    NotFound: NotFoundProblem,
    Conflict: ConflictProblem,
    RateLimited: RateLimitedProblem,
    Unavailable: UnavailableProblem,
}
_BY_CODE: dict[str, type[Problem]] = {
    "STALE_VERSION": StaleVersionProblem,
    "STALE_PREVIEW": StalePreviewProblem,
}


def problem_type(*codes: str) -> Callable[[type[ProblemT]], type[ProblemT]]:
    """Class decorator: a service's own problem for refusals with these codes.

    Its fields beyond Problem's are filled from the refusal's details of the same (python) name. A mutation answers with it
    when its union lists it, and with the common problem of the refusal's kind otherwise.
    """

    def register(kind: type[ProblemT]) -> type[ProblemT]:
        for code in codes:
            _BY_CODE[code] = kind
        return kind

    return register


def problem_codes() -> dict[str, type[Problem]]:
    """Every code that has a problem type of its own, for the docs."""
    return dict(_BY_CODE)


class RefusalsAsData(FieldExtension):
    """A refusal raised by the resolver becomes a member of the field's union. Missing sign-in stays an error.

    Who is reporting-only is refused before the resolver is asked, unless the mutation is about nobody but the viewer (R02).
    """

    def __init__(self, *, about_oneself: bool = False) -> None:
        self._about_oneself = about_oneself

    async def resolve_async(
        self,
        next_: Callable[..., Awaitable[Any]],
        source: object,
        info: strawberry.Info[Any, None],
        **kwargs: object,
    ) -> object:
        """Resolve, and turn a refusal into its problem."""
        try:
            if info.context is not None and not self._about_oneself:
                info.context.call.viewer.require_may_change()
            return await next_(source, info, **kwargs)
        except Unauthenticated:
            raise
        except Refusal as refusal:
            return _problem(refusal, _members(info))


def problem_among(refusal: Refusal, *kinds: type[Problem]) -> Problem:
    """The refusal of one item of many as a problem: its own type when it is among `kinds`, or the common one of its kind."""
    return _problem(refusal, frozenset(map(_graphql_name, (*kinds, *_BY_KIND.values()))))


def _members(info: strawberry.Info[Any, None]) -> frozenset[str]:
    kind = get_named_type(info._raw_info.return_type)  # noqa: SLF001 - strawberry's Info wraps graphql's, with no other door
    return (
        frozenset(member.name for member in kind.types)
        if isinstance(kind, GraphQLUnionType)
        else frozenset()
    )


def _problem(refusal: Refusal, members: frozenset[str]) -> Problem:
    own, common = _BY_CODE.get(refusal.code), _BY_KIND[type(refusal)]
    for kind in (own, common):
        if kind is not None and _graphql_name(kind) in members:
            return _fill(kind, refusal)
    raise refusal


def _graphql_name(kind: type[Problem]) -> str:
    name: str = kind.__strawberry_definition__.name  # type: ignore[attr-defined]
    return name


def _fill(kind: type[Problem], refusal: Refusal) -> Problem:
    wanted = {declared.name for declared in dataclasses.fields(kind)} - {
        "code",
        "message",
        "field",
        "remedy",
    }
    details: dict[str, Any] = {
        name: given for name, given in refusal.details.items() if name in wanted
    }
    return kind(
        code=refusal.code,
        message=refusal.message,
        field=refusal.field,
        remedy=refusal.remedy,
        **details,
    )
