"""A child process on a leash: it logs to a file, is stopped by a signal, and never outlives us."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import random
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from cli.servers.leftover import end_leftover
from cli.trouble import Trouble

LEASH = Path(__file__).with_name("leash.py")


PORTS = range(20_000, 32_000)
"""Below the ports that systems give to outgoing connections: one of those must not take a server's port between its restarts."""

PORT_TRIES = 200
_chooser = random.SystemRandom()


_reserved: list[IO[str]] = []


def free_port() -> int:
    """A TCP port of the loopback that is free now, and that no other system of the suite is given while this process lives:
    between the choice and the first use another one may choose too."""
    for _ in range(PORT_TRIES):
        port = _chooser.choice(PORTS)
        if _reserve(port) and port_free(port):
            return port
    raise Trouble(
        "No free port was found on 127.0.0.1.", "End some of the programs that listen there."
    )


def _reserve(port: int) -> bool:
    """Take the port's lock file, which the system gives back when this process ends."""
    folder = Path(tempfile.gettempdir()) / f"suite-ports-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = (folder / str(port)).open("a", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    _reserved.append(lock)
    return True


def port_free(port: int) -> bool:
    """Whether nothing listens on this port of the loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def port_open(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something listens on this port."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


@dataclass(kw_only=True)
class Child:
    """A program to be run. `on_death` is the signal it gets when we die; `gentle` the one that asks it to stop.

    With a `pid_file`, a process that an earlier, killed run left behind is ended first (the kernel does that where it can); it
    is known by `mark`, the part of the command line that only this child of this system has.
    """

    name: str
    program: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    cwd: Path | None = None
    identity: str = "self"
    on_death: signal.Signals = signal.SIGTERM
    gentle: signal.Signals = signal.SIGTERM
    pid_file: Path | None = None
    mark: str = ""
    process: asyncio.subprocess.Process | None = field(default=None, init=False)

    async def start(self) -> None:
        """Start it; its output is appended to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.pid_file and self.mark:
            await end_leftover(self.pid_file, self.mark, self.gentle)
        leash = [str(os.getpid()), str(int(self.on_death)), self.identity]
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", str(LEASH), *leash, *self.program,
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                env=self.environment, cwd=self.cwd, start_new_session=True,
            )  # fmt: skip
        if self.pid_file:
            self.pid_file.parent.mkdir(parents=True, exist_ok=True)
            self.pid_file.write_text(f"{self.process.pid}\n")

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self.process.pid if self.process and self.running else None

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self.process is not None and self.process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return None if self.process is None else self.process.returncode

    async def wait(self) -> int:
        """Wait for its end; answers the exit code."""
        if self.process is None:
            return 0
        return await self.process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.process is not None and self.running:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    async def stop(self, patience: float = 15.0) -> None:
        """Ask it to stop; kill it when it has not done so after `patience` seconds."""
        self.send(self.gentle)
        try:
            await asyncio.wait_for(self.wait(), patience)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it at once."""
        self.send(signal.SIGKILL)
        await self.wait()

    def last_words(self, lines: int = 5) -> str:
        """The end of its log, for an error message."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


async def run_once(child: Child) -> int:
    """Run a program to its end; answers the exit code."""
    await child.start()
    return await child.wait()
