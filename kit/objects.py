"""Objects in an S3-compatible store: bytes under names that say nothing. Each call is bounded in time, and what fails is Unavailable."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import S3Store

from kit.config import Mode, ServiceSettings, optional, setting, text, yes_or_no
from kit.errors import Unavailable

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE: Final = 9.0
"""Seconds an object may take to be put, had or deleted, with all that is tried again: less than anybody waits for a piece of a file."""

PROBE_PATIENCE: Final = 1.5
"""Seconds in which the store must say that it is there."""

LONGEST_ATTEMPT: Final = timedelta(seconds=4)
_CLIENT: ClientConfig = {"connect_timeout": timedelta(seconds=2), "timeout": LONGEST_ATTEMPT}
_RETRIES: RetryConfig = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=5),
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=1),
        "base": 2,
    },
}
_PAGE: Final = 1000
_NOBODY: Final = "nothing-is-called-so"
_FAILURES: Final = (BaseError, OSError, ValueError)
"""What the client raises; its texts hold addresses and what the store answered, so they go nowhere."""


# Settings -------------------------------------------------------------------------------------------------------------


def bucket_name(value: str) -> str:
    """A bucket as S3 names them; or nothing."""
    if value and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", value):
        raise ValueError(f"must be a bucket's name, not {value!r}")
    return value


def object_prefix(value: str) -> str:
    """Where in the bucket: words of letters, digits, _ and - with slashes between."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", value):
        raise ValueError("must be words of letters, digits, _ and -, with slashes between")
    return value


def endpoint(value: str) -> str:
    """Where an S3-compatible store is: a scheme, a host and perhaps a port; or nothing. Never echoed."""
    if value:
        parts = urlsplit(value)
        plain = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
        if not plain or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("must be an address such as https://objects.example.org:9000")
    return value.rstrip("/")


@dataclass(frozen=True, kw_only=True)
class ObjectSettings(ServiceSettings):
    """What a service that keeps objects is told besides."""

    s3_bucket: str = setting(
        "S3_BUCKET",
        bucket_name,
        "",
        about="bucket of the S3-compatible store; empty: there is none",
    )
    s3_endpoint: str = setting(
        "S3_ENDPOINT",
        endpoint,
        "",
        about="address of the S3-compatible store; empty: that of AWS for S3_REGION",
    )
    s3_region: str = setting("S3_REGION", text, "us-east-1", about="region of the bucket")
    s3_prefix: str = setting(
        "S3_PREFIX", object_prefix, "suite", about="what the names of our objects begin with"
    )
    s3_path_style: bool = setting(
        "S3_PATH_STYLE",
        yes_or_no,
        "yes",
        about="yes: the bucket is in the path of an object's address; no: in its host",
    )
    s3_access_key_id: str = setting(
        "S3_ACCESS_KEY_ID", optional, "", about="who asks the S3-compatible store"
    )
    s3_secret_access_key: str = setting(
        "S3_SECRET_ACCESS_KEY", optional, "", about="key that signs what the store is asked"
    )
    s3_ca: str = setting(
        "S3_CA",
        optional,
        "",
        about="certificate (PEM) of an authority of your own that vouches for the store, besides the public ones",
    )

    @classmethod
    def at_odds(cls, values: Mapping[str, Any]) -> list[str]:
        """Also: a bucket needs somebody who asks, and patients' data, sealed or not, crosses a network under TLS."""
        problems = super().at_odds(values)
        if values.get("s3_bucket"):
            problems += [
                f"{name.upper()} is not set, and S3_BUCKET is"
                for name in ("s3_access_key_id", "s3_secret_access_key")
                if values.get(name) == ""
            ]
        production = values.get("mode") is Mode.PRODUCTION
        if production and not _confidential(values.get("s3_endpoint", "")):
            problems.append("S3_ENDPOINT must begin with https:// unless it is on this machine")
        return problems


def _confidential(address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme != "http":
        return True
    host = parts.hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# Objects --------------------------------------------------------------------------------------------------------------


class Objects:
    """A place in a bucket. Whatever the process has in its environment for other programs (AWS_...) says nothing here."""

    def __init__(self, settings: ObjectSettings) -> None:
        who = {
            "access_key_id": settings.s3_access_key_id,
            "secret_access_key": settings.s3_secret_access_key,
            "token": None,
            "expires_at": None,
        }
        address = _address(settings)
        config: S3Config = {
            "endpoint": address,
            "aws_endpoint_url_s3": address,
            "region": settings.s3_region,
            "virtual_hosted_style_request": not settings.s3_path_style,
            "skip_signature": False,
            "unsigned_payload": False,
            "disable_bulk_delete": True,
        }
        client: ClientConfig = {**_CLIENT, "allow_http": address.startswith("http://")}
        if settings.s3_ca:
            client["root_certificate"] = settings.s3_ca
        self._store = S3Store(
            settings.s3_bucket,
            prefix=settings.s3_prefix,
            config=config,
            client_options=client,
            retry_config=_RETRIES,
            credential_provider=lambda: who,  # type: ignore[arg-type]  # a plain dict will do
        )

    async def put(self, name: str, contents: bytes) -> None:
        """Keep an object, in place of what had its name. When this returns the store has all of it, and has compared its digest."""
        await _asked("put", self._store.put_async(name, contents, use_multipart=False))

    async def get(self, name: str, most: int) -> bytes | None:
        """An object's contents, if it has no more bytes than that; None when the store says that there is none."""
        try:
            return await _asked("get", self._read(name, most))
        except FileNotFoundError:
            return None

    async def _read(self, name: str, most: int) -> bytes:
        found = await self._store.get_async(name)
        if found.meta["size"] > most:
            raise RuntimeError("an object is larger than what was put")
        return bytes(await found.bytes_async())

    async def delete(self, name: str) -> None:
        """Forget an object. When this returns the store has none of that name."""
        try:
            await _asked("delete", self._store.delete_async(name))
        except FileNotFoundError:
            return

    async def names(self) -> AsyncGenerator[list[str]]:
        """What all objects here are called, some at a time."""
        pages = aiter(self._store.list(chunk_size=_PAGE))
        while True:
            page = await _asked("list", anext(pages, None))
            if page is None:
                return
            yield [one["path"] for one in page]

    async def answers(self) -> bool:
        """Whether the store is there, has the bucket and lets us in."""
        try:
            async with asyncio.timeout(PROBE_PATIENCE):
                await anext(aiter(self._store.list(prefix=_NOBODY)), None)
        except _FAILURES:
            return False
        return True


def _address(settings: ObjectSettings) -> str:
    address = settings.s3_endpoint or f"https://s3.{settings.s3_region}.amazonaws.com"
    if settings.s3_path_style:
        return address
    scheme, _, host = address.partition("://")
    return f"{scheme}://{settings.s3_bucket}.{host}"


async def _asked(what: str, answer: Awaitable[T]) -> T:
    """What the store answers; FileNotFoundError for an object that is not there, Unavailable for all that hinders it."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await answer
    except FileNotFoundError as error:
        if what in ("get", "delete") and "NoSuchBucket" not in str(error):
            raise FileNotFoundError from None
        because = "NoSuchBucket"
    except _FAILURES as error:
        because = type(error).__name__
    log.warning("the object store did not do it", extra={"asked": what, "because": because})
    raise Unavailable(
        "Files cannot be kept or had at the moment.",
        code="FILE_STORE_AWAY",
        remedy="Try again in a few minutes.",
    )
