"""What can be answered at a position without leaving its subgraph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.planner.tree import Position
from gateway.selections import TYPENAME, Field, Fragment, merge_selections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.selections import Selection, Selections
    from gateway.supergraph.tables import FieldIn, Tables


class Views:
    """Answers questions about positions from a supergraph's tables."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def is_abstract(self, position: Position) -> bool:
        """Whether the object's own type must still be learnt here."""
        table = self.tables.types[position.type]
        return table.abstract and not self.is_interface_object(position)

    def is_interface_object(self, position: Position) -> bool:
        """Whether this subgraph knows the interface only as one object type."""
        return position.graph in self.tables.types[position.type].interface_object_in

    def hidden_members(self, type_: str, graph: str) -> tuple[str, ...]:
        """The object types that a subgraph knows only as this interface."""
        table = self.tables.types[type_]
        hides = graph in table.interface_object_in
        return tuple(sorted(table.all_members())) if hides else ()

    def enter(self, type_: str, graph: str, rivals: frozenset[str] = frozenset()) -> Position:
        """The position at an object of this type in this subgraph."""
        table = self.tables.types[type_]
        scope = table.members_in(graph) if table.abstract else frozenset[str]()
        return Position(type_, graph, scope, rivals=rivals)

    def below(self, position: Position, name: str, known: FieldIn) -> Position:
        """The position at the value of a composite field."""
        given = [s for s in position.provided if isinstance(s, Field) and s.name == name]
        provided = [*known.provides, *(s for field in given for s in field.selections)]
        rivals = self._rivals(position, name)
        inner = self.enter(known.named_type, position.graph, rivals)
        return replace(
            inner,
            provided=merge_selections(provided),
            scope=self._common(position, name, inner),
        )

    def _rivals(self, position: Position, name: str) -> frozenset[str]:
        """Every subgraph that could answer the field of this same object."""
        table = self.tables.types[position.type]
        able = frozenset(g for g, f in table.fields.get(name, {}).items() if not f.external)
        keyed = table.keys or position.type in self.tables.roots.values()
        return able if keyed else able & (position.rivals or able)

    def _common(self, position: Position, name: str, inner: Position) -> frozenset[str]:
        """Members of a union that every rival knows; the others' fields are nobody's to answer."""
        if not self.tables.types[inner.type].is_union:
            return inner.scope
        scope = inner.scope
        for rival in inner.rivals:
            other = self.tables.types[position.type].fields[name][rival]
            scope &= self.tables.types[other.named_type].members_in(rival)
        return scope or inner.scope

    def narrowed(self, position: Position, type_: str | None) -> Position:
        """The same position, once its object is known to be of this type as well."""
        if type_ is None or type_ == position.type:
            return position
        table = self.tables.types[type_]
        provided = tuple(self._provided_on(position.provided, type_))
        scope = frozenset[str]()
        if table.abstract:
            scope = table.all_members() & self.members(position)
        return Position(type_, position.graph, scope, provided, position.rivals)

    def members(self, position: Position) -> frozenset[str]:
        """What the object at this position may turn out to be."""
        return position.scope or frozenset({position.type})

    def answer(self, position: Position, name: str) -> FieldIn | None:
        """The field as answered right here, its @requires not looked at; None if it is not."""
        known = self._own(position, name)
        if known is None or not self.is_abstract(position) or known.requires:
            return known
        for member in position.scope:
            inner = self.narrowed(position, member)
            answer = self._own(inner, name)
            if answer is None or answer.requires:
                return None
        return known

    def _own(self, position: Position, name: str) -> FieldIn | None:
        known = self.tables.types[position.type].field_in(position.graph, name)
        if known is None:
            return None
        if any(isinstance(s, Field) and s.name == name for s in position.provided):
            return replace(known, external=False, requires=())
        return None if known.external else known

    def _provided_on(self, provided: Selections, type_: str) -> Iterator[Selection]:
        for selection in provided:
            if isinstance(selection, Field):
                yield selection
            elif selection.type is None or type_ in self.tables.members(selection.type):
                yield from self._provided_on(selection.selections, type_)

    def expanded(self, position: Position, selections: Selections) -> Selections:
        """Selections in terms this subgraph can be asked in, at this position.

        Fields that only some members answer become fragments on each member; fragments on
        types this subgraph cannot tell apart become fragments on the members they mean.
        """
        if not self.is_abstract(position):
            return merge_selections(self._on_object(position, selections))
        return merge_selections(self._on_abstract(position, selections))

    def _on_object(self, position: Position, selections: Selections) -> Iterator[Selection]:
        for selection in selections:
            if isinstance(selection, Field) or selection.type in {None, position.type}:
                yield from self._untyped(selection)
            elif self._always_is(position, selection.type or ""):
                yield from self._untyped(replace(selection, type=None))
            elif self.is_interface_object(position):
                yield selection

    def _always_is(self, position: Position, type_: str) -> bool:
        """Whether a fragment says nothing new of an object, whatever it turns out to be."""
        members = self.tables.members(position.type)
        wide = self.tables.is_abstract(type_) and members <= self.tables.members(type_)
        return bool(members) and wide

    @staticmethod
    def _untyped(selection: Selection) -> Iterator[Selection]:
        if isinstance(selection, Fragment) and not selection.conditions:
            yield from selection.selections
        elif isinstance(selection, Fragment):
            yield replace(selection, type=None)
        else:
            yield selection

    def _on_abstract(self, position: Position, selections: Selections) -> Iterator[Selection]:
        for selection in selections:
            if isinstance(selection, Fragment):
                yield from self._fragment(position, selection)
            elif self._asked_whole(position, selection.name):
                yield selection
            else:
                for member in sorted(position.scope):
                    yield Fragment(member, (), (selection,))

    def _asked_whole(self, position: Position, name: str) -> bool:
        """Whether a field is asked of the abstract type, not of each of its members."""
        if name == TYPENAME or self.answer(position, name) is not None:
            return True
        return any(True for _ in self.as_interface_object(position.type, name))

    def as_interface_object(self, type_: str, name: str) -> Iterator[tuple[str, str, FieldIn]]:
        """The interfaces, and the subgraphs that know them as objects, with this field."""
        table = self.tables.types[type_]
        interfaces = {type_} if table.abstract else set[str]().union(*table.interfaces.values())
        for interface in sorted(interfaces & self.tables.types.keys()):
            known = self.tables.types[interface]
            for graph in sorted(known.interface_object_in):
                answer = known.field_in(graph, name)
                if answer is not None and not answer.external:
                    yield interface, graph, answer

    def real_graphs(self, type_: str) -> list[str]:
        """The subgraphs that know the members of an interface and can be entered by its key."""
        table = self.tables.types[type_]
        return [
            graph
            for graph in sorted(table.graphs - table.interface_object_in)
            if table.resolvable_keys(graph)
        ]

    def _fragment(self, position: Position, fragment: Fragment) -> Iterator[Selection]:
        meant = self.tables.members(fragment.type or position.type)
        if fragment.type is None or position.scope <= meant:
            below = self._on_abstract(position, fragment.selections)
            if fragment.conditions:
                yield Fragment(None, fragment.conditions, merge_selections(below))
            else:
                yield from below
        elif fragment.type in position.scope or self._told_apart(position, fragment.type):
            yield fragment
        else:
            for member in sorted(position.scope & meant):
                yield replace(fragment, type=member)

    def _told_apart(self, position: Position, type_: str) -> bool:
        """Whether this subgraph means the same members by an abstract type as everybody."""
        table = self.tables.types.get(type_)
        if table is None or not table.abstract or position.graph not in table.graphs:
            return False
        return table.all_members() & position.scope == (
            table.members_in(position.graph) & position.scope
        ) and bool(table.all_members() & position.scope)
