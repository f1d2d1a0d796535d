"""A cursor is taken back only by the kind of list that gave it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any
from uuid import UUID

import orjson
import pytest

from tests.service.directory.world import FAMILY, Directory, Organization

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
    ["a\0", str(UUID(int=7))],
    ["a", "a\0", str(UUID(int=7))],
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


PAGE = "(first: 1, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } }"


async def walk(organization: Organization, query: str) -> list[str]:
    """What a list of one thing a page tells, from its first page to its last."""
    found: list[str] = []
    page: Any = {"pageInfo": {"hasNextPage": True, "endCursor": None}}
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        page = await organization.ask(f"query($after: String) {{ {query} }}", after=after)
        while "edges" not in page:
            (page,) = page.values()
        found += [edge["node"]["id"] for edge in page["edges"]]
        assert len(found) == len(set(found)), query
    return found


async def test_its_own_cursors_lead_through_every_list(organization: Organization) -> None:
    cardiologists = [await organization.approved() for _ in range(3)]
    doctors = [await organization.approved(specialtyCodes=[FAMILY]) for _ in range(3)]
    office = await organization.live_office(*cardiologists, *doctors)
    await organization.live_office()
    suggested = await walk(organization, f"groupSuggestions{PAGE}")
    for _ in range(3):
        await organization.add_group(officeIds=[office["id"]])
    placed = f'office(id: "{office["id"]}") {{ placements{PAGE} }}'
    sizes = {f"providers{PAGE}": 6, f"offices{PAGE}": 2, f"groups{PAGE}": 3, placed: 6}

    assert len(suggested) == 2
    for query, size in sizes.items():
        assert len(await walk(organization, query)) == size, query
