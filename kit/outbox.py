"""Facts, from the transaction that made them true to the stream.

A fact is written into the outbox by the transaction that made it true, and told by the relay afterwards: at least once, with
its event id as the broker's message id, and within one aggregate in the order of commits.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from kit import audit, bus, db
from kit.auth import Viewer
from kit.bus import BUS_AWAY, Bus, StreamState
from kit.db import LOST_CONNECTION, Connection, Database
from kit.ids import new_id
from kit.logs import request_id

log = logging.getLogger(__name__)

CHANNEL = "outbox"
BATCH = 200
POLL = 1.0
"""Seconds after which the relay looks even when nothing woke it: NOTIFY is only a wake-up."""

RETRY = 0.5
"""Seconds after which a relay tries again to become the active one, or to go on after an outage."""

CARE = 10.0
"""Seconds between looks at whether the stream still remembers what it was told."""

RETELL_TIMEOUT = 600.0

WITHDRAWN = "withdrawn"
"""Stands for the organization in the subject of a fact that was withdrawn from it: no partner's consumer hears that."""

KEPT = timedelta(days=35)
"""How long told facts are kept: longer than the stream keeps them, so that a lost stream can be told again."""

_WORDS = re.compile(r"(?<!^)(?=[A-Z])")
_SEQUENCE = 40
"""Bytes that a sequence takes in a body."""

_LEADER = 0x6F7574626F78
"""Key of the session advisory lock that makes one relay of a service the active one."""


class FactName(NamedTuple):
    """Where a fact belongs: directory.provider.approved."""

    service: str
    aggregate: str
    verb: str

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"suite.{self.service}.{self.aggregate}.{self.verb}.v1"

    def subject(self, organization_id: UUID) -> str:
        """The NATS subject."""
        return f"events.{organization_id}.{self.service}.{self.aggregate}.{self.verb}"


def fact_name(kind: type[Message], aggregate: str) -> FactName:
    """The name of a declared fact: ProviderApproved of `directory.v1` on "provider" is directory.provider.approved."""
    service = kind.DESCRIPTOR.file.package.split(".")[0]
    snake = _WORDS.sub("_", kind.DESCRIPTOR.name).lower()
    return FactName(service, aggregate, snake.removeprefix(f"{aggregate}_"))


async def record(  # noqa: PLR0913 - what a fact is told of, and by whom, are not parts of anything else
    tx: Connection,
    fact: Message,
    *,
    organization_id: UUID,
    aggregate: str,
    aggregate_id: UUID,
    at: datetime,
    by: Viewer | None,
) -> UUID:
    """Record that `fact` became true for an organization, in the transaction that makes it so. Answers the event's id.

    `by` is who made it true: the audit trail's entry is written here as well. None when the verb has written its own entry.

    The sequence is gapless per organization and aggregate: it and the outbox id are taken under one row lock.
    """
    name, event_id = fact_name(type(fact), aggregate), new_id()
    event = {
        "specversion": "1.0",
        "id": str(event_id),
        "source": f"/services/{name.service}",
        "type": name.type,
        "subject": str(aggregate_id),
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "organizationid": str(organization_id),
        "correlationid": request_id.get() or str(event_id),
        "data": MessageToDict(fact),
    }
    await _save(tx, event, aggregate, name.subject(organization_id), at)
    if by is not None:
        await _write_down(tx, by, event, name, at)
    return event_id


async def _write_down(
    tx: Connection, by: Viewer, event: dict[str, Any], name: FactName, at: datetime
) -> None:
    """The audit trail's entry of a fact."""
    await audit.record(
        tx,
        by,
        act=f"{name.aggregate}.{name.verb}",
        kind=name.aggregate,
        about=UUID(event["subject"]),
        organization_id=UUID(event["organizationid"]),
        at=at,
    )


_RECORD = """
WITH next AS (
    INSERT INTO outbox_sequences VALUES ($1, $2, $3, 1) ON CONFLICT (organization_id, aggregate, aggregate_id)
    DO UPDATE SET last = outbox_sequences.last + 1 RETURNING last
), told AS (
    INSERT INTO outbox (event_id, organization_id, aggregate, aggregate_id, sequence, subject, body, recorded_at)
    SELECT $4, $1, $2, $3, last, $5, '{"sequence":"' || last || '",' || substr($6, 2), $7 FROM next RETURNING id
)
SELECT pg_notify($8, '') FROM told
"""
"""The sequence's row is locked before the outbox id is taken, and stays so until the transaction ends."""


_TOLD = """
WITH told AS (UPDATE outbox SET sent_at = clock_timestamp() WHERE id = ANY((SELECT $1::bigint[])::bigint[]))
UPDATE outbox_stream SET last_sequence = $3, last_message = $4 WHERE stream = $2 AND last_sequence < $3
"""
"""These facts were told, and the stream acknowledged as much."""


_SEEN = """
INSERT INTO outbox_stream (stream, created_at, last_sequence, last_message) VALUES ($1, $2, $3, $4)
ON CONFLICT (stream) DO UPDATE SET cut = outbox_stream.cut + ($5 AND excluded.created_at = outbox_stream.created_at)::integer,
    created_at = excluded.created_at, last_sequence = excluded.last_sequence, last_message = excluded.last_message
"""


async def _save(
    tx: Connection, event: dict[str, Any], aggregate: str, subject: str, at: datetime
) -> None:
    """Put the event into the outbox with the aggregate's next sequence, and wake the relay when the transaction commits."""
    await tx.execute(
        _RECORD,
        UUID(event["organizationid"]),
        aggregate,
        UUID(event["subject"]),
        UUID(event["id"]),
        subject,
        _body(event),
        at,
        CHANNEL,
    )


def _body(event: dict[str, Any]) -> str:
    """The event as JSON, but for its sequence. One too large for the broker would stay in the outbox for ever, and all of its
    aggregate with it."""
    body = orjson.dumps(event)
    if len(body) > bus.MAX_BODY - _SEQUENCE:
        raise ValueError(f"{event['type']} has {len(body)} bytes; a fact may have {bus.MAX_BODY}")
    return body.decode()


_UNTOLD = """
SELECT fact.id, fact.event_id, fact.organization_id, fact.aggregate_id, fact.subject, fact.body, EXISTS (
    SELECT FROM outbox_withdrawn w
    WHERE (w.organization_id, w.aggregate, w.aggregate_id) = (fact.organization_id, fact.aggregate, fact.aggregate_id)
    AND fact.sequence <= w.upto
) AS withdrawn, before.sent_at AS previous_at, before.id IS NULL AND fact.sequence > 1 AS previous_forgotten
FROM outbox AS fact LEFT JOIN outbox AS before
    ON (before.organization_id, before.aggregate, before.aggregate_id, before.sequence)
        = (fact.organization_id, fact.aggregate, fact.aggregate_id, fact.sequence - 1)
WHERE fact.sent_at IS NULL ORDER BY fact.id LIMIT $1 FOR UPDATE OF fact SKIP LOCKED
"""


def _subject(row: Any) -> str:  # noqa: ANN401 - a row
    """Where a fact is told. Our own services hear it there, too, whose it is stands in its body."""
    subject: str = row["subject"]
    if not row["withdrawn"]:
        return subject
    events, _, rest = subject.split(".", 2)
    return f"{events}.{WITHDRAWN}.{rest}"


def _previous(row: Any) -> str | None:  # noqa: ANN401 - a row
    """What is said of the fact before: whether a consumer that has not heard it may still wait for it."""
    if row["previous_forgotten"]:
        return bus.FORGOTTEN
    told: datetime | None = row["previous_at"]
    return told.isoformat() if told is not None else None


class _Told(NamedTuple):
    """What became of one aggregate's facts: those told, the last one's place in the stream and its id, and what stopped it."""

    ids: list[int]
    sequence: int
    message: str
    error: Exception | None


class Relay:
    """Tells a service's recorded facts. Of several replicas one is active; the others wait for its lock.

    Lock, wake-ups and claims live on one connection, so that a relay which lost it can claim nothing any more.
    """

    def __init__(self, database: Database, bus_: Bus) -> None:
        self._database = database
        self._bus = bus_
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Relay until cancelled; a database or broker that went away is waited for."""
        await self._bus.connect()
        while True:
            try:
                await self._lead()
            except (*LOST_CONNECTION, *BUS_AWAY) as error:
                log.warning("relay waits", extra={"because": type(error).__name__})
            await asyncio.sleep(RETRY)

    async def _lead(self) -> None:
        """Take the lock, listen, and tell until something breaks. The lock ends with the connection, or with its return."""
        async with self._database.pool.acquire() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LEADER):
                return
            await connection.add_listener(CHANNEL, self._woken)
            try:
                await self._tell_for_ever(connection)
            finally:
                if not db.is_lost(connection):
                    await connection.remove_listener(CHANNEL, self._woken)

    async def _tell_for_ever(self, connection: Connection) -> None:
        cared, generation = float("-inf"), -1
        while True:
            if generation != self._bus.generation or time.monotonic() - cared > CARE:
                cared, generation = time.monotonic(), self._bus.generation
                await self.check_stream(connection)
                await self.forget(connection)
            self._wake.clear()
            if not await self.tell_some(connection):
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL):
                        await self._wake.wait()

    async def tell_some(self, connection: Connection) -> int:
        """Tell one batch of untold facts; answers how many were told. Within an aggregate one at a time, in order."""
        async with connection.transaction():
            rows = await connection.fetch(
                _UNTOLD,
                BATCH,
            )
            chains: dict[tuple[UUID, UUID], list[Any]] = {}
            for row in rows:
                chains.setdefault((row["organization_id"], row["aggregate_id"]), []).append(row)
            told = await asyncio.gather(*(self._tell_chain(chain) for chain in chains.values()))
            ids = [row_id for chain in told for row_id in chain.ids]
            if ids:
                last = max(told, key=lambda chain: chain.sequence)
                await connection.execute(_TOLD, ids, bus.STREAM, last.sequence, last.message)
        for chain in told:
            if chain.error is not None:
                raise chain.error
        return len(ids)

    async def _tell_chain(self, chain: list[Any]) -> _Told:
        """Tell the facts of one aggregate in order; what comes after a failure waits for the next round."""
        ids: list[int] = []
        sequence, message = 0, ""
        for row in chain:
            try:
                sequence = await self._bus.publish(
                    _subject(row),
                    row["body"].encode(),
                    str(row["event_id"]),
                    previous=_previous(row),
                )
            except BUS_AWAY as error:
                return _Told(ids, sequence, message, error)
            ids.append(row["id"])
            message = str(row["event_id"])
        return _Told(ids, sequence, message, None)

    async def check_stream(self, connection: Connection) -> bool:
        """Whether the stream lost its memory: it is another than before, ends before what it once acknowledged, or has something else
        in the place of that. Then everything kept is told again."""
        state = await self._bus.ensure_stream()
        async with connection.transaction():
            seen = await connection.fetchrow(
                "SELECT * FROM outbox_stream WHERE stream = $1 FOR UPDATE", bus.STREAM
            )
            lost = seen is not None and await self._lost(state, seen)
            if lost:
                log.error("the stream lost its memory; everything is told again")
                await connection.execute(
                    "UPDATE outbox SET sent_at = NULL WHERE sent_at IS NOT NULL",
                    timeout=RETELL_TIMEOUT,
                )
            last = await self._bus.message_at(state.last_sequence) if state.last_sequence else None
            await connection.execute(
                _SEEN, bus.STREAM, state.created_at, state.last_sequence, last or None, lost
            )
        return lost

    async def _lost(self, state: StreamState, seen: Any) -> bool:  # noqa: ANN401 - a row
        """Others may have told more than was lost by now, so that the number alone says nothing."""
        sequence = seen["last_sequence"]
        if state.created_at != seen["created_at"] or state.last_sequence < sequence:
            return True
        if seen["last_message"] is None or sequence < max(state.first_sequence, 1):
            return False
        return await self._bus.message_at(sequence) not in (None, seen["last_message"])

    async def forget(self, connection: Connection) -> None:
        """Delete the oldest facts once they were told long enough ago. Only the oldest rows are looked at: it costs the same
        whatever the outbox holds."""
        await connection.execute(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT 1000)"
            " AND sent_at < clock_timestamp() - $1::interval",
            KEPT,
        )

    def _woken(self, *_: object) -> None:
        self._wake.set()
