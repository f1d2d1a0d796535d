"""Answers to retries: a create or send with the same key does its work once, as long as the answer is kept (30 days)."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from kit import db
from kit.auth import Viewer
from kit.db import Connection, Database
from kit.errors import Conflict, Invalid

MAX_KEY = 200

KEPT = timedelta(days=30)
"""How long an answer is kept: longer than any client retries. The same key after that is a new request."""

BATCH = 5000
"""Answers forgotten in one statement, so that housekeeping never holds the database for long."""

_NOWHERE = UUID(int=0)
"""Where support acts, who belong to no organization."""


async def once(
    tx: Connection,
    viewer: Viewer,
    *,
    key: str,
    request: object,
    at: datetime,
    make: Callable[[], Awaitable[UUID]],
) -> UUID:
    """The id that `make` gave the first time this user sent this key in this organization; `make` runs only that time.

    `request` is whatever the client asked for (its repr is hashed): the same key with another request is a Conflict
    IDEMPOTENCY_KEY_REUSED. Two at once wait for one another. A refusal leaves no trace, so the key can be tried again.
    Answers are kept for 30 days (`KEPT`) of the database's own time, wherever development moves the clock: a retry after that
    does its work again, unless a rule of the thing itself stands against it.
    """
    user, place = viewer.require_user(), viewer.organization_id or _NOWHERE
    _check(key)
    lock = f"{user}:{place}:{key}"
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", lock)
    known = await answered(tx, viewer, key=key, request=request)
    if known is not None:
        return known
    made = await make()
    await db.run(
        tx,
        """INSERT INTO idempotency (user_id, organization_id, key, request_hash, result_id, recorded_at)
            VALUES ($1, $2, $3, $4, $5, $6)""",
        user,
        place,
        key,
        _digest(request),
        made,
        at,
    )
    return made


async def answered(tx: Connection, viewer: Viewer, *, key: str, request: object) -> UUID | None:
    """The id this key was answered with before, if it was: for verbs that ask siblings before their transaction, so that a
    retry is not refused by what has changed there since. Refuses as `once` does."""
    _check(key)
    row = await tx.fetchrow(
        """SELECT request_hash, result_id FROM idempotency
            WHERE user_id = $1 AND organization_id = $2 AND key = $3""",
        viewer.require_user(),
        viewer.organization_id or _NOWHERE,
        key,
    )
    if row is None:
        return None
    if row["request_hash"] != _digest(request):
        raise Conflict(
            "This idempotencyKey was used for another request.",
            code="IDEMPOTENCY_KEY_REUSED",
            field="idempotencyKey",
            remedy="Use a new key for a new request.",
        )
    found: UUID = row["result_id"]
    return found


async def forget(database: Database, now: datetime) -> None:
    """Housekeeping, done by a job of every service: drop the answers given 30 days before `now`, which is a real time."""
    gone = BATCH
    while gone == BATCH:
        async with database.transaction() as tx:
            gone = await db.run(
                tx,
                "DELETE FROM idempotency WHERE (user_id, organization_id, key) IN (SELECT user_id, organization_id, key"
                " FROM idempotency WHERE answered_at <= $1 ORDER BY answered_at LIMIT $2)",
                now - KEPT,
                BATCH,
            )


def _check(key: str) -> None:
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        raise Invalid(
            f"idempotencyKey must have 1 to {MAX_KEY} printable characters.", field="idempotencyKey"
        )


def _digest(request: object) -> bytes:
    return hashlib.sha256(repr(request).encode()).digest()
