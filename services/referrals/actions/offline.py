"""Offices that work outside of the suite, and the end of referrals that nobody there, or here, has reported on."""

from collections.abc import Sequence
from typing import Final

from kit import audit
from kit.db import Connection
from kit.errors import NotFound, stale_version
from services.referrals import domain, policy
from services.referrals.actions.keeping import keep
from services.referrals.actions.peers import Call, ask_own_office
from services.referrals.actions.telling import Change
from services.referrals.actions.working_off import differ, work_off
from services.referrals.domain import (
    UNREPORTED_AFTER,
    ExternalOffice,
    Happened,
    OfficeId,
    Referral,
    ReferralId,
)
from services.referrals.store import offices
from services.referrals.store import referrals as store

BATCH: Final = 200


async def change_external(
    call: Call, office_id: OfficeId, seen: int, *, externally_managed: bool
) -> ExternalOffice:
    """Say whether an office of the organization works outside of the suite. It counts for what arrives there from now on."""
    organization_id = policy.permit_external(call.viewer, office_id)
    if not await ask_own_office(call, organization_id, office_id):
        raise NotFound("There is no such office.", field="officeId")
    after = ExternalOffice(office_id, externally_managed, seen + 1)
    async with call.db.transaction() as tx:
        found = await offices.known(tx, [office_id])
        standing = found.get(office_id, ExternalOffice(office_id)).version
        if standing != seen or not await offices.put(tx, organization_id, after):
            raise stale_version("office", standing)
        await audit.record(
            tx,
            call.viewer,
            act="office.external_management_changed",
            kind="office",
            about=office_id,
            organization_id=organization_id,
            at=call.clock.now(),
            fields=["externally_managed"],
        )
    return after


async def external(call: Call, ids: Sequence[OfficeId]) -> list[ExternalOffice | None]:
    """Whether each office works outside of the suite: for everybody of the network, who may send there."""
    if not call.viewer.is_user or call.viewer.organization_id is None:
        return [None] * len(ids)
    async with call.db.reading() as tx:
        found = await offices.known(tx, ids)
    return [found.get(one, ExternalOffice(one)) for one in ids]


async def end_unreported(call: Call) -> int:
    """Referrals that came to an offline receiver fifteen days ago and nobody reported on are completed, with nothing known.
    Answers how many."""

    async def lock(tx: Connection, left: Sequence[ReferralId]) -> list[Referral]:
        until = call.clock.now() - UNREPORTED_AFTER
        return await store.lock_unreported(tx, until, left, BATCH)

    async def end_one(tx: Connection, referral: Referral) -> None:
        after = domain.unreported(referral, call.clock.now())
        if after is None:
            raise differ()
        await keep(tx, call, Change(Happened.LAPSED, referral, after))

    return await work_off(call, lock, end_one)
