"""The little HTTP a supervisor and a command need, without a client library's start-up time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Reply(NamedTuple):
    """What was answered: the status and the JSON body (None when it is not JSON)."""

    status: int
    body: Any


async def request(
    url: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    *,
    seconds: float = 10.0,
) -> Reply:
    """GET, or POST when there is a body. OSError when nobody answers there, TimeoutError when not in time."""
    return await asyncio.wait_for(_exchange(url, body, headers or {}), seconds)


async def _exchange(url: str, body: object, headers: Mapping[str, str]) -> Reply:
    parts = urlsplit(url)
    payload = b"" if body is None else json.dumps(body).encode()
    sent = {
        "Host": parts.netloc,
        "Connection": "close",
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Content-Length": str(len(payload)),
        **headers,
    }
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{'GET' if body is None else 'POST'} {path or '/'} HTTP/1.0"]
    lines += [f"{name}: {value}" for name, value in sent.items()]
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode() + payload)
        return _read(await reader.read())
    finally:
        writer.close()


def _read(answer: bytes) -> Reply:
    head, _, body = answer.partition(b"\r\n\r\n")
    try:
        status = int(head.split()[1])
    except (IndexError, ValueError):
        raise ConnectionResetError("the connection ended before an answer") from None
    try:
        return Reply(status, json.loads(body))
    except ValueError:
        return Reply(status, None)
