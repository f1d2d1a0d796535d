"""A transaction sees what its scope says, on a pool that everybody shares, whatever became of the one before."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from kit.auth import Kind, Stage, Viewer, service_viewer
from kit.db import Database, open_database
from kit.ids import new_id
from kit.scope import widen
from tests.service.kit.conftest import ledger_database
from tests.support.servers import PostgresServer, as_runtime

ALTERNATIONS = int(os.environ.get("ALTERNATIONS", "10000"))
CONNECTIONS = 4
TENANTS = 8
SCOPE = (
    "SELECT coalesce(current_setting('suite.scope', true), '')"
    " || coalesce(current_setting('suite.organization', true), '')"
)
KEPT = """
SELECT (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory')
    + (SELECT count(*) FROM pg_listening_channels()) + (SELECT count(*) FROM pg_cursors WHERE is_holdable)
"""
"""What the session holds beyond its transactions."""


def user(organization: UUID | None = None, **more: object) -> Viewer:
    """Somebody of an organization."""
    return Viewer(kind=Kind.USER, user_id=new_id(), organization_id=organization, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
async def shared(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A small pool, as the role a service runs as, and one row of each tenant behind a wall."""
    url = await ledger_database(postgres)
    owner = await asyncpg.connect(url)
    await owner.execute(
        "CREATE TABLE things (organization_id uuid NOT NULL, name text NOT NULL);"
        "ALTER TABLE things ENABLE ROW LEVEL SECURITY; ALTER TABLE things FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY own ON things USING (in_scope(organization_id))"
    )
    await owner.close()
    database = await open_database(as_runtime(url), size=CONNECTIONS)
    yield database
    await database.pool.close()


@pytest.fixture(scope="module")
async def tenants(shared: Database) -> list[UUID]:
    """Each has one thing."""
    made = [new_id() for _ in range(TENANTS)]
    async with shared.everywhere().transaction() as tx:
        await tx.executemany("INSERT INTO things VALUES ($1, 'thing')", [(one,) for one in made])
    return made


async def things(database: Database) -> set[UUID]:
    """Whose things are seen."""
    async with database.transaction() as tx:
        return {row[0] for row in await tx.fetch("SELECT organization_id FROM things")}


async def test_everybody_sees_what_is_theirs(shared: Database, tenants: list[UUID]) -> None:
    """Z7."""
    first = tenants[0]
    assert await things(shared) == set()
    assert await things(shared.on_behalf_of(user(first))) == {first}
    assert await things(shared.on_behalf_of(user(None, support=True))) == set()
    assert await things(shared.on_behalf_of(Viewer())) == set()
    half = user(first, stage=Stage.SET_PASSWORD)
    assert await things(shared.on_behalf_of(half)) == set()
    assert await things(shared.on_behalf_of(service_viewer("directory"))) == set(tenants)
    assert await things(shared.everywhere()) == set(tenants)
    assert await things(shared.within(user(None, support=True), first)) == {first}
    assert await things(shared.within(user(tenants[1]), first)) == {tenants[1]}
    assert await things(shared.for_support(user(None, support=True))) == set(tenants)
    assert await things(shared.for_support(user(first))) == {first}


async def test_nobody_writes_into_another_organization(
    shared: Database, tenants: list[UUID]
) -> None:
    """Z7."""
    mine, theirs = tenants[:2]
    async with shared.on_behalf_of(user(mine)).transaction() as tx:
        assert (
            await tx.execute("UPDATE things SET name = '' WHERE organization_id = $1", theirs)
            == "UPDATE 0"
        )
        assert (
            await tx.execute("DELETE FROM things WHERE organization_id = $1", theirs) == "DELETE 0"
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tx.transaction():
                await tx.execute("INSERT INTO things VALUES ($1, '')", theirs)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tx.transaction():
                await tx.execute("UPDATE things SET organization_id = $1", theirs)


async def test_many_tenants_take_turns_on_one_pool_and_none_sees_another(
    shared: Database, tenants: list[UUID]
) -> None:
    """Z7: the same connections serve everybody, one transaction after the other, some of which fail or are given up."""
    leaks: list[str] = []
    turns = iter(range(ALTERNATIONS))

    async def take_turns(seed: int) -> None:
        dice = random.Random(seed)  # noqa: S311 - which tenant is next
        for _ in turns:
            tenant = dice.choice([*tenants, None])
            seen = await _turn(shared, tenant, dice.random())
            if seen is not None and seen != ({tenant} - {None}):
                leaks.append(f"{tenant} saw {seen}")

    await asyncio.gather(*(take_turns(seed) for seed in range(CONNECTIONS * 2)))

    assert leaks == []


async def _turn(shared: Database, tenant: UUID | None, luck: float) -> set[UUID] | None:
    """What a tenant (None: nobody) sees; now and then the transaction fails, or its task is cancelled in it: then None."""
    database = shared if tenant is None else shared.on_behalf_of(user(tenant))
    if luck < 0.02:
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with database.transaction() as tx:
                await tx.execute("SELECT 1 / 0")
        return None
    if luck < 0.04:
        task = asyncio.create_task(things(database))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return None
    return await things(database)


async def test_a_transaction_that_widened_its_scope_leaves_nothing_of_it(
    shared: Database, tenants: list[UUID]
) -> None:
    for _ in range(CONNECTIONS * 2):
        async with shared.on_behalf_of(user(tenants[0])).transaction() as tx:
            await widen(tx)
            assert len(await tx.fetch("SELECT FROM things")) == TENANTS
        assert await things(shared.on_behalf_of(user(tenants[1]))) == {tenants[1]}
        assert await things(shared) == set()


@pytest.mark.parametrize("how", ["failed", "cancelled", "killed", "left open"])
async def test_a_transaction_that_ends_badly_leaves_no_scope_on_its_connection(
    postgres: PostgresServer, how: str
) -> None:
    """Z7."""
    one = await open_database(as_runtime(await ledger_database(postgres)), size=1)
    pool, owner = one.pool, one.everywhere()

    async def work(begun: asyncio.Event) -> None:
        async with owner.transaction() as tx:
            assert (await tx.fetchval(SCOPE)).startswith("suite")
            begun.set()
            if how == "failed":
                raise LookupError
            if how == "left open":
                await tx.execute("SAVEPOINT here")
            await tx.fetchval("SELECT pg_sleep(30)")

    begun = asyncio.Event()
    task = asyncio.create_task(work(begun))
    await begun.wait()
    if how == "killed":
        await _kill(postgres, pool)
    elif how != "failed":
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    async with one.transaction() as tx:
        assert await tx.fetchval(SCOPE) == ""
    await pool.close()


DEFERRED = "CREATE TABLE pairs (one int UNIQUE, other int REFERENCES pairs (one) DEFERRABLE INITIALLY DEFERRED)"
BAD_ENDS = {
    "refused at its end": ("INSERT INTO pairs VALUES (1, 2)", asyncpg.ForeignKeyViolationError),
    "cut off in time": ("SELECT pg_sleep(30)", TimeoutError),
    "its error passed over": ("SELECT 1 / 0", None),
}


@pytest.mark.parametrize("how", BAD_ENDS)
async def test_however_a_transaction_ends_the_next_on_its_connection_begins_with_nothing(
    postgres: PostgresServer, how: str
) -> None:
    """Z7."""
    url = await ledger_database(postgres)
    owner = await asyncpg.connect(url)
    await owner.execute(f"{DEFERRED}; GRANT ALL ON pairs TO PUBLIC")
    await owner.close()
    one = await open_database(as_runtime(url), size=1)
    sql, error = BAD_ENDS[how]

    async def work() -> None:
        async with one.everywhere().transaction() as tx:
            await tx.execute("SET LOCAL statement_timeout = '20s'")
            with contextlib.suppress(asyncpg.DivisionByZeroError):
                await tx.execute(sql, timeout=0.05)

    with pytest.raises(error) if error else contextlib.nullcontext():
        await work()

    async with one.reading() as tx:
        assert await tx.fetchval(SCOPE) == ""
        assert await tx.fetchval("SHOW statement_timeout") == "0"
    async with one.transaction() as tx:
        assert await tx.fetchval("SHOW transaction_read_only") == "off"
        assert await tx.fetchval(KEPT) == 0
    await one.pool.close()


async def test_who_borrows_a_whole_connection_leaves_nothing_of_the_session_on_it(
    postgres: PostgresServer,
) -> None:
    """Z7: only after a transaction that ended well is a connection lent on as it is, and only that once."""
    one = await open_database(as_runtime(await ledger_database(postgres)), size=1)
    for _ in range(2):
        async with one.transaction() as tx:
            assert await tx.fetchval(SCOPE) == ""
            assert await tx.fetchval(KEPT) == 0
        async with one.pool.acquire() as connection:
            await connection.execute("SET suite.scope = 'suite'")
            await connection.execute("SELECT pg_advisory_lock(7)")
            await connection.execute("LISTEN something")
    with pytest.raises(LookupError):
        await _fail_holding_a_lock(one)
    async with one.transaction() as tx:
        assert await tx.fetchval(KEPT) == 0
    await one.pool.close()


async def _fail_holding_a_lock(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute("SELECT pg_advisory_lock(7)")
        raise LookupError


async def _kill(postgres: PostgresServer, pool: asyncpg.Pool[asyncpg.Record]) -> None:
    """The server loses the connection in the middle of its statement."""
    del pool
    superuser = await asyncpg.connect(postgres.server.url("postgres"))
    await superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()"
    )
    await superuser.close()
