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
    done = last = 0
    applied = AT_A_TIME
    while applied == AT_A_TIME:
        async with everywhere.transaction() as tx:
            applied, last = await _apply(tx, handlers, last)
        done += applied
        progress(done, max(done, total))
    async with everywhere.transaction() as tx:
        await store.facts.stop_hearing(tx)
        applied = 1
        while applied:
            applied, last = await _apply(tx, handlers, last)
            done += applied
        return Rebuilt(done, await store.facts.put_in_place(tx))


async def _apply(tx: Connection, handlers: Handlers, last: int) -> tuple[int, int]:
    """Apply the next facts beside; answers how many, and the place of the last."""
    await store.facts.work_beside(tx)
    facts = await store.facts.kept(tx, last, AT_A_TIME)
    for one in facts:
        kind, handle = handlers[one.kind]
        heard = Heard(
            one.event_id,
            one.organization_id,
            one.aggregate_id,
            one.sequence,
            one.at,
            kind.FromString(one.body),
        )
        await handle(tx, heard)
    return len(facts), facts[-1].id if facts else last
