"""The ledger as a process of its own, which can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.auth import VIEWER_HEADER, Viewer, sign_viewer
from kit.clock import Clock
from tests.support.eventually import eventually
from tests.support.running import VIEWER_KEY, environment

ROOT = Path(__file__).parents[2]
KEY = bytes.fromhex(VIEWER_KEY)


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was answered
        """The body as JSON."""
        return json.loads(self.body)


@asynccontextmanager
async def request(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> AsyncIterator[tuple[int, asyncio.StreamReader]]:
    """An HTTP request: the status, and the body as it comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{method} {path} HTTP/1.1", "host: test", "connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write("\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body)
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        content = asyncio.StreamReader()
        feeding = asyncio.create_task(_feed(reader, content, chunked=b"chunked" in head))
        try:
            yield int(head.split()[1]), content
        finally:
            feeding.cancel()
    finally:
        writer.close()


async def _feed(
    source: asyncio.StreamReader, content: asyncio.StreamReader, *, chunked: bool
) -> None:
    if not chunked:
        content.feed_data(await source.read())
    else:
        while size := int(await source.readline(), 16):
            content.feed_data((await source.readexactly(size + 2))[:-2])
    content.feed_eof()


async def call(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> Answer:
    """The whole answer to a request."""
    async with request(port, method, path, body, headers) as (status, reader):
        return Answer(status, await reader.read())


def signed(viewer: Viewer, clock: Clock, *, audience: str, key: bytes = KEY) -> dict[str, str]:
    """The header under which the gateway sends a viewer."""
    return {VIEWER_HEADER: sign_viewer(viewer, audience=audience, key=key, at=clock.real())}


class Ledger:
    """A running process of the ledger."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log

    async def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM, and the exit code once it is gone."""
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()

    async def alive(self) -> bool:
        """Whether the HTTP door answers."""
        try:
            return (await call(self.port, "GET", "/livez")).status == 200
        except (OSError, asyncio.IncompleteReadError):
            return False


@asynccontextmanager
async def ledger_process(
    database_url: str,
    nats_url: str,
    folder: Path,
    module: str = "tests.support.ledger",
    **more: str,
) -> AsyncIterator[Ledger]:
    """A process of the ledger whose HTTP door is open; killed at the end when it still runs."""
    port = free_port()
    settings = environment("ledger", database_url, nats_url, HTTP_PORT=str(port), **more)
    log = folder / f"ledger-{port}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, cwd=ROOT, stderr=output, env=dict(os.environ) | settings
        )
    running = Ledger(process, port, log)
    try:
        await eventually(running.alive, within=30)
        yield running
    finally:
        if process.returncode is None:
            await running.kill()
