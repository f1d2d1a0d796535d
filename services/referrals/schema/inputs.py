"""What clients send, read into nouns with every wrong field named."""

import re
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

import strawberry
from strawberry import ID

from kit.errors import Invalid
from kit.ids import parse_id
from services.referrals import domain
from services.referrals.actions.bulk import BulkWork
from services.referrals.actions.keeping import Order
from services.referrals.actions.moving import Where
from services.referrals.actions.reasons import Given
from services.referrals.actions.sending import Writing
from services.referrals.domain import (
    Draft,
    GroupId,
    OfficeId,
    OrganizationId,
    Party,
    PlanId,
    ProviderId,
    ReferralId,
    Target,
)
from services.referrals.schema.words import AuthorizationStatus, BulkReferralAction, ReferralUrgency

_SPECIALTY = re.compile(r"[0-9A-Z]{9}X")
_LONGEST = {
    "given_name": 100,
    "family_name": 100,
    "phone": 40,
    "postal_code": 20,
    "member_number": 60,
    "clinical_note": 4000,
}


WHY_OUTSIDE = "Needed for a receiver that is not listed for the patient's plan: a code of referralReasons of OUTSIDE_PLAN."


@strawberry.input(
    description="Who sends: an office with a provider, or with a group that may send (then no provider is needed)."
)
class SenderInput:
    """R22."""

    office_id: ID
    provider_id: ID | None = None
    group_id: ID | None = None


@strawberry.input(description="Who receives: an office with either a provider or a group.")
class ReceiverInput:
    """R21."""

    office_id: ID
    provider_id: ID | None = None
    group_id: ID | None = None


@strawberry.input(description="The patient, as far as the receiver needs to know.")
class PatientInput:
    """PHI."""

    given_name: str
    family_name: str
    born_on: date
    phone: str | None = None
    postal_code: str | None = None
    member_number: str | None = None
    clinical_note: str | None = None


@strawberry.input(description="What a sender writes down.")
class DraftInput:
    """The receiver may still be missing from a draft."""

    sender: SenderInput
    patient: PatientInput
    specialty_code: str
    receiver: ReceiverInput | None = None
    urgency: ReferralUrgency = domain.Urgency.ROUTINE
    plan_id: ID | None = None
    second_plan_id: ID | None = None
    authorization: AuthorizationStatus | None = None


@strawberry.input
class CreateDraftInput:
    """createDraft."""

    draft: DraftInput
    idempotency_key: str


@strawberry.input
class ChangeDraftInput:
    """changeDraft."""

    referral_id: ID
    expected_version: int
    draft: DraftInput


@strawberry.input(
    description="Either `draft` (write and send in one call), or `referralId` with `expectedVersion` (send a draft as it stands)."
)
class SendReferralInput:
    """sendReferral."""

    idempotency_key: str
    draft: DraftInput | None = None
    referral_id: ID | None = None
    expected_version: int | None = None
    outside_plan_reason: str | None = strawberry.field(default=None, description=WHY_OUTSIDE)


@strawberry.input(description="A referral, and the version you decided on.")
class ReferralVersionInput:
    """cancelAppointment, completeReferral."""

    referral_id: ID
    expected_version: int


@strawberry.input
class AcknowledgeReferralInput:
    """acknowledgeReferral."""

    referral_id: ID
    expected_version: int
    callback_at: datetime | None = strawberry.field(
        default=None, description="When it is to come back to the review queue."
    )


@strawberry.input
class ClaimReferralInput:
    """claimReferral."""

    referral_id: ID
    expected_version: int
    provider_id: ID | None = strawberry.field(
        default=None,
        description="The provider of the group who will see the patient; needed unless one is chosen already.",
    )


@strawberry.input
class ScheduleReferralInput:
    """scheduleReferral, rescheduleReferral."""

    referral_id: ID
    expected_version: int
    at: datetime


@strawberry.input
class ReasonedReferralInput:
    """declineReferral, cancelReferral, reportNoShow."""

    referral_id: ID
    expected_version: int
    reason_code: str = strawberry.field(description="One of referralReasons.")
    comment: str | None = None


@strawberry.input
class AttachOutcomeInput:
    """attachOutcome."""

    referral_id: ID
    expected_version: int
    report: str = strawberry.field(description="What came of the visit. Up to 10,000 characters.")


@strawberry.input
class ReassignReferralInput:
    """reassignReferral."""

    referral_id: ID
    expected_version: int
    receiver: ReceiverInput
    keep_appointment: bool = strawberry.field(
        default=False, description="The new provider sees the patient at the time that is booked."
    )
    outside_plan_reason: str | None = strawberry.field(default=None, description=WHY_OUTSIDE)


@strawberry.input
class ForwardReferralInput:
    """forwardReferral."""

    referral_id: ID
    expected_version: int
    receiver: ReceiverInput
    confirm_loop: bool = strawberry.field(
        default=False, description="Forward even to a receiver that had it before."
    )
    comment: str | None = None
    outside_plan_reason: str | None = strawberry.field(default=None, description=WHY_OUTSIDE)


@strawberry.input
class ResendReferralInput:
    """resendReferral."""

    referral_id: ID
    expected_version: int
    receiver: ReceiverInput | None = strawberry.field(
        default=None, description="The receiver that declined, when none is named."
    )
    outside_plan_reason: str | None = strawberry.field(default=None, description=WHY_OUTSIDE)


@strawberry.input
class ChangeSenderInput:
    """changeSender."""

    referral_id: ID
    expected_version: int
    sender: SenderInput


@strawberry.input
class ChangeAuthorizationInput:
    """changeAuthorization."""

    referral_id: ID
    expected_version: int
    authorization: AuthorizationStatus | None = strawberry.field(
        default=None, description="Null: the visit needs no permission."
    )


@strawberry.input(description="One of the referrals of a bulk, and the version you decided on.")
class BulkItemInput:
    """BulkItemInput."""

    referral_id: ID
    expected_version: int


@strawberry.input(
    description="Up to 50 referrals, each done by itself. With the same key a retry does nothing twice."
)
class BulkReferralsInput:
    """bulkReferrals: `reasonCode` for DECLINE and CANCEL, `receiver` for REASSIGN and FORWARD, `sender` for CHANGE_SENDER."""

    action: BulkReferralAction
    items: list[BulkItemInput]
    idempotency_key: str
    reason_code: str | None = None
    comment: str | None = None
    receiver: ReceiverInput | None = None
    sender: SenderInput | None = None
    confirm_loop: bool = False
    keep_appointment: bool = False
    outside_plan_reason: str | None = strawberry.field(default=None, description=WHY_OUTSIDE)


@strawberry.input
class ArchiveReferralInput:
    """archiveReferral, unarchiveReferral."""

    referral_id: ID


# Reading them ---------------------------------------------------------------------------------------------------------


def order_of(referral_id: ID, expected_version: int) -> Order:
    """Which referral, and the version the client decided on."""
    return Order(ReferralId(parse_id(referral_id, "referralId")), expected_version)


def given(told: ReasonedReferralInput) -> Given:
    """The coded reason and its comment."""
    return Given(told.reason_code, told.comment)


def bulk_of(told: BulkReferralsInput, organization_id: UUID) -> BulkWork:
    """What is to be done to many referrals."""
    return BulkWork(
        told.action,
        Given(told.reason_code or "", told.comment),
        Where(target_of(told.receiver), told.outside_plan_reason) if told.receiver else None,
        sender_of(told.sender, organization_id) if told.sender else None,
        told.confirm_loop,
        told.keep_appointment,
    )


def bulk_orders_of(told: BulkReferralsInput) -> list[Order]:
    """Its referrals, each with a key of its own."""
    orders = [order_of(item.referral_id, item.expected_version) for item in told.items]
    return [replace(one, key=f"{told.idempotency_key} {one.referral_id}") for one in orders]


def target_of(told: ReceiverInput) -> Target:
    """The receiver as named."""
    return Target(
        OfficeId(parse_id(told.office_id, "receiver.officeId")),
        ProviderId(one) if (one := optional(told.provider_id, "receiver.providerId")) else None,
        GroupId(one) if (one := optional(told.group_id, "receiver.groupId")) else None,
    )


def writing_of(told: DraftInput, organization_id: UUID) -> Writing:
    """The draft and its patient. The sender is of the viewer's organization, or policy refuses it."""
    if not _SPECIALTY.fullmatch(told.specialty_code):
        raise Invalid(
            "A specialty code has nine digits or capital letters and an X.",
            code="INVALID_SPECIALTY",
            field="specialtyCode",
        )
    draft = Draft(
        sender=sender_of(told.sender, organization_id),
        receiver=target_of(told.receiver) if told.receiver else None,
        specialty_code=told.specialty_code,
        urgency=told.urgency,
        plan_id=PlanId(one) if (one := optional(told.plan_id, "planId")) else None,
        authorization=told.authorization,
        second_plan_id=_second_plan(told),
    )
    return Writing(draft, _patient(told.patient))


def _second_plan(told: DraftInput) -> PlanId | None:
    """Another plan than the first."""
    one = optional(told.second_plan_id, "secondPlanId")
    if one is not None and one == optional(told.plan_id, "planId"):
        raise Invalid("Give another plan than planId.", field="secondPlanId")
    if one is not None and told.plan_id is None:
        raise Invalid("Give planId first.", field="secondPlanId")
    return None if one is None else PlanId(one)


def sender_of(told: SenderInput, organization_id: UUID) -> Party:
    """The sender as named, taken to be of that organization."""
    return Party(
        OrganizationId(organization_id),
        OfficeId(parse_id(told.office_id, "sender.officeId")),
        ProviderId(one) if (one := optional(told.provider_id, "sender.providerId")) else None,
        GroupId(one) if (one := optional(told.group_id, "sender.groupId")) else None,
    )


def _patient(told: PatientInput) -> domain.Patient:
    cleaned = {name: _clean(getattr(told, name), name) for name in _LONGEST}
    for name in ("given_name", "family_name"):
        if cleaned[name] is None:
            raise Invalid("The patient's name is needed.", field=f"patient.{_camel(name)}")
    return domain.Patient(
        given_name=cleaned["given_name"] or "",
        family_name=cleaned["family_name"] or "",
        born_on=told.born_on,
        phone=cleaned["phone"],
        postal_code=cleaned["postal_code"],
        member_number=cleaned["member_number"],
        clinical_note=cleaned["clinical_note"],
    )


def _clean(text: str | None, name: str) -> str | None:
    stripped = (text or "").strip().replace("\0", "")
    if len(stripped) > _LONGEST[name]:
        raise Invalid(
            f"This has at most {_LONGEST[name]} characters.", field=f"patient.{_camel(name)}"
        )
    return stripped or None


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)


def optional(text: ID | None, field: str) -> UUID | None:
    """The id, if one was given."""
    return None if text is None else parse_id(text, field)
