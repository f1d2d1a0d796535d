"""Checkpoints: the chain's head, signed and written down where the database's administrator has no say."""

from __future__ import annotations

import asyncio
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import nats.errors
import nats.js.errors
import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    StorageType,
    StreamConfig,
)

from kit.bus import BUS_AWAY, Bus

STREAM = "AUDIT"
MAX_BYTES = 1024**3
"""Two million checkpoints and more; the oldest go first, and what they vouched for is vouched for by those after them."""

_BATCH = 500
_FETCH_TIMEOUT = 3.0
_LONGEST = 4096
"""Bytes from the end of a file within which its last line begins; there is no space in a line."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a service's chain at a moment of the database's own clock."""

    service: str
    sequence: int
    hash: bytes
    at: datetime

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """As one line of JSON, with a signature over everything else in it."""
        told = self._told()
        return orjson.dumps(told | {"signature": b64encode(key.sign(_plain(told))).decode()})

    def _told(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "sequence": self.sequence,
            "hash": self.hash.hex(),
            "at": self.at.astimezone(UTC).isoformat(),
        }


class ForgedError(Exception):
    """What claims to be a checkpoint is none that the service has signed."""


def read(line: bytes, key: Ed25519PublicKey, service: str) -> Checkpoint:
    """The checkpoint of a service in a line; ForgedError when it has not signed just this."""
    try:
        told: dict[str, Any] = orjson.loads(line)
        signature = b64decode(told.pop("signature"), validate=True)
        key.verify(signature, _plain(told))
        made = Checkpoint(
            told["service"],
            int(told["sequence"]),
            bytes.fromhex(told["hash"]),
            datetime.fromisoformat(told["at"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature) as error:
        raise ForgedError(type(error).__name__) from None
    if made.service != service:
        raise ForgedError("of another service")
    return made


def _plain(told: Mapping[str, Any]) -> bytes:
    return b"audit checkpoint\n" + orjson.dumps(dict(told), option=orjson.OPT_SORT_KEYS)


def signing_key(secret: bytes, service: str) -> Ed25519PrivateKey:
    """The key a service signs with, made of its setting AUDIT_KEY."""
    seed = hmac.digest(secret, f"audit checkpoints of {service}".encode(), sha256)
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_keys(secrets: Mapping[str, str]) -> dict[str, str]:
    """What verifies the checkpoints of each service, in hexadecimal digits, of the services' settings AUDIT_KEY."""
    return {
        service: signing_key(bytes.fromhex(secret), service).public_key().public_bytes_raw().hex()
        for service, secret in secrets.items()
    }


# A file on another volume ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CheckpointFile:
    """One line for each checkpoint, only ever added to, each on disk before the next."""

    path: Path

    @classmethod
    def of(cls, folder: Path, service: str) -> CheckpointFile:
        """The service's file in the folder of the setting AUDIT_FOLDER."""
        return cls(folder / f"{service}.jsonl")

    def lines(self) -> Iterator[bytes]:
        """Every line, oldest first; none when there is no such file."""
        if self.path.exists():
            with self.path.open("rb") as file:
                yield from (line for line in file if line.strip())

    async def last(self) -> bytes | None:
        """The newest line."""
        return await asyncio.to_thread(self._last)

    async def add(self, line: bytes) -> None:
        """Write one line behind the others."""
        await asyncio.to_thread(self._add, line)

    def _last(self) -> bytes | None:
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - _LONGEST))
            lines = file.read().split()
        return lines[-1] if lines else None

    def _add(self, line: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# A stream that denies deleting ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CheckpointStream:
    """The same lines in a JetStream stream that lets nobody delete or purge."""

    bus: Bus
    service: str

    @property
    def subject(self) -> str:
        """Where the service writes."""
        return f"audit.{self.service}"

    async def last(self) -> bytes | None:
        """The newest one; None when there is none. One of BUS_AWAY when the broker is away."""
        await self._ensure()
        try:
            return (await self.bus.js.get_last_msg(STREAM, self.subject)).data
        except nats.js.errors.NotFoundError:
            return None

    async def add(self, line: bytes) -> None:
        """Store one; it is on disk when this returns."""
        if not self.bus.connected:
            raise nats.errors.ConnectionReconnectingError
        await self.bus.js.publish(self.subject, line, stream=STREAM)

    async def _ensure(self) -> None:
        if not self.bus.connected:
            raise nats.errors.ConnectionReconnectingError
        try:
            await self.bus.js.stream_info(STREAM)
        except nats.js.errors.NotFoundError:
            await self.bus.js.add_stream(
                StreamConfig(
                    name=STREAM,
                    subjects=["audit.*"],
                    storage=StorageType.FILE,
                    discard=DiscardPolicy.OLD,
                    max_bytes=MAX_BYTES,
                    deny_delete=True,
                    deny_purge=True,
                )
            )

    async def lines(self) -> AsyncIterator[bytes]:
        """Every one of the service's, oldest first. One of BUS_AWAY when the broker is away."""
        try:
            await self.bus.js.stream_info(STREAM)
        except nats.js.errors.NotFoundError:
            return
        config = ConsumerConfig(ack_policy=AckPolicy.NONE, inactive_threshold=30.0)
        pulled = await self.bus.js.pull_subscribe(self.subject, stream=STREAM, config=config)
        waiting = (await pulled.consumer_info()).num_pending or 0
        try:
            while waiting:
                for message in await pulled.fetch(min(_BATCH, waiting), timeout=_FETCH_TIMEOUT):
                    waiting -= 1
                    yield message.data
        finally:
            await pulled.unsubscribe()


__all__ = [
    "BUS_AWAY",
    "STREAM",
    "Checkpoint",
    "CheckpointFile",
    "CheckpointStream",
    "ForgedError",
    "public_keys",
    "read",
    "signing_key",
]
