"""The schema that clients see: no join directives, nothing marked @inaccessible."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graphql import (
    DirectiveDefinitionNode,
    DirectiveLocation,
    DocumentNode,
    GraphQLSchema,
    Node,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    build_ast_schema,
)

from gateway.supergraph.reader import AnyNode, directives

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN_DIRECTIVES = frozenset({"deprecated", "specifiedBy", "oneOf"})
MEMBER_LISTS = ("fields", "values", "arguments")
NAME_LISTS = ("types", "interfaces")
EXECUTABLE = frozenset(
    location.name
    for location in DirectiveLocation
    if location.name in {"FIELD", "VARIABLE_DEFINITION", "INLINE_FRAGMENT"}
    or location.name.startswith(("QUERY", "MUTATION", "SUBSCRIPTION", "FRAGMENT_"))
)


def public_schema(document: DocumentNode) -> GraphQLSchema:
    """Build the public schema of a supergraph document."""
    features = _feature_names(document)
    hidden = _hidden_types(document, features)
    kept = [
        _public_node(node, hidden)
        for node in document.definitions
        if _is_kept(node, hidden, features)
    ]
    return build_ast_schema(DocumentNode(definitions=tuple(kept)), assume_valid_sdl=True)


def _feature_names(document: DocumentNode) -> frozenset[str]:
    """The prefixes of the specifications a supergraph links, such as join and link."""
    names = {"join", "link", "core"}
    for node in document.definitions:
        if isinstance(node, SchemaDefinitionNode):
            for use in (*directives(node, "link"), *directives(node, "core")):
                url = str(use.get("url") or use.get("feature") or "")
                parts = url.rstrip("/").split("/")
                names.add(str(use.get("as") or (parts[-2] if len(parts) > 1 else parts[-1])))
    return frozenset(names)


def _is_of_feature(name: str, features: frozenset[str]) -> bool:
    return name.split("__", 1)[0] in features and "__" in name


def _hidden_types(document: DocumentNode, features: frozenset[str]) -> frozenset[str]:
    return frozenset(
        node.name.value
        for node in document.definitions
        if isinstance(node, TypeDefinitionNode)
        and (_is_of_feature(node.name.value, features) or directives(node, "inaccessible"))
    )


def _is_kept(node: Node, hidden: frozenset[str], features: frozenset[str]) -> bool:
    if isinstance(node, TypeDefinitionNode):
        return node.name.value not in hidden
    if isinstance(node, DirectiveDefinitionNode):
        name = node.name.value
        if name in features or _is_of_feature(name, features):
            return False
        return any(location.value in EXECUTABLE for location in node.locations)
    return isinstance(node, SchemaDefinitionNode)


def _public_node(node: AnyNode, hidden: frozenset[str]) -> AnyNode:
    """A copy without federation directives, hidden members, or members of hidden types."""
    changes: dict[str, Any] = {}
    if node.directives:
        shown = [use for use in node.directives if use.name.value in SHOWN_DIRECTIVES]
        changes["directives"] = tuple(shown)
    for name in MEMBER_LISTS:
        members = getattr(node, name, None)
        if members:
            changes[name] = tuple(_public_members(members, hidden))
    for name in NAME_LISTS:
        named = getattr(node, name, None)
        if named:
            changes[name] = tuple(t for t in named if t.name.value not in hidden)
    return replace(node, **changes)


def _public_members(members: Iterable[Any], hidden: frozenset[str]) -> Iterable[Any]:
    for member in members:
        if directives(member, "inaccessible") or _type_name(member) in hidden:
            continue
        yield _public_node(member, hidden)


def _type_name(member: AnyNode) -> str:
    node: AnyNode = getattr(member, "type", None)
    while node is not None and not hasattr(node, "name"):
        node = node.type
    return "" if node is None else str(node.name.value)
