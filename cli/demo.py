"""`./suite demo`: the whole journey of a referral, on a system of its own, each step told to a person."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console

from cli.folder import DataFolder
from cli.journey import JourneyBrokenError, Stage, play
from cli.journey.stage import closing
from cli.network import AnswerError, Client, Person, Postbox, Refused
from cli.system import System
from cli.trouble import Trouble

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Walk the whole journey of a referral through the gateway and print each step.

    It starts a system of its own, beside one that may be running, and forgets it at the end: nothing of yours is touched.
    """
    teller = JsonTeller() if as_json else Teller(Console(highlight=False))
    begun = time.monotonic()
    try:
        asyncio.run(_demo(teller))
    except (JourneyBrokenError, Refused, AnswerError) as broken:
        raise Trouble(f"The journey broke: {broken}") from None
    teller.end(time.monotonic() - begun)


class Tells(Protocol):
    """Hears the journey."""

    def act(self, title: str) -> None:
        """An act begins."""

    def say(self, what: str) -> None:
        """Something happened."""


class Teller:
    """Tells a person."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._acts = 0

    def act(self, title: str) -> None:
        """An act begins."""
        self._acts += 1
        self._console.print(f"\n[bold]{self._acts}  {title}[/]")

    def say(self, what: str) -> None:
        """Something happened."""
        self._console.print(f"   {what}", markup=False)

    def end(self, seconds: float) -> None:
        """It is over."""
        self._console.print(f"\n[bold]Everything was as it should be.[/] [dim]{seconds:.1f} s[/]")


class JsonTeller(Teller):
    """Tells a program."""

    def __init__(self) -> None:
        super().__init__(Console())
        self._act = ""

    def act(self, title: str) -> None:
        """An act begins."""
        self._act = title

    def say(self, what: str) -> None:
        """Something happened."""
        print(json.dumps({"act": self._act, "step": what}))  # noqa: T201 - for a program to read

    def end(self, seconds: float) -> None:
        """It is over."""
        print(json.dumps({"ok": True, "seconds": round(seconds, 1)}))  # noqa: T201 - for a program to read


async def _demo(teller: Teller) -> None:
    teller.act("The system starts")
    async with ephemeral_system() as system:
        teller.say(f"PostgreSQL, NATS, five services and the gateway run at {system.url}")
        async with closing(stage_of(system, teller)) as stage:
            await play(stage)


def stage_of(system: System, teller: Tells) -> Stage:
    """The journey's stage on a running system."""
    client = Client(system.url)
    email, password = system.support
    return Stage(
        client=client,
        postbox=Postbox(system.folder.mail),
        support=Person(client, "Support", email, password),
        nats_url=f"nats://127.0.0.1:{system.nats.port}",
        say=teller.say,
        act=teller.act,
    )


@contextlib.asynccontextmanager
async def ephemeral_system(
    *,
    durable: bool = False,
    postgres: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[System]:
    """A whole system on free ports, forgotten at the end; with these settings of the PostgreSQL server and of the processes besides
    their own."""
    path = Path(tempfile.mkdtemp(prefix="suite-demo-"))
    folder = DataFolder(path)
    try:
        with contextlib.closing(folder.prepare()):
            around = {**os.environ, **(environment or {})}
            system = System(folder, 0, lambda _: None, durable=durable, environment=around)
            system.postgres.settings = postgres or {}
            try:
                await system.start()
                yield system
            finally:
                await system.stop()
    finally:
        shutil.rmtree(path, ignore_errors=True)
