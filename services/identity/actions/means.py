"""What identity's verbs work with besides the database: secrets, hashing, the keys that sign tokens, and directory."""

import asyncio
import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from secrets import token_hex, token_urlsafe
from typing import TypeAlias, TypeVar

import argon2
from argon2.exceptions import VerifyMismatchError
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from kit.errors import RateLimited
from kit.service import Call as AnyCall
from services.identity.actions.openid import OpenId
from services.identity.actions.passkeys import Passkeys
from services.identity.actions.peers import Directory, Referrals
from services.identity.store import SigningKeyRow

T = TypeVar("T")

HASHING_THREADS = 2
LONGEST_QUEUE = 64
"""So many passwords may wait to be hashed (about two seconds' worth); more are told to come back."""


class Vault:
    """Keys derived from the setting IDENTITY_SECRET, one for each use."""

    def __init__(self, secret: bytes) -> None:
        self.refresh_key = hmac.digest(secret, b"refresh tokens", sha256)
        self.throttle_key = hmac.digest(secret, b"throttle", sha256)
        self.recovery_key = hmac.digest(secret, b"recovery codes", sha256)
        self._sealing = OctKey.import_key(hmac.digest(secret, b"sealing", sha256))

    def seal(self, plain: bytes) -> str:
        """What only this suite can open again."""
        return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, plain, self._sealing)

    def open(self, sealed: str) -> bytes:
        """What was sealed; a fault when it was sealed with another secret or has been changed."""
        try:
            plain = jwe.decrypt_compact(sealed, self._sealing).plaintext
        except (JoseError, ValueError) as error:
            raise RuntimeError("IDENTITY_SECRET does not open what this database holds") from error
        if plain is None:
            raise RuntimeError("a sealed text is empty")
        return plain


class Hasher:
    """Argon2id by OWASP's figures (t=2, 19 MiB, p=1) on a few threads behind a bounded queue."""

    def __init__(self) -> None:
        self._argon = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._threads = ThreadPoolExecutor(HASHING_THREADS, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys = self._argon.hash(token_hex())

    async def hash(self, password: str) -> str:
        """The hash of a password, with its parameters in it."""
        return await self._do(lambda: self._argon.hash(password))

    async def right(self, password: str, known: str | None) -> bool:
        """Whether the password is the one that was hashed. Without a hash the answer is no, and takes as long."""
        found = await self._do(lambda: self._verify(known or self._nobodys, password))
        return found and known is not None

    def outdated(self, known: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._argon.check_needs_rehash(known)

    def _verify(self, known: str, password: str) -> bool:
        try:
            return self._argon.verify(known, password)
        except VerifyMismatchError:
            return False

    async def _do(self, work: Callable[[], T]) -> T:
        if self._waiting >= LONGEST_QUEUE:
            raise RateLimited(
                "Too many people are signing in at once.",
                remedy="Try again in a moment.",
                retry_after_seconds=2,
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


@dataclass(frozen=True)
class Post:
    """How mail leaves, and where its links lead."""

    smtp_url: str
    sender: str
    public_url: str

    def confirmation(self, token: str) -> str:
        """The link that confirms an account. The token stands behind the #, which browsers keep to themselves: no server's log
        and no referrer shows it, and opening the link consumes nothing."""
        return f"{self.public_url}/confirm#token={token}"

    def new_password(self, token: str) -> str:
        """The link that lets a user who forgot the password set another; made like the one above."""
        return f"{self.public_url}/new-password#token={token}"


@dataclass(frozen=True)
class Support:
    """The support account that is there from the start; empty: none. `second_factor`: all of support must have one."""

    email: str = ""
    password: str = field(default="", repr=False)
    second_factor: bool = False


@dataclass
class Keyring:
    """The signing keys, newest first, as this process read them last."""

    keys: tuple[SigningKeyRow, ...] = ()
    read_at: datetime | None = None


@dataclass(frozen=True)
class Means:
    """All of it."""

    vault: Vault
    keyring: Keyring
    hasher: Hasher
    directory: Directory
    referrals: Referrals
    post: Post
    support: Support
    passkeys: Passkeys
    openid: OpenId


Call: TypeAlias = AnyCall[Means]


def link_token() -> str:
    """A fresh secret of 256 bits for a link."""
    return token_urlsafe(32)


def link_hash(token: str) -> bytes:
    """What is kept of a link's secret."""
    return sha256(token.encode()).digest()
