"""How every verb loads and saves: the referral locked and permitted, then its next version with trail, facts and news."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final
from uuid import UUID

from kit import audit
from kit.db import Connection
from kit.errors import Conflict
from kit.idempotency import answered, once
from kit.ids import new_id
from kit.scope import widen
from services.referrals import policy
from services.referrals.actions.peers import Alternative, Call
from services.referrals.actions.telling import Change, tell
from services.referrals.actions.vault import comment_of
from services.referrals.domain import (
    Action,
    Appointment,
    AppointmentId,
    AppointmentState,
    Happened,
    Hop,
    HopEnd,
    OrganizationId,
    Party,
    ProviderId,
    Referral,
    ReferralId,
    Sealed,
    Status,
    Step,
    UserId,
    require_version,
)
from services.referrals.policy import Access
from services.referrals.store import fences, news, people, sealed
from services.referrals.store import referrals as store

_APPOINTMENT_ENDS: Final = {
    Happened.COMPLETED: AppointmentState.FULFILLED,
    Happened.NO_SHOW: AppointmentState.NO_SHOW,
    Happened.APPOINTMENT_PASSED: AppointmentState.PASSED,
}


@dataclass(frozen=True, slots=True)
class Order:
    """Which referral, and the version the viewer decided on. With a key it is carried out once: a retry is AlreadyDone."""

    referral_id: ReferralId
    expected_version: int
    key: str | None = None


class AlreadyDone(Exception):  # noqa: N818 - not an error: a retry meets what it did before
    """The same order with the same key was carried out before."""


async def access_of(
    tx: Connection,
    call: Call,
    referrals: Iterable[Referral],
    hops: Iterable[Hop] = (),
    ends: Iterable[Party] = (),
) -> Access:
    """What the tables know of the viewer, as far as these referrals, or ends of referrals, are concerned."""
    viewer = call.viewer
    if viewer.user_id is None or viewer.organization_id is None:
        return Access()
    organization_id = OrganizationId(viewer.organization_id)
    mine = None if viewer.provider_id is None else ProviderId(viewer.provider_id)
    providers = {mine, *(hop.provider_id for hop in hops), *(end.provider_id for end in ends)}
    for referral in referrals:
        providers |= {referral.sending_provider_id, referral.receiving_provider_id}
    named = [provider for provider in providers if provider is not None]
    return Access(*await people.access(tx, organization_id, UserId(viewer.user_id), named))


@asynccontextmanager
async def changing(
    call: Call, order: Order, action: Action
) -> AsyncIterator[tuple[Connection, Referral]]:
    """The referral, locked, when the viewer may take the action and has seen this version of it."""
    call.viewer.require_organization()
    async with call.db.transaction() as tx:
        found = await store.lock(tx, order.referral_id)
        referral = await permitted(tx, call, found, action)
        await _once(tx, call, order, action)
        require_version(referral, order.expected_version, action)
        yield tx, referral


async def _once(tx: Connection, call: Call, order: Order, action: Action) -> None:
    """Remember that the order is carried out, in the transaction that does it; AlreadyDone when it was."""
    if order.key is None:
        return
    first = False

    async def make() -> UUID:
        nonlocal first
        first = True
        return order.referral_id

    request, now = (action.value, order), call.clock.now()
    await once(tx, call.viewer, key=order.key, request=request, at=now, make=make)
    if not first:
        raise AlreadyDone


async def reading(call: Call, order: Order, action: Action) -> Referral:
    """As `changing`, for looking only: what must be known before siblings are asked. Nothing is held meanwhile."""
    call.viewer.require_organization()
    async with call.db.reading() as tx:
        found = (await store.find(tx, [order.referral_id])).get(order.referral_id)
        referral = await permitted(tx, call, found, action)
        if order.key is not None:
            request = (action.value, order)
            if await answered(tx, call.viewer, key=order.key, request=request) is not None:
                raise AlreadyDone
    require_version(referral, order.expected_version, action)
    return referral


async def permitted(
    tx: Connection, call: Call, referral: Referral | None, action: Action
) -> Referral:
    """The referral, or the policy's refusal."""
    if referral is None:
        raise policy.unknown_referral()
    hops = (await store.hops(tx, [referral.id]))[referral.id]
    access = await access_of(tx, call, [referral], hops)
    return policy.permit(call.viewer, access, referral, hops, action)


async def hold_off_fences(
    tx: Connection,
    sender: Party | None,
    receiver: Party | None,
    alternatives: tuple[Alternative, ...] = (),
) -> None:
    """Refuse when an end is fenced; otherwise no fence is raised around it before this transaction has ended.

    Call it after directory has answered, in the transaction that saves the referral: then either the fence counts the
    referral, or the referral is refused (R15).
    """
    ends = [party for party in (sender, receiver) if party is not None]
    await fences.share(tx, ends)
    fenced = await fences.standing(tx, ends)
    if receiver is not None and fences.of(receiver) & fenced:
        raise Conflict(
            "The receiver is leaving and takes no new referrals.",
            code="RECEIVER_LEAVING",
            field="receiver",
            remedy="Choose another receiver; alternatives may be listed.",
            alternatives=alternatives,
        )
    if sender is not None and fences.of(sender) & fenced:
        raise Conflict(
            "The sender is leaving and starts no new referrals.",
            code="SENDER_LEAVING",
            field="sender",
            remedy="Send in the name of somebody who stays.",
        )


async def keep(tx: Connection, call: Call, change: Change) -> Referral:
    """Save what a verb decided: row, hops, appointment, trail, facts and news, all in the verb's transaction."""
    after, at = change.after, change.after.changed_at
    if call.viewer.is_user and call.viewer.organization_id not in _organizations(after):
        # whole-suite: whoever hands a referral on writes rows that are the next receiver's from then on
        await widen(tx)
    if change.before is None:
        await store.insert(tx, after)
        if after.receiver is not None:
            await store.put_hop(tx, after, at)
    else:
        await store.update(tx, after)
        await _keep_hops(tx, change.before, after, at)
        await _keep_appointment(tx, change.before, change, at)
    await sealed.add_step(tx, _step(call, change), await _comment(tx, call, change))
    await tell(tx, change, at)
    await _write_down(tx, call, change, at)
    await news.announce(tx, after.id, change.happened, _ends(change))
    return after


def _organizations(referral: Referral) -> tuple[UUID | None, ...]:
    return referral.sending_organization_id, referral.receiving_organization_id


async def announce(tx: Connection, referral: Referral, happened: Happened) -> None:
    """Tell the queues it is in of something that did not change the referral itself."""
    await news.announce(tx, referral.id, happened, _ends(Change(happened, None, referral)))


async def _write_down(tx: Connection, call: Call, change: Change, at: datetime) -> None:
    """The audit trail's one entry of the change, with the names of what it changed; nothing that was said of the patient."""
    before, after = change.before, change.after
    await audit.record(
        tx,
        call.viewer,
        act=f"referral.{change.happened.lower()}",
        kind="referral",
        about=after.id,
        organization_id=call.viewer.organization_id or after.sending_organization_id,
        at=at,
        fields=[
            field.name
            for field in fields(Referral)
            if before is None or getattr(before, field.name) != getattr(after, field.name)
        ],
    )


async def _keep_hops(tx: Connection, before: Referral, after: Referral, at: datetime) -> None:
    if after.status is Status.DECLINED:
        await store.mark_declined(tx, after)
    if after.hop != before.hop:
        left_as = HopEnd.RESENT if before.status is Status.DECLINED else HopEnd.FORWARDED
        await store.leave_hop(tx, after.id, left_as, at)
    if (
        after.receiver is not None and after.receiver != before.receiver
    ) or after.hop != before.hop:
        await store.put_hop(tx, after, at)


async def _keep_appointment(tx: Connection, before: Referral, change: Change, at: datetime) -> None:
    after, end = change.after, _APPOINTMENT_ENDS.get(change.happened)
    moved = after.appointment_at != before.appointment_at
    if before.appointment_at is not None and (moved or end is not None):
        state = end or AppointmentState.CANCELLED
        await store.end_appointment(tx, after.id, state, change.code)
    if after.appointment_at is not None and moved:
        booked = Appointment(
            AppointmentId(new_id()), after.id, after.appointment_at, AppointmentState.BOOKED, None
        )
        await store.book(tx, booked, at)


async def _comment(tx: Connection, call: Call, change: Change) -> Sealed | None:
    """What was said, closed: it may speak of the patient."""
    if change.comment is None:
        return None
    keys = await call.peers.vault.own(tx, change.after.sending_organization_id)
    return keys.seal(change.comment, change.after.id, comment_of(change.after.version))


def _step(call: Call, change: Change) -> Step:
    viewer, after = call.viewer, change.after
    return Step(
        referral_id=after.id,
        version=after.version,
        happened=change.happened,
        status=after.status,
        by_user_id=UserId(viewer.user_id) if viewer.user_id else None,
        by_organization_id=(
            OrganizationId(viewer.organization_id) if viewer.organization_id else None
        ),
        taken_at=after.changed_at,
    )


def _ends(change: Change) -> frozenset[Party]:
    """Whose queues the referral is or was in. What was never sent is in its sender's only."""
    known = [change.after] if change.before is None else [change.before, change.after]
    ends = {end for referral in known for end in (referral.sender, referral.receiver)}
    return frozenset(end for end in ends if end is not None)
