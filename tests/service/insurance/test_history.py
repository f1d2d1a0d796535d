"""What was true stays as it was."""

from __future__ import annotations

from tests.service.insurance.asking import ADD, END, a_plan, mutate, rows, wanted
from tests.service.insurance.conftest import Insurance, Practice


async def test_what_is_over_is_not_ended_again_on_an_earlier_day(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    plan_id = await a_plan(insurance)
    input_ = wanted(practice, plan_id, "2020-01-01", "2021-01-01")
    row = await mutate(insurance, ADD, input_, practice.manager)
    ending = {
        "participationId": row["id"],
        "effectiveUntil": "2020-06-01",
        "expectedVersion": row["version"],
    }

    refused = await mutate(insurance, END, ending, practice.manager)

    assert (row["allowedActions"], refused["code"]) == ([], "PARTICIPATION_ENDED")
    (kept,) = await rows(insurance, practice.manager)
    assert kept["effectiveUntil"] == "2021-01-01"
