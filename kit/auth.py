"""Who is asking: the Viewer, and the signed header in which it travels between our own processes."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from kit.errors import Denied, Unauthenticated

VIEWER_HEADER = "x-viewer"
"""HTTP header and gRPC metadata key under which the signed viewer travels."""

VIEWER_LIFE = timedelta(seconds=60)
_LEEWAY = timedelta(seconds=5)


class Kind(StrEnum):
    """What sort of viewer this is."""

    ANONYMOUS = "anonymous"
    USER = "user"
    SERVICE = "service"


class Stage(StrEnum):
    """How far a session reaches. SET_PASSWORD is one begun with a temporary password (R05) and can only set another;
    SECOND_FACTOR can only answer the question for the second factor; ENROL_FACTOR can only add one, which its user must have."""

    FULL = "full"
    SET_PASSWORD = "set_password"  # noqa: S105 - a stage, not a secret
    SECOND_FACTOR = "second_factor"
    ENROL_FACTOR = "enrol_factor"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The user (or service, or nobody) on whose behalf a request runs, with every grant that decides what it may do."""

    kind: Kind = Kind.ANONYMOUS
    user_id: UUID | None = None
    session_id: UUID | None = None
    organization_id: UUID | None = None
    stage: Stage = Stage.FULL
    support: bool = False
    client_admin: bool = False
    insurance_manager: bool = False
    """Keeps the lists of plans of the whole organization (R26)."""

    call_centre: bool = False
    office_admin_of: frozenset[UUID] = frozenset()
    office_staff_of: frozenset[UUID] = frozenset()
    service: str = ""
    """Who asks in its own name; of a user, the service that carries the question, and empty for what the gateway brings."""

    reporting_only: bool = False
    """A client admin who only looks: sees what a client admin sees, and changes nothing (R02)."""

    provider_id: UUID | None = None
    """The provider whose record is about the user."""

    insurance_manager_of: frozenset[UUID] = frozenset()
    """The offices whose lists of plans the viewer keeps, where it is not all of them (R26). Nobody works there by it: it opens no
    queue and no referral."""

    second_factor: bool = False
    """Whether the session stands on two factors: for rules that ask for more than a password."""

    @property
    def offices(self) -> frozenset[UUID]:
        """Every office the viewer works for, as office admin or as office staff."""
        return self.office_admin_of | self.office_staff_of

    @property
    def is_user(self) -> bool:
        """A signed-in person whose session reaches everything it is allowed."""
        return self.kind is Kind.USER and self.stage is Stage.FULL

    def require_user(self) -> UUID:
        """The user's id; Unauthenticated when nobody is signed in, Denied when signing in is not finished yet."""
        if self.kind is not Kind.USER or self.user_id is None:
            raise Unauthenticated("Sign in first.", remedy="Send an access token from signIn.")
        if self.stage is not Stage.FULL:
            raise _unfinished(self.stage)
        return self.user_id

    def require_organization(self) -> UUID:
        """The organization the viewer acts in; Unauthenticated or Denied when there is none."""
        self.require_user()
        if self.organization_id is None:
            way = "Support goes inside one first (breakGlass)." if self.support else None
            raise Denied("This needs a user of an organization.", remedy=way)
        return self.organization_id

    def require_may_change(self) -> None:
        """Denied REPORTING_ONLY for who sees everything and changes nothing (R02). Asked before every mutation of every service."""
        if self.reporting_only:
            raise Denied(
                "You may look, and change nothing.",
                code="REPORTING_ONLY",
                remedy="Ask a client admin.",
            )


def _unfinished(stage: Stage) -> Denied:
    if stage is Stage.SECOND_FACTOR:
        return Denied(
            "Signing in is not finished: the second factor is still asked for.",
            code="SECOND_FACTOR_REQUIRED",
            remedy="Call answerSecondFactor.",
        )
    if stage is Stage.ENROL_FACTOR:
        return Denied(
            "You need a second factor before you go on.",
            code="SECOND_FACTOR_MISSING",
            remedy="Add an authenticator app or a passkey: startTotp or startPasskey.",
        )
    return Denied(
        "This session can only set a new password.",
        code="PASSWORD_CHANGE_REQUIRED",
        remedy="Call setPassword, then sign in with the new password.",
    )


ANONYMOUS = Viewer()
_CLAIMS = tuple(field.name for field in fields(Viewer))


def service_viewer(name: str) -> Viewer:
    """The viewer under which a service acts for itself (jobs, consumers, questions to siblings)."""
    return Viewer(kind=Kind.SERVICE, service=name)


def sign_viewer(viewer: Viewer, *, audience: str, key: bytes, at: datetime) -> str:
    """The viewer as a signed header, good for `audience` only and for 60 seconds from `at` (clock.real())."""
    claims = {name: getattr(viewer, name) for name in _CLAIMS} | {
        "aud": audience,
        "iat": at.timestamp(),
        "office_admin_of": sorted(viewer.office_admin_of),
        "office_staff_of": sorted(viewer.office_staff_of),
        "insurance_manager_of": sorted(viewer.insurance_manager_of),
    }
    if not viewer.insurance_manager_of:
        del claims["insurance_manager_of"]
    body = urlsafe_b64encode(orjson.dumps(claims))
    return f"{body.decode()}.{_mac(body, key)}"


def verify_viewer(text: str, *, audience: str, key: bytes, at: datetime | None) -> Viewer:
    """The viewer in a signed header, or Unauthenticated: one answer whatever is wrong with it.

    With `at` None its age is not looked at: for the one question that must be answered to who does not know the time yet.
    """
    body, _, mac = text.rpartition(".")
    if not body or not hmac.compare_digest(_mac(body.encode(), key).encode(), mac.encode()):
        raise _not_signed()
    try:
        claims: dict[str, Any] = orjson.loads(urlsafe_b64decode(body))
        issued = datetime.fromtimestamp(claims.pop("iat"), tz=UTC)
    except (ValueError, KeyError, TypeError):
        raise _not_signed() from None
    fresh = at is None or issued - _LEEWAY <= at < issued + VIEWER_LIFE
    if claims.pop("aud", None) != audience or not fresh:
        raise _not_signed()
    return _viewer(claims)


def _viewer(claims: dict[str, Any]) -> Viewer:
    for name in ("user_id", "session_id", "organization_id", "provider_id"):
        claims[name] = UUID(claims[name]) if claims[name] else None
    for name in ("office_admin_of", "office_staff_of", "insurance_manager_of"):
        claims[name] = frozenset(UUID(text) for text in claims.get(name, ()))
    claims["kind"], claims["stage"] = Kind(claims["kind"]), Stage(claims["stage"])
    return Viewer(**claims)


def _mac(body: bytes, key: bytes) -> str:
    return urlsafe_b64encode(hmac.digest(key, body, hashlib.sha256)).decode()


def _not_signed() -> Unauthenticated:
    return Unauthenticated(
        "This door is for the suite's own parts.", remedy="Ask through the gateway."
    )
