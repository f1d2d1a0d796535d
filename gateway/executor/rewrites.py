"""Rewrites a plan asks for: values set in representations, keys renamed in replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.plan import Key, SetValue
from gateway.selections import TYPENAME

if TYPE_CHECKING:
    from gateway.executor.entities import Entities
    from gateway.executor.wire import Json
    from gateway.plan import Path, Rewrite


def rewrite(entities: Entities, value: Json, rewrites: tuple[Rewrite, ...]) -> None:
    """Apply each rewrite, in place, to an object or to every object of a list."""
    for one in rewrites:
        _apply(entities, value, one, one.path)


def _apply(entities: Entities, value: Json, one: Rewrite, path: Path) -> None:
    if isinstance(value, list):
        for item in value:
            _apply(entities, item, one, path)
        return
    if not isinstance(value, dict) or not path:
        return
    head, rest = path[0], path[1:]
    if isinstance(head, Key):
        _apply_key(entities, value, one, (head.name, rest))
    elif _matches(entities, value, getattr(head, "names", ())):
        _apply(entities, value, one, rest)


def _apply_key(
    entities: Entities, value: dict[str, Any], one: Rewrite, at: tuple[str, Path]
) -> None:
    name, rest = at
    if name not in value:
        return
    if rest:
        _apply(entities, value[name], one, rest)
    elif isinstance(one, SetValue):
        value[name] = one.value
    else:
        value[one.name] = value.pop(name)


def _matches(entities: Entities, value: dict[str, Any], names: tuple[str, ...]) -> bool:
    known = value.get(TYPENAME)
    return known is None or any(entities.is_a(known, name) for name in names)
