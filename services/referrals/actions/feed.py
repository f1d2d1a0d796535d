"""What partners may hear no more is taken out of the feed they read (R14)."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from kit import feed
from kit.bus import BUS_AWAY, Bus
from kit.db import Connection, Database
from services.referrals.domain import OrganizationId, ProviderId
from services.referrals.store import withdrawing

log = logging.getLogger(__name__)


class _Due(NamedTuple):
    """What an organization has lost with these providers is to be taken out of the feed; and whether more of it may still come."""

    organization_id: OrganizationId
    providers: Sequence[ProviderId]
    more: bool


async def keep_feed(database: Database, bus: Bus, now: datetime) -> None:
    """Have a feed that partners may read, and take out of it what organizations have lost with their providers. A broker that is away
    is waited for: until the facts are gone, the removal is due."""
    due = await _withdraw(database, now)
    if not bus.connected:
        return
    partners_feed = feed.Feed("referrals", database, bus)
    try:
        await partners_feed.keep()
        for one in due:
            await partners_feed.take_out(one.organization_id)
            async with database.transaction() as tx:
                await withdrawing.note_taken_out(
                    tx, one.organization_id, one.providers, now, settled=not one.more
                )
    except BUS_AWAY as error:
        log.warning("the partners' feed waits", extra={"because": type(error).__name__})


async def _withdraw(database: Database, now: datetime) -> list[_Due]:
    async with database.transaction() as tx:
        return [
            _Due(organization_id, providers, await _withdraw_from(tx, organization_id))
            for organization_id, providers in (await withdrawing.removals_due(tx, now)).items()
        ]


async def _withdraw_from(tx: Connection, organization_id: OrganizationId) -> bool:
    """Whether something of it is still being told. What is not, is found by whoever looks after this."""
    told = await feed.told(tx, organization_id, "referral")
    lost = await withdrawing.lost(tx, organization_id, told)
    await feed.withdraw(tx, organization_id, "referral", lost)
    return await feed.being_told(tx, organization_id, "referral")


async def forget_withdrawn(database: Database) -> None:
    """What no stream can hold any more need not be kept out of one."""
    await feed.forget(database)
