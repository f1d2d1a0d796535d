"""`./suite up` as a person runs it: it gets ready, survives what kills it, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from cli.folder import DataFolder
from cli.http import request
from cli.servers.process import free_port
from tests.support.processes import ended

ROOT = Path(__file__).parents[2]
PATIENCE = 120
linux = pytest.mark.skipif(sys.platform != "linux", reason="uses pidfd and PDEATHSIG")


@dataclass
class Up:
    """A running `./suite up`."""

    process: asyncio.subprocess.Process
    folder: DataFolder
    port: int

    async def until(self, words: str) -> str:
        """What it said up to and with the line that holds these words."""
        assert self.process.stdout is not None
        said = ""
        while words not in said:
            line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
            assert line, f"it ended before it said {words!r}:\n{said}"
            said += line.decode()
        return said

    @property
    def pids(self) -> dict[str, int]:
        """Every process by its name."""
        found: dict[str, int] = json.loads(self.folder.state.read_text())["processes"]
        return found

    @property
    def database(self) -> str:
        """Identity's database, for its owner."""
        port = json.loads(self.folder.state.read_text())["postgres_port"]
        password = self.folder.database_password("identity_owner")
        return f"postgresql://identity_owner:{password}@127.0.0.1:{port}/identity"


async def start(data: Path, port: int) -> Up:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "up", "--no-demo", "--data", str(data), "--port", str(port),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        preexec_fn=at_a_terminal,
    )  # fmt: skip
    return Up(process, DataFolder(data), port)


def at_a_terminal() -> None:
    """Ctrl-C means something: a test run in the background of a script was told to ignore it, and would hand that down."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
async def up(tmp_path: Path) -> AsyncIterator[Up]:
    running = await start(tmp_path / "data", free_port())
    await running.until("Ready in")
    yield running
    if running.process.returncode is None:
        running.process.terminate()
        assert running.process.stdout is not None
        await running.process.stdout.read()
    await running.process.wait()


@linux
async def test_it_answers_survives_a_dead_service_and_stops_without_orphans(up: Up) -> None:
    answer = await request(f"http://127.0.0.1:{up.port}/graphql", {"query": "{ __typename }"})
    assert answer.body == {"data": {"__typename": "Query"}}
    before = up.pids

    os.kill(before["insurance"], signal.SIGKILL)
    said = await up.until("insurance was started again")
    assert "insurance ended (signal 9)" in said

    up.process.terminate()
    assert "Stopping" in await up.until("Stopping")
    assert await up.process.wait() == 0
    for pid in before.values():
        await ended(pid)
    assert not up.folder.state.exists()


@linux
async def test_a_killed_supervisor_leaves_no_orphan_and_the_next_start_has_all_data(up: Up) -> None:
    connection = await asyncpg.connect(up.database)
    await connection.execute("CREATE TABLE kept AS SELECT 'still here' AS word")
    await connection.close()
    before = up.pids

    up.process.kill()
    await up.process.wait()
    for pid in before.values():
        await ended(pid)

    again = await start(up.folder.path, up.port)
    await again.until("Ready in")
    connection = await asyncpg.connect(again.database)
    assert await connection.fetchval("SELECT word FROM kept") == "still here"
    await connection.close()
    again.process.send_signal(signal.SIGINT)
    await again.until("Stopping")
    assert await again.process.wait() == 0


async def test_a_taken_port_is_told_with_a_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = await start(tmp_path, port)
        said = await refused.until("--port")

    assert f"suite: Port {port} is taken." in said
    assert await refused.process.wait() == 1


@linux
async def test_a_signal_during_the_start_ends_it_in_order(tmp_path: Path) -> None:
    starting = await start(tmp_path, free_port())
    await starting.until("Databases and migrations")

    starting.process.terminate()

    await starting.until("Stopping")
    assert await starting.process.wait() == 0
    left = [
        int(file.read_text()) for file in tmp_path.rglob("*.pid") if file.name != "postmaster.pid"
    ]
    for pid in left:
        await ended(pid)
