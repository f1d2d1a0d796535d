"""Files beside GraphQL: a request passed on to a subgraph piece by piece, and its reply back."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.subgraphs.wire import WireError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Mapping

    from gateway.subgraphs.wire import Connection, Exchange


@dataclass(frozen=True, slots=True)
class FileRequest:
    """What is passed on: `path` with its query, headers as they are to be sent, the body as it comes."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: AsyncIterable[bytes]


@dataclass(frozen=True, slots=True)
class FileReply:
    """The head of a reply, and its body. Whoever has one reads or closes it."""

    exchange: Exchange
    connection: Connection

    async def body(self) -> AsyncGenerator[bytes]:
        """The body in the pieces it arrives in, no faster than they are taken; WireError when it breaks off."""
        try:
            async with aclosing(self.connection.body(self.exchange)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            self.connection.close()

    async def whole(self, most: int) -> bytes:
        """All of a short body; WireError when it is longer."""
        held = bytearray()
        async with aclosing(self.body()) as pieces:
            async for piece in pieces:
                held += piece
                if len(held) > most:
                    raise WireError("too long")
        return bytes(held)

    def close(self) -> None:
        """Give up what has not been read."""
        self.connection.close()
