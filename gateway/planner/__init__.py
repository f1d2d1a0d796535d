"""Operation to plan: find the cheapest moves, cut them into steps, merge, order, write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.plan.nodes import QueryPlan
from gateway.planner.merging import merge_steps
from gateway.planner.names import Names
from gateway.planner.solver import Solver
from gateway.planner.steps import Cutter
from gateway.planner.tree import Position
from gateway.planner.writer import Writer, in_sequence
from gateway.selections import Field, Fragment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.operation import Operation
    from gateway.plan.nodes import Node
    from gateway.selections import Selections
    from gateway.supergraph import Supergraph

__all__ = ["PlanError", "plan"]


class PlanError(Exception):
    """No subgraph, nor any chain of them, can answer a part of the operation."""


def plan(supergraph: Supergraph, operation: Operation) -> QueryPlan:
    """Plan an operation; the same operation on the same supergraph gives the same plan."""
    tables = supergraph.tables
    solver = Solver(tables)
    writer = Writer(tables.graphs, operation.variable_types)
    names = Names(operation.selections)
    nodes: list[Node] = []
    for part in _parts(operation):
        way = solver.solve(Position(operation.root_type, ""), part)
        if way.missing:
            message = f"no subgraph can answer {_first_path(way.missing)}"
            raise PlanError(message)
        nodes.extend(writer.write(merge_steps(Cutter(names, operation.kind).cut(way.tree))))
    return QueryPlan(in_sequence(nodes))


def _parts(operation: Operation) -> Iterator[Selections]:
    """Mutations run one after the other, in the order written; everything else at once."""
    if operation.kind != "mutation":
        yield operation.fetched
        return
    for selection in operation.fetched:
        yield (selection,)


def _first_path(missing: Selections) -> str:
    selection: Field | Fragment = missing[0]
    path = []
    while True:
        path.append(selection.name if isinstance(selection, Field) else f"({selection.type})")
        if not selection.selections:
            return ".".join(path)
        selection = selection.selections[0]
