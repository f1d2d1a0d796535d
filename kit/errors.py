"""The closed set of refusals a caller can meet.

    Refusal
    ├── Invalid           the request itself is wrong            BAD_USER_INPUT   INVALID_ARGUMENT     400
    ├── Unauthenticated   nobody, or not any more                UNAUTHENTICATED  UNAUTHENTICATED      401
    ├── Denied            known, and not allowed                 FORBIDDEN        PERMISSION_DENIED    403
    ├── NotFound          unknown here; also: not yours to know  NOT_FOUND        NOT_FOUND            404
    ├── Conflict          the state of things stands against it  CONFLICT         FAILED_PRECONDITION  409
    ├── RateLimited       too much, too fast                     RATE_LIMITED     RESOURCE_EXHAUSTED   429
    └── Unavailable       a part that is needed is away          UNAVAILABLE      UNAVAILABLE          503

Everything else that is raised is a fault: it is logged with a reference and answered as "internal error".
"""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):  # noqa: N818 - a refusal is an expected answer, not an error
    """An expected "no": its message is kind, true and safe to show to anybody who may ask.

    `code` names the reason for a machine, `field` the input that is to blame (as the client spelled it), `remedy` the way
    out, `details` whatever the client needs in order to act (plain data).
    """

    default_code: ClassVar[str]
    graphql_code: ClassVar[str]
    grpc_status: ClassVar[str]
    http_status: ClassVar[int]

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        remedy: str | None = None,
        **details: object,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.field = field
        self.remedy = remedy
        self.details = details


class Invalid(Refusal):
    """The request itself is wrong."""

    default_code, graphql_code = "INVALID", "BAD_USER_INPUT"
    grpc_status, http_status = "INVALID_ARGUMENT", 400


class Unauthenticated(Refusal):
    """Nobody is signed in, or not any more."""

    default_code, graphql_code = "UNAUTHENTICATED", "UNAUTHENTICATED"
    grpc_status, http_status = "UNAUTHENTICATED", 401


class Denied(Refusal):
    """The viewer is known and may not do this."""

    default_code, graphql_code = "FORBIDDEN", "FORBIDDEN"
    grpc_status, http_status = "PERMISSION_DENIED", 403


class NotFound(Refusal):
    """Unknown here. Another organization's thing answers exactly like one that never was."""

    default_code, graphql_code = "NOT_FOUND", "NOT_FOUND"
    grpc_status, http_status = "NOT_FOUND", 404


class Conflict(Refusal):
    """The state of things stands against it; often it may be tried again once that has changed."""

    default_code, graphql_code = "CONFLICT", "CONFLICT"
    grpc_status, http_status = "FAILED_PRECONDITION", 409


def stale_version(thing: str, current: int) -> Conflict:
    """The refusal of a change that was decided on another version of `thing` than the one that stands."""
    return Conflict(
        f"The {thing} has changed since you read it.",
        code="STALE_VERSION",
        field="expectedVersion",
        remedy="Read it again, then decide on what it says now.",
        current_version=current,
    )


class RateLimited(Refusal):
    """Too much, too fast. `details["retry_after_seconds"]` says when to come back."""

    default_code, graphql_code = "RATE_LIMITED", "RATE_LIMITED"
    grpc_status, http_status = "RESOURCE_EXHAUSTED", 429


class Unavailable(Refusal):
    """A part that is needed for this is away for now; nothing was done."""

    default_code, graphql_code = "UNAVAILABLE", "UNAVAILABLE"
    grpc_status, http_status = "UNAVAILABLE", 503


REFUSALS: tuple[type[Refusal], ...] = (
    Invalid,
    Unauthenticated,
    Denied,
    NotFound,
    Conflict,
    RateLimited,
    Unavailable,
)

FAULT_MESSAGE = "internal error"
