"""What a client is told when a limit is broken, a subgraph fails or something unexpected happens."""

from __future__ import annotations

import logging

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from kit.errors import FAULT_MESSAGE
from tests.gateway.edge.conftest import World, world


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{" + "a{" * 330 + "b" + "}" * 331, "DEPTH_LIMIT"),
        ("{ " + "a " * 1001 + "}", "TOKEN_LIMIT"),
        ("{ provider(id: " + "[" * 480 + "]" * 480 + ") { id } }", "DEPTH_LIMIT"),
        ("{ provider(id: " + "[" * 50 + "]" * 50 + ") { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ " + " ".join(f"a{i}: requestId" for i in range(16)) + " }", "ALIAS_LIMIT"),
        ("{ ...F } fragment F on Query { ...F }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_hostile_documents_are_refused_before_anybody_is_asked(
    suite: World, query: str, code: str
) -> None:
    asked = len(suite.people.asked) + len(suite.places.asked)

    reply = await suite.door.post(query)

    assert reply.status == 400
    assert code in [one["extensions"]["code"] for one in reply.json["errors"]]
    assert len(suite.people.asked) + len(suite.places.asked) == asked


async def test_an_expensive_query_is_refused_with_its_page_sizes(suite: World) -> None:
    inner = "edges { node { colleagues { colleagues { colleagues { id } } } } }"
    query = f"query Q($n: Int) {{ providers(first: $n) {{ {inner} }} }}"

    dear = await suite.door.post(query, {"n": 100}, token=suite.user())
    cheap = await suite.door.post(query, {"n": 2}, token=suite.user())

    assert dear.code == "COST_LIMIT"
    assert dear.json["errors"][0]["extensions"]["found"] == 100 * (1 + 5 * (1 + 5 * (1 + 5)))
    assert cheap.status == 200


async def test_a_subgraphs_refusal_passes_through_with_its_code_and_path(suite: World) -> None:
    reply = await suite.door.post("{ theirs: refused }")

    assert reply.status == 200
    assert reply.json["data"] == {"theirs": None}
    (error,) = reply.json["errors"]
    assert error["message"] == "This is not yours."
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert error["path"] == ["theirs"]


async def test_a_subgraphs_fault_is_masked_and_its_reference_is_in_the_log(
    suite: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        reply = await suite.door.post("{ broken }")

    (error,) = reply.json["errors"]
    assert error["message"] == FAULT_MESSAGE
    assert error["extensions"]["code"] == "INTERNAL"
    assert "SELECT" not in reply.body.decode()
    assert error["extensions"]["reference"] in {
        getattr(record, "reference", None) for record in caplog.records
    }


async def test_a_fault_of_our_own_is_masked_and_logged(
    suite: World, caplog: pytest.LogCaptureFixture
) -> None:
    known = suite.identity.sessions
    suite.identity.sessions = None  # type: ignore[assignment]
    try:
        reply = await suite.door.post("{ __typename }", token="x" * 8)
    finally:
        suite.identity.sessions = known

    assert (reply.status, reply.code) == (500, "INTERNAL")
    reference = reply.json["errors"][0]["extensions"]["reference"]
    assert reference in {getattr(record, "reference", None) for record in caplog.records}


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse("gone", 503),
        PlainTextResponse("<html>", 200),
        JSONResponse([1]),
        JSONResponse({"nothing": 1}),
        JSONResponse({"errors": [{"message": "who is asking?"}]}, 401),
    ],
)
async def test_a_subgraph_that_talks_nonsense_costs_only_its_part(
    suite: World, answer: Response
) -> None:
    suite.people.answer_with = answer
    try:
        reply = await suite.door.post('{ provider(id: "7") { name login } }')
    finally:
        suite.people.answer_with = None

    assert reply.status == 200
    assert reply.json["data"] == {"provider": {"name": "Dr 7", "login": None}}
    assert reply.code == "SUBGRAPH_UNAVAILABLE"
    assert reply.json["errors"][0]["extensions"]["service"] == "identity"


async def test_an_error_in_the_form_of_graphql_with_status_400_passes_through(suite: World) -> None:
    told = {"errors": [{"message": "Too far.", "extensions": {"code": "BAD_USER_INPUT"}}]}
    suite.people.answer_with = JSONResponse(told, 400)
    try:
        reply = await suite.door.post('{ provider(id: "7") { name login } }')
    finally:
        suite.people.answer_with = None

    assert reply.json["errors"][0]["message"] == "Too far."


async def test_a_value_that_a_subgraphs_scalar_refuses_is_the_clients_mistake(suite: World) -> None:
    message = "Variable '$day' has invalid value: Value cannot represent a Date: \"soon\"."
    told = {"message": message, "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}
    suite.people.answer_with = JSONResponse({"errors": [told]})
    try:
        reply = await suite.door.post("{ viewer }")
    finally:
        suite.people.answer_with = None

    cut = "Variable '$day' has invalid value: Value cannot represent a Date."
    assert reply.json["errors"][0]["message"] == cut
    assert reply.code == "BAD_USER_INPUT"


async def test_a_subgraph_that_refuses_the_gateways_own_query_is_a_fault(suite: World) -> None:
    told = {
        "message": "Cannot query field 'x'.",
        "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
    }
    suite.people.answer_with = JSONResponse({"errors": [told]})
    try:
        reply = await suite.door.post("{ viewer }")
    finally:
        suite.people.answer_with = None

    assert reply.json["errors"][0]["message"] == FAULT_MESSAGE
    assert reply.code == "INTERNAL"


async def test_what_takes_too_long_is_left_out_of_the_answer(suite: World) -> None:
    reply = await suite.door.post("{ slow(seconds: 1.5) viewer }")

    assert (reply.status, reply.code) == (200, "SUBGRAPH_UNAVAILABLE")
    assert reply.json["data"] == {"slow": None, "viewer": "anonymous"}


async def test_a_mutation_without_an_answer_is_told_to_have_perhaps_happened(
    gateway_nats: str,
) -> None:
    async with world(gateway_nats, SUBGRAPH_TIMEOUT="1") as running:
        running.places.hangs = True
        reply = await running.door.post('mutation { rename(id: "1", name: "x") { __typename } }')

    assert reply.code == "SUBGRAPH_UNAVAILABLE"
    assert "may have done it" in reply.json["errors"][0]["message"]


async def test_a_mutations_refusal_is_data(suite: World) -> None:
    reply = await suite.door.post(
        'mutation { rename(id: "foreign", name: "x") { ... on DeniedProblem { code } } }'
    )

    assert reply.json == {"data": {"rename": {"code": "FORBIDDEN"}}}


async def test_development_helps_with_names_and_production_does_not(
    suite: World, production: World
) -> None:
    open_minded = await suite.door.post("{ providerz { edges { cursor } } }")
    tight_lipped = await production.door.post("{ providerz { edges { cursor } } }")

    assert "Did you mean" in open_minded.json["errors"][0]["message"]
    assert (
        tight_lipped.json["errors"][0]["message"]
        == "Cannot query field 'providerz' on type 'Query'."
    )
    assert "mean" not in tight_lipped.body.decode()


async def test_no_error_of_production_names_what_was_not_asked(production: World) -> None:
    queries = [
        "{ provider { id } }",
        '{ provider(idd: "1") { id } }',
        "{ ... on Providr { id } }",
        "query Q($x: Strin) { __typename }",
        "{ __typename @skp(if: true) }",
    ]
    for query in queries:
        assert "id you mean" not in (await production.door.post(query)).body.decode(), query


async def test_production_has_no_introspection_explanations_clock_or_graphiql(
    production: World,
) -> None:
    assert (
        await production.door.post("{ __schema { queryType { name } } }")
    ).code == "INTROSPECTION_DISABLED"
    assert (
        await production.door.post("{ __typename }", path="/graphql?explain")
    ).code == "EXPLAIN_DISABLED"
    assert (await production.door.post("", path="/dev/clock")).status == 404
    assert (await production.door.post("", path="/graphiql")).status == 404


async def test_a_plan_is_explained_without_being_run(suite: World) -> None:
    asked = len(suite.places.asked)

    reply = await suite.door.post('{ provider(id: "7") { name login } }', path="/graphql?explain")

    explained = reply.json["extensions"]["explain"]
    assert 'Fetch(service: "directory")' in explained["plan"]
    assert explained["json"]["kind"] == "QueryPlan"
    assert len(suite.places.asked) == asked


async def test_a_plan_is_explained_with_what_each_fetch_took(suite: World) -> None:
    reply = await suite.door.post('{ provider(id: "7") { name login } }', x_explain="run")

    fetches = reply.json["extensions"]["explain"]["fetches"]
    assert [fetch["subgraph"] for fetch in fetches] == ["directory", "identity"]
    assert all(0 < fetch["ms"] < 1000 for fetch in fetches)
    assert reply.json["data"] == {"provider": {"name": "Dr 7", "login": "login-7"}}


async def test_an_unknown_kind_of_explanation_is_refused(suite: World) -> None:
    reply = await suite.door.post("{ __typename }", path="/graphql?explain=all")

    assert (reply.status, reply.code) == (400, "BAD_REQUEST")
