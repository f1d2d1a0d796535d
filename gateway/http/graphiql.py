"""GraphiQL from our own files, in development only, with a policy that lets it talk to this host alone."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

FILES = Path(__file__).parent.parent / "static" / "graphiql"

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".ttf": "font/ttf",
}

SECURITY = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:;"
        " img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


def graphiql_routes() -> list[Route]:
    """The page and its assets."""
    return [Route("/graphiql", _page), Route("/graphiql/assets/{name}", _asset)]


async def _page(request: Request) -> Response:
    return _file(request, "index.html", "no-cache")


async def _asset(request: Request) -> Response:
    return _file(
        request, f"assets/{request.path_params['name']}", "public, max-age=31536000, immutable"
    )


def _file(request: Request, name: str, cache: str) -> Response:
    """A file that is kept compressed, unpacked for the rare client that cannot."""
    path = FILES / f"{name}.gz"
    kind = TYPES.get(Path(name).suffix)
    if kind is None or path.parent not in {FILES, FILES / "assets"} or not path.is_file():
        return PlainTextResponse("There is no such file.", 404)
    headers = {**SECURITY, "content-type": kind, "cache-control": cache, "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(path.read_bytes(), headers={**headers, "content-encoding": "gzip"})
    return Response(gzip.decompress(path.read_bytes()), headers=headers)
