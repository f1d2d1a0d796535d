"""How long until the first answered query, from a clean checkout and warm, and how much memory the system takes at rest."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from cli.bench.machine import watched
from cli.bench.processes import below, need_proc, part_of, processes, pss
from cli.bench.report import Part, Report, Row, Target
from cli.folder import ROOT
from cli.http import request
from cli.servers.process import free_port
from cli.trouble import Trouble

QUERY = "{ viewer { user { id } } }"
"""Nobody is signed in, so the answer is null; it takes the gateway and a service to say so."""

PATIENCE = 600.0
GLANCE = 0.02
STOP_PATIENCE = 30.0
REST = 10.0
"""Seconds without a request before memory is read."""

READINGS = 3
METHOD = (
    "From the start of `./suite up` to the first answer of a query through gateway and identity, asked every 20 ms. Clean: a"
    " fresh clone, empty home and caches, everything downloaded. Warm: installed, with the databases of an earlier run."
    f" Memory: PSS of the supervisor and all below it, {REST:.0f} s after the last request, no demo world."
)
OUTSIDE = ("NATS_URL", "SMTP_URL", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
CACHES = ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "PIP_CACHE_DIR", "UV_CACHE_DIR")


@dataclass(frozen=True)
class Started:
    """A running `./suite up`: its process, its gateway, and the seconds to its first answer."""

    pid: int
    url: str
    seconds: float


async def measure(rounds: int, *, clean: bool) -> Report:
    """Measure start and memory; `clean` also from a fresh clone."""
    need_proc()
    with _scratch() as scratch, watched() as machine:
        rows: list[Row] = []
        targets: list[Target] = []
        if clean:
            seconds = await _clean(scratch)
            rows.append({"start": "clean checkout", "median_s": seconds, "rounds": 1})
            targets.append(Target("Clean checkout to first answer", seconds, 60, "s"))
        first = await _warm(scratch / "data")
        rows.append({"start": "installed, new databases", "median_s": first, "rounds": 1})
        times = [await _warm(scratch / "data") for _ in range(rounds)]
        rows.append({"start": "warm", "median_s": median(times), "rounds": rounds})
        targets.append(Target("Warm `up` to first answer", median(times), 6, "s"))
        memory = await _memory(scratch / "data")
        total = sum(float(row["pss_mb"] or 0) for row in memory)
        targets.append(Target("Whole system at rest", total, 600, "MB PSS"))
    parts = [Part("Start", rows), Part("Memory at rest", memory)]
    return Report("start", METHOD, parts, targets, machine)


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="suite-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


async def _clean(scratch: Path) -> float:
    """Seconds from a fresh clone of what is committed to the first answer."""
    home, checkout = scratch / "home", scratch / "checkout"
    home.mkdir()
    await _clone(checkout)
    environment = embedded(os.environ)
    for name in CACHES:
        environment.pop(name, None)
    environment |= {"HOME": str(home), "UV_CACHE_DIR": str(home / "uv-cache")}
    async with up(checkout, ["--ephemeral"], environment, scratch / "clean.log") as started:
        return started.seconds


async def _clone(checkout: Path) -> None:
    git = await asyncio.create_subprocess_exec(
        "git", "clone", "--quiet", str(ROOT), str(checkout), stderr=asyncio.subprocess.PIPE
    )
    _, said = await git.communicate()
    if git.returncode:
        raise Trouble(f"git could not clone {ROOT}: {said.decode().strip()}", "Or --skip-clean.")


async def _warm(data: Path) -> float:
    async with _up_on(data) as started:
        return started.seconds


def _up_on(data: Path) -> contextlib.AbstractAsyncContextManager[Started]:
    return up(ROOT, ["--data", str(data)], embedded(os.environ), data.with_suffix(".log"))


def embedded(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which `up` runs every part itself."""
    return {
        name: value
        for name, value in environment.items()
        if name not in OUTSIDE and not name.startswith("DATABASE_URL_")
    }


@asynccontextmanager
async def up(
    checkout: Path, options: Sequence[str], environment: Mapping[str, str], log: Path
) -> AsyncIterator[Started]:
    """`./suite up` in a checkout, without a demo world, from its first answer on; it is stopped at the end."""
    port = free_port()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            str(checkout / "suite"), "up", "--no-demo", "--port", str(port), *options,
            cwd=checkout, env=dict(environment), stdin=asyncio.subprocess.DEVNULL,
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        await _first_answer(process, f"http://127.0.0.1:{port}", log)
        yield Started(process.pid, f"http://127.0.0.1:{port}", loop.time() - begun)
    finally:
        await _stop(process)


async def _first_answer(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if process.returncode is not None:
                words = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
                raise Trouble(f"./suite up ended with exit code {process.returncode}:\n{words}")
            with contextlib.suppress(OSError, TimeoutError):
                answer = (await request(f"{url}/graphql", {"query": QUERY})).body
                if answer and answer.get("data") == {"viewer": None}:
                    return
            await asyncio.sleep(GLANCE)


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_PATIENCE)
    except TimeoutError:
        process.kill()
        raise Trouble("./suite up did not stop when it was asked to.") from None


async def _memory(data: Path) -> list[Row]:
    """PSS by part of a system at rest, the median of a few readings."""
    async with _up_on(data) as started:
        await asyncio.sleep(REST)
        readings = []
        for _ in range(READINGS):
            readings.append(_by_part(started.pid))
            await asyncio.sleep(1)
    return [
        {
            "part": part,
            "processes": count,
            "pss_mb": median(reading.get(part, (0, 0.0))[1] for reading in readings),
        }
        for part, (count, _) in sorted(readings[0].items(), key=lambda item: -item[1][1])
    ]


def _by_part(root: int) -> dict[str, tuple[int, float]]:
    """How many processes of each part there are, and their PSS in megabytes."""
    found: dict[str, tuple[int, float]] = {}
    for process in below(root, processes()):
        size = pss(process.pid)
        if size is not None:
            part = part_of(process.command)
            count, total = found.get(part, (0, 0.0))
            found[part] = (count + 1, total + size)
    return found
