"""The nouns of referrals: who sends, who receives, what is asked, and where the work stands."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from kit.errors import Invalid

ReferralId = NewType("ReferralId", UUID)
AppointmentId = NewType("AppointmentId", UUID)
OrganizationId = NewType("OrganizationId", UUID)
OfficeId = NewType("OfficeId", UUID)
ProviderId = NewType("ProviderId", UUID)
GroupId = NewType("GroupId", UUID)
UserId = NewType("UserId", UUID)
PlanId = NewType("PlanId", UUID)


class Status(StrEnum):
    """Where a referral stands; the words of the product."""

    DRAFT = "DRAFT"
    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    SCHEDULED = "SCHEDULED"
    FOLLOW_UP = "FOLLOW_UP"
    COMPLETED = "COMPLETED"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"


class Side(StrEnum):
    """The side of a referral an organization or a viewer is on."""

    SENDING = "SENDING"
    RECEIVING = "RECEIVING"


class Urgency(StrEnum):
    """How soon the patient should be seen."""

    ROUTINE = "ROUTINE"
    URGENT = "URGENT"
    ASAP = "ASAP"
    STAT = "STAT"


class PlanAcceptance(StrEnum):
    """What insurance said of the patient's plan when the receiver was chosen; never a promise."""

    ACCEPTED = "ACCEPTED"
    NOT_LISTED = "NOT_LISTED"
    UNKNOWN = "UNKNOWN"


class Authorization(StrEnum):
    """The payer's permission: beside the status, never part of it."""

    REQUIRED = "REQUIRED"
    PENDING = "PENDING"
    OBTAINED = "OBTAINED"
    DECLINED = "DECLINED"


class Outcome(StrEnum):
    """What a completed referral came to.

    SEEN: the receiver reported that the patient was seen. DECLINED: nobody sent it again after a decline. UNKNOWN: its time
    passed and nobody reported.
    """

    SEEN = "SEEN"
    DECLINED = "DECLINED"
    UNKNOWN = "UNKNOWN"


class ReasonKind(StrEnum):
    """What a coded reason explains."""

    DECLINE = "DECLINE"
    CANCEL = "CANCEL"
    NO_SHOW = "NO_SHOW"
    OUTSIDE_PLAN = "OUTSIDE_PLAN"


class AppointmentState(StrEnum):
    """What became of an appointment. PASSED: its time came and nobody has reported yet."""

    BOOKED = "BOOKED"
    PASSED = "PASSED"
    CANCELLED = "CANCELLED"
    FULFILLED = "FULFILLED"
    NO_SHOW = "NO_SHOW"


class HopEnd(StrEnum):
    """Why a receiver is no longer the current one."""

    FORWARDED = "FORWARDED"
    RESENT = "RESENT"


class Happened(StrEnum):
    """What was done to a referral, as its trail and its queues tell it."""

    DRAFTED = "DRAFTED"
    DRAFT_CHANGED = "DRAFT_CHANGED"
    SENT = "SENT"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    CLAIMED = "CLAIMED"
    RELEASED = "RELEASED"
    SCHEDULED = "SCHEDULED"
    RESCHEDULED = "RESCHEDULED"
    APPOINTMENT_CANCELLED = "APPOINTMENT_CANCELLED"
    APPOINTMENT_PASSED = "APPOINTMENT_PASSED"
    COMPLETED = "COMPLETED"
    OUTCOME_ATTACHED = "OUTCOME_ATTACHED"
    LAPSED = "LAPSED"
    NO_SHOW = "NO_SHOW"
    DECLINED = "DECLINED"
    REASSIGNED = "REASSIGNED"
    FORWARDED = "FORWARDED"
    RESENT = "RESENT"
    SENDER_CHANGED = "SENDER_CHANGED"
    AUTHORIZATION_CHANGED = "AUTHORIZATION_CHANGED"
    CANCELLED = "CANCELLED"
    OVERDUE = "OVERDUE"
    MESSAGE = "MESSAGE"
    OFFBOARDING = "OFFBOARDING"
    ATTACHED = "ATTACHED"
    ATTACHMENT_WITHDRAWN = "ATTACHMENT_WITHDRAWN"


class Subject(StrEnum):
    """What a fence can stand around."""

    PROVIDER = "PROVIDER"
    OFFICE = "OFFICE"
    GROUP = "GROUP"


class QueueKind(StrEnum):
    """The four work queues of an office, a group or a provider."""

    REQUIRES_REVIEW = "REQUIRES_REVIEW"
    SENT = "SENT"
    RECEIVED = "RECEIVED"
    ARCHIVE = "ARCHIVE"


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a referral: an office, with a provider, a group, or both once claimed."""

    organization_id: OrganizationId
    office_id: OfficeId
    provider_id: ProviderId | None = None
    group_id: GroupId | None = None

    @property
    def subjects(self) -> frozenset[tuple[Subject, UUID]]:
        """Everything a fence could stand around on this end."""
        named = (
            (Subject.PROVIDER, self.provider_id),
            (Subject.OFFICE, self.office_id),
            (Subject.GROUP, self.group_id),
        )
        return frozenset((kind, value) for kind, value in named if value is not None)


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver as a sender names it: a provider or a group at an office, whoseever it is."""

    office_id: OfficeId
    provider_id: ProviderId | None = None
    group_id: GroupId | None = None

    def __post_init__(self) -> None:
        """Refuse both and neither."""
        if (self.provider_id is None) == (self.group_id is None):
            raise Invalid(
                "Name a provider or a group as the receiver, not both.",
                code="RECEIVER_REQUIRED",
                field="receiver",
            )

    def of(self, organization_id: OrganizationId) -> Party:
        """The receiver, once its organization is known."""
        return Party(organization_id, self.office_id, self.provider_id, self.group_id)


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """What insurance answered for a receiver: how many of those asked accept the plan; and why it is chosen though nobody does."""

    acceptance: PlanAcceptance
    asked: int = 0
    accepting: int = 0
    outside_reason: str | None = None

    def or_else(self, other: "PlanAnswer") -> "PlanAnswer":
        """The better of the answers about two plans: it is known that one is accepted, or not known that neither is."""
        return self if _BETTER.index(self.acceptance) <= _BETTER.index(other.acceptance) else other


_BETTER = (PlanAcceptance.ACCEPTED, PlanAcceptance.UNKNOWN, PlanAcceptance.NOT_LISTED)


@dataclass(frozen=True, slots=True)
class Referral:
    """A request that another provider, office or group see a patient. Holds nothing about them."""

    id: ReferralId
    version: int
    status: Status
    sending_organization_id: OrganizationId
    sending_office_id: OfficeId
    sending_provider_id: ProviderId | None
    sending_group_id: GroupId | None
    receiving_organization_id: OrganizationId | None
    receiving_office_id: OfficeId | None
    receiving_provider_id: ProviderId | None
    receiving_group_id: GroupId | None
    specialty_code: str
    urgency: Urgency
    plan_id: PlanId | None
    second_plan_id: PlanId | None
    plan_acceptance: PlanAcceptance | None
    plan_asked: int
    plan_accepting: int
    outside_plan_reason: str | None
    externally_managed: bool
    authorization: Authorization | None
    hop: int
    claimed_by: UserId | None
    callback_at: datetime | None
    appointment_at: datetime | None
    reason_kind: ReasonKind | None
    reason_code: str | None
    outcome: Outcome | None
    outcome_at: datetime | None
    created_at: datetime
    sent_at: datetime | None
    received_at: datetime | None
    status_since: datetime
    changed_at: datetime

    @property
    def loop_closed(self) -> bool:
        """Whether the sender has been told what came of it: more than completed."""
        return self.outcome_at is not None

    @property
    def plans(self) -> tuple[PlanId, ...]:
        """The patient's plans; one of them is enough."""
        return tuple(one for one in (self.plan_id, self.second_plan_id) if one is not None)

    @property
    def sender(self) -> Party:
        """The sending end."""
        return Party(
            self.sending_organization_id,
            self.sending_office_id,
            self.sending_provider_id,
            self.sending_group_id,
        )

    @property
    def target(self) -> Target | None:
        """The receiver as the sender named it; None for a draft that names none yet."""
        if self.receiving_office_id is None:
            return None
        group = self.receiving_group_id
        provider = self.receiving_provider_id if group is None else None
        return Target(self.receiving_office_id, provider, group)

    @property
    def receiver(self) -> Party | None:
        """The current receiving end; None until the referral was sent."""
        if self.receiving_organization_id is None or self.receiving_office_id is None:
            return None
        return Party(
            self.receiving_organization_id,
            self.receiving_office_id,
            self.receiving_provider_id,
            self.receiving_group_id,
        )


@dataclass(frozen=True, slots=True)
class Hop:
    """One receiver a referral was sent to; the last one is the current receiver."""

    referral_id: ReferralId
    hop: int
    organization_id: OrganizationId
    office_id: OfficeId
    provider_id: ProviderId | None
    group_id: GroupId | None
    received_at: datetime
    left_at: datetime | None
    left_as: HopEnd | None
    declined_code: str | None

    @property
    def party(self) -> Party:
        """The receiver of this hop."""
        return Party(self.organization_id, self.office_id, self.provider_id, self.group_id)


@dataclass(frozen=True, slots=True)
class Appointment:
    """A time at which the patient is (or was) to be seen."""

    id: AppointmentId
    referral_id: ReferralId
    at: datetime
    state: AppointmentState
    no_show_code: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done to a referral: the trail behind its status."""

    referral_id: ReferralId
    version: int
    happened: Happened
    status: Status
    by_user_id: UserId | None
    by_organization_id: OrganizationId | None
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Reason:
    """A coded reason, usable from a day until the day before another (half-open)."""

    kind: ReasonKind
    code: str
    text: str
    valid_from: date
    valid_until: date | None
    lapses: bool = False

    def valid_on(self, day: date) -> bool:
        """Whether the reason may be given on the day."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a sender writes down before anything is sent."""

    sender: Party
    receiver: Target | None
    specialty_code: str
    urgency: Urgency
    plan_id: PlanId | None
    authorization: Authorization | None
    second_plan_id: PlanId | None = None

    @property
    def plans(self) -> tuple[PlanId, ...]:
        """The patient's plans."""
        return tuple(one for one in (self.plan_id, self.second_plan_id) if one is not None)


@dataclass(frozen=True, slots=True)
class Queue:
    """Whose work queue: exactly one of the three is set."""

    office_id: OfficeId | None = None
    group_id: GroupId | None = None
    provider_id: ProviderId | None = None


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many referrals stand in each queue of an office or group, for one user."""

    requires_review: int
    sent: int
    received: int
    archive: int


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One referral in the way of a removal: no PHI, ready to tell directory."""

    referral_id: ReferralId
    status: Status
    side: Side
    office_id: OfficeId
    appointment_at: datetime | None = None
