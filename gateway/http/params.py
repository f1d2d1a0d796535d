"""Reading a GraphQL request off HTTP, as the GraphQL-over-HTTP specification has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from gateway.http.answers import Rejected, error

if TYPE_CHECKING:
    from collections.abc import Mapping

BODY_PATIENCE = 10.0
"""Seconds in which a body must have come: whoever sends it a byte at a time holds a connection, and no more."""

MAX_BODY = 100_000
"""Bytes of a request's body. The server itself refuses a URL of more than about 64,000."""

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Params:
    """What a request asks: the document's text, which operation of it, and with what."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accept:
    """What the client can read. `media` is the JSON type to answer with, None when it wants none; `stream` is server-sent
    events."""

    media: str | None
    stream: bool


def read_accept(header: str | None) -> Accept:
    """Weigh an Accept header. Without one, or when anything will do, the answer is application/json."""
    best, media, stream = 0.0, None, False
    for part in (header or "*/*").lower().split(","):
        name, *options = (piece.strip() for piece in part.split(";"))
        weight = _weight(options)
        if name == EVENT_STREAM and weight > 0:
            stream = True
        offered = (
            name
            if name in {GRAPHQL_JSON, JSON}
            else JSON
            if name in {"*/*", "application/*"}
            else None
        )
        if offered is not None and weight > best:
            best, media = weight, offered
    return Accept(media, stream)


def _weight(options: list[str]) -> float:
    for option in options:
        if option.startswith("q="):
            try:
                return float(option[2:])
            except ValueError:
                return 0.0
    return 1.0


def is_json(content_type: str | None) -> bool:
    """Whether a body of this type is JSON in UTF-8, which no web page can send elsewhere without being allowed to first."""
    name, *options = (piece.strip().lower() for piece in (content_type or "").split(";"))
    charsets = [option[8:].strip('"') for option in options if option.startswith("charset=")]
    return name == JSON and all(charset in {"utf-8", "utf8"} for charset in charsets)


def from_body(raw: bytes) -> Params:
    """The parameters in a POST body."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise _bad("The body is not JSON.", "Send a JSON object with a `query`.") from None
    if isinstance(body, list):
        raise Rejected(
            [
                error(
                    "BATCHING_DISABLED",
                    "Several operations in one request are not served.",
                    remedy="Send each in a request of its own.",
                )
            ],
            400,
        )
    if not isinstance(body, dict):
        raise _bad("The body is not a JSON object.", "Send a JSON object with a `query`.")
    return from_map(body)


def from_query(query: Mapping[str, str]) -> Params:
    """The parameters in a GET request's query string; variables and extensions are JSON in it."""
    body: dict[str, Any] = dict(query)
    for name in ("variables", "extensions"):
        if body.get(name):
            try:
                body[name] = orjson.loads(body[name])
            except orjson.JSONDecodeError:
                raise _bad(f"`{name}` is not JSON.", "URL-encode a JSON object.") from None
        else:
            body.pop(name, None)
    body["operationName"] = body.get("operationName") or None
    return from_map(body)


def from_map(body: dict[str, Any]) -> Params:
    """The parameters in a JSON object."""
    query, name = body.get("query"), body.get("operationName")
    variables, extensions = body.get("variables"), body.get("extensions")
    if not isinstance(query, str):
        raise _bad("`query` is missing, or is not a text.", "Send the GraphQL document in `query`.")
    if name is not None and not isinstance(name, str):
        raise _bad("`operationName` is not a text.", "Send a name, or leave it out.")
    if variables is not None and not isinstance(variables, dict):
        raise _bad("`variables` is not an object.", "Send an object, or leave it out.")
    if extensions is not None and not isinstance(extensions, dict):
        raise _bad("`extensions` is not an object.", "Send an object, or leave it out.")
    return Params(query, name, variables or {})


def too_large() -> Rejected:
    """The refusal of a request that is longer than the limit."""
    return Rejected(
        [
            error(
                "BODY_LIMIT",
                f"The request is larger than {MAX_BODY} bytes.",
                remedy="Send less in one request.",
                limit=MAX_BODY,
            )
        ],
        413,
    )


def too_slow() -> Rejected:
    """The refusal of a request whose body does not come."""
    return Rejected(
        [
            error(
                "BODY_TIMEOUT",
                f"The request's body did not come within {BODY_PATIENCE:.0f} seconds.",
                remedy="Send it again.",
            )
        ],
        408,
    )


def _bad(message: str, remedy: str) -> Rejected:
    return Rejected([error("BAD_REQUEST", message, remedy=remedy)], 400)
