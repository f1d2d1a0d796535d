"""Every limit on a document: what it counts, what it lets pass, what its refusal says."""

from __future__ import annotations

import time

import pytest
from graphql import build_schema, get_introspection_query, parse

from gateway.limits import Limits, Measure, measure, price

SCHEMA = build_schema("""
  type Query { providers(first: Int, after: String): ProviderConnection! me: User page(first: Int = 7): [Provider!]! }
  type Mutation { signIn(name: String!): SignInResult! }
  union SignInResult = Session | InvalidProblem
  type InvalidProblem { code: String! message: String! }
  type Session { accessToken: String! user: User! }
  type User { id: ID! organization: Organization }
  type Organization { id: ID! name: String! }
  type ProviderConnection { edges: [ProviderEdge!]! pageInfo: PageInfo! }
  type ProviderEdge { node: Provider! cursor: String! }
  type PageInfo { hasNextPage: Boolean! }
  type Provider { id: ID! name: String! specialties: [Specialty!]! placements(first: Int): PlacementConnection! }
  type Specialty { code: String! }
  type PlacementConnection { edges: [PlacementEdge!]! }
  type PlacementEdge { node: Placement! }
  type Placement { office: Office! }
  type Office { name: String! plans: [Plan!]! }
  type Plan { name: String! }
""")


def of(text: str) -> Measure:
    return measure(parse(text))


def codes(limits: Limits, text: str, *, anonymous: bool = False) -> list[str]:
    errors = limits.check(of(text), anonymous=anonymous)
    return [error.extensions["code"] for error in errors if error.extensions]


def cost(text: str, **variables: object) -> int:
    return price(SCHEMA, parse(text), None).of(variables)


def test_depth_counts_levels_of_fields_and_not_fragments() -> None:
    assert of("{ a { b { c } } }").depth == 3
    assert of("{ a { ... on T { ...F } } } fragment F on T { b { c } }").depth == 3


def test_depth_takes_a_relay_connection_as_one_level() -> None:
    assert of("{ providers { edges { node { name } } pageInfo { endCursor } } }").depth == 3


def test_a_field_called_node_that_ends_there_is_a_level() -> None:
    assert of("{ a { node } }").depth == 2


def test_the_worst_of_several_operations_counts() -> None:
    assert of("query A { a } query B { a { b } }").depth == 2


def test_counts_see_through_fragments() -> None:
    found = of("{ ...F x: a ...F } fragment F on Query { y: b @skip(if: true) z: c }")

    assert (found.aliases, found.root_fields, found.directives, found.fields) == (5, 5, 1, 5)


def test_fragments_that_multiply_are_counted_without_being_followed_each_time() -> None:
    spreads = [
        f"fragment F{i} on T {{ a: x {{ ...F{i + 1} }} b: x {{ ...F{i + 1} }} }}" for i in range(40)
    ]
    document = parse("{ ...F0 } " + " ".join(spreads) + " fragment F40 on T { leaf }")

    began = time.perf_counter()
    found = measure(document)

    assert time.perf_counter() - began < 0.5
    assert found.aliases == found.fields == 1_000_000


@pytest.mark.parametrize("levels", [1, 59, 60, 61, 100, 150])
def test_nothing_hides_below_inline_fragments(levels: int) -> None:
    for hidden in ("a: me " * 50, "me " * 50, "__schema { types { name } } " * 11):
        assert codes(Limits(), "{ " + "... { " * levels + hidden + " }" * levels + " }")


def test_fragments_that_circle_are_left_to_validation() -> None:
    assert of("{ ...F } fragment F on T { a { ...F } }").depth == 1


def test_a_document_within_the_limits_passes() -> None:
    assert codes(Limits(), "{ a { b { c { d } } } }") == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{" + "a{" * 11 + "b" + "}" * 12, "DEPTH_LIMIT"),
        ("{" + " ".join(f"x{i}: a" for i in range(16)) + "}", "ALIAS_LIMIT"),
        ("{" + " ".join(f"f{i}" for i in range(11)) + "}", "ROOT_FIELD_LIMIT"),
        ("{ a " + "@skip(if: false) " * 21 + "}", "DIRECTIVE_LIMIT"),
    ],
)
def test_each_limit_refuses_what_is_beyond_it(text: str, code: str) -> None:
    assert code in codes(Limits(), text)


def test_a_refusal_names_the_limit_what_was_found_and_the_way_out() -> None:
    (error,) = Limits().check(of("{" + "a{" * 10 + "b" + "}" * 11), anonymous=False)

    assert error.message == "The operation has 11 levels of fields; the limit is 10."
    assert error.extensions == {
        "code": "DEPTH_LIMIT",
        "limit": 10,
        "found": 11,
        "remedy": "Nest fewer fields, or split the operation into several requests.",
    }


SIGN_IN = """
mutation SignIn($name: String!) {
  signIn(name: $name) {
    __typename
    ... on Session { accessToken user { memberships { organization { offices { id name } } } } }
    ... on InvalidProblem { code message }
  }
}
"""


def test_signing_in_passes_without_being_signed_in() -> None:
    assert codes(Limits(), SIGN_IN, anonymous=True) == []


def test_nobody_may_ask_as_deep_as_a_user() -> None:
    text = "{ a { b { c { d { e } } } } }"

    assert codes(Limits(), text) == []
    assert codes(Limits(), text, anonymous=True) == ["DEPTH_LIMIT"]


def test_nobody_may_try_several_passwords_in_one_request() -> None:
    text = 'mutation { a: signIn(name: "x") { __typename } b: signIn(name: "y") { __typename } }'

    assert codes(Limits(), text) == []
    assert codes(Limits(), text, anonymous=True) == ["ROOT_FIELD_LIMIT"]


FULL_INTROSPECTION = get_introspection_query(
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
)


def introspection(limits: Limits, text: str) -> list[str]:
    document = parse(text)
    errors = limits.check_introspection(SCHEMA, document, measure(document))
    return [error.extensions["code"] for error in errors if error.extensions]


def test_the_standard_introspection_query_passes_in_development_even_for_nobody() -> None:
    limits = Limits(introspection=True)

    assert codes(limits, FULL_INTROSPECTION, anonymous=True) == []
    assert introspection(limits, FULL_INTROSPECTION) == []


@pytest.mark.parametrize("text", ['{ __type(name: "User") { name } }', FULL_INTROSPECTION])
def test_production_does_not_tell_its_schema(text: str) -> None:
    assert introspection(Limits(), text) == ["INTROSPECTION_DISABLED"]


def test_the_name_of_a_type_is_no_introspection() -> None:
    assert introspection(Limits(), "{ __typename me { __typename } }") == []


def test_introspection_that_goes_in_circles_is_refused() -> None:
    text = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"

    assert introspection(Limits(introspection=True), text) == ["INTROSPECTION_DEPTH_LIMIT"]


def test_cost_multiplies_pages_and_counts_things_only() -> None:
    nested = "providers(first: 50) { edges { node { id placements(first: 3) { edges { node { office { name } } } } } } }"

    assert cost("{ me { id organization { name } } }") == 2
    assert (
        cost(
            "{ providers(first: 50) { edges { node { id name } cursor } pageInfo { hasNextPage } } }"
        )
        == 50
    )
    assert cost("{" + nested + "}") == 50 * (1 + 3 * (1 + 1))


def test_cost_reads_page_sizes_from_variables_defaults_and_the_schema() -> None:
    by_variable = "query($n: Int) { providers(first: $n) { edges { node { id } } } }"

    assert cost(by_variable, n=30) == 30
    assert cost(by_variable) == 20
    assert cost("{ providers { edges { node { id } } } }") == 20
    assert cost("{ page { id } }") == 7


def test_cost_takes_lists_without_pages_for_short_ones() -> None:
    assert cost("{ page(first: 10) { specialties { code } } }") == 10 * (1 + 5)


@pytest.mark.parametrize(("asked", "counted"), [(1_000_000, 100), (-4, 1), (0, 1)])
def test_cost_counts_pages_no_subgraph_serves_as_ones_it_does(asked: int, counted: int) -> None:
    assert cost(f"{{ providers(first: {asked}) {{ edges {{ node {{ id }} }} }} }}") == counted


def test_cost_sees_through_fragments() -> None:
    text = "{ providers(first: 4) { ...E } } fragment E on ProviderConnection { edges { node { ... on Provider { id } } } }"

    assert cost(text) == 4


def test_too_expensive_a_query_is_told_to_ask_for_smaller_pages() -> None:
    (error,) = Limits().check_cost(5001)

    assert error.extensions is not None
    assert error.extensions["code"] == "COST_LIMIT"
    assert "smaller pages" in error.extensions["remedy"]
    assert Limits().check_cost(5000) == []


def test_the_journeys_nested_list_fits() -> None:
    text = (
        "{ providers(first: 50) { edges { node { name specialties { code }"
        " placements(first: 5) { edges { node { office { name plans { name } } } } } } } } }"
    )

    assert cost(text) <= Limits().cost
    assert codes(Limits(), text) == []
