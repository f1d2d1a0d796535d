"""Supergraphs of every version of the join specification, and texts that are none."""

from __future__ import annotations

import pytest
from graphql import print_schema

from gateway.operation import parse_document, prepare
from gateway.plan import Fetch, Flatten, Node, Sequence
from gateway.planner import plan
from gateway.supergraph import Supergraph, SupergraphError, load_supergraph
from tests.gateway.engine.shops import shop

GRAPHS = """
enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
"""
FIRST = (
    """
schema @core(feature: "https://specs.apollo.dev/core/v0.1")
  @core(feature: "https://specs.apollo.dev/join/v0.1") { query: Query }
directive @core(feature: String!) repeatable on SCHEMA
directive @join__field(graph: join__Graph, requires: String, provides: String) on FIELD_DEFINITION
directive @join__owner(graph: join__Graph!) on OBJECT
directive @join__type(graph: join__Graph!, key: String) repeatable on OBJECT
"""
    + GRAPHS
    + """
type Query { me: User @join__field(graph: A) }
type User @join__owner(graph: A) @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID! @join__field(graph: A)
  name: String
  home: Place
  score: Int @join__field(graph: B)
}
type Place { street: String }
"""
)
SECOND = (
    """
schema @link(url: "https://specs.apollo.dev/join/v0.2", for: EXECUTION) { query: Query }
"""
    + GRAPHS
    + """
type Query @join__type(graph: A) @join__type(graph: B) { me: User @join__field(graph: A) }
type User @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", extension: true) {
  id: ID! @join__field(graph: A) @join__field(graph: B, external: true)
  name: String @join__field(graph: A)
  home: Place @join__field(graph: A)
  score: Int @join__field(graph: B)
}
type Place @join__type(graph: A) { street: String }
"""
)
FOURTH = SECOND.replace("v0.2", "v0.4").replace(
    "score: Int @join__field(graph: B)",
    'score: Int @join__field(graph: A, usedOverridden: true) @join__field(graph: B, override: "a")',
)
LABELLED = SECOND.replace("v0.2", "v0.5").replace(
    "score: Int @join__field(graph: B)",
    "score: Int @join__field(graph: A)"
    ' @join__field(graph: B, override: "a", overrideLabel: "percent(5)")',
)


def services(supergraph: Supergraph, text: str) -> list[str]:
    """The subgraphs a query is sent to, in order."""
    node = plan(supergraph, prepare(supergraph, parse_document(text))).node

    def visit(node: Node | None) -> list[str]:
        if isinstance(node, Fetch):
            return [node.service]
        if isinstance(node, Flatten):
            return visit(node.node)
        return (
            [name for each in node.nodes for name in visit(each)]
            if isinstance(node, Sequence)
            else []
        )

    return visit(node)


@pytest.mark.parametrize("sdl", [FIRST, SECOND, FOURTH], ids=["v0.1", "v0.2", "v0.4"])
def test_every_version_of_the_join_specification_is_understood(sdl: str) -> None:
    supergraph = load_supergraph(sdl)

    assert supergraph.subgraphs == ("a", "b")
    assert services(supergraph, "{ me { name home { street } score } }") == ["a", "b"]


def test_an_override_that_awaits_its_label_is_not_in_force() -> None:
    supergraph = load_supergraph(LABELLED)

    assert services(supergraph, "{ me { score } }") == ["a"]


def test_the_public_schema_shows_nothing_of_the_federation() -> None:
    printed = print_schema(shop().supergraph.public_schema)

    for word in ("join__", "link", "inaccessible", "secret", "ROBOT", "_entities", "_service"):
        assert word not in printed


def test_a_hidden_type_disappears_with_every_field_that_leads_to_it() -> None:
    sdl = SECOND.replace(
        "type Place @join__type(graph: A)", "type Place @join__type(graph: A) @inaccessible"
    )

    printed = print_schema(load_supergraph(sdl).public_schema)

    assert "Place" not in printed
    assert "home" not in printed
    assert "score" in printed


def test_a_supergraph_s_digest_names_its_text() -> None:
    assert load_supergraph(FIRST).digest == load_supergraph(FIRST).digest
    assert load_supergraph(FIRST).digest != load_supergraph(SECOND).digest


@pytest.mark.parametrize(
    ("sdl", "reason"),
    [
        ("type Query {", "Syntax Error"),
        ("type Query { a: Int }", "no enum join__Graph"),
        (SECOND.replace('key: "id"', 'key: "...X"', 1), "named fragment 'X'"),
        (SECOND.replace('key: "id"', 'key: "id {"', 1), "Syntax Error"),
        (
            SECOND.replace("@join__implements", "").replace("name: String", "name: Missing"),
            "Missing",
        ),
    ],
    ids=["no GraphQL", "no supergraph", "fragment in a key", "broken key", "unknown type"],
)
def test_a_text_that_is_no_supergraph_is_refused_with_its_reason(sdl: str, reason: str) -> None:
    with pytest.raises(SupergraphError, match=reason):
        load_supergraph(sdl)
