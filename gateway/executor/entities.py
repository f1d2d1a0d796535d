"""Objects in the merged data: found by path, represented for other subgraphs, merged into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from gateway.plan import Each, Key, RequiredOn
from gateway.selections import TYPENAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.executor.wire import Data, Json
    from gateway.plan import Path, RequiredField, Requires, Types
    from gateway.supergraph.tables import Tables

ClientPath = tuple[str | int, ...]
_ABSENT: Any = object()


def _items(value: Json) -> Iterator[Data]:
    """The objects in a list, and in the lists it holds."""
    if isinstance(value, list):
        for item in value:
            yield from _items(item)
    elif value is not None:
        yield value


def _placed_items(value: Json, way: ClientPath) -> Iterator[tuple[Data, ClientPath]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _placed_items(item, (*way, index))
    elif value is not None:
        yield value, way


class Entities:
    """Reads objects with a supergraph's knowledge of which type is which."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def at(self, data: Data, path: Path) -> list[Data]:
        """The objects at a path, in order; null and absent ones are left out."""
        found: list[Any] = [data]
        for segment in path:
            if isinstance(segment, Key):
                name = segment.name
                found = [v for o in found if (v := o.get(name)) is not None]
            elif isinstance(segment, Each):
                found = [item for value in found for item in _items(value)]
            else:
                found = [o for o in found if self._is_one_of(o, segment)]
        return found

    def paths_at(self, data: Data, path: Path) -> list[ClientPath]:
        """Where the objects of `at` stand, in the same order."""
        found: list[tuple[Any, ClientPath]] = [(data, ())]
        for segment in path:
            found = [pair for value, way in found for pair in self._step(value, way, segment)]
        return [way for _, way in found]

    def _step(self, value: Json, way: ClientPath, segment: object) -> Iterator[Any]:
        if isinstance(segment, Key):
            below = value.get(segment.name)
            if below is not None:
                yield below, (*way, segment.name)
        elif isinstance(segment, Each):
            yield from _placed_items(value, way)
        elif self._is_one_of(value, segment):  # type: ignore[arg-type]
            yield value, way

    def _is_one_of(self, value: Data, types: Types) -> bool:
        name = value.get(TYPENAME)
        return name is None or any(self.is_a(name, type_) for type_ in types.names)

    def is_a(self, name: str, type_: str) -> bool:
        """Whether an object that calls itself `name` counts as `type_`."""
        return name == type_ or name in self.tables.members(type_)

    def representation(self, value: Data, requires: Requires) -> Data | None:
        """What another subgraph needs to know the object; None when a part of it is not there."""
        name = value.get(TYPENAME)
        for required in requires:
            if isinstance(required, RequiredOn) and self._applies(name, required.type):
                found: Data = {TYPENAME: name or required.type}
                return found if self._fill(found, value, required.selections) else None
        return None

    def _applies(self, name: str | None, type_: str) -> bool:
        return name is None or self.is_a(name, type_) or self.tables.is_abstract(name)

    def _fill(self, target: Data, value: Data, requires: Requires) -> bool:
        for required in requires:
            if isinstance(required, RequiredOn):
                if self._applies(value.get(TYPENAME), required.type):
                    self._fill(target, value, required.selections)
            elif not self._fill_field(target, value, required):
                return False
        return True

    def _fill_field(self, target: Data, value: Data, required: RequiredField) -> bool:
        held = value.get(required.name, _ABSENT)
        if held is _ABSENT:
            return required.name == TYPENAME
        if required.selections and held is not None:
            held = self._below(held, required.selections)
            if held is _ABSENT:
                return False
        target[required.alias or required.name] = held
        return True

    def _below(self, held: Json, requires: Requires) -> Json:
        if isinstance(held, list):
            items = [None if item is None else self._below(item, requires) for item in held]
            return _ABSENT if any(item is _ABSENT for item in items) else items
        inner: Data = {}
        return inner if self._fill(inner, held, requires) else _ABSENT

    def merge(self, target: Data, source: Data) -> None:
        """Add what another subgraph says of the same object."""
        for key, value in source.items():
            known = target.get(key)
            if known is None:
                target[key] = value
            elif key == TYPENAME:
                if self.tables.is_abstract(known):
                    target[key] = value
            else:
                target[key] = self._merged(known, value)

    def _merged(self, known: Json, value: Json) -> Json:
        if isinstance(known, dict) and isinstance(value, dict):
            self.merge(known, value)
            return known
        if isinstance(known, list) and isinstance(value, list) and len(known) == len(value):
            return [self._merged(k, v) for k, v in zip(known, value, strict=True)]
        return known if value is None else value


class Representations:
    """The distinct representations of one request, and the objects each one stands for."""

    def __init__(self, entities: Entities) -> None:
        self._entities = entities
        self._numbers: dict[bytes, int] = {}
        self.values: list[Data] = []
        self.owners: list[list[tuple[int, int, Data]]] = []

    def add(self, path_number: int, objects: list[Data], requires: Requires) -> None:
        """Represent objects found at one path; equal ones are asked for once."""
        for place, value in enumerate(objects):
            found = self._entities.representation(value, requires)
            if found is None:
                continue
            number = self._numbers.setdefault(orjson.dumps(found), len(self.values))
            if number == len(self.values):
                self.values.append(found)
                self.owners.append([])
            self.owners[number].append((path_number, place, value))

    def owners_of(self, number: object) -> list[tuple[int, int]]:
        """Where the owners of one representation stand: path number, and place at that path."""
        if not isinstance(number, int) or not 0 <= number < len(self.owners):
            return []
        return [(path_number, place) for path_number, place, _ in self.owners[number]]
