"""A service as a process: how it starts, stops, fails, and what it writes into its log."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from kit import db
from kit.auth import Kind, Viewer, sign_viewer
from kit.bus import Bus
from kit.clock import Clock
from kit.db import Database, open_database
from kit.ids import new_id
from tests.service.kit.conftest import ledger_database
from tests.service.kit.facts import SUBJECT, event
from tests.support import servers
from tests.support.eventually import eventually
from tests.support.ledger import NAME, write
from tests.support.process import KEY, ROOT, Answer, Ledger, call, ledger_process, request, signed
from tests.support.running import environment
from tests.support.servers import NatsServer, PostgresServer

USER = Viewer(kind=Kind.USER, user_id=new_id(), organization_id=new_id())
SECRET = "Jane Roe 1970-01-01"


@pytest.fixture
def nats(broker: NatsServer, bus: Bus) -> str:
    """The URL of a broker whose stream is empty."""
    del bus
    return servers.operator_url(broker)


@pytest.fixture
async def clock(database: Database) -> Clock:
    """The time of the test's database."""
    told = Clock(lambda: db.read_clock(database))
    await told.sync()
    return told


async def gql(ledger: Ledger, clock: Clock, query: str) -> Answer:
    """Ask as the gateway does."""
    body = orjson.dumps({"query": query})
    return await call(ledger.port, "POST", "/graphql", body, signed(USER, clock, audience=NAME))


async def ready(ledger: Ledger) -> bool:
    """Whether /readyz says so."""
    return (await call(ledger.port, "GET", "/readyz")).status == 200


async def test_a_stop_waits_for_requests_in_flight_and_exits_with_zero(
    database: Database, database_url: str, nats: str, clock: Clock, tmp_path: Path
) -> None:
    async with ledger_process(database_url, nats, tmp_path, SHUTDOWN_GRACE="10") as ledger:
        asking = asyncio.create_task(gql(ledger, clock, "{ slowly(seconds: 1) }"))
        await eventually(
            lambda: database.pool.fetchval("SELECT count(*) FROM calls WHERE what = 'slowly'")
        )
        assert await asyncio.wait_for(ledger.stop(), 10) == 0
        assert (await asking).json == {"data": {"slowly": "done"}}
        assert not await ledger.alive()


async def test_a_stop_ends_open_streams_and_does_not_wait_for_them(
    database: Database, database_url: str, nats: str, clock: Clock, tmp_path: Path
) -> None:
    async with ledger_process(database_url, nats, tmp_path, SHUTDOWN_GRACE="30") as ledger:
        body = orjson.dumps({"query": "subscription { ticks }"})
        headers = signed(USER, clock, audience=NAME) | {"accept": "text/event-stream"}
        async with request(ledger.port, "POST", "/graphql", body, headers) as (_, stream):
            await stream.readuntil(b"\n\n")
            assert await asyncio.wait_for(ledger.stop(), 10) == 0
            assert b"The service is stopping." in await stream.read()
        assert await database.pool.fetchval("SELECT count(*) FROM calls WHERE what = 'closed'") == 1


async def test_a_stopped_service_leaves_no_connection_behind(
    database: Database, database_url: str, nats: str, tmp_path: Path
) -> None:
    async with ledger_process(database_url, nats, tmp_path) as ledger:
        await ledger.stop()
    left = await database.pool.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert left == 0


async def test_background_work_that_fails_for_good_ends_the_process_so_that_it_is_started_anew(
    database: Database, database_url: str, nats: str, tmp_path: Path
) -> None:
    async with ledger_process(database_url, nats, tmp_path, LEDGER_DIES="1") as ledger:
        await write(database, new_id())
        assert await asyncio.wait_for(ledger.process.wait(), 10) == 1
        log = ledger.log.read_text()
    assert "background work failed for good" in log
    assert "builtins.RuntimeError" in log
    assert "secret" not in log


async def test_a_service_starts_without_the_broker_and_tells_its_facts_once_it_is_there(
    database: Database, database_url: str, broker: NatsServer, nats: str, tmp_path: Path
) -> None:
    await broker.kill()
    async with ledger_process(database_url, nats, tmp_path) as ledger:
        assert (await call(ledger.port, "GET", "/readyz")).json == {"ready": True, "broker": False}
        await write(database, new_id(), 3)
        await broker.restart()

        async def all_booked() -> bool:
            return int(await database.pool.fetchval("SELECT count(*) FROM booked")) == 3

        await eventually(all_booked)
        assert len(ledger.log.read_text().splitlines()) < 30


async def test_a_service_is_not_ready_while_its_database_is_away_and_lives_on(
    mortal_postgres: PostgresServer, nats: str, tmp_path: Path
) -> None:
    url = await ledger_database(mortal_postgres)
    database = await open_database(url, size=2)
    told = Clock(lambda: db.read_clock(database))
    await told.sync()
    async with ledger_process(url, nats, tmp_path) as ledger:
        assert await ready(ledger)
        await mortal_postgres.kill()
        away = await call(ledger.port, "GET", "/readyz")
        assert (away.status, away.json["because"]) == (503, "the database does not answer")
        assert await ledger.alive()
        refused = (await gql(ledger, told, "{ entries }")).json["errors"][0]
        assert refused["extensions"]["code"] == "UNAVAILABLE"
        await mortal_postgres.restart()
        await eventually(lambda: ready(ledger))
        assert (await gql(ledger, told, "{ entries }")).json == {"data": {"entries": 0}}
    await database.pool.close()


async def ended(*arguments: str, **settings: str) -> tuple[int, str]:
    """Exit code and standard error of a process of the ledger."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.ledger",
        *arguments,
        cwd=ROOT,
        env=dict(os.environ) | settings,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, told.decode()


async def test_wrong_settings_are_told_all_at_once_and_end_with_two() -> None:
    code, told = await ended(HTTP_PORT="x", GRPC_PORT="70000")
    assert code == 2
    assert all(name in told for name in ("HTTP_PORT", "GRPC_PORT", "DATABASE_URL_LEDGER"))


async def test_a_database_without_the_migrations_is_told_by_name(
    postgres: PostgresServer, nats: str
) -> None:
    url = await postgres.database(NAME)
    code, told = await ended(**environment(NAME, url, nats))
    assert code == 1
    assert "kit/0001_kit.sql" in told
    assert "Traceback" not in told


async def test_a_machine_with_a_wrong_clock_expires_nothing_early_and_nothing_late(
    database: Database, database_url: str, nats: str, clock: Clock, tmp_path: Path
) -> None:
    module = "tests.support.wrong_clock"
    async with ledger_process(database_url, nats, tmp_path, module=module) as ledger:
        body = orjson.dumps({"query": "{ entries }"})
        now = clock.real()
        for age, status in ((0, 200), (50, 200), (61, 401)):
            at = now - timedelta(seconds=age)
            header = sign_viewer(USER, audience=NAME, key=KEY, at=at)
            answer = await call(ledger.port, "POST", "/graphql", body, {"x-viewer": header})
            assert answer.status == status, age
        await write(database, new_id())

        async def booked() -> bool:
            return bool(await database.pool.fetchval("SELECT count(*) FROM booked"))

        await eventually(booked)
        assert '"at":"2036' in ledger.log.read_text()


async def test_neither_the_text_of_a_fault_nor_the_body_of_a_message_reaches_the_log(
    database: Database, database_url: str, nats: str, bus: Bus, clock: Clock, tmp_path: Path
) -> None:
    account = new_id()
    (entry,) = await write(database, account)
    await database.pool.execute("INSERT INTO poisoned VALUES ($1)", entry)
    async with ledger_process(database_url, nats, tmp_path, LOG_LEVEL="debug") as ledger:
        await bus.publish(SUBJECT, SECRET.encode(), str(new_id()))
        wrong = event(new_id(), 1, data={"providerId": [SECRET]})
        await bus.publish(SUBJECT, wrong, str(new_id()))

        async def buried() -> bool:
            return int(await database.pool.fetchval("SELECT count(*) FROM dead_letters")) == 3

        await eventually(buried)
        fault = (await gql(ledger, clock, "{ faulty }")).json["errors"][0]
        await ledger.stop()
        log = ledger.log.read_text()
    for text in (SECRET, "cannot be booked", "a secret of the service", str(entry)):
        assert text not in log
    assert "PoisonError" in log
    assert fault["extensions"]["reference"] in log
    assert all(orjson.loads(line)["service"] == NAME for line in log.splitlines())
