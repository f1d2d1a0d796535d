"""Facts, from the transaction that made them true to the stream.

A fact is written into the outbox by the transaction that made it true, and told by the relay afterwards: at least once, with
its event id as the broker's message id, and within one aggregate in the order of commits.
"""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from kit import bus, db
from kit.bus import BUS_AWAY, Bus
from kit.db import LOST_CONNECTION, Connection, Database
from kit.ids import new_id
from kit.logs import request_id

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

log = logging.getLogger(__name__)

CHANNEL = "outbox"
BATCH = 200
POLL = 1.0
"""Seconds after which the relay looks even when nothing woke it: NOTIFY is only a wake-up."""

KEPT = timedelta(days=35)
"""How long told facts are kept: longer than the stream keeps them, so that a lost stream can be told again."""

_WORDS = re.compile(r"(?<!^)(?=[A-Z])")
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


async def record(
    tx: Connection,
    fact: Message,
    *,
    organization_id: UUID,
    aggregate: str,
    aggregate_id: UUID,
    at: datetime,
) -> UUID:
    """Record that `fact` became true for an organization, in the transaction that makes it so. Answers the event's id.

    The sequence is gapless per organization and aggregate: it and the outbox id are taken under one row lock.
    """
    sequence = await db.value(
        tx,
        "INSERT INTO outbox_sequences (organization_id, aggregate_id, last) VALUES ($1, $2, 1)"
        " ON CONFLICT (organization_id, aggregate_id) DO UPDATE SET last = outbox_sequences.last + 1 RETURNING last",
        organization_id,
        aggregate_id,
    )
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
        "sequence": str(sequence),
        "correlationid": request_id.get() or str(event_id),
        "data": MessageToDict(fact),
    }
    await tx.execute(
        "WITH told AS (INSERT INTO outbox (event_id, organization_id, aggregate_id, sequence, subject, body, recorded_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id) SELECT pg_notify($8, '') FROM told",
        event_id,
        organization_id,
        aggregate_id,
        sequence,
        name.subject(organization_id),
        orjson.dumps(event).decode(),
        at,
        CHANNEL,
    )
    return event_id


class Relay:
    """Tells a service's recorded facts. Of several replicas one is active; the others wait for its lock."""

    def __init__(self, database: Database, bus_: Bus) -> None:
        self._database = database
        self._bus = bus_
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Relay until cancelled; a database or broker that went away is waited for."""
        while True:
            try:
                await self._lead()
            except (*LOST_CONNECTION, *BUS_AWAY) as error:
                log.warning("relay waits", extra={"because": type(error).__name__})
            await asyncio.sleep(POLL / 4)

    async def _lead(self) -> None:
        """Take the lock, listen, and tell until something breaks. The lock ends with the connection."""
        async with self._database.pool.acquire() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LEADER):
                await asyncio.sleep(POLL)
                return
            await connection.add_listener(CHANNEL, self._woken)
            try:
                await self._tell_until_broken(connection)
            finally:
                if not connection.is_closed():
                    await connection.remove_listener(CHANNEL, self._woken)
                    await connection.execute("SELECT pg_advisory_unlock($1)", _LEADER)

    async def _tell_until_broken(self, lock_holder: PoolConnectionProxy[Any]) -> None:
        await self.check_stream()
        generation = self._bus.generation
        while True:
            self._wake.clear()
            while await self.tell_some():
                pass
            await lock_holder.execute("SELECT 1")
            if generation != self._bus.generation:
                return
            try:
                await asyncio.wait_for(self._wake.wait(), POLL)
            except TimeoutError:
                await self._prune()

    async def tell_some(self) -> int:
        """Tell one batch of untold facts; answers how many were told. Within an aggregate one at a time, in order."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch(
                "SELECT id, event_id, organization_id, aggregate_id, subject, body FROM outbox WHERE sent_at IS NULL"
                " ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED",
                BATCH,
            )
            if not rows:
                return 0
            chains: dict[tuple[UUID, UUID], list[Any]] = {}
            for row in rows:
                chains.setdefault((row["organization_id"], row["aggregate_id"]), []).append(row)
            told = await asyncio.gather(*(self._tell_chain(chain) for chain in chains.values()))
            ids = [row_id for chain_ids, _, _ in told for row_id in chain_ids]
            await tx.execute(
                "UPDATE outbox SET sent_at = clock_timestamp() WHERE id = ANY($1)", ids
            )
            await self._remember(tx, max(sequence for _, sequence, _ in told))
        for _, _, error in told:
            if error is not None:
                raise error
        return len(ids)

    async def _tell_chain(self, chain: list[Any]) -> tuple[list[int], int, Exception | None]:
        """Tell the facts of one aggregate in order; what comes after a failure waits for the next round."""
        told: list[int] = []
        sequence = 0
        for row in chain:
            try:
                sequence = await self._bus.publish(
                    row["subject"], row["body"].encode(), str(row["event_id"])
                )
            except BUS_AWAY as error:
                return told, sequence, error
            told.append(row["id"])
        return told, sequence, None

    async def check_stream(self) -> bool:
        """Whether the stream remembers what it was told; if not, everything kept is told again (and True is answered).

        A stream that is younger, or ends before what it once acknowledged, has lost data.
        """
        state = await self._bus.ensure_stream()
        async with self._database.transaction() as tx:
            seen = await tx.fetchrow(
                "SELECT created_at, last_sequence FROM outbox_stream WHERE stream = $1 FOR UPDATE",
                bus.STREAM,
            )
            lost = seen is not None and (
                state.created_at != seen["created_at"]
                or state.last_sequence < seen["last_sequence"]
            )
            if lost:
                again = await db.run(
                    tx, "UPDATE outbox SET sent_at = NULL WHERE sent_at IS NOT NULL"
                )
                log.error(
                    "the stream lost its memory; telling everything again", extra={"facts": again}
                )
            await tx.execute(
                "INSERT INTO outbox_stream VALUES ($1, $2, $3) ON CONFLICT (stream)"
                " DO UPDATE SET created_at = excluded.created_at, last_sequence = excluded.last_sequence",
                bus.STREAM,
                state.created_at,
                state.last_sequence,
            )
        return lost

    async def _remember(self, tx: Connection, sequence: int) -> None:
        await tx.execute(
            "UPDATE outbox_stream SET last_sequence = greatest(last_sequence, $2) WHERE stream = $1",
            bus.STREAM,
            sequence,
        )

    async def _prune(self) -> None:
        await self._database.pool.execute(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE sent_at < clock_timestamp() - $1::interval"
            " ORDER BY id LIMIT 1000)",
            KEPT,
        )

    def _woken(self, *_: object) -> None:
        self._wake.set()
