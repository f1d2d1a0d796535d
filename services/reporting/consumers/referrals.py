"""Referrals: every change of each, as an organization heard it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from kit.db import Connection
from kit.inbox import Handler, Heard
from proto.referrals.v1 import events_pb2 as referrals
from services.reporting import actions, store
from services.reporting.domain import (
    Change,
    GroupId,
    OfficeId,
    OrganizationId,
    Outcome,
    PlanAcceptance,
    PlanId,
    ProviderId,
    ReferralId,
    Status,
    Verb,
)


def _changed(verb: Verb) -> Handler:
    """A handler of the referral facts that tell `verb`."""

    async def handle(tx: Connection, heard: Heard) -> None:
        organization_id = OrganizationId(heard.organization_id)
        await store.organizations.note_fact(tx, organization_id, heard.time)
        await actions.hear_change(tx, organization_id, change_of(heard, verb))

    return handle


def change_of(heard: Heard, verb: Verb) -> Change:
    """The change a referral fact tells, as the organization that heard it sees it."""
    state: referrals.ReferralState = heard.fact.referral
    occurred = state.HasField("occurred_at")
    own = str(heard.organization_id)
    receiving = state.receiving_organization_id == own and not _leaving(heard.fact)
    sending = state.sending_organization_id == own
    return Change(
        referral_id=ReferralId(UUID(state.referral_id)),
        sequence=heard.sequence,
        version=state.version,
        verb=verb,
        status=Status(state.status),
        hop=state.hop,
        group_id=_group(state.receiving_group_id if receiving else ""),
        sending_group_id=_group(state.sending_group_id if sending else ""),
        reason_code=getattr(heard.fact, "reason_code", "") or None,
        occurred_at=state.occurred_at.ToDatetime(tzinfo=UTC) if occurred else heard.time,
        outcome=_outcome(heard.fact),
        appointment_at=_appointment_at(heard.fact),
        plan_acceptance=PlanAcceptance(state.plan_acceptance) if state.plan_acceptance else None,
        office_id=_office(state.receiving_office_id if receiving else ""),
        provider_id=_provider(state.receiving_provider_id if receiving else ""),
        sending_office_id=_office(state.sending_office_id),
        plan_id=PlanId(UUID(state.plan_id)) if state.plan_id else None,
        outside_plan_reason=state.outside_plan_reason or None,
    )


def _outcome(fact: Any) -> Outcome | None:  # noqa: ANN401 - any referral fact
    text = getattr(fact, "outcome", "")
    return Outcome(text) if text else None


def _appointment_at(fact: Any) -> datetime | None:  # noqa: ANN401 - any referral fact
    if not isinstance(fact, referrals.ReferralScheduled) or not fact.HasField("appointment_at"):
        return None
    return fact.appointment_at.ToDatetime(tzinfo=UTC)


def _leaving(fact: Any) -> bool:  # noqa: ANN401 - any referral fact
    """Whether a fact tells a forward to the organization that gave the referral away: with the state as it leaves."""
    if not isinstance(fact, referrals.ReferralForwarded):
        return False
    state = fact.referral
    left = (
        fact.from_organization_id,
        fact.from_office_id,
        fact.from_provider_id,
        fact.from_group_id,
    )
    return left == (
        state.receiving_organization_id,
        state.receiving_office_id,
        state.receiving_provider_id,
        state.receiving_group_id,
    )


def _office(text: str) -> OfficeId | None:
    return OfficeId(UUID(text)) if text else None


def _provider(text: str) -> ProviderId | None:
    return ProviderId(UUID(text)) if text else None


def _group(text: str) -> GroupId | None:
    return GroupId(UUID(text)) if text else None


_VERBS: dict[type[Message], Verb] = {
    referrals.ReferralSent: Verb.SENT,
    referrals.ReferralSenderChanged: Verb.SENDER_CHANGED,
    referrals.ReferralAcknowledged: Verb.ACKNOWLEDGED,
    referrals.ReferralScheduled: Verb.SCHEDULED,
    referrals.ReferralCompleted: Verb.COMPLETED,
    referrals.ReferralDeclined: Verb.DECLINED,
    referrals.ReferralReassigned: Verb.REASSIGNED,
    referrals.ReferralForwarded: Verb.FORWARDED,
    referrals.ReferralCancelled: Verb.CANCELLED,
    referrals.ReferralAppointmentCancelled: Verb.APPOINTMENT_CANCELLED,
    referrals.ReferralAppointmentPassed: Verb.APPOINTMENT_PASSED,
    referrals.ReferralNoShow: Verb.NO_SHOW,
    referrals.ReferralOutcomeAttached: Verb.OUTCOME_ATTACHED,
    referrals.ReferralMessageSent: Verb.MESSAGE_SENT,
}

HANDLERS: dict[type[Message], Handler] = {kind: _changed(verb) for kind, verb in _VERBS.items()}
