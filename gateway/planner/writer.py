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

    from gateway.plan.nodes import Node, Path
    from gateway.planner.asked import Asked
    from gateway.planner.steps import Step
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
        for group in groups.values():
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
        common = _common_conditions(group)
        parts: dict[object, tuple[BatchPart, str]] = {}
        used_names: set[str] = set()
        for step in group:
            own = tuple(c for c in step.conditions if c not in common)
            used_names |= step.asked.variables() | {c.variable for c in own}
            text, requires = _conditional_text(step.asked, own), step.requires()
            paths: tuple[Path, ...] = (step.path,)
            number = len(parts)
            if (text, requires) in parts:
                known, _ = parts[text, requires]
                paths = (*known.paths, step.path)
                number = int(known.alias.removeprefix("_e"))
            name = f"__batch_reps_{number}"
            part = BatchPart(
                f"_e{number}", name, paths, requires, step.input_rewrites(), step.output_rewrites
            )
            parts[text, requires] = (part, text)
        used = tuple(sorted(used_names))
        declared = {part.representations: "[_Any!]!" for part, _ in parts.values()}
        declared |= {name: self.types[name] for name in used}
        fields = (
            f"{part.alias}: _entities({ENTITIES}: ${part.representations}){text}"
            for part, text in parts.values()
        )
        return BatchFetch(
            service=self.graphs[group[0].graph],
            operation=_operation("query", declared, "{" + " ".join(fields) + "}"),
            parts=tuple(part for part, _ in parts.values()),
            variables=used,
        )


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
