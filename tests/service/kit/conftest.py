"""Fixtures of the kit's tests: servers that may be killed without hurting other tests, and databases with the ledger's tables."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import nats.js.errors
import pytest

from kit import db
from kit.bus import STREAM, Bus, open_bus
from kit.db import Database, open_database
from tests.support import ledger, servers
from tests.support.eventually import eventually
from tests.support.servers import NatsServer, PostgresServer


@pytest.fixture(scope="session")
async def broker() -> AsyncIterator[NatsServer]:
    """A NATS of our own."""
    async with servers.nats_server() as server:
        yield server


@pytest.fixture(scope="module")
async def mortal_postgres() -> AsyncIterator[PostgresServer]:
    """A PostgreSQL of our own."""
    async with servers.postgres_server() as server:
        yield server


async def ledger_database(server: PostgresServer) -> str:
    """The URL of a fresh database with the tables of kit and ledger."""
    url = await server.database(ledger.NAME)
    await db.migrate(url, ledger.NAME)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(ledger.TABLES)
    finally:
        await connection.close()
    return url


@pytest.fixture
async def database_url(postgres: PostgresServer) -> str:
    """A fresh database with the ledger's tables."""
    return await ledger_database(postgres)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same, with a pool, as a service sees it."""
    opened = await open_database(database_url, size=30)
    try:
        yield opened.everywhere()
    finally:
        await opened.pool.close()


async def made_anew(bus: Bus) -> bool:
    """Whether the stream could be made: the server may still be clearing the files of the one that was deleted."""
    try:
        await bus.ensure_stream()
    except nats.js.errors.ServerError:
        return False
    return True


@pytest.fixture
async def bus(broker: NatsServer) -> AsyncIterator[Bus]:
    """A connection to the broker, whose stream is empty."""
    opened = await open_bus(servers.operator_url(broker), name="test")
    try:
        await opened.ensure_stream()
        await opened.js.delete_stream(STREAM)
        await eventually(lambda: made_anew(opened))
        yield opened
    finally:
        await opened.close()
