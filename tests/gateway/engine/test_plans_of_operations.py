"""Plans of conditions, variables, mutations and subscriptions, read as a person reads them."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from gateway.operation import parse_document, prepare
from gateway.plan import QueryPlan, describe
from gateway.planner import PlanError, plan
from gateway.supergraph import load_supergraph
from tests.gateway.engine.shops import shop

SHOP = shop()


def test_a_fetch_gets_only_the_variables_it_uses() -> None:
    text = (
        "query ($t: String!, $n: Int) { search(text: $t) { __typename } latest(count: $n) { id } }"
    )
    assert describe(SHOP.plan(text)) == snapshot("""\
QueryPlan {
  Parallel {
    Fetch(service: "catalog") {
      query ($t: String!) {
        search(text: $t) {
          __typename
        }
      }
    }
    Fetch(service: "reviews") {
      query ($n: Int) {
        latest(count: $n) {
          id
        }
      }
    }
  }
}\
""")


def test_a_conditional_part_is_fetched_only_under_its_condition() -> None:
    text = "query ($x: Boolean!) { me { name nick @include(if: $x) city @skip(if: $x) { name } } }"
    assert describe(SHOP.plan(text)) == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "accounts") {
      query ($x: Boolean!) {
        me {
          name
          ... @include(if: $x) {
            __typename
            id
          }
          ... @skip(if: $x) {
            city {
              name
            }
          }
        }
      }
    }
    If($x) {
      Flatten("me") {
        Fetch(service: "customs") {
          {
            ... on User {
              __typename
              id
            }
          }
          =>
          query ($representations: [_Any!]!) {
            _entities(representations: $representations) {
              ... on User {
                nick
              }
            }
          }
        }
      }
    }
  }
}\
""")


def test_mutations_run_one_after_the_other_each_with_what_completes_it() -> None:
    text = """mutation {
      a: renameUser(id: "u1", name: "Ann") { name reviews { id } }
      addReview(item: "k1", body: "Fine") { ... on Review { author { role } } ... on Problem { message } }
      b: renameUser(id: "u2", name: "Ben") { name }
    }"""
    assert describe(SHOP.plan(text)) == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "accounts") {
      mutation {
        a: renameUser(id: "u1", name: "Ann") {
          __typename
          name
          id
        }
      }
    }
    Flatten("a") {
      Fetch(service: "reviews") {
        {
          ... on User {
            __typename
            id
          }
        }
        =>
        query ($representations: [_Any!]!) {
          _entities(representations: $representations) {
            ... on User {
              reviews {
                id
              }
            }
          }
        }
      }
    }
    Fetch(service: "reviews") {
      mutation {
        addReview(body: "Fine", item: "k1") {
          __typename
          ... on Review {
            author {
              __typename
              id
            }
          }
          ... on Problem {
            message
          }
        }
      }
    }
    Flatten("addReview|[Review].author") {
      Fetch(service: "accounts") {
        {
          ... on User {
            __typename
            id
          }
        }
        =>
        query ($representations: [_Any!]!) {
          _entities(representations: $representations) {
            ... on User {
              role
            }
          }
        }
      }
    }
    Fetch(service: "accounts") {
      mutation {
        b: renameUser(id: "u2", name: "Ben") {
          name
        }
      }
    }
  }
}\
""")


def test_a_subscription_comes_first_and_its_events_are_completed() -> None:
    assert describe(SHOP.plan("subscription { reviewAdded { author { role } } }")) == snapshot("""\
QueryPlan {
  Sequence {
    Subscription {
      Fetch(service: "reviews") {
        subscription {
          reviewAdded {
            author {
              __typename
              id
            }
          }
        }
      }
    }
    Flatten("reviewAdded.author") {
      Fetch(service: "accounts") {
        {
          ... on User {
            __typename
            id
          }
        }
        =>
        query ($representations: [_Any!]!) {
          _entities(representations: $representations) {
            ... on User {
              role
            }
          }
        }
      }
    }
  }
}\
""")


def test_introspection_needs_no_fetch() -> None:
    assert SHOP.plan("{ __typename __schema { queryType { name } } }") == QueryPlan(None)


UNREACHABLE = """
schema @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
type Query @join__type(graph: A) @join__type(graph: B) {
  thing: Thing @join__field(graph: A)
  other: Int @join__field(graph: B)
}
type Thing @join__type(graph: A) @join__type(graph: B, key: "id") {
  name: String @join__field(graph: A)
  id: ID! @join__field(graph: B)
  size: Int @join__field(graph: B)
}
"""


def test_what_no_subgraph_can_answer_is_refused_before_anything_is_fetched() -> None:
    supergraph = load_supergraph(UNREACHABLE)
    operation = prepare(supergraph, parse_document("{ thing { name size } }"))

    with pytest.raises(PlanError, match=r"no subgraph can answer thing\.size"):
        plan(supergraph, operation)
