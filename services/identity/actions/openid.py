"""An organization's sign-in service, asked as OpenID Connect says: where it does what, its keys, and who has come back."""

from base64 import b64encode
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from services.identity.actions.web import Web
from services.identity.domain.sso import (
    ALGORITHMS,
    Endpoints,
    NotBelievedError,
    Person,
    SignInService,
    person_of,
    read_endpoints,
    read_header,
    read_json,
    require_claims,
    require_token_hash,
)

T = TypeVar("T")

CONFIGURATION_TRUSTED = timedelta(hours=1)
KEYS_TRUSTED = timedelta(hours=1)
KEYS_PAUSE = timedelta(seconds=30)
"""A key that is not known has the keys read anew, but no more often than this, whatever a service sends."""

MOST_REMEMBERED = 1000
MOST_KEYS = 50
SHORTEST_RSA = 342
"""Letters of base64 that the modulus of 2,048 bits takes."""

LONGEST_TOKEN = 32 * 1024


class _Memory(Generic[T]):
    """What was read lately, by address; the longest unused goes first."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[T, datetime]] = OrderedDict()

    def get(self, address: str, now: datetime, trusted: timedelta) -> T | None:
        """What was read there, unless that is too long ago."""
        if address not in self._known:
            return None
        found, read_at = self._known[address]
        self._known.move_to_end(address)
        return found if timedelta() <= now - read_at < trusted else None

    def put(self, address: str, found: T, now: datetime) -> T:
        """Remember it."""
        self._known[address] = (found, now)
        self._known.move_to_end(address)
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return found


@dataclass(frozen=True, slots=True)
class Return:
    """What somebody came back with, and what the sign-in was begun with."""

    code: str = field(repr=False)
    verifier: str = field(repr=False)
    nonce: str
    redirect_uri: str
    client_secret: str = field(repr=False)


class OpenId:
    """Sign-in services. `redirect_uris` are where they may send people back to: pages of ours."""

    def __init__(self, web: Web, redirect_uris: tuple[str, ...]) -> None:
        self.web = web
        self.redirect_uris = redirect_uris
        self._endpoints: _Memory[Endpoints] = _Memory()
        self._keys: _Memory[list[dict[str, Any]]] = _Memory()

    async def endpoints(self, issuer: str, now: datetime) -> Endpoints:
        """Where the service does what, as it says itself. AwayError or NotBelievedError."""
        known = self._endpoints.get(issuer, now, CONFIGURATION_TRUSTED)
        if known is not None:
            return known
        address = issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = read_json(await self.web.get(address))
        return self._endpoints.put(issuer, read_endpoints(found, issuer, plain=self.web.plain), now)

    async def person(self, service: SignInService, come_back: Return, now: datetime) -> Person:
        """Who has come back. AwayError when the service cannot be asked, NotBelievedError when it is not to be believed."""
        endpoints = await self.endpoints(service.issuer, now)
        tokens = await self._exchange(service, endpoints, come_back)
        token, access_token = tokens["id_token"], tokens["access_token"]
        header = read_header(token)
        claims = await self._verified(token, header, endpoints, now)
        require_claims(
            claims,
            issuer=service.issuer,
            client_id=service.client_id,
            nonce=come_back.nonce,
            now=now,
        )
        require_token_hash(claims, access_token, header["alg"])
        more: dict[str, Any] = {}
        if "email" not in claims and endpoints.userinfo is not None:
            bearer = {"authorization": f"Bearer {access_token}"}
            more = read_json(await self.web.get(endpoints.userinfo, bearer))
            more.setdefault("sub", None)
        return person_of(claims, more)

    async def _exchange(
        self, service: SignInService, endpoints: Endpoints, come_back: Return
    ) -> dict[str, str]:
        form = {
            "grant_type": "authorization_code",
            "code": come_back.code,
            "redirect_uri": come_back.redirect_uri,
            "code_verifier": come_back.verifier,
        }
        headers = {}
        if endpoints.posts_secret:
            form |= {"client_id": service.client_id, "client_secret": come_back.client_secret}
        else:
            both = f"{quote(service.client_id, safe='')}:{quote(come_back.client_secret, safe='')}"
            headers["authorization"] = f"Basic {b64encode(both.encode()).decode()}"
        found = read_json(await self.web.post(endpoints.token, form, headers))
        for name in ("id_token", "access_token"):
            text = found.get(name)
            if not isinstance(text, str) or not text.isascii() or len(text) > LONGEST_TOKEN:
                raise NotBelievedError(f"no {name}")
        if str(found.get("token_type", "")).lower() != "bearer":
            raise NotBelievedError("another type of token")
        return found

    async def _verified(
        self, token: str, header: Mapping[str, Any], endpoints: Endpoints, now: datetime
    ) -> dict[str, Any]:
        """The claims of a token that one of the service's keys has signed."""
        key = _fitting(await self._keys_at(endpoints.jwks, now, KEYS_TRUSTED), header)
        if key is None:
            key = _fitting(await self._keys_at(endpoints.jwks, now, KEYS_PAUSE), header)
        if key is None:
            raise NotBelievedError("an unknown key")
        try:
            return dict(jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError, TypeError) as error:
            raise NotBelievedError("the signature") from error

    async def _keys_at(
        self, address: str, now: datetime, trusted: timedelta
    ) -> list[dict[str, Any]]:
        known = self._keys.get(address, now, trusted)
        if known is not None:
            return known
        found = read_json(await self.web.get(address)).get("keys")
        if not isinstance(found, list):
            raise NotBelievedError("no keys")
        keys = [one for one in found[:MOST_KEYS] if isinstance(one, dict)]
        return self._keys.put(address, keys, now)


def _fitting(
    keys: list[dict[str, Any]], header: Mapping[str, Any]
) -> RSAKey | ECKey | OKPKey | None:
    """The one key that the header names. Never a shared secret, never one for another use or algorithm."""
    kid = header.get("kid")
    named = [one for one in keys if kid is None or one.get("kid") == kid]
    good = [key for one in named if (key := _public(one, header)) is not None]
    return good[0] if len(good) == 1 else None


def _public(found: dict[str, Any], header: Mapping[str, Any]) -> RSAKey | ECKey | OKPKey | None:
    other_use = found.get("use", "sig") != "sig" or found.get("alg", header["alg"]) != header["alg"]
    if found.get("kty") != _kind_for(header["alg"]) or other_use:
        return None
    if found["kty"] == "RSA" and len(str(found.get("n", ""))) < SHORTEST_RSA:
        return None
    try:
        key = import_key(
            {name: found[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in found}
        )
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None


def _kind_for(algorithm: str) -> str:
    if algorithm.startswith("Ed"):
        return "OKP"
    return "EC" if algorithm.startswith("ES") else "RSA"
