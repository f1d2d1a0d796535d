"""Requests before they are planned: parsed, validated, chosen, normalised, their variables checked."""

from __future__ import annotations

import pytest
from graphql import parse, print_ast

from gateway.operation import (
    Operation,
    RequestError,
    coerce_variables,
    parse_document,
    prepare,
    validate_document,
)
from tests.gateway.engine.shops import shop
from tests.gateway.engine.zoos import zoo

SHOP = shop()


def prepared(text: str, name: str | None = None) -> Operation:
    """The operation of a request text."""
    return prepare(SHOP.supergraph, parse_document(text), name)


def normal(text: str) -> str:
    """A request as the planner sees it, on one line."""
    return " ".join(print_ast(parse(prepared(text).text)).split())


def test_a_request_that_is_not_graphql_is_refused_with_its_place() -> None:
    with pytest.raises(RequestError, match="Syntax Error") as refused:
        parse_document("{ me { ")

    assert refused.value.errors[0].locations


def test_a_request_with_too_many_tokens_is_refused() -> None:
    with pytest.raises(RequestError, match="tokens"):
        parse_document("{ me { name nick city { name } } }", max_tokens=5)


def test_an_empty_selection_is_no_request() -> None:
    with pytest.raises(RequestError, match="Syntax Error"):
        parse_document("{ me { } }")


def test_fields_the_public_schema_hides_are_unknown() -> None:
    errors = validate_document(SHOP.supergraph, parse_document("{ me { secret } }"))

    assert [error.message for error in errors] == ["Cannot query field 'secret' on type 'User'."]


def test_an_operation_is_chosen_by_name() -> None:
    text = "query A { me { name } } mutation B { renameUser(id: 1, name: 2) { name } }"

    assert prepared(text, "B").kind == "mutation"
    with pytest.raises(RequestError, match="Unknown operation named 'C'"):
        prepared(text, "C")
    with pytest.raises(RequestError, match="Must provide operation name"):
        prepared(text)


def test_fragments_are_inlined_and_repeated_selections_dropped() -> None:
    text = """
      { me { ...A ...A name ... on Node { id } ... { nick } } }
      fragment A on User { name city { ...B } } fragment B on City { zip }
    """

    assert normal(text) == "{ me { name city { zip } id nick } }"


def test_constant_conditions_are_settled_and_inner_ones_follow_outer_ones() -> None:
    text = """
      query ($x: Boolean!) { me {
        id @skip(if: true) name @include(if: true)
        ... @include(if: $x) { nick @include(if: $x) city @skip(if: $x) { zip } }
      } }
    """

    assert normal(text) == "query ($x: Boolean!) { me { name ... @include(if: $x) { nick } } }"


def test_a_fragment_that_can_never_apply_is_dropped() -> None:
    text = "{ items { ... on Book { ... on Item { ... on Film { minutes } title } } } }"

    assert normal(text) == "{ items { ... on Book { title } } }"


def test_fragments_that_multiply_are_refused_before_they_fill_the_memory() -> None:
    doubling = " ".join(
        f"fragment F{i} on User {{ a{i}: friends {{ ...F{i + 1} }} b{i}: friends {{ ...F{i + 1} }} }}"
        for i in range(24)
    )
    text = "{ me { ...F0 } } " + doubling + " fragment F24 on User { name }"

    with pytest.raises(RequestError, match="more than 2000 fields"):
        prepared(text)


def test_equal_operations_have_equal_digests_and_others_do_not() -> None:
    spread = prepared("{ me { ...A } } fragment A on User { name }")

    assert prepared("{me{name}}").digest == spread.digest
    assert prepared("{ me { nick } }").digest != spread.digest
    assert prepared("{ me { name: nick } }").digest != spread.digest


def test_variables_are_checked_and_defaults_filled_in() -> None:
    operation = prepared(
        "query ($n: Int = 4, $t: String!) { latest(count: $n) { id } search(text: $t) { __typename } }"
    )

    assert coerce_variables(SHOP.supergraph, operation, {"t": "x"}) == {"n": 4, "t": "x"}
    with pytest.raises(RequestError, match=r"\$t"):
        coerce_variables(SHOP.supergraph, operation, {})


def test_an_enum_value_clients_may_not_see_is_no_input() -> None:
    operation = prepared("query ($c: Currency) { books { price(currency: $c) } }")

    with pytest.raises(RequestError, match="GBP"):
        coerce_variables(SHOP.supergraph, operation, {"c": "GBP"})


def test_an_operation_the_schema_has_no_root_for_is_refused() -> None:
    with pytest.raises(RequestError, match="no subscription type"):
        prepare(zoo().supergraph, parse_document("subscription { anything }"))
