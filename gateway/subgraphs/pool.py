"""Kept-alive connections to one subgraph: borrowed for one exchange, given back, dropped when they grow old."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.subgraphs.wire import Connection, Exchange, StaleConnectionError, Target, WireError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Mapping

IDLE_LIFE = 4.0
"""Seconds an unused connection is trusted; servers commonly close theirs after 5."""

FRESH = 0.5
"""Seconds of idleness after which a request that may not be repeated gets a new connection instead."""


GRACE = 3
"""A request that may not be repeated may take this many times as long: cutting it off leaves its outcome unknown."""


FILE_PATIENCE = 300.0
"""Seconds in which a file must have gone over, in either direction."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one call may take: seconds to connect, seconds in all, bytes of reply; and how many calls at once."""

    connect: float = 1.0
    total: float = 4.0
    reply_bytes: int = 10_000_000
    connections: int = 64


class Pool:
    """The connections to one subgraph."""

    def __init__(self, target: Target, bounds: Bounds) -> None:
        self.target = target
        self._bounds = bounds
        self._idle: deque[Connection] = deque()
        self._turns = asyncio.Semaphore(bounds.connections)

    async def post(self, body: bytes, headers: Mapping[str, str], *, repeatable: bool) -> Exchange:
        """One POST and its whole reply. WireError when it fails, TimeoutError when it takes too long.

        `repeatable` requests (queries) are sent once more when a kept-alive connection proves to be closed; others never are,
        and are not sent over a connection that has been idle for long.
        """
        request = self.target.post(body, headers)
        seconds = self._bounds.total * (1 if repeatable else GRACE)
        async with asyncio.timeout(seconds), self._turns:
            try:
                return await self._exchange(request, IDLE_LIFE if repeatable else FRESH)
            except StaleConnectionError:
                if not repeatable:
                    raise
            return await self._exchange(request, 0.0)

    async def open_stream(
        self, body: bytes, headers: Mapping[str, str]
    ) -> tuple[Connection, Exchange]:
        """One POST on a connection of its own and the head of its reply; the caller reads the body and closes."""
        connection = await self._connect()
        try:
            async with asyncio.timeout(self._bounds.total):
                request = self.target.post(body, headers)
                return connection, await connection.begin(request, self._bounds.reply_bytes)
        except BaseException:
            connection.close()
            raise

    async def pass_on(
        self, method: str, headers: Mapping[str, str], body: AsyncIterable[bytes]
    ) -> tuple[Connection, Exchange]:
        """One request with a file in it, or for one, on a connection of its own; the caller reads the reply's body and closes."""
        connection = await self._connect()
        try:
            head = self.target.head(method, {**headers, "connection": "close"})
            async with asyncio.timeout(FILE_PATIENCE):
                return connection, await connection.send(head, body, self._bounds.reply_bytes)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    async def _exchange(self, request: bytes, max_idle: float) -> Exchange:
        connection = self._reuse(max_idle) or await self._connect()
        try:
            exchange = await connection.ask(request, self._bounds.reply_bytes)
        except BaseException:
            connection.close()
            raise
        if connection.reusable:
            self._idle.append(connection)
        return exchange

    def _reuse(self, max_idle: float) -> Connection | None:
        now = time.monotonic()
        while self._idle and now - self._idle[0].idle_since > IDLE_LIFE:
            self._idle.popleft().close()
        while self._idle and now - self._idle[-1].idle_since <= max_idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
        return None

    async def _connect(self) -> Connection:
        try:
            async with asyncio.timeout(self._bounds.connect):
                return await Connection.open(self.target)
        except TimeoutError as error:
            raise WireError("no connection in time") from error
