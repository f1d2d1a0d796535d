"""What partners may hear no more is taken out of the feed they read (R14)."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from kit import feed
from kit.bus import BUS_AWAY, Bus
from kit.db import Database
from services.referrals.domain import OrganizationId, ProviderId
from services.referrals.store import withdrawing

log = logging.getLogger(__name__)

_Removals = Mapping[OrganizationId, Sequence[ProviderId]]


async def keep_feed(database: Database, bus: Bus, now: datetime) -> None:
    """Have a feed that partners may read, and take out of it what organizations have lost with their providers. A broker that is away
    is waited for: until the facts are gone, the removal is due."""
    due = await _withdraw(database, now)
    if not bus.connected:
        return
    partners_feed = feed.Feed("referrals", database, bus)
    try:
        await partners_feed.keep()
        for organization_id, providers in due.items():
            await partners_feed.take_out(organization_id)
            async with database.transaction() as tx:
                await withdrawing.note_taken_out(tx, organization_id, providers, now)
    except BUS_AWAY as error:
        log.warning("the partners' feed waits", extra={"because": type(error).__name__})


async def _withdraw(database: Database, now: datetime) -> _Removals:
    async with database.transaction() as tx:
        due = await withdrawing.removals_due(tx, now)
        for organization_id in due:
            told = await feed.told(tx, organization_id, "referral")
            lost = await withdrawing.lost(tx, organization_id, told)
            await feed.withdraw(tx, organization_id, "referral", lost)
    return due


async def forget_withdrawn(database: Database) -> None:
    """What no stream can hold any more need not be kept out of one."""
    await feed.forget(database)
