"""What became of the rows of an import: counts, remarks, and a file of those that were not imported, of which none is lost."""

from __future__ import annotations

import csv
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

_FORMULA = ("=", "+", "-", "@")
_BREAKS = str.maketrans(dict.fromkeys("\n\r\t", " "))
_TITLES = ("row", "key", "field", "code", "reason")


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say about a row: its number, what it is known by, and where it is wrong. `imported`: it was all the same."""

    row: int
    key: str
    code: str
    message: str
    field: str = ""
    imported: bool = False


@dataclass
class Tally:
    """What became of the rows so far, by names of the import's own."""

    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def as_data(self, names: tuple[str, ...]) -> dict[str, int]:
        """For a table or a program: the rows, then each of the names."""
        return {"rows": self.rows} | {name: self.counts[name] for name in names}


class ErrorFile:
    """A CSV of the rows that were not imported; it is there once there is one. No cell of it is ever taken for a formula."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None

    def begin(self, size: int) -> None:
        """Go on after so many bytes; what came after them was not kept, and comes again. 0 begins anew."""
        self.close()
        if size == 0:
            self.path.unlink(missing_ok=True)
        elif self.path.exists():
            os.truncate(self.path, min(size, self.path.stat().st_size))

    def add(self, remark: Remark) -> None:
        """One more row that was not imported."""
        if self._file is None:
            fresh = not self.path.exists() or self.path.stat().st_size == 0
            self._file = self.path.open("a", encoding="utf-8", newline="")
            if fresh:
                csv.writer(self._file).writerow(_TITLES)
        cells = (str(remark.row), remark.key, remark.field, remark.code, remark.message)
        csv.writer(self._file).writerow([safe(one) for one in cells])

    def keep(self) -> int:
        """Put it on the disk; answers how many bytes there are."""
        if self._file is None:
            return self.path.stat().st_size if self.path.exists() else 0
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Close it."""
        if self._file is not None:
            self._file.close()
            self._file = None


def safe(text: str) -> str:
    """A cell that no spreadsheet program takes for a formula, on one line."""
    flat = text.translate(_BREAKS)
    return f"'{flat}" if flat.lstrip().startswith(_FORMULA) else flat
