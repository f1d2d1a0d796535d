"""`./suite import`: brings providers in from files of the national register."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from cli.folder import DEFAULT, DataFolder, from_where_asked
from cli.imports import register
from cli.imports.sending import Import, Remark, Tally
from cli.imports.who import admin
from cli.network import AnswerError, Client
from cli.system import running_url
from cli.trouble import Trouble

app = typer.Typer(add_completion=False, no_args_is_help=True)
SHOWN = 20
"""So many rows with errors are shown to a person; --json has them all."""

_LABELS = {
    "rows": "rows read",
    "added": "added as drafts, now or when these rows were imported before",
    "added_without_specialty": "  of them without a specialty the directory knows",
    "known_already": "known already",
    "errors": "rows with errors, not imported",
    "organizations_skipped": "organizations, passed over",
    "deactivated_skipped": "deactivated, passed over",
}


@app.callback()
def overview() -> None:
    """Bring providers in from files of the national register."""


@dataclass(frozen=True)
class Order:
    """What is wanted."""

    file: Path
    folder: DataFolder
    url: str
    email: str | None
    organization: str


@app.command()
def nppes(
    file: Annotated[Path, typer.Argument(help="The npidata file, unpacked.")],
    data: Annotated[Path | None, typer.Option(help="Data folder of the running system.")] = None,
    url: Annotated[str | None, typer.Option(help="A gateway elsewhere, without /graphql.")] = None,
    email: Annotated[
        str | None,
        typer.Option(help="A client admin; the password is asked for, or in SUITE_PASSWORD."),
    ] = None,
    organization: Annotated[
        str, typer.Option(help="Name or id, for who works for several.", show_default=False)
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line: every remark, then the counts.")
    ] = False,
) -> None:
    """Import the active individuals of an NPPES file as drafts of provider profiles.

    A client admin then completes, submits and approves them. Those whose specialties the directory does not know come without
    one. Providers the organization has already (by NPI) stay as they are; importing a file again adds nothing twice, and tells
    what it told the first time.
    """
    folder = DataFolder(from_where_asked(data) if data else DEFAULT)
    address = (url or running_url(folder)).rstrip("/")
    order = Order(from_where_asked(file), folder, address, email, organization)
    teller = JsonTeller() if as_json else Teller()
    with _opened(order.file) as source:
        teller.end(asyncio.run(_import(order, source, teller)))


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    try:
        source = file.open("rb")
    except OSError as error:
        raise Trouble(
            f"{file} cannot be read ({error.strerror}).", "Name the npidata file you have."
        ) from None
    with source:
        yield source


async def _import(order: Order, source: BinaryIO, teller: Teller) -> Tally:
    try:
        client = Client(order.url)
    except ValueError as error:
        raise Trouble(f"{order.url!r} is no address: it {error}.") from None
    try:
        by = admin(client, order.folder, order.email, order.organization)
        rows = register.read(source)
        first = next(rows, None)
        await by.sign_in()
        with teller.going(order.file.stat().st_size, source.tell) as moved:
            work = Import(by, teller.tell, lambda: moved(work.tally))
            return await work.run(rows if first is None else chain([first], rows))
    except AnswerError as error:
        raise Trouble(
            f"The gateway refused: {error}", "Import the file again: it goes on where it stopped."
        ) from None
    finally:
        client.close()


@dataclass
class Teller:
    """Tells a person."""

    console: Console = field(default_factory=lambda: Console(highlight=False))
    _told: int = 0

    def tell(self, remark: Remark) -> None:
        """There is something to say about a row."""
        if remark.imported:
            return
        self._told += 1
        if self._told <= SHOWN:
            line = f"row {remark.row}  {remark.npi or '(no NPI)'}  {remark.code}  {remark.message}"
            self.console.print(line, markup=False, soft_wrap=True)

    @contextlib.contextmanager
    def going(self, size: int, at: Callable[[], int]) -> Iterator[Callable[[Tally], None]]:
        """A bar while it goes on: how far in the file, how many rows and how many a second, how long it will take."""
        with Progress(
            TextColumn("Importing"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} a second"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        ) as bar:
            task = bar.add_task("Importing", total=size, rows=0, rate=0.0)

            def moved(tally: Tally) -> None:
                seconds = bar.tasks[task].elapsed or 1.0
                rate = tally.rows / max(seconds, 0.001)
                bar.update(task, completed=at(), rows=tally.rows, rate=rate)

            yield moved

    def end(self, tally: Tally) -> None:
        """It is over."""
        if self._told > SHOWN:
            more = self._told - SHOWN
            self.console.print(f"… and {more} more rows with errors; --json tells them all.")
        table = Table(box=None, show_header=False)
        table.add_column(justify="right")
        for name, count in tally.as_data().items():
            table.add_row(f"{count:,}", _LABELS[name])
        self.console.print(table)


class JsonTeller(Teller):
    """Tells a program: a line for each remark, and the counts at the end."""

    def tell(self, remark: Remark) -> None:
        """There is something to say about a row."""
        _say(asdict(remark))

    @contextlib.contextmanager
    def going(self, size: int, at: Callable[[], int]) -> Iterator[Callable[[Tally], None]]:  # noqa: ARG002 - as Teller has it
        """No bar."""
        yield lambda _: None

    def end(self, tally: Tally) -> None:
        """It is over."""
        _say({"done": tally.as_data()})


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what))  # noqa: T201 - for a program to read
