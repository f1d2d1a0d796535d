"""Child processes never outlive their parent, and come back when they end by themselves."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import sys
import tempfile
import textwrap
from pathlib import Path

import asyncpg
import pytest

from cli.folder import DataFolder
from cli.servers import identity
from cli.servers.postgres import Postgres, binaries
from cli.servers.process import Child
from cli.supervisor import Supervisor, unit_of
from cli.trouble import Trouble
from tests.support.processes import ended

FOREVER = "import signal; signal.pause()"


def a_child(tmp_path: Path, code: str, **more: object) -> Child:
    return Child(name="child", program=[sys.executable, "-c", code], log=tmp_path / "log", **more)  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends what is left")
async def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = textwrap.dedent(f"""
        import asyncio, sys
        from pathlib import Path
        from cli.servers.process import Child
        async def main():
            child = Child(name="c", program=[sys.executable, "-c", {FOREVER!r}], log=Path({str(tmp_path / "log")!r}))
            await child.start()
            print(child.pid, flush=True)
            await child.wait()
        asyncio.run(main())
    """)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", parent, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    orphan = int(await process.stdout.readline())

    process.kill()
    await process.wait()

    await ended(orphan)


async def test_what_a_killed_run_left_behind_is_ended_at_the_next_start(tmp_path: Path) -> None:
    """What macOS needs, where the kernel does not end children."""
    left = await asyncio.create_subprocess_exec(sys.executable, "-c", FOREVER)
    (tmp_path / "pid").write_text(f"{left.pid}\n")

    child = a_child(tmp_path, FOREVER, pid_file=tmp_path / "pid", mark=FOREVER)
    starting = asyncio.create_task(child.start())
    assert await left.wait() == -signal.SIGTERM
    await starting
    assert (tmp_path / "pid").read_text() == f"{child.pid}\n"
    await child.kill()


async def test_a_process_that_reused_the_number_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")

    child = a_child(tmp_path, FOREVER, pid_file=tmp_path / "pid", mark=FOREVER)
    await child.start()

    await child.kill()


async def test_a_child_that_ends_is_started_again_and_said_so(tmp_path: Path) -> None:
    said = asyncio.Queue[str]()
    child = a_child(tmp_path, FOREVER)
    supervisor = Supervisor(said.put_nowait)
    await supervisor.start([unit_of(child)])
    first = child.pid

    child.send(signal.SIGKILL)

    assert (await said.get()).startswith("child ended (signal 9) and is started again in")
    assert await said.get() == "child was started again"
    assert child.pid not in {None, first}
    await supervisor.stop()
    assert not child.running


async def test_a_child_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "up")
    stubborn = f"""
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open({str(tmp_path / "up")!r}, "w").write("deaf")
signal.pause()
"""
    child = a_child(tmp_path, stubborn)
    await child.start()
    assert await asyncio.to_thread((tmp_path / "up").read_text) == "deaf"

    await child.stop(patience=0.1)

    assert child.exit_code == -signal.SIGKILL


def test_two_systems_cannot_share_a_data_folder(tmp_path: Path) -> None:
    with DataFolder(tmp_path).prepare(), pytest.raises(Trouble, match=str(os.getpid())):
        DataFolder(tmp_path).prepare()

    DataFolder(tmp_path).prepare().close()


def test_secrets_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.prepare().close()

    assert folder.viewer_key == folder.viewer_key
    assert folder.secrets.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.secrets.iterdir()} == {0o600}


def test_mail_and_logs_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    """Letters hold first passwords and the links that confirm accounts."""
    folder = DataFolder(tmp_path)
    folder.mail.mkdir(mode=0o755)

    folder.prepare().close()

    private = (folder.mail, folder.log("identity").parent, folder.pid_file("identity").parent)
    assert {place.stat().st_mode & 0o777 for place in private} == {0o700}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another identity for PostgreSQL")
async def test_postgres_runs_for_root_also_where_user_namespaces_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = Path(tempfile.mkdtemp(prefix="suite-test-"))
    place.chmod(0o755)

    def choose(cluster: Path, tree: Path) -> identity.Runner:
        return real(cluster, tree, namespaces=False)

    real = identity.choose
    monkeypatch.setattr(identity, "choose", choose)
    server = Postgres(place / "pg", place / "log", durable=False)
    try:
        await server.start()
        assert server.cluster.stat().st_uid == pwd.getpwnam("nobody").pw_uid
        await _answers(server.url("postgres"))
    finally:
        await server.stop()
        shutil.rmtree(place)


async def _answers(url: str) -> None:
    connection = await asyncpg.connect(url)
    assert str(await connection.fetchval("SHOW server_version")).startswith("18.")
    await connection.close()


async def test_data_of_another_major_version_is_refused(tmp_path: Path) -> None:
    server = Postgres(tmp_path, tmp_path / "log")
    server.cluster.mkdir()
    (server.cluster / "PG_VERSION").write_text("17\n")

    with pytest.raises(Trouble, match="was made by PostgreSQL 17"):
        await server.start()


def test_the_wheel_holds_the_server() -> None:
    assert (binaries() / "postgres").exists()
