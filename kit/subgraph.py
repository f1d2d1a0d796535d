"""The HTTP door of a subgraph: GraphQL for the gateway and nobody else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import orjson
from graphql import ExecutionResult, GraphQLError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from kit.auth import VIEWER_HEADER, Kind, Viewer, verify_viewer
from kit.errors import FAULT_MESSAGE, Denied, Invalid, Refusal, Unavailable
from kit.graphql import Context, Schema
from kit.logs import client_address, request_id
from kit.service import Parts

log = logging.getLogger(__name__)

REQUEST_ID_HEADER = "x-request-id"
CLIENT_HEADER = "x-client-address"
MAX_BODY = 1_000_000
KEEP_ALIVE = 12.0
"""Seconds of silence after which a comment is sent, so that both ends notice a dead stream."""

Body = dict[str, Any]


def graphql_route(schema: Schema, parts: Parts[Any]) -> Route:
    """POST /graphql: one operation a request; a subscription is answered as server-sent events."""

    async def endpoint(request: Request) -> Response:
        request_id.set(request.headers.get(REQUEST_ID_HEADER) or uuid4().hex)
        client_address.set(request.headers.get(CLIENT_HEADER, ""))
        try:
            viewer = viewer_of(request, parts)
            require_from_gateway(viewer)
            body = await _read(request)
        except Refusal as refusal:
            return _json({"errors": [refused(refusal)]}, refusal.http_status)
        if "text/event-stream" in request.headers.get("accept", ""):
            return StreamingResponse(
                _events(schema, parts, viewer, body), media_type="text/event-stream"
            )
        return _json(await answer(schema, parts, viewer, body), 200)

    return Route("/graphql", endpoint, methods=["POST"])


def viewer_of(request: Request, parts: Parts[Any]) -> Viewer:
    """The viewer the gateway signed for this service; Unauthenticated without one."""
    return verify_viewer(
        request.headers.get(VIEWER_HEADER, ""),
        audience=parts.name,
        key=parts.settings.viewer_key,
        at=parts.clock.real(),
    )


def require_from_gateway(viewer: Viewer) -> None:
    """GraphQL is for users, and for nobody yet signed in, whom the gateway brings; our own parts ask over gRPC."""
    if viewer.kind is Kind.SERVICE or viewer.service:
        raise Denied("The suite's own parts ask over gRPC.")


async def answer(schema: Schema, parts: Parts[Any], viewer: Viewer, body: Body) -> Body:
    """Execute one query or mutation on behalf of `viewer`."""
    context = Context(call=parts.call(viewer))
    try:
        result = await schema.execute(
            body["query"],
            variable_values=body.get("variables"),
            operation_name=body.get("operationName"),
            context_value=context,
            allowed_operation_types=(OperationType.QUERY, OperationType.MUTATION),
        )
    except CannotGetOperationTypeError as error:
        return {"errors": [tell_error(GraphQLError(error.as_http_error_reason()))]}
    except InvalidOperationTypeError:
        return {
            "errors": [tell_error(GraphQLError("A subscription is asked for as an event stream."))]
        }
    return await _released(context, _told(result))


async def subscribe(
    schema: Schema, parts: Parts[Any], viewer: Viewer, body: Body
) -> AsyncGenerator[Body, None]:
    """The answers of a subscription on behalf of `viewer`, as they come."""
    context = Context(call=parts.call(viewer))
    results = await schema.subscribe(
        body["query"],
        variable_values=body.get("variables"),
        operation_name=body.get("operationName"),
        context_value=context,
    )
    async with aclosing(results):
        async for result in results:
            yield await _released(context, _told(result))


async def _released(context: Context[Any], told: Body) -> Body:
    """The answer, once it is written down what of patients is in it; a refusal in its place when that cannot be."""
    try:
        await context.reads.write_down(context.call)
    except Refusal as refusal:
        return {"errors": [refused(refusal)]}
    except Exception as fault:  # noqa: BLE001 - masked logs it
        return {"errors": [masked(fault)]}
    return told


async def _events(
    schema: Schema, parts: Parts[Any], viewer: Viewer, body: Body
) -> AsyncIterator[bytes]:
    """Server-sent events, in the form of graphql-sse's distinct connections.

    The subscription runs in a task of its own, which is cancelled when the client goes away: it can close what it holds.
    """
    coming: asyncio.Queue[Body | None] = asyncio.Queue(1)
    tasks = [
        asyncio.create_task(_follow(subscribe(schema, parts, viewer, body), coming)),
        asyncio.create_task(_say_goodbye(parts.stopping, coming)),
    ]
    try:
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE):
                    told = await coming.get()
            except TimeoutError:
                yield b":\n\n"
                continue
            if told is None:
                break
            yield b"event: next\ndata: " + orjson.dumps(told) + b"\n\n"
        yield b"event: complete\ndata:\n\n"
    finally:
        for task in tasks:
            task.cancel()


async def _follow(answers: AsyncGenerator[Body, None], coming: asyncio.Queue[Body | None]) -> None:
    try:
        async with aclosing(answers):
            async for told in answers:
                await coming.put(told)
    except Exception as fault:  # noqa: BLE001 - masked logs it
        await coming.put({"errors": [masked(fault)]})
    await coming.put(None)


async def _say_goodbye(stopping: asyncio.Event, coming: asyncio.Queue[Body | None]) -> None:
    await stopping.wait()
    goodbye = Unavailable("The service is stopping.", remedy="Subscribe again.")
    await coming.put({"errors": [refused(goodbye)]})
    await coming.put(None)


async def _read(request: Request) -> Body:
    raw = await request.body()
    if len(raw) > MAX_BODY:
        raise Invalid(f"The request is larger than {MAX_BODY} bytes.", code="TOO_LARGE")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Invalid("The request is not JSON.", code="BAD_REQUEST") from None
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise Invalid("The request needs a query.", code="BAD_REQUEST", field="query")
    if not isinstance(body.get("variables"), dict | None):
        raise Invalid("variables must be an object.", code="BAD_REQUEST", field="variables")
    return body


def _told(result: Any) -> Body:  # noqa: ANN401 - strawberry's results are duck-typed
    told: Body = {}
    if result.errors:
        told["errors"] = [tell_error(error) for error in result.errors]
    if (
        not result.errors
        or isinstance(result, ExecutionResult)
        or getattr(result, "data", None) is not None
    ):
        told["data"] = result.data
    return told


def tell_error(error: GraphQLError) -> Body:
    """An error as the client sees it: a refusal with its code, a bad request as it is, anything else masked and logged."""
    original = error.original_error
    while isinstance(original, GraphQLError):
        original = original.original_error
    if original is None:
        told: Body = dict(error.formatted)
        told["extensions"] = {"code": "GRAPHQL_VALIDATION_FAILED"} | (error.extensions or {})
        return told
    told = refused(original) if isinstance(original, Refusal) else masked(original)
    if error.path is not None:
        told["path"] = error.path
    return told


def refused(refusal: Refusal) -> Body:
    """A refusal outside a mutation's union, as a GraphQL error."""
    extensions = {"code": refusal.graphql_code, "reason": refusal.code}
    if refusal.field:
        extensions["field"] = refusal.field
    if refusal.remedy:
        extensions["remedy"] = refusal.remedy
    return {"message": refusal.message, "extensions": extensions}


def masked(fault: BaseException) -> Body:
    """A fault as the client may see it: a reference that is in the log, and nothing else."""
    reference = uuid4().hex[:12]
    log.error("fault", exc_info=fault, extra={"reference": reference})
    return {"message": FAULT_MESSAGE, "extensions": {"code": "INTERNAL", "reference": reference}}


def _json(body: Body, status: int) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
