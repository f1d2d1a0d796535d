"""What each subgraph knows of each type: the lookup tables of a supergraph, ready for planning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.selections import Selections


@dataclass(frozen=True, slots=True)
class Key:
    """A way into a type in one subgraph; not every key of a type can be resolved there."""

    fields: Selections
    resolvable: bool


@dataclass(frozen=True, slots=True)
class FieldIn:
    """A field as one subgraph has it. `type` is printed, e.g. `[Office!]!`."""

    type: str
    external: bool = False
    requires: Selections = ()
    provides: Selections = ()

    @property
    def named_type(self) -> str:
        return self.type.strip("[]!")

    @property
    def list_depth(self) -> int:
        return self.type.count("[")


@dataclass(slots=True)
class TypeTable:
    """A type of the supergraph and what each subgraph says of it."""

    name: str
    abstract: bool = False
    is_union: bool = False
    graphs: set[str] = field(default_factory=set)
    fields: dict[str, dict[str, FieldIn]] = field(default_factory=dict)
    keys: dict[str, list[Key]] = field(default_factory=dict)
    interface_object_in: set[str] = field(default_factory=set)
    interfaces: dict[str, set[str]] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)

    def field_in(self, graph: str, name: str) -> FieldIn | None:
        """How this subgraph has the field, external or not; None when it lacks it."""
        return self.fields.get(name, {}).get(graph)

    def resolvable_keys(self, graph: str) -> list[Key]:
        return [key for key in self.keys.get(graph, ()) if key.resolvable]

    def all_members(self) -> frozenset[str]:
        """Every object type this type may turn out to be, in any subgraph."""
        if not self.abstract:
            return frozenset({self.name})
        return frozenset().union(*self.members.values()) if self.members else frozenset()

    def members_in(self, graph: str) -> frozenset[str]:
        """The object types this type may turn out to be when this subgraph answers."""
        if not self.abstract:
            return frozenset({self.name})
        return frozenset(self.members.get(graph, ()))


@dataclass(frozen=True, slots=True)
class Tables:
    """All types, by name; `roots` maps query, mutation and subscription to type names."""

    graphs: Mapping[str, str]
    types: Mapping[str, TypeTable]
    roots: Mapping[str, str]
    leaves: frozenset[str]

    def members(self, name: str) -> frozenset[str]:
        table = self.types.get(name)
        return table.all_members() if table else frozenset()

    def is_abstract(self, name: str) -> bool:
        table = self.types.get(name)
        return table is not None and table.abstract
