"""Migrations on a real database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from kit import db
from kit.db import (
    MigrationError,
    migrate,
    missing_migrations,
    open_database,
    require_walls,
)
from tests.support.servers import PostgresServer


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The migrations of a service `shop`, in a tree of the test's own beside the kit's."""
    kit = tmp_path / "kit"
    kit.mkdir()
    (kit / "migrations").symlink_to(Path(db.__file__).parent / "migrations")
    monkeypatch.setattr(db, "_ROOT", tmp_path)
    own = tmp_path / "services" / "shop" / "migrations"
    own.mkdir(parents=True)
    (own / "0001_goods.sql").write_text(
        "CREATE TABLE goods (id int); CREATE TABLE shelves (id int);"
    )
    return own


async def tables(url: str) -> set[str]:
    """The tables of a database."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    finally:
        await connection.close()
    return {row["tablename"] for row in rows}


async def test_a_fresh_database_gets_the_kits_tables_and_then_the_services_own(
    postgres: PostgresServer, folder: Path
) -> None:
    url = await postgres.database("shop")
    applied = await migrate(url, "shop")
    assert applied[0] == "kit/0001_kit.sql"
    assert applied[-1] == f"shop/{next(folder.iterdir()).name}"
    assert {"outbox", "inbox", "dead_letters", "goods", "shelves"} <= await tables(url)
    assert await migrate(url, "shop") == []


async def test_runners_at_the_same_time_apply_each_file_once(
    postgres: PostgresServer, folder: Path
) -> None:
    del folder
    url = await postgres.database("shop")
    applied = await asyncio.gather(*(migrate(url, "shop") for _ in range(6)))
    assert sum(len(names) for names in applied) == len(max(applied, key=len)) > 1


async def test_a_file_that_was_changed_after_it_was_applied_is_refused(
    postgres: PostgresServer, folder: Path
) -> None:
    url = await postgres.database("shop")
    await migrate(url, "shop")
    (folder / "0001_goods.sql").write_text("CREATE TABLE other (id int);")
    (folder / "0002_more.sql").write_text("CREATE TABLE more (id int);")
    with pytest.raises(MigrationError, match=r"shop/0001_goods\.sql was changed"):
        await migrate(url, "shop")
    assert not {"other", "more"} & await tables(url)


async def test_a_file_that_was_taken_away_after_it_was_applied_is_refused(
    postgres: PostgresServer, folder: Path
) -> None:
    url = await postgres.database("shop")
    await migrate(url, "shop")
    (folder / "0001_goods.sql").unlink()
    with pytest.raises(MigrationError, match="is this an older release"):
        await migrate(url, "shop")


async def test_a_file_that_fails_half_way_leaves_nothing_and_can_be_tried_again(
    postgres: PostgresServer, folder: Path
) -> None:
    url = await postgres.database("shop")
    broken = folder / "0002_more.sql"
    broken.write_text("CREATE TABLE more (id int); CREATE TABLE goods (id int);")
    with pytest.raises(asyncpg.DuplicateTableError):
        await migrate(url, "shop")
    assert "goods" in await tables(url)
    assert "more" not in await tables(url)
    broken.write_text("CREATE TABLE more (id int);")
    assert await migrate(url, "shop") == ["shop/0002_more.sql"]


async def test_what_a_database_has_not_seen_yet_is_named(
    postgres: PostgresServer, folder: Path
) -> None:
    url = await postgres.database("shop")
    database = await open_database(url, size=2)
    assert "shop/0001_goods.sql" in await missing_migrations(database, "shop")
    await migrate(url, "shop")
    assert await missing_migrations(database, "shop") == []
    (folder / "0002_more.sql").write_text("CREATE TABLE more (id int);")
    assert await missing_migrations(database, "shop") == ["shop/0002_more.sql"]
    await database.pool.close()


async def test_production_does_not_run_as_a_role_that_row_level_security_does_not_hold(
    postgres: PostgresServer,
) -> None:
    url = await postgres.database("shop")
    superuser = postgres.server.url(url.rpartition("/")[2])
    held, not_held = await open_database(url, size=1), await open_database(superuser, size=1)
    await require_walls(held, strictly=True)
    await require_walls(not_held, strictly=False)
    with pytest.raises(MigrationError, match="superuser"):
        await require_walls(not_held, strictly=True)
    await held.pool.close()
    await not_held.pool.close()


async def test_a_server_that_is_too_old_is_refused_in_words_before_anything_is_done(
    postgres: PostgresServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By who migrates, and by a service that starts on a database brought there in another way."""
    del folder
    url = await postgres.database("shop")
    monkeypatch.setattr(db, "OLDEST", 99)
    words = "the server is PostgreSQL 18, and it must be 99 or newer"
    with pytest.raises(MigrationError, match=words):
        await migrate(url, "shop")
    assert await tables(url) == set()
    database = await open_database(url, size=1)
    with pytest.raises(MigrationError, match=words):
        await missing_migrations(database, "shop")
    await database.pool.close()
