"""A plain HTTP client for tests: one request a connection, nothing added that the test did not ask for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson


@dataclass(frozen=True)
class Reply:
    """A whole reply. Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is whatever it is
        """The body as JSON."""
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the first error."""
        code: str = self.json["errors"][0]["extensions"]["code"]
        return code


class Events:
    """A reply that goes on: its head, and its lines as they come."""

    def __init__(self, status: int, headers: dict[str, str], reader: asyncio.StreamReader) -> None:
        self.status, self.headers = status, headers
        self._reader = reader
        self._text = b""

    async def next(self) -> tuple[str, Any]:
        """The next event and its data; comments are passed over."""
        while True:
            event, _, rest = self._text.partition(b"\n\n")
            if rest or self._text.endswith(b"\n\n"):
                self._text = rest
                fields = dict(line.split(b":", 1) for line in event.split(b"\n"))
                if b"event" in fields:
                    data = fields[b"data"].strip()
                    return fields[b"event"].strip().decode(), orjson.loads(data) if data else None
            else:
                await self._more()

    async def line(self) -> bytes:
        """The next line that is not empty, a comment included."""
        while b"\n" not in self._text:
            await self._more()
        line, _, self._text = self._text.partition(b"\n")
        return line or await self.line()

    async def _more(self) -> None:
        size = int(await self._reader.readline(), 16)
        self._text += await self._reader.readexactly(size)
        await self._reader.readexactly(2)


async def request(
    method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Reply:
    """Send a request and read the whole reply."""
    async with opened(method, url, headers, body) as (status, given, reader):
        async with asyncio.timeout(20):
            raw = await reader.read()
    if given.get("transfer-encoding") == "chunked":
        raw = _dechunked(raw)
    return Reply(status, given, raw)


@asynccontextmanager
async def stream(
    method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> AsyncIterator[Events]:
    """Send a request and follow its events; leaving hangs up."""
    async with opened(method, url, headers, body) as (status, given, reader):
        yield Events(status, given, reader)


@asynccontextmanager
async def opened(
    method: str,
    url: str,
    headers: Mapping[str, str] | None,
    body: bytes,
    *,
    listening: bool = True,
) -> AsyncIterator[tuple[int, dict[str, str], asyncio.StreamReader]]:
    """Send a request; answers the head of the reply and where the rest comes from. Who is not `listening` sends all of it first."""
    place = urlsplit(url)
    target = (place.path or "/") + (f"?{place.query}" if place.query else "")
    sent = {"host": place.netloc, "connection": "close", **(headers or {})}
    if body or method == "POST":
        sent.setdefault("content-length", str(len(body)))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        if not listening:
            writer.transport.set_write_buffer_limits(high=0)
            await writer.drain()
        async with asyncio.timeout(20):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        given = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        yield int(head[0].split()[1]), given, reader
    finally:
        writer.close()


def _dechunked(raw: bytes) -> bytes:
    whole = b""
    while raw:
        size, _, raw = raw.partition(b"\r\n")
        length = int(size, 16)
        whole, raw = whole + raw[:length], raw[length + 2 :]
        if not length:
            break
    return whole


@dataclass(frozen=True)
class Door:
    """The gateway's GraphQL door, asked as a client would."""

    base: str

    async def post(
        self,
        query: str,
        variables: object = None,
        *,
        token: str = "",
        path: str = "/graphql",
        **headers: str,
    ) -> Reply:
        """One operation by POST, its answer in application/graphql-response+json unless said otherwise."""
        body = {"query": query} if variables is None else {"query": query, "variables": variables}
        sent = {"content-type": "application/json", "accept": "application/graphql-response+json"}
        if token:
            sent["authorization"] = f"Bearer {token}"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await request("POST", self.base + path, sent, orjson.dumps(body))

    def events(
        self, query: str, variables: object = None, *, token: str = ""
    ) -> AbstractAsyncContextManager[Events]:
        """One operation by POST, followed as server-sent events."""
        sent = {"content-type": "application/json", "accept": "text/event-stream"}
        if token:
            sent["authorization"] = f"Bearer {token}"
        body = orjson.dumps({"query": query, "variables": variables or {}})
        return stream("POST", f"{self.base}/graphql", sent, body)
