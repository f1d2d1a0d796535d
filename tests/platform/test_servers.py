"""The embedded servers keep what they acknowledged, and keep their users apart."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import nats
import pytest

from cli.folder import ROOT
from cli.http import request
from cli.secrets import compose_secrets
from cli.servers.nats_config import SERVICES, allowed
from cli.servers.postgres import Role, binaries
from kit.db import migrate
from tests.support.servers import NatsServer, PostgresServer, as_runtime, postgres_server


async def test_a_database_belongs_to_one_service_alone(postgres: PostgresServer) -> None:
    mine = await postgres.database("identity")
    theirs = await postgres.database("directory")
    other = theirs.rpartition("/")[2]

    for url, role in ((mine, "identity_owner"), (as_runtime(mine), "identity")):
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SELECT current_user") == role
        await connection.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(f"{url.rpartition('/')[0]}/{other}")


async def test_the_role_a_service_runs_as_works_with_rows_and_can_do_nothing_else(
    postgres: PostgresServer,
) -> None:
    url = await postgres.database("directory")
    await migrate(url, "directory")
    owner, runtime = await asyncpg.connect(url), await asyncpg.connect(as_runtime(url))
    await owner.execute("CREATE TABLE later (id int)")

    await runtime.execute("INSERT INTO later VALUES (1); UPDATE later SET id = 2")
    for forbidden in (
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "ALTER TABLE offices DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE offices NO FORCE ROW LEVEL SECURITY",
        "CREATE POLICY all_of_them ON offices USING (true)",
        "TRUNCATE later",
        "DROP TABLE later",
        "DELETE FROM migrations",
        "UPDATE audit_entries SET reason = ''",
        "DELETE FROM audit_chain",
        "SET ROLE directory_owner",
        "ALTER ROLE directory BYPASSRLS",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await runtime.execute(forbidden)

    await runtime.close()
    await owner.close()


async def test_a_database_of_an_earlier_release_goes_over_to_its_owner_with_all_that_is_in_it(
    postgres: PostgresServer,
) -> None:
    """There one role did both."""
    server, role, owner = postgres.server, Role("shelf", "one"), Role("shelf_owner", "two")
    await server.ensure_database("shelf", Role("other", "x"), role)
    before = await asyncpg.connect(server.url("shelf", role.name, role.password))
    await before.execute("CREATE TABLE books (id int); INSERT INTO books VALUES (7)")
    await before.close()

    await server.ensure_database("shelf", role, owner)

    url = server.url("shelf", owner.name, owner.password)
    applied = await migrate(url, "shelf")
    after = await asyncpg.connect(server.url("shelf", role.name, role.password))
    assert applied[0] == "kit/0001_kit.sql"
    assert await after.fetchval("SELECT id FROM books") == 7
    owned = "SELECT count(*) FROM pg_class WHERE relowner = 'shelf'::regrole"
    assert await after.fetchval(owned) == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await after.execute("DROP TABLE books")
    await after.close()


async def test_the_script_of_compose_makes_the_same_roles_and_brings_an_earlier_release_over(
    tmp_path: Path,
) -> None:
    """It is run once on an empty volume, and again by hand after an upgrade."""
    secrets = compose_secrets(tmp_path)
    for name, words in secrets.items():
        (tmp_path / name).write_text(words)
    async with postgres_server() as server:
        superuser = await asyncpg.connect(server.server.url("postgres"))
        await superuser.execute("CREATE ROLE reporting LOGIN PASSWORD 'old'")
        await superuser.execute("CREATE DATABASE reporting OWNER reporting")
        before = await asyncpg.connect(server.server.url("reporting", "reporting", "old"))
        await before.execute("CREATE TABLE kept (id int)")
        await before.close()
        await superuser.close()

        for _ in range(2):
            await _init_script(server, tmp_path)
            for service in SERVICES:
                address = secrets[f"database-{service}_owner"], secrets[f"database-{service}"]
                here = [
                    url.replace("postgres:5432", f"127.0.0.1:{server.server.port}")
                    for url in address
                ]
                await migrate(here[0], service)
                connection = await asyncpg.connect(here[1])
                assert await connection.fetchval("SELECT count(*) FROM outbox") == 0
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute("ALTER TABLE outbox ADD COLUMN more int")
                await connection.close()


async def _init_script(server: PostgresServer, secrets: Path) -> None:
    script = await asyncio.create_subprocess_exec(
        "sh",
        str(ROOT / "deploy/postgres-init.sh"),
        env={
            "PATH": f"{binaries()}:{os.defpath}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.server.port),
            "PGPASSWORD": server.server.password,
            "SECRETS": str(secrets),
        },
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await script.communicate()
    assert script.returncode == 0, errors.decode()


async def test_a_row_that_postgres_refuses_leaves_nothing_of_itself_in_the_log(
    postgres: PostgresServer,
) -> None:
    """The row could be a patient's."""
    connection = await asyncpg.connect(await postgres.database("referrals"))
    await connection.execute(
        "CREATE TABLE people (id int PRIMARY KEY, name text CHECK (name = 'x'))"
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("INSERT INTO people VALUES (1, $1)", "Marchetti-Quillon")
    await connection.execute("INSERT INTO people VALUES (770001, 'x')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("INSERT INTO people VALUES ($1, 'x')", 770001)
    await connection.close()

    written = postgres.server.log.read_text()
    assert "people_name_check" in written
    assert "Marchetti-Quillon" not in written
    assert "770001" not in written


async def test_a_killed_postgres_comes_back_with_its_data(postgres: PostgresServer) -> None:
    url = await postgres.database("identity")
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS number")

    await postgres.kill()
    await postgres.restart()

    connection.terminate()
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT number FROM kept") == 1
    await connection.close()


async def test_a_killed_nats_comes_back_with_what_it_acknowledged(
    nats_server: NatsServer, nats_url: str
) -> None:
    client = await nats.connect(nats_url)
    await client.jetstream().add_stream(name="KEPT", subjects=["kept.>"])
    await client.jetstream().publish("kept.one", b"1")
    await client.close()

    await nats_server.kill()
    await nats_server.restart()

    client = await nats.connect(nats_url)
    info = await client.jetstream().stream_info("KEPT")
    assert info.state.messages == 1
    await client.jetstream().delete_stream("KEPT")
    await client.close()


async def test_a_service_cannot_speak_as_another(nats_server: NatsServer) -> None:
    refused = asyncio.Queue[str]()

    async def note(error: Exception) -> None:
        await refused.put(str(error))

    client = await nats.connect(nats_server.url("directory"), error_cb=note)
    await client.publish("events.org.identity.user.deactivated", b"{}")
    await client.subscribe("events.>")
    await client.flush()

    said = {await refused.get(), await refused.get()}
    assert all("permissions violation" in text.lower() for text in said)
    await client.close()


async def test_nats_flushes_before_it_acknowledges(nats_server: NatsServer) -> None:
    log = nats_server.server.log.read_text()
    (*_, monitor) = re.findall(r"http monitor on (127\.0\.0\.1:\d+)", log)

    told = (await request(f"http://{monitor}/varz")).body

    assert told["jetstream"]["config"]["sync_always"] is True
    assert tuple(map(int, told["version"].split("."))) >= (2, 12, 3)


def test_no_service_may_speak_for_another_or_touch_the_stream() -> None:
    for user in SERVICES:
        publish = allowed(user)["publish"]
        assert f"events.*.{user}.>" in publish
        assert not [
            subject for subject in publish if subject.startswith(("events.>", "$JS.API.>", ">"))
        ]
        forbidden = ("PURGE", "STREAM.DELETE", "MSG.DELETE", "STREAM.UPDATE")
        taken = [subject for subject in publish if any(verb in subject for verb in forbidden)]
        assert not [subject for subject in taken if not subject.endswith(".FEED")]
        assert user == "referrals" or not taken
    assert allowed("gateway") == {"publish": [], "subscribe": ["events.>"], "answers": False}


def test_two_processes_that_choose_ports_at_once_choose_different_ones() -> None:
    """A port is chosen long before it is used; until then nothing but the reservation tells that it is taken."""
    choose = (
        "import random; random.SystemRandom.choice = lambda self, ports: next(tries)\n"
        "tries = iter(range(31_900, 31_960))\n"
        "from cli.servers.process import free_port\n"
        "print(*(free_port() for _ in range(5)), flush=True); input()"
    )
    choosers = [
        subprocess.Popen(
            [sys.executable, "-c", choose], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    chosen = [one.stdout.readline().split() for one in choosers if one.stdout is not None]
    for one in choosers:
        one.communicate("\n")

    assert len({port for ports in chosen for port in ports}) == 15
