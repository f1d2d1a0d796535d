"""The embedded NATS: a real server from a wheel, JetStream on disk, each acknowledgement after the flush."""

from __future__ import annotations

import asyncio
import os
import shutil
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

from cli.servers.nats_config import Credentials, render
from cli.servers.process import Child, free_port, port_open
from cli.servers.secrets import write_private
from cli.trouble import Trouble

POLL = 0.01
START_PATIENCE = 30.0


def program() -> Path:
    """The server: SUITE_NATS_SERVER, the wheel's, or an installed one."""
    if chosen := os.environ.get("SUITE_NATS_SERVER"):
        return Path(chosen)
    wheel = Path(sysconfig.get_path("scripts")) / "nats-server"
    if wheel.exists():
        return wheel
    if installed := shutil.which("nats-server"):
        return Path(installed)
    raise Trouble(
        "No nats-server was found.",
        "Install the locked requirements by running ./suite, or set NATS_URL.",
    )


@dataclass
class Nats:
    """A server whose store, configuration and log live below `home`. The port stays the same over restarts."""

    home: Path
    log: Path
    credentials: Credentials
    port: int = field(default_factory=free_port)
    _child: Child | None = field(default=None, init=False)

    @property
    def child(self) -> Child | None:
        """The running server, once it has been started."""
        return self._child

    @property
    def store(self) -> Path:
        """Where JetStream keeps its streams."""
        return self.home / "store"

    def url(self, user: str) -> str:
        """Where to connect as one of the users."""
        return f"nats://{user}:{self.credentials.password(user)}@127.0.0.1:{self.port}"

    async def start(self) -> None:
        """End what an earlier run may have left, and start; returns when the port is open."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        config = self.home / "nats.conf"
        write_private(
            config,
            render(
                self.credentials,
                listen=f"127.0.0.1:{self.port}",
                store=str(self.store),
            ),
        )
        self._child = Child(
            name="nats",
            program=[str(program()), "-c", str(config)],
            log=self.log,
            pid_file=self.home / "nats.pid",
            mark=f"-c {config}",
        )
        await self._child.start()
        deadline = asyncio.get_running_loop().time() + START_PATIENCE
        while not await port_open(self.port):
            if not self._child.running or asyncio.get_running_loop().time() > deadline:
                words = self._child.last_words()
                await self._child.stop()
                raise Trouble(f"NATS does not start: {words}", f"Its log is {self.log}.")
            await asyncio.sleep(POLL)

    async def stop(self) -> None:
        """Stop it in order."""
        if self._child is not None:
            await self._child.stop()

    async def kill(self) -> None:
        """Kill the server as a crash would."""
        if self._child is not None:
            await self._child.kill()

    def forget(self) -> None:
        """Delete every stream while the server is stopped: the disaster that replaying from PostgreSQL must mend."""
        shutil.rmtree(self.store, ignore_errors=True)
