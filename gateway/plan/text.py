"""A plan as indented text, for people, snapshots and `?explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import GraphQLError, parse, print_ast

from gateway.plan.nodes import (
    BatchFetch,
    Condition,
    Each,
    Fetch,
    Flatten,
    Key,
    Parallel,
    QueryPlan,
    RequiredOn,
    Sequence,
    Subscription,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.plan.nodes import Node, Path, Requires

INDENT = "  "


def describe(plan: QueryPlan) -> str:
    """The whole plan; one that needs no subgraph says so."""
    if plan.node is None:
        return "QueryPlan { no fetch }"
    return "\n".join(("QueryPlan {", *_indented(_lines(plan.node)), "}"))


def _lines(node: Node) -> Iterable[str]:
    if isinstance(node, Fetch):
        return _fetch(node)
    if isinstance(node, BatchFetch):
        return _batch(node)
    if isinstance(node, Flatten):
        return _block(f'Flatten("{_path(node.path)}")', node.node)
    if isinstance(node, Condition):
        return _condition(node)
    if isinstance(node, Subscription):
        return _block("Subscription", node.primary)
    return _many(node)


def _block(title: str, *nodes: Node) -> Iterator[str]:
    yield f"{title} {{"
    for node in nodes:
        yield from _indented(_lines(node))
    yield "}"


def _many(node: Sequence | Parallel) -> Iterator[str]:
    return _block(type(node).__name__, *node.nodes)


def _condition(node: Condition) -> Iterator[str]:
    if node.if_true is not None:
        yield from _block(f"If(${node.variable})", node.if_true)
    if node.if_false is not None:
        yield from _block(f"Unless(${node.variable})", node.if_false)


def _fetch(node: Fetch) -> Iterator[str]:
    yield f'Fetch(service: "{node.service}") {{'
    if node.requires:
        yield from _indented(_required(node.requires))
        yield f"{INDENT}=>"
    yield from _indented(_operation(node.operation))
    yield "}"


def _batch(node: BatchFetch) -> Iterator[str]:
    yield f'BatchFetch(service: "{node.service}") {{'
    for part in node.parts:
        paths = ", ".join(f'"{_path(path)}"' for path in part.paths)
        yield f"{INDENT}{part.alias}: {paths}"
        yield from _indented(_indented(_required(part.requires)))
    yield f"{INDENT}=>"
    yield from _indented(_operation(node.operation))
    yield "}"


def _operation(text: str) -> Iterable[str]:
    try:
        return print_ast(parse(text, no_location=True)).splitlines()
    except GraphQLError:
        return text.splitlines()


def _required(requires: Requires) -> Iterator[str]:
    yield "{"
    for required in requires:
        yield from _indented(_required_line(required))
    yield "}"


def _required_line(required: object) -> Iterator[str]:
    if isinstance(required, RequiredOn):
        head = f"... on {required.type} "
        selections: Requires = required.selections
    else:
        alias = getattr(required, "alias", None)
        head = f"{alias}: " if alias else ""
        head += f"{getattr(required, 'name', '')}"
        selections = getattr(required, "selections", ())
        head += " " if selections else ""
    lines = list(_required(selections)) if selections else [""]
    yield head + lines[0]
    yield from lines[1:]


def _path(path: Path) -> str:
    text = ""
    for segment in path:
        if isinstance(segment, Key):
            text += f".{segment.name}" if text else segment.name
        elif isinstance(segment, Each):
            text += ".@"
        else:
            text += f"|[{'|'.join(segment.names)}]"
    return text


def _indented(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield INDENT + line
