"""The sender's verbs: draft, change the draft, send, send again, cancel."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from datetime import date
from functools import partial
from uuid import UUID

from kit.db import Connection
from kit.errors import Invalid
from kit.idempotency import answered, once
from kit.ids import new_id
from services.referrals import domain, policy
from services.referrals.actions.keeping import (
    Order,
    access_of,
    changing,
    hold_off_fences,
    keep,
    permitted,
    reading,
)
from services.referrals.actions.patients import keep_patient
from services.referrals.actions.peers import Call, Receiver, ask_plan, ask_receiver, ask_sender
from services.referrals.actions.reasons import (
    Given,
    outside_plan_reason,
    today,
    valid_reason,
)
from services.referrals.actions.telling import Change
from services.referrals.domain import (
    Action,
    Authorization,
    Draft,
    Happened,
    Party,
    Patient,
    PlanAcceptance,
    PlanAnswer,
    PlanId,
    ReasonKind,
    Referral,
    ReferralId,
    Target,
    require_version,
)
from services.referrals.store import offices, people
from services.referrals.store import referrals as store


@dataclass(frozen=True, slots=True)
class Writing:
    """What a sender writes down: the draft and whom it is about."""

    draft: Draft
    patient: Patient


@dataclass(frozen=True, slots=True)
class Asked:
    """What siblings answered about a receiver, and whether its office works outside of the suite."""

    receiver: Receiver
    plan: PlanAnswer | None
    external: bool

    def manage(self, referral: Referral) -> Referral:
        """The referral that has just arrived there."""
        return domain.managed(referral, externally=self.external)


async def create_draft(call: Call, writing: Writing, key: str) -> ReferralId:
    """A new draft of the viewer's office or group. One per idempotency key."""
    async with call.db.transaction() as tx:
        await _permit_sender(tx, call, writing.draft.sender)

        async def make() -> UUID:
            await hold_off_fences(tx, writing.draft.sender, None)
            now = call.clock.now()
            draft = domain.drafted(ReferralId(new_id()), writing.draft, now)
            await _keep_written(tx, call, Change(Happened.DRAFTED, None, draft), writing.patient)
            return draft.id

        request = ("createDraft", writing.draft, astuple(writing.patient))
        return ReferralId(
            await once(tx, call.viewer, key=key, request=request, at=call.clock.now(), make=make)
        )


async def change_draft(call: Call, order: Order, writing: Writing) -> ReferralId:
    """Other contents for a draft."""
    async with changing(call, order, Action.CHANGE_DRAFT) as (tx, referral):
        await _permit_sender(tx, call, writing.draft.sender)
        await hold_off_fences(tx, writing.draft.sender, None)
        after = domain.redrafted(referral, writing.draft, call.clock.now())
        change = Change(Happened.DRAFT_CHANGED, referral, after)
        await _keep_written(tx, call, change, writing.patient)
    return after.id


async def send_new(call: Call, writing: Writing, key: str, outside: str | None) -> ReferralId:
    """Write and send in one call, outside of the plan for a coded reason. One per idempotency key."""
    request = ("sendReferral", writing.draft, astuple(writing.patient), outside)
    call.viewer.require_organization()
    async with call.db.reading() as tx:
        if (known := await answered(tx, call.viewer, key=key, request=request)) is not None:
            return ReferralId(known)
        await _permit_sender(tx, call, writing.draft.sender)
        here = await _here(tx, call, writing.draft.receiver)
    writing.patient.require_alive(here.today)
    draft, now = writing.draft, call.clock.now()
    domain.drafted(ReferralId(new_id()), draft, now)
    asked = await _ask(call, draft.sender, draft.receiver, (draft.plans, outside), here)

    async def make(tx: Connection) -> UUID:
        await _permit_sender(tx, call, draft.sender)
        receiver = asked.receiver.party
        await hold_off_fences(tx, draft.sender, receiver, asked.receiver.alternatives)
        made = domain.sent_at_once(
            ReferralId(new_id()), draft, receiver, asked.plan, call.clock.now()
        )
        made = asked.manage(made)
        await keep_patient(
            tx, call, await keep(tx, call, Change(Happened.SENT, None, made)), writing.patient
        )
        return made.id

    async with call.db.transaction() as tx:
        return ReferralId(
            await once(tx, call.viewer, key=key, request=request, at=now, make=partial(make, tx))
        )


async def send_draft(call: Call, order: Order, key: str, outside: str | None) -> ReferralId:
    """Send a draft as it stands, outside of the plan for a coded reason. One per idempotency key."""
    request = ("sendReferral", order, outside)
    if (known := await _known(call, key, request)) is not None:
        return known
    draft = await reading(call, order, Action.SEND)
    domain.require(draft, Action.SEND, call.clock.now())
    asked = await _ask(call, draft.sender, draft.target, (draft.plans, outside))

    async def make(tx: Connection) -> UUID:
        found = await store.lock(tx, order.referral_id)
        referral = await permitted(tx, call, found, Action.SEND)
        require_version(referral, order.expected_version, Action.SEND)
        await hold_off_fences(
            tx, referral.sender, asked.receiver.party, asked.receiver.alternatives
        )
        after = domain.sent(referral, asked.receiver.party, asked.plan, call.clock.now())
        after = asked.manage(after)
        await keep(tx, call, Change(Happened.SENT, referral, after))
        return after.id

    async with call.db.transaction() as tx:
        now = call.clock.now()
        return ReferralId(
            await once(tx, call.viewer, key=key, request=request, at=now, make=partial(make, tx))
        )


async def resend(
    call: Call, order: Order, target: Target | None, outside: str | None
) -> ReferralId:
    """Send a declined referral again: to another receiver, or to the same one when none is named. A new hop."""
    declined = await reading(call, order, Action.RESEND)
    domain.require(declined, Action.RESEND, call.clock.now())
    asked = await _ask(call, declined.sender, target or declined.target, (declined.plans, outside))
    async with changing(call, order, Action.RESEND) as (tx, referral):
        receiver = asked.receiver.party
        await hold_off_fences(tx, referral.sender, receiver, asked.receiver.alternatives)
        after = domain.resent(referral, receiver, asked.plan, call.clock.now())
        after = asked.manage(after)
        await keep(tx, call, Change(Happened.RESENT, referral, after))
    return after.id


async def change_sender(call: Call, order: Order, sender: Party) -> ReferralId:
    """Hand a sent referral over to another sender of the organization, for whom the viewer works too (R12)."""
    before = await reading(call, order, Action.CHANGE_SENDER)
    domain.sender_changed(before, sender, call.clock.now())
    async with call.db.reading() as tx:
        await _permit_sender(tx, call, sender)
    await ask_sender(call, sender)
    async with changing(call, order, Action.CHANGE_SENDER) as (tx, referral):
        await _permit_sender(tx, call, sender)
        after = domain.sender_changed(referral, sender, call.clock.now())
        await hold_off_fences(tx, sender, None)
        await keep(tx, call, Change(Happened.SENDER_CHANGED, referral, after))
    return after.id


async def change_authorization(
    call: Call, order: Order, authorization: Authorization | None
) -> ReferralId:
    """Record what the payer says of the visit now."""
    async with changing(call, order, Action.CHANGE_AUTHORIZATION) as (tx, referral):
        after = domain.authorization_changed(referral, authorization, call.clock.now())
        await keep(tx, call, Change(Happened.AUTHORIZATION_CHANGED, referral, after))
    return after.id


async def cancel(call: Call, order: Order, given: Given) -> ReferralId:
    """The sender takes the referral back, for a coded reason that is valid today."""
    now = call.clock.now()
    async with changing(call, order, Action.CANCEL) as (tx, referral):
        reason = await valid_reason(tx, call, ReasonKind.CANCEL, given)
        after = domain.cancelled(referral, reason, now)
        await keep(tx, call, Change(Happened.CANCELLED, referral, after, comment=given.comment))
    return after.id


# What they share ------------------------------------------------------------------------------------------------------


async def _permit_sender(tx: Connection, call: Call, sender: Party) -> None:
    policy.permit_sending_as(call.viewer, await access_of(tx, call, [], ends=[sender]), sender)


async def _known(call: Call, key: str, request: object) -> ReferralId | None:
    call.viewer.require_organization()
    async with call.db.reading() as tx:
        known = await answered(tx, call.viewer, key=key, request=request)
    return None if known is None else ReferralId(known)


@dataclass(frozen=True, slots=True)
class _Here:
    """What is known without asking anybody: what day it is for the viewer, and whether the receiver works outside of the suite."""

    today: date
    external: bool


async def _here(tx: Connection, call: Call, end: Target | Party | None) -> _Here:
    known = await offices.known(tx, [end.office_id]) if end else {}
    external = any(office.externally_managed for office in known.values())
    return _Here(await today(tx, call), external)


async def _ask(
    call: Call,
    sender: Party,
    target: Target | None,
    plan: tuple[Sequence[PlanId], str | None],
    here: _Here | None = None,
) -> Asked:
    """Directory about both ends, insurance about the plan; nothing is locked meanwhile."""
    if target is None:
        raise Invalid(
            "Say who is to receive the referral.",
            code="RECEIVER_REQUIRED",
            field="receiver",
            remedy="Name an office with a provider or a group.",
        )
    plans, outside = plan
    receiver = await ask_receiver(call, target, sender)
    return await reasoned(call, await ask_plans(call, receiver, plans, here), outside)


async def ask_about(call: Call, target: Target, plans: Sequence[PlanId]) -> Asked:
    """Directory about a receiver, insurance about the patient's plans there."""
    return await ask_plans(call, await ask_receiver(call, target), plans)


async def ask_plans(
    call: Call, receiver: Receiver, plans: Sequence[PlanId], here: _Here | None = None
) -> Asked:
    """Insurance about the patient's plans where a receiver is."""
    party, members = receiver.party, list[domain.ProviderId]()
    if here is None or party.group_id is not None:
        async with call.db.reading() as tx:
            here = here or await _here(tx, call, party)
            if party.group_id is not None:
                members = await people.members_of(tx, party.organization_id, party.group_id)
    plan = None
    for plan_id in plans:
        answer = await ask_plan(call, party, plan_id, members, here.today)
        plan = answer if plan is None else plan.or_else(answer)
    return Asked(receiver, plan, here.external)


async def reasoned(call: Call, asked: Asked, outside: str | None) -> Asked:
    """The same, with the coded reason why a receiver is chosen that is not listed for the plan; OUTSIDE_PLAN without one (R28)."""
    plan = asked.plan
    if plan is None or plan.acceptance is not PlanAcceptance.NOT_LISTED:
        return asked
    async with call.db.reading() as tx:
        reason = await outside_plan_reason(tx, call, outside)
    return replace(asked, plan=replace(plan, outside_reason=reason.code))


async def _keep_written(tx: Connection, call: Call, change: Change, patient: Patient) -> Referral:
    patient.require_alive(await today(tx, call))
    after = await keep(tx, call, change)
    await keep_patient(tx, call, after, patient)
    return after
