"""What changed, told to every replica by NOTIFY in the transaction that changed it, and handed to who is watching here."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson

from kit.db import LOST_CONNECTION, Connection, Database
from kit.errors import Unavailable
from services.referrals.domain import (
    GroupId,
    Happened,
    OfficeId,
    Party,
    ProviderId,
    Queue,
    ReferralId,
    UserId,
)

log = logging.getLogger(__name__)

CHANNEL: Final = "referral_news"
BACKLOG: Final = 1000
CHECK_EVERY: Final = 5.0
_RETRY: Final = 0.2


@dataclass(frozen=True, slots=True)
class ReferralChanged:
    """A referral changed, and whose queues it is or was in. Ids only."""

    referral_id: ReferralId
    happened: Happened
    offices: frozenset[UUID]
    groups: frozenset[UUID]
    providers: frozenset[UUID] = frozenset()

    def touches(self, queue: Queue) -> bool:
        """Whether it belongs to the queue."""
        at_place = queue.office_id in self.offices or queue.group_id in self.groups
        return at_place or queue.provider_id in self.providers


@dataclass(frozen=True, slots=True)
class AccessChanged:
    """Somebody's access changed: of a user (everywhere, or at one office, as one provider, or of one session), or of a group's
    staff."""

    user_id: UserId | None = None
    office_id: OfficeId | None = None
    session_id: UUID | None = None
    group_id: GroupId | None = None
    provider_id: ProviderId | None = None


News = ReferralChanged | AccessChanged


# any-organization: whoever watches is checked by policy before anything is shown
async def announce(
    tx: Connection, referral_id: ReferralId, happened: Happened, ends: frozenset[Party]
) -> None:
    """Tell every replica, on commit, that a referral changed."""
    changed = {
        "referral": referral_id,
        "happened": happened,
        "offices": sorted(end.office_id for end in ends),
        "groups": sorted(end.group_id for end in ends if end.group_id is not None),
        "providers": sorted(end.provider_id for end in ends if end.provider_id is not None),
    }
    await tx.execute(
        "SELECT pg_notify($1, $2)", CHANNEL, orjson.dumps(changed, default=str).decode()
    )


# any-organization: ids of users and groups are unique in the suite
async def announce_access(tx: Connection, changed: AccessChanged) -> None:
    """Tell every replica, on commit, that somebody's access changed."""
    await tx.execute(
        "SELECT pg_notify($1, $2)", CHANNEL, orjson.dumps(changed, default=str).decode()
    )


def _read(payload: str) -> News:
    told = orjson.loads(payload)
    if "referral" in told:
        return ReferralChanged(
            ReferralId(UUID(told["referral"])),
            Happened(told["happened"]),
            frozenset(UUID(one) for one in told["offices"]),
            frozenset(UUID(one) for one in told["groups"]),
            frozenset(UUID(one) for one in told.get("providers", ())),
        )
    ids = {name: UUID(told[name]) if told[name] else None for name in told}
    user, office, group = ids["user_id"], ids["office_id"], ids["group_id"]
    provider = ids.get("provider_id")
    return AccessChanged(
        UserId(user) if user else None,
        OfficeId(office) if office else None,
        ids["session_id"],
        GroupId(group) if group else None,
        ProviderId(provider) if provider else None,
    )


class NewsRoom:
    """One listening connection per process, however many watch."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[News | None]] = set()
        self._listening = asyncio.Event()

    @property
    def watchers(self) -> int:
        """How many are watching."""
        return len(self._watchers)

    async def run(self, database: Database) -> None:
        """Listen until cancelled. When the connection is lost, watchers are sent away: they may have missed something."""
        while True:
            try:
                await self._listen(database)
            except LOST_CONNECTION as error:
                log.warning("news wait", extra={"because": type(error).__name__})
            finally:
                self._listening.clear()
                for watcher in self._watchers:
                    self._dismiss(watcher)
            await asyncio.sleep(_RETRY)

    async def _listen(self, database: Database) -> None:
        async with database.pool.acquire() as connection:
            await connection.add_listener(CHANNEL, self._heard)
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            try:
                self._listening.set()
                while not lost.is_set():
                    await connection.execute("SELECT 1")
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(lost.wait(), CHECK_EVERY)
            finally:
                if not connection.is_closed():
                    await connection.remove_listener(CHANNEL, self._heard)

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        news = _read(str(payload))
        for watcher in self._watchers:
            if watcher.qsize() >= BACKLOG:
                self._dismiss(watcher)
            else:
                watcher.put_nowait(news)

    @staticmethod
    def _dismiss(watcher: asyncio.Queue[News | None]) -> None:
        while True:
            with contextlib.suppress(asyncio.QueueFull):
                watcher.put_nowait(None)
                return
            watcher.get_nowait()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[AsyncIterator[News]]:
        """The news from now on. Unavailable when they cannot be followed without a gap any more."""
        await self._listening.wait()
        watcher: asyncio.Queue[News | None] = asyncio.Queue(BACKLOG + 1)
        self._watchers.add(watcher)
        try:
            yield self._follow(watcher)
        finally:
            self._watchers.discard(watcher)

    @staticmethod
    async def _follow(watcher: asyncio.Queue[News | None]) -> AsyncIterator[News]:
        while (news := await watcher.get()) is not None:
            yield news
        raise Unavailable(
            "The queue cannot be followed for a moment.", remedy="Subscribe again, then read it."
        )
