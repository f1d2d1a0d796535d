"""The two roles of a service's database: `<name>_owner` makes the tables, `<name>` works with their rows and can do no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from typing import TypeAlias

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

OWNER = "_owner"
"""What the name of the role that migrates ends with."""

_LEDGER = "migrations"
_ONLY_ADDED = ("audit_entries", "audit_chain")
"""Tables whose rows the running service adds and reads, and never changes."""


async def grant_runtime(owner: Connection) -> None:
    """Give the role that the service runs as its rights, on tables that are there and on those to come. Does nothing where one
    role does both."""
    name: str = await owner.fetchval("SELECT current_user::text")
    runtime = name.removesuffix(OWNER)
    known = await owner.fetchval("SELECT to_regrole(quote_ident($1)) IS NOT NULL", runtime)
    if runtime == name or not known:
        return
    role = await owner.fetchval("SELECT quote_ident($1)", runtime)
    rights = "SELECT, INSERT, UPDATE, DELETE ON"
    async with owner.transaction():
        await owner.execute(
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rights} TABLES TO {role};"
            f"GRANT {rights} ALL TABLES IN SCHEMA public TO {role};"
            f"REVOKE INSERT, UPDATE, DELETE ON {_LEDGER} FROM {role}"
        )
        for table in _ONLY_ADDED:
            if await owner.fetchval("SELECT to_regclass($1) IS NOT NULL", table):
                await owner.execute(f"REVOKE UPDATE, DELETE ON {table} FROM {role}")


async def sees_through_walls(pool: asyncpg.Pool[asyncpg.Record]) -> bool:
    """Whether row-level security does not hold the role of these connections: a superuser, or one with BYPASSRLS."""
    return bool(
        await pool.fetchval(
            "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
    )
