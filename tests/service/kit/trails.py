"""An audit trail under test: entries written, sealed and written down, and then tampered with as a superuser would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import asyncpg

from kit import audit
from kit.audit.checkpoints import CheckpointFile, ForgedError, read, signing_key
from kit.audit.sealer import BATCH, Sealer
from kit.audit.verify import Finding, Report, Wrong, verify
from kit.auth import Kind, Viewer
from kit.db import Connection, Database
from kit.ids import new_id
from tests.support.ledger import ORGANIZATION

SERVICE = "ledger"
KEY = signing_key(bytes(32), SERVICE)
SOMEBODY = Viewer(kind=Kind.USER, user_id=new_id(), organization_id=ORGANIZATION)


async def enter(tx: Connection) -> UUID:
    """Write one entry; answers what it is about."""
    about, at = new_id(), await tx.fetchval("SELECT clock_timestamp()")
    await audit.record(
        tx,
        SOMEBODY,
        act="entry.written",
        kind="entry",
        about=about,
        organization_id=ORGANIZATION,
        at=at,
    )
    return about


@dataclass
class Trail:
    """A database's trail, with its checkpoints in a file. Rows are tampered with by a superuser, whom no trigger stops."""

    database: Database
    superuser: asyncpg.Connection[asyncpg.Record]
    file: CheckpointFile

    @property
    def sealer(self) -> Sealer:
        """Another one each time, as after a restart."""
        return Sealer(SERVICE, self.database, KEY, [self.file])

    async def write(self, count: int = 1) -> list[UUID]:
        """Write so many entries, each about another thing, in one transaction."""
        async with self.database.transaction() as tx:
            return [await enter(tx) for _ in range(count)]

    async def seal(self) -> None:
        """Seal everything there is."""
        async with self.database.pool.acquire() as connection:
            while await self.sealer.seal(connection) == BATCH:
                pass

    async def write_down(self) -> None:
        """Write the head down."""
        async with self.database.pool.acquire() as connection:
            await self.sealer.write_down(connection)

    async def grow(self, count: int) -> None:
        """Entries, sealed and written down."""
        await self.write(count)
        await self.seal()
        await self.write_down()

    async def tamper(self, statement: str, *args: object) -> None:
        """What somebody does who owns the machine the database runs on."""
        async with self.superuser.transaction():
            for table in ("audit_entries", "audit_chain"):
                await self.superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            await self.superuser.execute(statement, *args)
            for table in ("audit_entries", "audit_chain"):
                await self.superuser.execute(
                    f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER only_added"
                )

    async def report(self, restored_at: datetime | None = None) -> Report:
        """What a verification finds."""
        report, checkpoints = Report(SERVICE, restored_at), []
        for line in self.file.lines():
            try:
                checkpoints.append(read(line, KEY.public_key(), SERVICE))
            except ForgedError:
                report.add(Finding(Wrong.FORGED, "forged"))
        async with self.database.reading() as tx:
            await verify(tx, report, {"file": checkpoints}, lambda _: None)
        return report

    async def wrong(self) -> list[tuple[Wrong, int | None]]:
        """The kinds and places of what is wrong."""
        return [(one.wrong, one.sequence) for one in (await self.report()).findings]


@asynccontextmanager
async def trail(database: Database, superuser_url: str, folder: Path) -> AsyncIterator[Trail]:
    """The trail of a fresh database."""
    superuser = await asyncpg.connect(superuser_url)
    try:
        yield Trail(database, superuser, CheckpointFile.of(folder, SERVICE))
    finally:
        await superuser.close()
