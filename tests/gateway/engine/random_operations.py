"""Random valid operations over a public schema, for property tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
    parse_value,
    value_from_ast_untyped,
)
from hypothesis import strategies as st

AnyType: TypeAlias = Any
Draw: TypeAlias = Any
IDS = ["u1", "u2", "k1", "b1", "r1", "nobody"]
TEXTS = ["a", "Maker", "zzz"]
MAX_DEPTH = 5
SCALARS = {
    "ID": [f'"{id_}"' for id_ in IDS],
    "String": [f'"{text}"' for text in TEXTS],
    "Int": ["0", "2", "1995"],
    "Float": ["0.5", "3"],
    "Boolean": ["true", "false"],
    "Date": ['"2026-02-03"'],
    "DateTime": ['"2026-02-03T04:05:06+00:00"'],
}


@dataclass
class Drawn:
    """One operation under construction; aliases are numbered so that no two fields clash."""

    draw: Draw
    schema: GraphQLSchema
    max_depth: int = MAX_DEPTH
    aliases: int = 0
    variables: dict[str, Any] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)

    def selection_set(self, type_: AnyType, depth: int) -> str:
        count = self.draw(st.integers(1, 4))
        parts = [self._selection(type_, depth) for _ in range(count)]
        return "{" + " ".join(parts) + "}"

    def _selection(self, type_: AnyType, depth: int) -> str:
        likely = 5 if is_abstract_type(type_) else 1
        if depth < self.max_depth and self.draw(st.integers(0, 9)) >= 10 - likely:
            return self._fragment(type_, depth)
        fields = self._fields(type_, depth)
        if not fields:
            return self._aliased("__typename")
        name = self.draw(st.sampled_from(sorted(fields)))
        return self._field(name, fields[name], depth)

    def _fields(self, type_: AnyType, depth: int) -> dict[str, GraphQLField]:
        fields = getattr(type_, "fields", {})
        if depth < self.max_depth:
            return dict(fields)
        return {n: f for n, f in fields.items() if not is_composite_type(get_named_type(f.type))}

    def _fragment(self, type_: AnyType, depth: int) -> str:
        choices = [type_]
        if is_abstract_type(type_):
            choices += self.schema.get_possible_types(type_)
        else:
            choices += type_.interfaces
        chosen = self.draw(st.sampled_from(choices))
        on = "" if chosen is type_ and self.draw(st.booleans()) else f" on {chosen.name}"
        return f"...{on}{self._condition()} {self.selection_set(chosen, depth + 1)}"

    def _field(self, name: str, definition: GraphQLField, depth: int) -> str:
        arguments = self._arguments(definition)
        below = ""
        named = get_named_type(definition.type)
        if is_composite_type(named):
            below = " " + self.selection_set(named, depth + 1)
        text = self._aliased(name) if arguments or self.draw(st.integers(0, 4)) == 4 else name
        return f"{text}{arguments}{self._condition()}{below}"

    def _aliased(self, name: str) -> str:
        self.aliases += 1
        return f"a{self.aliases}: {name}"

    def _condition(self) -> str:
        if self.draw(st.integers(0, 9)) < 9:
            return ""
        name = self.draw(st.sampled_from(["x", "y"]))
        self.declared[name] = "Boolean!"
        self.variables.setdefault(name, self.draw(st.booleans()))
        return f" @{self.draw(st.sampled_from(['skip', 'include']))}(if: ${name})"

    def _arguments(self, definition: GraphQLField) -> str:
        given = []
        for name, argument in definition.args.items():
            if is_required_argument(argument) or self.draw(st.booleans()):
                given.append(f"{name}: {self._given(argument.type)}")
        return f"({', '.join(given)})" if given else ""

    def _given(self, type_: AnyType) -> str:
        """A value, or a variable that has it."""
        value = self._value(type_)
        if self.draw(st.integers(0, 5)) < 5:
            return value
        name = f"v{len(self.declared)}"
        self.declared[name] = str(type_)
        self.variables[name] = value_from_ast_untyped(parse_value(value))
        return f"${name}"

    def _value(self, type_: AnyType) -> str:
        if isinstance(type_, GraphQLNonNull):
            return self._value(type_.of_type)
        if isinstance(type_, GraphQLList):
            return f"[{self._value(type_.of_type)}]"
        if isinstance(type_, GraphQLInputObjectType):
            return self._object(type_)
        if isinstance(type_, GraphQLEnumType):
            return self.draw(st.sampled_from(sorted(type_.values)))
        return self.draw(st.sampled_from(SCALARS[type_.name]))

    def _object(self, type_: GraphQLInputObjectType) -> str:
        given = [
            f"{name}: {self._value(member.type)}"
            for name, member in type_.fields.items()
            if is_required_input_field(member) or self.draw(st.integers(0, 3)) == 0
        ]
        return f"{{{', '.join(given)}}}"


@st.composite
def operations(
    draw: Draw, schema: GraphQLSchema, kind: str = "query", max_depth: int = MAX_DEPTH
) -> tuple[str, dict[str, Any]]:
    """The text of an operation and its variables."""
    drawn = Drawn(draw, schema, max_depth)
    root = {"query": schema.query_type, "mutation": schema.mutation_type}[kind]
    body = drawn.selection_set(root, 0)
    declared = ", ".join(f"${name}: {type_}" for name, type_ in sorted(drawn.declared.items()))
    return f"{kind} {f'({declared})' if declared else ''} {body}", drawn.variables
