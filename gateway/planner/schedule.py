"""Orders steps into waves: as early as they can, or later where that saves a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.planner.steps import Step


def waves(steps: list[Step]) -> list[list[Step]]:
    """Steps by wave; a wave starts when everything in the one before has answered."""
    numbers = _earliest(steps)
    _join_later_requests(steps, numbers)
    found: dict[int, list[Step]] = {}
    for step in steps:
        found.setdefault(numbers[step], []).append(step)
    return [found[index] for index in sorted(found)]


def _earliest(steps: list[Step]) -> dict[Step, int]:
    """Each step in the first wave after everything it waits for."""
    numbers: dict[Step, int] = {}

    def number(step: Step) -> int:
        if step not in numbers:
            numbers[step] = 1 + max((number(other) for other in step.waits_for), default=-1)
        return numbers[step]

    for step in steps:
        number(step)
    return numbers


def _join_later_requests(steps: list[Step], numbers: dict[Step, int]) -> None:
    """Let entity steps wait for a later request to their subgraph, if nobody waits for them.

    The number of waves stays the same; there is one request less.
    """
    groups: dict[tuple[str, int], list[Step]] = {}
    for step in steps:
        if step.entity:
            groups.setdefault((step.graph, numbers[step]), []).append(step)
    for graph, wave in sorted(groups, key=lambda group: -group[1]):
        group = groups[graph, wave]
        latest = min(_latest(step, steps, numbers) for step in group)
        later = [w for g, w in groups if g == graph and wave < w <= latest]
        if later:
            numbers.update(dict.fromkeys(group, min(later)))
            groups[graph, min(later)].extend(group)
            del groups[graph, wave]


def _latest(step: Step, steps: list[Step], numbers: dict[Step, int]) -> int:
    """The last wave in which the step keeps nobody waiting."""
    followers = (numbers[other] for other in steps if step in other.waits_for)
    return min(followers, default=len(steps)) - 1
