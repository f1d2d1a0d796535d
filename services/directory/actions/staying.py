"""An office stays after all, or comes back: the fence is lowered, and it is what it was, or planned anew (R19)."""

import logging
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from kit.db import Connection
from kit.errors import Conflict, Unavailable
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import finding, offices, peers, suggestions, telling
from services.directory.actions.peers import Call
from services.directory.domain import days, places
from services.directory.domain.nouns import (
    FenceStep,
    Office,
    OfficeState,
    OrganizationId,
    require_version,
)

log = logging.getLogger(__name__)

OPEN = frozenset({OfficeState.PLANNED, OfficeState.READY, OfficeState.LIVE})
"""The states of an office that is neither closing nor closed."""


async def keep_office(call: Call, office_id: UUID, seen: int) -> Office:
    """The office stays open after all: the fence is lowered and the office is what it was before. Placements at other offices that
    were made because it would close stay; end those that are not meant any more."""
    async with call.db.transaction() as tx:
        before = await _own(tx, call, office_id, seen)
        closing = before.state is OfficeState.CLOSING
        if not closing and (before.closes_on is None or before.state not in OPEN):
            raise Conflict("The office is not closing.", code="OFFICE_STATE")
        if closing:
            after = replace(before, fence=FenceStep.KEEPING)
        else:
            after = replace(before, closes_on=None, cut_off_on=None)
        await store.offices.save(tx, after, call.clock.now())
        await telling.of_office(tx, call, after, facts.OfficeKept(office_id=str(after.id)))
    if closing:
        await finish_keeping(call, before.organization_id, office_id, seen + 1)
    return await read(call, office_id)


@dataclass(frozen=True, slots=True)
class Reopening:
    """When a closed office is to be live again; the acknowledgements are those of NewOffice (R16)."""

    go_live_on: date
    acknowledge_short_lead_time: bool = False
    reason: str | None = None
    acknowledge_duplicate: bool = False


async def reopen_office(call: Call, office_id: UUID, seen: int, wanted: Reopening) -> Office:
    """Plan a closed office anew, by the rules of a new one: it waits for its day, its roster is to be attested, and providers are
    to be placed again (R16, R19)."""
    async with call.db.transaction() as tx:
        before = await _own(tx, call, office_id, seen)
        if before.state is not OfficeState.CLOSED:
            raise Conflict("The office is not closed.", code="OFFICE_STATE")
        await offices.require_free(tx, before, acknowledged=wanted.acknowledge_duplicate)
        after = _planned_anew(call, before, wanted)
        await store.offices.save(tx, after, call.clock.now())
        fact = facts.OfficeReopened(
            office_id=str(after.id), go_live_on=after.go_live_on.isoformat()
        )
        await telling.of_office(tx, call, after, fact)
    try:
        await finish_keeping(call, before.organization_id, office_id, seen + 1)
    except Unavailable:
        log.warning("an office is reopened later", extra={"office_id": str(office_id)})
    return await read(call, office_id)


def _planned_anew(call: Call, closed: Office, wanted: Reopening) -> Office:
    lead_days, reason = days.lead_time(
        wanted.go_live_on,
        days.day_at(closed, call.clock.now()),
        acknowledged=wanted.acknowledge_short_lead_time,
        reason=places.clean_reason(wanted.reason),
    )
    return replace(
        closed,
        state=OfficeState.CLOSING,
        fence=FenceStep.KEEPING,
        state_before=OfficeState.PLANNED,
        closed_at=None,
        go_live_on=wanted.go_live_on,
        lead_days=lead_days,
        lead_reason=reason,
        roster_attested=(),
        roster_attested_at=None,
        roster_attested_by=None,
        referral_owner=None,
    )


async def finish_keeping(
    call: Call, organization_id: OrganizationId, office_id: UUID, version: int
) -> None:
    """Lower the fence, then let the office be what it was before it was to close."""
    async with call.db.transaction() as tx:
        before = await at_step(tx, organization_id, office_id, version, FenceStep.KEEPING)
        if before is None:
            return
        await call.peers.referrals.lower_fence(organization_id, peers.OFFICE, office_id)
        state = before.state_before or OfficeState.LIVE
        after = replace(
            before,
            state=state,
            fence=None,
            state_before=None,
            closes_on=None,
            cut_off_on=None,
            fenced=False,
        )
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


async def at_step(
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


async def read(call: Call, office_id: UUID) -> Office:
    """The office as it is now."""
    async with call.db.reading() as tx:
        return (await store.offices.by_ids(tx, [office_id]))[office_id]
