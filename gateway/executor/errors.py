"""Errors on their way to the client: with the client's paths, and no more of them than needed."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from gateway.plan import Key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.executor.entities import ClientPath
    from gateway.executor.shape import Nulls
    from gateway.executor.wire import ErrorBody
    from gateway.plan import Path

UNAVAILABLE = "SUBGRAPH_UNAVAILABLE"
MORE = "MORE_ERRORS"
MOST_ERRORS = 50
"""Errors told of one request to a subgraph; what failed may be shown in thousands of places."""

SHOWN = ("message", "extensions")


def moved(error: ErrorBody, path: ClientPath | None) -> ErrorBody:
    """A subgraph's error under the client's path; its locations mean nothing to the client."""
    body = {key: error[key] for key in SHOWN if key in error}
    if path:
        body["path"] = list(path)
    return body


def unavailable(service: str, kind: str, place: ClientPath) -> ErrorBody:
    """The one error for a request of this kind that got no answer."""
    message = f"The part of the answer that {service} gives is not available now."
    if kind == "mutation":
        message = f"{service} does not answer now. It may have done it all the same: look first."
    return moved(
        {"message": message, "extensions": {"code": UNAVAILABLE, "service": service}}, place
    )


def first(errors: Iterable[ErrorBody], service: str, place: ClientPath) -> list[ErrorBody]:
    """The first of one request's errors; when there are many, the last one says so."""
    told = list(islice(errors, MOST_ERRORS + 1))
    if len(told) > MOST_ERRORS:
        body = {
            "message": f"There are more errors of {service} than are told here.",
            "extensions": {"code": MORE, "service": service},
        }
        told[-1] = moved(body, place)
    return told


def static_path(path: Path) -> ClientPath:
    """The keys of a plan's path up to its first list."""
    keys: list[str | int] = []
    for segment in path:
        if not isinstance(segment, Key):
            break
        keys.append(segment.name)
    return tuple(keys)


def null_errors(nulls: Nulls, known: list[ErrorBody]) -> Iterator[ErrorBody]:
    """Errors for forbidden nulls that no subgraph's error explains already: none above, at or below the place."""
    places = {tuple(error.get("path", ())) for error in known}
    above = {place[:length] for place in places for length in range(len(place) + 1)}
    for path, field in nulls.found:
        below = (path[:length] for length in range(len(path) + 1))
        if path not in above and places.isdisjoint(below):
            yield {
                "message": f"Cannot return null for non-nullable field {field}.",
                "path": list(path),
                "extensions": {"code": "NULL_NOT_ALLOWED"},
            }


def without_repeats(errors: Iterable[ErrorBody]) -> list[ErrorBody]:
    """Each error once, in order."""
    found: dict[str, ErrorBody] = {}
    for error in errors:
        found.setdefault(repr(error), error)
    return list(found.values())
