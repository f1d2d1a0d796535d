"""PostgreSQL: the pool, transactions, rows as nouns, and migrations."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import asyncpg
import orjson

from kit.auth import Viewer
from kit.clock import Reading
from kit.errors import Invalid, Unavailable
from kit.roles import grant_runtime, sees_through_walls
from kit.rows import NounT, maker
from kit.scope import NOTHING, SUITE, Scope, ScopedConnection, scope_of

if TYPE_CHECKING:
    from typing import TypeAlias

    from asyncpg.pool import PoolConnectionProxy
    from asyncpg.transaction import Transaction

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

Row = asyncpg.Record
"""A row as PostgreSQL gave it, for stores that make something else of it than one noun."""

log = logging.getLogger(__name__)

AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalClientError,  # how the driver meets a connection whose server died a moment ago
    Unavailable,
)
"""What a transaction raises when the database (or a peer) is away: worth another try, never the fault of the data."""

LOST_CONNECTION = (*AWAY, asyncpg.InterfaceError)
"""The same for loops that hold a connection of their own: asyncpg tells its loss as InterfaceError, among other things."""

ACQUIRE_TIMEOUT = 10.0
_KEEP_ALIVE = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""A machine that died with a connection (and a lock on it) is noticed by the server within a minute."""


class Database:
    """A service's own database, as seen from one scope; without one its transactions see no organization's rows."""

    def __init__(self, pool: Pool, scope: Scope = NOTHING) -> None:
        self.pool = pool
        self.scope = scope

    def on_behalf_of(self, viewer: Viewer) -> Database:
        """The same database as the viewer may see it."""
        return Database(self.pool, scope_of(viewer))

    def everywhere(self) -> Database:
        """The same database with every organization's rows: for our own jobs, and for what belongs to none in particular."""
        return Database(self.pool, SUITE)

    def for_support(self, viewer: Viewer) -> Database:
        """The same database with every organization's rows if `viewer` is support; whatever policy says, nobody else gets them."""
        return self.everywhere() if viewer.is_user and viewer.support else self.on_behalf_of(viewer)

    def within(self, viewer: Viewer, organization_id: UUID) -> Database:
        """The same database in an organization that `viewer` names: support, who belongs to none, sees that one as its people
        do; everybody else sees their own, whichever they name."""
        if viewer.is_user and viewer.support and viewer.organization_id is None:
            viewer = replace(viewer, organization_id=organization_id)
        return self.on_behalf_of(viewer)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction: what a verb changes and the facts that make it known are committed together or not at all.

        Unavailable when no connection can be had.
        """
        async with self._connection() as connection, self._begun(connection):
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """One consistent, read-only view. Unavailable when no connection can be had."""
        async with (
            self._connection() as connection,
            self._begun(connection, isolation="repeatable_read", readonly=True),
        ):
            yield connection

    def _begun(self, connection: Connection, **options: Any) -> Transaction:  # noqa: ANN401 - the driver's own
        """A transaction in this scope, begun with the next step: nothing may come between."""
        cast("ScopedConnection", connection).begin_as(self.scope)
        return connection.transaction(**options)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool for one transaction; its loss is a ConnectionError whatever the driver calls it, and text that
        PostgreSQL cannot keep is Invalid."""
        try:
            connection = await self.pool.acquire(timeout=ACQUIRE_TIMEOUT)
        except AWAY:
            raise Unavailable(
                "The database does not answer.", remedy="Try again in a moment."
            ) from None
        try:
            yield connection
            if not is_lost(connection):
                cast("ScopedConnection", connection).left_clean()
        except asyncpg.InterfaceError as error:
            if is_lost(connection):
                raise ConnectionResetError("the database went away") from error
            raise
        except (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError):
            raise Invalid(
                "A text holds a character that cannot be kept: U+0000.",
                code="BAD_TEXT",
                remedy="Leave it out.",
            ) from None
        finally:
            await self.pool.release(connection)


def is_lost(connection: Connection) -> bool:
    """Whether a connection of the pool is gone: asyncpg takes it back by itself when it breaks, and then refuses the question."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


async def open_database(url: str, *, size: int) -> Database:
    """Connect; the pool grows to `size` connections as they are needed."""
    pool = await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=_speak_json,
        connection_class=ScopedConnection,
        command_timeout=30,
        server_settings={"timezone": "UTC", **_KEEP_ALIVE},
    )
    return Database(pool)


async def _speak_json(connection: Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            encoder=lambda value: orjson.dumps(value).decode(),
            decoder=orjson.loads,
            schema="pg_catalog",
        )


# Rows as nouns -------------------------------------------------------------------------------------------------------


async def many(tx: Connection, noun: type[NounT], sql: str, *args: object) -> list[NounT]:
    """Every row as a `noun` (a dataclass whose fields are among the columns)."""
    make = maker(noun)
    return [make(row) for row in await tx.fetch(sql, *args)]


async def maybe(tx: Connection, noun: type[NounT], sql: str, *args: object) -> NounT | None:
    """The one row as a `noun`, or None."""
    row = await tx.fetchrow(sql, *args)
    return None if row is None else maker(noun)(row)


async def one(tx: Connection, noun: type[NounT], sql: str, *args: object) -> NounT:
    """The one row as a `noun`; its absence is a fault, not a refusal."""
    found = await maybe(tx, noun, sql, *args)
    if found is None:
        raise LookupError(f"no row for {noun.__name__}")
    return found


async def value(tx: Connection, sql: str, *args: object) -> Any:  # noqa: ANN401 - whatever the column holds
    """The first column of the first row, or None."""
    return await tx.fetchval(sql, *args)


async def run(tx: Connection, sql: str, *args: object) -> int:
    """Run a statement; answers how many rows it touched."""
    return int((await tx.execute(sql, *args)).rpartition(" ")[2])


def violated(error: BaseException) -> str | None:
    """The name of the constraint that a statement ran into, so that a lost race can be told as a Conflict."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        name: str | None = error.constraint_name
        return name
    return None


# The clock's source --------------------------------------------------------------------------------------------------


async def read_clock(database: Database) -> Reading:
    """The database's time and the offset of development."""
    row = await database.pool.fetchrow(
        "SELECT clock_timestamp() AS at, coalesce((SELECT shift FROM clock_offset), '0'::interval) AS shift"
    )
    if row is None:
        raise LookupError("the database told no time")
    return Reading(row["at"], row["shift"])


async def move_clock(database: Database, offset: timedelta) -> None:
    """Set the offset of development and tests. The caller makes sure that this is not production."""
    await database.pool.execute(
        "INSERT INTO clock_offset (shift) VALUES ($1) ON CONFLICT (only_row) DO UPDATE SET shift = excluded.shift",
        offset,
    )


# Migrations ----------------------------------------------------------------------------------------------------------

_LEDGER = """
CREATE TABLE IF NOT EXISTS migrations (
    name text PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""
_LOCK = int.from_bytes(hashlib.sha256(b"suite migrations").digest()[:8], "big", signed=True)
_ROOT = Path(__file__).resolve().parent.parent
OLDEST = 18
"""The oldest PostgreSQL that will do: statements ask what a row was before (RETURNING old)."""


class MigrationError(Exception):
    """The database and the migration files do not go together; nothing was changed."""


class OldServerError(MigrationError):
    """The server is older than what the suite speaks to."""


async def migrate(url: str, service: str) -> list[str]:
    """Bring a database up to date as its owner: the kit's tables, then the service's own, then what the running service may do
    with them. Answers the names of the files applied now.

    Safe to run from many processes at once (one advisory lock); each file is one transaction; a file that was changed or
    taken away after it was applied is a MigrationError, and so is a server older than OLDEST.
    """
    files = _service_files(service)
    connection = await asyncpg.connect(url)
    try:
        _require_version(connection)
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_LEDGER)
        known = {
            row["name"]: row["checksum"]
            for row in await connection.fetch("SELECT name, checksum FROM migrations")
        }
        _compare(known, files)
        applied = [await _apply(connection, name, sql) for name, sql in files if name not in known]
        await grant_runtime(connection)
        return applied
    finally:
        await connection.close()


async def missing_migrations(database: Database, service: str) -> list[str]:
    """The migrations of a service that its database has not seen yet. A MigrationError if the server is older than OLDEST."""
    async with database.pool.acquire() as connection:
        _require_version(connection)
        if await connection.fetchval("SELECT to_regclass('migrations')") is None:
            known: set[str] = set()
        else:
            known = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
    return [name for name, _ in _service_files(service) if name not in known]


async def require_walls(database: Database, *, strictly: bool) -> None:
    """Row-level security must hold the role we run as: a MigrationError if `strictly`, else a warning."""
    if await sees_through_walls(database.pool):
        words = "the database role is a superuser, or bypasses row-level security"
        if strictly:
            raise MigrationError(f"{words}: connect as one that is neither")
        log.warning(words)


def _require_version(connection: Connection) -> None:
    found = connection.get_server_version().major
    if found < OLDEST:
        raise OldServerError(f"the server is PostgreSQL {found}, and it must be {OLDEST} or newer")


def _service_files(service: str) -> list[tuple[str, str]]:
    return _files("kit", _ROOT / "kit" / "migrations") + _files(
        service, _ROOT / "services" / service / "migrations"
    )


def _files(owner: str, folder: Path) -> list[tuple[str, str]]:
    return [
        (f"{owner}/{path.name}", path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.sql"))
    ]


def _compare(known: dict[str, str], files: list[tuple[str, str]]) -> None:
    present = {name: _checksum(sql) for name, sql in files}
    for name, checksum in known.items():
        if name not in present:
            raise MigrationError(
                f"{name} was applied to this database and is not here: is this an older release?"
            )
        if present[name] != checksum:
            raise MigrationError(f"{name} was changed after it was applied: add a new file instead")


async def _apply(connection: asyncpg.Connection[asyncpg.Record], name: str, sql: str) -> str:
    async with connection.transaction():
        await connection.execute(
            SUITE.opening
        )  # a migration goes through every organization's rows
        await connection.execute(sql)
        await connection.execute(
            "INSERT INTO migrations (name, checksum) VALUES ($1, $2)", name, _checksum(sql)
        )
    return name


def _checksum(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()
