"""Plans over interfaces and interface objects, read as a person reads them."""

from __future__ import annotations

from inline_snapshot import snapshot

from gateway.plan import describe
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
