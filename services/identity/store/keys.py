"""The keys that sign access tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kit import db
from kit.db import Connection

_KEYS_LOCK = 0x6B657973


@dataclass(frozen=True, slots=True)
class SigningKeyRow:
    """A key as it is kept: the private half sealed. It is shown from the start, signs from a moment on, and verifies until its
    end."""

    kid: str
    public_key: dict[str, Any]
    sealed_private_key: str
    made_at: datetime
    signs_from: datetime
    ends_at: datetime | None = None

    def ended(self, now: datetime) -> bool:
        """Whether nothing that it signed is believed any more."""
        return self.ends_at is not None and now >= self.ends_at


# any-organization: the keys sign for all
async def signing_keys(tx: Connection) -> list[SigningKeyRow]:
    """Every signing key, the newest first."""
    return await db.many(
        tx,
        SigningKeyRow,
        "SELECT kid, public_key, sealed_private_key, made_at, signs_from, ends_at FROM signing_keys"
        " ORDER BY signs_from DESC, kid",
    )


# any-organization: the keys sign for all
async def lock_signing_keys(tx: Connection) -> None:
    """Whoever changes the keys next waits until the transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", _KEYS_LOCK)


# any-organization: the keys sign for all
async def add_signing_key(tx: Connection, key: SigningKeyRow) -> None:
    """Keep a new key."""
    await db.run(
        tx,
        "INSERT INTO signing_keys (kid, public_key, sealed_private_key, made_at, signs_from) VALUES ($1, $2, $3, $4, $5)",
        key.kid,
        key.public_key,
        key.sealed_private_key,
        key.made_at,
        key.signs_from,
    )


# any-organization: the keys sign for all
async def end_signing_keys(tx: Connection, kept: str, at: datetime) -> None:
    """Every other key ends then, unless it ends sooner."""
    await db.run(
        tx,
        "UPDATE signing_keys SET ends_at = $2 WHERE kid <> $1 AND (ends_at IS NULL OR ends_at > $2)",
        kept,
        at,
    )


# any-organization: housekeeping
async def forget_signing_keys(tx: Connection, before: datetime) -> int:
    """Drop the keys that ended before then; answers how many."""
    return await db.run(tx, "DELETE FROM signing_keys WHERE ends_at <= $1", before)
