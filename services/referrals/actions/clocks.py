"""What time does to referrals: appointments pass, declines lapse, receivers are late. And the targets they are late by."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from kit import audit
from kit.db import Connection
from services.referrals import domain, policy
from services.referrals.actions.keeping import announce, keep
from services.referrals.actions.peers import Call
from services.referrals.actions.telling import Change, tell_overdue
from services.referrals.actions.working_off import differ, work_off
from services.referrals.domain import (
    LAPSES_AFTER,
    Happened,
    OrganizationId,
    PassedAppointment,
    Referral,
    ReferralId,
    Targets,
)
from services.referrals.store import people
from services.referrals.store import referrals as store
from services.referrals.store import targets as clocks

BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class TargetsChange:
    """What is to change of an organization's targets; None leaves it as it is."""

    acknowledge_days: int | None = None
    decide_days: int | None = None
    passed_appointment: PassedAppointment | None = None


async def targets(call: Call) -> Targets:
    """The targets of the viewer's organization."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        return (await clocks.targets_of(tx, [organization_id]))[organization_id]


async def change_targets(call: Call, seen: int, change: TargetsChange) -> Targets:
    """Other targets for the viewer's organization; they count at once, for what is open too."""
    organization_id = policy.permit_targets(call.viewer)
    async with call.db.transaction() as tx:
        before = (await clocks.targets_of(tx, [organization_id]))[organization_id]
        given = {name: one for name, one in asdict(change).items() if one is not None}
        after = replace(before, **given, version=seen + 1)
        if before.version != seen or not await clocks.put(tx, after):
            raise domain.stale_targets(before)
        await audit.record(
            tx,
            call.viewer,
            act="targets.changed",
            kind="organization",
            about=organization_id,
            organization_id=organization_id,
            at=call.clock.now(),
            fields=given,
        )
    return after


# Jobs -------------------------------------------------------------------------------------------------------------------


async def pass_appointments(call: Call) -> int:
    """Scheduled referrals whose appointment's time has come unreported are in follow-up, or completed where the receiving
    organization wants it so. Answers how many."""
    targets = dict[OrganizationId, Targets]()

    async def lock(tx: Connection, left: Sequence[ReferralId]) -> list[Referral]:
        due = await store.lock_passed(tx, call.clock.now(), left, BATCH)
        targets.update(await _targets_of(tx, due))
        return due

    async def pass_one(tx: Connection, referral: Referral) -> None:
        own = targets[_receiving(referral)]
        completes = own.passed_appointment is PassedAppointment.COMPLETED
        after = domain.appointment_passed(referral, call.clock.now(), completes=completes)
        if after is None:
            raise differ()
        await keep(tx, call, Change(Happened.APPOINTMENT_PASSED, referral, after))

    return await work_off(call, lock, pass_one)


async def lapse_declined(call: Call) -> int:
    """Declined referrals that nobody sent again in ten days are completed, where the reason lets them. Answers how many."""
    async with call.db.reading() as tx:
        reasons = {reason.code: reason for reason in await people.lapsing(tx)}

    async def lock(tx: Connection, left: Sequence[ReferralId]) -> list[Referral]:
        until = call.clock.now() - LAPSES_AFTER
        return await store.lock_lapsing(tx, list(reasons), until, left, BATCH)

    async def lapse_one(tx: Connection, referral: Referral) -> None:
        reason = reasons[referral.reason_code or ""]
        after = domain.lapsed(referral, reason, call.clock.now())
        if after is None:
            raise differ()
        await keep(tx, call, Change(Happened.LAPSED, referral, after))

    return await work_off(call, lock, lapse_one)


async def tell_late(call: Call) -> int:
    """Say once of each receiver that it is late, and with what. Answers of how many."""
    now, targets = call.clock.now(), dict[OrganizationId, Targets]()

    async def lock(tx: Connection, left: Sequence[ReferralId]) -> list[Referral]:
        late = await clocks.lock_untold(tx, now, left, BATCH)
        targets.update(await _targets_of(tx, late))
        return late

    async def tell_one(tx: Connection, referral: Referral) -> None:
        own = targets[_receiving(referral)]
        overdue, due = domain.overdue(referral, own, now), domain.due_at(referral, own)
        if overdue is None or due is None:
            raise differ()
        await clocks.note_told(tx, referral, overdue, now)
        await tell_overdue(tx, referral, overdue, due, now)
        await announce(tx, referral, Happened.OVERDUE)

    return await work_off(call, lock, tell_one)


async def _targets_of(tx: Connection, referrals: list[Referral]) -> dict[OrganizationId, Targets]:
    return await clocks.targets_of(tx, {_receiving(referral) for referral in referrals})


def _receiving(referral: Referral) -> OrganizationId:
    if referral.receiving_organization_id is None:
        raise LookupError("a sent referral has a receiver")
    return referral.receiving_organization_id
