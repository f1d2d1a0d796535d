"""What one fetch asks for, while it is being put together, and its GraphQL text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.operation import print_conditions
from gateway.planner.tree import LocalField
from gateway.selections import TYPENAME, Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.planner.tree import Branch
    from gateway.selections import Conditions


TYPENAME_FIELD = LocalField(Field(TYPENAME), "String!")


@dataclass(slots=True)
class AskedField:
    """One field of a fetch, and what is asked below it."""

    local: LocalField
    below: Asked

    def shape(self) -> str:
        """What values under one key must have in common: the type, or just its wrapping."""
        type_ = self.local.type
        return type_.replace(type_.strip("[]!"), "") if self.local.composite else type_

    def is_same_leaf(self, other: AskedField | None) -> bool:
        """Whether the other brings the same value under the same key."""
        return other is not None and not self.local.composite and self.local == other.local


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
            self.fields = {TYPENAME: AskedField(TYPENAME_FIELD, Asked()), **self.fields}

    def wrapped(self, conditions: Conditions) -> Asked:
        """The same, asked only under these conditions as well."""
        asked = self
        for condition in conditions:
            asked = Asked(branches={(None, (condition,)): asked})
        return asked

    def prune(self) -> None:
        """Drop from fragments what is asked outside of them as well, and fragments left empty."""
        for branch, below in list(self.branches.items()):
            below.drop_leaves_of(self)
            below.prune()
            if below.is_empty():
                del self.branches[branch]
        for asked in self.fields.values():
            asked.below.prune()
            if asked.local.composite and asked.below.is_empty():
                asked.below.typename()

    def drop_leaves_of(self, outer: Asked) -> None:
        """Drop the leaves that an enclosing selection set asks for."""
        for key, asked in list(self.fields.items()):
            if asked.is_same_leaf(outer.fields.get(key)):
                del self.fields[key]
        for below in self.branches.values():
            below.drop_leaves_of(outer)

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
            used |= asked.local.field.variables | asked.below.variables()
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
            on = f"on {type_}" if type_ else ""
            parts.append(f"...{on}{print_conditions(conditions)}{below.text()}")
        return "{" + " ".join(parts) + "}"


def _field_text(key: str, asked: AskedField) -> str:
    field = asked.local.field
    alias = "" if key == field.name else f"{key}: "
    below = "" if asked.below.is_empty() else asked.below.text()
    return f"{alias}{field.name}{field.arguments}{below}"


def _same_shape(mine: AskedField, theirs: AskedField) -> bool:
    return mine.shape() == theirs.shape() and mine.below.fits(theirs.below)
