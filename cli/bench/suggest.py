"""Suggestions of receivers with 10,000, 100,000 and 1,000,000 placements, twenty questions a second."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from cli.bench.figures import over_rounds, ratio, spread
from cli.bench.machine import watched
from cli.bench.processes import cpu_by_part, need_proc, spent
from cli.bench.report import Part, Report, Row, Target, by_part
from cli.demo import ephemeral_system
from cli.network import Client, Person
from cli.system import System
from services.directory.domain.geography import cells
from services.directory.domain.listings import Wanted
from services.directory.domain.nouns import Place, PlanId, Point
from services.directory.store import receivers

SQL = Path(__file__).parent / "sql"
SIZES = (10_000, 100_000, 1_000_000)
PER_SECOND = 20
QUESTIONS = 300
"""In a round: fifteen seconds."""

WARM_UP = 40
CHANGES = 100
OF_ORGANIZATION = 200
"""Placements, in the made-up world."""

PLANS = 60
LOADING_TIMEOUT = 900.0
GATEWAY, STATEMENT, LOOKUP = "gateway", "the search's statement alone", "one lookup by an index"
LIMIT_MS = 50.0
METHOD = (
    "Made-up placements all over a country, most of them in 300 towns; half the providers have two offices, and each accepts three of"
    f" {PLANS} plans there. {PER_SECOND} questions a second come at even intervals whatever became of the one before, from where people"
    " are and for what they do: two thirds with a plan. The answer holds 20 receivers with provider, office and reasons. Beside it, in"
    " turns and at the same pace: the statement of the search in the database, and a lookup of one square of the map by its index,"
    " which is the baseline of the ratios."
)
SUGGEST = """query($input: SuggestReceiversInput!) { suggestReceivers(input: $input) { widening receivers {
  provider { id name } group { id } office { id name address { city region } }
  distanceKm planCertainty acceptingNewPatients score factors { name score weight reason } } } }"""


@dataclass(frozen=True)
class Question:
    """Who is looked for, and where."""

    code: str
    at: Point
    plan: UUID | None


Way = Callable[[Question], Awaitable[Any]]
Times = dict[str, list[list[float]]]


async def measure(rounds: int) -> Report:
    """Measure each size, the smallest first."""
    need_proc()
    rows: list[Row] = []
    parts: list[Part] = []
    targets: list[Target] = []
    async with ephemeral_system(durable=True) as system, AsyncExitStack() as stack:
        client = Client(system.url)
        stack.callback(client.close)
        email, password = system.support
        person = Person(client, "support", email, password)
        with watched() as machine:
            loaded = 0
            for size in SIZES:
                await _load(system, loaded, size)
                loaded = size
                await person.sign_in()  # loading took longer than a token lives
                times, cost = await _take_turns(system, _gateway(person), rounds)
                rows += _rows(size, times)
            parts.append(by_part(f"Processor time of a suggestion, {loaded:,} placements", [cost]))
            parts.append(await _changes(system, loaded))
        p99 = over_rounds(times[GATEWAY]).p99
        targets.append(Target(f"suggestion p99, {loaded:,} placements", p99, LIMIT_MS, "ms"))
    return Report("suggest", METHOD, [Part("Suggestions", rows), *parts], targets, machine)


async def _load(system: System, loaded: int, size: int) -> None:
    """Make the placements with the numbers up to `size`; what was there stays."""
    numbers = {"bench.first": loaded // OF_ORGANIZATION, "bench.last": size // OF_ORGANIZATION}
    settings = {name: str(number) for name, number in numbers.items()}
    owner = await asyncpg.connect(system.postgres.url("directory"), server_settings=settings)
    try:
        await owner.execute(_sql("placements"), timeout=LOADING_TIMEOUT)
        await owner.execute("VACUUM ANALYZE", timeout=LOADING_TIMEOUT)
        await owner.execute("CHECKPOINT")
    finally:
        await owner.close()


def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


async def _questions(reader: asyncpg.Connection[asyncpg.Record]) -> list[Question]:
    """The same ones each time."""
    draw = random.Random(20)  # noqa: S311 - for questions alike in each run
    rows = await reader.fetch(_sql("places"))
    made = []
    for number in range(QUESTIONS):
        row = draw.choice(rows)
        at = Point(row["latitude"] + draw.gauss(0, 0.05), row["longitude"] + draw.gauss(0, 0.05))
        plan = UUID(hashlib.md5(f"plan{draw.randrange(PLANS)}".encode()).hexdigest())  # noqa: S324 - as bench_id makes it
        made.append(Question(draw.choice(rows)["code"], at, plan if number % 3 else None))
    return made


async def _take_turns(system: System, asking: Way, rounds: int) -> tuple[Times, dict[str, float]]:
    scope = {"suite.scope": "network"}
    reader = await asyncpg.connect(system.database_url("directory"), server_settings=scope)
    try:
        questions = await _questions(reader)
        ways = {GATEWAY: asking, STATEMENT: _statement(reader), LOOKUP: _lookup(reader)}
        times: Times = {name: [] for name in ways}
        for name, way in ways.items():
            await _round(way, questions[:WARM_UP])
        for turn in range(rounds):
            for name, way in ways.items():
                before = cpu_by_part()
                times[name].append(await _round(way, questions))
                if name == GATEWAY and turn == rounds - 1:
                    cost = spent(before, cpu_by_part(), len(questions))
    finally:
        await reader.close()
    return times, cost


async def _round(way: Way, questions: Sequence[Question]) -> list[float]:
    """The questions at their times; milliseconds from when each was to be asked."""
    begun = time.monotonic()

    async def ask(number: int, question: Question) -> float:
        due = begun + number / PER_SECOND
        await asyncio.sleep(due - time.monotonic())
        await way(question)
        return 1000 * (time.monotonic() - due)

    return list(await asyncio.gather(*(ask(*one) for one in enumerate(questions))))


def _gateway(person: Person) -> Way:
    async def ask(question: Question) -> Any:  # noqa: ANN401 - whatever it answers
        near = {"latitude": question.at.latitude, "longitude": question.at.longitude}
        plan = str(question.plan) if question.plan else None
        return await person.ask(
            SUGGEST, input={"specialtyCode": question.code, "near": near, "planId": plan}
        )

    return ask


def _statement(reader: asyncpg.Connection[asyncpg.Record]) -> Way:
    turn, today = asyncio.Lock(), datetime.now(UTC).date()

    async def ask(question: Question) -> Any:  # noqa: ANN401 - whatever it answers
        plans = frozenset([PlanId(question.plan)] if question.plan else [])
        wanted = Wanted((question.code,), plans, Place(question.at), today, today)
        sql, args = receivers.question(wanted, 50.0, receivers.CONSIDERED)
        async with turn:
            return await reader.fetch(sql, *args)

    return ask


def _lookup(reader: asyncpg.Connection[asyncpg.Record]) -> Way:
    turn, sql = asyncio.Lock(), _sql("lookup")

    async def ask(question: Question) -> Any:  # noqa: ANN401 - whatever it answers
        (square, _), *_ = cells(Place(question.at), 0.0)
        async with turn:
            return await reader.fetch(sql, question.code, square)

    return ask


def _rows(size: int, times: Times) -> list[Row]:
    found: list[Row] = []
    for name, rounds in times.items():
        p50, p99 = over_rounds(rounds)
        row: Row = {"placements": f"{size:,}", "way": name, "p50_ms": p50, "p99_ms": p99}
        row["slowest_ms"] = max(max(one) for one in rounds)
        row["times_a_lookup"] = ratio(rounds, times[LOOKUP])
        found.append(row)
    return found


async def _changes(system: System, size: int) -> Part:
    """How long a change takes to be committed, its listings with it: it is found by whoever asks after that."""
    scope = {"suite.scope": "suite"}
    writer = await asyncpg.connect(system.database_url("directory"), server_settings=scope)
    times, missed = [], 0
    try:
        ids = [row["id"] for row in await writer.fetch(_sql("some_placements"))][:CHANGES]
        for one in ids:
            begun = time.monotonic()
            async with writer.transaction():
                accepting = await writer.fetchval(_sql("flip"), one)
            times.append(1000 * (time.monotonic() - begun))
            missed += await writer.fetchval(_sql("flipped"), one) is not accepting
    finally:
        await writer.close()
    p50, p99 = spread(times)
    row: Row = {
        "placements": f"{size:,}",
        "changes": len(times),
        "commit_p50_ms": p50,
        "commit_p99_ms": p99,
        "not_found_after_commit": missed,
    }
    return Part("A change of a placement, committed together with its listings", [row])
