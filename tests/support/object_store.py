"""A small S3-compatible store for tests: it believes nobody whose signature it cannot make itself, and misbehaves when it is told to."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, quote
from xml.sax.saxutils import escape

ACCESS_KEY: Final = "SUITETESTS"
SECRET_KEY: Final = "canary-secret-of-the-store"
BUCKET: Final = "suite-files"
REGION: Final = "eu-central-1"
PREFIX: Final = "here"
SKEW: Final = timedelta(minutes=15)
"""A request that was signed so long before or after is refused, as the genuine stores do."""

_REASONS: Final = {
    200: "OK",
    206: "Partial Content",
    204: "No Content",
    403: "Forbidden",
    404: "Not Found",
}


@dataclass(frozen=True)
class Asked:
    """A request: header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        """The object's key in the bucket, path style."""
        return self.path.removeprefix(f"/{BUCKET}").removeprefix("/")


@dataclass
class SmallStore:
    """Keeps objects in memory. `trouble` says how it will meet the next requests of a method, one after another: a status, "cut",
    "slow" (until `awake` is set), or "shuffled" and "short" for what a GET brings; `always` how it meets them all."""

    objects: dict[str, bytes] = field(default_factory=dict)
    trouble: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    always: dict[str, str] = field(default_factory=dict)
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    ahead: timedelta = timedelta()
    asked: list[tuple[str, str]] = field(default_factory=list)
    disbelieved: list[str] = field(default_factory=list)
    page: int = 1000
    url: str = ""

    def well(self) -> None:
        """Behave again."""
        self.trouble.clear()
        self.always.clear()
        self.awake.set()
        self.awake = asyncio.Event()
        self.ahead = timedelta()
        self.asked.clear()
        self.disbelieved.clear()

    @property
    def names(self) -> set[str]:
        """What is in it, without the prefix."""
        return {key.removeprefix(f"{PREFIX}/") for key in self.objects}

    def contents(self, name: object) -> bytes:
        """What is in an object."""
        return self.objects[f"{PREFIX}/{name}"]

    def put(self, name: object, contents: bytes) -> None:
        """Something gets into it beside the suite, or in another one's place."""
        self.objects[f"{PREFIX}/{name}"] = contents

    def settings(self, **other: str) -> dict[str, str]:
        """The settings that make a service keep its files here."""
        return {
            "ATTACHMENT_STORE": "s3",
            "S3_ENDPOINT": self.url,
            "S3_REGION": REGION,
            "S3_BUCKET": BUCKET,
            "S3_PREFIX": PREFIX,
            "S3_PATH_STYLE": "yes",
            "S3_ACCESS_KEY_ID": ACCESS_KEY,
            "S3_SECRET_ACCESS_KEY": SECRET_KEY,
            **other,
        }

    # One connection ---------------------------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of a connection until it ends."""
        try:
            while await self._answer_next(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _answer_next(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
        method, target, _ = head[0].split(" ")
        lines = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in lines}
        how = self._mood(method)
        length = int(headers.get("content-length", "0"))
        if how == "cut" and method == "PUT":
            await reader.readexactly(length // 2)
            writer.transport.abort()
            return False
        path, _, query = target.partition("?")
        asked = Asked(method, path, query, headers, await reader.readexactly(length))
        self.asked.append((method, asked.key))
        await self._reply(writer, asked, how)
        return how != "cut"

    def _mood(self, method: str) -> str:
        waiting = self.trouble[method]
        return waiting.pop(0) if waiting else self.always.get(method, "")

    async def _reply(self, writer: asyncio.StreamWriter, asked: Asked, how: str) -> None:
        if how == "slow":
            await self.awake.wait()
        why = self.doubt(asked)
        if why:
            self.disbelieved.append(why)
            status, body = 403, f"<Error><Code>{why}</Code></Error>".encode()
        elif how.isdigit():
            status, body = int(how), b"<Error><Code>Told</Code></Error>"
        else:
            status, body = self._do(asked)
        if how == "shuffled":
            body = bytes(reversed(body))
        if how == "short":
            body = body[:-1]
        writer.write(_answer(status, body, asked.headers.get("range"), cut=how == "cut"))
        await writer.drain()
        if how == "cut":
            writer.close()

    def _do(self, asked: Asked) -> tuple[int, bytes]:
        if asked.method == "PUT":
            self.objects[asked.key] = asked.body
            return 200, b""
        if asked.method == "DELETE":
            self.objects.pop(asked.key, None)
            return 204, b""
        if "list-type" in asked.query:
            return 200, self._listed(dict(parse_qsl(asked.query)))
        found = self.objects.get(asked.key)
        if found is None:
            return 404, b"<Error><Code>NoSuchKey</Code></Error>"
        return 200, found

    def _listed(self, query: dict[str, str]) -> bytes:
        after = query.get("continuation-token", "")
        keys = [
            key
            for key in sorted(self.objects)
            if key.startswith(query.get("prefix", "")) and key > after
        ]
        shown, more = keys[: self.page], len(keys) > self.page
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<Size>{len(self.objects[key])}</Size><ETag>x</ETag></Contents>"
            for key in shown
        )
        token = (
            f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if more else ""
        )
        return (
            f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{contents}"
            "</ListBucketResult>"
        ).encode()

    # Who asks ---------------------------------------------------------------------------------------------------------

    def doubt(self, asked: Asked) -> str:
        """Why a request is not believed; nothing when it is signed by who has our key, for just this, not long ago."""
        scheme, _, rest = asked.headers.get("authorization", "").partition(" ")
        parts = dict(one.strip().split("=", 1) for one in rest.split(",") if "=" in one)
        if scheme != "AWS4-HMAC-SHA256" or not {"Credential", "SignedHeaders", "Signature"} <= set(
            parts
        ):
            return "AccessDenied"
        said = asked.headers["x-amz-content-sha256"]
        if said != hashlib.sha256(asked.body).hexdigest():
            return "XAmzContentSHA256Mismatch"
        at = datetime.strptime(asked.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(datetime.now(UTC) + self.ahead - at) > SKEW:
            return "RequestTimeTooSkewed"
        signed = parts["SignedHeaders"].split(";")
        if not {"host", "x-amz-content-sha256", "x-amz-date"} <= set(signed):
            return "AccessDenied"
        expected = _signature(asked, signed, parts["Credential"])
        return "" if hmac.compare_digest(expected, parts["Signature"]) else "SignatureDoesNotMatch"


def _signature(asked: Asked, signed: list[str], credential: str) -> str:
    """The signature as the store makes it itself (AWS Signature Version 4)."""
    day = asked.headers["x-amz-date"][:8]
    scope = f"{day}/{REGION}/s3/aws4_request"
    if credential != f"{ACCESS_KEY}/{scope}":
        return ""
    query = sorted(parse_qsl(asked.query, keep_blank_values=True))
    canonical = "\n".join(
        [
            asked.method,
            asked.path,
            "&".join(
                f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query
            ),
            *(f"{name}:{asked.headers[name]}" for name in signed),
            "",
            ";".join(signed),
            asked.headers["x-amz-content-sha256"],
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", asked.headers["x-amz-date"], scope, digest])
    key = f"AWS4{SECRET_KEY}".encode()
    for part in (day, REGION, "s3", "aws4_request", text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def _answer(status: int, body: bytes, wanted: str | None, *, cut: bool) -> bytes:
    lines = [
        "content-type: application/octet-stream",
        "last-modified: Thu, 01 Jan 2026 00:00:00 GMT",
        'etag: "x"',
    ]
    if wanted and status == 200:
        first = int(wanted.removeprefix("bytes=").partition("-")[0])
        lines.append(f"content-range: bytes {first}-{len(body) - 1}/{len(body)}")
        status, body = 206, body[first:]
    if status != 204:
        lines.append(f"content-length: {len(body)}")
    head = "\r\n".join([f"HTTP/1.1 {status} {_REASONS.get(status, 'Told')}", *lines])
    return head.encode() + b"\r\n\r\n" + body[: len(body) // 2 if cut else None]


@asynccontextmanager
async def small_store() -> AsyncIterator[SmallStore]:
    """A store on a free port of loopback."""
    store, open_ = SmallStore(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        open_.add(task)
        task.add_done_callback(open_.discard)
        await store.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    store.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield store
    finally:
        server.close()
        for task in open_:
            task.cancel()
        await asyncio.gather(*open_, return_exceptions=True)
