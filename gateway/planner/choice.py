"""Chooses among several ways for several fields, so that shared fetches are paid once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.planner.tree import Tree

ROUNDS = 4
RECONSIDERED = 24  # beyond so many contested fields, the first choice stands: planning stays quick


def choose(base: Tree, contested: Sequence[Sequence[Tree]]) -> Tree:
    """Merge one tree of each group into the base, at a low total cost.

    Fields with the fewest ways choose first; then each may change its mind, knowing what the
    others chose, until nobody gains.
    """
    groups = sorted(contested, key=len)
    chosen: list[Tree] = []
    tree = base
    for group in groups:
        best = _cheapest(tree, group)
        chosen.append(best)
        tree = tree.merged(best)
    if not 1 < len(groups) <= RECONSIDERED:
        return tree
    for _ in range(ROUNDS):
        if not _improve(base, groups, chosen):
            break
    return _all(base, chosen)


def _improve(base: Tree, groups: Sequence[Sequence[Tree]], chosen: list[Tree]) -> bool:
    changed = False
    for index, group in enumerate(groups):
        others = _all(base, [tree for i, tree in enumerate(chosen) if i != index])
        best = _cheapest(others, group)
        if others.merged(best).cost() < others.merged(chosen[index]).cost():
            chosen[index], changed = best, True
    return changed


def _cheapest(base: Tree, group: Sequence[Tree]) -> Tree:
    return min(group, key=lambda tree: base.merged(tree).cost())


def _all(base: Tree, trees: Sequence[Tree]) -> Tree:
    for tree in trees:
        base = base.merged(tree)
    return base
