"""One HTTP/1.1 connection to a subgraph: asyncio for the bytes, httptools for the grammar."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httptools

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Mapping

HIGH_WATER = 256 * 1024
"""Bytes of a stream that may wait unread before the sender is slowed down."""

_BODILESS = frozenset({204, 304})


class WireError(Exception):
    """The exchange failed below HTTP: no connection, a broken one, or bytes that are no HTTP."""


class StaleConnectionError(WireError):
    """A kept-alive connection turned out to be closed before a byte of the reply came."""


class ReplyTooLargeError(WireError):
    """The reply is larger than the gateway is willing to hold."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a subgraph listens, taken apart once."""

    host: str
    port: int
    path: str
    secure: bool

    @classmethod
    def parse(cls, url: str) -> Target:
        """From a URL such as http://127.0.0.1:4101/graphql; ValueError when it is no http(s) URL with a host."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be a URL that starts with http:// or https:// and names a host")
        secure = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if secure else 80), parts.path or "/", secure)

    def at(self, path: str) -> Target:
        """The same place under another path."""
        return Target(self.host, self.port, path, self.secure)

    def post(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The bytes of a POST of JSON. ValueError when a header would break out of its line."""
        framed = {**headers, "content-type": "application/json", "content-length": str(len(body))}
        return self.head("POST", framed) + body

    def head(self, method: str, headers: Mapping[str, str]) -> bytes:
        """The bytes of a request before its body. ValueError when a header would break out of its line."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        lines = [f"{method} {self.path} HTTP/1.1", f"host: {host}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header value holds a line break")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


@dataclass(slots=True)
class Exchange:
    """One request and what has come back of it so far. A `file` is read as it is passed on, like a stream of events."""

    limit: int
    file: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    waiting: int = 0
    complete: bool = False
    failure: WireError | None = None

    @property
    def ended_by_close(self) -> bool:
        """Whether only the end of the connection marks the end of the body."""
        framed = "content-length" in self.headers or "transfer-encoding" in self.headers
        return self.status != 0 and not framed and self.status not in _BODILESS

    def take(self) -> bytes:
        """The bytes that have arrived since the last call."""
        taken = b"".join(self.chunks)
        self.chunks.clear()
        self.waiting = 0
        return taken


class Connection(asyncio.Protocol):
    """One connection, one exchange at a time. `idle_since` is on the monotonic timer."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.used = False
        self.idle_since = time.monotonic()
        self._exchange: Exchange | None = None
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._keep_alive = True
        self._writable = asyncio.Event()
        self._writable.set()

    @classmethod
    async def open(cls, target: Target) -> Connection:
        """Connect; WireError when nobody answers there."""
        loop = asyncio.get_running_loop()
        secure = ssl.create_default_context() if target.secure else None
        try:
            _, connection = await loop.create_connection(
                lambda: cls(target), target.host, target.port, ssl=secure
            )
        except OSError as error:
            raise WireError("no connection") from error
        return connection

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow on this connection."""
        return (
            self._keep_alive
            and self._exchange is None
            and self._transport is not None
            and not self._transport.is_closing()
        )

    async def ask(self, request: bytes, limit: int) -> Exchange:
        """Send a request and wait for the whole reply."""
        exchange = await self.begin(request, limit)
        while not exchange.complete:
            await self._change(exchange)
        self._finish()
        return exchange

    async def begin(self, request: bytes, limit: int) -> Exchange:
        """Send a request and wait for the head of the reply. `limit` bounds the bytes held unread."""
        exchange = self._start(request, Exchange(limit))
        while not exchange.status:
            await self._change(exchange)
        return exchange

    async def send(self, head: bytes, body: AsyncIterable[bytes], limit: int) -> Exchange:
        """Send a file no faster than it is taken, and wait for the head of the reply, which may come before all is sent."""
        exchange = self._start(head, Exchange(limit, file=True))
        async for piece in body:
            await self._writable.wait()
            if exchange.status or exchange.failure or self._transport is None:
                break
            self._transport.write(piece)
        while not exchange.status:
            await self._change(exchange)
        return exchange

    async def body(self, exchange: Exchange) -> AsyncGenerator[bytes]:
        """The body in the pieces it arrives in, until the reply is complete."""
        while True:
            if piece := exchange.take():
                self._resume()
                yield piece
            elif exchange.complete:
                self._finish()
                return
            else:
                await self._change(exchange)

    def close(self) -> None:
        """Give the connection up; a reply still under way is abandoned."""
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Feed the parser; anything out of turn or out of grammar ends the connection."""
        if self._exchange is None or self._parser is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(WireError("not an HTTP reply"), error)

    def pause_writing(self) -> None:
        """The other end does not keep up."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It does again."""
        self._writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        """Complete a reply that ends with its connection; fail any other."""
        self._writable.set()
        exchange = self._exchange
        if exchange is None or exchange.complete or exchange.failure:
            return
        if exchange.ended_by_close and error is None:
            self._keep_alive = False
            exchange.complete = True
            exchange.changed.set()
        elif self.used and not exchange.status:
            self._fail(StaleConnectionError("closed while idle"), error)
        else:
            self._fail(WireError("closed in the middle of a reply"), error)

    # -- httptools' side

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line."""
        if self._exchange is not None:
            self._exchange.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self._exchange is not None and self._parser is not None:
            self._exchange.status = self._parser.get_status_code()
            self._keep_alive = self._parser.should_keep_alive()
            self._writable.set()
            self._exchange.changed.set()

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        exchange = self._exchange
        if exchange is None:
            return
        exchange.chunks.append(data)
        exchange.waiting += len(data)
        if exchange.waiting > exchange.limit:
            self._fail(ReplyTooLargeError(f"more than {exchange.limit} bytes"), None)
        elif exchange.waiting > HIGH_WATER and self._streaming and self._transport is not None:
            self._transport.pause_reading()
        exchange.changed.set()

    def on_message_complete(self) -> None:
        """The reply is whole; an interim 1xx head is thrown away."""
        exchange = self._exchange
        if exchange is None:
            return
        if exchange.status < 200:  # noqa: PLR2004 - the interim class of statuses
            exchange.status = 0
            exchange.headers.clear()
        else:
            exchange.complete = True
        exchange.changed.set()

    # -- inside

    @property
    def _streaming(self) -> bool:
        exchange = self._exchange
        if exchange is None:
            return False
        return exchange.file or "event-stream" in exchange.headers.get("content-type", "")

    def _start(self, request: bytes, exchange: Exchange) -> Exchange:
        if self._transport is None or self._transport.is_closing():
            raise StaleConnectionError("closed while idle")
        self._exchange = exchange
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(request)
        return exchange

    async def _change(self, exchange: Exchange) -> None:
        if exchange.failure is None:
            await exchange.changed.wait()
            exchange.changed.clear()
        if exchange.failure is not None:
            raise exchange.failure

    def _fail(self, failure: WireError, cause: Exception | None) -> None:
        failure.__cause__ = cause
        self.close()
        if self._exchange is not None:
            self._exchange.failure = failure
            self._exchange.changed.set()

    def _resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _finish(self) -> None:
        self._exchange = None
        self.used = True
        self.idle_since = time.monotonic()
        if not self._keep_alive:
            self.close()
