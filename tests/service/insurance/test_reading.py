"""Reading participations: directory data for the whole network."""

from dataclasses import replace

import pytest

from tests.service.insurance.asking import (
    ADD,
    ADD_MANY,
    PARTICIPATIONS,
    a_plan,
    mutate,
    rows,
    wanted,
)
from tests.service.insurance.conftest import Insurance, Practice, new_practice


async def test_the_network_reads_participations_once_directory_shows_the_place_but_not_who_verified_them(
    insurance: Insurance, practice: Practice
) -> None:
    input_ = wanted(practice, await a_plan(insurance), "2026-01-01")
    row = await mutate(insurance, ADD, input_, practice.manager)
    stranger = replace(new_practice(insurance).manager, insurance_manager=False)
    before = await rows(insurance, stranger, officeId=practice.office_id)
    await insurance.show(practice)

    (seen,) = await rows(insurance, stranger, officeId=practice.office_id)

    assert (seen["id"], seen["lastVerifiedBy"]) == (row["id"], None)
    assert seen["allowedActions"] == []
    assert await rows(insurance, stranger) == []
    assert before == []


async def test_pages_of_participations_follow_one_another(
    insurance: Insurance, practice: Practice
) -> None:
    input_ = wanted(practice, "", "2026-01-01") | {
        "planIds": [await a_plan(insurance) for _ in range(3)]
    }
    del input_["planId"]
    await mutate(insurance, ADD_MANY, input_, practice.manager)

    async def page(after: str | None) -> tuple[list[str], str | None]:
        data = await insurance.running.data(
            PARTICIPATIONS, {"first": 2, "after": after}, viewer=practice.manager
        )
        found = data["participations"]
        more = found["pageInfo"]
        ids = [edge["node"]["id"] for edge in found["edges"]]
        return ids, more["endCursor"] if more["hasNextPage"] else None

    first, cursor = await page(None)
    second, end = await page(cursor)

    assert (len(first), len(second), end) == (2, 1, None)
    assert len({*first, *second}) == 3


@pytest.mark.parametrize("after", ["nonsense", "WzFd", "WyJ4Il0="])
async def test_a_cursor_that_is_not_ours_is_refused(
    insurance: Insurance, practice: Practice, after: str
) -> None:
    answer = await insurance.running.gql(PARTICIPATIONS, {"after": after}, viewer=practice.manager)

    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
