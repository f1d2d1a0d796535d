"""`./suite up`: everything, started in a few numbered steps, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import json
import os
import shlex
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from cli.folder import DEFAULT, DataFolder, from_where_asked
from cli.system import System, outside
from cli.trouble import Trouble

app = typer.Typer(add_completion=False)
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@app.command()
def up(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the gateway.")] = 4000,
    data: Annotated[
        Path | None, typer.Option(help="Data folder.", show_default=str(DEFAULT))
    ] = None,
    ephemeral: Annotated[
        bool, typer.Option("--ephemeral", help="Forget everything at the end.")
    ] = False,
    demo: Annotated[bool, typer.Option(help="Make the demo world on the first run.")] = True,
) -> None:
    """Start everything: PostgreSQL, NATS, the five services and the gateway; stop it all with Ctrl-C.

    DATABASE_URL_<SERVICE>, NATS_URL and SMTP_URL replace the embedded parts.
    """
    console = Console(highlight=False)
    if ephemeral and data:
        raise Trouble("--ephemeral and --data exclude each other.", "Leave one of them out.")
    with _folder(data, ephemeral=ephemeral) as folder, contextlib.closing(folder.prepare()):
        asyncio.run(_run(folder, port, console, demo=demo))


@contextlib.contextmanager
def _folder(data: Path | None, *, ephemeral: bool) -> Iterator[DataFolder]:
    if not ephemeral:
        yield DataFolder(from_where_asked(data) if data else DEFAULT)
        return
    path = Path(tempfile.mkdtemp(prefix="suite-"))
    try:
        yield DataFolder(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


class ShownSteps:
    """Numbered steps with their times."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._number = 0

    @contextlib.contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """A step."""
        self._number += 1
        begun = time.monotonic()
        ending = "[red]not done[/] "
        try:
            with self.console.status(f"{self._number}  {what} …"):
                yield
            ending = ""
        finally:
            took = f"{ending}[dim]{time.monotonic() - begun:.1f} s[/]"
            self.console.print(f"[bold]{self._number}[/]  {what} {took}", soft_wrap=True)


async def _run(folder: DataFolder, port: int, console: Console, *, demo: bool) -> None:
    """Run until a signal. A signal during the start ends the start; a second one is not needed and not heard."""
    begun = time.monotonic()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            loop.add_signal_handler(number, stop.set)
    system = System(folder, port, lambda text: console.print(f"[yellow]![/] {text}"))
    step = ShownSteps(console)
    work = asyncio.create_task(_start(system, step, demo=demo))
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
            console.print(_panel(system, time.monotonic() - begun))
            await stop.wait()
    finally:
        await _cancel(work, waiting)
        with step("Stopping"):
            await system.stop()


async def _cancel(*tasks: asyncio.Task[object] | asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _start(system: System, step: ShownSteps, *, demo: bool) -> None:
    await system.start(step)
    if demo and _demo_wanted(system):
        with step("Demo world"):
            run = importlib.import_module("cli.seed").run
            await run(system.url, system.folder.path, console=step.console)


def _demo_wanted(system: System) -> bool:
    """Once, and only into databases of our own."""
    known = importlib.util.find_spec("cli.seed") is not None
    return known and not system.folder.accounts.exists() and not outside(os.environ).anything


def read_mail(folder: DataFolder) -> str:
    """The command that reads the mail of this folder."""
    elsewhere = "" if folder.path == DEFAULT else f" --data {shlex.quote(str(folder.path))}"
    return f"./suite mail{elsewhere}"


def _panel(system: System, seconds: float) -> Panel:
    """Where everything is."""
    table = Table.grid(padding=(0, 1))
    table.add_row("GraphQL", f"{system.url}/graphql")
    table.add_row("GraphiQL", f"{system.url}/graphiql")
    inside = system.outside.smtp is None
    table.add_row("Mail", escape(read_mail(system.folder)) if inside else "goes to SMTP_URL")
    table.add_row("Logs", str(system.folder.path / "logs"))
    table.add_row("support", "  ".join(system.support))
    organization = ""
    for account in _accounts(system.folder):
        if account["organization"] != organization:
            organization = account["organization"]
            table.add_row("", f"[bold]{organization}[/]")
        table.add_row(account["role"], f"{account['email']}  {account['password']}")
    return Panel(table, title=f"Ready in {seconds:.1f} s — Ctrl-C stops", expand=False)


def _accounts(folder: DataFolder) -> list[dict[str, str]]:
    if not folder.accounts.exists():
        return []
    accounts: list[dict[str, str]] = json.loads(folder.accounts.read_text(encoding="utf-8"))
    return accounts
