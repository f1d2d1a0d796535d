"""What an operation may cost: the number of things it can bring back, by the size of its pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    InlineFragmentNode,
    IntValueNode,
    VariableNode,
    get_named_type,
    get_operation_ast,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import (
        DocumentNode,
        GraphQLField,
        GraphQLNamedType,
        GraphQLSchema,
        GraphQLType,
        SelectionSetNode,
        ValueNode,
    )

DEFAULT_PAGE = 20
"""What a connection returns when neither `first` nor `last` is given."""

LARGEST_PAGE = 100
"""Subgraphs refuse larger pages, so nothing larger is counted."""

SHORT_LIST = 5
"""The length assumed of a list without pages: such lists (a provider's specialties) are short by design."""

_PAGE_ARGUMENTS = ("first", "last")

Page = int | str
"""A page's size, or the name of the variable that gives it."""


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a selection; pages sized by variables stay open until the variables are known."""

    weight: int = 0
    page: Page = 1
    inner: tuple[Price, ...] = ()

    def of(self, variables: Mapping[str, Any]) -> int:
        """The most things this can bring back with these variables."""
        size = _size(variables.get(self.page)) if isinstance(self.page, str) else self.page
        return size * (self.weight + sum(price.of(variables) for price in self.inner))


def price(schema: GraphQLSchema, document: DocumentNode, operation_name: str | None) -> Price:
    """The price of the named (or only) operation. The document must be valid for the schema."""
    operation = get_operation_ast(document, operation_name)
    if operation is None:
        return Price()
    root = schema.get_root_type(operation.operation)
    return Price(inner=_Reader(schema, document).selections(operation.selection_set, root, 1))


class _Reader:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._known: dict[tuple[str, Page], tuple[Price, ...]] = {}

    def selections(
        self, selections: SelectionSetNode, parent: GraphQLNamedType | None, page: Page
    ) -> tuple[Price, ...]:
        """Prices of what is selected on `parent`; `page` sizes the edges when `parent` is a connection."""
        prices: list[Price] = []
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                prices += self._field(selection, parent, page)
            elif isinstance(selection, FragmentSpreadNode):
                prices += self._spread(selection.name.value, page)
            elif isinstance(selection, InlineFragmentNode):
                on = selection.type_condition
                inner = self._schema.get_type(on.name.value) if on else parent
                prices += self.selections(selection.selection_set, inner, page)
        return tuple(prices)

    def _spread(self, name: str, page: Page) -> tuple[Price, ...]:
        if (name, page) not in self._known:
            fragment = self._fragments[name]
            parent = self._schema.get_type(fragment.type_condition.name.value)
            self._known[name, page] = self.selections(fragment.selection_set, parent, page)
        return self._known[name, page]

    def _field(
        self, node: FieldNode, parent: GraphQLNamedType | None, page: Page
    ) -> tuple[Price, ...]:
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return ()
        field = parent.fields.get(node.name.value)
        if field is None or node.selection_set is None:
            return ()
        named = get_named_type(field.type)
        if not is_composite_type(named):
            return ()
        if _is_connection(named):
            return (Price(inner=self.selections(node.selection_set, named, _page(node, field))),)
        repeat: Page = _repeat(node, field, connection=_is_connection(parent), page=page)
        weight = 0 if named.name.endswith("Edge") or named.name == "PageInfo" else 1
        return (Price(weight, repeat, self.selections(node.selection_set, named, 1)),)


def _repeat(node: FieldNode, field: GraphQLField, *, connection: bool, page: Page) -> Page:
    if not _is_list(field.type):
        return 1
    if connection:
        return page
    return _page(node, field) if any(name in field.args for name in _PAGE_ARGUMENTS) else SHORT_LIST


def _page(node: FieldNode, field: GraphQLField) -> Page:
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    for name in _PAGE_ARGUMENTS:
        if name in given:
            return _stated(given[name])
    for name in _PAGE_ARGUMENTS:
        declared = field.args[name].ast_node if name in field.args else None
        if declared is not None and declared.default_value is not None:
            return _stated(declared.default_value)
    return DEFAULT_PAGE


def _stated(value: ValueNode) -> Page:
    if isinstance(value, VariableNode):
        return value.name.value
    return _size(int(value.value)) if isinstance(value, IntValueNode) else DEFAULT_PAGE


def _size(value: object) -> int:
    return max(1, min(value, LARGEST_PAGE)) if isinstance(value, int) else DEFAULT_PAGE


def _is_connection(named: GraphQLNamedType) -> bool:
    fields = getattr(named, "fields", {})
    return named.name.endswith("Connection") and ("edges" in fields or "nodes" in fields)


def _is_list(kind: GraphQLType) -> bool:
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)
