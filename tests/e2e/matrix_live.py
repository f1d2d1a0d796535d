"""Live queries of the matrix: who may watch is told what happens, and nobody else is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from tests.e2e.matrix import AT_ONCE, Bench, Told
from tests.e2e.matrix_rows import about, sentence
from tests.model import judge
from tests.model.cast import ACTORS
from tests.model.tables import TABLES
from tests.model.words import Actor, Ask, Thing, Verdict

PATIENCE = 20.0
Cell = tuple[Ask, Actor, Thing]


@dataclass
class Bearer:
    """Shows a token, or none."""

    shown: str

    async def token(self) -> str:
        """The token."""
        return self.shown


async def subscriptions(bench: Bench) -> None:
    """R07, R14: everybody tries to watch every queue; then something happens in those that somebody may watch."""
    rows = [row for table in TABLES.values() for row in table.subscriptions if isinstance(row, Ask)]
    cells = [(row, actor, thing) for row in rows for actor in ACTORS for thing in about(row)]
    allowed = [cell for cell in cells if judge.of_ask(*cell) is Verdict.ALLOW]
    gate = asyncio.Semaphore(AT_ONCE)

    async def refused(cell: Cell) -> Told | None:
        async with gate:
            return await _first(bench, cell, asyncio.Event())

    shut = [cell for cell in cells if cell not in allowed]
    for cell, told in zip(shut, await asyncio.gather(*map(refused, shut)), strict=True):
        _judge(bench, cell, told)
    opened = [asyncio.Event() for _ in allowed]
    watching = [
        asyncio.create_task(_first(bench, cell, event))
        for cell, event in zip(allowed, opened, strict=True)
    ]
    await asyncio.gather(*(event.wait() for event in opened))
    await _happen(bench)
    for cell, told in zip(allowed, await asyncio.gather(*watching), strict=True):
        _judge(bench, cell, told)


async def _first(bench: Bench, cell: Cell, opened: asyncio.Event) -> Told | None:
    """The first thing that is told; None when nothing was in time."""
    row, actor, thing = cell
    document = f"subscription($id: ID) {{ {row.name}({row.at}: $id) {row.select} }}"
    bearer: Any = Bearer(await bench.world.token(actor)) if await bench.world.token(actor) else None
    live = bench.world.stage.client.live(
        document, {"id": bench.id_of(thing)}, by=bearer, opened=opened
    )
    try:
        async with asyncio.timeout(PATIENCE):
            async for answer in live:
                errors = answer.get("errors") or [None]
                return Told((answer.get("data") or {}).get(row.name), errors[0])
    except TimeoutError:
        return None
    finally:
        opened.set()
        await live.aclose()  # type: ignore[attr-defined]
    return None


async def _happen(bench: Bench) -> None:
    """Something in each queue that an actor works on."""
    sender = bench.world.stage.people["their staff"]
    for name in ("referral to the team", "referral to there", "referral to here"):
        given = {"authorization": "PENDING"}
        await bench.world.change(sender, "changeAuthorization", name, given)


def _judge(bench: Bench, cell: Cell, told: Told | None) -> None:
    row, actor, thing = cell
    expected = judge.of_ask(row, actor, thing)
    right = told is not None and {
        Verdict.ALLOW: told.data is not None and told.error is None,
        Verdict.DENY: told.denied,
        Verdict.UNAUTHENTICATED: told.unauthenticated,
    }.get(expected, False)
    got = told.says if told else "nothing at all"
    bench.judged("subscriptions", right, sentence(actor, row, thing, expected, got))
