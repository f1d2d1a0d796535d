"""A small real service for tests of the kit: it writes entries, tells a fact of each, hears its own facts and books them.

`python -m tests.support.ledger` runs it as a process of its own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from uuid import UUID

import grpc.aio
import strawberry

from kit import db
from kit.audit.graph import audit_field
from kit.auth import service_viewer
from kit.config import ServiceSettings, load
from kit.db import Connection, Database
from kit.errors import Conflict
from kit.graphql import (
    CommonProblems,
    Context,
    build_schema,
    mutation,
)
from kit.ids import new_id
from kit.inbox import Heard, Hearing
from kit.outbox import record
from kit.rpc import AddServicer, Peer, current_viewer
from kit.service import Job, Parts, Service, run
from proto.directory.v1 import directory_pb2, directory_pb2_grpc
from proto.directory.v1.events_pb2 import ProviderAdded

NAME = "ledger"
ORGANIZATION = UUID(int=7)
TABLES = """
CREATE TABLE entries (id uuid PRIMARY KEY, account uuid NOT NULL);
CREATE TABLE booked (id bigint GENERATED ALWAYS AS IDENTITY, event_id uuid NOT NULL, account uuid NOT NULL, sequence bigint NOT NULL);
CREATE TABLE poisoned (entry uuid PRIMARY KEY);
CREATE TABLE calls (what text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
"""
"""An account has many entries; each is one fact. Nothing here stops a fact from being booked twice: the kit must."""


class PoisonError(Exception):
    """A fact that cannot be booked."""


async def write(database: Database, account: UUID, entries: int = 1) -> list[UUID]:
    """Write entries and record their facts, in one transaction."""
    written = [new_id() for _ in range(entries)]
    async with database.transaction() as tx:
        for entry in written:
            await db.run(tx, "INSERT INTO entries VALUES ($1, $2)", entry, account)
            await record(
                tx,
                ProviderAdded(provider_id=str(entry)),
                organization_id=ORGANIZATION,
                aggregate="provider",
                aggregate_id=account,
                at=await db.value(tx, "SELECT clock_timestamp()"),
                by=service_viewer(NAME),
            )
    return written


async def book(tx: Connection, heard: Heard) -> None:
    """The effect of a fact. An entry listed in `poisoned` cannot be booked."""
    entry = UUID(heard.fact.provider_id)
    if await db.value(tx, "SELECT 1 FROM poisoned WHERE entry = $1", entry):
        raise PoisonError(f"entry {entry} cannot be booked")
    await db.run(
        tx,
        "INSERT INTO booked (event_id, account, sequence) VALUES ($1, $2, $3)",
        heard.event_id,
        heard.aggregate_id,
        heard.sequence,
    )


HEARS = (Hearing("directory", "provider", {ProviderAdded: book}),)


class Servicer(directory_pb2_grpc.DirectoryServicer):
    """Answers about offices: the name of each is the viewer who asked. Some ids are special, see `ANSWERS`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def Offices(  # noqa: N802 - gRPC's name
        self,
        request: directory_pb2.OfficesRequest,
        _: grpc.aio.ServicerContext[directory_pb2.OfficesRequest, directory_pb2.OfficesReply],
    ) -> directory_pb2.OfficesReply:
        wanted = request.office_ids[0] if request.office_ids else ""
        if wanted == "refused":
            raise Conflict(
                "Work is open.",
                code="OPEN_WORK",
                field="officeId",
                remedy="Reassign it.",
                total=int(request.organization_id),
                ids=[str(new_id()) for _ in range(int(request.organization_id))],
            )
        if wanted == "faulty":
            raise RuntimeError("a secret of the service")
        if wanted == "slow":
            await self._database.pool.execute("SELECT pg_sleep(30)")
        viewer = current_viewer()
        known = directory_pb2.KnownOffice(name=str(viewer.user_id or viewer.service))
        return directory_pb2.OfficesReply(offices=[known])


async def count_calls(parts: Parts[None]) -> None:
    """A job that leaves a trace, and notices when it is not alone."""
    async with parts.db.pool.acquire() as connection:
        await connection.execute("INSERT INTO calls (what) VALUES ('begin')")
        await connection.execute("SELECT pg_sleep(0.05)")
        await connection.execute("INSERT INTO calls (what) VALUES ('end')")


async def die(parts: Parts[None]) -> None:
    """Background work that fails for good once there are entries."""
    while not await parts.db.pool.fetchval("SELECT count(*) FROM entries"):
        await asyncio.sleep(0.02)
    raise RuntimeError("a secret of the service")


Info = strawberry.Info[Context[None], None]


@strawberry.type
class Written:
    """What was written."""

    id: strawberry.ID


WriteResult = Written | CommonProblems


@strawberry.federation.type(keys=["id"])
class User:
    """Somebody."""

    id: strawberry.ID


@strawberry.type
class Query:
    """Reads of the ledger."""

    ledger_audit = audit_field(NAME, user=User, permit=lambda viewer: viewer.require_organization())

    @strawberry.field
    async def entries(self, info: Info) -> int:
        """How many there are."""
        async with info.context.call.db.reading() as tx:
            return int(await db.value(tx, "SELECT count(*) FROM entries"))

    @strawberry.field
    async def slowly(self, info: Info, seconds: float) -> str:
        """An answer that takes its time."""
        await info.context.call.db.pool.execute("INSERT INTO calls (what) VALUES ('slowly')")
        await info.context.call.db.pool.execute("SELECT pg_sleep($1)", seconds)
        return "done"

    @strawberry.field
    async def faulty(self) -> str:
        """A fault with a secret in its text."""
        raise RuntimeError("a secret of the service")


@strawberry.type
class Mutation:
    """Writes of the ledger."""

    @mutation
    async def write(self, info: Info, account: strawberry.ID) -> WriteResult:
        """Write one entry."""
        (entry,) = await write(info.context.call.db, UUID(account))
        return Written(id=strawberry.ID(str(entry)))


@strawberry.type
class Subscription:
    """The ledger, live."""

    @strawberry.subscription
    async def ticks(self, info: Info, until: int = 1_000_000) -> AsyncGenerator[int, None]:
        """Count as entries are written. Its end is written down."""
        pool = info.context.call.db.pool
        try:
            for tick in range(until):
                yield tick
                while await pool.fetchval("SELECT count(*) FROM entries") <= tick:
                    await asyncio.sleep(0.02)
        finally:
            await pool.execute("INSERT INTO calls (what) VALUES ('closed')")


schema = build_schema(Query, Mutation, Subscription)


def _rpc(parts: Parts[None]) -> list[AddServicer]:
    servicer = Servicer(parts.db)  # type: ignore[abstract] # the other methods answer UNIMPLEMENTED
    return [lambda server: directory_pb2_grpc.add_DirectoryServicer_to_server(servicer, server)]


def _no_peers(_: object) -> None:
    return None


def build(environment: Mapping[str, str] = os.environ, **more: object) -> Service[None]:
    """The service; `more` replaces what it declares."""
    declared = {
        "name": NAME,
        "settings": load(ServiceSettings, NAME, environment),
        "schema": schema,
        "peers": _no_peers,
        "rpc": _rpc,
        "hearings": lambda _: HEARS,
        "background": (die,) if environment.get("LEDGER_DIES") else (),
        "jobs": (Job("count", timedelta(hours=1), count_calls),),
    }
    return Service(**(declared | more))  # type: ignore[arg-type]


if __name__ == "__main__":
    run(NAME, build)

__all__ = ["HEARS", "NAME", "ORGANIZATION", "TABLES", "Peer", "PoisonError", "build", "write"]
