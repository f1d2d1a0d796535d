"""A service as one process: HTTP and gRPC doors, relay, consumer and jobs over one database; started and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kit import db
from kit.auth import Kind, Viewer, service_viewer
from kit.bus import Bus, open_bus
from kit.clock import RESYNC, Clock
from kit.config import Mode, ServiceSettings, SettingsError
from kit.db import LOST_CONNECTION, Database, open_database
from kit.errors import Denied, Refusal
from kit.inbox import Consumer, Hearing
from kit.logs import request_id, start_logging
from kit.outbox import Relay
from kit.rpc import AddServicer, Peer, open_door

if TYPE_CHECKING:
    import grpc.aio

    from kit.graphql import Schema

log = logging.getLogger(__name__)

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Call(Generic[P]):
    """Everything an action is given besides its own arguments."""

    viewer: Viewer
    db: Database
    clock: Clock
    peers: P
    request_id: str


@dataclass(frozen=True)
class Parts(Generic[P]):
    """The parts of a running service."""

    name: str
    settings: ServiceSettings
    db: Database
    bus: Bus
    clock: Clock
    peers: P
    grpc_port: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def call(self, viewer: Viewer | None = None) -> Call[P]:
        """A call on behalf of `viewer`, or of the service itself."""
        return Call(
            viewer or service_viewer(self.name), self.db, self.clock, self.peers, request_id.get()
        )


@dataclass(frozen=True)
class Job(Generic[P]):
    """Work that is due now and then; one replica does it. It is also done whenever development moves the clock."""

    name: str
    every: timedelta
    run: Callable[[Parts[P]], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Service(Generic[P]):
    """A service, declared. `peers` is given a function that connects to a sibling (name, address)."""

    name: str
    settings: ServiceSettings
    schema: Schema
    peers: Callable[[Callable[[str, str], Peer]], P]
    rpc: Callable[[Parts[P]], Sequence[AddServicer]] = lambda _: ()
    hearings: Callable[[Parts[P]], Sequence[Hearing]] = lambda _: ()
    jobs: Sequence[Job[P]] = ()
    routes: Callable[[Callable[[], Parts[P]]], Sequence[Route]] = lambda _: ()
    background: Sequence[Callable[[Parts[P]], Coroutine[Any, Any, None]]] = ()


# Running --------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def running(service: Service[P]) -> AsyncIterator[Parts[P]]:
    """Start everything but the HTTP door, and stop it in order: RPCs first, then background work, broker and database."""
    settings = service.settings
    async with contextlib.AsyncExitStack() as stack:
        database = await open_database(settings.database_url, size=settings.pool_size)
        stack.push_async_callback(_close_pool, database)
        if missing := await db.missing_migrations(database, service.name):
            raise db.MigrationError(
                f"not applied yet: {', '.join(missing)}. Run ./suite migrate first."
            )
        clock = Clock(lambda: db.read_clock(database))
        await clock.sync()
        bus = await open_bus(settings.nats_url, name=service.name)
        stack.push_async_callback(bus.close)
        peers = service.peers(_connector(stack, service, clock))
        parts = Parts(service.name, settings, database, bus, clock, peers)
        server, port = await _open_rpc(service, parts)
        parts = _with_port(parts, port)
        background = asyncio.create_task(_background(service, parts))
        stack.push_async_callback(_stop, background)
        stack.push_async_callback(server.stop, settings.shutdown_grace)
        yield parts


def _connector(
    stack: contextlib.AsyncExitStack, service: Service[P], clock: Clock
) -> Callable[[str, str], Peer]:
    def connect(name: str, address: str) -> Peer:
        peer = Peer(name, address, me=service.name, key=service.settings.viewer_key, clock=clock)
        stack.push_async_callback(peer.close)
        return peer

    return connect


async def _open_rpc(service: Service[P], parts: Parts[P]) -> tuple[grpc.aio.Server, int]:
    settings = service.settings
    return await open_door(
        service.name,
        f"{settings.http_host}:{settings.grpc_port}",
        service.rpc(parts),
        key=settings.viewer_key,
        clock=parts.clock,
    )


def _with_port(parts: Parts[P], port: int) -> Parts[P]:
    return Parts(
        parts.name,
        parts.settings,
        parts.db,
        parts.bus,
        parts.clock,
        parts.peers,
        port,
        parts.stopping,
    )


async def _background(service: Service[P], parts: Parts[P]) -> None:
    """Relay, consumer, jobs and the clock's care. One that fails for good takes the process down, to be started anew."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Relay(parts.db, parts.bus).run())
        tasks.create_task(_keep_time(parts.clock))
        if hearings := service.hearings(parts):
            consumer = Consumer(service.name, parts.db, parts.bus, hearings)
            tasks.create_task(consumer.run())
            tasks.create_task(consumer.run_redrives())
        for job in service.jobs:
            tasks.create_task(_repeat(job, parts))
        for work in service.background:
            tasks.create_task(work(parts))


async def _stop(background: asyncio.Task[None]) -> None:
    background.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await background


async def _close_pool(database: Database) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(database.pool.close(), 5)


async def _keep_time(clock: Clock) -> None:
    while True:
        await asyncio.sleep(RESYNC.total_seconds())
        try:
            await clock.sync()
        except (*LOST_CONNECTION, Refusal) as error:
            log.warning(
                "the clock could not be synchronized", extra={"because": type(error).__name__}
            )


async def _repeat(job: Job[P], parts: Parts[P]) -> None:
    while True:
        try:
            await run_job(job, parts)
        except (*LOST_CONNECTION, Refusal) as error:
            log.warning("a job waits", extra={"job": job.name, "because": type(error).__name__})
        except Exception:
            log.exception("a job failed", extra={"job": job.name})
        await asyncio.sleep(job.every.total_seconds())


async def run_job(job: Job[P], parts: Parts[P], *, wait: bool = False) -> bool:
    """Run a job unless another replica is at it (then False); with `wait`, after that one is done."""
    lock = int.from_bytes(
        hashlib.sha256(f"job {job.name}".encode()).digest()[:8], "big", signed=True
    )
    async with parts.db.pool.acquire() as connection:
        if wait:
            await connection.execute("SELECT pg_advisory_lock($1)", lock)
        elif not await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock):
            return False
        try:
            await job.run(parts)
        finally:
            if not connection.is_closed():
                await connection.execute("SELECT pg_advisory_unlock($1)", lock)
    return True


# The HTTP door --------------------------------------------------------------------------------------------------------


class _Held(Generic[P]):
    """The parts of a service once it has started."""

    def __init__(self) -> None:
        self._parts: Parts[P] | None = None

    def put(self, parts: Parts[P]) -> None:
        self._parts = parts

    def __call__(self) -> Parts[P]:
        if self._parts is None:
            raise RuntimeError("the service has not started")
        return self._parts

    @property
    def started(self) -> bool:
        return self._parts is not None


def http_app(service: Service[P]) -> tuple[Starlette, _Held[P]]:
    """The service as an ASGI application, and a way to its parts once it has started."""
    from kit.subgraph import graphql_route  # noqa: PLC0415 - kit.subgraph needs Parts from here

    held: _Held[P] = _Held()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with running(service) as started:
            held.put(started)
            log.info("ready")
            yield

    async def ready(_: Request) -> Response:
        try:
            await db.read_clock(held().db)
        except LOST_CONNECTION:
            return JSONResponse({"ready": False, "because": "the database does not answer"}, 503)
        return JSONResponse({"ready": True, "broker": held().bus.connected})

    async def alive(_: Request) -> Response:
        return JSONResponse({"alive": True})

    routes = [
        Route("/livez", alive),
        Route("/readyz", ready),
        graphql_route(service.schema, held),
        *service.routes(held),
    ]
    if service.settings.mode is Mode.DEVELOPMENT:
        routes.append(_clock_route(service, held))
    return Starlette(routes=routes, lifespan=lifespan), held


def _clock_route(service: Service[P], parts: Callable[[], Parts[P]]) -> Route:
    """Development only: the gateway moves the clock of every service."""
    from kit.subgraph import refused, viewer_of  # noqa: PLC0415 - kit.subgraph needs Parts from here

    async def move(request: Request) -> Response:
        try:
            if viewer_of(request, parts()).kind is not Kind.SERVICE:
                raise Denied("Only the gateway moves the clock.")
        except Refusal as refusal:
            return JSONResponse({"errors": [refused(refusal)]}, refusal.http_status)
        wanted = timedelta(microseconds=(await request.json())["offset_us"])
        await move_time(service, parts(), wanted)
        return JSONResponse({"now": parts().clock.now().isoformat()})

    return Route("/dev/clock", move, methods=["POST"])


async def move_time(service: Service[P], parts: Parts[P], offset: timedelta) -> None:
    """Development only: set the clock's offset, then do every job, so that what became due is done when this returns."""
    await db.move_clock(parts.db, offset)
    await parts.clock.sync()
    for job in service.jobs:
        await run_job(job, parts, wait=True)


class _Server(uvicorn.Server):
    """Tells the streams that are open that it is time to end, before it waits for them."""

    def __init__(self, config: uvicorn.Config, parts: _Held[Any]) -> None:
        super().__init__(config)
        self._parts = parts

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        if self._parts.started:
            self._parts().stopping.set()
        await super().shutdown(sockets)


def run(name: str, build: Callable[[], Service[Any]]) -> None:
    """The main of a service: read the settings, serve until SIGTERM, then drain. Exit code 2 when a setting is wrong."""
    try:
        service = build()
    except SettingsError as error:
        sys.exit(f"{name}: {error}")
    settings = service.settings
    start_logging(name, settings.log_level)
    app, parts = http_app(service)
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=settings.shutdown_grace,
        server_header=False,
    )
    server = _Server(config, parts)
    server.run()
    if not server.started:
        sys.exit(3)
