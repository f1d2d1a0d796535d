"""Clients that hang up in the middle, and subgraphs that do not answer: nobody works or waits for nothing."""

from __future__ import annotations

import asyncio

import pytest

from gateway.executor import SubgraphRequest, SubgraphUnavailable
from gateway.http.fetches import Fetches, Signer
from gateway.subgraphs import Bounds, Subgraphs
from kit.auth import ANONYMOUS
from kit.clock import Clock
from tests.gateway.edge.client import request
from tests.gateway.edge.conftest import World, world
from tests.gateway.edge.neighbours import KEY, wall
from tests.gateway.edge.scripted import Peer, scripted
from tests.support.eventually import eventually

PATIENT = {"SUBGRAPH_TIMEOUT": "60", "REQUEST_TIMEOUT": "60"}
RENAME = 'mutation { rename(id: "1", name: "x") { __typename } }'


async def ask_and_leave(running: World, text: str, **headers: str) -> None:
    """Send an operation, and hang up once the subgraph has it."""
    running.places.hangs = True
    asking = asyncio.create_task(running.door.post(text, **headers))

    async def asked() -> bool:
        return bool(running.places.asked)

    await eventually(asked)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_query_ends_in_the_subgraphs_when_its_client_leaves(
    gateway_nats: str, accept: str
) -> None:
    async with world(gateway_nats, **PATIENT) as running:
        await ask_and_leave(running, "{ large(bytes: 1) }", accept=accept)

        async with asyncio.timeout(5):
            await running.places.left.wait()


async def test_a_mutation_goes_on_when_its_client_leaves(gateway_nats: str) -> None:
    async with world(gateway_nats, **PATIENT) as running:
        await ask_and_leave(running, RENAME)
        for _ in range(3):
            await request("GET", f"{running.door.base}/livez")

        assert not running.places.left.is_set()


async def test_a_subgraph_that_was_silent_is_not_waited_for_again() -> None:
    async def silence(peer: Peer) -> None:
        await peer.request()
        await peer.gone()

    async with scripted(silence) as script:
        fetches = await fetching(script.url, seconds=60.0)
        for _ in range(2):
            with pytest.raises(SubgraphUnavailable):
                await fetches.send("things", SubgraphRequest("{ a }", {}))

        assert script.connections == 1


async def test_nothing_is_sent_once_the_time_is_up() -> None:
    async def silence(peer: Peer) -> None:
        await peer.gone()

    async with scripted(silence) as script:
        fetches = await fetching(script.url, seconds=0.0)
        with pytest.raises(SubgraphUnavailable):
            await fetches.send("things", SubgraphRequest("mutation { a }", {}, kind="mutation"))

        assert script.connections == 0


async def fetching(url: str, *, seconds: float) -> Fetches:
    """Fetches of one request that has so much time."""
    clock = Clock(wall)
    await clock.sync()
    deadline = asyncio.get_running_loop().time() + seconds
    subgraphs = Subgraphs({"things": url}, Bounds(total=0.2))
    return Fetches(subgraphs, Signer(KEY, clock), ANONYMOUS, "r", deadline)
