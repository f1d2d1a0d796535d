"""GraphQL for a subgraph: refusals as data, Relay pages, batched loaders, and a federated schema."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar
from uuid import UUID

import strawberry
from graphql import GraphQLNamedType
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.federation import Schema as FederatedSchema
from strawberry.federation.schema_directives import Key
from strawberry.types.base import StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.utils.str_converters import to_camel_case

from kit.audit.reads import Reads
from kit.pages import (
    MAX_PAGE,
    Connection,
    Edge,
    Page,
    PageInfo,
    after_id,
    after_key,
    after_moment,
    after_name,
    connection,
    page_of,
)
from kit.problems import (
    CommonProblems,
    ConflictProblem,
    DeniedProblem,
    InvalidProblem,
    NotFoundProblem,
    Problem,
    RateLimitedProblem,
    RefusalsAsData,
    StalePreviewProblem,
    StaleVersionProblem,
    UnavailableProblem,
    problem_among,
    problem_codes,
    problem_type,
)
from kit.service import Call

if TYPE_CHECKING:
    from graphql import GraphQLError
    from strawberry.types import ExecutionContext

T = TypeVar("T")
P = TypeVar("P")
KeyT = TypeVar("KeyT")

__all__ = [
    "MAX_PAGE",
    "CommonProblems",
    "ConflictProblem",
    "Connection",
    "Context",
    "DeniedProblem",
    "Edge",
    "InvalidProblem",
    "NotFoundProblem",
    "Page",
    "PageInfo",
    "Problem",
    "RateLimitedProblem",
    "Schema",
    "StalePreviewProblem",
    "StaleVersionProblem",
    "UnavailableProblem",
    "after_id",
    "after_key",
    "after_moment",
    "after_name",
    "build_schema",
    "connection",
    "described",
    "in_order",
    "mutation",
    "page_of",
    "problem_among",
    "problem_codes",
    "problem_type",
]

FEDERATION: Literal["2.9"] = "2.9"
_ROOTS = ("Query", "Mutation", "Subscription")
CACHED_DOCUMENTS = 1000


# The context of a request ---------------------------------------------------------------------------------------------


@dataclass
class Context(Generic[P]):
    """What a resolver reaches through `info.context`: the call it is part of, this request's loaders, and `reads`, to which it adds
    every field of patients' data that it answers with."""

    call: Call[P]
    reads: Reads = field(default_factory=Reads)
    _loaders: dict[str, DataLoader[Any, Any]] = field(default_factory=dict)

    def loader(
        self, name: str, load: Callable[[list[KeyT]], Awaitable[Sequence[T]]]
    ) -> DataLoader[KeyT, T]:
        """This request's loader of that name, made with `load` when first asked for: keys in, values in the same order."""
        if name not in self._loaders:
            self._loaders[name] = DataLoader(load_fn=load)
        return self._loaders[name]


def mutation(resolver: Callable[..., Awaitable[Any]]) -> Any:  # noqa: ANN401 - strawberry's field descriptor
    """A mutation whose refusals are data: use it in place of strawberry.mutation. Its docstring describes it in the schema."""
    return _mutation(resolver, RefusalsAsData())


def own_mutation(resolver: Callable[..., Awaitable[Any]]) -> Any:  # noqa: ANN401 - strawberry's field descriptor
    """A mutation about nothing but the viewer's own account, session or reading: open to who may change nothing else (R02)."""
    return _mutation(resolver, RefusalsAsData(about_oneself=True))


def _mutation(resolver: Callable[..., Awaitable[Any]], extension: RefusalsAsData) -> Any:  # noqa: ANN401 - strawberry's field descriptor
    return strawberry.mutation(
        resolver, description=inspect.getdoc(resolver), extensions=[extension]
    )


def described(text: str) -> Callable[[Callable[..., Any]], Any]:
    """A resolved field with a description in the schema: use it in place of strawberry.field(description=...)."""
    decorate: Callable[[Callable[..., Any]], Any] = strawberry.field(description=text)
    return decorate


def in_order(keys: Iterable[UUID], found: dict[UUID, T]) -> list[T | None]:
    """What a loader owes: for each key what was found, or None."""
    return [found.get(one) for one in keys]


# The schema -----------------------------------------------------------------------------------------------------------


class Schema(FederatedSchema):
    """A federated subgraph schema. Errors are told and logged at the HTTP door, never printed with their values."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Left to the HTTP door: strawberry's own log would hold the values an error is about."""


def _forgiving(root: type | None) -> None:
    """Make every root field nullable, so that a part of the suite that is away, or a refusal, takes only its own fields with it
    and not what else was asked, or done, in the same request."""
    for declared in root.__strawberry_definition__.fields if root else ():  # type: ignore[attr-defined]
        if not isinstance(declared.type, StrawberryOptional):
            declared.type = StrawberryOptional(declared.type)


def build_schema(
    query: type,
    mutation: type | None = None,
    subscription: type | None = None,
    *,
    types: Iterable[type] = (),
) -> Schema:
    """A service's subgraph schema, with parsed and validated documents cached.

    What has no description of its own is described by its docstring, or its resolver's.
    """
    _forgiving(query)
    _forgiving(mutation)
    schema = Schema(
        query=query,
        mutation=mutation,
        subscription=subscription,
        types=types,
        federation_version=FEDERATION,
        extensions=[
            lambda: ParserCache(maxsize=CACHED_DOCUMENTS),
            lambda: ValidationCache(maxsize=CACHED_DOCUMENTS),
        ],
    )
    for kind in schema._schema.type_map.values():  # noqa: SLF001 - strawberry's Schema wraps graphql's, with no other door
        _describe(kind)
    return schema


def _describe(kind: GraphQLNamedType) -> None:
    declared = kind.extensions.get("strawberry-definition")
    if isinstance(declared, StrawberryObjectDefinition):
        if not _shared(kind.name, declared):
            kind.description = kind.description or _docstring(declared.origin)
        told = getattr(kind, "fields", {})
        for known in declared.fields:
            name = known.graphql_name or to_camel_case(known.python_name)
            if known.base_resolver and name in told and not told[name].description:
                told[name].description = _docstring(known.base_resolver.wrapped_func)
    elif isinstance(declared, StrawberryEnumDefinition):
        kind.description = kind.description or _docstring(declared.wrapped_cls)


def _shared(name: str, declared: StrawberryObjectDefinition) -> bool:
    """Whether other subgraphs have it too: an entity is described where it is at home, and the roots nowhere."""
    return name in _ROOTS or any(isinstance(one, Key) for one in declared.directives or ())


def _docstring(thing: object) -> str | None:
    """Its own docstring: none that was inherited, nor one that a dataclass made up."""
    own = getattr(thing, "__dict__", {}).get("__doc__", getattr(thing, "__doc__", None))
    made_up = own is not None and own.startswith(f"{getattr(thing, '__name__', '')}(")
    return None if own is None or made_up else inspect.cleandoc(own)
