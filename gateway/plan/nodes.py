"""The nodes a plan is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Key:
    """A step down a path, into the value under this response key."""

    name: str


@dataclass(frozen=True, slots=True)
class Types:
    """Only objects of these types; their interfaces count as well."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Each:
    """Every object of a list, and of the lists in it."""


Segment: TypeAlias = "Key | Types | Each"
Path: TypeAlias = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class RequiredField:
    """One value of a representation: read under `name`, written under `alias` when that is set."""

    name: str
    alias: str | None = None
    selections: Requires = ()


@dataclass(frozen=True, slots=True)
class RequiredOn:
    """What a representation holds when the object is of this type."""

    type: str
    selections: Requires


Required: TypeAlias = "RequiredField | RequiredOn"
Requires: TypeAlias = "tuple[RequiredField | RequiredOn, ...]"


@dataclass(frozen=True, slots=True)
class SetValue:
    """Replace the value at the path."""

    path: Path
    value: str


@dataclass(frozen=True, slots=True)
class RenameKey:
    """Rename the last key of the path."""

    path: Path
    name: str


Rewrite: TypeAlias = "SetValue | RenameKey"


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to one subgraph; with `requires` it asks for entities."""

    service: str
    operation: str
    kind: str = "query"
    variables: tuple[str, ...] = ()
    requires: Requires = ()
    input_rewrites: tuple[Rewrite, ...] = ()
    output_rewrites: tuple[Rewrite, ...] = ()
    operation_name: str | None = None


@dataclass(frozen=True, slots=True)
class BatchPart:
    """One aliased `_entities` field of a batch, for the objects found at all its paths."""

    alias: str
    representations: str
    paths: tuple[Path, ...]
    requires: Requires
    input_rewrites: tuple[Rewrite, ...] = ()
    output_rewrites: tuple[Rewrite, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchFetch:
    """One request to one subgraph for several sorts of entities."""

    service: str
    operation: str
    parts: tuple[BatchPart, ...]
    variables: tuple[str, ...] = ()
    kind: str = "query"
    operation_name: str | None = None


@dataclass(frozen=True, slots=True)
class Flatten:
    """Run the node for the objects at the path."""

    path: Path
    node: Node


@dataclass(frozen=True, slots=True)
class Sequence:
    """One node after the other."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    """All nodes at once."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """One node or the other, by a Boolean variable."""

    variable: str
    if_true: Node | None = None
    if_false: Node | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A stream of one subgraph; whatever follows in the plan completes each of its events."""

    primary: Fetch


Node: TypeAlias = "Fetch | BatchFetch | Flatten | Sequence | Parallel | Condition | Subscription"


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """A plan; without a node, the gateway answers from its own schema alone."""

    node: Node | None
