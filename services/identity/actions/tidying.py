"""Housekeeping: what identity no longer needs goes."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeAlias

from kit.db import Connection
from services.identity import store
from services.identity.actions.means import Call
from services.identity.domain import SESSION_KEPT
from services.identity.domain.throttle import ATTEMPTS_FORGOTTEN, SOURCE_KNOWN

BATCH = 5000
"""Rows dropped in one transaction, so that housekeeping never holds the database for long."""

Forget: TypeAlias = Callable[[Connection, datetime, int], Awaitable[int]]


async def tidy(call: Call) -> None:
    """Drop the sign-in attempts that count no more, sources not known any more, sessions that ended long ago, sign-ins nobody came
    back from, and the text of mail whose secrets have expired."""
    now = call.clock.now()
    async with call.db.transaction() as tx:
        await store.forget_expired_letters(tx, now)
    await forget_all(call, store.forget_attempts, now - ATTEMPTS_FORGOTTEN)
    await forget_all(call, store.forget_sources, now - SOURCE_KNOWN)
    await forget_all(call, store.forget_trips, now)
    await forget_all(call, store.forget_sessions, now - SESSION_KEPT)


async def forget_all(call: Call, some: Forget, before: datetime) -> None:
    """Drop everything of a kind that is older than that moment, some of it at a time."""
    gone = BATCH
    while gone == BATCH:
        async with call.db.transaction() as tx:
            gone = await some(tx, before, BATCH)
