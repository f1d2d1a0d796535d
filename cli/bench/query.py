"""A nested list through the gateway, against the same subgraph calls made by hand, and against bare SQL."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from cli.bench.door import Door, viewer_of
from cli.bench.figures import over_rounds, ratio
from cli.bench.machine import watched
from cli.bench.processes import cpu_by_part, need_proc, spent
from cli.bench.report import Part, Report, Row, by_part
from cli.bench.world import PROVIDERS, World, world
from cli.trouble import Trouble

SQL = Path(__file__).parent / "sql"
GATEWAY = "gateway"
REQUESTS = 60
"""In a round, one after another."""

WARM_UP = 20
SEES_ALL = {"suite.scope": "suite"}
"""Bare SQL has no viewer: row-level security lets it see everything."""

_PROVIDER = """
      id npi name credential
      specialties { code name }
      placements {
        id effectiveFrom acceptingNewPatients
        office { id name phone address { line1 city region } }
      }"""
_PARTICIPATIONS = """
      participations(first: 10) { edges { node { id effectiveFrom plan { id name productType } } } }"""
WHOLE = (
    f"query {{ providers(first: 50) {{ edges {{ node {{ {_PROVIDER} {_PARTICIPATIONS} }} }} }} }}"
)
FIRST = f"query {{ providers(first: 50) {{ edges {{ node {{ __typename {_PROVIDER} }} }} }} }}"
THEN = (
    "query($representations: [_Any!]!) { _entities(representations: $representations) {"
    f" ... on Provider {{ {_PARTICIPATIONS} }} }} }}"
)
METHOD = (
    f"{PROVIDERS} providers with specialties, placements, offices, participations and plans, one request after another."
    " By hand: the same two calls, directory then insurance, with the gateway's HTTP client and a signed viewer, parsed and"
    " joined. SQL: one json_agg statement in each of the two databases, joined; no policy, no GraphQL. CPU: of all processes,"
    " the asking one too. "
    "The last columns: how many times as long, and as much CPU, the gateway takes."
)

Way = Callable[[], Awaitable[Any]]


async def measure(rounds: int) -> Report:
    """Measure the three ways in turns."""
    need_proc()
    async with world() as built, AsyncExitStack() as stack:
        ways = {
            GATEWAY: _gateway(built),
            "subgraph calls by hand": await _by_hand(built, stack),
            "SQL in each database": await _sql(built, stack),
        }
        await _expect_same(ways)
        with watched() as machine:
            times, costs = await _take_turns(ways, rounds)
    parts = [
        Part("Nested list", _rows(times, costs)),
        by_part("Processor time of a query through the gateway", costs[GATEWAY]),
    ]
    return Report("query", METHOD, parts, (), machine)


def _gateway(built: World) -> Way:
    async def ask() -> list[Any]:
        return _nodes(await built.manager.ask(WHOLE))

    return ask


async def _by_hand(built: World, stack: AsyncExitStack) -> Way:
    viewer = await viewer_of(built.system, built.manager)
    directory, insurance = (Door(built.system, name, viewer) for name in ("directory", "insurance"))
    stack.callback(directory.close)
    stack.callback(insurance.close)

    async def ask() -> list[Any]:
        providers = _nodes(await directory.ask(FIRST))
        keys = [{"__typename": one.pop("__typename"), "id": one["id"]} for one in providers]
        entities = (await insurance.ask(THEN, {"representations": keys}))["_entities"]
        return [one | more for one, more in zip(providers, entities, strict=True)]

    return ask


async def _sql(built: World, stack: AsyncExitStack) -> Way:
    organization = UUID(built.manager.organization_id)
    first, then = (
        (SQL / f"{name}.sql").read_text(encoding="utf-8")
        for name in ("providers", "participations")
    )
    directory, insurance = [
        await asyncpg.connect(built.system.database_url(name), server_settings=SEES_ALL)
        for name in ("directory", "insurance")
    ]
    stack.push_async_callback(directory.close)
    stack.push_async_callback(insurance.close)

    async def ask() -> list[Any]:
        providers = orjson.loads(await directory.fetchval(first, organization))
        ids = [one["id"] for one in providers]
        plans = orjson.loads(await insurance.fetchval(then, organization, ids))
        for one in providers:
            edges = [{"node": node} for node in plans[one["id"]]]
            one["participations"] = {"edges": edges}
        return list(providers)

    return ask


def _nodes(answer: Mapping[str, Any]) -> list[Any]:
    return [edge["node"] for edge in answer["providers"]["edges"]]


async def _expect_same(ways: Mapping[str, Way]) -> None:
    """Trouble unless every way brings back the same: otherwise they are no measure for one another."""
    answers = {name: _in_order(await ask()) for name, ask in ways.items()}
    expected = answers[GATEWAY]
    for name, answer in answers.items():
        if len(answer) != PROVIDERS or answer != expected:
            raise Trouble(f"{name} brings back something else than the gateway does.")


def _in_order(providers: Sequence[Any]) -> list[Any]:
    """The lists within a provider in one order: SQL and services sort equal days differently."""
    for one in providers:
        one["placements"].sort(key=lambda placement: placement["id"])
        one["participations"]["edges"].sort(key=lambda edge: edge["node"]["id"])
    return list(providers)


Times = dict[str, list[list[float]]]
Costs = dict[str, list[dict[str, float]]]


async def _take_turns(ways: Mapping[str, Way], rounds: int) -> tuple[Times, Costs]:
    """Milliseconds of each request, and CPU milliseconds per request by part, by way and round."""
    times: Times = {name: [] for name in ways}
    costs: Costs = {name: [] for name in ways}
    for ask in ways.values():
        for _ in range(WARM_UP):
            await ask()
    for _ in range(rounds):
        for name, ask in ways.items():
            used = cpu_by_part()
            times[name].append([await _timed(ask) for _ in range(REQUESTS)])
            costs[name].append(spent(used, cpu_by_part(), REQUESTS))
    return times, costs


async def _timed(ask: Way) -> float:
    begun = time.perf_counter()
    await ask()
    return 1000 * (time.perf_counter() - begun)


def _rows(times: Times, costs: Costs) -> list[Row]:
    totals = {name: [[sum(cost.values())] for cost in rounds] for name, rounds in costs.items()}
    return [
        {
            "way": name,
            "p50_ms": over_rounds(rounds).p50,
            "p99_ms": over_rounds(rounds).p99,
            "cpu_ms": over_rounds(totals[name]).p50,
            "gateway_over_it": ratio(times[GATEWAY], rounds),
            "cpu_over_it": ratio(totals[GATEWAY], totals[name]),
        }
        for name, rounds in times.items()
    ]
