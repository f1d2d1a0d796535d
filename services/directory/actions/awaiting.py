"""Removals that were asked for beforehand: a provider who leaves is removed by itself as soon as nothing is open (R12, R13, R15).

The wish stands in the provider's row, with who asked and which offices are to be left on the way. A job looks when referrals says
that the provider's case is READY, and now and then besides, so that no word is missed; it begins the same guarded removal that a
client admin would, whose fence has the last word. What is in the way then is kept to be shown, and told.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from kit import preview
from kit.db import Connection
from kit.each import each
from kit.errors import Conflict, Refusal, stale_version
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import peers, removal, suggestions, telling
from services.directory.actions.peers import Call
from services.directory.actions.removal import Removal
from services.directory.domain import profiles
from services.directory.domain.awaited import AwaitedRemoval, awaited, awaiting
from services.directory.domain.fences import OpenWork
from services.directory.domain.nouns import (
    FenceStep,
    HeldUp,
    OrganizationId,
    Provider,
    ProviderState,
    UserId,
)

log = logging.getLogger(__name__)

LOOKED_AT_EVERY: Final = timedelta(minutes=10)
"""How often it is looked whether a removal can be, when nobody has said so."""

_CHANGES: Final = frozenset({"open_referrals"})
"""What is open is worked off before: the wish does not rest on how much that was."""


async def remove_when_empty(call: Call, provider_id: UUID, seen: int, wanted: Removal) -> Provider:
    """Have the provider removed by itself as soon as nothing is open, on what the preview showed; with `end_placements` the offices
    seen there are left on the way (R15). Who is not leaving yet is leaving from now on. Asking again replaces what was asked.

    Refuses STALE_PREVIEW when anything but the open referrals has moved since.
    """
    async with call.db.transaction() as tx:
        before = await removal.own(tx, call, provider_id, seen)
        profiles.require_state(before, *profiles.LIVING, ProviderState.OFFBOARDING)
        if before.fence not in {None, FenceStep.OPEN}:
            raise stale_version("provider", before.version)
        now = await removal.impact(tx, call, before, OpenWork(0))
        preview.require_same(wanted.token, now.parts, beside=now.gone | _CHANGES)
        offices = tuple(dict.fromkeys(one.office_id for one in now.placements))
        asked = AwaitedRemoval(
            policy.acting_user(call.viewer),
            call.clock.now(),
            offices if wanted.end_placements else (),
        )
        after = replace(removal.leaving(before, FenceStep.OPEN), offboarding=True)
        await store.providers.save(tx, awaiting(after, asked), call.clock.now())
        if before.state is not ProviderState.OFFBOARDING:
            await removal.tell_leaving(tx, call, after)
        ids = [str(one) for one in asked.office_ids]
        fact = facts.ProviderRemovalAwaited(provider_id=str(provider_id), office_ids=ids)
        await telling.of_provider(tx, call, after, fact)
    await suggestions.review(call, before.organization_id, offices)
    return await removal.read(call, provider_id)


async def call_off(call: Call, provider_id: UUID, seen: int) -> Provider:
    """Let the provider go on leaving, but not be removed by itself. One whose removal has begun and not ended stays as well."""
    async with call.db.transaction() as tx:
        before = await removal.own(tx, call, provider_id, seen)
        if awaited(before) is None or before.fence is FenceStep.KEEPING:
            raise Conflict(
                "Nobody has asked for the provider to be removed once nothing is open.",
                code="NOT_AWAITED",
                remedy="There is nothing to call off.",
            )
        await _call_off(tx, call, before)
    return await removal.read(call, provider_id)


async def asker_gone(
    tx: Connection, call: Call, organization_id: OrganizationId, user_id: UserId
) -> None:
    """Nobody is removed in the name of who may remove nobody any more (R07): what the user has asked for is called off, also while
    it is under way. Others may ask for it anew."""
    for before in await store.providers.asked_by(tx, organization_id, user_id):
        await _call_off(tx, call, before)


async def _call_off(tx: Connection, call: Call, before: Provider) -> None:
    after = awaiting(replace(before, fence=FenceStep.OPEN, ends_placements=False), None)
    await store.providers.save(tx, after, call.clock.now())
    fact = facts.ProviderRemovalCalledOff(provider_id=str(before.id))
    await telling.of_provider(tx, call, after, fact)


# The job --------------------------------------------------------------------------------------------------------------


async def remove_awaited(call: Call) -> None:
    """The job: each provider who is to be removed once nothing is open, and where it is time to look, is removed if that can be."""
    async with call.db.reading() as tx:
        due = await store.providers.awaiting(tx, call.clock.now())
    await each(due, partial(_look, call))


async def _look(call: Call, seen: Provider) -> None:
    organization_id, provider_id = seen.organization_id, seen.id
    try:
        work = await call.peers.referrals.open_work(
            organization_id, peers.PROVIDER, provider_id, every=False
        )
        if not work.total and not await _asker_is_active(call, seen):
            return
        version = await _begin(call, seen, work)
        if version is not None:
            await removal.finish_removal(call, organization_id, provider_id, version)
    except Refusal as refusal:
        log.info(
            "a removal goes on later",
            extra={"provider_id": str(provider_id), "because": refusal.code},
        )
        if refusal.code in HeldUp.__members__:
            await _refused(call, seen, HeldUp(refusal.code))


async def _asker_is_active(call: Call, seen: Provider) -> bool:
    """As identity knows it at this moment: the fact that calls the removal off may be on its way (R07). Support is nobody's user."""
    asked = [] if seen.removal_asked_by is None else [seen.removal_asked_by]
    users = await call.peers.identity.users(seen.organization_id, asked)
    return all(one.active for one in users.values())


async def _begin(call: Call, seen: Provider, work: OpenWork) -> int | None:
    """The version with which the removal has begun; None when it cannot begin yet, or is not wanted any more."""
    async with call.db.transaction() as tx:
        before = await _locked(tx, seen)
        asked = None if before is None else awaited(before)
        if before is None or asked is None:
            return None
        offices = await removal.remaining(tx, call, before)
        if work.total:
            await _hold_up(tx, call, before, HeldUp.OPEN_REFERRALS)
            return None
        if not asked.leaves(offices):
            told = before.removal_held_up is not HeldUp.OFFICES_REMAIN
            await _hold_up(tx, call, before, HeldUp.OFFICES_REMAIN, told=told)
            return None
        after = replace(before, fence=FenceStep.REMOVING, ends_placements=bool(offices))
        await store.providers.save(tx, after, call.clock.now())
    return before.version + 1


async def _refused(call: Call, seen: Provider, because: HeldUp) -> None:
    """The fence has found something that was not there a moment ago."""
    async with call.db.transaction() as tx:
        before = await _locked(tx, seen)
        if before is not None:
            await _hold_up(tx, call, before, because, told=True)


async def _locked(tx: Connection, seen: Provider) -> Provider | None:
    """The provider, locked, who is still to be removed by itself."""
    found = await store.providers.locked(tx, seen.organization_id, seen.id)
    waits = (
        found is not None and found.removal_asked_at is not None and found.fence is FenceStep.OPEN
    )
    return found if waits else None


async def _hold_up(
    tx: Connection, call: Call, provider: Provider, because: HeldUp, *, told: bool = False
) -> None:
    """Say why the provider is there still, and when it is looked again; while people work things off that is no news."""
    held, due = replace(provider, removal_held_up=because), call.clock.now() + LOOKED_AT_EVERY
    await store.providers.hold_up(tx, held, due)
    if told:
        fact = facts.ProviderRemovalHeldUp(provider_id=str(provider.id), because=because)
        await telling.of_provider(tx, call, provider, fact)


async def hasten(
    tx: Connection, organization_id: OrganizationId, provider_id: UUID, at: datetime
) -> None:
    """Referrals says that nothing is open any more: look now."""
    await store.providers.hasten(tx, organization_id, provider_id, at)
