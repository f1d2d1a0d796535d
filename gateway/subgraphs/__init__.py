"""The subgraphs, each behind our own pooled HTTP/1.1 client: one POST and its reply, or a stream of events."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.subgraphs.events import EventReader, ServerEvent
from gateway.subgraphs.files import FileReply, FileRequest
from gateway.subgraphs.patience import Patience
from gateway.subgraphs.pool import FILE_PATIENCE, GRACE, Bounds, Pool
from gateway.subgraphs.wire import Exchange, ReplyTooLargeError, Target, WireError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Mapping

__all__ = [
    "FILE_PATIENCE",
    "GRACE",
    "Bounds",
    "Exchange",
    "FileReply",
    "FileRequest",
    "ServerEvent",
    "SubgraphError",
    "SubgraphSilent",
    "Subgraphs",
    "Target",
    "WireError",
]

HTTP_OK = 200

log = logging.getLogger(__name__)


class SubgraphError(Exception):
    """A subgraph gave no usable answer. `reason` is for the log, not for the client."""

    def __init__(self, subgraph: str, reason: str) -> None:
        super().__init__(f"{subgraph}: {reason}")
        self.subgraph = subgraph
        self.reason = reason


class SubgraphSilent(SubgraphError):  # noqa: N818 - named for what the subgraph is
    """A subgraph gave no answer in time."""

    def __init__(self, subgraph: str) -> None:
        super().__init__(subgraph, "no reply in time")


class Subgraphs:
    """Every subgraph by name."""

    def __init__(self, urls: Mapping[str, str], bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._pools = {name: Pool(Target.parse(url), self._bounds) for name, url in urls.items()}
        self._patience = {name: Patience() for name in urls}

    @property
    def names(self) -> tuple[str, ...]:
        """The subgraphs there are."""
        return tuple(self._pools)

    async def post(
        self, name: str, body: bytes, headers: Mapping[str, str], *, repeatable: bool
    ) -> Exchange:
        """One POST and its whole reply, whatever its status; SubgraphError when there is none.

        One that has been silent five times in a row is not waited for again: until it answers somebody, the others are told at once.
        """
        pool, patience = self._pool(name), self._patience[name]
        if not patience.ask():
            raise SubgraphError(name, "not asked: it has been silent, and somebody else is trying")
        try:
            exchange = await self._answer(name, pool.post(body, headers, repeatable=repeatable))
        except SubgraphSilent:
            if patience.silent():
                log.warning(
                    "a subgraph is silent; one request at a time tries it", extra={"subgraph": name}
                )
            raise
        except SubgraphError:
            patience.heard()
            raise
        patience.heard()
        return exchange

    async def tell(
        self, name: str, path: str, body: bytes, headers: Mapping[str, str], *, seconds: float
    ) -> Exchange:
        """A POST beside GraphQL, on a connection of its own, which may take its time."""
        pool = Pool(self._pool(name).target.at(path), replace(self._bounds, total=seconds))
        try:
            return await self._answer(name, pool.post(body, headers, repeatable=True))
        finally:
            pool.close()

    async def pass_on(self, name: str, asked: FileRequest) -> FileReply:
        """Pass a file's request on to another path of a subgraph; answers when the head of the reply is there."""
        pool = Pool(self._pool(name).target.at(asked.path), self._bounds)
        try:
            connection, exchange = await pool.pass_on(asked.method, asked.headers, asked.body)
        except TimeoutError as error:
            raise SubgraphSilent(name) from error
        except WireError as error:
            raise SubgraphError(name, str(error)) from error
        return FileReply(exchange, connection)

    async def stream(
        self, name: str, body: bytes, headers: Mapping[str, str]
    ) -> AsyncGenerator[ServerEvent]:
        """The events of a live query, until the subgraph ends it; SubgraphError when it breaks off.

        Closing the iterator closes the connection, by which the subgraph learns that nobody listens any more.
        """
        wanted = {**headers, "accept": "text/event-stream", "connection": "close"}
        try:
            connection, exchange = await self._pool(name).open_stream(body, wanted)
        except TimeoutError as error:
            raise SubgraphError(name, "no stream in time") from error
        except WireError as error:
            raise SubgraphError(name, str(error)) from error
        try:
            if exchange.status != HTTP_OK or not _is_stream(exchange):
                raise SubgraphError(name, f"no stream: status {exchange.status}")
            reader = EventReader()
            async with aclosing(connection.body(exchange)) as pieces:
                async for piece in pieces:
                    for event in reader.feed(piece):
                        yield event
                    if reader.waiting > self._bounds.reply_bytes:
                        raise ReplyTooLargeError("an event without end")
        except WireError as error:
            raise SubgraphError(name, str(error)) from error
        finally:
            connection.close()

    async def _answer(self, name: str, exchange: Awaitable[Exchange]) -> Exchange:
        try:
            return await exchange
        except TimeoutError as error:
            raise SubgraphSilent(name) from error
        except WireError as error:
            raise SubgraphError(name, str(error)) from error

    async def close(self) -> None:
        """Close every idle connection and let the loop notice."""
        for pool in self._pools.values():
            pool.close()
        await asyncio.sleep(0)

    def _pool(self, name: str) -> Pool:
        if name not in self._pools:
            raise SubgraphError(name, "has no address")
        return self._pools[name]


def _is_stream(exchange: Exchange) -> bool:
    return exchange.headers.get("content-type", "").startswith("text/event-stream")
