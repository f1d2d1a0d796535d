"""Plans over interfaces and interface objects, read as a person reads them."""

from __future__ import annotations

from inline_snapshot import snapshot

from gateway.operation import parse_document, prepare
from gateway.plan import Fetch, describe
from gateway.planner import plan
from gateway.supergraph import load_supergraph
from tests.gateway.engine.shops import shop
from tests.gateway.engine.zoos import zoo

SHOP = shop()
ZOO = zoo()


def test_an_interface_field_that_members_answer_elsewhere_is_asked_of_each_member() -> None:
    assert describe(SHOP.plan("{ items { title reviews { stars } } }")) == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "catalog") {
      {
        items {
          __typename
          title
          ... on Book {
            id
          }
          ... on Film {
            id
          }
        }
      }
    }
    Flatten("items.@|[Book|Film]") {
      Fetch(service: "reviews") {
        {
          ... on Book {
            __typename
            id
          }
          ... on Film {
            __typename
            id
          }
        }
        =>
        query ($representations: [_Any!]!) {
          _entities(representations: $representations) {
            ... on Book {
              reviews {
                stars
              }
            }
            ... on Film {
              reviews {
                stars
              }
            }
          }
        }
      }
    }
  }
}\
""")


def test_an_interface_object_asks_for_the_real_type_elsewhere() -> None:
    assert describe(ZOO.plan("{ patients { visits ... on Cat { lives } } }")) == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "vets") {
      {
        patients {
          __typename
          visits
          id
        }
      }
    }
    Flatten("patients.@") {
      Fetch(service: "keepers") {
        {
          ... on Animal {
            __typename
            id
          }
        }
        =>
        query ($representations: [_Any!]!) {
          _entities(representations: $representations) {
            ... on Animal {
              __typename
              ... on Cat {
                lives
              }
            }
          }
        }
      }
    }
  }
}\
""")


def test_a_member_is_handed_over_under_its_interface_s_name_to_an_interface_object() -> None:
    assert describe(ZOO.plan("{ animals { name visits } }")) == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "keepers") {
      {
        animals {
          __typename
          name
          id
        }
      }
    }
    Flatten("animals.@") {
      Fetch(service: "vets") {
        {
          ... on Animal {
            __typename
            id
          }
        }
        =>
        query ($representations: [_Any!]!) {
          _entities(representations: $representations) {
            ... on Animal {
              visits
            }
          }
        }
      }
    }
  }
}\
""")


HALVES = """
schema @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
type Query @join__type(graph: A) @join__type(graph: B) { box: Box  own: Box @join__field(graph: B) }
type Box @join__type(graph: A) @join__type(graph: B) { things: [Thing!]! }
union Thing @join__type(graph: A) @join__type(graph: B)
  @join__unionMember(graph: A, member: "Both") @join__unionMember(graph: A, member: "OnlyA")
  @join__unionMember(graph: B, member: "Both") @join__unionMember(graph: B, member: "OnlyB")
  = Both | OnlyA | OnlyB
type Both @join__type(graph: A) @join__type(graph: B) { name: String }
type OnlyA @join__type(graph: A) { a: String }
type OnlyB @join__type(graph: B) { b: String }
"""


def fetched(text: str) -> list[str]:
    """What a plan over the two halves asks, subgraph by subgraph."""
    supergraph = load_supergraph(HALVES)
    node = plan(supergraph, prepare(supergraph, parse_document(text))).node
    assert isinstance(node, Fetch)
    return [node.service, node.operation]


def test_members_that_not_every_answering_subgraph_knows_are_left_out() -> None:
    text = "{ box { things { ... on Both { name } ... on OnlyA { a } ... on OnlyB { b } } } }"

    assert fetched(text) == ["a", "{box{things{__typename ...on Both{name}}}}"]


def test_members_of_the_only_subgraph_that_can_answer_are_asked() -> None:
    text = "{ own { things { ... on OnlyA { a } ... on OnlyB { b } } } }"

    assert fetched(text) == ["b", "{own{things{__typename ...on OnlyB{b}}}}"]
