"""What a service says of itself to whoever keeps it running: that it is alive, and whether it can serve."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kit import db
from kit.db import LOST_CONNECTION

if TYPE_CHECKING:
    from kit.service import Parts, Service

READY_TIMEOUT = 2.0


def health_routes(service: Service[Any], parts: Parts[Any]) -> list[Route]:
    """/livez and /readyz. Only without its database a service cannot serve; what else is away is said beside that."""

    async def ready(_: Request) -> Response:
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                found = await asyncio.gather(service.besides(parts), db.read_clock(parts.db))
        except LOST_CONNECTION:
            return JSONResponse({"ready": False, "because": "the database does not answer"}, 503)
        return JSONResponse({"ready": True, "broker": parts.bus.connected, **found[0]})

    async def alive(_: Request) -> Response:
        return JSONResponse({"alive": True})

    return [Route("/livez", alive), Route("/readyz", ready)]
