"""What one fetch asks for, while it is being put together, and its GraphQL text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.operation import print_conditions
from gateway.selections import TYPENAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.planner.tree import Branch
    from gateway.selections import Conditions


@dataclass(slots=True)
class AskedField:
    """One field of a fetch; `type` is printed, as its subgraph has it."""

    name: str
    arguments: str
    type: str
    variables: frozenset[str]
    below: Asked


@dataclass(slots=True)
class Asked:
    """A selection set under construction: fields by response key, and fragments."""

    fields: dict[str, AskedField] = field(default_factory=dict)
    branches: dict[Branch, Asked] = field(default_factory=dict)

    def branch(self, type_: str | None, conditions: Conditions) -> Asked:
        """The selection set of a fragment, made when it is new."""
        if type_ is None and not conditions:
            return self
        return self.branches.setdefault((type_, conditions), Asked())

    def typename(self) -> None:
        """Ask for the object's type name."""
        if TYPENAME not in self.fields:
            asked = AskedField(TYPENAME, "", "String!", frozenset(), Asked())
            self.fields = {TYPENAME: asked, **self.fields}

    def add(self, other: Asked) -> None:
        """Ask for everything the other asks for as well."""
        for key, theirs in other.fields.items():
            mine = self.fields.get(key)
            if mine is None:
                self.fields[key] = theirs
            else:
                mine.below.add(theirs.below)
        for (type_, conditions), below in other.branches.items():
            self.branch(type_, conditions).add(below)

    def variables(self) -> frozenset[str]:
        """The variables used by arguments and conditions."""
        used: set[str] = set()
        for asked in self.fields.values():
            used |= asked.variables | asked.below.variables()
        for (_, conditions), below in self.branches.items():
            used |= {c.variable for c in conditions} | below.variables()
        return frozenset(used)

    def is_empty(self) -> bool:
        return not self.fields and all(below.is_empty() for below in self.branches.values())

    def fits(self, other: Asked) -> bool:
        """Whether both may stand in one selection set without a response key meaning two things."""
        theirs = dict(other.every_field())
        return all(
            _same_shape(mine, theirs[key]) for key, mine in self.every_field() if key in theirs
        )

    def every_field(self) -> Iterator[tuple[str, AskedField]]:
        """The fields of this selection set and of all its fragments."""
        yield from self.fields.items()
        for below in self.branches.values():
            yield from below.every_field()

    def text(self) -> str:
        """GraphQL on one line, with braces."""
        parts = [_field_text(key, asked) for key, asked in self.fields.items()]
        for (type_, conditions), below in self.branches.items():
            if not below.is_empty():
                on = f"on {type_}" if type_ else ""
                parts.append(f"...{on}{print_conditions(conditions)}{below.text()}")
        return "{" + " ".join(parts) + "}"


def _field_text(key: str, asked: AskedField) -> str:
    alias = "" if key == asked.name else f"{key}: "
    below = "" if asked.below.is_empty() else asked.below.text()
    return f"{alias}{asked.name}{asked.arguments}{below}"


def _same_shape(mine: AskedField, theirs: AskedField) -> bool:
    if mine.below.is_empty() or theirs.below.is_empty():
        return mine.type == theirs.type
    same_wrapping = mine.type.count("[") == theirs.type.count("[") and (
        mine.type.replace(mine.type.strip("[]!"), "")
        == theirs.type.replace(theirs.type.strip("[]!"), "")
    )
    return same_wrapping and mine.below.fits(theirs.below)
