"""A service as one process: HTTP and gRPC doors, relay, consumer and jobs over one database; started and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import orjson
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kit import db, idempotency
from kit.audit.checkpoints import CheckpointFile, CheckpointStream, signing_key
from kit.audit.sealer import Place, Sealer
from kit.auth import Viewer, service_viewer
from kit.bus import Bus
from kit.clock import RESYNC, Clock
from kit.config import Mode, ServiceSettings, SettingsError
from kit.db import LOST_CONNECTION, Database, open_database
from kit.errors import Denied, Invalid, Refusal
from kit.garbage import settle
from kit.health import health_routes
from kit.inbox import Consumer, Hearing
from kit.logs import request_id, start_logging
from kit.outbox import Relay
from kit.rpc import AddServicer, Callers, Peer, open_door
from kit.tasks import stop

if TYPE_CHECKING:
    import grpc.aio

    from kit.graphql import Schema

log = logging.getLogger(__name__)

P = TypeVar("P")

JOBS_AT_ONCE = 2
"""A job holds one connection for its lock and uses another for its work: fewer jobs than connections, or none could go on."""


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
    """The parts of a running service. `stopping` is set when it is time to end, or when background work failed for good.

    `db` sees every organization's rows: it is for jobs, consumers and the relay; what a viewer asks goes through `call`.
    """

    name: str
    settings: ServiceSettings
    db: Database
    bus: Bus
    clock: Clock
    peers: P
    grpc_port: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    working: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(JOBS_AT_ONCE))

    def call(self, viewer: Viewer | None = None) -> Call[P]:
        """A call on behalf of `viewer`, or of the service itself: its transactions see what that one may see."""
        viewer = viewer or service_viewer(self.name)
        database = self.db.on_behalf_of(viewer)
        return Call(viewer, database, self.clock, self.peers, request_id.get())


@dataclass(frozen=True)
class Job(Generic[P]):
    """Work that is due now and then; one replica does it. It is also done whenever development moves the clock."""

    name: str
    every: timedelta
    run: Callable[[Parts[P]], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Service(Generic[P]):
    """A service, declared. `peers` is given a function that connects to a sibling (name, address); `callers` says of each RPC
    who may ask it; `besides`, within READY_TIMEOUT, what else is there or away, for /readyz."""

    name: str
    settings: ServiceSettings
    schema: Schema
    peers: Callable[[Callable[[str, str], Peer]], P]
    rpc: Callable[[Parts[P]], Sequence[AddServicer]] = lambda _: ()
    callers: Callers = field(default_factory=dict)
    hearings: Callable[[Parts[P]], Sequence[Hearing]] = lambda _: ()
    jobs: Sequence[Job[P]] = ()
    routes: Callable[[Callable[[], Parts[P]]], Sequence[Route]] = lambda _: ()
    background: Sequence[Callable[[Parts[P]], Coroutine[Any, Any, None]]] = ()
    besides: Callable[[Parts[P]], Coroutine[Any, Any, dict[str, bool]]] = lambda _: _nothing()

    def all_jobs(self) -> Sequence[Job[P]]:
        """The service's own jobs, and the kit's."""
        return (*self.jobs, Job("forget answers to retries", timedelta(hours=1), _forget_answers))


async def _nothing() -> dict[str, bool]:
    return {}


async def _forget_answers(parts: Parts[Any]) -> None:
    await idempotency.forget(parts.db, parts.clock.real())


# Running --------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def running(service: Service[P]) -> AsyncIterator[Parts[P]]:
    """Start everything but the HTTP door, and stop it in order: RPCs first, then background work, broker and database.

    The broker need not be there: facts wait in the outbox until it is. Background work that failed for good sets `stopping`,
    and is raised at the end.
    """
    settings = service.settings
    async with contextlib.AsyncExitStack() as stack:
        database = await open_database(settings.database_url, size=settings.pool_size)
        stack.push_async_callback(_close_pool, database)
        if missing := await db.missing_migrations(database, service.name):
            raise db.MigrationError(
                f"not applied yet: {', '.join(missing)}. Run ./suite migrate first."
            )
        await db.require_walls(database, strictly=settings.mode is Mode.PRODUCTION)
        clock = Clock(lambda: db.read_clock(database))
        await clock.sync()
        bus = Bus(settings.nats_url, name=service.name)
        stack.push_async_callback(bus.close)
        peers = service.peers(_connector(stack, service, clock))
        parts = Parts(service.name, settings, database.everywhere(), bus, clock, peers)
        server, port = await _open_rpc(service, parts)
        parts = replace(parts, grpc_port=port)
        stack.push_async_callback(_stop, _start(_background(service, parts), parts.stopping))
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
        callers=service.callers,
    )


def _background(service: Service[P], parts: Parts[P]) -> list[Coroutine[Any, Any, None]]:
    """Facts told and heard, the audit trail sealed, jobs, and the clock's care."""
    work = [Relay(parts.db, parts.bus).run(), sealer_of(parts).run(), _keep_time(parts.clock)]
    if hearings := service.hearings(parts):
        consumer = Consumer(service.name, parts.db, parts.bus, hearings)
        work += [consumer.run(), consumer.run_redrives()]
    work += [_repeat(job, parts) for job in service.all_jobs()]
    return work + [more(parts) for more in service.background]


def sealer_of(parts: Parts[Any]) -> Sealer:
    """What seals the service's audit trail, and writes its head into the broker and, where one is given, into a folder."""
    places: list[Place] = [CheckpointStream(parts.bus, parts.name)]
    if folder := parts.settings.audit_folder:
        places.append(CheckpointFile.of(Path(folder), parts.name))
    key = signing_key(parts.settings.audit_key, parts.name)
    return Sealer(parts.name, parts.db, key, places)


def _start(
    background: list[Coroutine[Any, Any, None]], stopping: asyncio.Event
) -> list[asyncio.Task[None]]:
    """Work that fails for good ends the process, which is then started anew."""

    def over(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("background work failed for good", exc_info=failure)
            stopping.set()

    tasks = [asyncio.create_task(work) for work in background]
    for task in tasks:
        task.add_done_callback(over)
    return tasks


async def _stop(background: list[asyncio.Task[None]]) -> None:
    if failures := await stop(background):
        raise ExceptionGroup("background work failed", failures)


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
    async with parts.working, parts.db.pool.acquire() as connection:
        if wait:
            await connection.execute("SELECT pg_advisory_lock($1)", lock)
        elif not await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock):
            return False
        try:
            await job.run(parts)
        finally:
            if not db.is_lost(connection):
                await connection.execute("SELECT pg_advisory_unlock($1)", lock)
    return True


# The HTTP door --------------------------------------------------------------------------------------------------------


def http_app(service: Service[P], parts: Parts[P]) -> Starlette:
    """The HTTP door of a running service, as an ASGI application."""
    from kit.subgraph import graphql_route  # noqa: PLC0415 - kit.subgraph needs Parts from here

    routes = [
        *health_routes(service, parts),
        graphql_route(service.schema, parts),
        *service.routes(lambda: parts),
    ]
    if service.settings.mode is Mode.DEVELOPMENT:
        routes.append(_clock_route(service, parts))
    return Starlette(routes=routes)


def _clock_route(service: Service[P], parts: Parts[P]) -> Route:
    """Development only: the gateway moves the clock of every service."""
    from kit.subgraph import refused, viewer_of  # noqa: PLC0415 - kit.subgraph needs Parts from here

    async def move(request: Request) -> Response:
        try:
            if viewer_of(request, parts).service != "gateway":
                raise Denied("Only the gateway moves the clock.")
            wanted = _offset(await request.body())
        except Refusal as refusal:
            return JSONResponse({"errors": [refused(refusal)]}, refusal.http_status)
        await move_time(service, parts, wanted)
        return JSONResponse({"now": parts.clock.now().isoformat()})

    return Route("/dev/clock", move, methods=["POST"])


def _offset(body: bytes) -> timedelta:
    try:
        return timedelta(microseconds=orjson.loads(body)["offset_us"])
    except (ValueError, KeyError, TypeError, OverflowError):
        raise Invalid(
            "The body must be JSON with a whole number offset_us.", field="offset_us"
        ) from None


async def move_time(service: Service[P], parts: Parts[P], offset: timedelta) -> None:
    """Development only: set the clock's offset, then do every job, so that what became due is done when this returns."""
    await db.move_clock(parts.db, offset)
    await parts.clock.sync()
    for job in service.all_jobs():
        await run_job(job, parts, wait=True)


class _Server(uvicorn.Server):
    """Serves until SIGTERM, or until the parts are stopping; tells open streams so before it waits for them."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn's own, do not raise them once more at the end: the other parts are still to be stopped."""
        loop = asyncio.get_running_loop()
        for caught in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(caught, self.handle_exit, caught, None)
        try:
            yield
        finally:
            for caught in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(caught)

    async def on_tick(self, counter: int) -> bool:
        """Asked ten times a second whether to end."""
        return await super().on_tick(counter) or self._stopping.is_set()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Stop accepting, end the streams, wait for requests in flight."""
        self._stopping.set()
        await super().shutdown(sockets)


def http_server(service: Service[P], parts: Parts[P]) -> uvicorn.Server:
    """The server of a running service's HTTP door."""
    settings = service.settings
    config = uvicorn.Config(
        http_app(service, parts),
        host=settings.http_host,
        port=settings.http_port,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=settings.shutdown_grace,
        server_header=False,
    )
    return _Server(config, parts.stopping)


async def serve(service: Service[P]) -> None:
    """Run a service with both its doors, until SIGTERM or until something failed for good, which is then raised."""
    async with running(service) as parts:
        log.info("ready")
        await http_server(service, parts).serve()


def run(name: str, build: Callable[[], Service[Any]]) -> None:
    """The main of a service: read the settings, serve until SIGTERM, then drain. Exit code 2 when a setting is wrong, 1 when
    something failed for good: a supervisor starts it anew."""
    try:
        service = build()
    except SettingsError as error:
        sys.stderr.write(f"{name}: {error}\n")
        sys.exit(2)
    start_logging(name, service.settings.log_level)
    settle()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(service))
    except db.MigrationError as error:
        sys.exit(f"{name}: {error}")
    except Exception:
        log.exception("the service ends")
        sys.exit(1)
