"""Answers in GraphQL's shape: what a client may be told when something is refused or goes wrong."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from kit.errors import FAULT_MESSAGE, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphql import GraphQLError

log = logging.getLogger(__name__)

Body = dict[str, Any]

FAULT = "INTERNAL"
INVALID_QUERY = "GRAPHQL_VALIDATION_FAILED"
OUR_FAULTS = frozenset({FAULT, "INTERNAL_SERVER_ERROR", INVALID_QUERY, "GRAPHQL_PARSE_FAILED"})
"""Codes that a subgraph gives to its own faults, or to a query of the gateway's making: never the client's doing."""

_BAD_INPUT = re.compile(
    r"(Variable '\$(?!representations)\w+' has invalid value|\w+ cannot represent )"
)
"""How a subgraph speaks of a value its scalars refuse. The gateway knows these scalars by name only, so it cannot be first."""

_OURS_ALONE = frozenset({"exception", "stacktrace", "debug"})

_VALUE = re.compile(r"(?:,? [Ff]ound|( cannot represent [^:]*)): .*", re.DOTALL)
"""How GraphQL repeats a wrong value in its message; what clients send may be a password or a patient's data."""


class Rejected(Exception):  # noqa: N818 - an expected answer, not an error
    """The request is not run. `status` is the HTTP status; None: 400, or 200 for clients that accept only JSON."""

    def __init__(self, errors: list[Body], status: int | None = None) -> None:
        super().__init__("; ".join(error["message"] for error in errors))
        self.errors = errors
        self.status = status


def error(code: str, message: str, **extensions: object) -> Body:
    """One GraphQL error."""
    return {"message": message, "extensions": {"code": code, **extensions}}


def rejected(errors: Iterable[GraphQLError], code: str) -> Rejected:
    """The rejection of a document or its variables. `code` is for errors that carry none."""
    told = []
    for one in errors:
        body: Body = dict(one.formatted)
        body["message"] = without_values(body["message"])
        body["extensions"] = {"code": code} | (one.extensions or {})
        told.append(body)
    return Rejected(told)


def without_values(message: str) -> str:
    """A message of GraphQL's validation that does not repeat what was sent."""
    cut = _VALUE.sub(r"\1", message)
    return cut if cut.endswith((".", "?")) else f"{cut}."


def refused(refusal: Refusal) -> Rejected:
    """A refusal of ours (not signed in, identity away) as a rejection."""
    extensions: Body = {"reason": refusal.code, "field": refusal.field, "remedy": refusal.remedy}
    given = {name: value for name, value in extensions.items() if value}
    return Rejected([error(refusal.graphql_code, refusal.message, **given)], refusal.http_status)


def masked(fault: BaseException) -> Body:
    """What a client may know of a fault: a reference, which is in the log with the rest."""
    while isinstance(fault, BaseExceptionGroup) and len(fault.exceptions) == 1:
        fault = fault.exceptions[0]
    reference = uuid4().hex[:12]
    log.error("fault", exc_info=fault, extra={"reference": reference})
    return error(FAULT, FAULT_MESSAGE, reference=reference)


def passed_on(subgraph: str, told: object) -> Body:
    """An error of a subgraph as the client sees it: as it is when it has a code, masked when it is a fault or has none."""
    body = told if isinstance(told, dict) else {}
    given = body.get("extensions")
    extensions: Body = given if isinstance(given, dict) else {}
    code, message = extensions.get("code"), str(body.get("message", ""))
    kept: Body = {"path": body["path"]} if isinstance(body.get("path"), list) else {}
    if code == INVALID_QUERY and _BAD_INPUT.match(message):
        return error("BAD_USER_INPUT", without_values(message)) | kept
    if isinstance(code, str) and code not in OUR_FAULTS:
        shown = {name: value for name, value in extensions.items() if name not in _OURS_ALONE}
        return {"message": message, "extensions": shown} | kept
    reference = extensions.get("reference")
    if not isinstance(reference, str):
        reference = uuid4().hex[:12]
    log.error(
        "a subgraph answered with a fault",
        extra={"subgraph": subgraph, "reference": reference, "code": code},
    )
    return error(FAULT, FAULT_MESSAGE, reference=reference) | kept
