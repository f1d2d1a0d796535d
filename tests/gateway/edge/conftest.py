"""A gateway on a real socket, between neighbours on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import orjson
import pytest
from nats.aio.client import Client as Nats

from gateway.app import Server, server
from gateway.config import GatewaySettings
from gateway.http.edge import Edge
from kit.clock import Clock
from kit.config import load
from tests.gateway.edge.client import Door, request
from tests.gateway.edge.neighbours import (
    DIRECTORY,
    IDENTITY,
    KEY,
    Identity,
    Subgraph,
    directory_root,
    identity_root,
    identity_rpc,
    serving,
    subgraph_server,
    wall,
)
from tests.support.servers import NatsServer

SUPERGRAPH = Path(__file__).parent / "neighbours.graphql"


@dataclass
class World:
    """The running gateway and its neighbours."""

    door: Door
    server: Server
    identity: Identity
    people: Subgraph
    places: Subgraph
    users: dict[str, UUID] = field(default_factory=dict)

    @property
    def edge(self) -> Edge:
        """What the gateway is made of."""
        return self.server.edge

    @property
    def socket(self) -> str:
        """Where WebSockets connect."""
        return self.door.base.replace("http", "ws") + "/graphql"

    def user(self) -> str:
        """A new user with a session; answers the token."""
        token = uuid4().hex
        self.users[token] = uuid4()
        self.identity.add(token, self.users[token])
        return token


@asynccontextmanager
async def world(nats_url: str, **more: str) -> AsyncIterator[World]:
    """Start it all; `more` are settings of the gateway."""
    clock = Clock(wall)
    await clock.sync()
    people = Subgraph("identity", IDENTITY, identity_root, clock)
    places = Subgraph("directory", DIRECTORY, directory_root, clock)
    identity = Identity()
    async with AsyncExitStack() as stack:
        rpc = await stack.enter_async_context(identity_rpc(identity))
        urls = {
            "SUBGRAPH_IDENTITY_URL": await stack.enter_async_context(subgraph_server(people)),
            "SUBGRAPH_DIRECTORY_URL": await stack.enter_async_context(subgraph_server(places)),
        }
        settings = load(GatewaySettings, "gateway", environment(nats_url, rpc) | urls | more)
        gateway = server(settings)
        base = await stack.enter_async_context(serving(gateway))
        running = World(Door(base), gateway, identity, people, places)
        await ready(running)
        yield running


def environment(nats_url: str, rpc: str) -> dict[str, str]:
    """The settings of a gateway under test."""
    nowhere = "http://127.0.0.1:9/graphql"
    return {
        "MODE": "development",
        "HTTP_PORT": "0",
        "NATS_URL": nats_url,
        "VIEWER_KEY": KEY.hex(),
        "IDENTITY_RPC": rpc,
        "SUPERGRAPH": str(SUPERGRAPH),
        "SUBGRAPH_IDENTITY_URL": nowhere,
        "SUBGRAPH_DIRECTORY_URL": nowhere,
        "SUBGRAPH_INSURANCE_URL": nowhere,
        "SUBGRAPH_REFERRALS_URL": nowhere,
        "SUBGRAPH_REPORTING_URL": nowhere,
        "SUBGRAPH_TIMEOUT": "2",
        "REQUEST_TIMEOUT": "1",
        "SHUTDOWN_GRACE": "2",
    }


async def ready(running: World) -> None:
    """Wait until the gateway says that it is ready and hears revocations."""
    async with asyncio.timeout(10):
        while True:
            reply = await request("GET", f"{running.door.base}/readyz")
            if reply.status == 200 and reply.json["broker"]:
                return
            await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
def gateway_nats(nats_server: NatsServer) -> str:
    """Where the gateway connects, with its own user, who may only listen."""
    return nats_server.url("gateway")


@pytest.fixture(scope="session")
async def suite(gateway_nats: str) -> AsyncIterator[World]:
    """A gateway in development mode, shared by the tests."""
    async with world(gateway_nats) as running:
        yield running


@pytest.fixture(scope="session")
async def production(gateway_nats: str) -> AsyncIterator[World]:
    """A gateway in production mode."""
    async with world(gateway_nats, MODE="production") as running:
        yield running


@pytest.fixture(scope="session")
async def broker(nats_url: str) -> AsyncIterator[Nats]:
    """A connection on which identity's facts can be told."""
    client = Nats()
    await client.connect(nats_url)
    yield client
    await client.close()


async def tell(broker: Nats, user_id: UUID, verb: str = "sessions_revoked") -> None:
    """A fact about a user, as identity's relay publishes it."""
    event = {"specversion": "1.0", "id": str(uuid4()), "data": {"userId": str(user_id)}}
    await broker.publish(f"events.{uuid4()}.identity.user.{verb}", orjson.dumps(event))
    await broker.flush()
