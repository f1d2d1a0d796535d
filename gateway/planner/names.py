"""Response keys inside the plan: the client's own, and aliases for what only the plan needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from gateway.selections import TYPENAME, Field

if TYPE_CHECKING:
    from gateway.selections import Selections

Keys: TypeAlias = tuple[str, ...]
Meaning: TypeAlias = tuple[str, str]


class Names:
    """Gives each field at each place one response key that means nothing else there."""

    def __init__(self, selections: Selections) -> None:
        self._taken: dict[Keys, dict[str, set[Meaning]]] = {}
        self._given: dict[tuple[Keys, Meaning], str] = {}
        self._reserve((), selections)

    def _reserve(self, place: Keys, selections: Selections) -> None:
        taken = self._taken.setdefault(place, {})
        for selection in selections:
            if not isinstance(selection, Field):
                self._reserve(place, selection.selections)
                continue
            meaning = (selection.name, selection.arguments)
            taken.setdefault(selection.key, set()).add(meaning)
            if selection.selections:
                self._reserve((*place, selection.key), selection.selections)

    def key(self, place: Keys, field: Field) -> str:
        """The client's key of a field the client asked for; else a free one."""
        if field.key or field.name == TYPENAME:
            return field.key or TYPENAME
        meaning = (field.name, field.arguments)
        given = self._given.get((place, meaning))
        if given is None:
            given = self._given[place, meaning] = self._free(place, meaning)
        return given

    def _free(self, place: Keys, meaning: Meaning) -> str:
        taken = self._taken.setdefault(place, {})
        name, number = meaning[0], 0
        while taken.get(name, {meaning}) != {meaning}:
            name, number = f"_internal_{meaning[0]}_{number}", number + 1
        taken[name] = {meaning}
        return name
