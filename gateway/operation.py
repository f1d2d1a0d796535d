"""A client's request: parse, validate on the public schema, normalise, coerce variables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import (
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    VariableNode,
    get_named_type,
    get_operation_ast,
    get_variable_values,
    is_abstract_type,
    is_composite_type,
    parse,
    print_ast,
    validate,
)

from gateway.selections import (
    TYPENAME,
    Condition,
    Field,
    Fragment,
    distinct,
    print_arguments,
    variables_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from graphql import GraphQLOutputType, GraphQLSchema, SelectionSetNode, VariableDefinitionNode

    from gateway.selections import Conditions, Selection, Selections
    from gateway.supergraph import Supergraph

AnyType: TypeAlias = Any
AnySelectionNode: TypeAlias = Any
MAX_FIELDS = 2000
"""Fields of an operation, its fragments spread out."""

MAX_ERRORS = 20
"""Errors told of one document, or of its variables."""

META_FIELDS = frozenset({"__schema", "__type"})


class RequestError(Exception):
    """The request cannot be run; every GraphQLError may be shown to the client."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Operation:
    """One operation with its fragments inlined. Equal digests mean equal plans and answers."""

    kind: str
    root_type: str
    name: str | None
    text: str
    digest: str
    variables: tuple[VariableDefinitionNode, ...]
    variable_types: Mapping[str, str]
    selections: Selections

    @property
    def introspection(self) -> Selections:
        """What the gateway answers from its own public schema."""
        return tuple(_only(self.selections, meta=True))

    @property
    def fetched(self) -> Selections:
        """What subgraphs must answer."""
        return tuple(_only(self.selections, meta=False))


def parse_document(text: str, max_tokens: int | None = None) -> DocumentNode:
    """Parse a request's text; a RequestError when it is not GraphQL or has too many tokens."""
    try:
        return parse(text, max_tokens=max_tokens, allow_empty_selection_sets=False)
    except GraphQLError as error:
        raise RequestError([error]) from error


def validate_document(
    supergraph: Supergraph, document: DocumentNode, *, suggest: bool = True
) -> list[GraphQLError]:
    """Validate on the schema clients see; an empty list when all is well. `suggest` names that may be meant."""
    schema = supergraph.public_schema
    return validate(schema, document, max_errors=MAX_ERRORS, hide_suggestions=not suggest)


def coerce_variables(
    supergraph: Supergraph, operation: Operation, raw: dict[str, Any], *, suggest: bool = True
) -> dict[str, Any]:
    """Check the variables against their declared types and fill in defaults."""
    values = get_variable_values(
        supergraph.public_schema, operation.variables, raw, MAX_ERRORS, hide_suggestions=not suggest
    )
    if isinstance(values, list):
        raise RequestError(values)
    return values.coerced


def prepare(
    supergraph: Supergraph, document: DocumentNode, operation_name: str | None = None
) -> Operation:
    """Choose the operation of a valid document and normalise it; nothing of the document is held on to."""
    node = get_operation_ast(document, operation_name)
    if node is None:
        raise RequestError([GraphQLError(_no_operation(operation_name))])
    root = supergraph.public_schema.get_root_type(node.operation)
    if root is None:
        message = f"The schema has no {node.operation.value} type."
        raise RequestError([GraphQLError(message, node)])
    selections = _Normaliser(supergraph.public_schema, document).run(node, root.name)
    variables = _without_places(node.variable_definitions or ())
    text = _normal_text(node, variables, selections)
    return Operation(
        kind=node.operation.value,
        root_type=root.name,
        name=node.name.value if node.name else None,
        text=text,
        digest=sha256(text.encode()).hexdigest(),
        variables=variables,
        variable_types={v.variable.name.value: _declared_type(v) for v in variables},
        selections=selections,
    )


def print_selections(selections: Selections) -> str:
    """GraphQL text of selections, on one line, without the outer braces."""
    return " ".join(_print_selection(selection) for selection in selections)


def print_conditions(conditions: Conditions) -> str:
    return "".join(f" @{'include' if c.wanted else 'skip'}(if: ${c.variable})" for c in conditions)


def _print_selection(selection: Selection) -> str:
    below = f" {{{print_selections(selection.selections)}}}" if selection.selections else ""
    if isinstance(selection, Fragment):
        on = f" on {selection.type}" if selection.type else ""
        return f"...{on}{print_conditions(selection.conditions)}{below}"
    alias = f"{selection.key}: " if selection.key not in {"", selection.name} else ""
    return f"{alias}{selection.name}{selection.arguments}{below}"


def _declared_type(node: VariableDefinitionNode) -> str:
    """The type with its default, which lets a nullable variable stand at a non-null place."""
    default = f" = {print_ast(node.default_value)}" if node.default_value else ""
    return print_ast(node.type) + default


def _no_operation(name: str | None) -> str:
    if name is not None:
        return f"Unknown operation named {name!r}."
    return "Must provide operation name if query contains multiple operations."


def _without_places(
    variables: Sequence[VariableDefinitionNode],
) -> tuple[VariableDefinitionNode, ...]:
    """The same definitions; a node that knows its place in a document keeps the whole document alive."""
    if not variables:
        return ()
    text = f"query ({', '.join(print_ast(v) for v in variables)}) {{{TYPENAME}}}"
    operation: Any = parse(text, no_location=True).definitions[0]
    return tuple(operation.variable_definitions)


def _normal_text(
    node: OperationDefinitionNode,
    variables: Sequence[VariableDefinitionNode],
    selections: Selections,
) -> str:
    name = f" {node.name.value}" if node.name else ""
    declared = ", ".join(print_ast(v) for v in variables)
    head = f"{node.operation.value}{name}{f'({declared})' if declared else ''}"
    return f"{head} {{{print_selections(selections)}}}"


def _only(selections: Selections, *, meta: bool) -> Iterator[Selection]:
    """The root selections the gateway itself answers, or the rest."""
    for selection in selections:
        if isinstance(selection, Fragment):
            below = tuple(_only(selection.selections, meta=meta))
            if below:
                yield replace(selection, selections=below)
        elif selection.name != TYPENAME and (selection.name in META_FIELDS) is meta:
            yield selection


class _Normaliser:
    """Inlines fragments, settles constant conditions, drops what is asked twice."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.schema = schema
        self.fields = 0
        self.fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }

    def run(self, node: OperationDefinitionNode, root: str) -> Selections:
        selections = distinct(self._selections(node.selection_set, root))
        return tuple(_settled(selections, {}))

    def _selections(self, node: SelectionSetNode | None, parent: str) -> Iterator[Selection]:
        for item in node.selections if node else ():
            conditions = _conditions(item)
            if conditions is None:
                continue
            if isinstance(item, FieldNode):
                found = self._field(item, parent)
                yield Fragment(None, conditions, (found,)) if conditions else found
            else:
                yield from self._fragment(item, parent, conditions)

    def _field(self, node: FieldNode, parent: str) -> Field:
        name = node.name.value
        self.fields += 1
        if self.fields > MAX_FIELDS:
            message = f"The operation has more than {MAX_FIELDS} fields once fragments are inlined."
            raise RequestError([GraphQLError(message)])
        return Field(
            name=name,
            key=node.alias.value if node.alias else name,
            arguments=print_arguments(node.arguments),
            variables=variables_in(node.arguments),
            selections=self._below(node, parent),
        )

    def _below(self, node: FieldNode, parent: str) -> Selections:
        if node.selection_set is None:
            return ()
        type_ = get_named_type(self._definition_type(parent, node.name.value))
        return distinct(self._selections(node.selection_set, type_.name))

    def _definition_type(self, parent: str, name: str) -> GraphQLOutputType:
        type_: AnyType = self.schema.get_type(parent)
        field = self.schema.get_field(type_, name)
        if field is None:
            message = f"Cannot query field {name!r} on type {parent!r}."
            raise RequestError([GraphQLError(message)])
        return field.type

    def _fragment(
        self, item: AnySelectionNode, parent: str, conditions: Conditions
    ) -> Iterator[Selection]:
        node = self.fragments[item.name.value] if isinstance(item, FragmentSpreadNode) else item
        on = node.type_condition.name.value if node.type_condition else parent
        if not self._may_be(parent, on):
            return
        narrowed = None if self._always_is(parent, on) else on
        inner = parent if narrowed is None else on
        below = tuple(self._selections(node.selection_set, inner))
        if narrowed is None and not conditions:
            yield from below
        elif below:
            yield Fragment(narrowed, conditions, distinct(below))

    def _possible(self, name: str) -> frozenset[str]:
        type_: AnyType = self.schema.get_type(name)
        if is_abstract_type(type_):
            return frozenset(t.name for t in self.schema.get_possible_types(type_))
        return frozenset({name}) if is_composite_type(type_) else frozenset()

    def _may_be(self, parent: str, on: str) -> bool:
        return parent == on or bool(self._possible(parent) & self._possible(on))

    def _always_is(self, parent: str, on: str) -> bool:
        """An object under a fragment on one of its own interfaces needs no fragment."""
        return parent == on or self._possible(parent) == {parent} != self._possible(on)


def _settled(selections: Selections, known: Mapping[str, bool]) -> Iterator[Selection]:
    """Without conditions that an enclosing selection has settled already."""
    for selection in selections:
        if isinstance(selection, Field):
            below = tuple(_settled(selection.selections, known))
            yield selection.with_selections(below) if below != selection.selections else selection
            continue
        if any(known.get(c.variable, c.wanted) is not c.wanted for c in selection.conditions):
            continue
        open_ = tuple(c for c in selection.conditions if c.variable not in known)
        inner = {**known, **{c.variable: c.wanted for c in open_}}
        below = tuple(_settled(selection.selections, inner))
        if below and (open_ or selection.type):
            yield replace(selection, conditions=open_, selections=below)
        else:
            yield from below


def _conditions(node: AnySelectionNode) -> Conditions | None:
    """What a selection depends on; None when it can never be included."""
    found: set[Condition] = set()
    for use in node.directives or ():
        if use.name.value not in {"skip", "include"}:
            continue
        wanted = use.name.value == "include"
        value = use.arguments[0].value
        if isinstance(value, VariableNode):
            found.add(Condition(value.name.value, wanted))
        elif isinstance(value, BooleanValueNode) and value.value is not wanted:
            return None
    return tuple(sorted(found, key=lambda c: (c.variable, c.wanted)))
