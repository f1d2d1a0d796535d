"""Doing an import: open the file, sign in, go through the rows, tell what became of them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Protocol, TypeVar

from cli.folder import DataFolder
from cli.imports import files, register, sending
from cli.imports.files import Source
from cli.imports.going_on import Place, Standing
from cli.imports.register import Row
from cli.imports.report import ErrorFile, Remark, Tally
from cli.imports.sending import Import
from cli.imports.tables import Record, Table
from cli.imports.telling import Moved, Teller
from cli.imports.who import Admin, admin, supporter
from cli.network import AnswerError, Client, Person, Refused
from cli.trouble import Trouble

T = TypeVar("T")

OFTEN = 100
"""After so many rows of a table somebody is told how far it is."""

PACKED = re.compile(r"\.(csv|txt|tsv)$", re.IGNORECASE)
NPPES = "NPPES"


@dataclass(frozen=True)
class Order:
    """What is wanted: which file, of whom, and where to write what is not imported."""

    file: Path
    folder: DataFolder
    url: str
    errors: Path
    email: str | None = None
    organization: str = ""
    trial: bool = False

    def by(self, email: str | None, organization: str, *, trial: bool) -> Order:
        """The same on behalf of somebody."""
        return replace(self, email=email, organization=organization, trial=trial)


class Work(Protocol):
    """What takes the rows of a table."""

    tally: Tally

    async def begin(self) -> None:
        """Before the first row."""

    async def take(self, record: Record) -> None:
        """A row."""

    async def end(self) -> None:
        """After the last."""


class Worker(Protocol):
    """What makes the work for somebody."""

    def __call__(self, by: Person, tell: Callable[[Remark], None], *, trial: bool) -> Work:
        """The work."""


@dataclass(frozen=True)
class Kind:
    """A kind of table: its columns, what its rows are counted by, and what is done with them."""

    table: Table
    names: Mapping[str, str]
    work: Worker
    for_support: bool = False


@dataclass
class Desk:
    """Where remarks go: to who imports, and the rows that were not imported into a file as well."""

    teller: Teller
    errors: ErrorFile

    def hear(self, remark: Remark) -> None:
        """There is something to say about a row."""
        self.teller.tell(remark)
        if not remark.imported:
            self.errors.add(remark)

    def end(self, tally: Tally, names: Mapping[str, str]) -> None:
        """It is over."""
        written = self.errors.keep()
        self.errors.close()
        counts = tally.as_data(tuple(names))
        labels = {"rows": "rows read", **names}
        self.teller.end(counts, labels, str(self.errors.path) if written else "")


async def import_table(order: Order, kind: Kind, teller: Teller) -> None:
    """Import a table."""
    with files.opened(order.file, PACKED) as source:
        rows = _peeked(kind.table.read(source.content))
        async with _signed_in(order, for_support=kind.for_support) as by:
            desk = Desk(teller, ErrorFile(order.errors))
            desk.errors.begin(0)
            work = kind.work(by, desk.hear, trial=order.trial)
            await work.begin()
            with teller.going("Importing", source.size) as moved:
                for record in rows:
                    work.tally.rows += 1
                    await work.take(record)
                    if work.tally.rows % OFTEN == 0:
                        moved(source.at(), work.tally.rows)
                await work.end()
            desk.end(work.tally, kind.names)


def _peeked(rows: Iterator[T]) -> Iterator[T]:
    """The same rows, after the first has been read: a file that cannot be used is told before anybody signs in."""
    first = next(rows, None)
    return rows if first is None else chain([first], rows)


@contextlib.asynccontextmanager
async def _signed_in(order: Order, *, for_support: bool = False) -> AsyncIterator[Admin]:
    """Who imports; what goes wrong with the gateway is told with the way out."""
    try:
        client = Client(order.url)
    except ValueError as error:
        raise Trouble(f"{order.url!r} is no address: it {error}.") from None
    try:
        if for_support:
            by = supporter(client, order.folder, order.email)
        else:
            by = admin(client, order.folder, order.email, order.organization)
        await by.sign_in()
        yield by
    except Refused as refusal:
        raise Trouble(
            f"Importing was refused: {refusal.problem['message']}",
            refusal.problem.get("remedy") or "",
        ) from None
    except AnswerError as error:
        raise Trouble(
            f"The gateway refused: {error}", "Import the file again: it goes on where it stopped."
        ) from None
    finally:
        client.close()


# The national register ------------------------------------------------------------------------------------------------


@dataclass
class RegisterRun:
    """One import of a file of the national register, from where it stood."""

    order: Order
    desk: Desk
    source: Source
    place: Place | None
    moved: Moved
    standing: Standing = field(default_factory=lambda: Standing(Tally(), 0))

    async def run(self, by: Person, rows: Iterator[Row]) -> Tally:
        """Go through the rows; each batch knows how far everything has come before it."""
        tally = self.standing.tally
        work = Import(
            by, self.desk.hear, lambda: self.moved(self.source.at(), tally.rows), self.keep
        )
        work.trial, work.tally = self.order.trial, tally
        await work.run(rows)
        await self.keep(finished=True)
        return tally

    async def keep(self, *, finished: bool = False) -> None:
        """Everything up to here is done, and what was wrong with it is on the disk."""
        if self.place is not None:
            await self.place.keep(self.standing.tally, self.desk.errors.keep(), finished=finished)


async def import_register(order: Order, teller: Teller, *, from_start: bool) -> None:
    """Import a file of the national register; it goes on where it was interrupted."""
    with files.opened(order.file, register.FILES) as source:
        desk = Desk(teller, ErrorFile(order.errors))
        rows = _peeked(register.read(source.content))
        async with _signed_in(order) as by:
            place = None if order.trial else await _place(order, by, teller)
            run = RegisterRun(order, desk, source, place, lambda _at, _rows: None)
            if place is not None and not from_start:
                run.standing = await place.standing()
            _begin(desk, run.standing)
            with teller.going("Importing", source.size) as run.moved:
                tally = await run.run(by, rows)
            desk.end(tally, sending.NAMES)


async def _place(order: Order, by: Person, teller: Teller) -> Place:
    with teller.going("Reading", order.file.stat().st_size) as moved:
        digest = files.digest(order.file, lambda at: moved(at, 0))
    return Place(by, digest, NPPES)


def _begin(desk: Desk, standing: Standing) -> None:
    desk.errors.begin(standing.errors)
    if standing.tally.rows:
        done = f"{standing.tally.rows:,} rows of this file were done by {standing.since[:16]}."
        desk.teller.say(f"{done} It goes on there; --from-start begins anew.")
