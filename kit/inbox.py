"""Facts heard: each applied once, within an aggregate in order, and never lost.

The inbox row and the effect are one transaction; only then is the message acknowledged. A fact that cannot be applied goes to
the dead letters with its cause, and what follows it of the same aggregate waits behind it, until an operator redrives them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import orjson
from google.protobuf.json_format import ParseDict
from google.protobuf.json_format import ParseError as FactParseError
from google.protobuf.message import Message
from nats.aio.msg import Msg

from kit import db
from kit.bus import BUS_AWAY, Bus
from kit.db import LOST_CONNECTION, Connection, Database
from kit.outbox import fact_name

log = logging.getLogger(__name__)

MAX_TRIES = 5
"""How often a fact is tried before it goes to the dead letters. Times when the database was away do not count."""

RETRY_DELAY = 0.2
REDRIVE_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A fact as it arrives. `fact` is of the type its handler is registered for: `fact: UserInvited = heard.fact`."""

    event_id: UUID
    organization_id: UUID
    aggregate_id: UUID
    sequence: int
    time: datetime
    fact: Any


Handler: TypeAlias = Callable[[Connection, Any], Awaitable[None]]
"""Applies a Heard fact within the consumer's transaction; it runs once for each event."""


class Hearing(NamedTuple):
    """What a service hears of one aggregate: all its facts. Those without a handler only advance the order."""

    service: str
    aggregate: str
    handlers: Mapping[type[Message], Handler]

    @property
    def subject(self) -> str:
        """The NATS subjects of every organization's facts of this aggregate."""
        return f"events.*.{self.service}.{self.aggregate}.*"


class Event(NamedTuple):
    """A CloudEvent, read but not yet understood."""

    event_id: UUID
    organization_id: UUID
    aggregate_id: UUID
    sequence: int
    time: datetime
    type: str
    data: dict[str, Any]
    subject: str
    body: str


class MalformedError(Exception):
    """The message is not an event of ours."""


class GapError(Exception):
    """An earlier fact of the same aggregate has not been applied yet."""


def read_event(subject: str, body: bytes) -> Event:
    """The event in a message, or MalformedError with the reason."""
    try:
        raw = orjson.loads(body)
        return Event(
            event_id=UUID(raw["id"]),
            organization_id=UUID(raw["organizationid"]),
            aggregate_id=UUID(raw["subject"]),
            sequence=int(raw["sequence"]),
            time=datetime.fromisoformat(raw["time"]),
            type=str(raw["type"]),
            data=dict(raw["data"]),
            subject=subject,
            body=body.decode(),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedError(f"not an event: {type(error).__name__} {error}") from None


class Consumer:
    """Applies what a service hears, one fact after another."""

    def __init__(
        self, name: str, database: Database, bus: Bus, hearings: Sequence[Hearing]
    ) -> None:
        self._name = name
        self._database = database
        self._bus = bus
        self._subjects = [hearing.subject for hearing in hearings]
        self._handlers: dict[str, tuple[type[Message], Handler]] = {
            fact_name(kind, hearing.aggregate).type: (kind, handler)
            for hearing in hearings
            for kind, handler in hearing.handlers.items()
        }

    async def run(self) -> None:
        """Consume until cancelled; a broker that went away is waited for."""
        while True:
            try:
                await self._bus.ensure_stream()
                await self._bus.ensure_consumer(self._name, self._subjects)
                await self._consume()
            except BUS_AWAY as error:
                log.warning("consumer waits", extra={"because": type(error).__name__})
            await asyncio.sleep(RETRY_DELAY)

    async def _consume(self) -> None:
        generation = self._bus.generation
        async for message in self._bus.deliveries(self._name):
            await self._take(message)
            if generation != self._bus.generation:
                return

    async def _take(self, message: Msg) -> None:
        """Apply one message and acknowledge it, or give it back for another try."""
        try:
            await self.apply(message.subject, message.data)
        except (GapError, *LOST_CONNECTION):
            await message.nak(delay=RETRY_DELAY)
        except Exception as error:
            if message.metadata.num_delivered < MAX_TRIES:
                log.warning(
                    "a fact failed and is tried again",
                    exc_info=error,
                    extra={"subject": message.subject},
                )
                await message.nak(delay=RETRY_DELAY * message.metadata.num_delivered)
                return
            log.exception("a fact goes to the dead letters", extra={"subject": message.subject})
            await self._bury(message.subject, message.data, f"{type(error).__name__}: {error}")
            await message.ack()
        else:
            await message.ack()

    async def apply(self, subject: str, body: bytes) -> bool:
        """Apply one event in one transaction. False: it was known already, stale, or waits behind a dead letter."""
        try:
            event = read_event(subject, body)
        except MalformedError as error:
            await self._bury(subject, body, str(error))
            return False
        async with self._database.transaction() as tx:
            if not await db.run(
                tx,
                "INSERT INTO inbox (event_id) VALUES ($1) ON CONFLICT (event_id) DO NOTHING",
                event.event_id,
            ):
                return False
            if await self._waits(tx, event):
                return False
            return await self._advance(tx, event) and await self._effect(tx, event)

    async def _waits(self, tx: Connection, event: Event) -> bool:
        """Whether an earlier fact of the aggregate lies among the dead letters; then this one is laid behind it."""
        blocked = await db.value(
            tx,
            "SELECT event_id FROM dead_letters WHERE organization_id = $1 AND aggregate_id = $2 AND redriven_at IS NULL"
            " LIMIT 1",
            event.organization_id,
            event.aggregate_id,
        )
        if blocked is None:
            return False
        await _lay_down(tx, event, f"waits behind {blocked}")
        return True

    async def _advance(self, tx: Connection, event: Event) -> bool:
        """Take the aggregate's turn: False when the fact is stale, GapError when one before it is missing."""
        last: int | None = await db.value(
            tx,
            "SELECT last FROM inbox_sequences WHERE organization_id = $1 AND aggregate_id = $2 FOR UPDATE",
            event.organization_id,
            event.aggregate_id,
        )
        if last is not None and event.sequence <= last:
            log.info(
                "a stale fact is passed over",
                extra={"subject": event.subject, "sequence": event.sequence},
            )
            return False
        if last is not None and event.sequence > last + 1:
            raise GapError
        await tx.execute(
            "INSERT INTO inbox_sequences VALUES ($1, $2, $3)"
            " ON CONFLICT (organization_id, aggregate_id) DO UPDATE SET last = excluded.last",
            event.organization_id,
            event.aggregate_id,
            event.sequence,
        )
        return True

    async def _effect(self, tx: Connection, event: Event) -> bool:
        known = self._handlers.get(event.type)
        if known is None:
            return True
        kind, handler = known
        try:
            fact = ParseDict(event.data, kind(), ignore_unknown_fields=True)
        except FactParseError as error:
            raise MalformedError(f"{event.type} does not fit its declaration: {error}") from None
        await handler(
            tx,
            Heard(
                event.event_id,
                event.organization_id,
                event.aggregate_id,
                event.sequence,
                event.time,
                fact,
            ),
        )
        return True

    async def _bury(self, subject: str, body: bytes, cause: str) -> None:
        try:
            event = read_event(subject, body)
        except MalformedError:
            await self._database.pool.execute(
                "INSERT INTO dead_letters (subject, body, cause) VALUES ($1, $2, $3)",
                subject,
                body.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}"),
                cause,
            )
            return
        async with self._database.transaction() as tx:
            if await db.run(
                tx,
                "INSERT INTO inbox (event_id) VALUES ($1) ON CONFLICT (event_id) DO NOTHING",
                event.event_id,
            ):
                await _lay_down(tx, event, cause)

    # Redriving --------------------------------------------------------------------------------------------------------

    async def run_redrives(self) -> None:
        """Apply the dead letters an operator asked for, until cancelled."""
        while True:
            try:
                await self.redrive()
            except LOST_CONNECTION as error:
                log.warning("redrive waits", extra={"because": type(error).__name__})
            await asyncio.sleep(REDRIVE_EVERY)

    async def redrive(self) -> int:
        """Apply what is marked for redriving, within an aggregate in order; a failure stops its aggregate. Answers how many."""
        rows = await self._database.pool.fetch(
            "SELECT id, subject, body FROM dead_letters WHERE redrive_at IS NOT NULL AND redriven_at IS NULL"
            " AND event_id IS NOT NULL ORDER BY organization_id, aggregate_id, sequence"
        )
        done, stopped = 0, set[tuple[UUID, UUID]]()
        for row in rows:
            event = read_event(row["subject"], row["body"].encode())
            where = (event.organization_id, event.aggregate_id)
            if where in stopped:
                continue
            try:
                await self._redrive_one(row["id"], event)
                done += 1
            except LOST_CONNECTION:
                raise
            except Exception as error:
                log.exception("a redriven fact failed again", extra={"subject": event.subject})
                stopped.add(where)
                await self._keep_dead(row["id"], f"{type(error).__name__}: {error}")
        return done

    async def _redrive_one(self, letter: int, event: Event) -> None:
        async with self._database.transaction() as tx:
            if await self._advance(tx, event):
                await self._effect(tx, event)
            await tx.execute(
                "UPDATE dead_letters SET redriven_at = clock_timestamp() WHERE id = $1", letter
            )

    async def _keep_dead(self, letter: int, cause: str) -> None:
        await self._database.pool.execute(
            "UPDATE dead_letters SET redrive_at = NULL, cause = $2 WHERE id = $1", letter, cause
        )


async def _lay_down(tx: Connection, event: Event, cause: str) -> None:
    await tx.execute(
        "INSERT INTO dead_letters (event_id, organization_id, aggregate_id, sequence, subject, body, cause)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        event.event_id,
        event.organization_id,
        event.aggregate_id,
        event.sequence,
        event.subject,
        event.body,
        cause,
    )
