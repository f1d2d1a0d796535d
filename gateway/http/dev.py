"""Development only: POST /dev/clock moves the time of the whole suite, and answers when every part has moved."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from gateway.http.answers import Rejected, error
from gateway.http.edge import Edge, failed
from gateway.http.fetches import HTTP_OK
from gateway.http.graphql import read_body
from gateway.http.guard import check_post
from gateway.http.params import JSON
from gateway.subgraphs import SubgraphError
from kit.auth import service_viewer
from kit.logs import request_id

if TYPE_CHECKING:
    from starlette.requests import Request

CONFIRM = "x-suite-dev"
PATIENCE = 60.0
"""Seconds a service may take: it does all work that became due before it answers."""

FARTHEST = timedelta(days=3650)


def clock_route(edge: Edge) -> Route:
    """The route; mount it in development only."""

    async def move(request: Request) -> Response:
        try:
            check_post(request.headers)
            if request.headers.get(CONFIRM) != "1":
                raise _bad(f"The header `{CONFIRM}: 1` is missing.")
            wanted = _read(await read_body(request))
            await _move(edge, wanted)
        except Exception as fault:  # noqa: BLE001 - the last resort: everything is told, faults masked
            refusal = failed(fault)
            return _json({"errors": refusal.errors}, refusal.status or 400)
        clock = edge.identity.clock
        offset = clock.offset.total_seconds()
        return _json({"now": clock.now().isoformat(), "offset_seconds": offset}, HTTP_OK)

    return Route("/dev/clock", move, methods=["POST"])


async def _move(edge: Edge, wanted: dict[str, float]) -> None:
    """Everybody is told the same offset, so that asking again after a failure does no harm."""
    identity = edge.identity
    await identity.synchronize()
    offset = timedelta(seconds=wanted.get("offset_seconds", 0.0))
    if "advance_seconds" in wanted:
        offset = identity.clock.offset + timedelta(seconds=wanted["advance_seconds"])
    if abs(offset) > FARTHEST:
        raise _too_far()
    moves = (_tell(edge, name, offset) for name in edge.subgraphs.names)
    outcomes = await asyncio.gather(*moves, return_exceptions=True)
    await identity.synchronize()
    edge.revocations.tell(None)
    behind = [str(one.subgraph) for one in outcomes if isinstance(one, SubgraphError)]
    if behind:
        message = f"These services did not move: {', '.join(behind)}."
        raise Rejected([error("UNAVAILABLE", message, remedy="Send the same again.")], 503)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _tell(edge: Edge, name: str, offset: timedelta) -> None:
    viewer = service_viewer("gateway")
    headers = edge.signer.headers(viewer, audience=name, request_id=request_id.get())
    body = orjson.dumps({"offset_us": offset // timedelta(microseconds=1)})
    exchange = await edge.subgraphs.tell(name, "/dev/clock", body, headers, seconds=PATIENCE)
    if exchange.status != HTTP_OK:
        raise SubgraphError(name, f"status {exchange.status}")


def _read(raw: bytes) -> dict[str, float]:
    try:
        body: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise _bad("The body is not JSON.") from None
    names = {"advance_seconds", "offset_seconds"}
    if not isinstance(body, dict) or len(body) != 1 or not names & body.keys():
        raise _bad("Say either advance_seconds or offset_seconds.")
    if not all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in body.values()
    ):
        raise _bad("The value must be a number of seconds.")
    if any(abs(value) > 2 * FARTHEST.total_seconds() for value in body.values()):
        raise _too_far()
    return {name: float(value) for name, value in body.items()}


def _too_far() -> Rejected:
    return _bad(f"The clock moves at most {FARTHEST.days} days.")


def _bad(message: str) -> Rejected:
    remedy = f'POST {{"advance_seconds": 3600}} as JSON with the header `{CONFIRM}: 1`.'
    return Rejected([error("BAD_REQUEST", message, remedy=remedy)], 400)


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(orjson.dumps(body), status, media_type=JSON)
