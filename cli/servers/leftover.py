"""Ends what an earlier, killed run left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from pathlib import Path

END_PATIENCE = 15.0
POLL = 0.05


async def end_leftover(pid_file: Path, mark: str, gentle: signal.Signals) -> None:
    """End the process this file names, if `mark` is in its command line; whoever reused its number is left alone.

    The caller holds the data folder's lock, so the process belongs to no living run.
    """
    pid = _pid_in(pid_file)
    deadline = asyncio.get_running_loop().time() + END_PATIENCE
    number = gentle
    while pid is not None and mark in _command_of(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if asyncio.get_running_loop().time() > deadline:
            number = signal.SIGKILL
        await asyncio.sleep(POLL)


def _pid_in(file: Path) -> int | None:
    try:
        return int(file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _command_of(pid: int) -> str:
    """The command line of a process; empty when there is none (any more)."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").replace("\0", " ")
        except OSError:
            return ""
    command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the system's own ps
    return shown.stdout.strip()
