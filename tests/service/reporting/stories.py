"""Referrals told to reporting fact by fact, as the referrals service tells them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from google.protobuf.message import Message

from proto.referrals.v1 import events_pb2 as facts
from tests.service.reporting.conftest import Clinic


@dataclass
class Story:
    """One referral from somewhere else to a group of the clinic."""

    clinic: Clinic
    group_id: UUID | None
    referral_id: UUID = field(default_factory=uuid4)
    sender: UUID = field(default_factory=uuid4)
    sending_group_id: UUID | None = None
    version: int = 0
    hop: int = 0
    sending_office_id: UUID | None = None
    acceptance: str = ""
    notice: timedelta = timedelta(hours=11, minutes=30)
    plan_id: str = ""
    outside_plan_reason: str = ""
    provider_id: UUID | None = None

    def state(self, status: str, at: datetime, *, side: str = "RECEIVING") -> facts.ReferralState:
        """What every fact says."""
        told = facts.ReferralState(
            referral_id=str(self.referral_id),
            side=side,
            status=status,
            version=self.version,
            sending_organization_id=str(self.sender),
            sending_office_id=str(self.sending_office_id or UUID(int=7)),
            sending_group_id=str(self.sending_group_id or ""),
            receiving_organization_id=str(self.clinic.organization_id),
            receiving_office_id=str(self.clinic.office_id),
            receiving_group_id=str(self.group_id or ""),
            receiving_provider_id=str(self.provider_id or ""),
            specialty_code="207RC0000X",
            urgency="ROUTINE",
            hop=self.hop,
            plan_acceptance=self.acceptance,
            plan_id=self.plan_id,
            outside_plan_reason=self.outside_plan_reason,
        )
        told.occurred_at.FromDatetime(at)
        return told

    async def say(self, fact: Message, at: datetime) -> tuple[str, bytes]:
        """Have reporting apply the fact as the clinic's copy."""
        return await self.clinic.reporting.neighbours.say(
            fact, self.clinic.organization_id, "referral", self.referral_id, at
        )

    async def sent(self, at: datetime) -> Story:
        """Sent, or sent again."""
        self.version, self.hop = self.version + 1, self.hop + 1
        await self.say(facts.ReferralSent(referral=self.state("PENDING", at)), at)
        return self

    async def acknowledged(self, at: datetime) -> Story:
        """Taken up."""
        self.version += 1
        await self.say(facts.ReferralAcknowledged(referral=self.state("IN_PROGRESS", at)), at)
        return self

    async def sender_changed(self, at: datetime) -> Story:
        """Handed over to another sender of its organization."""
        self.version += 1
        state = self.state("PENDING", at)
        await self.say(facts.ReferralSenderChanged(referral=state), at)
        return self

    async def scheduled(self, at: datetime) -> Story:
        """An appointment was made."""
        self.version += 1
        fact = facts.ReferralScheduled(referral=self.state("SCHEDULED", at))
        fact.appointment_at.FromDatetime(at + self.notice)
        await self.say(fact, at)
        return self

    async def missed(self, at: datetime) -> Story:
        """The appointment passed, and the patient had not come."""
        self.version += 1
        passed = facts.ReferralAppointmentPassed(referral=self.state("FOLLOW_UP", at))
        await self.say(passed, at)
        self.version += 1
        no_show = facts.ReferralNoShow(referral=self.state("FOLLOW_UP", at), reason_code="FORGOT")
        await self.say(no_show, at)
        return self

    async def completed(self, at: datetime, outcome: str = "SEEN") -> Story:
        """Done."""
        self.version += 1
        state = self.state("COMPLETED", at)
        await self.say(facts.ReferralCompleted(referral=state, outcome=outcome), at)
        return self

    async def outcome_attached(self, at: datetime) -> Story:
        """What came of it was reported back."""
        self.version += 1
        await self.say(facts.ReferralOutcomeAttached(referral=self.state("COMPLETED", at)), at)
        return self

    async def written_about(self, status: str, at: datetime) -> Story:
        """One side wrote to the other; the referral stays as it is."""
        fact = facts.ReferralMessageSent(
            referral=self.state(status, at), message_id=str(uuid4()), from_side="SENDING"
        )
        await self.say(fact, at)
        return self

    async def appointment_passed(self, at: datetime) -> Story:
        """The appointment passed, and nobody has said what happened."""
        self.version += 1
        await self.say(facts.ReferralAppointmentPassed(referral=self.state("FOLLOW_UP", at)), at)
        return self

    async def declined(
        self, at: datetime, reason: str = "NO_CAPACITY", *, words: bool | None = None
    ) -> Story:
        """Sent back with a coded reason; None: it is not told whether there were words."""
        self.version += 1
        state = self.state("DECLINED", at)
        fact = facts.ReferralDeclined(referral=state, reason_code=reason)
        if words is not None:
            fact.commented = words
        await self.say(fact, at)
        return self

    async def cancelled(self, at: datetime) -> Story:
        """Taken back by the sender."""
        self.version += 1
        state = self.state("CANCELLED", at)
        await self.say(facts.ReferralCancelled(referral=state, reason_code="RAISED_IN_ERROR"), at)
        return self

    async def reassigned(self, to: UUID, at: datetime) -> Story:
        """To another group of the clinic."""
        self.version, left, self.group_id = self.version + 1, self.group_id, to
        fact = facts.ReferralReassigned(
            referral=self.state("PENDING", at),
            from_office_id=str(self.clinic.office_id),
            from_group_id=str(left or ""),
        )
        await self.say(fact, at)
        return self

    async def forwarded_within(self, to: UUID, at: datetime) -> Story:
        """To another group of the clinic, as a new hop."""
        self.version, self.hop, left, self.group_id = (
            self.version + 1,
            self.hop + 1,
            self.group_id,
            to,
        )
        await self.say(self.forwarded(self.state("PENDING", at), left), at)
        return self

    async def forwarded_away(self, at: datetime) -> Story:
        """To another organization: the clinic hears the state as it leaves."""
        self.version += 1
        await self.say(self.forwarded(self.state("PENDING", at), self.group_id), at)
        return self

    def forwarded(self, state: facts.ReferralState, left: UUID | None) -> facts.ReferralForwarded:
        """The fact of a forward by the clinic."""
        return facts.ReferralForwarded(
            referral=state,
            from_organization_id=str(self.clinic.organization_id),
            from_office_id=str(self.clinic.office_id),
            from_group_id=str(left or ""),
        )
