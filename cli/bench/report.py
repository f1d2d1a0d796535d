"""What a benchmark found: tables for a person, plain data for a program. Pure but for the printing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

Row = dict[str, str | int | float | None]
"""A line of a table, by column; a column's name ends in its unit: p50_ms, pss_mb, per_second."""

FORMAT = 1
"""Of the JSON; another number when a program that reads it must change."""


@dataclass(frozen=True)
class Target:
    """A figure that is to stay at or below a limit."""

    what: str
    value: float
    limit: float
    unit: str

    @property
    def reached(self) -> bool:
        """Whether it does."""
        return self.value <= self.limit


@dataclass(frozen=True)
class Part:
    """A table: its title and its rows, which have the same columns."""

    title: str
    rows: Sequence[Row]


def by_part(title: str, costs: Sequence[Mapping[str, float]]) -> Part:
    """Processor milliseconds by part of the suite, the medians of the rounds' costs, the dearest first."""
    parts = {part for cost in costs for part in cost}
    medians = {part: median(cost.get(part, 0.0) for cost in costs) for part in parts}
    dearest = sorted(medians.items(), key=lambda item: -item[1])
    return Part(title, [{"part": part, "cpu_ms": cost} for part, cost in dearest])


@dataclass(frozen=True)
class Report:
    """What one benchmark found. `method` says in a sentence or two what was measured, and what the baseline is."""

    bench: str
    method: str
    parts: Sequence[Part]
    targets: Sequence[Target] = ()
    machine: dict[str, Any] = field(default_factory=dict)


def as_json(reports: Sequence[Report]) -> dict[str, Any]:
    """The reports as plain data."""
    return {"format": FORMAT, "benches": [_plain(report) for report in reports]}


def _plain(report: Report) -> dict[str, Any]:
    return {
        "bench": report.bench,
        "method": report.method,
        "machine": report.machine,
        "parts": [{"title": part.title, "rows": list(part.rows)} for part in report.parts],
        "targets": [
            {
                "what": target.what,
                "value": target.value,
                "limit": target.limit,
                "unit": target.unit,
                "reached": target.reached,
            }
            for target in report.targets
        ],
    }


def show(report: Report, console: Console) -> None:
    """Print a report."""
    console.print(f"\n[bold]bench {report.bench}[/]  {report.method}", soft_wrap=True)
    for part in report.parts:
        console.print(table(part))
    for target in report.targets:
        word = "[green]reached[/]" if target.reached else "[red]missed[/]"
        value = f"{number(target.value)} {target.unit} (at most {number(target.limit)})"
        console.print(f"{target.what}: {value} {word}", soft_wrap=True)
    if report.machine:
        facts = ", ".join(f"{name} {value}" for name, value in report.machine.items())
        console.print(f"[dim]{facts}[/]", soft_wrap=True)


def table(part: Part) -> Table:
    """A part as a table."""
    columns = list(part.rows[0]) if part.rows else []
    drawn = Table(title=part.title, title_justify="left")
    for place, column in enumerate(columns):
        drawn.add_column(column.replace("_", " "), justify="right" if place else "left")
    for row in part.rows:
        drawn.add_row(*(_cell(row[column]) for column in columns))
    return drawn


def _cell(value: str | float | None) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else number(value)


def number(value: float) -> str:
    """A number with the digits that mean something: three, or all before the point."""
    if isinstance(value, int) or abs(value) >= 100:  # noqa: PLR2004 - three digits
        return f"{value:.0f}"
    return f"{value:.3g}" if value else "0"
