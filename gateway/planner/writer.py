"""Writes steps as plan nodes, wave by wave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.operation import print_conditions
from gateway.plan.nodes import (
    BatchFetch,
    BatchPart,
    Condition,
    Fetch,
    Flatten,
    Parallel,
    Sequence,
    Subscription,
)
from gateway.planner.schedule import waves

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.plan.nodes import Node, Requires
    from gateway.planner.asked import Asked
    from gateway.planner.steps import Step
    from gateway.selections import Condition as Given
    from gateway.selections import Conditions

ENTITIES = "representations"


class Writer:
    """Writes steps for one operation; `graphs` gives subgraph names, `types` variable types."""

    def __init__(self, graphs: Mapping[str, str], types: Mapping[str, str]) -> None:
        self.graphs = graphs
        self.types = types

    def write(self, steps: list[Step]) -> list[Node]:
        """One node per wave; a wave starts when all steps of the one before have answered."""
        return [_parallel(list(self._wave(wave))) for wave in waves(steps)]

    def _wave(self, wave: list[Step]) -> Iterable[Node]:
        """Entity steps of one subgraph travel together."""
        groups: dict[object, list[Step]] = {}
        for step in wave:
            groups.setdefault(step.graph if step.entity else step, []).append(step)
        for group in (part for whole in groups.values() for part in _together(whole)):
            common = _common_conditions(group)
            node = self._batch(group) if self._needs_batch(group) else self._single(group[0])
            yield _conditional(common, node)

    def _needs_batch(self, group: list[Step]) -> bool:
        return len(group) > 1 or (group[0].entity and ENTITIES in self.types)

    def _single(self, step: Step) -> Node:
        used = tuple(sorted(step.asked.variables()))
        body = step.asked.text()
        declared = {name: self.types[name] for name in used}
        if step.entity:
            body = f"{{_entities({ENTITIES}: ${ENTITIES}){body}}}"
            declared = {ENTITIES: "[_Any!]!", **declared}
        fetch = Fetch(
            service=self.graphs[step.graph],
            operation=_operation(step.kind, declared, body),
            kind=step.kind,
            variables=used,
            requires=step.requires(),
            input_rewrites=step.input_rewrites(),
            output_rewrites=step.output_rewrites,
        )
        if step.kind == "subscription":
            return Subscription(fetch)
        return Flatten(step.path, fetch) if step.path else fetch

    def _batch(self, group: list[Step]) -> Node:
        parts = _parts(group)
        used = tuple(sorted(set[str]().union(*(_variables(step, group) for step in group))))
        declared = {part.representations: "[_Any!]!" for part in parts}
        declared |= {name: self.types[name] for name in used}
        fields = (
            f"{part.alias}: _entities({ENTITIES}: ${part.representations}){text}"
            for part, text in parts.items()
        )
        return BatchFetch(
            service=self.graphs[group[0].graph],
            operation=_operation("query", declared, "{" + " ".join(fields) + "}"),
            parts=tuple(parts),
            variables=used,
        )


def _together(group: list[Step]) -> Iterable[list[Step]]:
    """Steps under unlike conditions share a request only if it is sent in any case."""
    common = _common_conditions(group)
    if any(set(step.conditions) == set(common) for step in group):
        return [group]
    split: dict[frozenset[Given], list[Step]] = {}
    for step in group:
        split.setdefault(frozenset(step.conditions), []).append(step)
    return split.values()


def _parts(group: list[Step]) -> dict[BatchPart, str]:
    """The parts of a batch and their texts; equal questions about several paths are one part."""
    paths: dict[tuple[str, Requires], list[Step]] = {}
    for step in group:
        text = _conditional_text(step.asked, _own_conditions(step, group))
        paths.setdefault((text, step.requires()), []).append(step)
    found: dict[BatchPart, str] = {}
    for number, ((text, requires), steps) in enumerate(paths.items()):
        part = BatchPart(
            alias=f"_e{number}",
            representations=f"__batch_reps_{number}",
            paths=tuple(step.path for step in steps),
            requires=requires,
            input_rewrites=steps[0].input_rewrites(),
            output_rewrites=steps[0].output_rewrites,
        )
        found[part] = text
    return found


def _own_conditions(step: Step, group: list[Step]) -> Conditions:
    """The conditions of a step that not all of its group share."""
    common = _common_conditions(group)
    return tuple(c for c in step.conditions if c not in common)


def _variables(step: Step, group: list[Step]) -> set[str]:
    own = {condition.variable for condition in _own_conditions(step, group)}
    return own | step.asked.variables()


def _conditional_text(asked: Asked, conditions: Conditions) -> str:
    """Text under conditions; one directive of a sort may stand there, others go inside."""
    outside = {condition.wanted: condition for condition in conditions}
    inside = tuple(c for c in conditions if c not in outside.values())
    return print_conditions(tuple(outside.values())) + asked.wrapped(inside).text()


def _common_conditions(group: list[Step]) -> Conditions:
    """The conditions under which any of the group is wanted at all."""
    first, *others = group
    return tuple(c for c in first.conditions if all(c in s.conditions for s in others))


def _operation(kind: str, declared: Mapping[str, str], body: str) -> str:
    if not declared:
        return body if kind == "query" else kind + body
    variables = ", ".join(f"${name}:{type_}" for name, type_ in declared.items())
    return f"{kind}({variables}){body}"


def _conditional(conditions: Conditions, node: Node) -> Node:
    for condition in reversed(conditions):
        if condition.wanted:
            node = Condition(condition.variable, if_true=node)
        else:
            node = Condition(condition.variable, if_false=node)
    return node


def _parallel(nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else Parallel(tuple(nodes))


def in_sequence(nodes: list[Node]) -> Node | None:
    """One node for all; None for none."""
    if not nodes:
        return None
    return nodes[0] if len(nodes) == 1 else Sequence(tuple(nodes))
