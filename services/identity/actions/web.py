"""Asking an organization's sign-in service: HTTPS to a public address, bounded in time and size, following nothing."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import SOCK_STREAM
from urllib.parse import urlencode, urlsplit

import httptools

from services.identity.domain.sso import NotBelievedError, sound_url

TIMEOUT = 5.0
"""Seconds for the whole exchange, the name's resolution included."""

LARGEST = 256 * 1024
_PIECE = 64 * 1024
_OK = 200
_IPV4 = 0xFFFF_FFFF
_TRANSLATED = IPv6Network("64:ff9b::/96")
_LOCAL_TRANSLATED = IPv6Network("64:ff9b:1::/48")


class AwayError(Exception):
    """The service cannot be asked: no address, no connection, no answer in time."""


@dataclass
class _Reply:
    """A reply as far as it has come."""

    status: int = 0
    kind: str = ""
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    complete: bool = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line."""
        if name.lower() == b"content-type":
            self.kind = value.decode("latin-1").lower()

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self.pieces.append(data)
        self.size += len(data)

    def on_message_complete(self) -> None:
        """The reply is whole."""
        self.complete = True


class Web:
    """One request, one connection. `plain`: development, where http and addresses of this machine are good as well."""

    def __init__(self, *, plain: bool) -> None:
        self.plain = plain
        self._secure = ssl.create_default_context()

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> bytes:
        """The JSON at an address. AwayError when nobody answers, NotBelievedError when the answer is no good."""
        return await self._ask(url, "GET", b"", headers or {})

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> bytes:
        """The JSON that a form is answered with. The same errors."""
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return await self._ask(url, "POST", urlencode(form).encode(), kind | dict(headers or {}))

    async def _ask(self, url: str, verb: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        if not sound_url(url, plain=self.plain):
            raise NotBelievedError("no good address")
        try:
            async with asyncio.timeout(TIMEOUT):
                reply = await self._exchange(url, _request(url, verb, body, headers))
        except (OSError, TimeoutError, EOFError, UnicodeError) as error:
            raise AwayError(type(error).__name__) from error
        if reply.status != _OK:
            raise NotBelievedError(f"status {reply.status}")
        if "json" not in reply.kind:
            raise NotBelievedError("not JSON")
        return b"".join(reply.pieces)

    async def _exchange(self, url: str, request: bytes) -> _Reply:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        reader, writer = await asyncio.open_connection(
            await self._address(host, port),
            port,
            ssl=self._secure if secure else None,
            server_hostname=host if secure else None,
        )
        try:
            writer.write(request)
            return await _read(reader)
        finally:
            writer.transport.abort()

    async def _address(self, host: str, port: int) -> str:
        """Where the host is. The address that was looked at is the one that is connected to, whatever the name says next."""
        loop = asyncio.get_running_loop()
        found = [one[4][0] for one in await loop.getaddrinfo(host, port, type=SOCK_STREAM)]
        if not found:
            raise AwayError("no address")
        if not self.plain and not all(public(str(one)) for one in found):
            raise NotBelievedError("not a public address")
        return str(found[0])


def public(text: str) -> bool:
    """Whether an address is one of the public network, and none of ours."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.teredo is not None or address in _LOCAL_TRANSLATED:
            return False
        translated = IPv4Address(int(address) & _IPV4) if address in _TRANSLATED else None
        address = address.ipv4_mapped or address.sixtofour or translated or address
    return address.is_global and not address.is_multicast


def _request(url: str, verb: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{verb} {path} HTTP/1.1", f"host: {parts.netloc}", "accept: application/json"]
    lines += ["accept-encoding: identity", "connection: close", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if any("\r" in line or "\n" in line for line in lines):
        raise NotBelievedError("a line break in a header")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


async def _read(reader: asyncio.StreamReader) -> _Reply:
    reply = _Reply()
    parser = httptools.HttpResponseParser(reply)
    received = 0
    while not reply.complete:
        piece = await reader.read(_PIECE)
        received += len(piece)
        if received > LARGEST:
            raise NotBelievedError("too large")
        if not piece:
            break
        try:
            parser.feed_data(piece)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise NotBelievedError("no HTTP") from error
    if not received:
        raise EOFError
    reply.status = parser.get_status_code()
    return reply
