"""GET and POST /graphql: one operation a request, answered as JSON or as a stream of events."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from gateway.http.answers import Body, Rejected, error
from gateway.http.edge import Admitted, Ask, Edge, failed
from gateway.http.fetches import REQUEST_ID
from gateway.http.guard import check_get, check_post
from gateway.http.params import (
    BODY_PATIENCE,
    EVENT_STREAM,
    GRAPHQL_JSON,
    JSON,
    MAX_BODY,
    Accept,
    from_body,
    from_query,
    read_accept,
    too_large,
    too_slow,
)
from kit.config import Mode
from kit.logs import client_address, request_id

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from starlette.requests import Request

    from gateway.http.params import Params

KEEP_ALIVE = 12.0
"""Seconds of silence after which a stream carries a comment, so that both ends notice a dead one."""

SAFE_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""A request id that a client may choose."""

SAFE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_COMPLETE = b"event: complete\ndata:\n\n"


class GraphQLDoor:
    """The HTTP door."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    async def serve(self, request: Request) -> Response:
        """Answer one request; whatever goes wrong is told in GraphQL's shape."""
        given = request.headers.get(REQUEST_ID, "")
        request_id.set(given if SAFE_ID.fullmatch(given) else uuid4().hex)
        client_address.set(request.client.host if request.client else "")
        accept = read_accept(request.headers.get("accept"))
        try:
            response = await self._serve(request, accept)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as fault:  # noqa: BLE001 - the last resort: everything is told, faults masked
            response = _refusal(failed(fault), accept)
        response.headers[REQUEST_ID] = request_id.get()
        return response

    async def _serve(self, request: Request, accept: Accept) -> Response:
        if accept.media is None and not accept.stream:
            raise _not_acceptable(f"{GRAPHQL_JSON}, {JSON} or {EVENT_STREAM}")
        ask = Ask(
            params=await self._read(request),
            authorization=request.headers.get("authorization"),
            request_id=request_id.get(),
            explain=self._explain(request),
            by_get=request.method == "GET",
        )
        if accept.media is None:
            return await self._streamed(request, ask)
        admitted = await self._edge.admit(ask)
        if not admitted.live or ask.explain == "plan":
            return _json(await self._answer(request, ask, admitted), 200, accept.media)
        if accept.stream:
            return await self._streamed(request, ask, admitted)
        raise _not_acceptable(f"{EVENT_STREAM} for a subscription")

    async def _read(self, request: Request) -> Params:
        headers = request.headers
        if request.method == "GET":
            check_get(headers, self._edge.settings.allowed_origins)
            return from_query(request.query_params)
        if request.method != "POST":
            message = f"{request.method} is not served here."
            raise Rejected([error("METHOD_NOT_ALLOWED", message, remedy="Use POST.")], 405)
        check_post(headers)
        return from_body(await read_body(request))

    def _explain(self, request: Request) -> str:
        wanted = request.query_params.get("explain", request.headers.get("x-explain"))
        if wanted is None:
            return ""
        if self._edge.settings.mode is not Mode.DEVELOPMENT:
            raise Rejected(
                [error("EXPLAIN_DISABLED", "Plans are explained in development only.")], 403
            )
        if wanted not in {"", "plan", "run"}:
            remedy = "Say explain=plan, or explain=run to run it and see how long each fetch takes."
            raise Rejected([error("BAD_REQUEST", "`explain` is plan or run.", remedy=remedy)], 400)
        return wanted or "plan"

    async def _answer(self, request: Request, ask: Ask, admitted: Admitted) -> Body:
        """Run a query or a mutation. A query ends when its client leaves; a mutation that has begun is not cut off."""
        answer = self._edge.answer(admitted, ask)
        if admitted.operation.kind == "mutation":
            return await answer
        return await _while_connected(request, answer)

    async def _streamed(
        self, request: Request, ask: Ask, admitted: Admitted | None = None
    ) -> Response:
        """Errors of the GraphQL kind are told in the stream, as its one answer; a bad token is still a 401."""
        try:
            admitted = admitted or await self._edge.admit(ask)
        except Rejected as refusal:
            if refusal.status is not None:
                raise
            return _stream(_one({"errors": refusal.errors}))
        if admitted.live and ask.explain != "plan":
            return _stream(_events(self._edge, admitted, ask))
        return _stream(_one(await self._answer(request, ask, admitted)))


async def read_body(request: Request) -> bytes:
    """The body, refused as soon as it is known to be too large, or when it does not come."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_PATIENCE):
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_BODY:
                    raise too_large()
    except TimeoutError:
        raise too_slow() from None
    return bytes(body)


async def _while_connected(request: Request, answer: Coroutine[Any, Any, Body]) -> Body:
    """The answer, given up with a ClientDisconnect when nobody waits for it any more."""
    answering, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise ClientDisconnect
        return answering.result()
    finally:
        answering.cancel()
        leaving.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    """Wait until the client hangs up; its request has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _events(edge: Edge, admitted: Admitted, ask: Ask) -> AsyncGenerator[bytes]:
    """Server-sent events in the form of graphql-sse's distinct connections."""
    async with aclosing(edge.follow(admitted, ask)) as bodies:
        coming = asyncio.ensure_future(anext(bodies, None))
        try:
            while True:
                await asyncio.wait({coming}, timeout=KEEP_ALIVE)
                if not coming.done():
                    yield b":\n\n"
                    continue
                if (body := _outcome(coming)) is None:
                    break
                yield _event(body)
                coming = asyncio.ensure_future(anext(bodies, None))
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
    yield _COMPLETE


def _outcome(coming: asyncio.Future[Body | None]) -> Body | None:
    fault = coming.exception()
    if isinstance(fault, Exception):
        return {"errors": failed(fault).errors}
    return coming.result()


async def _one(body: Body) -> AsyncGenerator[bytes]:
    yield _event(body)
    yield _COMPLETE


def _event(body: Body) -> bytes:
    return b"event: next\ndata: " + orjson.dumps(body) + b"\n\n"


def _stream(events: AsyncGenerator[bytes]) -> Response:
    headers = {"x-accel-buffering": "no", **SAFE}
    return StreamingResponse(events, media_type=EVENT_STREAM, headers=headers)


def _json(body: Body, status: int, media: str) -> Response:
    content_type = f"{media}; charset=utf-8"
    headers = {"content-type": content_type, "vary": "accept", **SAFE}
    return Response(orjson.dumps(body), status, headers)


def _refusal(refusal: Rejected, accept: Accept) -> Response:
    media = accept.media or JSON
    status = refusal.status or (400 if media == GRAPHQL_JSON else 200)
    response = _json({"errors": refusal.errors}, status, media)
    if status == 401:  # noqa: PLR2004 - the status itself
        response.headers["www-authenticate"] = "Bearer"
    if status == 405:  # noqa: PLR2004 - the status itself
        response.headers["allow"] = "GET, POST"
    return response


def _not_acceptable(what: str) -> Rejected:
    message = "There is no answer in a form that the Accept header names."
    return Rejected([error("NOT_ACCEPTABLE", message, remedy=f"Accept {what}.")], 406)
