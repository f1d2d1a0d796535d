"""The gateway as one process: its parts wired together, started and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from contextlib import asynccontextmanager
from socket import AF_INET, AF_INET6, create_server, socket
from typing import TYPE_CHECKING, Any

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute

from gateway.auth import Identity, Revocations, Sessions
from gateway.config import GatewaySettings
from gateway.http.dev import clock_route
from gateway.http.edge import Edge
from gateway.http.files import FilesDoor
from gateway.http.graphiql import graphiql_routes
from gateway.http.graphql import GraphQLDoor
from gateway.http.params import MAX_BODY
from gateway.http.stages import Stages
from gateway.http.websocket import WebSocketDoor
from gateway.limits import Budget, Limits
from gateway.subgraphs import Bounds, Subgraphs
from gateway.supergraph import SupergraphError, load_supergraph
from kit.clock import RESYNC
from kit.config import Mode, SettingsError, load
from kit.errors import Refusal
from kit.garbage import settle
from kit.logs import start_logging

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request
    from starlette.responses import Response

log = logging.getLogger(__name__)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""All are taken so that the wrong ones are answered in GraphQL's shape."""

START_RETRY = 0.1
END_RETRY = 0.2


def build(settings: GatewaySettings) -> tuple[Starlette, Edge]:
    """The gateway as an ASGI application, and the edge it serves. SupergraphError when the supergraph cannot be used."""
    edge = _edge(settings)
    development = settings.mode is Mode.DEVELOPMENT
    routes = [
        Route("/livez", _alive),
        Route("/readyz", _ready(edge)),
        Route("/graphql", GraphQLDoor(edge).serve, methods=list(METHODS)),
        WebSocketRoute("/graphql", WebSocketDoor(edge).serve),
        Route("/files/{subgraph}/{path:path}", FilesDoor(edge), methods=list(METHODS)),
    ]
    if development:
        routes += [clock_route(edge), *graphiql_routes()]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with _running(edge):
            yield

    return Starlette(routes=routes, lifespan=lifespan, middleware=_middleware(settings)), edge


def _edge(settings: GatewaySettings) -> Edge:
    supergraph = load_supergraph(settings.supergraph.read_text(encoding="utf-8"))
    urls = {
        name: url for name, url in settings.subgraph_urls.items() if name in supergraph.subgraphs
    }
    if missing := set(supergraph.subgraphs) - urls.keys():
        message = f"the supergraph names subgraphs without an address: {', '.join(sorted(missing))}"
        raise SupergraphError(message)
    limits = Limits(introspection=settings.mode is Mode.DEVELOPMENT)
    identity = Identity(settings.identity_rpc, key=settings.viewer_key)
    revocations = Revocations(settings.nats_url)
    return Edge(
        settings=settings,
        stages=Stages(supergraph, limits),
        subgraphs=Subgraphs(urls, Bounds(total=settings.subgraph_timeout)),
        identity=identity,
        sessions=Sessions(identity, revocations),
        revocations=revocations,
        budget=Budget(settings.cost_per_minute),
    )


def _middleware(settings: GatewaySettings) -> list[Middleware]:
    if not settings.allowed_origins:
        return []
    cors: dict[str, Any] = {
        "allow_origins": sorted(settings.allowed_origins),
        "allow_methods": ["GET", "POST"],
        "allow_headers": [
            "authorization",
            "content-type",
            "idempotency-key",
            "x-file-name",
            "x-request-id",
            "x-suite-request",
        ],
        "expose_headers": ["content-disposition", "x-request-id"],
        "max_age": 600,
    }
    return [Middleware(CORSMiddleware, **cors)]


@asynccontextmanager
async def _running(edge: Edge) -> AsyncIterator[None]:
    """Listen for revocations and keep the time while the gateway serves."""
    with edge.revocations.heard_by(edge.sessions.forget):
        tasks = [
            asyncio.create_task(edge.revocations.run()),
            asyncio.create_task(_keep_time(edge.identity)),
        ]
        try:
            yield
        finally:
            edge.stopping.set()
            await _end(tasks)
            await edge.subgraphs.close()
            await edge.identity.close()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel until they have ended: a cancellation that meets a finishing wait inside nats-py is lost."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=END_RETRY)


async def _keep_time(identity: Identity) -> None:
    """Ask identity for the time: until it has answered once, and now and then after that."""
    trouble = ""
    while True:
        found = ""
        try:
            await identity.synchronize()
        except Refusal as refusal:
            found = refusal.code
        except Exception as fault:
            found = type(fault).__name__
            if found != trouble:
                log.exception("the time could not be asked for")
        if found and found != trouble:
            log.warning("identity does not tell the time", extra={"because": found})
        trouble = found
        await asyncio.sleep(START_RETRY if trouble else RESYNC.total_seconds())


async def _alive(_: Request) -> Response:
    return JSONResponse({"alive": True})


def _ready(edge: Edge) -> Any:  # noqa: ANN401 - an endpoint, as Starlette types it
    async def ready(_: Request) -> Response:
        if not edge.identity.synchronized or edge.stopping.is_set():
            because = "stopping" if edge.stopping.is_set() else "identity has not answered yet"
            return JSONResponse({"ready": False, "because": because}, 503)
        return JSONResponse({"ready": True, "broker": edge.revocations.hearing})

    return ready


class Server(uvicorn.Server):
    """Serves until SIGTERM; tells live queries that it is time to end, before it waits for them."""

    def __init__(self, config: uvicorn.Config, edge: Edge) -> None:
        super().__init__(config)
        self.edge = edge

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn's own, do not raise them once more at the end: a stop that was asked for is no failure."""
        loop = asyncio.get_running_loop()
        for caught in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(caught, self.handle_exit, caught, None)
        try:
            yield
        finally:
            for caught in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(caught)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End what is live, then drain."""
        await self.edge.stop()
        await super().shutdown(sockets)


def server(settings: GatewaySettings) -> Server:
    """The gateway, ready to serve. Call it where the loop runs: gRPC channels belong to the loop they are made in."""
    app, edge = build(settings)
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        ws="websockets-sansio",
        ws_max_size=MAX_BODY,
        timeout_graceful_shutdown=settings.shutdown_grace,
    )
    return Server(config, edge)


def listen(settings: GatewaySettings) -> socket:
    """The socket to serve on; OSError when the port is taken."""
    family = AF_INET6 if ":" in settings.http_host else AF_INET
    return create_server((settings.http_host, settings.http_port), family=family)


async def serve(settings: GatewaySettings, listener: socket) -> None:
    """Serve until SIGTERM."""
    gateway = server(settings)
    settle()
    await gateway.serve([listener])


def run() -> None:
    """The main of the gateway: read the settings, serve until SIGTERM, then drain. Exit code 2 when a setting or the
    supergraph is wrong, 1 when the port cannot be listened on."""
    try:
        settings = load(GatewaySettings, "gateway")
        start_logging("gateway", settings.log_level)
        with (
            listen(settings) as listener,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(serve(settings, listener))
    except (SettingsError, SupergraphError) as problem:
        sys.stderr.write(f"gateway: {problem}\n")
        sys.exit(2)
    except OSError as error:
        sys.stderr.write(
            f"gateway: HTTP_HOST and HTTP_PORT cannot be listened on: {error.strerror}\n"
        )
        sys.exit(1)
