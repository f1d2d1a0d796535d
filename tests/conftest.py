"""Fixtures of every test: the real servers, started at the first test that asks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support import servers
from tests.support.servers import NatsServer, PostgresServer


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    """The PostgreSQL of this test run."""
    async with servers.postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
async def nats_server() -> AsyncIterator[NatsServer]:
    """The NATS of this test run, with one user for each process."""
    async with servers.nats_server() as server:
        yield server


@pytest.fixture(scope="session")
def nats_url(nats_server: NatsServer) -> str:
    """Where to connect to NATS as a user who may do everything in our account."""
    return servers.operator_url(nats_server)
