"""Tells a person or a program how an import goes on, and what became of the rows."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from cli.imports.report import Remark

SHOWN = 20
"""So many rows with errors are shown to a person; --json and the error file have them all."""

Moved = Callable[[int, int], None]
"""Hears how many bytes of the file have been read, and how many rows."""


@dataclass
class Teller:
    """Tells a person."""

    console: Console = field(default_factory=lambda: Console(highlight=False))
    _told: int = 0

    def say(self, words: str) -> None:
        """Something that is worth a line."""
        self.console.print(words, markup=False, soft_wrap=True)

    def tell(self, remark: Remark) -> None:
        """There is something to say about a row."""
        if remark.imported:
            return
        self._told += 1
        if self._told <= SHOWN:
            where = f"{remark.field}: " if remark.field else ""
            key = remark.key or "(no key)"
            self.say(f"row {remark.row}  {key}  {remark.code}  {where}{remark.message}")

    @contextlib.contextmanager
    def going(self, what: str, size: int) -> Iterator[Moved]:
        """A bar while it goes on: how far in the file, how many rows and how many a second, how long it will take."""
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[said]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        ) as bar:
            task = bar.add_task(what, total=size, said="")

            def moved(at: int, rows: int) -> None:
                seconds = max(bar.tasks[task].elapsed or 0.0, 0.001)
                said = f"{rows:,} rows, {rows / seconds:,.0f} a second" if rows else ""
                bar.update(task, completed=at, said=said)

            yield moved

    def end(self, counts: Mapping[str, int], labels: Mapping[str, str], errors: str) -> None:
        """It is over; `errors` names the file of rows that were not imported, if there is one."""
        if self._told > SHOWN:
            self.say(f"… and {self._told - SHOWN} more rows with errors.")
        table = Table(box=None, show_header=False)
        table.add_column(justify="right")
        for name, count in counts.items():
            table.add_row(f"{count:,}", labels[name])
        self.console.print(table)
        if errors:
            self.say(f"Rows that were not imported, each with its reason: {errors}")


class JsonTeller(Teller):
    """Tells a program: a line for each remark, and the counts at the end."""

    def say(self, words: str) -> None:
        """A line of its own."""
        _print({"said": words})

    def tell(self, remark: Remark) -> None:
        """There is something to say about a row."""
        _print(asdict(remark))

    @contextlib.contextmanager
    def going(self, what: str, size: int) -> Iterator[Moved]:  # noqa: ARG002 - as Teller has it
        """No bar."""
        yield lambda _at, _rows: None

    def end(self, counts: Mapping[str, int], labels: Mapping[str, str], errors: str) -> None:  # noqa: ARG002 - as Teller has it
        """It is over."""
        _print({"done": dict(counts), "errors": errors or None})


def _print(what: dict[str, Any]) -> None:
    print(json.dumps(what))  # noqa: T201 - for a program to read
