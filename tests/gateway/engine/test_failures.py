"""What clients get when a subgraph is down, errs, or answers null where it must not."""

from __future__ import annotations

import gc
import time
import weakref

from inline_snapshot import snapshot

from gateway.executor import Answer, SubgraphReply, SubgraphRequest, execute
from gateway.executor.errors import null_errors
from gateway.executor.shape import MOST_SHAPES, Nulls, _shape_of
from gateway.operation import parse_document, prepare
from gateway.planner import plan
from tests.gateway.engine.shops import shop


def down(service: str, *path: str) -> dict[str, object]:
    """The error for an unavailable subgraph."""
    body: dict[str, object] = {
        "message": f"The part of the answer that {service} gives is not available now.",
        "extensions": {"code": "SUBGRAPH_UNAVAILABLE", "service": service},
    }
    return {**body, "path": list(path)} if path else body


async def test_the_rest_is_answered_when_a_subgraph_is_down() -> None:
    world = shop()
    world.down.add("customs")

    answer = await world.ask("{ users { name nick } stats { items } }")

    assert answer == Answer(
        {
            "users": [{"name": n, "nick": None} for n in ("Ada", "Bob", "Cyd")],
            "stats": {"items": 5},
        },
        [down("customs", "users")],
    )


async def test_a_root_field_of_a_subgraph_that_is_down_is_null() -> None:
    world = shop()
    world.down.add("shipping")

    answer = await world.ask("{ cheapest { id } me { name } }")

    assert answer == Answer({"cheapest": None, "me": {"name": "Ada"}}, [down("shipping")])


async def test_a_null_that_may_not_stand_takes_its_parent_with_it() -> None:
    world = shop()
    world.down.add("reviews")

    answer = await world.ask("{ me { name reviews { body } } stats { items } }")

    assert answer == Answer({"me": None, "stats": {"items": 5}}, [down("reviews", "me")])


async def test_all_data_is_null_when_a_root_field_may_not_be() -> None:
    world = shop()
    world.down.add("catalog")

    assert await world.ask("{ books { id } me { name } }") == Answer(None, [down("catalog")])


async def test_a_batch_to_a_subgraph_that_is_down_is_one_error() -> None:
    world = shop()
    world.down.add("customs")

    answer = await world.ask("{ me { nick } users { nick } latest { author { nick } } }")

    codes = [error["extensions"]["service"] for error in answer.errors]
    assert codes == ["customs"]
    assert answer.data is not None
    assert answer.data["me"] == {"nick": None}


async def test_a_requirement_that_never_came_leaves_its_field_null() -> None:
    world = shop()
    world.down.add("customs")

    answer = await world.ask("{ books { title total } }")

    assert answer.data == {
        "books": [{"title": title, "total": None} for title in ("Maps", "Tides", "Dunes")]
    }


async def test_a_mutation_s_error_reaches_the_client_whole() -> None:
    world = shop()

    answer = await world.ask('mutation { a: renameUser(id: "u1", name: "") { name } }')

    assert answer == Answer(
        {"a": None},
        [
            {
                "message": "A name is needed.",
                "path": ["a"],
                "extensions": {"code": "BAD_USER_INPUT"},
            }
        ],
    )


async def scripted(text: str, replies: dict[str, SubgraphReply]) -> Answer:
    """Answer from ready replies, one per subgraph."""
    world = shop()
    operation = prepare(world.supergraph, parse_document(text))

    async def send(subgraph: str, _: SubgraphRequest) -> SubgraphReply:
        return replies[subgraph]

    return await execute(world.supergraph, plan(world.supergraph, operation), operation, {}, send)


AUTHORS = SubgraphReply(
    {
        "latest": [
            {"author": {"__typename": "User", "id": "u1"}},
            {"author": None},
            {"author": {"__typename": "User", "id": "u2"}},
            {"author": {"__typename": "User", "id": "u1"}},
        ]
    }
)


async def test_an_entity_s_error_is_told_at_every_place_that_shows_it() -> None:
    failed = SubgraphReply(
        {"_entities": [{"nick": None}, {"nick": "bo"}]},
        [{"message": "no nick", "path": ["_entities", 0, "nick"], "locations": []}],
    )

    answer = await scripted(
        "{ latest { author { nick } } }", {"reviews": AUTHORS, "customs": failed}
    )

    assert answer == Answer(
        {
            "latest": [
                {"author": {"nick": None}},
                {"author": None},
                {"author": {"nick": "bo"}},
                {"author": {"nick": None}},
            ]
        },
        [
            {"message": "no nick", "path": ["latest", 0, "author", "nick"]},
            {"message": "no nick", "path": ["latest", 3, "author", "nick"]},
        ],
    )


async def test_of_many_errors_of_one_request_the_first_are_told_and_that_there_are_more() -> None:
    count = 2000
    many = SubgraphReply({"latest": [{"author": {"__typename": "User", "id": "u1"}}] * count})
    failed = SubgraphReply(
        {"_entities": [{"nick": None}]}, [{"message": "no nick", "path": ["_entities", 0, "nick"]}]
    )

    answer = await scripted("{ latest { author { nick } } }", {"reviews": many, "customs": failed})

    assert answer.data == {"latest": [{"author": {"nick": None}}] * count}
    assert len(answer.errors) == 51
    assert answer.errors[-1] == snapshot(
        {
            "message": "There are more errors of customs than are told here.",
            "path": ["latest"],
            "extensions": {"code": "MORE_ERRORS", "service": "customs"},
        }
    )


async def test_thousands_of_nulls_beside_thousands_of_errors_are_told_without_delay() -> None:
    nulls = Nulls()
    nulls.found = [(("a", n, "x"), "A.x") for n in range(5000)]
    known = [{"message": "m", "path": ["b", n, "y"]} for n in range(5000)]
    known.append({"message": "m", "path": ["a", 7]})
    began = time.perf_counter()

    told = list(null_errors(nulls, known))

    assert len(told) == 4999
    assert time.perf_counter() - began < 1


async def test_what_a_failing_neighbour_took_along_is_not_blamed_besides() -> None:
    failed = SubgraphReply(None, [{"message": "no", "path": ["me"]}])

    answer = await scripted("{ me { name } users { name } }", {"accounts": failed})

    assert answer == Answer(None, [{"message": "no", "path": ["me"]}])


def test_of_the_shapes_of_one_operation_only_some_are_remembered() -> None:
    world = shop()
    names = [f"x{number}" for number in range(8)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: name @include(if: ${name})" for name in names)
    document = parse_document(f"query ({declared}) {{ me {{ {fields} }} }}")
    operation = prepare(world.supergraph, document)
    shapes = []
    for number in range(256):
        values = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        found = _shape_of(world.supergraph.public_schema, operation, values)
        assert set(found.complete({"me": dict.fromkeys(names, "a")}, None, Nulls())["me"]) == {
            name for name, wanted in values.items() if wanted
        }
        shapes.append(weakref.ref(found))
    del found

    gc.collect()

    assert sum(shape() is not None for shape in shapes) == MOST_SHAPES


async def test_an_error_without_a_usable_path_is_told_once() -> None:
    failed = SubgraphReply(
        None, [{"message": "broken"}, {"message": "odd", "path": ["_entities", 99, "nick"]}]
    )

    answer = await scripted(
        "{ latest { author { nick } } }", {"reviews": AUTHORS, "customs": failed}
    )

    assert [(error["message"], error.get("path")) for error in answer.errors] == snapshot(
        [("broken", ["latest"]), ("odd", ["latest"])]
    )


async def test_an_entity_that_is_gone_leaves_its_fields_null() -> None:
    gone = SubgraphReply({"_entities": [None, {"nick": "bo"}]})

    answer = await scripted("{ latest { author { nick } } }", {"reviews": AUTHORS, "customs": gone})

    assert answer.errors == []
    assert answer.data is not None
    assert answer.data["latest"][0] == {"author": {"nick": None}}


async def test_a_forbidden_null_nobody_explained_is_explained() -> None:
    reply = SubgraphReply({"users": [{"role": "ADMIN"}, {"role": None}]})

    answer = await scripted("{ users { role } }", {"accounts": reply})

    assert answer == snapshot(
        Answer(
            data=None,
            errors=[
                {
                    "message": "Cannot return null for non-nullable field User.role.",
                    "path": ["users", 1, "role"],
                    "extensions": {"code": "NULL_NOT_ALLOWED"},
                }
            ],
        )
    )


async def test_a_value_clients_may_not_see_is_null_to_them() -> None:
    reply = SubgraphReply({"me": {"role": "ROBOT"}})

    answer = await scripted("{ me { role } }", {"accounts": reply})

    assert answer.data == {"me": None}


async def test_a_subscription_whose_subgraph_is_down_ends_with_an_error() -> None:
    world = shop()
    world.down.add("reviews")

    answers = await world.watch("subscription { reviewAdded { body } }")

    assert answers == [Answer(None, [down("reviews")])]
