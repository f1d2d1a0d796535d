"""What a process and all that it started use: memory and processor time, as Linux tells them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from cli.trouble import Trouble

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_BYTES = 1024
_MEGABYTE = 1_000_000


class Process(NamedTuple):
    """A process that runs. `seconds` is the processor time it has used, with that of its children that have ended."""

    pid: int
    parent: int
    command: str
    seconds: float


def need_proc() -> None:
    """Trouble where the system does not tell what a process uses."""
    if sys.platform != "linux":
        raise Trouble("This benchmark reads /proc, which only Linux has.", "Run it on Linux.")


def processes() -> list[Process]:
    """Every process there is."""
    found = []
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue  # it has just ended
            found.append(read_process(stat, command))
    return found


def read_process(stat: str, command: bytes) -> Process:
    """A process from its /proc/<pid>/stat and cmdline. The name in `stat` may hold anything, also brackets and spaces."""
    pid, _, rest = stat.partition(" (")
    values = rest.rpartition(") ")[2].split()
    ticks = sum(int(value) for value in values[11:15])
    words = command.decode(errors="replace").replace("\0", " ").strip()
    return Process(int(pid), int(values[1]), words, ticks / _TICKS)


def below(root: int, all_of_them: Iterable[Process]) -> list[Process]:
    """The process `root` and everything it started that still runs, parents first."""
    known = list(all_of_them)
    children: dict[int, list[Process]] = {}
    for one in known:
        children.setdefault(one.parent, []).append(one)
    tree = [one for one in known if one.pid == root]
    for one in tree:
        tree += children.get(one.pid, ())
    return tree


def cpu_by_part() -> dict[str, float]:
    """Processor seconds used so far by us and everything below us, by part of the suite; we are the "client"."""
    used: dict[str, float] = {}
    for one in below(os.getpid(), processes()):
        part = "client" if one.pid == os.getpid() else part_of(one.command)
        used[part] = used.get(part, 0.0) + one.seconds
    return used


def cpu_seconds() -> float:
    """Processor time used so far by us and everything below us."""
    return sum(cpu_by_part().values())


def spent(before: Mapping[str, float], after: Mapping[str, float], times: int) -> dict[str, float]:
    """Milliseconds that each part spent on each of so many things done between two readings of cpu_by_part."""
    return {part: 1000 * (after[part] - before.get(part, 0.0)) / times for part in after}


def pss(pid: int) -> float | None:
    """Proportional set size of a process in megabytes: shared pages are divided by who shares them. None: it has ended."""
    try:
        return read_pss((PROC / str(pid) / "smaps_rollup").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None


def read_pss(text: str) -> float:
    """The Pss line of a smaps_rollup, in megabytes."""
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * _BYTES / _MEGABYTE
    raise ValueError("there is no Pss line")


def part_of(command: str) -> str:
    """Which part of the suite a command line is: a service, gateway, postgres, nats, or the supervisor."""
    words = command.split()
    if "-m" in words[:-1]:
        module = words[words.index("-m") + 1]
        return "supervisor" if module == "cli" else module.removeprefix("services.")
    for name in ("postgres", "nats"):
        if name in command:
            return name
    return "supervisor"
