"""Which requests a browser may send here: none that a page of another site could send without being allowed to first."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.http.answers import Rejected, error
from gateway.http.params import EVENT_STREAM, GRAPHQL_JSON, JSON, is_json

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFLIGHT_HEADERS = ("authorization", "x-requested-with", "x-suite-request")
"""Headers that a page may only send to another site after asking it (a CORS preflight)."""

_CHOSEN = (GRAPHQL_JSON, JSON, EVENT_STREAM)


def same_place(origin: str, host: str | None, allowed: frozenset[str]) -> bool:
    """Whether a page of `origin` is ours: it came from this very host, or from one that the settings allow."""
    return origin in allowed or (bool(host) and urlsplit(origin).netloc == host)


def check_get(headers: Mapping[str, str], allowed: frozenset[str]) -> None:
    """Refuse a GET that a foreign page, form, image or link could have caused.

    Let through is what carries a header that forces a preflight, or what only a script can send (an Accept that was chosen, or
    a fetch), unless the browser names a foreign origin.
    """
    if is_json(headers.get("content-type")) or any(name in headers for name in PREFLIGHT_HEADERS):
        return
    chosen = any(name in headers.get("accept", "").lower() for name in _CHOSEN)
    scripted = headers.get("sec-fetch-mode") == "cors"
    foreign = headers.get("sec-fetch-site") in {"cross-site", "same-site"}
    if "origin" in headers:
        foreign = not same_place(headers["origin"], headers.get("host"), allowed)
    if foreign or not (chosen or scripted):
        remedy = "Send the header `x-suite-request: 1`, or use POST."
        raise Rejected(
            [error("CSRF", "This GET could have been caused by a foreign page.", remedy=remedy)],
            403,
        )


def check_post(headers: Mapping[str, str]) -> None:
    """Refuse a POST whose content type is not JSON: forms and simple requests cannot send that."""
    if not is_json(headers.get("content-type")):
        remedy = "Send `Content-Type: application/json`."
        raise Rejected(
            [error("UNSUPPORTED_MEDIA_TYPE", "The body must be JSON in UTF-8.", remedy=remedy)], 415
        )
