"""Rows of the national register imported per second through the gateway, against a bare COPY of the same file; and the memory."""

from __future__ import annotations

import asyncio
import csv
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg

from cli.bench.machine import watched
from cli.bench.processes import PROC, cpu_by_part, need_proc, spent
from cli.bench.report import Part, Report, Row, Target, by_part
from cli.demo import ephemeral_system, stage_of
from cli.folder import ROOT
from cli.imports import register
from cli.journey import opening
from cli.journey.stage import closing
from cli.network import Person
from cli.system import System
from cli.trouble import Trouble
from services.directory.domain.profiles import npi_is_valid

SQL = Path(__file__).parent / "sql"
COLUMNS = 330
ROWS = 10_000
LARGE_ROWS = 250_000
LIMIT_MB = 200.0
_MEGABYTE = 1_000_000
_GLANCE = 0.02
METHOD = (
    f"A made-up file of the register's shape, {COLUMNS} quoted columns: of its rows 73 % are individuals, 19 % organizations and 8 %"
    " deactivated. `./suite import nppes` imports it into an organization that has nobody, as its client admin, through the gateway;"
    " the time is that of the whole command. COPY brings the same file into a table of text columns of the same PostgreSQL, and does"
    " nothing else. The large file is there for the memory: nearly all of its rows are passed over. Memory is the most that the"
    " import's process has held (VmHWM)."
)


@dataclass(frozen=True)
class File:
    """A file to import: how many rows, and of a hundred of them how many are individuals and how many are deactivated."""

    name: str
    rows: int
    individuals: int
    deactivated: int

    def write(self, path: Path, begin: int) -> None:
        """Write it; NPIs are counted from `begin`, so that no two files share one."""
        known = [
            register.NPI, register.ENTITY, register.LAST_NAME, register.FIRST_NAME,
            register.CREDENTIAL, register.PHONE, register.DEACTIVATED, register.TAXONOMY.format(1),
            register.PRIMARY.format(1),
        ]  # fmt: skip
        more = [f"Column {number}" for number in range(len(known), COLUMNS)]
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerow(known + more)
            writer.writerows(cells + [""] * len(more) for cells in self._rows(begin))

    def _rows(self, begin: int) -> Iterator[list[str]]:
        for number in range(self.rows):
            npi, kind = _npi(begin + number), number % 100
            if kind < self.individuals:
                yield [npi, "1", f"SAMPLE{number % 977}", "ADA", "M.D.", "3125550142", "", "207RC0000X", "Y"]  # fmt: skip
            elif kind < self.individuals + self.deactivated:
                yield [npi, "", "", "", "", "", "11/03/2025", "", ""]
            else:
                yield [npi, "2", "", "", "", "3125550142", "", "261QM1300X", "Y"]


def _npi(number: int) -> str:
    stem = f"1{number:08}"
    return next(stem + digit for digit in "0123456789" if npi_is_valid(stem + digit))


ALIKE = File("of the register's mix", ROWS, 73, 8)
LARGE = File("large, 2 % individuals", LARGE_ROWS, 2, 8)


async def measure(rounds: int) -> Report:
    """Import and copy in turns."""
    need_proc()
    with tempfile.TemporaryDirectory(prefix="suite-bench-") as name:
        async with (
            ephemeral_system(durable=True) as system,
            closing(stage_of(system, _Silent())) as stage,
        ):
            await opening.organizations_open(stage)
            admin, path = stage.people["A admin"], Path(name) / "npidata.csv"
            with watched() as machine:
                rows, cost = await _turns(system, admin, path, rounds)
                rows.append(await _once(system, admin, LARGE, path, begin=50_000_000))
    most = max(float(row["most_mb"] or 0) for row in rows)
    parts = [
        Part("Imports", rows),
        by_part("Processor time of a row of the register's mix", [cost]),
    ]
    target = Target("memory of an import, whatever the size", most, LIMIT_MB, "MB")
    return Report("import", METHOD, parts, [target], machine)


class _Silent:
    def act(self, title: str) -> None:
        """Nobody is told."""

    def say(self, what: str) -> None:
        """Nobody is told."""


async def _turns(
    system: System, admin: Person, path: Path, rounds: int
) -> tuple[list[Row], dict[str, float]]:
    found = []
    for turn in range(rounds):
        before = cpu_by_part()
        found.append(await _once(system, admin, ALIKE, path, begin=turn * ROWS))
        cost = spent(before, cpu_by_part(), ROWS)
    middle = {
        column: median(float(row[column] or 0) for row in found)
        for column in found[0]
        if column not in {"file", "rows"}
    }
    return [{"file": ALIKE.name, "rows": f"{ROWS:,}", **middle}], cost


async def _once(system: System, admin: Person, file: File, path: Path, begin: int) -> Row:
    file.write(path, begin)
    size = path.stat().st_size
    seconds, most = await _import(system, admin, path)
    copied = await _copy(system, path)
    return {
        "file": file.name,
        "rows": f"{file.rows:,}",
        "file_mb": size / _MEGABYTE,
        "import_seconds": seconds,
        "rows_per_second": file.rows / seconds,
        "most_mb": most,
        "copy_seconds": copied,
        "times_a_copy": seconds / copied,
    }


async def _import(system: System, admin: Person, path: Path) -> tuple[float, float]:
    """Seconds, and megabytes at most."""
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "import", "nppes", str(path), "--json",
        "--data", str(system.folder.path), "--email", admin.email,
        cwd=ROOT, env=os.environ | {"SUITE_PASSWORD": admin.password},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    ended = asyncio.create_task(process.communicate())
    most = 0.0
    while not ended.done():
        most = max(most, _most(process.pid))
        await asyncio.wait([ended], timeout=_GLANCE)
    _, complained = ended.result()
    if process.returncode:
        raise Trouble(f"The import failed: {complained.decode()}")
    return time.monotonic() - begun, most


def _most(pid: int) -> float:
    """The most that the process has held so far, in megabytes."""
    try:
        text = (PROC / str(pid) / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    lines = [line for line in text.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) * 1024 / _MEGABYTE if lines else 0.0


async def _copy(system: System, path: Path) -> float:
    """Seconds that COPY takes for the file."""
    owner = await asyncpg.connect(system.postgres.url("directory"))
    try:
        await owner.execute((SQL / "copied.sql").read_text(encoding="utf-8"))
        begun = time.monotonic()
        await owner.copy_to_table("bench_copied", source=path, format="csv", header=True)
        return time.monotonic() - begun
    finally:
        await owner.close()
