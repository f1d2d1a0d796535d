"""Plans over keys, requirements and shared fields, read as a person reads them."""

from __future__ import annotations

from inline_snapshot import snapshot

from gateway.plan import describe
from tests.gateway.engine.shops import shop

SHOP = shop()


def test_a_field_of_another_subgraph_is_fetched_by_key() -> None:
    assert describe(SHOP.plan("{ me { name nick } }")) == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "accounts") {
      {
        me {
          __typename
          name
          id
        }
      }
    }
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
}\
""")


def test_a_shared_root_field_is_merged_from_every_subgraph() -> None:
    assert describe(SHOP.plan("{ stats { users items reviews } }")) == snapshot("""\
QueryPlan {
  Parallel {
    Fetch(service: "accounts") {
      {
        stats {
          users
        }
      }
    }
    Fetch(service: "catalog") {
      {
        stats {
          items
        }
      }
    }
    Fetch(service: "reviews") {
      {
        stats {
          reviews
        }
      }
    }
  }
}\
""")


def test_a_key_that_must_itself_be_fetched_makes_a_chain() -> None:
    assert describe(SHOP.plan("{ books { maker { since } } }")) == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "catalog") {
      {
        books {
          maker {
            __typename
            code
            country {
              iso
            }
          }
        }
      }
    }
    Flatten("books.@.maker") {
      Fetch(service: "makers") {
        {
          ... on Maker {
            __typename
            code
            country {
              iso
            }
          }
        }
        =>
        query ($representations: [_Any!]!) {
          _entities(representations: $representations) {
            ... on Maker {
              register
            }
          }
        }
      }
    }
    Flatten("books.@.maker") {
      Fetch(service: "register") {
        {
          ... on Maker {
            __typename
            register
          }
        }
        =>
        query ($representations: [_Any!]!) {
          _entities(representations: $representations) {
            ... on Maker {
              since
            }
          }
        }
      }
    }
  }
}\
""")


def test_a_requirement_of_a_requirement_is_fetched_first() -> None:
    assert describe(SHOP.plan("{ books { total } }")) == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "catalog") {
      {
        books {
          __typename
          id
          weight
          size {
            width
            height
          }
        }
      }
    }
    Flatten("books.@") {
      Fetch(service: "shipping") {
        {
          ... on Book {
            __typename
            id
            weight
            size {
              width
              height
            }
          }
        }
        =>
        query ($representations: [_Any!]!) {
          _entities(representations: $representations) {
            ... on Book {
              postage
            }
          }
        }
      }
    }
    Flatten("books.@") {
      Fetch(service: "customs") {
        {
          ... on Book {
            __typename
            id
            postage
          }
        }
        =>
        query ($representations: [_Any!]!) {
          _entities(representations: $representations) {
            ... on Book {
              duty
            }
          }
        }
      }
    }
    Flatten("books.@") {
      Fetch(service: "shipping") {
        {
          ... on Book {
            __typename
            id
            duty
          }
        }
        =>
        query ($representations: [_Any!]!) {
          _entities(representations: $representations) {
            ... on Book {
              total
            }
          }
        }
      }
    }
  }
}\
""")


def test_a_required_field_with_other_arguments_gets_an_alias() -> None:
    text = "{ books { price(currency: EUR) insurance } }"
    assert describe(SHOP.plan(text)) == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "catalog") {
      {
        books {
          __typename
          price(currency: EUR)
          _internal_price_0: price(currency: USD)
          id
        }
      }
    }
    Flatten("books.@") {
      Fetch(service: "shipping") {
        {
          ... on Book {
            __typename
            id
            price: _internal_price_0
          }
        }
        =>
        query ($representations: [_Any!]!) {
          _entities(representations: $representations) {
            ... on Book {
              insurance
            }
          }
        }
      }
    }
  }
}\
""")


def test_provided_fields_need_no_further_fetch() -> None:
    assert describe(SHOP.plan("{ latest { author { name } } }")) == snapshot("""\
QueryPlan {
  Fetch(service: "reviews") {
    {
      latest {
        author {
          name
        }
      }
    }
  }
}\
""")


def test_entities_found_at_several_places_travel_in_one_request() -> None:
    text = "{ me { nick } latest { author { nick } } }"
    assert describe(SHOP.plan(text)) == snapshot("""\
QueryPlan {
  Sequence {
    Parallel {
      Fetch(service: "accounts") {
        {
          me {
            __typename
            id
          }
        }
      }
      Fetch(service: "reviews") {
        {
          latest {
            author {
              __typename
              id
            }
          }
        }
      }
    }
    BatchFetch(service: "customs") {
      _e0: "me", "latest.@.author"
        {
          ... on User {
            __typename
            id
          }
        }
      =>
      query ($__batch_reps_0: [_Any!]!) {
        _e0: _entities(representations: $__batch_reps_0) {
          ... on User {
            nick
          }
        }
      }
    }
  }
}\
""")
