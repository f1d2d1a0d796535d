"""Files beside GraphQL: what `/files/<subgraph>/...` is sent is passed on to the subgraph, and its answer back, never held whole.

The gateway knows no more of a file than of anything else: it finds out who asks, as for a mutation, and signs it; the subgraph decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from gateway.http.answers import Body, Rejected, error, log, passed_on
from gateway.http.edge import Edge, failed
from gateway.http.fetches import REQUEST_ID
from gateway.http.graphql import SAFE, SAFE_ID
from gateway.http.params import JSON, too_slow
from gateway.subgraphs import (
    FILE_PATIENCE,
    FileReply,
    FileRequest,
    SubgraphError,
    SubgraphSilent,
    WireError,
)
from kit.errors import RateLimited, Unauthenticated, Unavailable
from kit.logs import client_address, request_id

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    from starlette.types import Message, Receive, Scope, Send

    from kit.auth import Viewer

PIECE_PATIENCE = 10.0
"""Seconds in which another piece of a file must have come."""

HEARD_OUT = 5.0
MOST_HEARD_OUT = 50_000_000
"""Seconds and bytes for which the rest of a refused file is listened to."""

AT_ONCE = 64
AT_ONCE_EACH = 4
"""Files on their way at once: of everybody, and of one user."""

CONFINED = "default-src 'none'; sandbox"
"""Should a browser ever show a file in spite of its disposition, nothing in it runs."""

_PATH = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+){0,7}")
_QUERY = re.compile(r"[A-Za-z0-9_=&-]{0,200}")
_PASSED_IN = ("content-type", "content-length", "x-file-name", "idempotency-key")
_PASSED_OUT = ("content-type", "content-length", "content-disposition")
_MOST_ERROR = 64_000
_OK = range(200, 300)


class FilesDoor:
    """The door for files, as an ASGI application."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._under_way: Counter[UUID | None] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one file on; whatever goes wrong before the answer begins is told in GraphQL's shape."""
        heard = _Heard(receive)
        request = Request(scope, heard)
        given = request.headers.get(REQUEST_ID, "")
        request_id.set(given if SAFE_ID.fullmatch(given) else uuid4().hex)
        client_address.set(request.client.host if request.client else "")
        with ExitStack() as stack:
            try:
                response = await self._answer(request, stack)
            except ClientDisconnect:
                return
            except Exception as fault:  # noqa: BLE001 - the last resort: everything is told, faults masked
                response = _told(failed(fault))
                if not heard.whole:
                    await _hear_out(request)
            response.headers[REQUEST_ID] = request_id.get()
            await response(scope, receive, send)

    async def _answer(self, request: Request, stack: ExitStack) -> Response:
        if request.method not in {"GET", "POST"}:
            message = f"{request.method} is not served here."
            raise Rejected([error("METHOD_NOT_ALLOWED", message, remedy="Use GET or POST.")], 405)
        session = await self._edge.session(request.headers.get("authorization"), fresh=True)
        if session.anonymous:
            raise Unauthenticated("Sign in first.", remedy="Send an access token from signIn.")
        subgraph, path = self._place(request)
        stack.enter_context(self._counted(session.viewer.user_id))
        reply = await self._ask(subgraph, self._passed_on(request, session.viewer, subgraph, path))
        if reply.exchange.status not in _OK:
            raise await _refused(subgraph, reply)
        return Passed(reply)

    def _place(self, request: Request) -> tuple[str, str]:
        """Which subgraph, and its path with the query. Nothing in it could lead elsewhere."""
        subgraph, path = request.path_params["subgraph"], request.path_params["path"]
        query = request.url.query
        sound = _PATH.fullmatch(path) and _QUERY.fullmatch(query)
        if subgraph not in self._edge.subgraphs.names or not sound:
            raise _nothing_here()
        return subgraph, f"/files/{path}" + (f"?{query}" if query else "")

    def _passed_on(self, request: Request, viewer: Viewer, subgraph: str, path: str) -> FileRequest:
        signed = self._edge.signer.headers(viewer, audience=subgraph, request_id=request_id.get())
        if request.method == "GET":
            return FileRequest("GET", path, signed, _no_body())
        return FileRequest("POST", path, signed | _passed_in(request.headers), _body_of(request))

    @contextmanager
    def _counted(self, user_id: UUID | None) -> Iterator[None]:
        """Count a file as under way meanwhile; RateLimited when there are too many."""
        if self._under_way.total() >= AT_ONCE or self._under_way[user_id] >= AT_ONCE_EACH:
            raise RateLimited(
                "Too many files are on their way.",
                code="TOO_MANY_FILES",
                remedy="Wait until one has arrived.",
            )
        self._under_way[user_id] += 1
        try:
            yield
        finally:
            self._under_way[user_id] -= 1
            self._under_way += Counter()  # forgets whom it has none of

    async def _ask(self, subgraph: str, asked: FileRequest) -> FileReply:
        try:
            return await self._edge.subgraphs.pass_on(subgraph, asked)
        except SubgraphSilent:
            raise too_slow() from None
        except SubgraphError as trouble:
            log.warning(
                "a subgraph gave no answer", extra={"subgraph": subgraph, "because": trouble.reason}
            )
            away = "That part of the suite does not answer."
            raise Unavailable(away, remedy="Try again in a moment.") from None


class _Heard:
    """What the client sends, and whether all of it has come: nothing more can be asked for then."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.whole = False

    async def __call__(self) -> Message:
        """What comes next."""
        message = await self._receive()
        self.whole = not message.get("more_body", False)
        return message


class Passed(StreamingResponse):
    """A subgraph's answer as it comes; a client that does not take it is given up."""

    def __init__(self, reply: FileReply) -> None:
        given = reply.exchange.headers
        headers = {name: given[name] for name in _PASSED_OUT if name in given}
        headers |= SAFE | {"content-security-policy": CONFINED}
        super().__init__(reply.body(), reply.exchange.status, headers)
        self._reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            async with asyncio.timeout(FILE_PATIENCE):
                await super().__call__(scope, receive, send)
        except (TimeoutError, WireError) as trouble:
            log.warning("a file was cut off", extra={"because": type(trouble).__name__})
        finally:
            self._reply.close()


def _passed_in(headers: Mapping[str, str]) -> dict[str, str]:
    given = {name: headers[name] for name in _PASSED_IN if name in headers}
    if not all(value.isascii() and value.isprintable() for value in given.values()):
        raise Rejected([error("BAD_REQUEST", "A header holds more than plain ASCII.")], 400)
    if "content-length" not in given:
        remedy = "Send a Content-Length."
        raise Rejected([error("LENGTH_REQUIRED", "How long is the file?", remedy=remedy)], 411)
    return given


async def _no_body() -> AsyncGenerator[bytes]:
    return
    yield b""


async def _body_of(request: Request) -> AsyncGenerator[bytes]:
    """The body as it comes; refused when it stands still."""
    pieces = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(PIECE_PATIENCE):
                piece = await anext(pieces, None)
        except TimeoutError:
            raise too_slow() from None
        if piece is None:
            return
        if piece:
            yield piece


async def _hear_out(request: Request) -> None:
    """Let the rest of a refused file come. Many clients listen only after they have sent all, and a connection that is closed on
    them before that tells them nothing."""
    if request.headers.get("connection", "").lower() != "close":
        return
    heard = 0
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(HEARD_OUT):
            async for piece in request.stream():
                heard += len(piece)
                if heard > MOST_HEARD_OUT:
                    return


async def _refused(subgraph: str, reply: FileReply) -> Rejected:
    """What the subgraph refuses with, fit for the client."""
    status = reply.exchange.status
    try:
        told: Any = orjson.loads(await reply.whole(_MOST_ERROR))
        errors: list[Any] = told["errors"]
    except (WireError, ValueError, KeyError, TypeError):
        if status == 404:  # noqa: PLR2004 - the status itself
            return _nothing_here()
        errors = [{}]
    bodies: list[Body] = [passed_on(subgraph, one) for one in errors]
    return Rejected(bodies, status)


def _nothing_here() -> Rejected:
    return Rejected([error("NOT_FOUND", "There is nothing here.")], 404)


def _told(refusal: Rejected) -> Response:
    status = refusal.status or 400
    response = Response(orjson.dumps({"errors": refusal.errors}), status, dict(SAFE), JSON)
    if status == 401:  # noqa: PLR2004 - the status itself
        response.headers["www-authenticate"] = "Bearer"
    if status == 405:  # noqa: PLR2004 - the status itself
        response.headers["allow"] = "GET, POST"
    return response
