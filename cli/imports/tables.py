"""Rows of a table that people made: columns by name and its other names, whatever sets the cells apart, comments passed over."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO

from cli.imports.files import lines
from cli.trouble import Trouble

OF_SPREADSHEETS = "cp1252"
"""How spreadsheet programs save CSV that is not UTF-8."""

_APART = ",\t;|"


@dataclass(frozen=True)
class Column:
    """A column: its name, what else it may be called, and for the template what stands in it."""

    name: str
    about: str = ""
    also: Sequence[str] = ()
    needed: bool = False
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A row. `number` counts as spreadsheets do: a header in the first line is row 1. A problem is that its cells do not fit."""

    number: int
    cells: Mapping[str, str]
    problem: str = ""


@dataclass
class Table:
    """A kind of table to import, by its columns."""

    what: str
    columns: Sequence[Column]
    notes: Sequence[str] = field(default_factory=tuple)

    def read(self, content: BinaryIO) -> Iterator[Record]:
        """The rows, one at a time; Trouble, with the way out, when a column is missing or there twice, or it is no table."""
        source = lines(content, also=OF_SPREADSHEETS)
        skipped, head = _head(source)
        apart = max(_APART, key=head.count)
        reader = csv.reader(chain([head], source), delimiter=apart)
        try:
            places = self._places(next(reader, []))
            width = 1 + max(places.values())
            for number, cells in enumerate(reader, start=skipped + 1):
                if any(one.strip() for one in cells) and not cells[0].lstrip().startswith("#"):
                    yield _record(number, cells, places, width)
        except csv.Error as error:
            raise Trouble(
                f"The file is no table from line {reader.line_num} on: {error}.",
                "Save it as CSV once more.",
            ) from None

    def _places(self, header: list[str]) -> dict[str, int]:
        titles = [_plain(one) for one in header]
        twice = [one for one, times in Counter(titles).items() if one and times > 1]
        found = {}
        for column in self.columns:
            names = [_plain(one) for one in (column.name, *column.also)]
            known = [one for one in names if one in titles]
            if known and known[0] in twice:
                raise Trouble(
                    f"The file has the column {known[0]!r} twice.", "Take one of them out."
                )
            if known:
                found[column.name] = titles.index(known[0])
            elif column.needed:
                raise Trouble(
                    f"The file has no column {column.name!r} in its first line.",
                    f"./suite import {self.what} --template prints what it should look like.",
                )
        return found

    def template(self) -> str:
        """A table to fill in: what each column is for, the header, and one row as a sample."""
        about = [f"# {one}" for one in self.notes]
        for column in self.columns:
            need = "needed" if column.needed else "may be empty"
            about.append(f"# {column.name} ({need}): {column.about}")
        about.append("# Lines that begin with # are passed over.")
        head = ",".join(column.name for column in self.columns)
        sample = ",".join(_quoted(column.sample) for column in self.columns)
        return "\n".join([*about, head, f"# {sample}", ""])


def _quoted(text: str) -> str:
    return f'"{text}"' if "," in text else text


def _head(source: Iterator[str]) -> tuple[int, str]:
    """The first line that is neither empty nor a comment, and its number."""
    for number, line in enumerate(source, start=1):
        if line.strip() and not line.lstrip(' "').startswith("#"):
            return number, line
    raise Trouble("The file holds nothing but comments.", "Give a file with a header and rows.")


def _plain(title: str) -> str:
    return "_".join(title.replace("-", " ").replace("_", " ").split()).casefold()


def _record(number: int, cells: list[str], places: Mapping[str, int], width: int) -> Record:
    if len(cells) < width:
        problem = f"The row has {len(cells)} cells, the header at least {width}."
        return Record(number, {name: "" for name in places}, problem)
    return Record(number, {name: cells[at].strip() for name, at in places.items()})
