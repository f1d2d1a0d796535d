"""How an office becomes ready and goes live (R16, R18).

It is ready as soon as it is known that it has all it needs, by whichever came last: staff, the attestation of who they are, or a
provider; and planned again as soon as its roster is another. Only the go-live job makes it live; the job asks identity, and sets
right what was heard too late. A first day that comes and finds it not ready is told once.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from kit.db import Connection
from kit.each import each
from proto.directory.v1 import events_pb2 as facts
from services.directory import store
from services.directory.actions import telling
from services.directory.actions.peers import Call
from services.directory.domain import days
from services.directory.domain.days import Readiness
from services.directory.domain.nouns import Office, OfficeId, OfficeState, OrganizationId, UserId


async def recheck(
    call: Call,
    organization_id: OrganizationId,
    offices: Iterable[OfficeId],
    *,
    revoking: bool = False,
) -> None:
    """Look at these offices again after something of their providers was committed; one by one, so that nobody who holds one
    waits for another."""
    for office_id in sorted(set(offices)):
        async with call.db.transaction() as tx:
            await recheck_in(tx, call, organization_id, [office_id], revoking=revoking)


async def recheck_staffed_by(
    tx: Connection, call: Call, organization_id: OrganizationId, user_id: UserId
) -> None:
    """Look again at every office for which the user works."""
    offices = await store.heard.offices_of(tx, organization_id, user_id)
    await recheck_in(tx, call, organization_id, offices)


async def recheck_in(
    tx: Connection,
    call: Call,
    organization_id: OrganizationId,
    offices: Iterable[OfficeId],
    *,
    revoking: bool = False,
) -> None:
    """Make those of these offices READY that are planned and have all they need; when what changed is `revoking`, those PLANNED
    again that are ready and no longer have it. Others stay as they are.

    The offices are locked before it is counted, so that of two who bring the last missing things at once, one sees both.
    """
    waiting = await store.offices.locked_waiting(tx, organization_id, offices)
    if not waiting:
        return
    ids, now = [office.id for office in waiting], call.clock.now()
    staff = await store.heard.coverage(tx, organization_id, ids)
    found = await _counted(tx, organization_id, waiting, staff, now)
    for office in waiting:
        state = days.rechecked(office, found[office.id], revoking=revoking)
        if state is not office.state:
            await store.offices.save(tx, replace(office, state=state), now)


async def _counted(
    tx: Connection,
    organization_id: OrganizationId,
    offices: Collection[Office],
    staff: Mapping[UUID, int],
    now: datetime,
) -> dict[UUID, Readiness]:
    ids = [office.id for office in offices]
    approved = await store.offices.approved_providers(tx, ids, now)
    rosters = await store.heard.rosters(tx, organization_id, ids)
    return {
        office.id: Readiness(
            staff.get(office.id, 0),
            approved.get(office.id, 0),
            office.group_only,
            days.roster_stands(office, rosters.get(office.id, ())),
        )
        for office in offices
    }


# The job --------------------------------------------------------------------------------------------------------------


async def readiness(
    call: Call, organization_id: OrganizationId, offices: list[Office]
) -> dict[UUID, Readiness]:
    """What each of an organization's offices has of what it needs to go live; identity is asked who covers it (R18)."""
    staff = await call.peers.identity.coverage(organization_id, [office.id for office in offices])
    async with call.db.reading() as tx:
        return await _counted(tx, organization_id, offices, staff, call.clock.now())


async def advance_offices(call: Call) -> None:
    """The go-live job: move every office that is not live yet to where it belongs now, each at most once (R16)."""
    async with call.db.reading() as tx:
        waiting = await store.offices.not_live_yet(tx)
    by_organization: dict[OrganizationId, list[Office]] = {}
    for office in waiting:
        by_organization.setdefault(office.organization_id, []).append(office)
    await each(by_organization.values(), partial(_advance_all, call))


async def _advance_all(call: Call, offices: list[Office]) -> None:
    """Those of one organization."""
    ready = await readiness(call, offices[0].organization_id, offices)
    await each(offices, lambda office: _advance(call, office, ready[office.id]))


async def _advance(call: Call, seen: Office, ready: Readiness) -> None:
    """Only offices that must move are locked; under the lock it is decided anew, so two replicas move it once, and tell once
    that its day came too soon."""
    now = call.clock.now()
    if days.advanced(seen, ready, now) is seen.state and not days.missed(seen, ready, now):
        return
    async with call.db.transaction() as tx:
        office = await store.offices.locked(tx, seen.organization_id, seen.id)
        if office is None:
            return
        state, missed = days.advanced(office, ready, now), days.missed(office, ready, now)
        if state is office.state and not missed:
            return
        after = replace(
            office,
            state=state,
            live_at=now if state is OfficeState.LIVE else office.live_at,
            missed_on=office.go_live_on if missed else office.missed_on,
        )
        await store.offices.save(tx, after, now)
        if state is OfficeState.LIVE:
            await telling.of_office(tx, call, after, facts.OfficeLive(office_id=str(office.id)))
        if missed:
            await telling.of_office(tx, call, after, _missed(office, ready))


def _missed(office: Office, ready: Readiness) -> facts.OfficeGoLiveMissed:
    return facts.OfficeGoLiveMissed(
        office_id=str(office.id), go_live_on=office.go_live_on.isoformat(), reasons=ready.reasons
    )
