"""Answers __schema and __type from the public schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from graphql import execute_sync, parse, print_ast

from gateway.operation import print_selections
from gateway.selections import Field

if TYPE_CHECKING:
    from graphql import DocumentNode

    from gateway.executor.wire import Data
    from gateway.operation import Operation
    from gateway.selections import Selections
    from gateway.supergraph import Supergraph

_documents: WeakKeyDictionary[Operation, DocumentNode] = WeakKeyDictionary()


def introspect(supergraph: Supergraph, operation: Operation, variables: Data) -> Data:
    """The introspection part of an operation; an empty dict when it has none."""
    if not operation.introspection:
        return {}
    document = _documents.get(operation)
    if document is None:
        document = _documents[operation] = _document(operation)
    result: Any = execute_sync(supergraph.public_schema, document, variable_values=variables)
    return result.data or {}


def _document(operation: Operation) -> DocumentNode:
    used = _variables(operation.introspection)
    declared = [print_ast(v) for v in operation.variables if v.variable.name.value in used]
    head = f"query ({', '.join(declared)})" if declared else "query"
    return parse(f"{head} {{{print_selections(operation.introspection)}}}", no_location=True)


def _variables(selections: Selections) -> set[str]:
    found: set[str] = set()
    for selection in selections:
        if isinstance(selection, Field):
            found |= selection.variables
        else:
            found |= {condition.variable for condition in selection.conditions}
        found |= _variables(selection.selections)
    return found
