"""The sealer: puts entries into the chain soon after they were written, and writes the chain's head down elsewhere.

Of several replicas one seals; the others wait for its lock. It locks nothing that a change of anything needs.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kit.audit import chain
from kit.audit.chain import Link
from kit.audit.checkpoints import Checkpoint, ForgedError, read
from kit.bus import BUS_AWAY
from kit.db import LOST_CONNECTION, Connection, Database

log = logging.getLogger(__name__)

POLL = 0.5
"""Seconds between looks for new entries. Nothing wakes the sealer: a NOTIFY in each change would have commits wait in line."""

BATCH = 1000
CHECKPOINT_EVERY = 60.0
RETRY = 2.0
_LEADER = 0x6175646974
"""Key of the session advisory lock that makes one sealer of a service the active one."""

_PLACE_AWAY = (*BUS_AWAY, OSError)


class Place(Protocol):
    """Where checkpoints are written down: a file, a stream."""

    async def last(self) -> bytes | None:
        """The newest line."""

    async def add(self, line: bytes) -> None:
        """Write one line behind the others."""


class Sealer:
    """Seals a service's entries. `places` are where its head is written down, each on its own."""

    def __init__(
        self, service: str, database: Database, key: Ed25519PrivateKey, places: Sequence[Place]
    ) -> None:
        self._service, self._database = service, database
        self._key, self._places = key, places

    async def run(self) -> None:
        """Seal until cancelled; a database that went away is waited for."""
        while True:
            try:
                await self._lead()
            except LOST_CONNECTION as error:
                log.warning("the audit sealer waits", extra={"because": type(error).__name__})
            await asyncio.sleep(RETRY)

    async def _lead(self) -> None:
        """Take the lock and seal until something breaks. The lock ends with the connection, or with its return."""
        async with self._database.pool.acquire() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LEADER):
                return
            written = float("-inf")
            while True:
                if await self.seal(connection) == BATCH:
                    continue
                if time.monotonic() - written > CHECKPOINT_EVERY:
                    await self.write_down(connection)
                    written = time.monotonic()
                await asyncio.sleep(POLL)

    async def seal(self, connection: Connection) -> int:
        """Put one batch of entries into the chain; answers how many."""
        async with connection.transaction():
            await connection.execute("SET LOCAL suite.scope = 'suite'")
            entries = await connection.fetch(
                f"SELECT {chain.COLUMNS} FROM audit_unsealed u JOIN audit_entries e ON e.id = u.entry_id"  # noqa: S608 - a constant
                " ORDER BY u.entry_id LIMIT $1",
                BATCH,
            )
            if entries:
                links = chain.append(await _head(connection), map(dict, entries))
                await _add(connection, links)
        return len(entries)

    async def write_down(self, connection: Connection) -> None:
        """Write the chain's head down in each place that has another one. A place that is away gets the next one."""
        head = await _head(connection)
        if head is None:
            return
        at: datetime = await connection.fetchval("SELECT clock_timestamp()")
        line = Checkpoint(self._service, head.sequence, head.hash, at).signed(self._key)
        for place in self._places:
            try:
                await self._write_down(head, line, place)
            except _PLACE_AWAY as error:
                log.warning(
                    "the audit trail's head could not be written down",
                    extra={"place": type(place).__name__, "because": type(error).__name__},
                )

    async def _write_down(self, head: Link, line: bytes, place: Place) -> None:
        before = await place.last()
        if before is not None:
            try:
                known = read(before, self._key.public_key(), self._service)
            except ForgedError:
                log.exception("a checkpoint of the audit trail is forged")
            else:
                if (known.sequence, known.hash) == (head.sequence, head.hash):
                    return
                if known.sequence >= head.sequence:
                    log.error("the audit trail has lost its end: run ./suite audit verify")
        await place.add(line)


async def _head(connection: Connection) -> Link | None:
    row = await connection.fetchrow(
        "SELECT sequence, entry_id::text, hash FROM audit_chain ORDER BY sequence DESC LIMIT 1"
    )
    return None if row is None else Link(*row)


async def _add(connection: Connection, links: list[Link]) -> None:
    ids = [UUID(link.entry_id) for link in links]
    await connection.execute(
        "INSERT INTO audit_chain SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bytea[])",
        [link.sequence for link in links],
        ids,
        [link.hash for link in links],
    )
    await connection.execute("DELETE FROM audit_unsealed WHERE entry_id = ANY($1)", ids)
