"""The tree of chosen moves: what is asked where, before it is cut into fetches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from gateway.selections import Conditions, Field, Selections

JUMP_COST = 1000
LEVEL_COST = 10
BRANCH_COST = 20
K = TypeVar("K")
Branch: TypeAlias = "tuple[str | None, Conditions]"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a plan stands: an object of `type` as `graph` answers it.

    `scope` narrows what an abstract type may turn out to be here; `provided` lists external
    fields that the way here makes available; `rivals` are the subgraphs that could have answered
    the same field.
    """

    type: str
    graph: str
    scope: frozenset[str] = frozenset()
    provided: Selections = ()
    rivals: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Edge:
    """A move to another subgraph at the same object, by handing over `requires`.

    `type` is the name under which the other subgraph knows the object; `members` are the object
    types it does not tell apart under that name.
    """

    graph: str
    type: str
    requires: Selections
    entity: bool = True
    abstract: bool = False
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalField:
    """A field asked where the plan stands. `type` is printed, as its subgraph has it."""

    field: Field
    type: str
    composite: bool = False
    abstract: bool = False

    @property
    def depth(self) -> int:
        """How many lists the value is wrapped in."""
        return self.type.count("[")


@dataclass(slots=True)
class Jump:
    """`needs` is how the edge's requirement is fetched here; `gets` what is asked over there."""

    needs: Tree
    gets: Tree


@dataclass(slots=True)
class Tree:
    """What is asked at one object."""

    fields: dict[LocalField, Tree] = field(default_factory=dict)
    branches: dict[Branch, Tree] = field(default_factory=dict)
    jumps: dict[Edge, Jump] = field(default_factory=dict)

    def merged(self, other: Tree) -> Tree:
        """Both trees in one; neither is changed."""
        return Tree(
            _merged(self.fields, other.fields),
            _merged(self.branches, other.branches),
            self._merged_jumps(other),
        )

    def _merged_jumps(self, other: Tree) -> dict[Edge, Jump]:
        both = dict(self.jumps)
        for edge, jump in other.jumps.items():
            known = both.get(edge)
            if known is not None:
                both[edge] = Jump(known.needs.merged(jump.needs), known.gets.merged(jump.gets))
            else:
                both[edge] = jump
        return both

    def has_jumps(self) -> bool:
        return bool(self.jumps) or any(
            tree.has_jumps() for tree in (*self.fields.values(), *self.branches.values())
        )

    def cost(self, level: int = 0) -> int:
        """Fetches weigh a thousand, and more the more objects they may be for; fields one."""
        each = JUMP_COST + LEVEL_COST * level
        total = each * len({(edge.graph, edge.type) for edge in self.jumps})
        for jump in self.jumps.values():
            total += jump.needs.cost(level) + jump.gets.cost(level)
        for local, tree in self.fields.items():
            total += 1 + tree.cost(level + local.depth)
        for (type_, _), tree in self.branches.items():
            total += (BRANCH_COST if type_ else 0) + tree.cost(level)
        return total


def _merged(left: dict[K, Tree], right: dict[K, Tree]) -> dict[K, Tree]:
    if not right:
        return left
    both = dict(left)
    for key, tree in right.items():
        known = both.get(key)
        both[key] = tree if known is None else known.merged(tree)
    return both
