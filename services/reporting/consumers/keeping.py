"""Keeping every fact that is applied, and making everything again of those that were kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from google.protobuf.message import Message

from kit.db import Connection, Database
from kit.errors import Conflict
from kit.inbox import Handler, Heard, Hearing
from services.reporting import store
from services.reporting.store.facts import KeptFact

AT_A_TIME = 500
"""Facts in a transaction."""

Handlers: TypeAlias = Mapping[str, tuple[type[Message], Handler]]
Progress: TypeAlias = Callable[[int, int], None]


def keeping(hearings: Sequence[Hearing]) -> list[Hearing]:
    """The hearings, whose every fact is kept before it is applied."""
    return [
        Hearing(
            one.service,
            one.aggregate,
            {kind: _kept(handle) for kind, handle in one.handlers.items()},
        )
        for one in hearings
    ]


def _kept(handle: Handler) -> Handler:
    async def keep_and_handle(tx: Connection, heard: Heard) -> None:
        fact: Message = heard.fact
        kept = KeptFact(
            0,
            heard.organization_id,
            heard.aggregate_id,
            heard.sequence,
            heard.event_id,
            heard.time,
            fact.DESCRIPTOR.full_name,
            fact.SerializeToString(deterministic=True),
        )
        await store.facts.keep(tx, kept)
        await handle(tx, heard)

    return keep_and_handle


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it: how many facts were applied, and how many rows of each table were not what they make."""

    facts: int
    changed: Mapping[str, int]


async def rebuild(
    database: Database, hearings: Sequence[Hearing], progress: Progress = lambda _done, _all: None
) -> Rebuilt:
    """Make every table that facts make again, from the first fact on, beside those that serve; then put them in their place.

    Facts are heard meanwhile, but for the moment of the change. `database` is opened as the tables' owner. Conflict
    FACTS_NOT_KEPT when facts were heard before they were kept.
    """
    handlers: Handlers = {
        kind.DESCRIPTOR.full_name: (kind, handle)
        for one in hearings
        for kind, handle in one.handlers.items()
    }
    # whole-suite: an operator makes every organization's tables again
    everywhere = database.everywhere()
    async with everywhere.transaction() as tx:
        if not await store.facts.from_the_first(tx):
            raise Conflict("Facts were heard before they were kept.", code="FACTS_NOT_KEPT")
        await store.facts.begin_rebuilding(tx)
        total = await store.facts.count(tx)
    work = _Work(handlers)
    until = await _told_until(everywhere)
    while work.last < until:
        async with everywhere.transaction() as tx:
            await _apply(tx, work, until)
        progress(work.done, max(work.done, total))
        newer = await _told_until(everywhere)
        until = newer if newer - work.last > AT_A_TIME else until
    async with everywhere.transaction() as tx:
        until = await store.facts.stop_hearing(tx)
        while work.last < until:
            await _apply(tx, work, until)
        return Rebuilt(work.done, await store.facts.put_in_place(tx))


@dataclass
class _Work:
    """How far it is: the place of the last fact, and how many were applied."""

    handlers: Handlers
    last: int = 0
    done: int = 0


async def _told_until(everywhere: Database) -> int:
    """The place of the last fact, when no fact before it can come any more."""
    async with everywhere.transaction() as tx:
        return await store.facts.stop_hearing(tx)


async def _apply(tx: Connection, work: _Work, until: int) -> None:
    """Apply the next facts beside."""
    await store.facts.work_beside(tx)
    for one in await store.facts.kept(tx, work.last, until, AT_A_TIME):
        kind, handle = work.handlers[one.kind]
        heard = Heard(
            one.event_id,
            one.organization_id,
            one.aggregate_id,
            one.sequence,
            one.at,
            kind.FromString(one.body),
        )
        await handle(tx, heard)
        work.last, work.done = one.id, work.done + 1
