"""Who may try a password now: each account's known sources at their own pace, all other sources together at one."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256

from kit.db import Connection
from kit.errors import RateLimited
from kit.logs import client_address
from services.identity import store
from services.identity.actions.means import Call
from services.identity.domain import Attempts, after_attempt, source_of, withdrawn
from services.identity.domain.throttle import SOURCE_KNOWN


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that was let through, and counts as failed until it has succeeded."""

    source: bytes
    bucket: bytes
    own: Attempts
    before: Attempts | None


async def begin_attempt(call: Call, email_key: str) -> Attempt:
    """Count an attempt before anything is looked at, so that many at once are not more than one after another. RateLimited when
    it comes too early. It never asks whether the account exists."""
    address = source_of(client_address.get())
    source = _hashed(call, f"source\0{email_key}\0{address}")
    now = call.clock.now()
    async with call.db.transaction() as tx:
        known = await store.knows_source(tx, source, now - SOURCE_KNOWN)
        bucket = source if known else _hashed(call, f"strangers\0{email_key}")
        before = await store.lock_attempts(tx, bucket)
        own = after_attempt(before, now)
        await store.put_attempts(tx, bucket, own)
    return Attempt(source, bucket, own, before)


@asynccontextmanager
async def attempted(call: Call, email_key: str) -> AsyncIterator[Attempt]:
    """The same for a password. Who is turned away because too many are to be hashed has made no attempt: a crowd at the door does
    not slow down those who stand in it."""
    attempt = await begin_attempt(call, email_key)
    try:
        yield attempt
    except RateLimited:
        async with call.db.transaction() as tx:
            current = await store.lock_attempts(tx, attempt.bucket)
            after = withdrawn(current, own=attempt.own, before=attempt.before)
            await store.put_attempts(tx, attempt.bucket, after)
        raise


async def attempt_succeeded(tx: Connection, call: Call, attempt: Attempt) -> None:
    """The password was right: a known source begins anew, an unknown one is known from now on, but what others have failed
    stays counted."""
    current = await store.lock_attempts(tx, attempt.bucket)
    after = None
    if attempt.bucket != attempt.source:
        after = withdrawn(current, own=attempt.own, before=attempt.before)
    await store.put_attempts(tx, attempt.bucket, after)
    await store.remember_source(tx, attempt.source, call.clock.now())


def _hashed(call: Call, text: str) -> bytes:
    """Who reads the database without the key can try out neither addresses of mail nor of machines."""
    return hmac.digest(call.peers.vault.throttle_key, text.encode(errors="replace"), sha256)
