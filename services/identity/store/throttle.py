"""The pace of sign-in attempts, and the sources that are known. Accounts and sources are kept as keyed hashes only."""

from datetime import datetime

from kit import db
from kit.db import Connection
from services.identity.domain import Attempts


# any-organization: guessing knows no organization
async def knows_source(tx: Connection, source: bytes, since: datetime) -> bool:
    """Whether the account has been signed in to from the source since then."""
    return bool(
        await db.value(
            tx, "SELECT true FROM known_sources WHERE source = $1 AND last_at > $2", source, since
        )
    )


# any-organization: guessing knows no organization
async def remember_source(tx: Connection, source: bytes, at: datetime) -> None:
    """The account was signed in to from the source."""
    await db.run(
        tx,
        "INSERT INTO known_sources VALUES ($1, $2) ON CONFLICT (source) DO UPDATE"
        " SET last_at = greatest(known_sources.last_at, excluded.last_at)",
        source,
        at,
    )


# any-organization: guessing knows no organization
async def lock_attempts(tx: Connection, bucket: bytes) -> Attempts | None:
    """The attempts in a bucket; whoever comes next for the same bucket waits until the transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", bucket.hex())
    return await db.maybe(
        tx,
        Attempts,
        "SELECT failures, last_at, next_at FROM sign_in_attempts WHERE bucket = $1",
        bucket,
    )


# any-organization: guessing knows no organization
async def put_attempts(tx: Connection, bucket: bytes, attempts: Attempts | None) -> None:
    """Keep the attempts of a bucket; None forgets them."""
    if attempts is None:
        await db.run(tx, "DELETE FROM sign_in_attempts WHERE bucket = $1", bucket)
        return
    await db.run(
        tx,
        "INSERT INTO sign_in_attempts VALUES ($1, $2, $3, $4) ON CONFLICT (bucket) DO UPDATE"
        " SET failures = excluded.failures, last_at = excluded.last_at, next_at = excluded.next_at",
        bucket,
        attempts.failures,
        attempts.last_at,
        attempts.next_at,
    )


# any-organization: housekeeping
async def forget_attempts(tx: Connection, before: datetime, most: int) -> int:
    """Drop the attempts that count no more, at most so many; answers how many."""
    return await db.run(
        tx,
        "DELETE FROM sign_in_attempts WHERE bucket IN"
        " (SELECT bucket FROM sign_in_attempts WHERE last_at <= $1 ORDER BY last_at LIMIT $2)",
        before,
        most,
    )


# any-organization: housekeeping
async def forget_sources(tx: Connection, before: datetime, most: int) -> int:
    """Drop the sources that are known no more, at most so many; answers how many."""
    return await db.run(
        tx,
        "DELETE FROM known_sources WHERE source IN"
        " (SELECT source FROM known_sources WHERE last_at <= $1 ORDER BY last_at LIMIT $2)",
        before,
        most,
    )
