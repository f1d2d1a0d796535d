"""Real servers for tests: an embedded PostgreSQL and NATS of this test run alone, on ports and in folders of their own."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cli.servers.nats import Nats
from cli.servers.nats_config import OPERATOR, Credentials
from cli.servers.postgres import Postgres, Role
from kit.roles import OWNER

PASSWORD = "test"
"""Of databases that live for one test run."""


def as_runtime(owner_url: str) -> str:
    """The URL of the same database for the role that the service runs as."""
    return owner_url.replace(f"{OWNER}:", ":", 1)


class PostgresServer:
    """A running PostgreSQL. Kill it with `kill()`, bring it back with `restart()`: same port, same data."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._shared: dict[str, str] = {}

    async def database(self, service: str, *, fresh: bool = True) -> str:
        """The URL of an empty database for its owner, the role that the caller migrates it as (kit.db.migrate). The service
        runs as another: `as_runtime`.

        `fresh=False` answers the same database each time it is asked for this service.
        """
        if not fresh and service in self._shared:
            return self._shared[service]
        name = f"{service}_{secrets.token_hex(4)}"
        owner = Role(f"{service}{OWNER}", PASSWORD)
        await self.server.ensure_database(name, Role(service, PASSWORD), owner)
        url = self.server.url(name, owner.name, PASSWORD)
        if not fresh:
            self._shared[service] = url
        return url

    async def kill(self) -> None:
        """SIGKILL, as a crash would."""
        await self.server.kill()

    async def restart(self) -> None:
        """Start again after a kill, or stop in order and start."""
        await self.server.stop()
        await self.server.start()


class NatsServer:
    """A running NATS with the users and rights of production. `forget` at a restart deletes every stream."""

    def __init__(self, server: Nats) -> None:
        self.server = server

    @property
    def issuer_seed(self) -> str:
        """The seed that signs partners in."""
        return self.server.credentials.issuer_seed()

    @property
    def address(self) -> str:
        """Where a partner connects: no user in it."""
        return f"nats://127.0.0.1:{self.server.port}"

    def url(self, user: str) -> str:
        """Where to connect as a service, the gateway or the operator."""
        return self.server.url(user)

    async def kill(self) -> None:
        """SIGKILL, as a crash would."""
        await self.server.kill()

    async def restart(self, *, forget: bool = False) -> None:
        """Start again after a kill, or stop in order and start."""
        await self.server.stop()
        if forget:
            self.server.forget()
        await self.server.start()


@asynccontextmanager
async def postgres_server() -> AsyncIterator[PostgresServer]:
    """A PostgreSQL that is gone, with its data, at the end."""
    with tempfile.TemporaryDirectory(prefix="suite-pg-") as folder:
        server = Postgres(Path(folder), Path(folder) / "postgres.log", durable=False)
        await server.start()
        try:
            yield PostgresServer(server)
        finally:
            await server.stop()


@asynccontextmanager
async def nats_server() -> AsyncIterator[NatsServer]:
    """A NATS that is gone, with its streams, at the end."""
    with tempfile.TemporaryDirectory(prefix="suite-nats-") as folder:
        home = Path(folder)
        server = Nats(home, home / "nats.log", Credentials(home / "secrets"))
        await server.start()
        try:
            yield NatsServer(server)
        finally:
            await server.stop()


def operator_url(server: NatsServer) -> str:
    """The URL of a user who may do everything in our account."""
    return server.url(OPERATOR)
