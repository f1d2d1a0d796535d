"""What passes between the executor and whoever carries requests to subgraphs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Json: TypeAlias = Any
Data: TypeAlias = dict[str, Any]
ErrorBody: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SubgraphRequest:
    """One GraphQL request to one subgraph; `kind` is query, mutation or subscription."""

    query: str
    variables: Data
    operation_name: str | None = None
    kind: str = "query"


@dataclass(frozen=True, slots=True)
class SubgraphReply:
    """What a subgraph answered, as parsed JSON."""

    data: Data | None
    errors: list[ErrorBody] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets: `data` in the shape asked for, and errors with the client's paths."""

    data: Data | None
    errors: list[ErrorBody] = field(default_factory=list)


class SubgraphUnavailable(Exception):  # noqa: N818 -- the name both sides of the interface use
    """The subgraph could not be reached, or did not answer in time."""

    def __init__(self, subgraph: str) -> None:
        super().__init__(f"the subgraph {subgraph!r} is unavailable")
        self.subgraph = subgraph


class Send(Protocol):
    """Carries one request; raises SubgraphUnavailable when there is no answer to be had."""

    async def __call__(self, subgraph: str, body: SubgraphRequest) -> SubgraphReply: ...


class OpenStream(Protocol):
    """Opens a subscription; raises SubgraphUnavailable when the stream cannot go on."""

    def __call__(self, subgraph: str, body: SubgraphRequest) -> AsyncIterator[SubgraphReply]: ...
