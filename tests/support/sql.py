"""Single statements of tests, which see every organization's rows: `await Sql(database).fetchval(...)`."""

from __future__ import annotations

from typing import Any

import asyncpg

from kit.db import Database


class Sql:
    """A database as the suite itself sees it: each statement is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database.everywhere()

    async def fetch(self, statement: str, *args: object) -> list[asyncpg.Record]:
        """Every row."""
        async with self._database.transaction() as tx:
            return await tx.fetch(statement, *args)

    async def fetchrow(self, statement: str, *args: object) -> asyncpg.Record | None:
        """The first row, or None."""
        async with self._database.transaction() as tx:
            return await tx.fetchrow(statement, *args)

    async def fetchval(self, statement: str, *args: object) -> Any:  # noqa: ANN401 - whatever the column holds
        """The first column of the first row, or None."""
        async with self._database.transaction() as tx:
            return await tx.fetchval(statement, *args)

    async def execute(self, statement: str, *args: object) -> str:
        """What the server says it did."""
        async with self._database.transaction() as tx:
            return await tx.execute(statement, *args)
