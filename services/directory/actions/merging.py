"""Two records that are one person become one (R09, R11): placements and groups go over, and the old id answers the one that stays.

The fence is raised around the duplicate first, so that no referral is left with it; a crash brings the duplicate back.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID

from kit import audit
from kit.db import Connection
from kit.errors import Refusal, Unavailable
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import (
    fencing,
    going_live,
    members,
    peers,
    placements,
    removal,
    suggestions,
    telling,
)
from services.directory.actions.peers import Call
from services.directory.actions.placements import NewPlacement
from services.directory.domain import days, fences, merging, profiles
from services.directory.domain.merging import RightNpi
from services.directory.domain.nouns import (
    FenceStep,
    Office,
    OfficeId,
    OfficeState,
    Placement,
    Provider,
    ProviderState,
    require_version,
)

log = logging.getLogger(__name__)


async def merge_providers(
    call: Call,
    duplicate_id: UUID,
    survivor_id: UUID,
    seen: tuple[int, int],
    right: RightNpi | None = None,
) -> Provider:
    """Merge the duplicate into the survivor; both as they were seen. Answers the survivor.

    Refuses OPEN_REFERRALS with what is open with the duplicate (have it reassigned to the survivor first), DIFFERENT_NPI for two
    people unless somebody says which NPI is `right`, TWO_PEOPLE where that cannot be, and PROVIDER_STATE when one of them is leaving
    or gone.
    """
    async with call.db.transaction() as tx:
        duplicate, survivor = await _both(tx, call, duplicate_id, survivor_id)
        require_version("duplicate", seen[0], duplicate.version)
        require_version("survivor", seen[1], survivor.version)
        merging.require_mergeable(duplicate, survivor)
        await _require_right(tx, (duplicate, survivor), right)
        leaving = replace(
            duplicate,
            state=ProviderState.OFFBOARDING,
            fence=FenceStep.KEEPING,
            state_before=duplicate.state,
        )
        await store.providers.save(tx, leaving, call.clock.now())
        fact = facts.ProviderOffboardingStarted(provider_id=str(duplicate_id))
        await telling.of_provider(tx, call, leaving, fact)
    offices = await _finish(call, leaving, survivor_id, right)
    await going_live.recheck(call, survivor.organization_id, offices)
    await suggestions.review(call, survivor.organization_id, offices)
    return await removal.read(call, survivor_id)


async def _both(
    tx: Connection, call: Call, duplicate_id: UUID, survivor_id: UUID
) -> tuple[Provider, Provider]:
    organization_id = policy.acting(call.viewer)
    found = await store.providers.locked_all(tx, organization_id, [duplicate_id, survivor_id])
    for one, field in ((duplicate_id, "duplicateId"), (survivor_id, "survivorId")):
        if one not in found:
            raise policy.unknown("provider", field)
    policy.permit_client_admin(call.viewer, organization_id)
    return found[duplicate_id], found[survivor_id]


async def _require_right(
    tx: Connection, both: tuple[Provider, Provider], right: RightNpi | None
) -> None:
    """Which NPI holds is beyond doubt, and approved where two people approve: judged anew behind the fence, for the survivor may have
    been changed or approved meanwhile."""
    merging.require_one_npi(*both, right)
    settings = await store.catalogue.settings(tx, both[1].organization_id)
    merging.require_approved_npi(*both, right, settings)


async def _finish(
    call: Call, leaving: Provider, survivor_id: UUID, right: RightNpi | None
) -> list[OfficeId]:
    organization_id, version = leaving.organization_id, leaving.version + 1
    try:
        work = await call.peers.referrals.raise_fence(organization_id, peers.PROVIDER, leaving.id)
    except Unavailable:
        await _bring_back(call, leaving)
        raise
    try:
        if work.total:
            raise fences.in_the_way(work)
        async with call.db.transaction() as tx:
            places = await _places(tx, call, leaving)
            in_groups = await members.groups_of_provider(tx, organization_id, leaving.id)
            duplicate, survivor = await _both(tx, call, leaving.id, survivor_id)
            require_version("duplicate", version, duplicate.version)
            profiles.require_state(survivor, *profiles.LIVING)
            await _require_right(tx, (duplicate, survivor), right)
            offices = await _move_placements(tx, call, (duplicate, survivor), places)
            await members.replace_member(tx, call, in_groups, duplicate.id, survivor.id)
            await _end(tx, call, (duplicate, survivor), right)
    except Refusal:
        await _bring_back(call, leaving)
        raise
    return offices


async def _bring_back(call: Call, leaving: Provider) -> None:
    try:
        async with fencing.raising(call, peers.PROVIDER, leaving.organization_id, leaving.id):
            await removal.finish_keeping(
                call, leaving.organization_id, leaving.id, leaving.version + 1
            )
    except Refusal:
        log.warning("a fence is lowered later", extra={"provider_id": str(leaving.id)})


async def _places(tx: Connection, call: Call, leaving: Provider) -> dict[UUID, Office]:
    """The offices of the duplicate, kept from closing until the transaction ends: before anybody who works there is locked, as
    everybody takes them. Nobody is placed while leaving, so there will be no more of them."""
    organization_id, now = leaving.organization_id, call.clock.now()
    rows = await store.placements.remaining_of_provider(tx, organization_id, leaving.id, now)
    return await store.offices.shared(tx, organization_id, {row.office_id for row in rows})


async def _move_placements(
    tx: Connection, call: Call, both: tuple[Provider, Provider], offices: Mapping[UUID, Office]
) -> list[OfficeId]:
    """The duplicate leaves every office today; the survivor works there on the same days, unless that is so already."""
    duplicate, survivor = both
    now, organization_id = call.clock.now(), duplicate.organization_id
    rows = await store.placements.locked_of_provider(tx, organization_id, duplicate.id, now)
    for row in rows:
        office = offices[row.office_id]
        today = days.day_at(office, now)
        first = max(today, row.effective_from)
        await placements.end(tx, call, replace(row, effective_until=first))
        until = _before_closing(row.effective_until, office.closes_on)
        free = await _is_free(tx, survivor, row, first)
        goes_on = office.state not in {OfficeState.CLOSING, OfficeState.CLOSED}
        if free and goes_on and (until is None or until > first):
            wanted = NewPlacement(survivor.id, office.id, first, until, row.accepting_new_patients)
            await placements.place(tx, call, survivor, office, wanted)
    return list(dict.fromkeys(row.office_id for row in rows))


def _before_closing(until: date | None, closes_on: date | None) -> date | None:
    known = [one for one in (until, closes_on) if one is not None]
    return min(known, default=None)


async def _is_free(tx: Connection, survivor: Provider, row: Placement, first: date) -> bool:
    there = await store.placements.at(tx, row.organization_id, survivor.id, row.office_id)
    return not any(days.share_a_day(one, first, row.effective_until) for one in there)


async def _end(
    tx: Connection, call: Call, both: tuple[Provider, Provider], right: RightNpi | None
) -> None:
    """The duplicate is gone; the survivor has the NPI that holds, once that is free."""
    duplicate, survivor = both
    now = call.clock.now()
    gone = replace(
        duplicate,
        state=ProviderState.REMOVED,
        fence=None,
        state_before=None,
        proposed=None,
        proposed_by=None,
        merged_into=survivor.id,
    )
    await store.providers.save(tx, gone, now)
    stays = _submitted_anew(call, survivor, merging.settled(duplicate, survivor, right))
    if stays != survivor:
        await store.providers.save(tx, stays, now)
    if stays.npi != survivor.npi:
        await store.providers.take_npi_along(tx, duplicate, survivor.id)
    if right is not None and merging.npis_differ(duplicate, survivor):
        await _note_right(tx, call, survivor, right)
    fact = facts.ProviderMerged(provider_id=str(duplicate.id), survivor_id=str(survivor.id))
    await telling.of_provider(tx, call, gone, fact)


def _submitted_anew(call: Call, before: Provider, stays: Provider) -> Provider:
    """Whoever puts another NPI into what was submitted has submitted it as it is now, and does not approve it (R11)."""
    if stays.npi == before.npi or before.state is not ProviderState.SUBMITTED:
        return stays
    return replace(stays, submitted_by=policy.acting_user(call.viewer))


async def _note_right(tx: Connection, call: Call, survivor: Provider, right: RightNpi) -> None:
    """Which of two NPIs is right was decided by a person, for a reason; that the records were merged is told besides."""
    await audit.record(
        tx,
        call.viewer,
        act="provider.npi_settled",
        kind="provider",
        about=survivor.id,
        organization_id=survivor.organization_id,
        at=call.clock.now(),
        fields=["npi"],
        reason=profiles.clean_reason(right.reason),
    )
