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

    from gateway.supergraph.tables import FieldIn, Tables

Banned: TypeAlias = "frozenset[tuple[str, ...]]"
NOTHING: Banned = frozenset()


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
        """Add other ways to one that leaves something open, while they leave less open."""
        if position.type == self.tables.roots.get("mutation"):
            return way
        while way.missing:
            rest = way.missing[0]
            if not isinstance(rest, Field):
                break
            others = list(self._field_ways(position, rest, banned))
            best = min(others, key=Way.rank, default=way)
            if count_fields(best.missing) >= count_fields(way.missing):
                break
            way = Way(way.tree.merged(best.tree), best.missing)
        return way

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

    def _jumps(self, position: Position, field: Field, banned: Banned) -> Iterator[Way]:
        table = self.tables.types[position.type]
        for graph, known in table.fields.get(field.name, {}).items():
            if known.external or (graph == position.graph and not known.requires):
                continue
            found = self._approach(position, graph, (field.name, known.requires), banned)
            if found is None:
                continue
            edge, needs = found
            target = self.views.enter(edge.type, graph)
            way = self._asked(target, field, known, banned)
            yield Way(Tree(jumps={edge: Jump(needs, way.tree)}), way.missing)

    def _approach(
        self, position: Position, graph: str, wanted: tuple[str, Selections], banned: Banned
    ) -> tuple[Edge, Tree] | None:
        """The cheapest way into another subgraph's view of this object, with what it requires."""
        type_, (name, requires) = position.type, wanted
        if (type_, graph) in banned or (type_, graph, name) in banned:
            return None
        if type_ in self.tables.roots.values():
            return Edge(graph, type_, (), entity=False), Tree()
        needed = self.solve(position, requires, banned | {(type_, graph, name)})
        if needed.missing:
            return None
        key = self._best_key(position, graph, banned | {(type_, graph)})
        if key is None:
            return None
        edge = Edge(graph, type_, merge_selections((*key[0], *requires)))
        return edge, needed.tree.merged(key[1])

    def _best_key(
        self, position: Position, graph: str, banned: Banned
    ) -> tuple[Selections, Tree] | None:
        found: list[tuple[int, int, Selections, Tree]] = []
        for rank, key in enumerate(self.tables.types[position.type].resolvable_keys(graph)):
            way = self.solve(position, key.fields, banned)
            if not way.missing:
                found.append((way.tree.cost(), rank, key.fields, way.tree))
        best = min(found, key=lambda item: item[:2], default=None)
        return None if best is None else best[2:]
