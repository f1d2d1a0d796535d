"""The HTTP door of a running service: GraphQL for the gateway and nobody else, and streams that end well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson
import pytest

from kit import subgraph
from kit.auth import Kind, Viewer
from kit.bus import Bus
from kit.db import Database
from kit.ids import new_id
from kit.service import Job, Parts, Service, http_server, move_time, running
from tests.support import ledger, servers
from tests.support.eventually import eventually
from tests.support.process import KEY, Answer, call, free_port, request, signed
from tests.support.running import environment
from tests.support.servers import NatsServer
from tests.support.sql import Sql

USER = Viewer(kind=Kind.USER, user_id=new_id(), organization_id=new_id())
GATEWAY = Viewer(kind=Kind.SERVICE, service="gateway")
SSE = {"accept": "text/event-stream"}


class Served:
    """A service whose HTTP door is open."""

    def __init__(self, service: Service[None], parts: Parts[None], port: int) -> None:
        self.service, self.parts, self.port = service, parts, port

    def headers(self, viewer: Viewer = USER) -> dict[str, str]:
        """What the gateway sends along."""
        return signed(viewer, self.parts.clock, audience=ledger.NAME)

    async def gql(self, query: str, **more: Any) -> Answer:  # noqa: ANN401 - a request's other members
        """Ask as the gateway does."""
        body = orjson.dumps({"query": query} | more)
        return await call(self.port, "POST", "/graphql", body, self.headers())


@pytest.fixture
def settings(database_url: str, broker: NatsServer, bus: Bus) -> dict[str, str]:
    """The environment of a ledger."""
    del bus
    port = str(free_port())
    return environment(ledger.NAME, database_url, servers.operator_url(broker), HTTP_PORT=port)


@asynccontextmanager
async def served(settings: dict[str, str], **declared: object) -> AsyncIterator[Served]:
    """A running ledger with its HTTP door."""
    service = ledger.build(settings, **declared)
    async with running(service) as parts:
        server = http_server(service, parts)
        task = asyncio.create_task(server.serve())

        async def started() -> bool:
            return server.started

        await eventually(started)
        try:
            yield Served(service, parts, int(settings["HTTP_PORT"]))
        finally:
            server.should_exit = True
            await task


QUERIES = ["{ entries }", "{ __schema { types { name } } }", "{ _service { sdl } }", "not graphql"]


@pytest.mark.parametrize("query", QUERIES)
async def test_the_door_refuses_everything_without_the_signed_viewer(
    settings: dict[str, str], query: str
) -> None:
    async with served(settings) as ledger_:
        now = ledger_.parts.clock
        wrong = [
            {},
            {"x-viewer": "garbage"},
            signed(USER, now, audience="identity"),
            signed(USER, now, audience=ledger.NAME, key=b"1" * 32),
        ]
        for headers in wrong:
            for accept in ({}, SSE):
                answer = await call(
                    ledger_.port,
                    "POST",
                    "/graphql",
                    orjson.dumps({"query": query}),
                    headers | accept,
                )
                assert answer.status == 401
                assert answer.json["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
                assert "data" not in answer.json


async def test_the_gateway_asks_and_is_answered(settings: dict[str, str]) -> None:
    async with served(settings) as ledger_:
        account = new_id()
        written = await ledger_.gql(
            "mutation($a: ID!) { write(account: $a) { ... on Written { id } } }",
            variables={"a": str(account)},
        )
        assert written.json["data"]["write"]["id"]
        assert (await ledger_.gql("{ entries }")).json == {"data": {"entries": 1}}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"query": 1}', b'{"query": "{ entries }", "variables": [1]}', b"\xff"],
)
async def test_a_body_that_is_no_request_is_told_what_is_wrong(
    settings: dict[str, str], body: bytes
) -> None:
    async with served(settings) as ledger_:
        answer = await call(ledger_.port, "POST", "/graphql", body, ledger_.headers())
    assert answer.status == 400
    assert answer.json["errors"][0]["extensions"]["reason"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("{ nothing }", {}),
        ("{", {}),
        ("{ entries }", {"operationName": "C"}),
        ("query($s: Float!) { slowly(seconds: $s) }", {}),
        ("subscription { ticks }", {}),
    ],
)
async def test_a_bad_document_is_an_error_of_the_client_with_a_code(
    settings: dict[str, str], query: str, more: dict[str, Any]
) -> None:
    async with served(settings) as ledger_:
        answer = await ledger_.gql(query, **more)
    assert answer.status == 200
    assert answer.json["errors"][0]["message"]
    assert answer.json["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_fault_is_masked_and_carries_a_reference(settings: dict[str, str]) -> None:
    async with served(settings) as ledger_:
        answer = await ledger_.gql("{ faulty }")
    (error,) = answer.json["errors"]
    assert error["message"] == "internal error"
    assert error["extensions"]["code"] == "INTERNAL"
    assert len(error["extensions"]["reference"]) == 12
    assert error["path"] == ["faulty"]
    assert b"secret" not in answer.body


async def next_event(stream: asyncio.StreamReader) -> dict[str, Any]:
    """The next event of a stream that is not a comment; its data is {} at the end."""
    while True:
        block = (await asyncio.wait_for(stream.readuntil(b"\n\n"), 5)).decode().strip()
        if not block.startswith(":"):
            name, data = block.split("\n")
            told = data.removeprefix("data:").strip()
            return {"event": name.removeprefix("event: "), "data": orjson.loads(told or "{}")}


@asynccontextmanager
async def subscribed(
    ledger_: Served, query: str = "subscription { ticks }"
) -> AsyncIterator[asyncio.StreamReader]:
    """An open subscription."""
    body = orjson.dumps({"query": query})
    headers = ledger_.headers() | SSE
    async with request(ledger_.port, "POST", "/graphql", body, headers) as (status, stream):
        assert status == 200
        yield stream


async def closed(database: Database) -> int:
    """How many subscriptions ended."""
    return int(await database.pool.fetchval("SELECT count(*) FROM calls WHERE what = 'closed'"))


async def test_a_subscription_delivers_as_things_happen_and_completes(
    settings: dict[str, str], database: Database
) -> None:
    async with (
        served(settings) as ledger_,
        subscribed(ledger_, "subscription { ticks(until: 2) }") as stream,
    ):
        assert await next_event(stream) == {"event": "next", "data": {"data": {"ticks": 0}}}
        await ledger.write(database, new_id())
        assert await next_event(stream) == {"event": "next", "data": {"data": {"ticks": 1}}}
        await ledger.write(database, new_id())
        assert await next_event(stream) == {"event": "complete", "data": {}}
    assert await closed(database) == 1


async def test_a_silent_subscription_is_kept_alive(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subgraph, "KEEP_ALIVE", 0.05)
    async with served(settings) as ledger_, subscribed(ledger_) as stream:
        await next_event(stream)
        for _ in range(3):
            assert await asyncio.wait_for(stream.readuntil(b"\n\n"), 2) == b":\n\n"


async def test_a_subscription_is_closed_when_the_client_goes_away(
    settings: dict[str, str], database: Database
) -> None:
    async with served(settings) as ledger_:
        async with subscribed(ledger_) as stream:
            await next_event(stream)
        await eventually(lambda: closed(database), within=5)


async def test_a_subscription_ends_with_a_clear_error_when_the_service_stops(
    settings: dict[str, str], database: Database
) -> None:
    async with served(settings | {"SHUTDOWN_GRACE": "5"}) as ledger_:
        async with subscribed(ledger_) as stream:
            await next_event(stream)
            ledger_.parts.stopping.set()
            goodbye = await next_event(stream)
            assert goodbye["data"]["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
            assert await next_event(stream) == {"event": "complete", "data": {}}
        await eventually(lambda: closed(database), within=5)


async def test_a_bad_subscription_is_told_why_and_completes(settings: dict[str, str]) -> None:
    async with (
        served(settings) as ledger_,
        subscribed(ledger_, "subscription { nothing }") as stream,
    ):
        told = await next_event(stream)
        assert told["data"]["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert await next_event(stream) == {"event": "complete", "data": {}}


async def test_liveness_and_readiness_need_no_viewer(settings: dict[str, str]) -> None:
    async with served(settings) as ledger_:
        await eventually(lambda: _broker_is_there(ledger_.port))
        assert (await call(ledger_.port, "GET", "/livez")).json == {"alive": True}
        assert (await call(ledger_.port, "GET", "/readyz")).json == {"ready": True, "broker": True}


async def _broker_is_there(port: int) -> bool:
    return bool((await call(port, "GET", "/readyz")).json["broker"])


async def test_a_job_is_done_by_one_replica_at_a_time(
    settings: dict[str, str], database: Database
) -> None:
    often = Job("count", timedelta(seconds=0.01), ledger.count_calls)
    async with (
        running(ledger.build(settings, jobs=(often,))),
        running(ledger.build(settings, jobs=(often,))),
    ):

        async def enough() -> bool:
            return int(await database.pool.fetchval("SELECT count(*) FROM calls")) > 12

        await eventually(enough)
    rows = await database.pool.fetch("SELECT what FROM calls ORDER BY at")
    told = [row["what"] for row in rows]
    assert told[:12] == ["begin", "end"] * 6


async def test_many_jobs_at_once_do_not_use_up_the_connections(
    settings: dict[str, str], database: Database
) -> None:
    jobs = tuple(Job(f"job {n}", timedelta(hours=1), ledger.count_calls) for n in range(20))
    async with running(ledger.build(settings | {"POOL_SIZE": "6"}, jobs=jobs)):

        async def all_done() -> bool:
            done = await database.pool.fetchval("SELECT count(*) FROM calls WHERE what = 'end'")
            return int(done) == len(jobs)

        await eventually(all_done)


async def test_what_became_due_is_done_when_the_clock_was_moved(
    settings: dict[str, str], database: Database
) -> None:
    async with served(settings) as ledger_:
        before = ledger_.parts.clock.now()
        calls = await database.pool.fetchval("SELECT count(*) FROM calls WHERE what = 'end'")
        await move_time(ledger_.service, ledger_.parts, timedelta(days=9))
        after = await database.pool.fetchval("SELECT count(*) FROM calls WHERE what = 'end'")
        assert after > calls
        assert ledger_.parts.clock.now() - before > timedelta(days=9)
        assert (await ledger_.gql("{ entries }")).status == 200


async def test_every_service_forgets_the_answers_to_retries_of_long_ago(
    settings: dict[str, str], database: Database
) -> None:
    """By real time: where development moves the clock is no reason to do anything twice."""
    count = "SELECT count(*) FROM idempotency"
    async with served(settings) as ledger_:
        await Sql(database).execute(
            "INSERT INTO idempotency SELECT gen_random_uuid(), 'k', '', gen_random_uuid(), now(), gen_random_uuid(),"
            " now() - d * interval '1 day' FROM unnest(ARRAY[29, 31]) AS d"
        )
        await move_time(ledger_.service, ledger_.parts, timedelta(days=9))
        assert await Sql(database).fetchval(count) == 1


async def test_only_the_gateway_moves_the_clock_and_only_in_development(
    settings: dict[str, str],
) -> None:
    body = orjson.dumps({"offset_us": 3_600_000_000})
    async with served(settings) as ledger_:
        for headers, status in (({}, 401), (ledger_.headers(USER), 403)):
            refused = await call(ledger_.port, "POST", "/dev/clock", body, headers)
            assert refused.status == status
        gateway = ledger_.headers(GATEWAY)
        for wrong in (b"", b"{}", b'{"offset_us": "x"}', b'{"offset_us": 1e300}'):
            assert (await call(ledger_.port, "POST", "/dev/clock", wrong, gateway)).status == 400
        assert ledger_.parts.clock.offset == timedelta()
        assert (await call(ledger_.port, "POST", "/dev/clock", body, gateway)).status == 200
        assert ledger_.parts.clock.offset == timedelta(hours=1)
    async with served(settings | {"MODE": "production"}) as ledger_:
        gateway = ledger_.headers(GATEWAY)
        assert (await call(ledger_.port, "POST", "/dev/clock", body, gateway)).status == 404


assert len(KEY) == 32
