"""The feed: the stream that partners read. It mirrors the stream of facts, and facts can be taken out of it again (R14).

The stream of facts lets nobody delete: our own services hear all of it. Its mirror has the same sequences and is nobody's truth. What is
known about the feed stands in its own metadata, so that it goes when the feed goes: `of` says which stream it mirrors, `open` that
everything that was withdrawn has been taken out. Partners' consumers are made on an open feed only.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

import nats.js.errors
import orjson
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
    StreamSource,
)

from kit import db
from kit.bus import RETENTION, STREAM, Bus
from kit.db import Connection, Database
from kit.outbox import FactName

FEED = "FEED"
TAKER = "withdrawals"
"""The consumer that looks for what is to be taken out."""

_CONSUMERS = 100_000
"""The broker lets a stream that says nothing have a thousand: with as many partners nothing could be taken out any more."""

_OF, _OPEN = "of", "open"
_BATCH = 500
_AT_ONCE = 50
_PATIENCE = 10.0
"""Seconds that a batch may take to come."""

_BEHIND = 3.0
"""Seconds that are waited for the mirror; one that is behind by more is still being filled, and the next try finds it further."""

_POLL = 0.05
_GONE: Final = 10043
"""What JetStream answers when there is no such message to delete."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An aggregate whose facts up to a sequence are no longer an organization's to hear."""

    organization_id: UUID
    aggregate: str
    aggregate_id: UUID
    upto: int


async def told(tx: Connection, organization_id: UUID, aggregate: str) -> list[UUID]:
    """The aggregates of which the organization was told something that may still be heard."""
    rows = await tx.fetch(
        "SELECT DISTINCT aggregate_id FROM outbox WHERE organization_id = $1 AND aggregate = $2",
        organization_id,
        aggregate,
    )
    return [row["aggregate_id"] for row in rows]


async def withdraw(
    tx: Connection, organization_id: UUID, aggregate: str, ids: Sequence[UUID]
) -> None:
    """The organization's partners are to hear nothing more of what it was told so far about these aggregates."""
    await db.run(
        tx,
        "INSERT INTO outbox_withdrawn SELECT organization_id, aggregate, aggregate_id, last FROM outbox_sequences"
        " WHERE organization_id = $1 AND aggregate = $2 AND aggregate_id = ANY($3)"
        " ON CONFLICT (organization_id, aggregate, aggregate_id) DO UPDATE SET upto = excluded.upto",
        organization_id,
        aggregate,
        ids,
    )


async def being_told(tx: Connection, organization_id: UUID, aggregate: str) -> bool:
    """Whether something that was withdrawn is not noted as told yet: a relay that read it before the withdrawal, and was held up
    since, still tells it to the organization."""
    found: bool = await db.value(
        tx,
        "SELECT EXISTS (SELECT FROM outbox o JOIN outbox_withdrawn w USING (organization_id, aggregate, aggregate_id)"
        " WHERE organization_id = $1 AND aggregate = $2 AND o.sent_at IS NULL AND o.sequence <= w.upto)",
        organization_id,
        aggregate,
    )
    return found


async def forget(database: Database) -> None:
    """Forget what was withdrawn once no fact of it is kept any more: then it is in no stream either."""
    async with database.transaction() as tx:
        await tx.execute(
            "DELETE FROM outbox_withdrawn w WHERE NOT EXISTS (SELECT FROM outbox o WHERE"
            " (o.organization_id, o.aggregate, o.aggregate_id) = (w.organization_id, w.aggregate, w.aggregate_id)"
            " AND o.sequence <= w.upto)"
        )


async def opened_at(bus: Bus) -> datetime | None:
    """When the feed that partners may read now was made; None while there is none."""
    info = await _feed(bus)
    return info.created if info is not None and _OPEN in (info.config.metadata or {}) else None


async def _feed(bus: Bus) -> StreamInfo | None:
    with suppress(nats.js.errors.NotFoundError):
        return await bus.js.stream_info(FEED)
    return None


class Feed:
    """The feed as the service keeps it that can withdraw facts. Whatever fails is done again by the next `keep` or `take_out`."""

    def __init__(self, service: str, database: Database, bus: Bus) -> None:
        self._service = service
        self._database = database
        self._bus = bus

    async def keep(self) -> None:
        """Make the feed when there is none, or when it mirrors a stream that is gone; and open it once everything withdrawn
        was taken out of it."""
        of = await self._origin()
        feed = await _feed(self._bus)
        known = (feed.config.metadata or {}) if feed is not None else {}
        if feed is not None and known.get(_OF) != of:
            await self._bus.js.delete_stream(FEED)
        if known.get(_OF) != of:
            await self._bus.js.add_stream(_config({_OF: of}))
        elif _OPEN in known:
            return
        await self._take_out(await self._withdrawn())
        await self._bus.js.update_stream(_config({_OF: of, _OPEN: "yes"}))

    async def take_out(self, organization_id: UUID) -> None:
        """Take out everything that was withdrawn from an organization: it is gone when this returns."""
        await self._take_out(await self._withdrawn(organization_id))

    async def _origin(self) -> str:
        """Which stream there is: another one, or one that was cut off, has another name."""
        state = await self._bus.ensure_stream()
        async with self._database.reading() as tx:
            cut = await db.value(tx, "SELECT cut FROM outbox_stream WHERE stream = $1", STREAM)
        return f"{state.created_at.isoformat()} {cut or 0}"

    async def _withdrawn(self, organization_id: UUID | None = None) -> list[Withdrawn]:
        async with self._database.reading() as tx:
            return await db.many(
                tx,
                Withdrawn,
                "SELECT organization_id, aggregate, aggregate_id, upto FROM outbox_withdrawn"
                " WHERE $1::uuid IS NULL OR organization_id = $1 ORDER BY 1, 2",
                organization_id,
            )

    async def _take_out(self, withdrawn: Iterable[Withdrawn]) -> None:
        await self._caught_up()
        for (organization_id, aggregate), them in groupby(withdrawn, _told_as):
            subject = FactName(self._service, aggregate, "*").subject(organization_id)
            upto = {str(one.aggregate_id): one.upto for one in them}
            async for places in self._places(subject, upto):
                for some in range(0, len(places), _AT_ONCE):
                    await asyncio.gather(*map(self._delete, places[some : some + _AT_ONCE]))

    async def _caught_up(self) -> None:
        """Wait until the feed has everything that the stream has now: what comes to it later could not be found."""
        state = (await self._bus.js.stream_info(STREAM)).state
        async with asyncio.timeout(_BEHIND):
            while state.messages:
                feed = await self._bus.js.stream_info(FEED)
                if feed.state.last_seq >= state.last_seq:
                    return
                await asyncio.sleep(_POLL)

    async def _places(self, subject: str, upto: dict[str, int]) -> AsyncIterator[list[int]]:
        """Where in the feed the facts are, some at a time. Every fact of the subject is looked at: whatever was told twice, or
        was told and not noted as told, is found as well."""
        js = self._bus.js
        with suppress(nats.js.errors.NotFoundError):
            await js.delete_consumer(FEED, TAKER)
        made = await js.add_consumer(
            FEED,
            ConsumerConfig(
                name=TAKER,
                filter_subject=subject,
                deliver_policy=DeliverPolicy.ALL,
                ack_policy=AckPolicy.NONE,
                inactive_threshold=60.0,
            ),
        )
        pulled = await js.pull_subscribe_bind(consumer=TAKER, stream=FEED)
        waiting = made.num_pending or 0
        try:
            while waiting:
                messages = await pulled.fetch(min(_BATCH, waiting), timeout=_PATIENCE)
                waiting -= len(messages)
                yield [
                    one.metadata.sequence.stream for one in messages if _is_among(one.data, upto)
                ]
        finally:
            await pulled.unsubscribe()

    async def _delete(self, place: int) -> None:
        """Take a message away. It may be gone by its age meanwhile. (To overwrite it on disk as well would take fifteen times as
        long, and the stream has it, too.)"""
        request = orjson.dumps({"seq": place, "no_erase": True})
        answer = await self._bus.client.request(f"$JS.API.STREAM.MSG.DELETE.{FEED}", request)
        error = orjson.loads(answer.data).get("error")
        if error is not None and error.get("err_code") != _GONE:
            raise nats.js.errors.APIError.from_error(error)


def _is_among(body: bytes, upto: dict[str, int]) -> bool:
    """Whether it is one of the facts. What is no fact at all is nothing that was withdrawn, and keeps nothing else in."""
    try:
        event = orjson.loads(body)
        return int(event["sequence"]) <= upto.get(event["subject"], 0)
    except (ValueError, KeyError, TypeError):
        return False


def _told_as(one: Withdrawn) -> tuple[UUID, str]:
    """What its subject is made of."""
    return one.organization_id, one.aggregate


def _config(metadata: dict[str, str]) -> StreamConfig:
    return StreamConfig(
        name=FEED,
        mirror=StreamSource(name=STREAM),
        storage=StorageType.FILE,
        max_age=RETENTION.total_seconds(),
        max_consumers=_CONSUMERS,
        metadata=metadata,
    )
