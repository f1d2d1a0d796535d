"""What clients get when all subgraphs are well."""

from __future__ import annotations

import pytest

from gateway.executor import Answer
from tests.gateway.engine.shops import shop
from tests.gateway.engine.worlds import World
from tests.gateway.engine.zoos import zoo

QUESTIONS = {
    "keys": "{ me { name nick reviews { body } } }",
    "key chain": "{ items { maker { label since capital country { iso } } } }",
    "second key": "{ registered(since: 2000) { label code country { iso } } }",
    "merged roots": "{ stats { users items reviews } }",
    "requirement chain": "{ books { total duty insurance postage } }",
    "nested requirement": "{ users { greeting } }",
    "arguments in a requirement": "{ books { price insurance usd: price(currency: USD) } }",
    "one key, two arguments": '{ search(text: "a") { ... on Book { p: price } ... on Film { p: price(currency: USD) } } }',
    "swapped aliases": "{ users { nick: name name: nick id: greeting } }",
    "interface": "{ items { title reviews { stars author { name nick } } ... on Film { minutes } } }",
    "union": "{ actors { __typename ... on Node { id } ... on User { nick } ... on Bot { owner { role } } } }",
    "named fragment": "{ users { ...Who } } fragment Who on User { name friends { ...Friend } } fragment Friend on User { nick }",
    "lists in lists": "{ books { grid { value book { title } } } }",
    "unknown key": '{ node(id: "nobody") { id ... on User { nick } } }',
    "overridden": "{ me { nick } }",
    "type name alone": "{ kind: __typename me { what: __typename } }",
}


@pytest.mark.parametrize("text", QUESTIONS.values(), ids=QUESTIONS.keys())
async def test_the_answer_is_that_of_one_schema(text: str) -> None:
    world = shop()

    assert await world.ask(text) == world.whole(text)


ZOO_QUESTIONS = {
    "interface object": "{ patients { id visits name } }",
    "real type": "{ patients { __typename ... on Dog { owner { badge } } } }",
    "member to interface object": "{ pets { ... on Cat { visits } ... on Dog { doctor { badge } } } }",
    "unlike types under one key": "{ pets { ... on Cat { lives tag } ... on Dog { tag } } }",
    "back and forth": "{ sickest { doctor { charges { visits ... on Cat { lives } } } } }",
}


@pytest.mark.parametrize("text", ZOO_QUESTIONS.values(), ids=ZOO_QUESTIONS.keys())
async def test_an_interface_object_is_as_good_as_the_interface(text: str) -> None:
    world = zoo()

    assert await world.ask(text) == world.whole(text)


async def test_equal_entities_are_asked_for_once() -> None:
    world = shop()

    await world.ask("{ latest(count: 4) { author { nick } } }")

    _, request = world.log[-1]
    assert request.variables["representations"] == [
        {"__typename": "User", "id": "u1"},
        {"__typename": "User", "id": "u2"},
    ]


async def test_variables_travel_only_to_the_fetch_that_uses_them() -> None:
    world = shop()
    text = "query ($n: Int = 2, $c: Currency) { latest(count: $n) { item { ... on Book { price(currency: $c) } } } }"

    answer = await world.ask(text, {"c": "USD"})

    assert answer == world.whole(text, {"c": "USD"})
    given = {name: request.variables.keys() for name, request in world.log}
    assert given == {"reviews": {"n"}, "catalog": {"representations", "c"}}


async def test_a_client_s_own_variable_may_be_called_representations() -> None:
    world = shop()
    text = "query ($representations: Boolean) { books { postage(express: $representations) } }"

    assert await world.ask(text, {"representations": True}) == world.whole(
        text, {"representations": True}
    )


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_condition_that_fails_saves_its_fetch(wanted: bool) -> None:  # noqa: FBT001
    world = shop()
    text = "query ($x: Boolean!) { me { name nick @include(if: $x) } }"

    answer = await world.ask(text, {"x": wanted})

    assert answer == world.whole(text, {"x": wanted})
    assert len(world.log) == (2 if wanted else 1)


async def test_mutations_run_in_the_order_written() -> None:
    world = shop()
    text = """mutation {
      a: renameUser(id: "u1", name: "Ann") { id }
      b: addReview(item: "k1", body: "Fine") { ... on Review { author { role } } }
      c: addReview(item: "none", body: "Fine") { ... on Problem { __typename message } }
      d: renameUser(id: "u2", name: "Ben") { id }
    }"""

    answer = await world.ask(text)

    assert answer == world.whole(text)
    assert [name for name, request in world.log if request.kind == "mutation"] == [
        "accounts",
        "reviews",
        "reviews",
        "accounts",
    ]


async def test_introspection_mixes_with_other_fields() -> None:
    world = shop()
    text = '{ __typename user: __type(name: "User") { fields { name } } me { name } }'

    answer = await world.ask(text)

    assert answer == world.whole(text)
    assert len(world.log) == 1


async def test_what_is_inaccessible_does_not_exist_for_clients(shop_world: World) -> None:
    answer = await shop_world.ask(
        '{ user: __type(name: "User") { fields { name } } role: __type(name: "Role") { enumValues { name } } }'
    )

    assert answer.data is not None
    assert "secret" not in {field["name"] for field in answer.data["user"]["fields"]}
    assert answer.data["role"]["enumValues"] == [{"name": "ADMIN"}, {"name": "STAFF"}]


async def test_events_of_a_subscription_are_completed_by_other_subgraphs(
    shop_world: World,
) -> None:
    shop_world.events = [shop_world.event("r1"), shop_world.event("r4")]

    answers = await shop_world.watch("subscription { reviewAdded { body author { name nick } } }")

    assert answers == [
        Answer({"reviewAdded": {"body": "Good", "author": {"name": "Ada", "nick": "ace"}}}),
        Answer({"reviewAdded": {"body": "Wet", "author": None}}),
    ]


@pytest.fixture
def shop_world() -> World:
    return shop()
