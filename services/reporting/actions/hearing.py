"""Applying what was heard of a referral."""

from kit.db import Connection
from services.reporting import store
from services.reporting.domain import Change, OrganizationId, deeds, moments, next_step
from services.reporting.store import restated


async def hear_change(tx: Connection, organization_id: OrganizationId, change: Change) -> None:
    """Keep a change, how the referral stands since, what it means for the groups, and what was done; reports published before and
    scorecards that it may change are in doubt (R31, R32).

    Changes of a referral come in their order. The caller has noted the fact, and so holds the organization.
    """
    await store.changes.add_change(tx, organization_id, change)
    last = None
    if change.sequence > 1:
        last = await store.standings.last_step(tx, organization_id, change.referral_id)
    step = next_step(last, change)
    if step is not None:
        await store.standings.add_step(tx, organization_id, step, tuple(moments(step)))
        await store.deeds.add(tx, organization_id, tuple(deeds(step)))
        await store.reports.doubt(tx, organization_id, change.referral_id, step.at)
        await restated.doubt(tx, organization_id, step.at)
