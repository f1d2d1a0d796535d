"""Cuts the tree of moves into steps: one request each, with what each must wait for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from gateway.plan.nodes import Each, Key, RequiredField, RequiredOn, SetValue, Types
from gateway.planner.asked import Asked, AskedField
from gateway.selections import TYPENAME, Field, Fragment

if TYPE_CHECKING:
    from gateway.plan.nodes import Path, Required, Requires, Rewrite
    from gateway.planner.names import Names
    from gateway.planner.tree import Edge, Jump, LocalField, Tree
    from gateway.selections import Conditions, Selections

Needed: TypeAlias = "tuple[str, Selections]"


@dataclass(eq=False, slots=True)
class Step:
    """One request to one subgraph, at the objects of one path.

    `needed` is what each representation must hold, by type; a root step needs nothing.
    `renamed` lists, by interface, the members that the subgraph knows under its name only.
    """

    graph: str
    kind: str
    path: Path
    conditions: Conditions
    entity: bool
    renamed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked)
    needed: dict[str, dict[Required, None]] = field(default_factory=dict)
    output_rewrites: tuple[Rewrite, ...] = ()
    waits_for: set[Step] = field(default_factory=set)

    def requires(self) -> Requires:
        return tuple(RequiredOn(name, tuple(held)) for name, held in self.needed.items())

    def input_rewrites(self) -> tuple[Rewrite, ...]:
        return tuple(
            SetValue((Types(members), Key(TYPENAME)), name)
            for name, members in self.renamed.items()
        )

    def ancestors(self) -> set[Step]:
        """Every step that must have answered before this one can start."""
        found: set[Step] = set()
        open_ = list(self.waits_for)
        while open_:
            step = open_.pop()
            if step not in found:
                found.add(step)
                open_.extend(step.waits_for)
        return found


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the cutter stands: an object's path, and the selection set being filled for it."""

    path: Path
    keys: tuple[str, ...]
    asked: Asked
    step: Step | None
    conditions: Conditions = ()

    def branch(self, type_: str | None, conditions: Conditions) -> Spot:
        """Inside a fragment at the same object."""
        path = self.path
        if type_ is not None and path:
            path = path[:-1] if isinstance(path[-1], Types) else path
            path = (*path, Types((type_,)))
        both = tuple(dict.fromkeys((*self.conditions, *conditions)))
        inner = self.asked.branch(type_, conditions)
        return replace(self, path=path, asked=inner, conditions=both)


class Cutter:
    """Walks a tree once and collects its steps."""

    def __init__(self, names: Names, kind: str) -> None:
        self.names = names
        self.kind = kind
        self.steps: dict[object, Step] = {}

    def cut(self, tree: Tree) -> list[Step]:
        """The steps of a whole operation, in the order they were met."""
        self._ask(tree, Spot((), (), Asked(), None))
        return list(self.steps.values())

    def _ask(self, tree: Tree, spot: Spot) -> set[Step]:
        """Ask for everything in the tree; returns the steps that will bring it."""
        touched = {spot.step} if spot.step else set[Step]()
        for local, below in tree.fields.items():
            touched |= self._field(local, below, spot)
        for (type_, conditions), below in tree.branches.items():
            touched |= self._ask(below, spot.branch(type_, conditions))
        for edge, jump in tree.jumps.items():
            touched |= self._jump(edge, jump, spot)
        return touched

    def _field(self, local: LocalField, below: Tree, spot: Spot) -> set[Step]:
        if local.field.name == TYPENAME:
            spot.asked.typename()
            return set()
        key = self.names.key(spot.keys, local.field)
        asked = spot.asked.fields.get(key)
        if asked is None:
            asked = spot.asked.fields[key] = AskedField(local, Asked())
        if local.abstract:
            asked.below.typename()
        path = (*spot.path, Key(key), *((Each(),) if local.depth else ()))
        inner = replace(spot, path=path, keys=(*spot.keys, key), asked=asked.below)
        return self._ask(below, inner)

    def _jump(self, edge: Edge, jump: Jump, spot: Spot) -> set[Step]:
        before = self._ask(jump.needs, spot)
        step = self._step(edge, spot)
        step.waits_for |= before
        inside = step.asked
        if edge.entity:
            spot.asked.typename()
            held = step.needed.setdefault(edge.type, {RequiredField(TYPENAME): None})
            held.update(dict.fromkeys(self._required(edge.requires, spot.keys)))
            inside = inside.branch(edge.type, ())
            if edge.abstract:
                inside.typename()
            if edge.members:
                step.renamed[edge.type] = edge.members
        return self._ask(jump.gets, replace(spot, asked=inside, step=step))

    def _step(self, edge: Edge, spot: Spot) -> Step:
        identity = (edge, spot.path, spot.conditions)
        step = self.steps.get(identity)
        if step is None:
            kind = self.kind if not spot.path and not edge.entity else "query"
            step = Step(edge.graph, kind, spot.path, spot.conditions, edge.entity)
            self.steps[identity] = step
        return step

    def _required(self, selections: Selections, keys: tuple[str, ...]) -> Requires:
        """The representation's fields, each read under the key it has in the plan's data."""
        return tuple(self._required_one(selection, keys) for selection in selections)

    def _required_one(self, selection: Field | Fragment, keys: tuple[str, ...]) -> Required:
        if isinstance(selection, Fragment):
            below = self._required(selection.selections, keys)
            return RequiredOn(selection.type or "", below)
        key = self.names.key(keys, selection)
        below = self._required(selection.selections, (*keys, key))
        return RequiredField(key, selection.name if key != selection.name else None, below)
