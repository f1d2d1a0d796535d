"""NATS JetStream: one connection a process, one stream of facts, and pull deliveries that survive a server's restart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import nats
import nats.errors
import nats.js.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    StorageType,
    StreamConfig,
)

log = logging.getLogger(__name__)

STREAM = "EVENTS"
SUBJECTS = "events.>"
RETENTION = timedelta(days=30)
DUPLICATE_WINDOW = timedelta(minutes=10)
"""How long the broker itself drops a repeated message id; after it, the inbox of each consumer does."""

MAX_BYTES = 8 * 1024**3
MAX_BODY = 200_000
"""The largest body of a message; the broker's own limit (deploy/nats.conf) lies above it."""

PREVIOUS = "Suite-Previous"
"""Header of a fact: when the one before it in its aggregate was told. Without it: that is told just before, or there is none."""

FORGOTTEN = "forgotten"
"""In place of that time: nobody has that fact any more."""

PULL_BATCH = 50
PULL_EXPIRES = 1.0
PUBLISH_TIMEOUT = 3.0
ACK_WAIT = 5.0
"""Seconds after which what a killed consumer had pulled is delivered to another one."""

_PULL_IS_OVER = {"404", "408"}
"""A pull ends with one of these when there is nothing (more) to deliver; any other status means that it cannot go on."""

BUS_AWAY = (nats.errors.Error, nats.js.errors.Error, OSError, asyncio.TimeoutError)
"""What is raised when the broker went away or refused: worth another try."""


@dataclass(frozen=True, slots=True)
class StreamState:
    """What the relay compares to see whether the stream lost its memory."""

    created_at: datetime
    first_sequence: int
    last_sequence: int


class Bus:
    """A connection to the broker, which mends itself once it was made. `generation` goes up with each reconnection."""

    def __init__(self, url: str, *, name: str) -> None:
        self.client = Client()
        self.js = self.client.jetstream(timeout=PUBLISH_TIMEOUT)
        self.generation = 0
        self._url, self._name = url, name
        self._connecting, self._met = asyncio.Lock(), False

    async def connect(self) -> None:
        """Wait for the broker, as long as it takes the first time; afterwards there is nothing to wait for."""
        async with self._connecting:
            if not self._met:
                await self._connect()
                self._met = True

    async def _connect(self) -> None:
        await self.client.connect(
            self._url,
            name=self._name,
            reconnect_time_wait=0.1,  # type: ignore[arg-type] # seconds; a fraction works
            max_reconnect_attempts=-1,
            reconnected_cb=self._reconnected,
            disconnected_cb=self._disconnected,
            error_cb=self._failed,
        )

    async def _reconnected(self) -> None:
        self.generation += 1
        log.info("the broker is back")

    async def _disconnected(self) -> None:
        log.warning("the broker is away")

    async def _failed(self, error: Exception) -> None:
        """Log what the broker said; while it is away, each attempt to reach it fails and says nothing new."""
        if self.connected:
            log.warning("broker error", extra={"error": type(error).__name__, "detail": str(error)})

    @property
    def connected(self) -> bool:
        """Whether the broker is there right now."""
        return self.client.is_connected

    async def ensure_stream(self) -> StreamState:
        """Make the stream of facts if it is not there. It is on disk, refuses when full, and cannot be purged."""
        try:
            info = await self.js.stream_info(STREAM)
        except nats.js.errors.NotFoundError:
            info = await self.js.add_stream(
                StreamConfig(
                    name=STREAM,
                    subjects=[SUBJECTS],
                    storage=StorageType.FILE,
                    discard=DiscardPolicy.NEW,
                    max_age=RETENTION.total_seconds(),
                    max_bytes=MAX_BYTES,
                    duplicate_window=DUPLICATE_WINDOW.total_seconds(),
                    deny_delete=True,
                    deny_purge=True,
                )
            )
        if info.created is None:
            raise nats.js.errors.Error("the stream does not say when it was made")
        return StreamState(info.created, info.state.first_seq, info.state.last_seq)

    async def message_at(self, sequence: int) -> str | None:
        """The id of the message at that place of the stream, "" when there is none. None when the broker does not say: one whose
        configuration is of an earlier release lets nobody ask."""
        try:
            message = await self.js.get_msg(STREAM, sequence)
        except nats.js.errors.NotFoundError:
            return ""
        except nats.errors.TimeoutError:
            log.warning("the broker does not say what is in the stream: is its nats.conf older?")
            return None
        return (message.headers or {}).get("Nats-Msg-Id")

    async def publish(
        self, subject: str, body: bytes, message_id: str, *, previous: str | None = None
    ) -> int:
        """Store a message; answers its sequence once it is on disk. `previous` is what PREVIOUS says."""
        if not self.connected:
            raise nats.errors.ConnectionReconnectingError
        headers = {"Nats-Msg-Id": message_id}
        if previous is not None:
            headers[PREVIOUS] = previous
        ack = await self.js.publish(subject, body, headers=headers, stream=STREAM)
        return ack.seq

    async def ensure_consumer(self, durable: str, subjects: list[str]) -> None:
        """Make a durable pull consumer that is told every fact on these subjects, from the first.

        One that hears other subjects is made anew: what it was told before is told again, and the inbox knows it.
        """
        with suppress(nats.js.errors.NotFoundError):
            known = (await self.js.consumer_info(STREAM, durable)).config
            if {*(known.filter_subjects or [known.filter_subject])} != {*subjects}:
                await self.js.delete_consumer(STREAM, durable)
        await self.js.add_consumer(
            STREAM,
            ConsumerConfig(
                durable_name=durable,
                filter_subjects=subjects,
                deliver_policy=DeliverPolicy.ALL,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ACK_WAIT,
                max_deliver=-1,
            ),
        )

    async def deliveries(self, durable: str) -> AsyncGenerator[list[Msg], None]:
        """The consumer's messages for ever: each time all that have come by then, in order. A pull that a server's restart
        lost is asked again, and what was pulled but not taken is given back when the generator is closed. A consumer that is
        gone ends it with an error."""
        inbox = self.client.new_inbox()
        subscription = await self.client.subscribe(inbox)
        try:
            while True:
                await self._pull(durable, inbox)
                wanted = PULL_BATCH
                with suppress(asyncio.TimeoutError):
                    while wanted:
                        messages, over = await _arrived(subscription, wanted)
                        if messages:
                            yield messages
                        wanted = 0 if over else wanted - len(messages)
        finally:
            with suppress(*BUS_AWAY):
                await _give_back(subscription)

    async def _pull(self, durable: str, inbox: str) -> None:
        request = {"batch": PULL_BATCH, "expires": int(PULL_EXPIRES * 1e9)}
        await self.client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{durable}", orjson.dumps(request), reply=inbox
        )

    async def close(self) -> None:
        """Say what is still to be said and leave."""
        if self.connected:
            with suppress(*BUS_AWAY):
                await self.client.flush(timeout=1)
        await self.client.close()


async def _arrived(subscription: Subscription, most: int) -> tuple[list[Msg], bool]:
    """Wait for a message, and take it with those that are there behind it; and whether the pull is over."""
    messages: list[Msg] = []
    while not messages or (subscription.pending_msgs and len(messages) < most):
        message = await subscription.next_msg(timeout=PULL_EXPIRES + 0.5)
        if status := (message.headers or {}).get("Status"):
            if status not in _PULL_IS_OVER:
                raise nats.js.errors.Error(f"a pull ended with status {status}")
            return messages, True
        messages.append(message)
    return messages, False


async def _give_back(subscription: Subscription) -> None:
    while subscription.pending_msgs:
        message = await subscription.next_msg(timeout=PULL_EXPIRES)
        if message.reply:
            await message.nak()
    await subscription.unsubscribe()


async def open_bus(url: str, *, name: str) -> Bus:
    """A connection to the broker, once it is there."""
    bus = Bus(url, name=name)
    await bus.connect()
    return bus
