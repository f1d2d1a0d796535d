"""Aliases where one response key would mean two types of value in one fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from gateway.plan.nodes import Key, RenameKey, Types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.plan.nodes import Path, Rewrite
    from gateway.planner.asked import Asked, AskedField

Place: TypeAlias = "tuple[Asked, Path]"


def settle_conflicts(asked: Asked) -> tuple[Rewrite, ...]:
    """Alias fields that a subgraph would refuse to answer under one key.

    Members of a union may have fields of one name and different types, such as `ID` and `ID!`.
    Returns the rewrites that give the reply its keys back.
    """
    return tuple(_settle([(asked, ())]))


def _settle(places: list[Place]) -> Iterator[Rewrite]:
    """All places of one response position together; inner keys are given back before outer."""
    by_key: dict[str, dict[str, list[tuple[Asked, AskedField, Path]]]] = {}
    for owner, path in _with_branches(places):
        for key, field in owner.fields.items():
            shapes = by_key.setdefault(key, {})
            shapes.setdefault(field.shape(), []).append((owner, field, path))
    for key, shapes in by_key.items():
        for number, entries in enumerate(shapes.values()):
            alias = f"_typed_{key}_{number}" if number else key
            yield from _settle([(f.below, (*path, Key(alias))) for _, f, path in entries])
            if number:
                yield from _renamed(entries, key, alias)


def _renamed(
    entries: list[tuple[Asked, AskedField, Path]], key: str, alias: str
) -> Iterator[Rewrite]:
    for owner, _, path in entries:
        owner.fields = {alias if k == key else k: f for k, f in owner.fields.items()}
        yield RenameKey((*path, Key(alias)), key)


def _with_branches(places: list[Place]) -> Iterator[Place]:
    for asked, path in places:
        yield asked, path
        for (type_, _), below in asked.branches.items():
            inner = (*path, Types((type_,))) if type_ else path
            yield from _with_branches([(below, inner)])
