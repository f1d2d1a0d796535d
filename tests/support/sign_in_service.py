"""An organization's sign-in service (OpenID Connect) of ours, which does everything right, or whatever a test wants it to do wrong."""

from __future__ import annotations

import asyncio
import json
import secrets
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from time import time
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

SECRET = "the secret of the client / with odd: signs"
CLIENT = "suite client"


def packed(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


@dataclass
class Visit:
    """Somebody who was sent there."""

    nonce: str
    challenge: str
    redirect_uri: str
    client_id: str


@dataclass
class SignInService:
    """What it says can be changed: `claims` and `header` of the identity token, `said` (the whole answer for a code), `userinfo`,
    `configuration`, `keys`; `raw` gives a path's whole HTTP answer, `slow` lets it wait. `asked` remembers the paths."""

    issuer: str = ""
    subject: str = field(default_factory=lambda: secrets.token_hex(8))
    email: str = "sam@lakeside.example"
    key: RSAKey | ECKey | OKPKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    kid: str = "first"
    algorithm: str = "ES256"
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, bytes] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    keys: list[dict[str, Any]] | None = None
    token: str | None = None
    posts_secret: bool = False
    asked: list[str] = field(default_factory=list)
    _visits: dict[str, Visit] = field(default_factory=dict)

    # -- the person's side

    def visit(self, url: str, *, code: str | None = None) -> dict[str, str]:
        """The person signs in there, at the address the browser was sent to; what stands in the address it comes back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["client_id"] == CLIENT
        code = code or secrets.token_urlsafe(16)
        self._visits[code] = Visit(
            query["nonce"], query["code_challenge"], query["redirect_uri"], query["client_id"]
        )
        return {"code": code, "state": query["state"]}

    def rotate(self, kid: str) -> None:
        """Sign with another key from now on; the one before is forgotten."""
        self.key, self.kid, self.keys = ECKey.generate_key("P-256"), kid, None

    # -- the suite's side

    def public_keys(self) -> list[dict[str, Any]]:
        """What it shows of its keys."""
        if self.keys is not None:
            return self.keys
        public = dict(self.key.as_dict(private=False))
        return [public | {"kid": self.kid, "use": "sig", "alg": self.algorithm}]

    def _configuration(self) -> dict[str, Any]:
        methods = ["client_secret_post" if self.posts_secret else "client_secret_basic"]
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "token_endpoint_auth_methods_supported": methods,
        } | self.configuration

    def _exchange(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        visit = self._visits.pop(form.get("code", ""), None)
        verifier = packed(sha256(form.get("code_verifier", "").encode()).digest())
        if visit is None or verifier != visit.challenge:
            return 400, {"error": "invalid_grant"}
        if form.get("redirect_uri") != visit.redirect_uri or not self._client(form, authorization):
            return 401, {"error": "invalid_client"}
        access_token = secrets.token_urlsafe(16)
        token = self.token or self.identity_token(visit.nonce, access_token)
        good = {"id_token": token, "access_token": access_token, "token_type": "Bearer"}
        return 200, good | self.said

    def _client(self, form: dict[str, str], authorization: str) -> bool:
        if self.posts_secret:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        given = b64decode(authorization.removeprefix("Basic ")).decode()
        return [unquote(one) for one in given.split(":")] == [CLIENT, SECRET]

    def good_claims(self, nonce: str, access_token: str = "") -> dict[str, Any]:
        """What an honest identity token says."""
        now = int(time())
        said = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": self.subject,
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
            "email": self.email,
            "email_verified": True,
            "at_hash": packed(sha256(access_token.encode()).digest()[:16]),
        } | self.claims
        return {name: value for name, value in said.items() if value is not ...}

    def identity_token(self, nonce: str, access_token: str) -> str:
        """A signed identity token; a claim that is `...` is left out."""
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"} | self.header
        header = {name: value for name, value in header.items() if value is not ...}
        key: Any = self.key
        if header["alg"].startswith("HS"):
            key = OctKey.import_key(json.dumps(self.public_keys()[0]).encode())
        claims = self.good_claims(nonce, access_token)
        return jwt.encode(header, claims, key, algorithms=[header["alg"]])

    # -- HTTP

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = {
                one.partition(":")[0].lower(): one.partition(":")[2].strip() for one in lines
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            path = first.split(" ")[1]
            self.asked.append(path)
            if path in self.slow:
                await asyncio.sleep(3600)
            writer.write(self.raw.get(path) or self._respond(path, headers, body))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    def _respond(self, path: str, headers: dict[str, str], body: bytes) -> bytes:
        authorization = headers.get("authorization", "")
        if path == "/.well-known/openid-configuration":
            return reply(200, self._configuration())
        if path == "/jwks":
            return reply(200, {"keys": self.public_keys()})
        if path == "/token":
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            return reply(*self._exchange(form, authorization))
        if path == "/userinfo" and authorization.startswith("Bearer "):
            about = {"sub": self.subject, "email": self.email, "email_verified": True}
            said = about | self.userinfo
            return reply(200, {name: value for name, value in said.items() if value is not ...})
        return reply(404, {})


def reply(status: int, body: Any, *more: str, kind: str = "application/json") -> bytes:  # noqa: ANN401
    """An HTTP answer; text is sent as it is."""
    text = body if isinstance(body, str) else json.dumps(body)
    lines = [
        f"HTTP/1.1 {status} X",
        f"content-type: {kind}",
        f"content-length: {len(text.encode())}",
    ]
    return "\r\n".join([*lines, *more, "", text]).encode()


@asynccontextmanager
async def sign_in_service() -> AsyncIterator[SignInService]:
    """One that listens on this machine."""
    service = SignInService()
    tasks: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await service._answer(reader, writer)  # noqa: SLF001 - its own
        except asyncio.CancelledError:
            return

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    service.issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        for task in tasks:
            task.cancel()
        server.close()
