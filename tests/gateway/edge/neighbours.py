"""The gateway's neighbours for tests: two small subgraphs and an identity, over real sockets, each doing as it is told."""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import uvicorn
from google.protobuf.timestamp_pb2 import Timestamp
from graphql import ExecutionResult, build_schema, graphql, parse, subscribe
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from kit.auth import VIEWER_HEADER, Kind, Viewer, verify_viewer
from kit.clock import Clock, Reading
from kit.errors import Refusal, Unauthenticated
from kit.rpc import open_door, whatever_the_time
from proto.identity.v1.identity_pb2 import (
    IntrospectRequest,
    TimeReply,
    TimeRequest,
    ViewerReply,
)
from proto.identity.v1.identity_pb2_grpc import (
    IdentityServicer,
    add_IdentityServicer_to_server,
)

KEY = bytes.fromhex("5e" * 32)

FEDERATION = "scalar _Any union _Entity = Provider type _Service { sdl: String }"

IDENTITY = """
type Query { viewer: String! requestId: String! _entities(representations: [_Any!]!): [_Entity]! }
type Mutation { signIn(email: String!, password: String!): SignInResult! }
union SignInResult = Session | InvalidProblem
type Session { accessToken: String! user: User! }
type User { id: ID! organization: Organization }
type Organization { id: ID! name: String! }
type InvalidProblem { code: String! message: String! }
type Provider { id: ID! login: String }
"""

DIRECTORY = """
type Query {
  providers(first: Int, after: String): ProviderConnection!
  provider(id: ID!): Provider
  slow(seconds: Float!): String
  broken: String
  refused: String
  large(bytes: Int!): String
  _entities(representations: [_Any!]!): [_Entity]!
}
type Mutation { rename(id: ID!, name: String!): RenameResult! }
type Subscription { ticks(upTo: Int!): Tick! }
type Tick { number: Int! provider: Provider }
union RenameResult = Provider | DeniedProblem
type DeniedProblem { code: String! message: String! }
type ProviderConnection { edges: [ProviderEdge!]! }
type ProviderEdge { node: Provider! }
type Provider { id: ID! name: String! colleagues: [Provider!]! }
"""


class Subgraph:
    """A subgraph that answers from a root value, and remembers what it was asked."""

    def __init__(
        self, name: str, sdl: str, root: Callable[[Subgraph], dict[str, Any]], clock: Clock
    ) -> None:
        self.name = name
        self.clock = clock
        self.schema = build_schema(sdl + FEDERATION)
        self.root = root(self)
        self.asked: list[dict[str, Any]] = []
        self.offsets: list[timedelta] = []
        self.viewer = Viewer()
        self.request_id = ""
        self.client = ""
        self.client_address = ""
        self.streams = 0
        self.left = asyncio.Event()
        self.stop_streams = asyncio.Event()
        self.stuck = False
        self.hangs = False
        self.answer_with: Response | None = None
        self.file_headers: dict[str, str] = {}
        self.file_bytes = 0
        self.file_sent = 0

    def app(self) -> Starlette:
        """The subgraph's HTTP door."""
        return Starlette(
            routes=[
                Route("/graphql", self._graphql, methods=["POST"]),
                Route("/dev/clock", self._clock, methods=["POST"]),
                Route("/files/{name}", self._file, methods=["GET", "POST"]),
            ]
        )

    async def _graphql(self, request: Request) -> Response:
        if self.answer_with is not None:
            return self.answer_with
        try:
            self.viewer = self._viewer(request)
        except Unauthenticated:
            return JSONResponse({"errors": [{"message": "who is asking?"}]}, 401)
        self.request_id = request.headers["x-request-id"]
        self.client = request.headers["x-client-address"]
        self.client_address = request.headers["x-client-address"]
        body = await request.json()
        self.asked.append(body)
        if self.hangs:
            await _hung_up(request)
            self.left.set()
        if "text/event-stream" in request.headers.get("accept", ""):
            return StreamingResponse(self._events(body), media_type="text/event-stream")
        result = await graphql(
            self.schema, body["query"], self.root, variable_values=body.get("variables")
        )
        return Response(orjson.dumps(result.formatted), media_type="application/json")

    async def _events(self, body: dict[str, Any]) -> AsyncIterator[bytes]:
        self.streams += 1
        try:
            begun = subscribe(
                self.schema, parse(body["query"]), self.root, None, body.get("variables")
            )
            results = await begun if inspect.isawaitable(begun) else begun
            assert not isinstance(results, ExecutionResult), results.errors
            async for result in results:
                yield b"event: next\ndata: " + orjson.dumps(result.formatted) + b"\n\n"
            yield b"event: complete\ndata:\n\n"
        finally:
            self.streams -= 1
            self.left.set()

    async def _file(self, request: Request) -> Response:
        """Takes a file in or hands one out, as its name says."""
        self.viewer = self._viewer(request)
        self.file_headers = dict(request.headers)
        self.file_bytes = 0
        if self.answer_with is not None:
            return self.answer_with
        try:
            async for piece in request.stream():
                self.file_bytes += len(piece)
        finally:
            self.left.set()
        if request.method == "POST":
            return JSONResponse({"bytes": self.file_bytes}, 201)
        size = int(request.path_params["name"])
        headers = {
            "content-length": str(size),
            "content-disposition": 'attachment; filename="a.bin"',
            "set-cookie": "a=1",
            "x-powered-by": "secret",
        }
        return StreamingResponse(self._bytes(size), headers=headers, media_type="image/png")

    async def _bytes(self, size: int) -> AsyncIterator[bytes]:
        self.file_sent = 0
        while self.file_sent < size:
            piece = bytes(min(100_000, size - self.file_sent))
            self.file_sent += len(piece)
            yield piece

    async def _clock(self, request: Request) -> Response:
        assert self._viewer(request).kind is Kind.SERVICE
        if self.stuck:
            return PlainTextResponse("stuck", 500)
        self.offsets.append(timedelta(microseconds=(await request.json())["offset_us"]))
        return JSONResponse({})

    def _viewer(self, request: Request) -> Viewer:
        signed = request.headers.get(VIEWER_HEADER, "")
        return verify_viewer(signed, audience=self.name, key=KEY, at=self.clock.real())


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def identity_root(subgraph: Subgraph) -> dict[str, Any]:
    """What the identity subgraph answers."""

    def sign_in(_info: object, email: str, password: str) -> dict[str, Any]:
        if password != "right":
            return {"__typename": "InvalidProblem", "code": "BAD_CREDENTIALS", "message": "No."}
        user = {"id": email, "organization": {"id": "o", "name": "Clinic"}}
        return {"__typename": "Session", "accessToken": "t", "user": user}

    return {
        "viewer": lambda _: str(subgraph.viewer.user_id or subgraph.viewer.kind),
        "requestId": lambda _: subgraph.request_id,
        "signIn": sign_in,
        "_entities": lambda _, representations: [
            {"__typename": "Provider", "id": one["id"], "login": f"login-{one['id']}"}
            for one in representations
        ],
    }


def provider(_info: object, id: str) -> dict[str, Any] | None:
    """Any provider but "none"."""
    if id == "none":
        return None
    colleague = {"__typename": "Provider", "id": f"{id}+", "name": f"Dr {id}+", "colleagues": []}
    return {"__typename": "Provider", "id": id, "name": f"Dr {id}", "colleagues": [colleague]}


async def slow(_info: object, seconds: float) -> str:
    """An answer that takes its time."""
    await asyncio.sleep(seconds)
    return "done"


def broken(_info: object) -> str:
    """A fault with a text that nobody may see."""
    raise ValueError("SELECT secret FROM patients")


def refused(_info: object) -> str:
    """A refusal with a code."""
    raise CodedError


def rename(_info: object, id: str, name: str) -> dict[str, Any]:
    """A mutation that is refused for one provider."""
    if id == "foreign":
        return {"__typename": "DeniedProblem", "code": "FORBIDDEN", "message": "Not yours."}
    return {"__typename": "Provider", "id": id, "name": name}


def directory_root(subgraph: Subgraph) -> dict[str, Any]:
    """What the directory subgraph answers. A subscription goes on after its ticks until streams are stopped."""

    async def ticks(_info: object, **given: int) -> AsyncIterator[dict[str, Any]]:
        for number in range(1, given["upTo"] + 1):
            yield {"ticks": {"number": number, "provider": provider(None, str(number))}}
        await subgraph.stop_streams.wait()

    return {
        "providers": lambda _, first=20: {
            "edges": [{"node": provider(None, str(number))} for number in range(first)]
        },
        "provider": provider,
        "slow": slow,
        "broken": broken,
        "refused": refused,
        "large": lambda _, bytes: "x" * bytes,
        "rename": rename,
        "ticks": ticks,
        "_entities": lambda _, representations: [
            provider(None, one["id"]) for one in representations
        ],
    }


class CodedError(Exception):
    """An error as our subgraphs give it for a refusal."""

    extensions = {"code": "FORBIDDEN", "reason": "FORBIDDEN"}  # noqa: RUF012

    def __str__(self) -> str:
        return "This is not yours."


class Identity(IdentityServicer):  # type: ignore[misc]
    """The identity service as the gateway asks it. `sessions` maps a token to its viewer, or to a refusal."""

    def __init__(self) -> None:
        self.sessions: dict[str, ViewerReply | Refusal] = {}
        self.introspections = 0
        self.before_answering: Callable[[], None] = lambda: None
        self.offset = timedelta()
        self.started = datetime.now(UTC)

    def add(
        self, token: str, user_id: UUID, *, expires_in: timedelta = timedelta(minutes=5)
    ) -> None:
        """A user with a token that ends after `expires_in` from now."""
        ends = Timestamp()
        ends.FromDatetime(datetime.now(UTC) + self.offset + expires_in)
        self.sessions[token] = ViewerReply(
            user_id=str(user_id), session_id=str(user_id), stage="full", expires_at=ends
        )

    def revoke(self, token: str) -> None:
        """The token is good no more."""
        self.sessions[token] = Unauthenticated("The session has ended.", remedy="Sign in again.")

    async def Introspect(self, request: IntrospectRequest, _context: object) -> ViewerReply:  # noqa: N802
        """Who is behind a token."""
        self.introspections += 1
        self.before_answering()
        found = self.sessions.get(request.access_token)
        if found is None:
            raise Unauthenticated("The access token is not valid.", remedy="Sign in again.")
        if isinstance(found, Refusal):
            raise found
        if found.expires_at.ToDatetime(tzinfo=UTC) <= datetime.now(UTC) + self.offset:
            raise Unauthenticated("The access token has ended.", remedy="Refresh it.")
        return found

    @whatever_the_time
    async def Time(self, _request: TimeRequest, _context: object) -> TimeReply:  # noqa: N802
        """What time it is."""
        now = Timestamp()
        now.FromDatetime(datetime.now(UTC))
        return TimeReply(database_time=now, offset_us=self.offset // timedelta(microseconds=1))


async def wall() -> Reading:
    """The neighbours' time."""
    return Reading(datetime.now(UTC), timedelta())


@asynccontextmanager
async def serving(server: uvicorn.Server) -> AsyncIterator[str]:
    """Run a server on a free port of loopback; answers its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    # uvicorn's own serve() would take over this process's signals
    task = asyncio.create_task(_served(server._serve([listener])))  # noqa: SLF001
    try:
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


async def _served(serve: Coroutine[Any, Any, None]) -> None:
    await serve


@asynccontextmanager
async def subgraph_server(subgraph: Subgraph) -> AsyncIterator[str]:
    """Serve a subgraph."""
    config = uvicorn.Config(
        subgraph.app(), log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    async with serving(uvicorn.Server(config)) as url:
        yield f"{url}/graphql"


@asynccontextmanager
async def identity_rpc(identity: Identity, *, port: int = 0) -> AsyncIterator[str]:
    """Serve identity's gRPC door; answers its address."""
    clock = Clock(wall)
    await clock.sync()
    server, port = await open_door(
        "identity",
        f"127.0.0.1:{port}",
        [lambda server: add_IdentityServicer_to_server(identity, server)],
        key=KEY,
        clock=clock,
    )
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)
