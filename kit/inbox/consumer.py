"""The consumer: takes what the bus delivers, applies it in order, and knows when to give up."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from contextlib import aclosing
from itertools import count

from google.protobuf.json_format import ParseError as FactParseError
from google.protobuf.message import Message
from nats.aio.msg import Msg

from kit.bus import BUS_AWAY, PREVIOUS, Bus
from kit.db import AWAY, LOST_CONNECTION, Connection, Database
from kit.inbox import tables
from kit.inbox.events import (
    Begin,
    Event,
    GapError,
    Handler,
    Heard,
    Hearing,
    MalformedError,
    MissedError,
    read_event,
)
from kit.inbox.reading import read_fact
from kit.outbox import fact_name

log = logging.getLogger(__name__)

MAX_TRIES = 5
"""How often a fact is tried before it goes to the dead letters. Times when the database was away do not count."""

RETRY_DELAY = 0.2
GAP_PATIENCE = 60.0
"""Seconds that a fact waits for an earlier one of its aggregate before it goes to the dead letters, where people see it."""

REDRIVE_EVERY = 1.0
FORGET_EVERY = 60
"""In rounds of redriving."""


def _previous(message: Msg) -> str | None:
    return (message.headers or {}).get(PREVIOUS)


def _begins(hearings: Sequence[Hearing]) -> dict[str, list[Begin]]:
    """How to begin with an aggregate in its middle, for those of which every hearing says it."""
    silent = {hearing.source for hearing in hearings if hearing.begin is None}
    found: dict[str, list[Begin]] = {}
    for hearing in hearings:
        if hearing.begin is not None and hearing.source not in silent:
            found.setdefault(hearing.source, []).append(hearing.begin)
    return found


class _Patience:
    """What was tried in vain lately, by this process: a message is known by its place in the stream."""

    def __init__(self) -> None:
        self._tries: dict[int, int] = {}
        self._since: dict[int, float] = {}

    def waited(self, place: int) -> bool:
        """Whether it has been behind a gap for GAP_PATIENCE seconds."""
        since = self._since.get(place)
        return since is not None and time.monotonic() - since > GAP_PATIENCE

    def ends(self, place: int, error: Exception, *, waited: bool) -> bool:
        """Whether it is time to give up: after MAX_TRIES failures, or when a gap is still there although it was `waited` for; at once
        when nothing can close it."""
        if isinstance(error, MissedError):
            return True
        if isinstance(error, GapError):
            self._since.setdefault(place, time.monotonic())
            return waited
        self._tries[place] = self._tries.get(place, 0) + 1
        return self._tries[place] >= MAX_TRIES

    def forget(self, place: int) -> None:
        """That message is done with."""
        self._tries.pop(place, None)
        self._since.pop(place, None)

    def begin_anew(self) -> None:
        """Nothing could be applied for a while, so nobody waited in vain."""
        self._since.clear()


class Consumer:
    """Applies what a service hears, one fact after another."""

    def __init__(
        self, name: str, database: Database, bus: Bus, hearings: Sequence[Hearing]
    ) -> None:
        self._name = name
        self._database = database
        self._bus = bus
        self._subjects = sorted({hearing.subject for hearing in hearings})
        self._patience = _Patience()
        self._handlers: dict[str, tuple[type[Message], Handler]] = {
            fact_name(kind, hearing.aggregate).type: (kind, handler)
            for hearing in hearings
            for kind, handler in hearing.handlers.items()
        }
        self._begins = _begins(hearings)

    async def run(self) -> None:
        """Consume until cancelled; a broker that went away is waited for."""
        await self._bus.connect()
        while True:
            try:
                await self._bus.ensure_stream()
                await self._bus.ensure_consumer(self._name, self._subjects)
                await self._consume()
            except BUS_AWAY as error:
                log.warning("consumer waits", extra={"because": type(error).__name__})
            await asyncio.sleep(RETRY_DELAY)

    async def _consume(self) -> None:
        async with aclosing(self._bus.deliveries(self._name)) as arrivals:
            async for messages in arrivals:
                await self._take_all(messages)

    async def _take_all(self, messages: list[Msg]) -> None:
        """Apply what came together in one transaction, for speed; where that fails, one by one. What is not done with when
        the consumer is stopped is given back."""
        waiting = deque(messages)
        try:
            if len(messages) > 1 and await self._apply_together(messages):
                waiting.clear()
            while waiting:
                await self._take(waiting[0])
                waiting.popleft()
        except asyncio.CancelledError:
            for message in waiting:
                await message.nak()
            raise

    async def _apply_together(self, messages: list[Msg]) -> bool:
        """Whether all could be applied; if not, nothing was."""
        try:
            async with self._database.transaction() as tx:
                for message in messages:
                    event = read_event(message.subject, message.data)
                    await self._apply_in(tx, event, tables.Before(_previous(message)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the one it is about meets it again alone
            log.info("facts are applied one by one", extra={"because": type(error).__name__})
            return False
        for message in messages:
            self._patience.forget(message.metadata.sequence.stream)
            await message.ack()
        return True

    async def _take(self, message: Msg) -> None:
        """Apply one message and acknowledge it, or give it back for another try."""
        place = message.metadata.sequence.stream
        try:
            await self._settle(message, place)
        except AWAY as error:
            log.warning("consumer waits", extra={"because": type(error).__name__})
            self._patience.begin_anew()
            await message.nak(delay=RETRY_DELAY)
            await asyncio.sleep(RETRY_DELAY)

    async def _settle(self, message: Msg, place: int) -> None:
        previous, waited = _previous(message), self._patience.waited(place)
        try:
            await self.apply(message.subject, message.data, previous=previous, waited=waited)
        except AWAY:
            raise
        except Exception as error:
            known = {"subject": message.subject}
            if not self._patience.ends(place, error, waited=waited):
                if not isinstance(error, GapError):
                    log.warning("a fact failed and is tried again", exc_info=error, extra=known)
                await message.nak(delay=RETRY_DELAY)
                return
            log.exception("a fact goes to the dead letters", extra=known)
            await self._bury(message.subject, message.data, f"{type(error).__name__}: {error}")
        self._patience.forget(place)
        await message.ack()

    async def apply(
        self, subject: str, body: bytes, *, previous: str | None = None, waited: bool = False
    ) -> bool:
        """Apply one event in one transaction. False: it was known already, stale, or waits behind a dead letter. `previous` is what
        its header PREVIOUS says, `waited` that what it says was waited for in vain."""
        try:
            event = read_event(subject, body)
        except MalformedError as error:
            await self._bury(subject, body, str(error))
            return False
        async with self._database.transaction() as tx:
            return await self._apply_in(tx, event, tables.Before(previous, waited))

    async def _apply_in(self, tx: Connection, event: Event, before: tables.Before) -> bool:
        last = await tables.take(tx, event)
        if last is None:
            return False
        if event.sequence <= last:
            log.info("a stale fact is passed over", extra={"subject": event.subject})
            return False
        if event.sequence > last + 1:
            return await self._wait_in_line(tx, event, last, before)
        await self._effect(tx, event)
        return True

    async def _wait_in_line(
        self, tx: Connection, event: Event, last: int, before: tables.Before
    ) -> bool:
        """It waits behind a dead letter, which no order gets past; or else for a fact that has not come, if that can come. Of an
        aggregate that was never heard of it may be the first that there is."""
        waits_for = await tables.earlier_letter(tx, event)
        if waits_for is not None:
            await tables.lay_down(tx, event, f"waits behind {waits_for}")
            return False
        if not await tables.is_out_of_reach(tx, before):
            raise GapError(f"number {last + 1} of its aggregate has not come")
        if last or not await self._begin(tx, event):
            raise MissedError(
                f"number {last + 1} of its aggregate was not heard, and is told no more"
            )
        await self._effect(tx, event)
        await tables.advance(tx, event)
        return True

    async def _begin(self, tx: Connection, event: Event) -> bool:
        """Begin with an aggregate in its middle, in every way that is declared; False when a hearing of it declares none."""
        if event.source not in self._begins:
            return False
        for begin in self._begins[event.source]:
            await begin(tx, event)
        log.info("an aggregate is heard from its middle on", extra={"subject": event.subject})
        return True

    async def _effect(self, tx: Connection, event: Event) -> None:
        known = self._handlers.get(event.type)
        if known is None:
            return
        kind, handler = known
        try:
            fact = read_fact(kind, event.data)
        except FactParseError as error:
            raise MalformedError(f"{event.type} does not fit its declaration: {error}") from None
        heard = Heard(
            event.event_id,
            event.organization_id,
            event.aggregate_id,
            event.sequence,
            event.time,
            fact,
        )
        await handler(tx, heard)

    async def _bury(self, subject: str, body: bytes, cause: str) -> None:
        try:
            event = read_event(subject, body)
        except MalformedError:
            await tables.lay_down_malformed(self._database, subject, body, cause)
            return
        async with self._database.transaction() as tx:
            if await tables.is_new(tx, event):
                await tables.take_turn(tx, event)
                await tables.lay_down(tx, event, cause)

    # Redriving --------------------------------------------------------------------------------------------------------

    async def run_redrives(self) -> None:
        """Apply the dead letters an operator asked for, and forget what was heard long ago, until cancelled."""
        for turn in count():
            try:
                await self.redrive()
                if turn % FORGET_EVERY == 0:
                    await tables.forget(self._database)
            except LOST_CONNECTION as error:
                log.warning("redrive waits", extra={"because": type(error).__name__})
            await asyncio.sleep(REDRIVE_EVERY)

    async def redrive(self) -> int:
        """Apply the dead letters marked for it and what waits behind them, in order; answers how many were applied.

        A failure stops its aggregate and unmarks the letter. A letter behind one that is not marked stays where it is. An
        operator who redrives a fact whose predecessor never came has decided to go on without it.
        """
        done = 0
        while letters := await tables.next_letters(self._database):
            for letter, event in letters:
                try:
                    await self._redrive_one(letter, event)
                    done += 1
                except AWAY:
                    raise
                except Exception as error:
                    log.exception("a redriven fact failed again", extra={"subject": event.subject})
                    cause = f"{type(error).__name__}: {error}"
                    await tables.letter_failed(self._database, letter, cause)
        return done

    async def _redrive_one(self, letter: int, event: Event) -> None:
        async with self._database.transaction() as tx:
            last = await tables.take_turn(tx, event)
            if event.sequence > last:
                if not last and event.sequence > 1:
                    await self._begin(tx, event)
                await self._effect(tx, event)
                await tables.advance(tx, event)
            await tables.letter_applied(tx, letter, event)
