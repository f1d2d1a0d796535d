"""Removing a provider, guarded by the fence, and keeping one after all (R12, R15).

Each step commits before the next begins, and the row says which step comes next, so that a crash anywhere is resumed by a job:
REMOVING asks for the fence and settles, KEEPING lowers the fence and brings the provider back.
"""

import logging
from dataclasses import dataclass, replace
from uuid import UUID

from kit import preview
from kit.auth import Kind, Viewer
from kit.db import Connection
from kit.errors import Unavailable, stale_version
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import (
    fencing,
    finding,
    going_live,
    members,
    peers,
    placements,
    suggestions,
    telling,
)
from services.directory.actions.peers import Call
from services.directory.domain import days, fences, profiles
from services.directory.domain.awaited import AwaitedRemoval, awaited, awaiting
from services.directory.domain.fences import OpenWork
from services.directory.domain.nouns import (
    FenceStep,
    GroupState,
    OfficeId,
    OrganizationId,
    Provider,
    ProviderState,
    require_version,
)
from services.directory.domain.removals import ProviderImpact

log = logging.getLogger(__name__)

_LIVING = (
    ProviderState.DRAFT,
    ProviderState.SUBMITTED,
    ProviderState.REJECTED,
    ProviderState.APPROVED,
)


async def start_offboarding(call: Call, provider_id: UUID, seen: int) -> Provider:
    """From now on nothing new is sent to the provider; the case stays open until it is kept or removed (R15)."""
    async with call.db.transaction() as tx:
        before = await own(tx, call, provider_id, seen)
        profiles.require_state(before, *_LIVING)
        after = replace(leaving(before, FenceStep.OPEN), offboarding=True)
        await store.providers.save(tx, after, call.clock.now())
        await tell_leaving(tx, call, after)
        offices = await remaining(tx, call, before)
    await suggestions.review(call, before.organization_id, offices)
    return await read(call, provider_id)


async def keep_provider(call: Call, provider_id: UUID, seen: int) -> Provider:
    """The provider stays after all: the fence is lowered and the provider is what it was before."""
    async with call.db.transaction() as tx:
        before = await own(tx, call, provider_id, seen)
        profiles.require_state(before, ProviderState.OFFBOARDING)
        after = awaiting(replace(before, fence=FenceStep.KEEPING), None)
        await store.providers.save(tx, after, call.clock.now())
    await finish_keeping(call, before.organization_id, provider_id, seen + 1)
    return await read(call, provider_id)


@dataclass(frozen=True, slots=True)
class Removal:
    """How a provider is to be removed: with the placements ended on the way or not, and the preview it was decided on."""

    token: str
    end_placements: bool = False


async def preview_removal(call: Call, provider_id: UUID) -> ProviderImpact:
    """What removing a provider would touch (R12). Client admins ask."""
    async with call.db.reading() as tx:
        seen = await _seen(tx, call, provider_id)
    work = await call.peers.referrals.open_work(seen.organization_id, peers.PROVIDER, provider_id)
    async with call.db.reading() as tx:
        return await impact(tx, call, await _seen(tx, call, provider_id), work)


async def _seen(tx: Connection, call: Call, provider_id: UUID) -> Provider:
    policy.acting(call.viewer)
    found = (await store.providers.by_ids(tx, [provider_id])).get(provider_id)
    if found is None or not policy.is_own(call.viewer, found.organization_id):
        raise policy.unknown("provider", "providerId")
    policy.permit_client_admin(call.viewer, found.organization_id)
    return found


async def impact(tx: Connection, call: Call, provider: Provider, work: OpenWork) -> ProviderImpact:
    """What removing the provider would touch now."""
    organization_id, now = provider.organization_id, call.clock.now()
    rows = await store.placements.remaining_of_provider(tx, organization_id, provider.id, now)
    ids = (await store.groups.of_providers(tx, [provider.id])).get(provider.id, [])
    groups = (await store.groups.by_ids(tx, ids)).values()
    places = {row.office_id for row in rows}
    plans = await store.heard.plan_rows(tx, organization_id, now.date(), provider_id=provider.id)
    return ProviderImpact(
        provider,
        tuple(rows),
        tuple(one for one in groups if one.state is not GroupState.REMOVED),
        work,
        tuple(one for one in plans if one.office_id in places),
    )


async def remove_provider(call: Call, provider_id: UUID, seen: int, wanted: Removal) -> Provider:
    """Remove a provider who has no open referral and works at no office; with `end_placements` the offices are left on the way,
    all in one case that is resumed after a crash (R15).

    Refuses OPEN_REFERRALS or OFFICES_REMAIN with everything in the way, and STALE_PREVIEW; the provider then is what it was before,
    placements and all: kept, or still leaving when offboarding was started for its own sake. What is not there any more
    surprises nobody: a part of the preview in which nothing is left is not compared. Who removes somebody that is to be removed
    anyway is from then on who has asked.
    """
    work = (await preview_removal(call, provider_id)).work
    async with call.db.transaction() as tx:
        before = await own(tx, call, provider_id, seen)
        profiles.require_state(before, *_LIVING, ProviderState.OFFBOARDING)
        seen_now = await impact(tx, call, before, work)
        preview.require_same(wanted.token, seen_now.parts, beside=seen_now.gone)
        offices = () if wanted.end_placements else await remaining(tx, call, before)
        if not offices:
            after = leaving(before, FenceStep.REMOVING)
            after = replace(after, ends_placements=wanted.end_placements)
            after = awaiting(after, _taken_over(call, before))
            await store.providers.save(tx, after, call.clock.now())
            if before.state is not ProviderState.OFFBOARDING:
                await tell_leaving(tx, call, after)
    if offices:
        raise fences.in_the_way(work, offices)
    await finish_removal(call, before.organization_id, provider_id, seen + 1)
    return await read(call, provider_id)


def _taken_over(call: Call, provider: Provider) -> AwaitedRemoval | None:
    asked = awaited(provider)
    if asked is None:
        return None
    return replace(asked, asked_by=policy.acting_user(call.viewer), asked_at=call.clock.now())


async def finish_removal(
    call: Call, organization_id: OrganizationId, provider_id: UUID, version: int
) -> None:
    """Ask for the open work under the fence, then remove the provider or refuse with what is in the way."""
    async with fencing.raising(call, peers.PROVIDER, organization_id, provider_id):
        try:
            work = await call.peers.referrals.raise_fence(
                organization_id, peers.PROVIDER, provider_id
            )
        except Unavailable:
            await _give_up(call, organization_id, provider_id, version)
            raise
        offices = await _settle(call, organization_id, provider_id, version, work)
    if work.total or offices:
        await _bring_back(call, organization_id, provider_id, version + 1)
        raise fences.in_the_way(work, offices)
    try:
        await call.peers.referrals.end_access(organization_id, provider_id)
    except Unavailable:
        log.warning("access ends with the fact", extra={"provider_id": str(provider_id)})


async def _settle(
    call: Call, organization_id: OrganizationId, provider_id: UUID, version: int, work: OpenWork
) -> tuple[OfficeId, ...]:
    """Decide under lock: with nothing in the way the provider is removed. Answers the offices that are in the way. What the job does
    for somebody who has asked beforehand is done in their name."""
    left: tuple[OfficeId, ...] = ()
    async with call.db.transaction() as tx:
        in_groups = await members.groups_of_provider(tx, organization_id, provider_id)
        before = await at_step(tx, organization_id, provider_id, version, FenceStep.REMOVING)
        offices = () if before.ends_placements else await remaining(tx, call, before)
        if work.total or offices:
            await _save_step(tx, call, before)
            return offices
        theirs, asked_by = _in_their_name(call, before)
        if before.ends_placements:
            left = await _end_placements(tx, theirs, before)
        await store.providers.save(tx, profiles.removed(before), call.clock.now())
        await members.leave_groups(tx, theirs, in_groups, before.id)
        fact = facts.ProviderRemoved(provider_id=str(provider_id), asked_by=asked_by)
        await telling.of_provider(tx, theirs, before, fact)
    await suggestions.review(call, organization_id, left)
    return ()


def _in_their_name(call: Call, provider: Provider) -> tuple[Call, str]:
    """The call of whoever has asked for the removal beforehand, and who that is; the call as it is when a person makes it."""
    asked = awaited(provider)
    if asked is None or call.viewer.kind is not Kind.SERVICE:
        return call, ""
    viewer = Viewer(
        kind=Kind.USER,
        user_id=asked.asked_by,
        organization_id=provider.organization_id,
        service=call.viewer.service,
    )
    return replace(call, viewer=viewer), str(asked.asked_by)


async def _save_step(tx: Connection, call: Call, before: Provider) -> None:
    """The removal is given up: the provider still is leaving if that was begun for its own sake, and comes back otherwise."""
    step = FenceStep.OPEN if before.offboarding else FenceStep.KEEPING
    back = replace(before, fence=step, ends_placements=False)
    await store.providers.save(tx, back, call.clock.now())


async def _end_placements(tx: Connection, call: Call, provider: Provider) -> tuple[OfficeId, ...]:
    """The provider leaves every office today, on its own calendar; those that never began never do."""
    now = call.clock.now()
    rows = await store.placements.locked_of_provider(tx, provider.organization_id, provider.id, now)
    offices = await store.offices.by_ids(tx, {row.office_id for row in rows})
    for row in rows:
        until = max(days.day_at(offices[row.office_id], now), row.effective_from)
        await placements.end(tx, call, replace(row, effective_until=until))
    return tuple(dict.fromkeys(row.office_id for row in rows))


async def _give_up(
    call: Call, organization_id: OrganizationId, provider_id: UUID, version: int
) -> None:
    """Referrals is away: what was begun is taken back, now or by the job."""
    async with call.db.transaction() as tx:
        before = await at_step(tx, organization_id, provider_id, version, FenceStep.REMOVING)
        await _save_step(tx, call, before)
    await _bring_back(call, organization_id, provider_id, version + 1)


async def _bring_back(
    call: Call, organization_id: OrganizationId, provider_id: UUID, version: int
) -> None:
    """Lower the fence if nobody wants it up; while referrals is away the job keeps trying."""
    async with call.db.reading() as tx:
        found = (await store.providers.by_ids(tx, [provider_id]))[provider_id]
    if found.fence is not FenceStep.KEEPING or found.version != version:
        return
    try:
        await finish_keeping(call, organization_id, provider_id, version)
    except Unavailable:
        log.warning("a fence is lowered later", extra={"provider_id": str(provider_id)})


async def finish_keeping(
    call: Call, organization_id: OrganizationId, provider_id: UUID, version: int
) -> None:
    """Lower the fence, then let the provider be what it was before it was to leave."""
    async with call.db.transaction() as tx:
        before = await at_step(tx, organization_id, provider_id, version, FenceStep.KEEPING)
        await call.peers.referrals.lower_fence(organization_id, peers.PROVIDER, provider_id)
        state = before.state_before or ProviderState.APPROVED
        after = replace(before, state=state, fence=None, offboarding=False, state_before=None)
        await store.providers.save(tx, after, call.clock.now())
        fact = facts.ProviderOffboardingStopped(provider_id=str(after.id))
        await telling.of_provider(tx, call, after, fact)
        offices = await remaining(tx, call, after)
    await going_live.recheck(call, organization_id, offices)
    await suggestions.review(call, organization_id, offices)


async def own(tx: Connection, call: Call, provider_id: UUID, seen: int) -> Provider:
    """The client admin's own provider, locked, as it was seen."""
    before = await finding.provider(tx, call.viewer, provider_id)
    policy.permit_client_admin(call.viewer, before.organization_id)
    require_version("provider", seen, before.version)
    return before


async def at_step(
    tx: Connection,
    organization_id: OrganizationId,
    provider_id: UUID,
    version: int,
    step: FenceStep,
) -> Provider:
    """The provider, locked, if the case still stands where this step left it; somebody else has it otherwise."""
    found = await store.providers.locked(tx, organization_id, provider_id)
    if found is None:
        raise policy.unknown("provider", "providerId")
    if found.fence is not step or found.version != version:
        raise stale_version("provider", found.version)
    return found


def leaving(provider: Provider, step: FenceStep) -> Provider:
    """The provider on the way out, at this step."""
    return replace(
        provider,
        state=ProviderState.OFFBOARDING,
        fence=step,
        state_before=provider.state_before or provider.state,
    )


async def tell_leaving(tx: Connection, call: Call, provider: Provider) -> None:
    """Nothing new is sent to the provider from now on."""
    fact = facts.ProviderOffboardingStarted(provider_id=str(provider.id))
    await telling.of_provider(tx, call, provider, fact)


async def remaining(tx: Connection, call: Call, provider: Provider) -> tuple[OfficeId, ...]:
    """The offices where the provider works, now or later."""
    rows = await store.placements.remaining_of_provider(
        tx, provider.organization_id, provider.id, call.clock.now()
    )
    return tuple(dict.fromkeys(row.office_id for row in rows))


async def read(call: Call, provider_id: UUID) -> Provider:
    """The provider as it is now."""
    async with call.db.reading() as tx:
        return (await store.providers.by_ids(tx, [provider_id]))[provider_id]
