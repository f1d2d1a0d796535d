"""A loaded supergraph: the schema clients see, and what each subgraph can answer."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from graphql import GraphQLError, parse

from gateway.supergraph.public import public_schema
from gateway.supergraph.reader import read_tables

if TYPE_CHECKING:
    from graphql import GraphQLSchema

    from gateway.supergraph.tables import Tables

__all__ = ["Supergraph", "SupergraphError", "load_supergraph"]


class SupergraphError(Exception):
    """The text is not a supergraph this gateway can serve."""


@dataclass(frozen=True, slots=True, eq=False)
class Supergraph:
    """`digest` names this version; caches of plans are dropped when it changes."""

    digest: str
    public_schema: GraphQLSchema
    subgraphs: tuple[str, ...]
    tables: Tables


def load_supergraph(sdl: str) -> Supergraph:
    """Read supergraph SDL; a SupergraphError says in one sentence what is wrong with it."""
    try:
        document = parse(sdl, no_location=True)
        tables = read_tables(document)
        schema = public_schema(document)
    except (GraphQLError, ValueError, TypeError, KeyError) as error:
        message = f"the supergraph cannot be loaded: {error}"
        raise SupergraphError(message) from error
    return Supergraph(
        digest=sha256(sdl.encode()).hexdigest(),
        public_schema=schema,
        subgraphs=tuple(tables.graphs.values()),
        tables=tables,
    )
