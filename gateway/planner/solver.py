"""Finds, for each selection at each position, the cheapest way to have it answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from gateway.planner.choice import choose
from gateway.planner.tree import Edge, Jump, LocalField, Position, Tree
from gateway.planner.views import Views
from gateway.selections import (
    TYPENAME,
    Field,
    Fragment,
    Selections,
    count_fields,
    merge_selections,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.selections import Selection
    from gateway.supergraph.tables import FieldIn, Tables

Banned: TypeAlias = "frozenset[tuple[str, ...]]"
NOTHING: Banned = frozenset()


@dataclass(frozen=True, slots=True)
class Target:
    """An object as another subgraph knows it, and what the field wanted there requires."""

    type: str
    graph: str
    field: str = ""
    requires: Selections = ()


@dataclass(frozen=True, slots=True)
class Way:
    """One way to have a selection answered, and the part of it this way leaves open."""

    tree: Tree
    missing: Selections = ()

    def rank(self) -> tuple[int, int]:
        return (count_fields(self.missing), self.tree.cost())


class Solver:
    """Plans one operation; solutions are remembered per position and selection."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.views = Views(tables)
        self._known: dict[tuple[Position, Selections, Banned], Way] = {}

    def solve(self, position: Position, selections: Selections, banned: Banned = NOTHING) -> Way:
        """The cheapest way to have all selections answered from here.

        `banned` ends circular requirements: a (type, graph) that may not be entered and a
        (type, graph, field) that may not be asked while their own requirement is sought.
        """
        identity = (position, selections, banned)
        way = self._known.get(identity)
        if way is None:
            way = self._known[identity] = self._solve(position, selections, banned)
        return way

    def _solve(self, position: Position, selections: Selections, banned: Banned) -> Way:
        tree = Tree()
        missing: list[Field | Fragment] = []
        contested: list[list[Way]] = []
        for selection in self.views.expanded(position, selections):
            ways = self._ways(position, selection, banned)
            if not ways:
                missing.append(selection)
            elif len(ways) == 1:
                tree = tree.merged(ways[0].tree)
                missing.extend(ways[0].missing)
            else:
                contested.append(ways)
        chosen = choose(tree, [[way.tree for way in ways] for ways in contested])
        return Way(chosen, merge_selections(missing))

    def _ways(self, position: Position, selection: Field | Fragment, banned: Banned) -> list[Way]:
        if self.views.is_interface_object(position) and _asks_type(selection):
            return list(self._learnt(position, selection, banned))
        if isinstance(selection, Fragment):
            return [self._fragment(position, selection, banned)]
        if selection.name == TYPENAME:
            return [Way(Tree(fields={LocalField(Field(TYPENAME), "String!"): Tree()}))]
        ways = list(self._field_ways(position, selection, banned))
        complete = [way for way in ways if not way.missing]
        if complete or not ways:
            return complete
        return [self._combined(position, min(ways, key=Way.rank), banned)]

    def _fragment(self, position: Position, fragment: Fragment, banned: Banned) -> Way:
        inner = self.views.narrowed(position, fragment.type)
        way = self.solve(inner, fragment.selections, banned)
        branch = (fragment.type, fragment.conditions)
        missing = (replace(fragment, selections=way.missing),) if way.missing else ()
        return Way(Tree(branches={branch: way.tree}), missing)

    def _combined(self, position: Position, way: Way, banned: Banned) -> Way:
        """Add other ways to one that leaves something open, while they leave less open.

        Never for a mutation, which must happen once; nor for an abstract type, since another
        subgraph might take the object for another type.
        """
        if position.type == self.tables.roots.get("mutation"):
            return way
        while way.missing:
            rest = way.missing[0]
            if not isinstance(rest, Field) or self._is_abstract(position, rest):
                break
            others = list(self._field_ways(position, rest, banned))
            best = min(others, key=Way.rank, default=way)
            if count_fields(best.missing) >= count_fields(way.missing):
                break
            way = Way(way.tree.merged(best.tree), best.missing)
        return way

    def _is_abstract(self, position: Position, field: Field) -> bool:
        known = self.tables.types[position.type].fields.get(field.name, {}).values()
        return any(self.tables.is_abstract(f.named_type) for f in known)

    def _field_ways(self, position: Position, field: Field, banned: Banned) -> Iterator[Way]:
        local = self.views.answer(position, field.name)
        if local is not None and not local.requires:
            way = self._asked(position, field, local, banned)
            yield way
            if not way.missing and not way.tree.has_jumps():
                return
        yield from self._jumps(position, field, banned)

    def _asked(self, position: Position, field: Field, known: FieldIn, banned: Banned) -> Way:
        """Ask the field here, and what is below it from there."""
        if known.named_type not in self.tables.types:
            return Way(Tree(fields={LocalField(field, known.type): Tree()}))
        below = self.views.below(position, field.name, known)
        way = self.solve(below, field.selections, banned)
        abstract = self.views.is_abstract(below)
        local = LocalField(field.bare(), known.type, composite=True, abstract=abstract)
        missing = (field.with_selections(way.missing),) if way.missing else ()
        return Way(Tree(fields={local: way.tree}), missing)

    def _learnt(self, position: Position, selection: Selection, banned: Banned) -> Iterator[Way]:
        """Where an interface is known as an object only: ask a subgraph that knows its members."""
        for graph in self.views.real_graphs(position.type):
            target = Target(position.type, graph)
            found = self._approach(position, target, banned)
            if found is not None:
                entered = self.views.enter(position.type, graph, position.rivals)
                way = self.solve(entered, (selection,), banned)
                yield Way(Tree(jumps={found[0]: Jump(found[1], way.tree)}), way.missing)

    def _jumps(self, position: Position, field: Field, banned: Banned) -> Iterator[Way]:
        for target, known in self._targets(position, field.name):
            found = self._approach(position, target, banned)
            if found is None:
                continue
            entered = self.views.enter(target.type, target.graph, position.rivals)
            way = self._asked(entered, field, known, banned)
            yield Way(Tree(jumps={found[0]: Jump(found[1], way.tree)}), way.missing)

    def _targets(self, position: Position, name: str) -> Iterator[tuple[Target, FieldIn]]:
        """The views of this object, in other subgraphs or this one, that answer the field."""
        table = self.tables.types[position.type]
        for graph, known in table.fields.get(name, {}).items():
            if not known.external and (graph != position.graph or known.requires):
                yield Target(position.type, graph, name, known.requires), known
        for interface, graph, known in self.views.as_interface_object(position.type, name):
            if interface != position.type:
                yield Target(interface, graph, name, known.requires), known

    def _approach(
        self, position: Position, target: Target, banned: Banned
    ) -> tuple[Edge, Tree] | None:
        """The cheapest way into another subgraph's view of this object, with what it requires."""
        view = (target.type, target.graph)
        if view in banned or (*view, target.field) in banned:
            return None
        if target.type in self.tables.roots.values():
            return Edge(target.graph, target.type, (), entity=False), Tree()
        needed = self.solve(position, target.requires, banned | {(*view, target.field)})
        if needed.missing:
            return None
        key = self._best_key(position, target, banned | {view})
        if key is None:
            return None
        edge = Edge(
            target.graph,
            target.type,
            merge_selections((*key[0], *target.requires)),
            abstract=self.views.is_abstract(self.views.enter(*view)),
            members=self.views.hidden_members(*view),
        )
        return edge, needed.tree.merged(key[1])

    def _best_key(
        self, position: Position, target: Target, banned: Banned
    ) -> tuple[Selections, Tree] | None:
        found: list[tuple[int, int, Selections, Tree]] = []
        keys = self.tables.types[target.type].resolvable_keys(target.graph)
        for rank, key in enumerate(keys):
            way = self.solve(position, key.fields, banned)
            if not way.missing:
                found.append((way.tree.cost(), rank, key.fields, way.tree))
        best = min(found, key=lambda item: item[:2], default=None)
        return None if best is None else best[2:]


def _asks_type(selection: Selection) -> bool:
    """Whether a selection depends on what the object turns out to be."""
    if isinstance(selection, Fragment):
        return selection.type is not None
    return selection.name == TYPENAME
