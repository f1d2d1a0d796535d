"""Z2, Z4, Z5, Z8: everybody tries everything on the running system, and tests/model says what must become of it."""

from __future__ import annotations

import pytest

from tests.e2e import matrix_live, matrix_rows
from tests.e2e.matrix import Bench
from tests.model.cast import NOT_YET

PARTS = {
    "questions": matrix_rows.questions,
    "lists": matrix_rows.lists,
    "fields": matrix_rows.fields,
    "subscriptions": matrix_live.subscriptions,
    "verbs": matrix_rows.verbs,
}
"""In this order: what verbs do is not to be seen in lists."""


def told(bench: Bench) -> str:
    """How many cells were compared so far, and each that was wrong."""
    counted = ", ".join(f"{number} {part}" for part, number in bench.cells.items())
    head = f"{sum(bench.cells.values())} cells ({counted}), {len(bench.wrong)} mismatches"
    return "\n".join([head, *bench.wrong])


@pytest.mark.parametrize("part", PARTS)
async def test_everybody_sees_and_does_what_the_rules_say_and_nothing_else(
    matrix: Bench, part: str
) -> None:
    """R02, R05, R07-R09, R14, R26: mismatches name actor, operation, relation, what was expected and what was answered."""
    before = len(matrix.wrong)
    await matrix.world.sign_in_anew()
    await PARTS[part](matrix)
    matrix.done.add(part)

    assert matrix.wrong[before:] == [], told(matrix)


@pytest.mark.parametrize("who", NOT_YET)
def test_what_the_rules_say_of_some_waits_for_the_product(who: str) -> None:
    """R02: skipped, so that it is seen."""
    pytest.skip(f"{who}: {NOT_YET[who]}")


async def test_ten_thousand_verdicts_were_compared(matrix: Bench) -> None:
    """Z2. It comes last; what was not asked proves nothing."""
    if set(PARTS) <= matrix.done:
        assert sum(matrix.cells.values()) > 10_000, told(matrix)
