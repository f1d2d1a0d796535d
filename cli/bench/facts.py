"""From the commit of a change to the commit of its effect in another service, on PostgreSQL's own clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple
from uuid import UUID

import asyncpg

from cli.bench.figures import Spread, over_rounds, ratio
from cli.bench.machine import watched
from cli.bench.processes import need_proc
from cli.bench.report import Part, Report, Row, Target
from cli.bench.world import COMMIT_TIMES
from cli.demo import ephemeral_system
from cli.trouble import Trouble
from kit.db import Database, open_database
from kit.ids import new_id
from kit.outbox import record
from proto.referrals.v1.events_pb2 import ReferralSent, ReferralState

SQL = Path(__file__).parent / "sql"
CONNECTIONS = 8
PATIENCE = 60.0
GLANCE = 0.05
WARM_UP = 20
METHOD = (
    "A transaction in the database of referrals records that a referral was sent; the relay of the running service tells it"
    " through NATS with always-sync; reporting applies it. Changes come at even intervals, whatever became of the one before,"
    " each to an aggregate of its own. The times are the commit times of both transactions, on the one clock of the PostgreSQL"
    " that holds both databases, and the relay's and the consumer's own stamps between. Ratio: to the same when idle."
)


class Pace(NamedTuple):
    """A load: changes per second, and how many changes in a round."""

    name: str
    per_second: int
    changes: int


IDLE = Pace("idle (10 changes/s)", 10, 60)
PACES = (IDLE, Pace("100 changes/s", 100, 800), Pace("200 changes/s", 200, 1200))


class Passage(NamedTuple):
    """Milliseconds after its commit that a fact was told, heard, and its effect committed."""

    told: float
    heard: float
    applied: float


@dataclass(frozen=True)
class Ends:
    """Both ends of the way: the database that tells and the one that hears."""

    tells: Database
    hears: Database


async def measure(rounds: int) -> Report:
    """Measure each pace in turns."""
    need_proc()
    async with ephemeral_system(durable=True, postgres=COMMIT_TIMES) as system:
        ends = Ends(
            await open_database(system.database_url("referrals"), size=CONNECTIONS),
            await open_database(system.database_url("reporting"), size=1),
        )
        try:
            await _round(ends, Pace("warm-up", 20, WARM_UP))
            with watched() as machine:
                found = await _take_turns(ends, rounds)
        finally:
            await ends.tells.pool.close()
            await ends.hears.pool.close()
    part = Part("Commit to effect, in ms", _rows(found))
    return Report("facts", METHOD, [part], _targets(found), machine)


Found = dict[Pace, list[list[Passage]]]


async def _take_turns(ends: Ends, rounds: int) -> Found:
    found: Found = {pace: [] for pace in PACES}
    for _ in range(rounds):
        for pace in PACES:
            found[pace].append(await _round(ends, pace))
    return found


async def _round(ends: Ends, pace: Pace) -> list[Passage]:
    """Make the changes at their times, wait for the last effect, and read what PostgreSQL remembers."""
    begun = time.monotonic()
    organization = new_id()

    async def change(number: int) -> UUID:
        await asyncio.sleep(begun + number / pace.per_second - time.monotonic())
        return await _change(ends.tells, organization)

    events = await asyncio.gather(*(change(number) for number in range(pace.changes)))
    return await _passages(ends, events)


async def _change(database: Database, organization: UUID) -> UUID:
    """Record, in a transaction of its own, that a referral was sent."""
    referral, at = new_id(), datetime.now(UTC)
    state = ReferralState(
        referral_id=str(referral),
        side="SENDING",
        status="PENDING",
        version=1,
        sending_organization_id=str(organization),
        receiving_organization_id=str(new_id()),
        hop=1,
    )
    state.occurred_at.FromDatetime(at)
    async with database.transaction() as tx:
        return await record(
            tx,
            ReferralSent(referral=state),
            organization_id=organization,
            aggregate="referral",
            aggregate_id=referral,
            at=at,
            by=None,
        )


async def _passages(ends: Ends, events: Sequence[UUID]) -> list[Passage]:
    applied = await _rows_of(ends.hears, "applied", events)
    committed = await _rows_of(ends.tells, "committed", events)
    return [_passage(committed[event], applied[event]) for event in events]


def _passage(change: asyncpg.Record, effect: asyncpg.Record) -> Passage:
    moments = change["told"], effect["heard"], effect["applied"]
    since = change["committed"]
    return Passage(*(1000 * (moment - since).total_seconds() for moment in moments))


async def _rows_of(
    database: Database, statement: str, events: Sequence[UUID]
) -> dict[UUID, asyncpg.Record]:
    """The rows of all these events, waited for."""
    sql = (SQL / f"{statement}.sql").read_text(encoding="utf-8")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        rows = await database.pool.fetch(sql, events)
        if len(rows) == len(events) and all(None not in tuple(row) for row in rows):
            return {row["event_id"]: row for row in rows}
        await asyncio.sleep(GLANCE)
    raise Trouble(f"Only {len(rows)} of {len(events)} facts arrived within {PATIENCE:.0f} s.")


def _rows(found: Found) -> list[Row]:
    return [
        {
            "pace": pace.name,
            "facts": pace.changes * len(rounds),
            "told_p50": median(one.told for passages in rounds for one in passages),
            "heard_p50": median(one.heard for passages in rounds for one in passages),
            "effect_p50": _effects(rounds).p50,
            "effect_p99": _effects(rounds).p99,
            "ratio": ratio(_applied(rounds), _applied(found[IDLE])),
        }
        for pace, rounds in found.items()
    ]


def _applied(rounds: Sequence[Sequence[Passage]]) -> list[list[float]]:
    return [[one.applied for one in passages] for passages in rounds]


def _effects(rounds: Sequence[Sequence[Passage]]) -> Spread:
    return over_rounds(_applied(rounds))


def _targets(found: Found) -> list[Target]:
    """M2 of the messaging goals."""
    idle, busy = _effects(found[IDLE]), _effects(found[PACES[-1]])
    return [
        Target("Commit to effect when idle, p50", idle.p50, 15, "ms"),
        Target("Commit to effect when idle, p99", idle.p99, 100, "ms"),
        Target("Commit to effect at 200 changes/s, p99", busy.p99, 500, "ms"),
    ]
