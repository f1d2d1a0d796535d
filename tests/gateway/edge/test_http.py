"""GraphQL over HTTP: media types, status codes, what is refused and how."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode, urlsplit

import pytest

from tests.gateway.edge.client import request
from tests.gateway.edge.conftest import World, world

GRAPHQL = "application/graphql-response+json"
JSON_TYPE = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/*;q=0.5", "application/json"),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, application/json;q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.3, application/json;q=0.9", "application/json"),
        ("text/html, application/json", "application/json"),
    ],
)
async def test_the_answer_has_the_type_the_client_prefers(
    suite: World, accept: str | None, given: str
) -> None:
    headers = JSON_TYPE | ({"accept": accept} if accept else {})

    reply = await request(
        "POST", f"{suite.door.base}/graphql", headers, b'{"query":"{ __typename }"}'
    )

    assert reply.status == 200
    assert reply.headers["content-type"] == f"{given}; charset=utf-8"
    assert reply.json == {"data": {"__typename": "Query"}}


async def test_a_type_nobody_speaks_is_not_acceptable(suite: World) -> None:
    reply = await suite.door.post("{ __typename }", accept="text/html")

    assert (reply.status, reply.code) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    "query", ["{", "{ nothingOfTheKind }", "query Q($id: ID!) { provider(id: $id) { id } }"]
)
async def test_a_request_error_is_400_or_200_by_media_type(suite: World, query: str) -> None:
    modern = await suite.door.post(query)
    legacy = await suite.door.post(query, accept="application/json")

    assert (modern.status, legacy.status) == (400, 200)
    assert "data" not in modern.json
    assert modern.json["errors"][0]["message"] == legacy.json["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "BAD_REQUEST"),
        (b'{ "not a JSON', 400, "BAD_REQUEST"),
        (b'"text"', 400, "BAD_REQUEST"),
        (b'{"qeury": "{ __typename }"}', 400, "BAD_REQUEST"),
        (b'{"query": 7}', 400, "BAD_REQUEST"),
        (b'{"query": "{ __typename }", "operationName": 7}', 400, "BAD_REQUEST"),
        (b'{"query": "{ __typename }", "variables": []}', 400, "BAD_REQUEST"),
        (b'{"query": "{ __typename }", "extensions": 7}', 400, "BAD_REQUEST"),
        (b'[{"query": "{ __typename }"}]', 400, "BATCHING_DISABLED"),
        (b'{"query": "{ __typename }", "pad": "' + b"x" * 100_000 + b'"}', 413, "BODY_LIMIT"),
    ],
)
async def test_a_body_that_is_no_request_is_refused(
    suite: World, body: bytes, status: int, code: str
) -> None:
    for accept in ("application/json", GRAPHQL):
        reply = await request(
            "POST", f"{suite.door.base}/graphql", JSON_TYPE | {"accept": accept}, body
        )
        assert (reply.status, reply.code) == (status, code)
        assert reply.json["errors"][0]["extensions"]["remedy"]


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever(
    suite: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.http.graphql.BODY_PATIENCE", 0.1)
    place = urlsplit(suite.door.base)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b'Content-Length: 50\r\n\r\n{"query"'
    )

    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readuntil(b"}]}")
    writer.close()

    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"BODY_TIMEOUT" in body


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
        "application/jsonx",
        "application/json; charset=utf-16",
    ],
)
async def test_a_post_that_a_form_could_send_is_refused(
    suite: World, content_type: str | None
) -> None:
    headers = {"content-type": content_type} if content_type else {}

    reply = await request(
        "POST", f"{suite.door.base}/graphql", headers, b'{"query":"{ __typename }"}'
    )

    assert (reply.status, reply.code) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_other_methods_are_refused(suite: World, method: str) -> None:
    reply = await request(method, f"{suite.door.base}/graphql")

    assert (reply.status, reply.code) == (405, "METHOD_NOT_ALLOWED")
    assert reply.headers["allow"] == "get, post"


def by_get(world: World, **params: str) -> str:
    return f"{world.door.base}/graphql?{urlencode(params)}"


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": GRAPHQL},
        {"accept": "application/json"},
        {"x-suite-request": "1"},
        {"authorization": ""},
        {"content-type": "application/json"},
        {"sec-fetch-mode": "cors"},
        {"sec-fetch-mode": "cors", "sec-fetch-site": "same-origin"},
    ],
)
async def test_a_query_by_get_is_answered(suite: World, headers: dict[str, str]) -> None:
    url = by_get(
        suite, query="query Q($id: ID!) { provider(id: $id) { name } }", variables='{"id":"7"}'
    )

    reply = await request("GET", url, headers)

    assert reply.status == 200
    assert reply.json == {"data": {"provider": {"name": "Dr 7"}}}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"accept": "*/*"},
        {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "sec-fetch-mode": "navigate"},
        {"accept": "image/avif,image/webp,*/*;q=0.8", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-mode": "cors", "origin": "https://evil.example"},
        {"sec-fetch-mode": "cors", "sec-fetch-site": "cross-site"},
        {"accept": GRAPHQL, "origin": "null"},
        {"accept": "application/json", "origin": "https://evil.example"},
    ],
)
async def test_a_get_that_a_foreign_page_could_cause_is_refused(
    suite: World, headers: dict[str, str]
) -> None:
    reply = await request("GET", by_get(suite, query="{ __typename }"), headers)

    assert (reply.status, reply.code) == (403, "CSRF")


@pytest.mark.parametrize("accept", [GRAPHQL, "application/json", "text/event-stream"])
async def test_a_mutation_by_get_is_refused(suite: World, accept: str) -> None:
    url = by_get(suite, query='mutation { rename(id: "1", name: "x") { __typename } }')

    reply = await request("GET", url, {"accept": accept})

    assert (reply.status, reply.code) == (405, "METHOD_NOT_ALLOWED")
    assert suite.places.asked == [] or "rename" not in suite.places.asked[-1]["query"]


async def test_variables_by_get_that_are_no_json_are_refused(suite: World) -> None:
    reply = await request(
        "GET", by_get(suite, query="{ __typename }", variables="{"), {"accept": GRAPHQL}
    )

    assert (reply.status, reply.code) == (400, "BAD_REQUEST")


async def test_the_named_operation_is_run(suite: World) -> None:
    body = b'{"query": "query A { __typename } query B { requestId }", "operationName": "A"}'

    reply = await request("POST", f"{suite.door.base}/graphql", JSON_TYPE, body)

    assert reply.json == {"data": {"__typename": "Query"}}


async def test_an_unnamed_operation_of_several_is_a_request_error(suite: World) -> None:
    reply = await suite.door.post("query A { __typename } query B { __typename }")

    assert (reply.status, reply.code) == (400, "OPERATION_RESOLUTION_FAILURE")


async def test_the_request_id_travels_through_and_comes_back(suite: World) -> None:
    reply = await suite.door.post("{ requestId }", x_request_id="abc-123")

    assert reply.json == {"data": {"requestId": "abc-123"}}
    assert reply.headers["x-request-id"] == "abc-123"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a:b"])
async def test_a_request_id_that_could_spoil_a_log_is_replaced(suite: World, given: str) -> None:
    reply = await suite.door.post("{ requestId }", x_request_id=given)

    told = reply.json["data"]["requestId"]
    assert told != given
    assert reply.headers["x-request-id"] == told


async def test_the_clients_address_travels_and_cannot_be_claimed(suite: World) -> None:
    await suite.door.post(
        "{ viewer }", x_forwarded_for="203.0.113.7", x_client_address="203.0.113.7"
    )

    assert suite.people.client == "127.0.0.1"


async def test_a_trusted_proxy_says_where_a_request_came_from(gateway_nats: str) -> None:
    async with world(gateway_nats, TRUSTED_PROXIES="127.0.0.0/8") as running:
        await running.door.post("{ viewer }", x_forwarded_for="203.0.113.7")

        assert running.people.client == "203.0.113.7"


async def test_entities_are_joined_across_subgraphs(suite: World) -> None:
    reply = await suite.door.post(
        "{ providers(first: 2) { edges { node { name login } } } }", token=suite.user()
    )

    assert reply.json == {
        "data": {
            "providers": {
                "edges": [
                    {"node": {"name": "Dr 0", "login": "login-0"}},
                    {"node": {"name": "Dr 1", "login": "login-1"}},
                ]
            }
        }
    }


async def test_alive_and_ready_are_told(suite: World) -> None:
    assert (await request("GET", f"{suite.door.base}/livez")).status == 200
    assert (await request("GET", f"{suite.door.base}/readyz")).json == {
        "ready": True,
        "broker": True,
    }


async def test_answers_are_neither_kept_nor_guessed_at_by_browsers(suite: World) -> None:
    reply = await suite.door.post("{ __typename }")

    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"


async def test_only_allowed_sites_may_read_answers(gateway_nats: str) -> None:
    asking = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    async with world(gateway_nats, ALLOWED_ORIGINS="https://clinic.example") as running:
        url = f"{running.door.base}/graphql"
        ours = await request("OPTIONS", url, asking | {"origin": "https://clinic.example"})
        other = await request("OPTIONS", url, asking | {"origin": "https://evil.example"})
        answer = await running.door.post("{ __typename }", origin="https://clinic.example")

    assert (ours.status, other.status) == (200, 400)
    assert "access-control-allow-origin" not in other.headers
    assert answer.headers["access-control-allow-origin"] == "https://clinic.example"
    assert "access-control-allow-credentials" not in answer.headers
