"""Live queries as server-sent events: they carry what happens, and end when their session does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from nats.aio.client import Client as Nats
from starlette.responses import PlainTextResponse, StreamingResponse

from gateway.http import graphql
from kit.errors import Unavailable
from tests.gateway.edge.client import request, stream
from tests.gateway.edge.conftest import World, tell, world
from tests.support import servers

TICKS = "subscription($n: Int!) { ticks(upTo: $n) { number provider { id login } } }"


def tick(number: int) -> dict[str, object]:
    provider = {"id": str(number), "login": f"login-{number}"}
    return {"data": {"ticks": {"number": number, "provider": provider}}}


async def test_a_subscription_is_followed_event_by_event_and_completed_by_other_subgraphs(
    suite: World,
) -> None:
    async with suite.door.events(TICKS, {"n": 2}, token=suite.user()) as events:
        assert (events.status, events.headers["content-type"]) == (
            200,
            "text/event-stream; charset=utf-8",
        )
        assert await events.next() == ("next", tick(1))
        assert await events.next() == ("next", tick(2))


async def test_a_stream_that_the_subgraph_completes_is_completed(suite: World) -> None:
    async with suite.door.events(TICKS, {"n": 1}) as events:
        await events.next()
        suite.places.stop_streams.set()
        try:
            assert await events.next() == ("complete", None)
        finally:
            suite.places.stop_streams.clear()


async def test_a_client_that_leaves_ends_the_subgraphs_stream(suite: World) -> None:
    suite.places.left.clear()
    async with suite.door.events(TICKS, {"n": 1}) as events:
        await events.next()

    async with asyncio.timeout(5):
        await suite.places.left.wait()


async def test_silence_is_broken_by_comments(suite: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql, "KEEP_ALIVE", 0.05)
    async with suite.door.events(TICKS, {"n": 0}) as events:
        assert await events.line() == b":"
        assert await events.line() == b":"


async def test_a_query_can_be_answered_as_events_too(suite: World) -> None:
    async with suite.door.events("{ viewer }") as events:
        assert await events.next() == ("next", {"data": {"viewer": "anonymous"}})
        assert await events.next() == ("complete", None)


async def test_a_request_error_is_told_in_the_stream(suite: World) -> None:
    async with suite.door.events("{ nothingOfTheKind }") as events:
        event, body = await events.next()
        assert (events.status, event) == (200, "next")
        assert body["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert await events.next() == ("complete", None)


async def test_a_subscription_needs_a_client_that_reads_events(suite: World) -> None:
    reply = await suite.door.post(TICKS, {"n": 1})

    assert (reply.status, reply.code) == (406, "NOT_ACCEPTABLE")
    assert "text/event-stream" in reply.json["errors"][0]["extensions"]["remedy"]


async def test_a_subscription_by_get_is_followed(suite: World) -> None:
    query = "subscription%20%7B%20ticks(upTo%3A1)%20%7B%20number%20%7D%20%7D"
    url = f"{suite.door.base}/graphql?query={query}"
    async with stream("GET", url, {"accept": "text/event-stream"}) as events:
        assert await events.next() == ("next", {"data": {"ticks": {"number": 1}}})


async def test_a_revoked_session_ends_its_live_query_with_the_reason(
    suite: World, broker: Nats
) -> None:
    token, other = suite.user(), suite.user()
    async with (
        suite.door.events(TICKS, {"n": 1}, token=token) as events,
        suite.door.events(TICKS, {"n": 1}, token=other) as others,
    ):
        await events.next()
        await others.next()
        suite.identity.revoke(token)
        await tell(broker, suite.users[token])

        event, body = await asyncio.wait_for(events.next(), 5)

        assert event == "next"
        assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert await events.next() == ("complete", None)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(others.next(), 0.2)


async def test_a_changed_role_ends_a_live_query_so_that_it_is_opened_anew(
    suite: World, broker: Nats
) -> None:
    token = suite.user()
    async with suite.door.events(TICKS, {"n": 1}, token=token) as events:
        await events.next()
        held = suite.identity.sessions[token]
        assert not isinstance(held, Exception)
        held.office_staff_of.append(str(uuid4()))
        await tell(broker, suite.users[token], "role_granted")

        _, body = await asyncio.wait_for(events.next(), 5)

        assert body["errors"][0]["extensions"]["remedy"] == "Subscribe again."


async def test_a_fact_that_changes_nothing_leaves_a_live_query_alone(
    suite: World, broker: Nats
) -> None:
    token = suite.user()
    async with suite.door.events(TICKS, {"n": 1}, token=token) as events:
        await events.next()
        await tell(broker, suite.users[token], "confirmed")

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(events.next(), 0.3)


async def test_a_live_query_ends_when_its_token_does(suite: World) -> None:
    suite.identity.add("brief", uuid4(), expires_in=timedelta(seconds=1.2))
    async with suite.door.events(TICKS, {"n": 1}, token="brief") as events:
        await events.next()

        _, body = await asyncio.wait_for(events.next(), 5)

        assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_live_query_ends_kindly_when_the_gateway_stops(nats_url: str) -> None:
    async with world(nats_url) as running, running.door.events(TICKS, {"n": 1}) as events:
        await events.next()
        running.server.should_exit = True

        _, body = await asyncio.wait_for(events.next(), 5)

        assert body["errors"][0]["message"] == "The gateway is stopping."
        assert await events.next() == ("complete", None)


async def test_a_subgraph_that_dies_ends_the_stream_with_an_error(suite: World) -> None:
    suite.places.answer_with = PlainTextResponse("gone", 503)
    try:
        async with suite.door.events(TICKS, {"n": 1}) as events:
            _, body = await events.next()
            assert body["errors"][0]["extensions"]["code"] == "SUBGRAPH_UNAVAILABLE"
            assert await events.next() == ("complete", None)
    finally:
        suite.places.answer_with = None


async def test_a_stream_that_ends_without_saying_so_is_told_as_broken_off(suite: World) -> None:
    told = b'event: next\ndata: {"data": {"ticks": {"number": 1}}}\n\n'
    suite.places.answer_with = StreamingResponse(iter([told]), media_type="text/event-stream")
    try:
        async with suite.door.events("subscription { ticks(upTo: 1) { number } }") as events:
            assert await events.next() == ("next", {"data": {"ticks": {"number": 1}}})
            _, body = await events.next()
            assert body["errors"][0]["extensions"]["code"] == "SUBGRAPH_UNAVAILABLE"
            assert await events.next() == ("complete", None)
    finally:
        suite.places.answer_with = None


async def test_identity_being_away_does_not_end_a_live_query_before_its_token(
    suite: World, broker: Nats
) -> None:
    token = suite.user()
    held = suite.identity.sessions[token]
    async with suite.door.events(TICKS, {"n": 1}, token=token) as events:
        await events.next()
        suite.identity.sessions[token] = Unavailable("The database does not answer.")
        await tell(broker, suite.users[token])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(events.next(), 0.3)
        suite.identity.sessions[token] = held


async def test_a_live_query_ends_with_its_token_even_while_identity_is_away(suite: World) -> None:
    suite.identity.add("lonely", uuid4(), expires_in=timedelta(seconds=1.1))
    async with suite.door.events(TICKS, {"n": 1}, token="lonely") as events:
        await events.next()
        suite.identity.sessions["lonely"] = Unavailable("The database does not answer.")

        _, body = await asyncio.wait_for(events.next(), 5)

        assert body["errors"][0]["message"] == "The access token has ended."


async def test_nothing_is_remembered_while_the_broker_is_away() -> None:
    async with servers.nats_server() as own, world(servers.operator_url(own)) as running:
        token = running.user()
        await running.door.post("{ viewer }", token=token)
        await own.kill()
        async with asyncio.timeout(5):
            while (await request("GET", f"{running.door.base}/readyz")).json["broker"]:
                await asyncio.sleep(0.02)
        running.identity.revoke(token)

        assert (await running.door.post("{ viewer }", token=token)).code == "UNAUTHENTICATED"

        await own.restart()
        async with asyncio.timeout(10):
            while not (await request("GET", f"{running.door.base}/readyz")).json["broker"]:
                await asyncio.sleep(0.02)
        assert (await running.door.post("{ viewer }", token=token)).code == "UNAUTHENTICATED"
