"""Identity's facts about users, heard live, so that nothing remembered about a session outlives its end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import UUID

import nats
import nats.errors
import orjson
from nats.aio.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nats.aio.msg import Msg

log = logging.getLogger(__name__)

SUBJECT = "events.*.identity.user.>"
PING_EVERY = 5
"""Seconds between pings, so that a broker that went silent is noticed within three of them."""

RETRY = 0.5


class Revocations:
    """Tells listeners whose standing changed; None means: anybody's may have, forget everything."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = Client()
        self._hearing = False
        self._complained = False
        self._listeners: set[Callable[[UUID | None], None]] = set()
        self.changes = 0

    @property
    def hearing(self) -> bool:
        """Whether facts arrive right now. While they do not, nothing about a session may be remembered."""
        return self._hearing and self._client.is_connected

    @contextmanager
    def heard_by(self, listener: Callable[[UUID | None], None]) -> Iterator[None]:
        """Tell `listener` of every change meanwhile."""
        self._listeners.add(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)

    def tell(self, user_id: UUID | None) -> None:
        """The standing of this user (None: of anybody) changed."""
        self.changes += 1
        for listener in tuple(self._listeners):
            listener(user_id)

    async def run(self) -> None:
        """Connect and listen until cancelled. The broker may be away at first, and at any time later."""
        try:
            while not await self._connect():
                await asyncio.sleep(RETRY)
            await self._client.subscribe(SUBJECT, cb=self._heard)
            await self._begin()
            await asyncio.Event().wait()
        finally:
            self._hearing = False
            with suppress(nats.errors.Error, OSError, TimeoutError):
                await self._client.close()

    async def _connect(self) -> bool:
        try:
            await self._client.connect(
                self._url,
                name="gateway",
                allow_reconnect=True,
                reconnect_time_wait=0.1,  # type: ignore[arg-type]  # a float works
                max_reconnect_attempts=-1,
                ping_interval=PING_EVERY,
                max_outstanding_pings=2,
                disconnected_cb=self._lost,
                reconnected_cb=self._begin,
                error_cb=self._failed,
            )
        except (nats.errors.Error, OSError, TimeoutError) as error:
            await self._failed(error)
            return False
        return True

    async def _begin(self) -> None:
        """Facts are heard from here on: the broker has answered to something sent after the subscription."""
        with suppress(nats.errors.Error, TimeoutError):
            await self._client.flush()
            self._hearing, self._complained = True, False
            self.tell(None)
            log.info("revocations are heard")

    async def _lost(self) -> None:
        self._hearing = False
        self.tell(None)
        log.warning("the broker is away: every request asks identity")

    async def _failed(self, error: Exception) -> None:
        """Say so once: the client tries again ten times a second."""
        if not self._complained:
            self._complained = True
            log.warning("the broker does not answer", extra={"because": type(error).__name__})

    async def _heard(self, message: Msg) -> None:
        self.tell(_user(message.data))


def _user(body: bytes) -> UUID | None:
    """The user a fact is about; None, which stands for everybody, when the text does not say."""
    try:
        return UUID(orjson.loads(body)["data"]["userId"])
    except (ValueError, KeyError, TypeError):
        log.warning("a fact about a user names none")
        return None
