"""Problems, pages and errors of a subgraph's schema."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import pytest
import strawberry
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Conflict, Invalid, NotFound, Refusal, Unauthenticated, stale_version
from kit.graphql import (
    CommonProblems,
    Connection,
    Page,
    Problem,
    after_key,
    after_moment,
    build_schema,
    connection,
    mutation,
    page_of,
    problem_type,
)
from kit.subgraph import tell_error


@strawberry.type
class Kettle:
    """What water boils in."""

    name: str


@problem_type("TOO_HOT")
@strawberry.type
class TooHotProblem(Problem):
    degrees: int = 0


BoilResult = Annotated[Kettle | TooHotProblem | CommonProblems, strawberry.union("BoilResult")]
CoolResult = Annotated[Kettle | CommonProblems, strawberry.union("CoolResult")]

REFUSALS: dict[str, Exception] = {
    "hot": Conflict("It is too hot.", code="TOO_HOT", field="name", remedy="Wait.", degrees=99),
    "invalid": Invalid("No such name.", field="name"),
    "unknown": NotFound("No such kettle."),
    "stale": stale_version("kettle", 3),
    "nobody": Unauthenticated("Sign in first."),
    "fault": RuntimeError("the patient's name is Ada"),
}


@strawberry.type
class Query:
    @strawberry.field
    async def kettle(self, name: str) -> Kettle:
        """A kettle by name."""
        raise REFUSALS[name]

    @strawberry.field
    async def cup(self) -> Kettle:
        return Kettle(name="cup")


@strawberry.type
class Mutation:
    @mutation
    async def boil(self, name: str) -> BoilResult:
        raise REFUSALS[name]

    @mutation
    async def cool(self, name: str) -> CoolResult:
        raise REFUSALS[name]


SCHEMA = build_schema(Query, Mutation)


def ask(query: str) -> dict[str, Any]:
    result = asyncio.run(SCHEMA.execute(query))
    return {"data": result.data, "errors": [tell_error(error) for error in result.errors or ()]}


def boil(name: str, verb: str = "boil") -> dict[str, Any]:
    fields = (
        "__typename ... on Problem { code message field remedy } ... on TooHotProblem { degrees }"
    )
    if verb == "cool":
        fields = "__typename ... on Problem { code message field remedy }"
    return ask(f'mutation {{ {verb}(name: "{name}") {{ {fields} }} }}')


def test_a_refusal_with_a_problem_of_its_own_brings_its_details() -> None:
    assert boil("hot")["data"]["boil"] == {
        "__typename": "TooHotProblem",
        "code": "TOO_HOT",
        "message": "It is too hot.",
        "field": "name",
        "remedy": "Wait.",
        "degrees": 99,
    }


def test_a_problem_that_the_union_does_not_list_falls_back_to_its_kind() -> None:
    told = boil("hot", "cool")["data"]["cool"]
    assert (told["__typename"], told["code"]) == ("ConflictProblem", "TOO_HOT")


def test_a_refusal_without_one_becomes_the_problem_of_its_kind() -> None:
    assert boil("invalid")["data"]["boil"]["__typename"] == "InvalidProblem"
    assert boil("unknown")["data"]["boil"]["__typename"] == "NotFoundProblem"


def test_a_stale_version_is_a_problem_of_every_subgraph_that_tells_the_version_now() -> None:
    told = ask("""mutation { cool(name: "stale") { __typename ... on Problem { code field }
        ... on StaleVersionProblem { currentVersion } } }""")
    assert told["data"]["cool"] == {
        "__typename": "StaleVersionProblem",
        "code": "STALE_VERSION",
        "field": "expectedVersion",
        "currentVersion": 3,
    }


def test_docstrings_describe_what_has_no_description_of_its_own() -> None:
    told = SCHEMA.as_str()
    assert '"""What water boils in."""\ntype Kettle' in told
    assert '"""A kettle by name."""\n  kettle(' in told
    assert '"""TooHotProblem(' not in told


def test_missing_sign_in_stays_an_error() -> None:
    (error,) = boil("nobody")["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


def test_a_refused_root_field_takes_nothing_else_with_it() -> None:
    answer = ask('{ kettle(name: "unknown") { name } cup { name } }')
    assert answer["data"] == {"kettle": None, "cup": {"name": "cup"}}


def test_a_refused_query_is_an_error_with_its_code_and_path() -> None:
    (error,) = ask('{ kettle(name: "unknown") { name } }')["errors"]
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert error["path"] == ["kettle"]


def test_a_fault_is_masked_with_a_reference_and_nothing_of_it_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (error,) = boil("fault")["errors"]

    assert error["message"] == "internal error"
    reference = error["extensions"]["reference"]
    (record,) = [one for one in caplog.records if getattr(one, "reference", "") == reference]
    assert "Ada" not in record.getMessage()


def test_a_bad_request_is_told_as_it_is() -> None:
    (error,) = ask("{ teapot }")["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "teapot" in error["message"]


SEVEN = str(UUID(int=7))


@dataclass(frozen=True)
class Row:
    name: str
    number: int


def pages(rows: list[Row], first: int) -> list[Connection[Row]]:
    """Walk a sorted list page by page, as a client does."""
    found, after = [], None
    while True:
        page = page_of(first, after)
        start = 0
        if page.after is not None:
            start = next(
                i + 1 for i, row in enumerate(rows) if [row.name, row.number] == page.after
            )
        part = connection(
            rows[start : start + page.limit + 1],
            page,
            key=lambda row: (row.name, row.number),
            node=lambda row: row,
        )
        found.append(part)
        if not part.page_info.has_next_page:
            return found
        after = part.page_info.end_cursor


@given(
    st.lists(st.builds(Row, st.text(max_size=5), st.integers(0, 99)), unique=True, max_size=30),
    st.integers(1, 100),
)
def test_walking_the_pages_gives_each_thing_once_and_in_order(rows: list[Row], first: int) -> None:
    rows.sort(key=lambda row: (row.name, row.number))
    walked = [edge.node for part in pages(rows, first) for edge in part.edges]
    assert walked == rows


@pytest.mark.parametrize("first", [0, -1, 101])
def test_a_page_has_one_to_a_hundred_things(first: int) -> None:
    with pytest.raises(Invalid) as refusal:
        page_of(first, None)
    assert refusal.value.field == "first"


@pytest.mark.parametrize("after", ["", "?", "e30=", "bnVsbA==", "\N{SNOWMAN}"])
def test_a_cursor_that_is_not_ours_is_refused(after: str) -> None:
    with pytest.raises(Refusal) as refusal:
        page_of(None, after)
    assert refusal.value.code == "BAD_CURSOR"


@pytest.mark.parametrize(
    "position",
    [[], ["2026-03-02"], ["2026-03-02", 7], ["noon", SEVEN], ["0001-01-01T00:00+14:00", SEVEN]],
    ids=str,
)
def test_a_cursor_of_another_list_is_refused(position: list[object]) -> None:
    with pytest.raises(Refusal) as refusal:
        after_moment(Page(20, position))
    assert refusal.value.code == "BAD_CURSOR"


def test_a_cursor_of_the_list_is_read_part_by_part() -> None:
    moment = datetime(2026, 3, 2, 15, tzinfo=UTC)
    assert after_moment(Page(20, [moment.isoformat(), SEVEN])) == (moment, UUID(SEVEN))
    assert after_key(Page(20, ["a", "b"]), str, str) == ("a", "b")
    assert after_key(Page(20, None), str) is None


def test_a_page_is_twenty_things_when_nobody_says() -> None:
    assert page_of(None, None) == Page(limit=20, after=None)
