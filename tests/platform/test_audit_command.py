"""`./suite audit verify` as an operator runs it, on real servers with the rights of production."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import nats.errors
import nats.js.errors
import pytest

from cli.servers.nats_config import AUDITOR
from kit import db
from kit.audit.checkpoints import STREAM, CheckpointFile, CheckpointStream, public_keys, signing_key
from kit.audit.sealer import Place, Sealer
from kit.bus import open_bus
from kit.db import open_database
from tests.service.kit.trails import enter
from tests.support import servers
from tests.support.servers import NatsServer, PostgresServer

ROOT = Path(__file__).parents[2]
SERVICE = "directory"
SECRET = "5a" * 32


@dataclass
class Audited:
    """Directory's database with three entries, sealed and written down in both places."""

    environment: dict[str, str]
    superuser: asyncpg.Connection[asyncpg.Record]
    broker: NatsServer

    async def verify(self, *more: str) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cli", "audit", "verify", *more],
            cwd=ROOT,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    async def told(self) -> dict[str, Any]:
        """What it says to a program."""
        answer = await self.verify("--json")
        told: dict[str, Any] = json.loads(answer.stdout)
        assert answer.returncode == (0 if told["sound"] else 1), answer.stderr
        return told


@pytest.fixture(scope="module")
async def broker() -> AsyncIterator[NatsServer]:
    """A NATS of our own: its stream of checkpoints is this module's."""
    async with servers.nats_server() as server:
        yield server


@pytest.fixture
async def audited(
    postgres: PostgresServer, broker: NatsServer, tmp_path: Path
) -> AsyncIterator[Audited]:
    """A fresh one; the stream keeps what earlier tests have written."""
    await broker.restart(forget=True)
    url = await postgres.database(SERVICE)
    await db.migrate(url, SERVICE)
    opened = await open_database(url, size=6)
    bus = await open_bus(broker.url(SERVICE), name=SERVICE)
    async with opened.everywhere().transaction() as tx:
        for _ in range(3):
            await enter(tx)
    places: list[Place] = [
        CheckpointFile.of(tmp_path, SERVICE),
        CheckpointStream(bus, SERVICE),
    ]
    key = signing_key(bytes.fromhex(SECRET), SERVICE)
    sealer = Sealer(SERVICE, opened, key, places)
    async with opened.pool.acquire() as connection:
        await sealer.seal(connection)
        await sealer.write_down(connection)
    await bus.close()
    await opened.pool.close()
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(public_keys({SERVICE: SECRET})))
    name = urlsplit(url).path.removeprefix("/")
    superuser = await asyncpg.connect(postgres.server.url(name))
    yield Audited(
        {
            "DATABASE_URL_DIRECTORY": url,
            "NATS_URL": broker.url(AUDITOR),
            "AUDIT_FOLDER": str(tmp_path),
            "AUDIT_PUBLIC_KEYS": str(keys),
        },
        superuser,
        broker,
    )
    await superuser.close()


async def test_a_sound_trail_is_said_to_be_sound(audited: Audited) -> None:
    """A2: by whoever may read the database and the checkpoints, and has no secret."""
    told = await audited.told()
    assert (told["links"], told["checkpoints"]) == (3, {"file": 1, "stream": 1})

    answer = await audited.verify()
    assert answer.returncode == 0
    assert (
        "directory  sound  3 entries, checkpoints: 1 in the file, 1 in the stream" in answer.stdout
    )


async def test_tampering_is_told_with_the_service_and_the_place(audited: Audited) -> None:
    """A2: in words, and with exit code 1."""
    await audited.superuser.execute("ALTER TABLE audit_entries DISABLE TRIGGER USER")
    await audited.superuser.execute(
        "UPDATE audit_entries SET reason = 'x' WHERE id = (SELECT entry_id FROM audit_chain WHERE sequence = 2)"
    )
    answer = await audited.verify("--service", SERVICE)
    assert answer.returncode == 1
    assert "directory at 2: CHANGED: the entry" in answer.stdout


async def test_the_stream_vouches_where_the_file_was_changed_as_well(audited: Audited) -> None:
    """A2: who owns the machine of the database and of the file has yet to own the broker."""
    await audited.superuser.execute("ALTER TABLE audit_entries DISABLE TRIGGER USER")
    await audited.superuser.execute("ALTER TABLE audit_chain DISABLE TRIGGER USER")
    await audited.superuser.execute(
        "WITH cut AS (DELETE FROM audit_chain WHERE sequence = 3 RETURNING entry_id)"
        " DELETE FROM audit_entries WHERE id IN (SELECT entry_id FROM cut)"
    )
    Path(audited.environment["AUDIT_FOLDER"], f"{SERVICE}.jsonl").unlink()
    told = await audited.told()
    assert [(one["wrong"], one["sequence"]) for one in told["findings"]] == [("CUT", 3)]
    assert "(stream)" in told["findings"][0]["message"]


async def test_nobody_takes_a_checkpoint_out_of_the_stream(audited: Audited) -> None:
    """A2: neither a service nor who verifies; and the stream itself refuses the operator."""
    for user in (SERVICE, AUDITOR):
        bus = await open_bus(audited.broker.url(user), name=user)
        bus.js._timeout = 0.3  # noqa: SLF001 - what is not allowed is not answered
        with pytest.raises((nats.errors.TimeoutError, nats.js.errors.Error)):
            await bus.js.delete_stream(STREAM)
        with pytest.raises((nats.errors.TimeoutError, nats.js.errors.Error)):
            await bus.js.purge_stream(STREAM)
        await bus.close()
    operator = await open_bus(servers.operator_url(audited.broker), name="operator")
    with pytest.raises(nats.js.errors.Error):
        await operator.js.purge_stream(STREAM)
    with pytest.raises(nats.js.errors.Error):
        await operator.js.delete_msg(STREAM, 1)
    await operator.close()
    assert (await audited.told())["sound"]


async def test_a_place_that_is_away_is_not_taken_for_one_that_agrees(audited: Audited) -> None:
    """A2: what was not compared was not verified."""
    audited.environment["NATS_URL"] = "nats://127.0.0.1:1"
    told = await audited.told()
    assert [one["wrong"] for one in told["findings"]] == ["PLACE_AWAY"]


@pytest.mark.parametrize("missing", ["NATS_URL", "AUDIT_FOLDER", "AUDIT_PUBLIC_KEYS"])
async def test_a_chain_alone_is_not_verified(audited: Audited, missing: str) -> None:
    """A2: only its author has checked it."""
    del audited.environment[missing]
    answer = await audited.verify()
    assert answer.returncode == 1
    assert "Without its checkpoints a chain proves little." in answer.stderr


async def test_a_service_there_is_not_is_refused(audited: Audited) -> None:
    """By name."""
    answer = await audited.verify("--service", "billing")
    assert answer.returncode == 1
    assert "There is no service 'billing'." in answer.stderr
