"""Merged data to the client's answer: only what was asked, nulls propagated by the public schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    is_abstract_type,
    is_composite_type,
)

from gateway.operation import META_FIELDS
from gateway.selections import TYPENAME, Field, distinct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphql import GraphQLSchema

    from gateway.executor.wire import Data, Json
    from gateway.operation import Operation
    from gateway.selections import Selection, Selections
    from gateway.supergraph import Supergraph

Trail: TypeAlias = "tuple[Any, str | int] | None"
AnyType: TypeAlias = Any
Complete: TypeAlias = "Callable[[Any, Trail, Nulls], Any]"
_BUBBLE: Any = object()
MOST_SHAPES = 16
"""Shapes remembered of one operation: each combination of its conditions has one of its own."""

_shapes: WeakKeyDictionary[Operation, dict[tuple[bool, ...], ObjectShape]] = WeakKeyDictionary()


class Nulls:
    """Collects the places where a null stood that the public schema does not allow."""

    def __init__(self) -> None:
        self.found: list[tuple[tuple[str | int, ...], str]] = []

    def add(self, trail: Trail, field: str) -> None:
        path: list[str | int] = []
        while trail is not None:
            trail, key = trail
            path.append(key)
        self.found.append((tuple(reversed(path)), field))


def shape(
    supergraph: Supergraph, operation: Operation, variables: Data, data: Data
) -> tuple[Data | None, Nulls]:
    """The client's data, and the forbidden nulls met on the way."""
    nulls = Nulls()
    answer = _shape_of(supergraph.public_schema, operation, variables).complete(data, None, nulls)
    return (None if answer is _BUBBLE else answer), nulls


def _shape_of(schema: GraphQLSchema, operation: Operation, variables: Data) -> ObjectShape:
    """The shape under these variables, made when it is not remembered."""
    known = _shapes.setdefault(operation, {})
    names = sorted(_condition_variables(operation.selections))
    values = {name: bool(variables.get(name)) for name in names}
    key = tuple(values.values())
    found = known.pop(key, None)
    if found is None:
        kept = distinct(_kept(operation.selections, values))
        found = ObjectShape(schema, operation.root_type, kept)
    known[key] = found
    if len(known) > MOST_SHAPES:
        del known[next(iter(known))]
    return found


def _condition_variables(selections: Selections) -> set[str]:
    found: set[str] = set()
    for selection in selections:
        if not isinstance(selection, Field):
            found |= {condition.variable for condition in selection.conditions}
        found |= _condition_variables(selection.selections)
    return found


def _kept(selections: Selections, values: dict[str, bool]) -> Iterator[Selection]:
    """Selections whose conditions hold, without their conditions."""
    for selection in selections:
        below = distinct(_kept(selection.selections, values))
        if isinstance(selection, Field):
            yield selection.with_selections(below)
        elif all(values[c.variable] is c.wanted for c in selection.conditions):
            if selection.type is None:
                yield from below
            else:
                yield type(selection)(selection.type, (), below)


@dataclass(frozen=True, slots=True)
class FieldShape:
    """How one response key of one runtime type is completed; None for a plain leaf."""

    key: str
    name: str
    required: bool
    complete: Complete | None


class ObjectShape:
    """Completes objects of one static type under one selection set."""

    def __init__(self, schema: GraphQLSchema, type_: str, selections: Selections) -> None:
        self.schema = schema
        self.type = type_
        self.selections = selections
        static: AnyType = schema.get_type(type_)
        self.possible = (
            {t.name for t in schema.get_possible_types(static)}
            if is_abstract_type(static)
            else None
        )
        self._fields: dict[str, list[FieldShape]] = {}

    def complete(self, value: Json, trail: Trail, nulls: Nulls) -> Json:
        """The object as the client asked for it; the bubble mark when it must become null."""
        name = self._runtime_type(value)
        if name is None:
            return None
        fields = self._fields.get(name) or self._fields_of(name)
        answer: Data = {}
        for field in fields:
            completed = value.get(field.key)
            if field.complete is not None:
                completed = field.complete(completed, (trail, field.key), nulls)
            elif field.name == TYPENAME:
                completed = name
            if completed is None or completed is _BUBBLE:
                if field.required:
                    if completed is None:
                        nulls.add((trail, field.key), f"{name}.{field.name}")
                    return _BUBBLE
                completed = None
            answer[field.key] = completed
        return answer

    def _runtime_type(self, value: Json) -> str | None:
        if self.possible is None:
            return self.type
        name = value.get(TYPENAME) or self._aliased_type(value)
        return name if name in self.possible or name == self.type else None

    def _aliased_type(self, value: Data) -> str:
        """The type's name under a client's alias, when the plan asked for it only so."""
        aliases = (s.key for s in self.selections if isinstance(s, Field) and s.name == TYPENAME)
        return next((value[key] for key in aliases if key in value), self.type)

    def _fields_of(self, name: str) -> list[FieldShape]:
        merged: dict[str, Field] = {}
        for field in self._applying(name, self.selections):
            known = merged.get(field.key)
            below = (*known.selections, *field.selections) if known else field.selections
            merged[field.key] = field.with_selections(below)
        fields = [self._field(name, field) for field in merged.values()]
        self._fields[name] = fields
        return fields

    def _applying(self, name: str, selections: Selections) -> Iterator[Field]:
        for selection in selections:
            if isinstance(selection, Field):
                yield selection
            elif self._is_a(name, selection.type or name):
                yield from self._applying(name, selection.selections)

    def _is_a(self, name: str, wanted: str) -> bool:
        type_: AnyType = self.schema.get_type(wanted)
        if name == wanted or not is_abstract_type(type_):
            return name == wanted
        known: Json = self.schema.get_type(name)
        return self.schema.is_sub_type(type_, known)

    def _field(self, parent: str, field: Field) -> FieldShape:
        if field.name == TYPENAME or field.name in META_FIELDS:
            return FieldShape(field.key, field.name, required=False, complete=None)
        type_: AnyType = self.schema.get_type(parent)
        declared: Any = type_.fields[field.name].type
        required = isinstance(declared, GraphQLNonNull)
        inner = declared.of_type if required else declared
        return FieldShape(field.key, field.name, required, self._completer(inner, field))

    def _completer(self, type_: AnyType, field: Field) -> Complete | None:
        """How a nullable value of this type is completed; None when it can stand as it is."""
        if isinstance(type_, GraphQLList):
            return self._list_completer(type_.of_type, field)
        if isinstance(type_, GraphQLEnumType):
            return _enum_completer(frozenset(type_.values))
        if not is_composite_type(type_):
            return None
        below = ObjectShape(self.schema, type_.name, field.selections)

        def complete(value: Json, trail: Trail, nulls: Nulls) -> Json:
            return None if value is None else below.complete(value, trail, nulls)

        return complete

    def _list_completer(self, item: AnyType, field: Field) -> Complete:
        required = isinstance(item, GraphQLNonNull)
        inner = self._completer(item.of_type if required else item, field)
        name = f"an item of {field.name}"

        def complete(value: Json, trail: Trail, nulls: Nulls) -> Json:
            if value is None:
                return None
            answer = []
            for index, entry in enumerate(value):
                done = inner(entry, (trail, index), nulls) if inner else entry
                if done is None and required:
                    nulls.add((trail, index), name)
                    return _BUBBLE
                if done is _BUBBLE:
                    if required:
                        return _BUBBLE
                    done = None
                answer.append(done)
            return answer

        return complete


def _enum_completer(known: frozenset[str]) -> Complete:
    """A value clients may not see, or do not know, is null to them."""

    def complete(value: Json, _: Trail, __: Nulls) -> Json:
        return value if value in known else None

    return complete
