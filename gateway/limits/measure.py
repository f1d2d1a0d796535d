"""How deep, wide and repetitive a document is, measured on its text alone, before anything else looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import (
    BREAK,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    visit,
)

if TYPE_CHECKING:
    from graphql import DocumentNode, SelectionSetNode
    from graphql.language.visitor import VisitorAction

BOTTOM = 60
"""Nothing is measured below this many levels, fields and fragments: what goes deeper counts as this deep, beyond every limit."""

MANY = 1_000_000
"""Counts stop here; fragments that spread fragments can multiply without end."""

RELAY_STEPS = frozenset({"edges", "node", "nodes"})
"""Steps of a Relay connection. They lead to the thing that is listed and are not levels of their own."""

INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Measure:
    """What a document amounts to with its fragments spread out, over the worst of its operations.

    `depth` counts levels of fields, without the steps of Relay connections and outside introspection, whose depth is counted
    apart. `fields` counts every field that is selected anywhere. `root_mutations` is the number of root fields when the operation is a mutation.
    """

    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    root_fields: int = 0
    root_mutations: int = 0
    directives: int = 0
    fields: int = 0

    @property
    def introspects(self) -> bool:
        """Whether the schema itself is asked for."""
        return self.introspection_depth > 0


def measure(document: DocumentNode) -> Measure:
    """Measure every operation of the document. Fragment cycles and unknown fragments are left to validation."""
    ruler = _Ruler(document)
    worst = Measure(directives=_directives(document))
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            worst = _worse(worst, ruler.operation(definition))
    return worst


def _worse(one: Measure, other: Measure) -> Measure:
    return Measure(
        max(one.depth, other.depth),
        max(one.introspection_depth, other.introspection_depth),
        max(one.aliases, other.aliases),
        max(one.root_fields, other.root_fields),
        max(one.root_mutations, other.root_mutations),
        max(one.directives, other.directives),
        max(one.fields, other.fields),
    )


@dataclass(frozen=True, slots=True)
class _Extent:
    depth: int = 0
    introspection: int = 0
    aliases: int = 0
    width: int = 0
    fields: int = 0

    def beside(self, other: _Extent) -> _Extent:
        """Two selections next to each other."""
        return _Extent(
            max(self.depth, other.depth),
            max(self.introspection, other.introspection),
            min(self.aliases + other.aliases, MANY),
            min(self.width + other.width, MANY),
            min(self.fields + other.fields, MANY),
        )


class _Ruler:
    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            definition.name.value: definition.selection_set
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._known: dict[str, _Extent] = {}

    def operation(self, operation: OperationDefinitionNode) -> Measure:
        extent = self._selections(operation.selection_set, 0)
        mutates = operation.operation is OperationType.MUTATION
        return Measure(
            depth=extent.depth,
            introspection_depth=extent.introspection,
            aliases=extent.aliases,
            root_fields=extent.width,
            root_mutations=extent.width if mutates else 0,
            fields=extent.fields,
        )

    def _selections(self, selections: SelectionSetNode | None, level: int) -> _Extent:
        total = _Extent()
        if selections is None:
            return total
        if level > BOTTOM:
            return _Extent(depth=BOTTOM)
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                total = total.beside(self._field(selection, level))
            elif isinstance(selection, FragmentSpreadNode):
                total = total.beside(self._fragment(selection.name.value))
            else:
                inner = getattr(selection, "selection_set", None)
                total = total.beside(self._selections(inner, level + 1))
        return total

    def _field(self, field: FieldNode, level: int) -> _Extent:
        inner = self._selections(field.selection_set, level + 1)
        aliases = min(inner.aliases + (field.alias is not None), MANY)
        fields = min(inner.fields + 1, MANY)
        name = field.name.value
        if name in INTROSPECTION:
            return _Extent(1, max(inner.depth, inner.introspection) + 1, aliases, 1, fields)
        step = 0 if name in RELAY_STEPS and field.selection_set else 1
        deeper = inner.introspection + step if inner.introspection else 0
        return _Extent(inner.depth + step, deeper, aliases, 1, fields)

    def _fragment(self, name: str) -> _Extent:
        if name not in self._known:
            self._known[name] = _Extent()
            self._known[name] = self._selections(self._fragments.get(name), 0)
        return self._known[name]


class _Counter(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.directives = 0

    def enter_directive(self, _node: DirectiveNode, *_: object) -> VisitorAction:
        self.directives += 1
        return BREAK if self.directives > MANY else None


def _directives(document: DocumentNode) -> int:
    counter = _Counter()
    visit(document, counter)
    return counter.directives
