"""The verbs of referrals in GraphQL: each answers with the referral or with a problem."""

from typing import Annotated, Protocol, Union
from uuid import UUID

import strawberry
from strawberry import ID

from kit.errors import Invalid
from kit.graphql import CommonProblems, mutation
from kit.ids import parse_id
from services.referrals import policy
from services.referrals.actions import looking, moving, receiving, sending
from services.referrals.actions.keeping import Order
from services.referrals.domain import ProviderId, ReferralId
from services.referrals.schema import inputs
from services.referrals.schema.attachments import AttachmentMutation
from services.referrals.schema.bulk import BulkMutation
from services.referrals.schema.entities import Info
from services.referrals.schema.inputs import (
    given,
    optional,
    order_of,
    sender_of,
    target_of,
    writing_of,
)
from services.referrals.schema.messages import MessageMutation
from services.referrals.schema.nodes import Referral, show
from services.referrals.schema.offline import OfflineMutation
from services.referrals.schema.patients import PatientMutation
from services.referrals.schema.problems import ReceiverRefusedProblem, WrongStatusProblem
from services.referrals.schema.targets import TargetsMutation

Kept = Union[Referral, CommonProblems]  # noqa: UP007 - strawberry flattens a Union into the union it is listed in
Changed = Union[Referral, WrongStatusProblem, CommonProblems]  # noqa: UP007
Moved = Union[Referral, ReceiverRefusedProblem, WrongStatusProblem, CommonProblems]  # noqa: UP007

CreateDraftResult = Annotated[Kept, strawberry.union("CreateDraftResult")]
ChangeDraftResult = Annotated[Changed, strawberry.union("ChangeDraftResult")]
SendReferralResult = Annotated[Moved, strawberry.union("SendReferralResult")]
AcknowledgeReferralResult = Annotated[Changed, strawberry.union("AcknowledgeReferralResult")]
ClaimReferralResult = Annotated[Moved, strawberry.union("ClaimReferralResult")]
ScheduleReferralResult = Annotated[Changed, strawberry.union("ScheduleReferralResult")]
RescheduleReferralResult = Annotated[Changed, strawberry.union("RescheduleReferralResult")]
CancelAppointmentResult = Annotated[Changed, strawberry.union("CancelAppointmentResult")]
CompleteReferralResult = Annotated[Changed, strawberry.union("CompleteReferralResult")]
AttachOutcomeResult = Annotated[Changed, strawberry.union("AttachOutcomeResult")]
ReportNoShowResult = Annotated[Changed, strawberry.union("ReportNoShowResult")]
DeclineReferralResult = Annotated[Changed, strawberry.union("DeclineReferralResult")]
CancelReferralResult = Annotated[Changed, strawberry.union("CancelReferralResult")]
ReassignReferralResult = Annotated[Moved, strawberry.union("ReassignReferralResult")]
ForwardReferralResult = Annotated[Moved, strawberry.union("ForwardReferralResult")]
ResendReferralResult = Annotated[Moved, strawberry.union("ResendReferralResult")]
ChangeSenderResult = Annotated[Changed, strawberry.union("ChangeSenderResult")]
ChangeAuthorizationResult = Annotated[Changed, strawberry.union("ChangeAuthorizationResult")]
ArchiveReferralResult = Annotated[Kept, strawberry.union("ArchiveReferralResult")]
UnarchiveReferralResult = Annotated[Kept, strawberry.union("UnarchiveReferralResult")]


class _Versioned(Protocol):
    referral_id: ID
    expected_version: int


def _order(told: _Versioned) -> Order:
    return order_of(told.referral_id, told.expected_version)


def _organization(info: Info) -> UUID:
    return info.context.call.viewer.require_organization()


async def _shown(info: Info, referral_id: ReferralId) -> Referral:
    view = (await looking.see(info.context.call, [referral_id]))[0]
    if view is None:
        raise policy.unknown_referral()
    return show(view)


@strawberry.type
class Mutation(
    BulkMutation,
    MessageMutation,
    AttachmentMutation,
    TargetsMutation,
    PatientMutation,
    OfflineMutation,
):
    """The verbs."""

    @mutation
    async def create_draft(self, info: Info, input: inputs.CreateDraftInput) -> CreateDraftResult:
        """Write a referral down without sending it."""
        writing = writing_of(input.draft, _organization(info))
        return await _shown(
            info, await sending.create_draft(info.context.call, writing, input.idempotency_key)
        )

    @mutation
    async def change_draft(self, info: Info, input: inputs.ChangeDraftInput) -> ChangeDraftResult:
        """Replace the contents of a draft."""
        writing = writing_of(input.draft, _organization(info))
        return await _shown(
            info, await sending.change_draft(info.context.call, _order(input), writing)
        )

    @mutation
    async def send_referral(
        self, info: Info, input: inputs.SendReferralInput
    ) -> SendReferralResult:
        """Send a referral to a provider or group; the patient's plan is checked and never blocks."""
        call, key, why = info.context.call, input.idempotency_key, input.outside_plan_reason
        if input.draft is not None and input.referral_id is None:
            writing = writing_of(input.draft, _organization(info))
            return await _shown(info, await sending.send_new(call, writing, key, why))
        if input.referral_id is None or input.expected_version is None or input.draft is not None:
            raise Invalid("Give draft, or referralId with expectedVersion.", code="ONE_OF")
        order = order_of(input.referral_id, input.expected_version)
        return await _shown(info, await sending.send_draft(call, order, key, why))

    @mutation
    async def acknowledge_referral(
        self, info: Info, input: inputs.AcknowledgeReferralInput
    ) -> AcknowledgeReferralResult:
        """Take note of a pending referral."""
        return await _shown(
            info, await receiving.acknowledge(info.context.call, _order(input), input.callback_at)
        )

    @mutation
    async def claim_referral(
        self, info: Info, input: inputs.ClaimReferralInput
    ) -> ClaimReferralResult:
        """Take a group's referral up for one of its providers."""
        one = optional(input.provider_id, "providerId")
        provider = ProviderId(one) if one else None
        return await _shown(info, await receiving.claim(info.context.call, _order(input), provider))

    @mutation
    async def schedule_referral(
        self, info: Info, input: inputs.ScheduleReferralInput
    ) -> ScheduleReferralResult:
        """Book an appointment."""
        return await _shown(
            info, await receiving.schedule(info.context.call, _order(input), input.at)
        )

    @mutation
    async def reschedule_referral(
        self, info: Info, input: inputs.ScheduleReferralInput
    ) -> RescheduleReferralResult:
        """Book another appointment in place of the one that stood."""
        return await _shown(
            info, await receiving.reschedule(info.context.call, _order(input), input.at)
        )

    @mutation
    async def cancel_appointment(
        self, info: Info, input: inputs.ReferralVersionInput
    ) -> CancelAppointmentResult:
        """Take the appointment back; the referral stays in progress."""
        return await _shown(
            info, await receiving.cancel_appointment(info.context.call, _order(input))
        )

    @mutation
    async def complete_referral(
        self, info: Info, input: inputs.ReferralVersionInput
    ) -> CompleteReferralResult:
        """Report that the patient was seen."""
        return await _shown(info, await receiving.complete(info.context.call, _order(input)))

    @mutation
    async def attach_outcome(
        self, info: Info, input: inputs.AttachOutcomeInput
    ) -> AttachOutcomeResult:
        """Report back what came of a completed referral: the loop is closed. Again: in place of what was reported."""
        return await _shown(
            info, await receiving.attach_outcome(info.context.call, _order(input), input.report)
        )

    @mutation
    async def report_no_show(
        self, info: Info, input: inputs.ReasonedReferralInput
    ) -> ReportNoShowResult:
        """Report that the patient did not come."""
        return await _shown(
            info, await receiving.report_no_show(info.context.call, _order(input), given(input))
        )

    @mutation
    async def decline_referral(
        self, info: Info, input: inputs.ReasonedReferralInput
    ) -> DeclineReferralResult:
        """Give a referral back to its sender, with a coded reason."""
        return await _shown(
            info, await receiving.decline(info.context.call, _order(input), given(input))
        )

    @mutation
    async def cancel_referral(
        self, info: Info, input: inputs.ReasonedReferralInput
    ) -> CancelReferralResult:
        """Take a referral back: its sender only, with a coded reason."""
        return await _shown(
            info, await sending.cancel(info.context.call, _order(input), given(input))
        )

    @mutation
    async def reassign_referral(
        self, info: Info, input: inputs.ReassignReferralInput
    ) -> ReassignReferralResult:
        """Give a referral to another receiver of the same organization."""
        where = moving.Where(target_of(input.receiver), input.outside_plan_reason)
        keeps = input.keep_appointment
        return show(
            await moving.reassign(info.context.call, _order(input), where, keeps_appointment=keeps)
        )

    @mutation
    async def forward_referral(
        self, info: Info, input: inputs.ForwardReferralInput
    ) -> ForwardReferralResult:
        """Pass a referral on to another receiver."""
        where = moving.Where(target_of(input.receiver), input.outside_plan_reason)
        moved = await moving.forward(
            info.context.call,
            _order(input),
            where,
            confirm_loop=input.confirm_loop,
            comment=input.comment,
        )
        return await _shown(info, moved)

    @mutation
    async def resend_referral(
        self, info: Info, input: inputs.ResendReferralInput
    ) -> ResendReferralResult:
        """Send a declined referral again."""
        target = target_of(input.receiver) if input.receiver else None
        why = input.outside_plan_reason
        return await _shown(
            info, await sending.resend(info.context.call, _order(input), target, why)
        )

    @mutation
    async def change_sender(
        self,
        info: Info,
        input: inputs.ChangeSenderInput,
    ) -> ChangeSenderResult:
        """Hand a sent referral over to another sender of the organization."""
        sender = sender_of(input.sender, _organization(info))
        return await _shown(
            info, await sending.change_sender(info.context.call, _order(input), sender)
        )

    @mutation
    async def change_authorization(
        self,
        info: Info,
        input: inputs.ChangeAuthorizationInput,
    ) -> ChangeAuthorizationResult:
        """Record what the payer says of the visit now."""
        changed = await sending.change_authorization(
            info.context.call, _order(input), input.authorization
        )
        return await _shown(info, changed)

    @mutation
    async def archive_referral(
        self, info: Info, input: inputs.ArchiveReferralInput
    ) -> ArchiveReferralResult:
        """Put a referral into your own archive; nobody else's queue changes."""
        one = ReferralId(parse_id(input.referral_id, "referralId"))
        return await _shown(info, await looking.set_archived(info.context.call, one, archived=True))

    @mutation
    async def unarchive_referral(
        self, info: Info, input: inputs.ArchiveReferralInput
    ) -> UnarchiveReferralResult:
        """Take a referral out of your own archive."""
        one = ReferralId(parse_id(input.referral_id, "referralId"))
        return await _shown(
            info, await looking.set_archived(info.context.call, one, archived=False)
        )
