"""Z2, Z4, Z5, Z8: everybody tries everything on the running system, and tests/model says what must become of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cli.demo import ephemeral_system
from tests.e2e import matrix_rows
from tests.e2e.matrix import Bench
from tests.e2e.matrix_world import create


@pytest.fixture(scope="module")
async def bench() -> AsyncIterator[Bench]:
    """A system of its own, with the cast of tests/model in it and nobody else."""
    async with ephemeral_system() as system:
        made = Bench(await create(system))
        yield made
        made.close()
        made.world.stage.client.close()


def told(bench: Bench) -> str:
    """How many cells were compared so far, and each that was wrong."""
    counted = ", ".join(f"{number} {part}" for part, number in bench.cells.items())
    head = f"{sum(bench.cells.values())} cells ({counted}), {len(bench.wrong)} mismatches"
    return "\n".join([head, *bench.wrong])


@pytest.mark.parametrize("part", ["questions", "lists", "fields", "verbs"])
async def test_everybody_sees_and_does_what_the_rules_say_and_nothing_else(
    bench: Bench, part: str
) -> None:
    """R02, R05, R07-R09, R14, R26: mismatches name actor, operation, relation, what was expected and what was answered."""
    before = len(bench.wrong)
    await bench.world.sign_in_anew()
    await getattr(matrix_rows, part)(bench)

    assert bench.wrong[before:] == [], told(bench)
