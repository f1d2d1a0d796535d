"""`./suite bench`: measures the system against baselines of the same run. docs/benchmarks.md tells how to read it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console

from cli.bench.report import Report, as_json, show
from cli.folder import from_where_asked

app = typer.Typer(add_completion=False, no_args_is_help=True)

Bench = Callable[[], Coroutine[Any, Any, Report]]
Rounds = Annotated[int, typer.Option(min=1, max=50, help="Rounds; medians over them are told.")]
Json = Annotated[
    Path | None,
    typer.Option("--json", help="Write JSON to this file; - prints it instead of the tables."),
]
SkipClean = Annotated[
    bool, typer.Option("--skip-clean", help="Leave out the clean checkout and its downloads.")
]


@app.callback()
def bench() -> None:
    """Measure start, memory, queries, sends, queues, sign-ins, facts, suggestions, imports and reports, each on a system of its own."""


@app.command(name="start")
def start_bench(rounds: Rounds = 3, skip_clean: SkipClean = False, to: Json = None) -> None:
    """Clean checkout to first answer, warm start, memory at rest."""
    _run([partial(_start, rounds, skip_clean)], to)


def _start(rounds: int, skip_clean: bool) -> Coroutine[Any, Any, Report]:  # noqa: FBT001 - the option as it is
    from cli.bench.start import measure  # noqa: PLC0415 - each benchmark loads what it needs

    return measure(rounds, clean=not skip_clean)


@app.command(name="query")
def query_bench(rounds: Rounds = 5, to: Json = None) -> None:
    """A nested list through the gateway, by hand, and in SQL."""
    _run([partial(_query, rounds)], to)


def _query(rounds: int) -> Coroutine[Any, Any, Report]:
    from cli.bench.query import measure  # noqa: PLC0415 - each benchmark loads what it needs

    return measure(rounds)


@app.command(name="send")
def send_bench(rounds: Rounds = 3, to: Json = None) -> None:
    """Referrals sent per second, by 1, 8 and 32 senders at once."""
    _run([partial(_send, rounds)], to)


def _send(rounds: int) -> Coroutine[Any, Any, Report]:
    from cli.bench.send import measure  # noqa: PLC0415 - each benchmark loads what it needs

    return measure(rounds)


@app.command(name="sign-in")
def sign_in_bench(rounds: Rounds = 3, to: Json = None) -> None:
    """People who sign in per second, against bare hashes of passwords."""
    _run([partial(_sign_in, rounds)], to)


def _sign_in(rounds: int) -> Coroutine[Any, Any, Report]:
    from cli.bench.sign_in import measure  # noqa: PLC0415 - each benchmark loads what it needs

    return measure(rounds)


@app.command(name="facts")
def facts_bench(rounds: Rounds = 3, to: Json = None) -> None:
    """From the commit of a change to the commit of its effect in another service."""
    _run([partial(_facts, rounds)], to)


def _facts(rounds: int) -> Coroutine[Any, Any, Report]:
    from cli.bench.facts import measure  # noqa: PLC0415 - each benchmark loads what it needs

    return measure(rounds)


@app.command(name="suggest")
def suggest_bench(rounds: Rounds = 2, to: Json = None) -> None:
    """Suggestions of receivers with 10,000, 100,000 and 1,000,000 placements."""
    _run([partial(_suggest, rounds)], to)


def _suggest(rounds: int) -> Coroutine[Any, Any, Report]:
    from cli.bench.suggest import measure  # noqa: PLC0415 - each benchmark loads what it needs

    return measure(rounds)


@app.command(name="import")
def import_bench(rounds: Rounds = 1, to: Json = None) -> None:
    """Rows of the national register imported per second, and the memory it takes."""
    _run([partial(_import, rounds)], to)


def _import(rounds: int) -> Coroutine[Any, Any, Report]:
    from cli.bench.importing import measure  # noqa: PLC0415 - each benchmark loads what it needs

    return measure(rounds)


@app.command(name="report")
def report_bench(rounds: Rounds = 3, to: Json = None) -> None:
    """Weekly reports of an organization of 100,000 referrals, against their definition."""
    _run([partial(_report, rounds)], to)


def _report(rounds: int) -> Coroutine[Any, Any, Report]:
    from cli.bench.progress import measure  # noqa: PLC0415 - each benchmark loads what it needs

    return measure(rounds)


@app.command(name="queue")
def queue_bench(rounds: Rounds = 3, to: Json = None) -> None:
    """A page of the queue of an organization of 100,000 referrals, and how soon who watches it knows of a change."""
    _run([partial(_queue, rounds)], to)


def _queue(rounds: int) -> Coroutine[Any, Any, Report]:
    from cli.bench.queue import measure  # noqa: PLC0415 - each benchmark loads what it needs

    return measure(rounds)


@app.command(name="all")
def everything(skip_clean: SkipClean = False, to: Json = None) -> None:
    """Every benchmark, one after another: about a quarter of an hour."""
    benches = [partial(_query, 5), partial(_send, 3), partial(_sign_in, 3), partial(_facts, 3)]
    benches += [partial(_suggest, 2), partial(_import, 1), partial(_report, 3), partial(_queue, 3)]
    _run([partial(_start, 3, skip_clean), *benches], to)


def _run(benches: Sequence[Bench], to: Path | None) -> None:
    """Run benchmarks one after another. Each is shown and written when it is done: what fails later loses nothing."""
    only_json = str(to) == "-"
    console = Console(highlight=False, stderr=only_json)
    reports: list[Report] = []
    for one in benches:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            reports.append(runner.run(one()))
        show(reports[-1], console)
        if to is not None and not only_json:
            from_where_asked(to).write_text(_text(reports), encoding="utf-8")
    if only_json:
        sys.stdout.write(_text(reports))


def _text(reports: list[Report]) -> str:
    return json.dumps(as_json(reports), indent=1) + "\n"
