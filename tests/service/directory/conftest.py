"""A running directory on real servers, with small neighbours on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc.aio
import pytest

from kit import db
from kit.rpc import Peer
from proto.directory.v1.directory_pb2_grpc import DirectoryStub
from proto.identity.v1.identity_pb2_grpc import add_IdentityServicer_to_server
from proto.referrals.v1.referrals_pb2_grpc import add_ReferralsServicer_to_server
from services.directory.app import build
from tests.service.directory.siblings import SmallIdentity, SmallReferrals
from tests.service.directory.world import Directory, Organization
from tests.support.facts import Neighbours, forget_facts
from tests.support.running import environment, running_service
from tests.support.servers import PostgresServer


@pytest.fixture(scope="module")
async def directory(postgres: PostgresServer, nats_url: str) -> AsyncIterator[Directory]:
    """One directory for the tests of a module: each test brings organizations of its own."""
    identity, referrals, server = SmallIdentity(), SmallReferrals(), grpc.aio.server()
    add_IdentityServicer_to_server(identity, server)
    add_ReferralsServicer_to_server(referrals, server)
    door = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    url = await postgres.database("directory")
    await db.migrate(url, "directory")
    settings = environment("directory", url, nats_url, IDENTITY_RPC=door, REFERRALS_RPC=door)
    await forget_facts(nats_url)
    async with running_service(build(settings)) as running:
        parts = running.parts
        address, key = f"127.0.0.1:{parts.grpc_port}", parts.settings.viewer_key
        askers = {
            name: Peer("directory", address, me=name, key=key, clock=parts.clock)
            for name in ("referrals", "insurance", "identity")
        }
        peer = askers["referrals"]
        stub = DirectoryStub(peer.channel)
        yield Directory(running, identity, referrals, Neighbours(running), peer, stub, askers)
        await asyncio.gather(*(one.close() for one in askers.values()))
    await server.stop(None)


@pytest.fixture
def organization(directory: Directory) -> Organization:
    """A fresh organization."""
    return Organization(directory)


@pytest.fixture
def other(directory: Directory) -> Organization:
    """Another organization of the network."""
    return Organization(directory)
