"""Removing a group, guarded by the fence (R24). Its steps commit one by one and are resumed after a crash, as a provider's are."""

import logging
from dataclasses import replace
from uuid import UUID

from kit.db import Connection
from kit.errors import Conflict, Unavailable, stale_version
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import finding, members, peers, suggestions, telling
from services.directory.actions.peers import Call
from services.directory.domain import fences
from services.directory.domain.nouns import (
    FenceStep,
    Group,
    GroupState,
    OrganizationId,
    require_version,
)

log = logging.getLogger(__name__)


async def remove_group(call: Call, group_id: UUID, seen: int) -> Group:
    """Remove a group without open referrals; refuses OPEN_REFERRALS, and the group then stays what it was (R24)."""
    async with call.db.transaction() as tx:
        before = await finding.group(tx, call.viewer, group_id)
        policy.permit_client_admin(call.viewer, before.organization_id)
        require_version("group", seen, before.version)
        if before.state is GroupState.REMOVED:
            raise Conflict("The group is removed already.", code="GROUP_STATE")
        after = replace(before, state=GroupState.REMOVING, fence=FenceStep.REMOVING)
        await store.groups.save(tx, after, call.clock.now())
        fact = facts.GroupRemovalStarted(group_id=str(group_id))
        await telling.of_group(tx, call, after, fact)
    await finish_removal(call, before.organization_id, group_id, seen + 1)
    return await read(call, group_id)


async def finish_removal(
    call: Call, organization_id: OrganizationId, group_id: UUID, version: int
) -> None:
    """Ask for the open work under the fence, then remove the group or bring it back and refuse."""
    try:
        work = await call.peers.referrals.raise_fence(organization_id, peers.GROUP, group_id)
    except Unavailable:
        await _bring_back(call, organization_id, group_id, version)
        raise
    if work.total:
        await _bring_back(call, organization_id, group_id, version)
        raise fences.in_the_way(work)
    async with call.db.transaction() as tx:
        before = await _at_step(tx, organization_id, group_id, version, FenceStep.REMOVING)
        removed = replace(before, state=GroupState.REMOVED, fence=None)
        await store.groups.save(tx, removed, call.clock.now())
        fact = facts.GroupRemoved(group_id=str(group_id))
        await telling.of_group(tx, call, removed, fact)
    await suggestions.review(call, organization_id, before.office_ids)


async def _bring_back(
    call: Call, organization_id: OrganizationId, group_id: UUID, version: int
) -> None:
    """Say first that the group stays, so that a crash cannot remove it later; then lower the fence, now or by the job."""
    async with call.db.transaction() as tx:
        before = await _at_step(tx, organization_id, group_id, version, FenceStep.REMOVING)
        await store.groups.save(tx, replace(before, fence=FenceStep.KEEPING), call.clock.now())
    try:
        await finish_keeping(call, organization_id, group_id, version + 1)
    except Unavailable:
        log.warning("a fence is lowered later", extra={"group_id": str(group_id)})


async def finish_keeping(
    call: Call, organization_id: OrganizationId, group_id: UUID, version: int
) -> None:
    """Lower the fence, then let the group be what its staff makes it."""
    await call.peers.referrals.lower_fence(organization_id, peers.GROUP, group_id)
    async with call.db.transaction() as tx:
        before = await _at_step(tx, organization_id, group_id, version, FenceStep.KEEPING)
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
