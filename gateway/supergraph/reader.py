"""Supergraph SDL (join spec v0.1 to v0.5) to lookup tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import (
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    UnionTypeDefinitionNode,
    print_ast,
    value_from_ast_untyped,
)

from gateway.selections import Field, parse_field_set
from gateway.supergraph.tables import FieldIn, Key, Tables, TypeTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.selections import Selections

Composite: TypeAlias = (
    "ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | UnionTypeDefinitionNode"
)
Arguments: TypeAlias = dict[str, Any]
AnyNode: TypeAlias = Any

ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}


def read_tables(document: DocumentNode) -> Tables:
    """Build the lookup tables; a ValueError says what is wrong with the supergraph."""
    graphs = _graph_names(document)
    types: dict[str, TypeTable] = {}
    for node in _composites(document):
        types[node.name.value] = _TypeReader(node, graphs).read()
    _fill_members(types)
    return Tables(
        graphs=graphs,
        types=types,
        roots=_roots(document, types),
        leaves=_leaf_names(document),
    )


def _composites(document: DocumentNode) -> Iterable[Composite]:
    kinds = (ObjectTypeDefinitionNode, InterfaceTypeDefinitionNode, UnionTypeDefinitionNode)
    for node in document.definitions:
        if isinstance(node, kinds) and not node.name.value.startswith(("join__", "link__")):
            yield node


def _leaf_names(document: DocumentNode) -> frozenset[str]:
    kinds = (ScalarTypeDefinitionNode, EnumTypeDefinitionNode)
    return frozenset(n.name.value for n in document.definitions if isinstance(n, kinds))


def _roots(document: DocumentNode, types: dict[str, TypeTable]) -> dict[str, str]:
    for node in document.definitions:
        if isinstance(node, SchemaDefinitionNode):
            return {t.operation.value: t.type.name.value for t in node.operation_types}
    return {kind: name for kind, name in ROOTS.items() if name in types}


def _graph_names(document: DocumentNode) -> dict[str, str]:
    for node in document.definitions:
        if isinstance(node, EnumTypeDefinitionNode) and node.name.value == "join__Graph":
            return {
                value.name.value: str(arguments.get("name", value.name.value))
                for value in node.values or ()
                for arguments in [next(iter(directives(value, "join__graph")), {})]
            }
    message = "this is no supergraph: it has no enum join__Graph"
    raise ValueError(message)


def directives(node: AnyNode, name: str) -> list[Arguments]:
    """The arguments of each use of a directive on a node."""
    used: Iterable[DirectiveNode] = node.directives or ()
    return [
        {a.name.value: value_from_ast_untyped(a.value) for a in use.arguments or ()}
        for use in used
        if use.name.value == name
    ]


class _TypeReader:
    """Reads one object, interface or union definition."""

    def __init__(self, node: Composite, graphs: dict[str, str]) -> None:
        self.node = node
        self.graphs = graphs
        self.extended: set[str] = set()
        self.table = TypeTable(
            node.name.value,
            abstract=not isinstance(node, ObjectTypeDefinitionNode),
            is_union=isinstance(node, UnionTypeDefinitionNode),
        )

    def read(self) -> TypeTable:
        self._read_membership()
        if isinstance(self.node, UnionTypeDefinitionNode):
            self._read_union(self.node)
            return self.table
        self._read_interfaces()
        owner = next(iter(directives(self.node, "join__owner")), {}).get("graph")
        for node in self.node.fields or ():
            self.table.fields[node.name.value] = self._read_field(node, owner)
        self._own_key_fields()
        return self.table

    def _read_membership(self) -> None:
        uses = directives(self.node, "join__type")
        for use in uses:
            graph = use["graph"]
            self.table.graphs.add(graph)
            if use.get("key"):
                key = Key(parse_field_set(use["key"]), use.get("resolvable", True))
                self.table.keys.setdefault(graph, []).append(key)
                if use.get("extension"):
                    self.extended.add(graph)
            if use.get("isInterfaceObject"):
                self.table.interface_object_in.add(graph)
        if not uses:
            self.table.graphs.update(self.graphs)

    def _read_union(self, node: UnionTypeDefinitionNode) -> None:
        uses = directives(node, "join__unionMember")
        for use in uses:
            self.table.members.setdefault(use["graph"], set()).add(use["member"])
        if not uses:
            for graph in self.table.graphs:
                self.table.members[graph] = {t.name.value for t in node.types or ()}

    def _read_interfaces(self) -> None:
        uses = directives(self.node, "join__implements")
        for use in uses:
            self.table.interfaces.setdefault(use["graph"], set()).add(use["interface"])
        interfaces = getattr(self.node, "interfaces", None)
        if not uses and interfaces:
            for graph in self.table.graphs:
                self.table.interfaces[graph] = {t.name.value for t in interfaces}

    def _read_field(self, node: FieldDefinitionNode, owner: str | None) -> dict[str, FieldIn]:
        printed = print_ast(node.type)
        uses = directives(node, "join__field")
        if not uses:
            graphs = {owner} if owner else self.table.graphs
            return {graph: FieldIn(printed) for graph in sorted(graphs)}
        uses = [use for use in uses if use.get("graph") and not use.get("overrideLabel")]
        found = {use["graph"]: _field_in(use, printed) for use in uses}
        for graph in self._overridden(uses):
            if graph in found:
                found[graph] = replace(found[graph], external=True)
        return found

    def _overridden(self, uses: list[Arguments]) -> set[str]:
        names = {use["override"] for use in uses if use.get("override")}
        return {graph for graph, name in self.graphs.items() if name in names}

    def _own_key_fields(self) -> None:
        """An extension can always answer the fields of its own keys, though marked external."""
        for graph in self.extended:
            keys = self.table.keys[graph]
            for name in {s.name for k in keys for s in k.fields if isinstance(s, Field)}:
                known = self.table.field_in(graph, name)
                if known is not None and known.external and not known.requires:
                    self.table.fields[name][graph] = replace(known, external=False)


def _field_in(use: Arguments, printed: str) -> FieldIn:
    return FieldIn(
        type=use.get("type") or printed,
        external=bool(use.get("external") or use.get("usedOverridden")),
        requires=_field_set(use.get("requires")),
        provides=_field_set(use.get("provides")),
    )


def _field_set(text: str | None) -> Selections:
    return parse_field_set(text) if text else ()


def _fill_members(types: dict[str, TypeTable]) -> None:
    """Give each interface its object types, subgraph by subgraph."""
    for table in types.values():
        if table.abstract:
            continue
        for graph, names in table.interfaces.items():
            for name in names & types.keys():
                types[name].members.setdefault(graph, set()).add(table.name)
