"""A cursor is taken back only by the kind of list that gave it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import orjson
import pytest

from tests.service.directory.world import Directory, Organization

LISTS = (
    "providers(after: $after) { edges { cursor } }",
    "offices(after: $after) { edges { cursor } }",
    "groups(after: $after) { edges { cursor } }",
    "groupSuggestions(after: $after) { edges { cursor } }",
)
OTHERS: list[list[Any]] = [
    [],
    ["a"],
    ["a", "b"],
    ["a", "b", "c"],
    ["2026-13-45", "b"],
    [None, None],
    [1, 2, 3],
    [["a"], "b"],
    ["a"] * 50,
]


def cursor(position: list[Any]) -> str:
    """A position, spelt as a cursor."""
    return urlsafe_b64encode(orjson.dumps(position)).decode()


async def refusal(organization: Organization, query: str, after: str, **variables: str) -> str:
    """Why a list is not told; empty when it is."""
    declared = "".join(f", ${name}: ID!" for name in variables)
    body = f"query($after: String{declared}) {{ {query} }}"
    running = organization.directory.running
    answer = await running.gql(body, {"after": after, **variables}, viewer=organization.admin)
    return str(answer["errors"][0]["extensions"]["reason"]) if "errors" in answer else ""


@pytest.mark.parametrize("position", OTHERS, ids=str)
async def test_a_cursor_of_another_list_is_refused_and_is_no_fault(
    organization: Organization, position: list[Any]
) -> None:
    told = [await refusal(organization, one, cursor(position)) for one in LISTS]

    assert told == ["BAD_CURSOR"] * len(LISTS)


@pytest.mark.parametrize("position", OTHERS, ids=str)
async def test_so_is_one_within_an_office(
    directory: Directory, organization: Organization, position: list[Any]
) -> None:
    office = await organization.live_office(await organization.approved())
    placements = "office(id: $id) { placements(after: $after) { edges { cursor } } }"

    told = await refusal(organization, placements, cursor(position), id=office["id"])

    assert directory is organization.directory
    assert told == "BAD_CURSOR"


async def test_its_own_cursors_lead_through_the_whole_list(organization: Organization) -> None:
    ids = {(await organization.approved())["id"] for _ in range(3)}
    query = """query($after: String) { providers(first: 1, after: $after) {
        edges { node { id } } pageInfo { hasNextPage endCursor } } }"""
    found: list[str] = []
    after = None
    while len(found) <= len(ids):
        page = (await organization.ask(query, after=after))["providers"]
        found += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert sorted(found) == sorted(ids)
