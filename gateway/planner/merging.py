"""Merges steps that one request can serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.plan.nodes import RequiredOn, Types
from gateway.planner.conflicts import settle_conflicts

if TYPE_CHECKING:
    from gateway.plan.nodes import Path, Required
    from gateway.planner.asked import Asked
    from gateway.planner.steps import Step
    from gateway.selections import Conditions


def merge_steps(steps: list[Step]) -> list[Step]:
    """Fewer steps that bring the same; a step keeps its place in the order."""
    kept: list[Step] = []
    for step in steps:
        host = next((other for other in kept if _may_join(other, step)), None)
        if host is None:
            kept.append(step)
        else:
            _join(host, step, steps)
    for step in kept:
        step.asked.prune()
        step.output_rewrites = settle_conflicts(step.asked)
    return kept


def _may_join(host: Step, step: Step) -> bool:
    """Same subgraph, same objects, same conditions, and neither waits for the other."""
    same = (
        host.graph == step.graph
        and host.kind == step.kind
        and host.entity == step.entity
        and _conditions_agree(host, step)
        and _untyped(host.path) == _untyped(step.path)
    )
    return (
        same
        and step not in host.ancestors()
        and host not in step.ancestors()
        and host.asked.fits(step.asked)
        and not _clash(host, step)
    )


def _clash(host: Step, step: Step) -> bool:
    """Whether one representation would have to hold two values under one name."""
    for name, held in step.needed.items():
        known = {_written(required): required for required in host.needed.get(name, {})}
        if any(known.get(_written(required), required) != required for required in held):
            return True
    return False


def _written(required: Required) -> object:
    if isinstance(required, RequiredOn):
        return required
    return required if required.selections else (required.alias or required.name)


def _conditions_agree(host: Step, step: Step) -> bool:
    """A representation must not need what a condition kept from being fetched."""
    if not host.entity or host.conditions == step.conditions:
        return True
    outer, inner = sorted((host, step), key=lambda s: len(s.conditions))
    return set(outer.conditions) < set(inner.conditions) and all(
        held.keys() <= outer.needed.get(name, {}).keys() for name, held in inner.needed.items()
    )


def _join(host: Step, step: Step, steps: list[Step]) -> None:
    common = tuple(c for c in host.conditions if c in step.conditions)
    host.asked = _wrapped(host, common)
    host.asked.add(_wrapped(step, common))
    host.conditions = common
    host.path = _both(host.path, step.path)
    host.waits_for |= step.waits_for
    for name, held in step.needed.items():
        host.needed.setdefault(name, {}).update(held)
    host.renamed.update(step.renamed)
    for other in steps:
        if step in other.waits_for:
            other.waits_for.discard(step)
            other.waits_for.add(host)


def _wrapped(step: Step, common: Conditions) -> Asked:
    own = tuple(c for c in step.conditions if c not in common)
    return step.asked.wrapped(own)


def _untyped(path: Path) -> Path:
    return path[:-1] if path and isinstance(path[-1], Types) else path


def _both(left: Path, right: Path) -> Path:
    """The path to the objects of either; the same path but for the types at its end."""
    if left == right:
        return left
    ends = [p[-1] for p in (left, right) if p and isinstance(p[-1], Types)]
    if len(ends) < len((left, right)):
        return _untyped(left)
    names = dict.fromkeys(name for end in ends for name in end.names)
    return (*_untyped(left), Types(tuple(names)))
