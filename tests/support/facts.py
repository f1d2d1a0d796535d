"""Facts of neighbours, for services under test: applied at once, or published for the service to hear."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from nats.js.errors import NotFoundError

from kit.bus import STREAM, open_bus
from kit.db import Database
from kit.feed import FEED, Feed
from kit.ids import new_id
from kit.inbox import Consumer
from kit.outbox import fact_name
from tests.support.running import Running

T = TypeVar("T")

PATIENCE = 10.0
POLL = 0.02


class Neighbours:
    """What the neighbours of a running service say: facts numbered gaplessly per organization and aggregate."""

    def __init__(self, running: Running[Any]) -> None:
        service, parts = running.service, running.parts
        self._parts = parts
        self._consumer = Consumer(service.name, parts.db, parts.bus, service.hearings(parts))
        self._sequences: Counter[tuple[UUID, UUID]] = Counter()

    def event(
        self, fact: Message, organization_id: UUID, aggregate: str, aggregate_id: UUID, at: datetime
    ) -> tuple[str, bytes]:
        """The next fact of an aggregate: subject and body."""
        name = fact_name(type(fact), aggregate)
        self._sequences[organization_id, aggregate_id] += 1
        body = {
            "specversion": "1.0",
            "id": str(new_id()),
            "source": f"/services/{name.service}",
            "type": name.type,
            "subject": str(aggregate_id),
            "time": at.isoformat(),
            "datacontenttype": "application/json",
            "organizationid": str(organization_id),
            "sequence": str(self._sequences[organization_id, aggregate_id]),
            "data": MessageToDict(fact),
        }
        return name.subject(organization_id), orjson.dumps(body)

    async def say(
        self, fact: Message, organization_id: UUID, aggregate: str, aggregate_id: UUID, at: datetime
    ) -> tuple[str, bytes]:
        """Have the service apply a fact now; answers it, so that it can be said again."""
        event = self.event(fact, organization_id, aggregate, aggregate_id, at)
        assert await self.repeat(event), "the fact was not applied"
        return event

    async def repeat(self, event: tuple[str, bytes]) -> bool:
        """Have the service hear an event; False when it knew it already."""
        return await self._consumer.apply(*event)

    async def publish(self, event: tuple[str, bytes]) -> None:
        """Put an event on the real stream, for the service to hear in its own time."""
        subject, body = event
        await self._parts.bus.ensure_stream()
        await self._parts.bus.publish(subject, body, orjson.loads(body)["id"])


async def forget_facts(nats_url: str) -> None:
    """Let the broker forget what the tests before have told: a service that starts then has nothing to catch up with. No other
    service of this test run may be running."""
    bus = await open_bus(nats_url, name="tests")
    try:
        await bus.ensure_stream()
        await bus.js.delete_stream(STREAM)
        with suppress(NotFoundError):
            await bus.js.delete_stream(FEED)
    finally:
        await bus.close()


async def open_feed(nats_url: str, database: Database) -> None:
    """Make the feed that partners read, as referrals does, for tests in which it does not run. The URL is referrals'."""
    bus = await open_bus(nats_url, name="referrals")
    try:
        await Feed("referrals", database, bus).keep()
    finally:
        await bus.close()


async def eventually(probe: Callable[[], Awaitable[T]], wanted: Callable[[T], bool]) -> T:
    """What `probe` answers once it is as wanted; a failure when that takes more than ten seconds."""
    async with asyncio.timeout(PATIENCE):
        while not wanted(found := await probe()):
            await asyncio.sleep(POLL)
    return found
