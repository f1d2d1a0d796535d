"""Closing an office, guarded by the fence, and keeping one after all (R19).

A closing office stays CLOSING until its open referrals are done; a job looks again and again, and closes it then.
"""

import logging
from dataclasses import replace
from uuid import UUID

from kit.db import Connection
from kit.errors import Conflict, Unavailable
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import finding, peers, placements, suggestions, telling
from services.directory.actions.peers import Call
from services.directory.domain import days
from services.directory.domain.nouns import (
    FenceStep,
    Office,
    OfficeState,
    OrganizationId,
    require_version,
)

log = logging.getLogger(__name__)

_OPEN = frozenset({OfficeState.PLANNED, OfficeState.READY, OfficeState.LIVE})


async def close_office(call: Call, office_id: UUID, seen: int, *, confirm_orphans: bool) -> Office:
    """Begin to close an office, and close it at once when it has no open referrals; else it stays CLOSING until they are done.

    Refuses PROVIDERS_ORPHANED when providers would work nowhere, unless that is confirmed (R19).
    """
    async with call.db.transaction() as tx:
        before = await _own(tx, call, office_id, seen)
        if before.state not in _OPEN:
            raise Conflict(f"The office is {before.state.lower()} already.", code="OFFICE_STATE")
        await _require_no_orphans(tx, call, before, confirmed=confirm_orphans)
        after = replace(
            before,
            state=OfficeState.CLOSING,
            fence=FenceStep.REMOVING,
            state_before=before.state,
        )
        await store.offices.save(tx, after, call.clock.now())
        fact = facts.OfficeClosing(office_id=str(after.id))
        await telling.of_office(tx, call, after, fact)
    try:
        await finish_closing(call, before.organization_id, office_id, seen + 1)
    except Unavailable:
        log.warning("an office is closed later", extra={"office_id": str(office_id)})
    return await _read(call, office_id)


async def _require_no_orphans(
    tx: Connection, call: Call, office: Office, *, confirmed: bool
) -> None:
    orphans = await store.offices.orphans(tx, office, call.clock.now())
    if orphans and not confirmed:
        raise Conflict(
            f"{len(orphans)} providers would work at no office.",
            code="PROVIDERS_ORPHANED",
            field="confirmOrphans",
            remedy="Place them at other offices first, or set confirmOrphans.",
            provider_ids=[str(one) for one in orphans],
        )


async def finish_closing(
    call: Call, organization_id: OrganizationId, office_id: UUID, version: int
) -> None:
    """With no open work under the fence: end the placements and close the office. Otherwise it stays CLOSING."""
    work = await call.peers.referrals.raise_fence(organization_id, peers.OFFICE, office_id)
    if work.total:
        return
    async with call.db.transaction() as tx:
        before = await _at_step(tx, organization_id, office_id, version, FenceStep.REMOVING)
        if before is None:
            return
        now = call.clock.now()
        today = days.day_at(before, now)
        for placement in await store.placements.remaining_at_office(
            tx, organization_id, before.id, now
        ):
            until = max(today, placement.effective_from)
            await placements.end(tx, call, replace(placement, effective_until=until))
        closed = replace(
            before, state=OfficeState.CLOSED, fence=None, state_before=None, closed_at=now
        )
        await store.offices.save(tx, closed, now)
        await telling.of_office(tx, call, closed, facts.OfficeClosed(office_id=str(closed.id)))
    await suggestions.review(call, organization_id, [before.id])


async def keep_office(call: Call, office_id: UUID, seen: int) -> Office:
    """The office stays open after all: the fence is lowered and the office is what it was before."""
    async with call.db.transaction() as tx:
        before = await _own(tx, call, office_id, seen)
        if before.state is not OfficeState.CLOSING:
            raise Conflict("The office is not closing.", code="OFFICE_STATE")
        after = replace(before, fence=FenceStep.KEEPING)
        await store.offices.save(tx, after, call.clock.now())
    await finish_keeping(call, before.organization_id, office_id, seen + 1)
    return await _read(call, office_id)


async def finish_keeping(
    call: Call, organization_id: OrganizationId, office_id: UUID, version: int
) -> None:
    """Lower the fence, then let the office be what it was before it was to close."""
    await call.peers.referrals.lower_fence(organization_id, peers.OFFICE, office_id)
    async with call.db.transaction() as tx:
        before = await _at_step(tx, organization_id, office_id, version, FenceStep.KEEPING)
        if before is None:
            return
        state = before.state_before or OfficeState.LIVE
        after = replace(before, state=state, fence=None, state_before=None)
        await store.offices.save(tx, after, call.clock.now())
        live = facts.OfficeLive(office_id=str(after.id))
        fact = live if state is OfficeState.LIVE else telling.planned(after)
        await telling.of_office(tx, call, after, fact)
    await suggestions.review(call, organization_id, [before.id])


async def _own(tx: Connection, call: Call, office_id: UUID, seen: int) -> Office:
    before = await finding.office(tx, call.viewer, office_id)
    policy.permit_client_admin(call.viewer, before.organization_id)
    require_version("office", seen, before.version)
    return before


async def _at_step(
    tx: Connection,
    organization_id: OrganizationId,
    office_id: UUID,
    version: int,
    step: FenceStep,
) -> Office | None:
    """The office, locked, if the case still stands where this step left it; None when somebody else has moved it."""
    found = await store.offices.locked(tx, organization_id, office_id)
    if found is None or found.fence is not step or found.version != version:
        return None
    return found


async def _read(call: Call, office_id: UUID) -> Office:
    async with call.db.reading() as tx:
        return (await store.offices.by_ids(tx, [office_id]))[office_id]
