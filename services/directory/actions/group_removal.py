"""Removing a group, guarded by the fence (R24). Its steps commit one by one and are resumed after a crash, as a provider's are."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from kit import preview
from kit.db import Connection
from kit.errors import Conflict, Refusal, Unavailable, stale_version
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import fencing, finding, items, members, peers, suggestions, telling
from services.directory.actions.peers import Call
from services.directory.domain import days, fences, removals
from services.directory.domain.fences import OpenWork
from services.directory.domain.nouns import (
    FenceStep,
    Group,
    GroupState,
    Handover,
    OfficeId,
    OrganizationId,
    ProviderState,
    require_version,
)
from services.directory.domain.removals import GroupImpact, Taker

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GroupRemoval:
    """How a group is to be removed: who of its members takes which open referral, and the preview it was decided on."""

    token: str
    redistribution: tuple[Handover, ...] = ()


async def preview_removal(call: Call, group_id: UUID) -> GroupImpact:
    """What removing a group would touch (R24). Client admins ask."""
    async with call.db.reading() as tx:
        seen = await _seen(tx, call, group_id)
    work = await call.peers.referrals.open_work(seen.organization_id, peers.GROUP, group_id)
    async with call.db.reading() as tx:
        return await _impact(tx, call, await _seen(tx, call, group_id), work)


async def _seen(tx: Connection, call: Call, group_id: UUID) -> Group:
    policy.acting(call.viewer)
    found = (await store.groups.by_ids(tx, [group_id])).get(group_id)
    if found is None or not policy.is_own(call.viewer, found.organization_id):
        raise policy.unknown("group", "groupId")
    policy.permit_client_admin(call.viewer, found.organization_id)
    return found


async def _impact(tx: Connection, call: Call, group: Group, work: OpenWork) -> GroupImpact:
    members_ = await store.providers.by_ids(tx, group.provider_ids)
    offices = await store.offices.by_ids(tx, group.office_ids)
    rows = await store.placements.of_providers(tx, group.provider_ids)
    takers, now = [], call.clock.now()
    for one in sorted(members_.values(), key=lambda each: each.id):
        here = [
            row
            for row in rows.get(one.id, [])
            if row.office_id in offices and row.covers(days.day_at(offices[row.office_id], now))
        ]
        if one.state is ProviderState.APPROVED:
            accepting = frozenset(row.office_id for row in here if row.accepting_new_patients)
            takers.append(Taker(one, frozenset(row.office_id for row in here), accepting))
    return GroupImpact(group, tuple(takers), work)


async def remove_group(call: Call, group_id: UUID, seen: int, wanted: GroupRemoval) -> Group:
    """Remove a group without open referrals, or with somebody of its members to take each of them (R24).

    Refuses OPEN_REFERRALS with those that nobody takes, ITEMS_REFUSED with each that a member cannot take, and STALE_PREVIEW; the
    group then stays what it was, and its referrals with it.
    """
    work = (await preview_removal(call, group_id)).work
    async with call.db.transaction() as tx:
        before = await finding.group(tx, call.viewer, group_id)
        policy.permit_client_admin(call.viewer, before.organization_id)
        require_version("group", seen, before.version)
        if before.state is GroupState.REMOVED:
            raise Conflict("The group is removed already.", code="GROUP_STATE")
        impact = await _impact(tx, call, before, work)
        preview.require_same(wanted.token, impact.parts)
        _require_fit(impact, wanted.redistribution)
        after = replace(
            before,
            state=GroupState.REMOVING,
            fence=FenceStep.REMOVING,
            redistribution=wanted.redistribution,
        )
        await store.groups.save(tx, after, call.clock.now())
        fact = facts.GroupRemovalStarted(group_id=str(group_id))
        await telling.of_group(tx, call, after, fact)
    await finish_removal(call, before.organization_id, group_id, seen + 1)
    return await read(call, group_id)


def _require_fit(impact: GroupImpact, handovers: Sequence[Handover]) -> None:
    removals.require_distinct(handovers)
    takers = {one.provider.id: one for one in impact.takers}
    refused = []
    for one in handovers:
        if (refusal := removals.unfit(one, takers, impact.work)) is not None:
            which = (
                (one.referral_id, "redistribution") if one.referral_id else (one.office_id, "rest")
            )
            what = str(which[0]), which[1], refusal.code, refusal.message
            refused.append(items.RefusedItem(*what))
    items.require_none(refused)


async def finish_removal(
    call: Call, organization_id: OrganizationId, group_id: UUID, version: int
) -> None:
    """Ask for the open work under the fence, hand it over as was decided, and remove the group; or bring it back and refuse."""
    async with fencing.raising(call, peers.GROUP, organization_id, group_id):
        offices = await _finish(call, organization_id, group_id, version)
    await suggestions.review(call, organization_id, offices)


async def _finish(
    call: Call, organization_id: OrganizationId, group_id: UUID, version: int
) -> tuple[OfficeId, ...]:
    try:
        work = await call.peers.referrals.raise_fence(organization_id, peers.GROUP, group_id)
        if work.total:
            work = await _hand_over(call, organization_id, group_id, work)
    except Refusal:
        await _bring_back(call, organization_id, group_id, version)
        raise
    if work.total:
        await _bring_back(call, organization_id, group_id, version)
        raise fences.in_the_way(work)
    async with call.db.transaction() as tx:
        before = await _at_step(tx, organization_id, group_id, version, FenceStep.REMOVING)
        removed = replace(before, state=GroupState.REMOVED, fence=None, redistribution=())
        await store.groups.save(tx, removed, call.clock.now())
        fact = facts.GroupRemoved(group_id=str(group_id))
        await telling.of_group(tx, call, removed, fact)
    return before.office_ids


async def _hand_over(
    call: Call, organization_id: OrganizationId, group_id: UUID, work: OpenWork
) -> OpenWork:
    """What is open still once the members have taken theirs: nothing is handed over unless each open referral has somebody."""
    async with call.db.reading() as tx:
        handovers = (await store.groups.by_ids(tx, [group_id]))[group_id].redistribution
    to = removals.allotted(work, handovers)
    if (left := removals.untaken(work, to)).total:
        return left
    await call.peers.referrals.hand_over(organization_id, group_id, to)
    return await call.peers.referrals.open_work(organization_id, peers.GROUP, group_id)


async def _bring_back(
    call: Call, organization_id: OrganizationId, group_id: UUID, version: int
) -> None:
    """Say first that the group stays, so that a crash cannot remove it later; then lower the fence, now or by the job."""
    async with call.db.transaction() as tx:
        before = await _at_step(tx, organization_id, group_id, version, FenceStep.REMOVING)
        back = replace(before, fence=FenceStep.KEEPING, redistribution=())
        await store.groups.save(tx, back, call.clock.now())
    try:
        await finish_keeping(call, organization_id, group_id, version + 1)
    except Unavailable:
        log.warning("a fence is lowered later", extra={"group_id": str(group_id)})


async def finish_keeping(
    call: Call, organization_id: OrganizationId, group_id: UUID, version: int
) -> None:
    """Lower the fence, then let the group be what its staff makes it."""
    async with call.db.transaction() as tx:
        before = await _at_step(tx, organization_id, group_id, version, FenceStep.KEEPING)
        await call.peers.referrals.lower_fence(organization_id, peers.GROUP, group_id)
        back = replace(before, state=GroupState.INCOMPLETE, fence=None)
        await store.groups.save(tx, back, call.clock.now())
        await members.settle(tx, call, back)
    await suggestions.review(call, organization_id, before.office_ids)


async def _at_step(
    tx: Connection, organization_id: OrganizationId, group_id: UUID, version: int, step: FenceStep
) -> Group:
    """The group, locked, if the case still stands where this step left it; somebody else has it otherwise."""
    found = await store.groups.locked(tx, organization_id, group_id)
    if found is None:
        raise policy.unknown("group", "groupId")
    if found.fence is not step or found.version != version:
        raise stale_version("group", found.version)
    return found


async def read(call: Call, group_id: UUID) -> Group:
    """The group as it is now."""
    async with call.db.reading() as tx:
        return (await store.groups.by_ids(tx, [group_id]))[group_id]
