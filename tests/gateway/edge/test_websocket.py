"""graphql-transport-ws, frame by frame: what is carried, and with which code a conversation out of order is closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from nats.aio.client import Client as Nats
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from gateway.http import websocket
from tests.gateway.edge.conftest import World, tell, world

PROTOCOL = Subprotocol("graphql-transport-ws")
TICKS = "subscription($n: Int!) { ticks(upTo: $n) { number } }"


class Talk:
    """A client that says exactly what it is told."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def say(self, text: str | None = None, **message: object) -> None:
        """One message."""
        await self._socket.send(orjson.dumps(message).decode() if text is None else text)

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        message: dict[str, Any] = orjson.loads(await asyncio.wait_for(self._socket.recv(), 5))
        return message

    async def subscribe(self, name: str, query: str, **variables: object) -> None:
        """Ask for an operation."""
        await self.say(id=name, type="subscribe", payload={"query": query, "variables": variables})

    async def closed(self) -> int:
        """The code with which the gateway closes."""
        while True:
            try:
                await self.hear()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006


@asynccontextmanager
async def talk(running: World, **more: Any) -> AsyncIterator[Talk]:  # noqa: ANN401 - connect()'s
    async with connect(running.socket, subprotocols=[PROTOCOL], proxy=None, **more) as socket:
        yield Talk(socket)


@asynccontextmanager
async def begun(running: World, token: str = "") -> AsyncIterator[Talk]:
    async with talk(running) as client:
        payload = {"payload": {"authorization": f"Bearer {token}"}} if token else {}
        await client.say(type="connection_init", **payload)
        assert await client.hear() == {"type": "connection_ack"}
        yield client


def tick(name: str, number: int) -> dict[str, Any]:
    return {"id": name, "type": "next", "payload": {"data": {"ticks": {"number": number}}}}


async def test_subscriptions_run_side_by_side_and_each_can_be_completed(suite: World) -> None:
    async with begun(suite) as client:
        await client.subscribe("a", TICKS, n=1)
        assert await client.hear() == tick("a", 1)
        await client.subscribe("b", TICKS, n=1)
        assert await client.hear() == tick("b", 1)
        suite.places.left.clear()

        await client.say(id="a", type="complete")

        async with asyncio.timeout(5):
            await suite.places.left.wait()
        await client.subscribe("a", TICKS, n=1)
        assert await client.hear() == tick("a", 1)


async def test_queries_and_mutations_are_answered_once_and_completed(suite: World) -> None:
    token = suite.user()
    async with begun(suite, token) as client:
        await client.subscribe("q", "{ viewer }")
        answer = {"data": {"viewer": str(suite.users[token])}}
        assert await client.hear() == {"id": "q", "type": "next", "payload": answer}
        assert await client.hear() == {"id": "q", "type": "complete"}

        await client.subscribe("m", 'mutation { rename(id: "1", name: "x") { __typename } }')
        assert (await client.hear())["payload"]["data"] == {"rename": {"__typename": "Provider"}}
        assert (await client.hear())["type"] == "complete"


async def test_a_request_error_ends_its_operation_and_nothing_else(suite: World) -> None:
    async with begun(suite) as client:
        await client.subscribe("bad", "{ nothingOfTheKind }")
        told = await client.hear()
        assert (told["id"], told["type"]) == ("bad", "error")
        assert told["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"

        await client.subscribe("bad", "{ viewer }")
        assert (await client.hear())["type"] == "next"


async def test_the_token_may_also_come_with_the_handshake(suite: World) -> None:
    token = suite.user()
    async with talk(suite, additional_headers={"authorization": f"Bearer {token}"}) as client:
        await client.say(type="connection_init")
        assert await client.hear() == {"type": "connection_ack"}
        await client.subscribe("q", "{ viewer }")
        assert (await client.hear())["payload"]["data"]["viewer"] == str(suite.users[token])


async def test_pings_are_answered_before_and_after_the_beginning(suite: World) -> None:
    async with talk(suite) as client:
        await client.say(type="ping")
        assert await client.hear() == {"type": "pong"}
        await client.say(type="connection_init")
        assert await client.hear() == {"type": "connection_ack"}
        await client.say(type="ping", payload={"n": 1})
        assert await client.hear() == {"type": "pong", "payload": {"n": 1}}
        await client.say(type="pong")


async def test_a_socket_that_says_nothing_is_closed(
    nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "INIT_TIMEOUT", 0.1)
    async with world(nats_url) as running, talk(running) as client:
        assert await client.closed() == 4408


async def test_subscribing_before_the_beginning_is_unauthorized(suite: World) -> None:
    async with talk(suite) as client:
        await client.subscribe("a", "{ viewer }")
        assert await client.closed() == 4401


async def test_beginning_twice_is_too_many(suite: World) -> None:
    async with begun(suite) as client:
        await client.say(type="connection_init")
        assert await client.closed() == 4429


async def test_a_name_in_use_cannot_be_used_again(suite: World) -> None:
    async with begun(suite) as client:
        await client.subscribe("a", TICKS, n=0)
        await client.subscribe("a", TICKS, n=0)
        assert await client.closed() == 4409


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        "{}",
        '{"type": "start", "id": "1"}',
        '{"type": "subscribe", "payload": {}}',
        '{"type": "subscribe", "id": "", "payload": {}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "complete"}',
    ],
)
async def test_a_message_out_of_form_closes_the_socket(suite: World, text: str) -> None:
    async with begun(suite) as client:
        await client.say(text)
        assert await client.closed() == 4400


async def test_a_binary_message_closes_the_socket(suite: World) -> None:
    async with connect(suite.socket, subprotocols=[PROTOCOL], proxy=None) as socket:
        await socket.send(b"\x00\x01")
        assert await Talk(socket).closed() == 4400


async def test_a_message_without_a_query_is_an_error_of_its_operation(suite: World) -> None:
    async with begun(suite) as client:
        await client.say(id="a", type="subscribe", payload={"query": 7})
        told = await client.hear()
        assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "BAD_REQUEST")


@pytest.mark.parametrize("payload", [{"authorization": "Bearer nobodys"}, {"authorization": "x"}])
async def test_a_bad_token_is_forbidden(suite: World, payload: dict[str, str]) -> None:
    async with talk(suite) as client:
        await client.say(type="connection_init", payload=payload)
        assert await client.closed() == 4403


@pytest.mark.parametrize("protocols", [["graphql-ws"], []])
async def test_other_protocols_are_not_spoken(suite: World, protocols: list[str]) -> None:
    offered = [Subprotocol(one) for one in protocols] or None
    async with connect(suite.socket, subprotocols=offered, proxy=None) as socket:
        assert await Talk(socket).closed() == 4406


async def test_a_page_of_another_site_is_not_let_in(suite: World) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with talk(suite, origin=Origin("https://evil.example")):
            pass
    assert refused.value.response.status_code == 403


async def test_our_own_page_and_allowed_sites_are_let_in(nats_url: str, suite: World) -> None:
    async with talk(suite, origin=Origin(suite.door.base)) as client:
        await client.say(type="ping")
        assert await client.hear() == {"type": "pong"}
    async with (
        world(nats_url, ALLOWED_ORIGINS="https://clinic.example") as running,
        talk(running, origin=Origin("https://clinic.example")) as client,
    ):
        await client.say(type="ping")
        assert await client.hear() == {"type": "pong"}


async def test_a_socket_carries_twenty_operations_and_no_more(suite: World) -> None:
    async with begun(suite) as client:
        for number in range(21):
            await client.subscribe(str(number), TICKS, n=0)

        told = await client.hear()

        assert (told["id"], told["type"]) == ("20", "error")
        assert told["payload"][0]["extensions"]["code"] == "SUBSCRIPTION_LIMIT"
        await client.say(id="0", type="complete")
        await client.subscribe("20", TICKS, n=1)
        assert await client.hear() == tick("20", 1)


async def test_a_flood_of_subscribes_is_refused_one_by_one(suite: World) -> None:
    async with begun(suite) as client:
        for number in range(2000):
            await client.subscribe(str(number), TICKS, n=0)

        told = [await client.hear() for _ in range(1980)]

        assert {one["payload"][0]["extensions"]["code"] for one in told} == {"SUBSCRIPTION_LIMIT"}
        await client.say(type="ping")
        assert await client.hear() == {"type": "pong"}


async def test_a_message_that_is_too_big_closes_the_socket(suite: World) -> None:
    async with begun(suite) as client:
        await client.subscribe("a", "{ viewer }" + " " * 100_001)
        assert await client.closed() == 1009


async def test_a_revoked_session_ends_every_operation_and_then_the_socket(
    suite: World, broker: Nats
) -> None:
    token = suite.user()
    async with begun(suite, token) as client:
        for name in ("a", "b"):
            await client.subscribe(name, TICKS, n=1)
            assert await client.hear() == tick(name, 1)
        suite.identity.revoke(token)
        await tell(broker, suite.users[token], "deactivated")

        told = [await client.hear(), await client.hear()]

        assert {(one["id"], one["type"]) for one in told} == {("a", "error"), ("b", "error")}
        assert told[0]["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert await client.closed() == 4403


async def test_an_idle_socket_ends_with_its_token(suite: World) -> None:
    suite.identity.add("fleeting", uuid4(), expires_in=timedelta(seconds=1.1))
    async with begun(suite, "fleeting") as client:
        assert await client.closed() == 4403


async def test_a_mutation_over_a_socket_asks_identity_each_time(suite: World) -> None:
    token = suite.user()
    async with begun(suite, token) as client:
        suite.identity.revoke(token)  # and no fact is told
        await client.subscribe("m", 'mutation { rename(id: "1", name: "x") { __typename } }')
        told = await client.hear()
        assert told["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_socket_closed_by_the_client_leaves_no_stream_behind(suite: World) -> None:
    async with asyncio.timeout(5):
        while suite.places.streams:
            suite.places.left.clear()
            await suite.places.left.wait()
    async with begun(suite) as client:
        for name in "abc":
            await client.subscribe(name, TICKS, n=1)
            await client.hear()
        assert suite.places.streams == 3

    async with asyncio.timeout(5):
        while suite.places.streams:
            suite.places.left.clear()
            await suite.places.left.wait()


async def test_sockets_are_told_when_the_gateway_stops(nats_url: str) -> None:
    async with world(nats_url) as running, begun(running) as client:
        await client.subscribe("a", TICKS, n=1)
        await client.hear()
        running.server.should_exit = True

        told = await client.hear()

        assert told["payload"][0]["message"] == "The gateway is stopping."
        assert await client.closed() == 1001
