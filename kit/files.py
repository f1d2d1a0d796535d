"""The door for files of a subgraph, beside GraphQL: for whom the gateway brings, and no body is ever held whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from kit.auth import Viewer
from kit.errors import Invalid, Refusal, Unavailable
from kit.logs import client_address, request_id
from kit.service import Parts
from kit.subgraph import (
    CLIENT_HEADER,
    REQUEST_ID_HEADER,
    masked,
    refused,
    require_from_gateway,
    viewer_of,
)

NAME_HEADER = "x-file-name"
"""The name of an uploaded file, percent-encoded UTF-8. Never in the URL: those end in logs, and a name may be a patient's."""

KEY_HEADER = "idempotency-key"
PIECE_PATIENCE = 10.0
"""Seconds in which another piece of an upload must have come."""

Answer = Callable[[Request, Viewer], Awaitable[Response]]


def file_route(path: str, method: str, answer: Answer, parts: Callable[[], Parts[Any]]) -> Route:
    """A route below /files/. What `answer` refuses, and what goes wrong, is told as GraphQL tells it."""

    async def endpoint(request: Request) -> Response:
        request_id.set(request.headers.get(REQUEST_ID_HEADER) or uuid4().hex)
        client_address.set(request.headers.get(CLIENT_HEADER, ""))
        try:
            viewer = viewer_of(request, parts())
            require_from_gateway(viewer)
            return await answer(request, viewer)
        except ClientDisconnect:
            return Response(status_code=400)
        except Refusal as refusal:
            return _json({"errors": [refused(refusal)]}, refusal.http_status)
        except Exception as fault:  # noqa: BLE001 - masked logs it
            return _json({"errors": [masked(fault)]}, 500)

    return Route(f"/files/{path}", endpoint, methods=[method])


def length_of(request: Request, most: int) -> int:
    """How long an upload says it is, before a byte of it is read; Invalid when it is nothing or too much."""
    given = request.headers.get("content-length", "")
    length = int(given) if given.isascii() and given.isdigit() and len(given) < 16 else -1  # noqa: PLR2004 - digits of any size there is
    if length < 0:
        raise Invalid("How long is the file?", code="LENGTH_REQUIRED", remedy="Send its length.")
    if length == 0:
        raise Invalid("The file is empty.", code="EMPTY_FILE")
    if length > most:
        raise Invalid(
            f"A file may have {most:,} bytes.", code="TOO_LARGE", remedy="Send a smaller one."
        )
    return length


def name_of(request: Request) -> str:
    """The name an upload was given, as it was meant; Invalid when it is no text."""
    try:
        return unquote(request.headers.get(NAME_HEADER, ""), errors="strict")
    except UnicodeDecodeError:
        raise Invalid(
            f"{NAME_HEADER} is not UTF-8, percent-encoded.", code="BAD_TEXT", field="name"
        ) from None


async def pieces_of(request: Request) -> AsyncGenerator[bytes]:
    """The body as it comes; Unavailable when it stands still, ClientDisconnect when it breaks off."""
    stream = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(PIECE_PATIENCE):
                piece = await anext(stream, None)
        except TimeoutError:
            raise Unavailable(
                "The file did not come.", code="UPLOAD_TIMEOUT", remedy="Send it again."
            ) from None
        if piece is None:
            return
        if piece:
            yield piece


def download(name: str, media_type: str, length: int, body: AsyncIterator[bytes]) -> Response:
    """A file as an answer: to be kept by nobody on the way, and saved by a browser rather than shown."""
    headers = {
        "content-length": str(length),
        "content-disposition": disposition(name),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    response = StreamingResponse(body, headers=headers)
    response.headers["content-type"] = media_type
    return response


def disposition(name: str) -> str:
    """The header that names a download, as RFC 6266 has it: once in ASCII, once as it is. Nothing in a name leaves it."""
    plain = "".join(
        one if (one.isascii() and one.isalnum()) or one in " ._-" else "_" for one in name
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def made(body: object) -> Response:
    """The answer to an upload that was kept."""
    return _json(body, 201)


def _json(body: object, status: int) -> Response:
    return Response(orjson.dumps(body, default=str), status, media_type="application/json")
