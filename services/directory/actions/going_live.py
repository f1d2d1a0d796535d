"""How an office becomes ready and goes live (R16, R18).

It is ready as soon as it is known that it has all it needs, by whichever came last: staff or a provider. Only the go-live job
makes it live, or planned again; the job asks identity, and sets right what was heard too late.
"""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from kit.db import Connection
from proto.directory.v1 import events_pb2 as facts
from services.directory import store
from services.directory.actions import telling
from services.directory.actions.peers import Call
from services.directory.domain import days
from services.directory.domain.days import Readiness
from services.directory.domain.nouns import Office, OfficeId, OfficeState, OrganizationId, UserId


async def recheck(call: Call, organization_id: OrganizationId, offices: Iterable[OfficeId]) -> None:
    """Look at these offices again after something of their providers was committed; one by one, so that nobody who holds one
    waits for another."""
    for office_id in sorted(set(offices)):
        async with call.db.transaction() as tx:
            await recheck_in(tx, call, organization_id, [office_id])


async def recheck_staffed_by(
    tx: Connection, call: Call, organization_id: OrganizationId, user_id: UserId
) -> None:
    """Look again at every office for which the user works."""
    offices = await store.heard.offices_of(tx, organization_id, user_id)
    await recheck_in(tx, call, organization_id, offices)


async def recheck_in(
    tx: Connection, call: Call, organization_id: OrganizationId, offices: Iterable[OfficeId]
) -> None:
    """Make those of these offices READY that are planned and have all they need; others stay as they are.

    The offices are locked before it is counted, so that of two who bring the last missing things at once, one sees both.
    """
    planned = await store.offices.locked_planned(tx, organization_id, offices)
    if not planned:
        return
    ids, now = [office.id for office in planned], call.clock.now()
    staff = await store.heard.coverage(tx, organization_id, ids)
    approved = await store.offices.approved_providers(tx, ids, now)
    for office in planned:
        if days.becomes_ready(office, _readiness(office, staff, approved)):
            await store.offices.save(tx, replace(office, state=OfficeState.READY), now)


def _readiness(office: Office, staff: dict[UUID, int], approved: dict[UUID, int]) -> Readiness:
    return Readiness(staff.get(office.id, 0), approved.get(office.id, 0), office.group_only)


# The job --------------------------------------------------------------------------------------------------------------


async def readiness(
    call: Call, organization_id: OrganizationId, offices: list[Office]
) -> dict[UUID, Readiness]:
    """What each of an organization's offices has of what it needs to go live; identity is asked who covers it (R18)."""
    ids = [office.id for office in offices]
    staff = await call.peers.identity.coverage(organization_id, ids)
    async with call.db.reading() as tx:
        approved = await store.offices.approved_providers(tx, ids, call.clock.now())
    return {office.id: _readiness(office, staff, approved) for office in offices}


async def advance_offices(call: Call) -> None:
    """The go-live job: move every office that is not live yet to where it belongs now, each at most once (R16)."""
    async with call.db.reading() as tx:
        waiting = await store.offices.not_live_yet(tx)
    by_organization: dict[OrganizationId, list[Office]] = {}
    for office in waiting:
        by_organization.setdefault(office.organization_id, []).append(office)
    for organization_id, offices in by_organization.items():
        ready = await readiness(call, organization_id, offices)
        for office in offices:
            await _advance(call, office, ready[office.id])


async def _advance(call: Call, seen: Office, ready: Readiness) -> None:
    """Only offices that must move are locked; under the lock it is decided anew, so two replicas move it once."""
    now = call.clock.now()
    if days.advanced(seen, ready, now) is seen.state:
        return
    async with call.db.transaction() as tx:
        office = await store.offices.locked(tx, seen.organization_id, seen.id)
        if office is None or (state := days.advanced(office, ready, now)) is office.state:
            return
        live = state is OfficeState.LIVE
        after = replace(office, state=state, live_at=now if live else office.live_at)
        await store.offices.save(tx, after, now)
        if live:
            await telling.of_office(tx, call, after, facts.OfficeLive(office_id=str(office.id)))
