"""A TCP server that follows a script, to meet the subgraph client with every kind of peer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Talk = Callable[["Peer"], Awaitable[None]]


class Peer:
    """One accepted connection. `number` counts connections from 1."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self.number = number
        self._reader, self._writer = reader, writer

    async def request(self) -> tuple[str, bytes]:
        """The head and body of the next request; IncompleteReadError when the client left."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1])
            for line in head.lower().split("\r\n")
            if line.startswith("content-length")
        )
        return head, await self._reader.readexactly(length)

    async def send(self, data: bytes) -> None:
        """Bytes, as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def reply(self, body: bytes, *, status: str = "200 OK", headers: str = "") -> None:
        """A whole reply with a length."""
        await self.send(
            f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body
        )

    async def gone(self) -> None:
        """Wait for the client to leave."""
        await self._reader.read()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


class Script:
    """The running server: where it listens, and the connections it has had."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.connections = 0
        self.requests: list[tuple[str, bytes]] = []
        self.url = ""

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Follow the script on one connection."""
        self.connections += 1
        try:
            await self._talk(Peer(reader, writer, self.connections))
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def scripted(talk: Talk) -> AsyncIterator[Script]:
    """Serve the script on a free port of loopback."""
    script = Script(talk)
    server = await asyncio.start_server(script.accept, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    try:
        yield script
    finally:
        server.close()
