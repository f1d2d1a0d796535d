"""Single sign-on: an organization's sign-in service (OpenID Connect), and what it must say to be believed."""

import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from kit.errors import Denied, Invalid
from services.identity.domain.nouns import OrganizationId

TRIP_LIFE = timedelta(minutes=10)
"""How long somebody may take at the sign-in service."""

SKEW = timedelta(minutes=1)
OLDEST_TOKEN = timedelta(minutes=10)
LONGEST_SUBJECT = 255
LONGEST_URL = 2048
MOST_DOMAINS = 50
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
STRONG = frozenset({"mfa"})
"""What a service says among its methods (`amr`, RFC 8176) when it has asked for two factors."""

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


class NotBelievedError(Exception):
    """The sign-in service's answer is not to be believed. The reason is for the log: it names no value."""


@dataclass(frozen=True, slots=True)
class SignInService:
    """The sign-in service of an organization. `only`: its people do not sign in with passwords of ours."""

    organization_id: OrganizationId
    issuer: str
    client_id: str
    sealed_client_secret: str = field(repr=False)
    only: bool
    version: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class SignInDomain:
    """A domain of mail that an organization says is its own; support verifies it."""

    domain: str
    added_at: datetime
    verified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a sign-in service vouches for. `email` is None unless the service says that it has verified it."""

    issuer: str
    subject: str
    email: str | None
    strong: bool


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a sign-in service does what."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    userinfo: str | None
    names_itself: bool
    posts_secret: bool


# What is typed --------------------------------------------------------------------------------------------------------


def issuer(text: str, *, plain: bool) -> str:
    """The address of a sign-in service; Invalid unless it is an https URL (`plain`: or http) without query or fragment."""
    found = text.strip()
    if not sound_url(found, plain=plain) or urlsplit(found).query:
        raise Invalid(
            "This is not the address of a sign-in service.",
            code="BAD_ISSUER",
            field="issuer",
            remedy="It looks like https://login.example.org, without anything behind a ? or #.",
        )
    return found


def sound_url(text: str, *, plain: bool) -> bool:
    """Whether it is an https URL (`plain`: or http) with a host, and without a user, a fragment or anything unseen."""
    if len(text) > LONGEST_URL or not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    schemes = {"https", "http"} if plain else {"https"}
    bare = parts.username is None and parts.password is None and not parts.fragment
    return parts.scheme in schemes and bool(parts.hostname) and bare and port != 0


def mail_domain(text: str) -> str:
    """A domain of mail in its one spelling; Invalid when it cannot be one."""
    found = text.strip().rstrip(".").casefold()
    labels = found.split(".")
    if len(found) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(one) for one in labels):  # noqa: PLR2004 - as DNS has it
        raise Invalid(
            "This is not a domain of mail.",
            code="BAD_DOMAIN",
            field="domains",
            remedy="Write it like example.org; an international one in its xn-- form.",
        )
    return found


def domain_of(email: str) -> str:
    """The domain of an address of mail."""
    return email.rpartition("@")[2].casefold()


# What a service says --------------------------------------------------------------------------------------------------


def read_json(body: bytes) -> dict[str, Any]:
    """The object in a JSON text. NotBelievedError when it is none, or says one thing twice: two readers could differ about it."""
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise NotBelievedError("not JSON, or a name twice") from error
    if not isinstance(found, dict):
        raise NotBelievedError("not a JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def read_endpoints(found: Mapping[str, Any], wanted: str, *, plain: bool) -> Endpoints:
    """What a service's configuration says. NotBelievedError when it is another's, or names no good address."""
    if found.get("issuer") != wanted:
        raise NotBelievedError("the configuration is another issuer's")
    methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    has_userinfo = found.get("userinfo_endpoint") is not None
    return Endpoints(
        issuer=wanted,
        authorization=_address(found, "authorization_endpoint", plain=plain),
        token=_address(found, "token_endpoint", plain=plain),
        jwks=_address(found, "jwks_uri", plain=plain),
        userinfo=_address(found, "userinfo_endpoint", plain=plain) if has_userinfo else None,
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
        posts_secret=isinstance(methods, list) and "client_secret_basic" not in methods,
    )


def _address(found: Mapping[str, Any], name: str, *, plain: bool) -> str:
    text = found.get(name)
    if not isinstance(text, str) or not sound_url(text, plain=plain):
        raise NotBelievedError(f"{name} is no good address")
    return text


def read_header(token: str) -> dict[str, Any]:
    """The header of a signed token. NotBelievedError unless its algorithm is on our list, it is no other kind of token, and asks for
    nothing unusual. Both its parts are read as strictly as any JSON."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        raise NotBelievedError("not a signed token")
    header = read_json(_unpacked(parts[0]))
    read_json(_unpacked(parts[1]))
    if header.get("alg") not in ALGORITHMS:
        raise NotBelievedError("an algorithm that is not on our list")
    if "crit" in header or "b64" in header or header.get("typ", "JWT") not in {"JWT", "jwt"}:
        raise NotBelievedError("another kind of token")
    return header


def _unpacked(part: str) -> bytes:
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as error:
        raise NotBelievedError("not base64") from error


def require_claims(
    claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: datetime
) -> None:
    """NotBelievedError unless an identity token was made by this issuer, for us, for this sign-in, and just now."""
    checks = {
        "another issuer": claims.get("iss") == issuer,
        "for somebody else": _for_us(claims, client_id),
        "another sign-in": hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()),
        "expired": _moment(claims, "exp") > (now - SKEW).timestamp(),
        "not made just now": _recent(_moment(claims, "iat"), now),
        "from the future": _moment(claims, "nbf", 0) <= (now + SKEW).timestamp(),
        "no subject": _named(claims.get("sub")),
    }
    for reason, holds in checks.items():
        if not holds:
            raise NotBelievedError(reason)


def _for_us(claims: Mapping[str, Any], client_id: str) -> bool:
    audience = claims.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    authorized = claims.get("azp")
    if client_id not in several or authorized not in {None, client_id}:
        return False
    return len(several) == 1 or authorized == client_id


def _moment(claims: Mapping[str, Any], name: str, otherwise: float = -1) -> float:
    found = claims.get(name, otherwise)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise NotBelievedError(f"{name} is no moment")
    try:
        return float(found)
    except OverflowError as error:
        raise NotBelievedError(f"{name} is no moment") from error


def _recent(at: float, now: datetime) -> bool:
    return (now - OLDEST_TOKEN).timestamp() <= at <= (now + SKEW).timestamp()


def _named(subject: object) -> bool:
    return (
        isinstance(subject, str) and 0 < len(subject) <= LONGEST_SUBJECT and subject.isprintable()
    )


def require_token_hash(claims: Mapping[str, Any], access_token: str, algorithm: str) -> None:
    """NotBelievedError when the identity token names another access token than the one that came with it."""
    if "at_hash" not in claims or not algorithm.endswith("256"):
        return
    half = sha256(access_token.encode()).digest()[:16]
    if claims["at_hash"] != urlsafe_b64encode(half).decode().rstrip("="):
        raise NotBelievedError("another access token")


def person_of(claims: Mapping[str, Any], more: Mapping[str, Any]) -> Person:
    """Whom the claims are about. NotBelievedError when what the service says besides is about somebody else. An address of mail
    counts only where `email_verified` is true and not merely looks so."""
    if more and more.get("sub") != claims["sub"]:
        raise NotBelievedError("userinfo about somebody else")
    said = claims if "email" in claims else more
    email = said.get("email")
    verified = said.get("email_verified") is True and isinstance(email, str)
    methods = claims.get("amr")
    strong = isinstance(methods, list) and any(
        one in STRONG for one in methods if isinstance(one, str)
    )
    return Person(claims["iss"], claims["sub"], email if verified else None, strong)


# Refusals -------------------------------------------------------------------------------------------------------------


def not_signed_in() -> Denied:
    """The one answer to a sign-in at a sign-in service that is not to be believed, whatever is wrong with it."""
    return Denied(
        "Signing in at your organization's sign-in service did not work.",
        code="SINGLE_SIGN_ON_FAILED",
        remedy="Begin once more. If it goes on, tell your client admin.",
    )


def not_known_here() -> Denied:
    """The one answer to somebody the service vouches for, and who does not work here, or not any more."""
    return Denied(
        "Your sign-in service knows you, but there is no active account for you here.",
        code="NOT_A_USER",
        remedy="Ask a client admin of your organization.",
    )
