"""Selections as plain immutable values: what operations, keys, @requires and @provides are made of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    VariableNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphql import OperationDefinitionNode, SelectionSetNode

TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class Condition:
    """`@include(if: $variable)` when wanted, `@skip(if: $variable)` when not."""

    variable: str
    wanted: bool

    def holds(self, variables: dict[str, object]) -> bool:
        return bool(variables.get(self.variable)) is self.wanted


Conditions: TypeAlias = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One selected field. `key` is the client's response key; empty for a field only the plan needs."""

    name: str
    key: str = ""
    arguments: str = ""
    variables: frozenset[str] = frozenset()
    selections: Selections = ()
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        parts = (self.name, self.key, self.arguments, self.selections)
        object.__setattr__(self, "_hash", hash(parts))

    def __hash__(self) -> int:
        return self._hash

    def bare(self) -> Field:
        """The same field without what is selected below it."""
        return replace(self, selections=()) if self.selections else self

    def with_selections(self, selections: Selections) -> Field:
        return replace(self, selections=selections)


@dataclass(frozen=True, slots=True)
class Fragment:
    """An inline fragment; `type` None means that only its conditions matter."""

    type: str | None
    conditions: Conditions
    selections: Selections

    def with_selections(self, selections: Selections) -> Fragment:
        return replace(self, selections=selections)


Selection: TypeAlias = "Field | Fragment"
Selections: TypeAlias = "tuple[Field | Fragment, ...]"


def merge_selections(selections: Iterable[Selection]) -> Selections:
    """Equal fields and equal fragments become one, in order of first appearance."""
    merged: dict[object, Selection] = {}
    for selection in selections:
        identity = _identity(selection)
        known = merged.get(identity)
        if known is None:
            merged[identity] = selection
        elif selection.selections:
            both = (*known.selections, *selection.selections)
            merged[identity] = known.with_selections(merge_selections(both))
    return tuple(merged.values())


def distinct(selections: Iterable[Selection]) -> Selections:
    """Each selection once, where it stood first."""
    return tuple(dict.fromkeys(selections))


def _identity(selection: Selection) -> object:
    if isinstance(selection, Field):
        return (selection.key, selection.name, selection.arguments)
    return (selection.type, selection.conditions)


def count_fields(selections: Selections) -> int:
    """How many leaves a selection asks for."""
    return sum(count_fields(s.selections) if s.selections else 1 for s in selections)


def parse_field_set(text: str) -> Selections:
    """Read a federation field set, the text inside @key, @requires or @provides."""
    body = text.strip()
    document = parse(body if body.startswith("{") else "{" + body + "}", no_location=True)
    operation: OperationDefinitionNode = document.definitions[0]  # type: ignore[assignment]
    return _from_nodes(operation.selection_set)


def _from_nodes(node: SelectionSetNode | None) -> Selections:
    if node is None:
        return ()
    found: list[Selection] = []
    for item in node.selections:
        if isinstance(item, FieldNode):
            found.append(
                Field(
                    item.name.value,
                    arguments=print_arguments(item.arguments),
                    selections=_from_nodes(item.selection_set),
                )
            )
        elif isinstance(item, InlineFragmentNode):
            condition = item.type_condition.name.value if item.type_condition else None
            found.append(Fragment(condition, (), _from_nodes(item.selection_set)))
        elif isinstance(item, FragmentSpreadNode):
            message = f"a field set cannot use the named fragment {item.name.value!r}"
            raise ValueError(message)  # noqa: TRY004 -- the text is wrong, not a type
    return merge_selections(found)


def print_arguments(arguments: Sequence[Node] | None) -> str:
    """`(a: 1, b: $b)`, or nothing when there are none; the order written does not matter."""
    if not arguments:
        return ""
    return "(" + ", ".join(sorted(print_ast(argument) for argument in arguments)) + ")"


def variables_in(nodes: Sequence[Node] | None) -> frozenset[str]:
    """The names of the variables used anywhere below these nodes."""
    names: set[str] = set()

    class _Collect(Visitor):
        def enter_variable(self, node: VariableNode, *_: object) -> None:
            names.add(node.name.value)

    for node in nodes or ():
        visit(node, _Collect())
    return frozenset(names)
