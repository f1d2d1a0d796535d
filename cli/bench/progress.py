"""The weekly report of groups in an organization of 100,000 referrals."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from statistics import median
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from cli.bench.door import Door
from cli.bench.figures import over_rounds, ratio
from cli.bench.machine import watched
from cli.bench.made_up import Made, load, load_facts
from cli.bench.processes import need_proc
from cli.bench.report import Part, Report, Row, Target
from cli.demo import ephemeral_system
from cli.system import System
from cli.trouble import Trouble
from kit.auth import Kind, Viewer
from kit.db import Database, open_database
from services.reporting import store
from services.reporting.consumers import rebuild_all
from services.reporting.domain import Group, GroupId, Span, Telling, Week

REFERRALS = 100_000
GROUPS = 20
REBUILT = 4_000
"""Referrals whose facts tables are made again of."""

TIMES = 4
"""How often a round asks for each."""

PATIENCE = 120.0
LIMIT_MS = 2000.0
METHOD = (
    f"{REFERRALS:,} made-up referrals of a year with {GROUPS} groups of an organization, the first of which has more than a quarter of"
    " them. Asked at reporting's own door, for the week before this one: figures, the week before it, the watermark and what drives each"
    " change; and for the last month that is over, of every office and provider. By definition: the same report made by the pure tally from the histories of the referrals that the week is made of, read from the"
    " same database; the ratios are to it."
)
FIGURES = "reconciles received { count } closing { count } completed { count } overdue { count } leakage { percent }"
WANTED = f"watermark figures {{ {FIGURES} }} weekBefore {{ {FIGURES} }} explanations {{ sentence }}"
IDS = "closing { referralIds } received { referralIds } completed { referralIds }"
ONE = f"query($id: ID!, $day: Date!) {{ groupProgressReport(groupId: $id, weekOf: $day) {{ {WANTED} }} }}"
WITH_IDS = f"query($id: ID!, $day: Date!) {{ groupProgressReport(groupId: $id, weekOf: $day) {{ {WANTED} more: figures {{ {IDS} }} }} }}"
ALL = (
    f"query($day: Date!) {{ groupProgressReports(weekOf: $day, first: {GROUPS}) {{"
    f" edges {{ node {{ published {{ id }} {WANTED} }} }} }} }}"
)
MEASURED = (
    "{ received completed declined noShowRate { percent } toComplete { medianHours p90Hours } }"
)
MONTH = (
    f"query($day: Date!) {{ performanceReport(month: $day) {{ total {MEASURED} offices {{ office {{ id }} figures {MEASURED} }}"
    f" providers {{ provider {{ id }} figures {MEASURED} }} declinedByReason {{ reasonCode count }} leakage {{ sent outside }} }} }}"
)
DEFINITION = "the largest group's, by definition"
LARGEST = "the largest group's"
EVERY = f"those of all {GROUPS} groups"
LAST_MONTH = "the month before this one, of every office and provider"

Way = Callable[[], Awaitable[Any]]
Times = dict[str, list[list[float]]]


async def measure(rounds: int) -> Report:
    """Measure each way in turns."""
    need_proc()
    async with ephemeral_system(durable=True) as system:
        rebuilt = await _rebuild(system)
        made = Made.with_groups(GROUPS)
        changes = await _load(system, made)
        database = await open_database(system.database_url("reporting"), size=1)
        door = Door(system, "reporting", _viewer(made.organization_id))
        try:
            ways = _ways(door, database.everywhere(), made)
            await _published(ways[EVERY])
            await _agree(ways)
            with watched() as machine:
                times = await _take_turns(ways, rounds)
        finally:
            door.close()
            await database.pool.close()
    part = Part(f"Reports of a week, {REFERRALS:,} referrals, {changes:,} changes", _rows(times))
    targets = [
        Target(f"{name}, p99", over_rounds(times[name]).p99, LIMIT_MS, "ms")
        for name in (LARGEST, EVERY, LAST_MONTH)
    ]
    return Report("report", METHOD, [part, rebuilt], targets, machine)


async def _rebuild(system: System) -> Part:
    """How fast tables are made again of facts, beside a bare COPY of the same facts."""
    connection = await asyncpg.connect(system.postgres.url("reporting"))
    try:
        begun = time.perf_counter()
        facts = await load_facts(connection, Made.with_groups(GROUPS + 1), REBUILT)
        copied = facts / (time.perf_counter() - begun)
    finally:
        await connection.close()
    owner = await open_database(system.owner_url("reporting"), size=1)
    try:
        begun = time.perf_counter()
        await rebuild_all(owner, lambda _done, _total: None)
        took = time.perf_counter() - begun
    finally:
        await owner.pool.close()
    row: Row = {"facts": facts, "rebuilt_per_second": facts / took, "copied_per_second": copied}
    return Part("Tables made again of facts", [row])


def _viewer(organization_id: UUID) -> Viewer:
    return Viewer(
        kind=Kind.USER, user_id=UUID(int=1), organization_id=organization_id, client_admin=True
    )


async def _load(system: System, made: Made) -> int:
    connection = await asyncpg.connect(system.postgres.url("reporting"))
    try:
        changes = await load(connection, made, REFERRALS)
        await connection.execute("VACUUM ANALYZE", timeout=PATIENCE)
    finally:
        await connection.close()
    return changes


def _ways(door: Door, database: Database, made: Made) -> Mapping[str, Way]:
    week = Week.of(made.now.date()).preceding
    day, largest = week.monday.isoformat(), made.groups[0]
    month = (made.now.date().replace(day=1) - timedelta(days=1)).isoformat()
    asked = {"id": str(largest), "day": day}
    return {
        DEFINITION: lambda: _by_definition(database, made, week),
        LARGEST: lambda: door.ask(ONE, asked),
        "the same with every referral's id": lambda: door.ask(WITH_IDS, asked),
        EVERY: lambda: door.ask(ALL, {"day": day}),
        LAST_MONTH: lambda: door.ask(MONTH, {"day": month}),
    }


async def _by_definition(database: Database, made: Made, week: Week) -> Telling:
    async with database.reading() as tx:
        organization = await store.organizations.organization(tx, made.organization_id)
        group_id = GroupId(made.groups[0])
        found = await store.organizations.groups_by_id(tx, made.organization_id, [group_id])
        span = Span.of(week, ZoneInfo(organization.time_zone or "UTC"), made.now)
        lasting = (span.before_starts_at, span.as_of)
        changes = await store.changes.changes(tx, made.organization_id, [group_id], lasting)
    group: Group = found[group_id]
    return span.tell(group, changes)


async def _published(everything: Way) -> None:
    """Until the job that publishes reports has done its work."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        told = (await everything())["groupProgressReports"]["edges"]
        if len(told) == GROUPS and all(edge["node"]["published"] for edge in told):
            return
        await asyncio.sleep(1)
    raise Trouble(f"The reports were not published within {PATIENCE:.0f} s.")


async def _agree(ways: Mapping[str, Way]) -> None:
    """Both ways must say the same, or their times mean nothing."""
    by_definition: Telling = await ways[DEFINITION]()
    told = (await ways[LARGEST]())["groupProgressReport"]
    sentences = [one.sentence for one in by_definition.explanations]
    same = told["watermark"] == by_definition.watermark
    if not (same and [one["sentence"] for one in told["explanations"]] == sentences):
        raise Trouble("The report and its definition do not say the same.")


async def _take_turns(ways: Mapping[str, Way], rounds: int) -> Times:
    times: Times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append([await _timed(way) for _ in range(TIMES)])
    return times


async def _timed(way: Way) -> float:
    begun = time.perf_counter()
    await way()
    return 1000 * (time.perf_counter() - begun)


def _rows(times: Times) -> list[Row]:
    return [
        {
            "report": name,
            "p50_ms": over_rounds(rounds).p50,
            "slowest_ms": max(max(one) for one in rounds),
            "mean_ms": median(sum(one) / len(one) for one in rounds),
            "times_the_definition": ratio(rounds, times[DEFINITION]),
        }
        for name, rounds in times.items()
    ]
