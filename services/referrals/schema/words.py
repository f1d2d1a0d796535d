"""The enums of the domain under their GraphQL names."""

import strawberry

from services.referrals.actions.bulk import BulkAction as BulkReferralAction
from services.referrals.domain import Action as ReferralAction
from services.referrals.domain import (
    AppointmentState,
    AttachmentAction,
    PassedAppointment,
    SuggestedNear,
    SuggestionWidening,
)
from services.referrals.domain import Authorization as AuthorizationStatus
from services.referrals.domain import Because as AccessReasonCode
from services.referrals.domain import CaseAction as OffboardingCaseAction
from services.referrals.domain import CaseEnd as OffboardingCaseEnd
from services.referrals.domain import CaseState as OffboardingCaseState
from services.referrals.domain import Happened as ReferralHappened
from services.referrals.domain import Outcome as ReferralOutcome
from services.referrals.domain import Overdue as ReferralOverdue
from services.referrals.domain import PlanAcceptance as PlanAcceptanceState
from services.referrals.domain import QueueKind as WorkQueueKind
from services.referrals.domain import QueueOrder as WorkQueueOrder
from services.referrals.domain import ReasonKind as ReferralReasonKind
from services.referrals.domain import Side as ReferralSide
from services.referrals.domain import Status as ReferralStatus
from services.referrals.domain import Urgency as ReferralUrgency
from services.referrals.policy import Sight as ReferralSight

strawberry.enum(ReferralStatus, name="ReferralStatus", description="Where a referral stands.")
strawberry.enum(
    ReferralAction, name="ReferralAction", description="What can be done to a referral."
)
strawberry.enum(
    BulkReferralAction,
    name="BulkReferralAction",
    description="What can be done to many referrals at once.",
)
strawberry.enum(
    AttachmentAction, name="AttachmentAction", description="What can be done to an attachment."
)
strawberry.enum(ReferralSide, name="ReferralSide", description="A side of a referral.")
strawberry.enum(
    ReferralUrgency, name="ReferralUrgency", description="How soon the patient should be seen."
)
strawberry.enum(
    ReferralHappened, name="ReferralHappened", description="What was done to a referral."
)
strawberry.enum(
    ReferralReasonKind, name="ReferralReasonKind", description="What a coded reason explains."
)
strawberry.enum(
    ReferralSight,
    name="ReferralSight",
    description="FULL, or PAST: it was at your office and has left; its status is all you see of what came later.",
)
strawberry.enum(
    PlanAcceptanceState,
    name="PlanAcceptanceState",
    description="What insurance said of the plan when the receiver was chosen. UNKNOWN: it could not say.",
)
strawberry.enum(
    AuthorizationStatus,
    name="AuthorizationStatus",
    description="The payer's permission for the visit.",
)
strawberry.enum(
    AppointmentState, name="AppointmentState", description="What became of an appointment."
)
strawberry.enum(
    ReferralOutcome,
    name="ReferralOutcome",
    description="What a completed referral came to. DECLINED: nobody sent it again within ten days. UNKNOWN: nobody reported.",
)
strawberry.enum(
    ReferralOverdue, name="ReferralOverdue", description="What the receiver is late with."
)
strawberry.enum(
    PassedAppointment,
    name="PassedAppointment",
    description="What becomes of a referral whose appointment passed and nobody reported.",
)
strawberry.enum(
    WorkQueueKind,
    name="WorkQueueKind",
    description="REQUIRES_REVIEW: sender's drafts and declined; receiver's pending, follow-up, and in progress with a callback"
    " due; and what of a leaving provider is to be given on. SENT and RECEIVED: what is not ended. ARCHIVE: ended, or archived by you.",
)
strawberry.enum(
    WorkQueueOrder,
    name="WorkQueueOrder",
    description="LONGEST_WAITING: by arrival at the present receiver. APPOINTMENT: the next first, those without one last."
    " The archive is read by NEWEST.",
)
strawberry.enum(
    AccessReasonCode,
    name="AccessReasonCode",
    description="Why a referral is seen, or is not. NOT_ON_STAFF: your organization has it where you do not work.",
)

strawberry.enum(
    OffboardingCaseState,
    name="OffboardingCaseState",
    description="OPEN while anything is open with the provider, READY when nothing is; CLOSED: the provider was removed or kept.",
)
strawberry.enum(OffboardingCaseEnd, name="OffboardingCaseEnd", description="How a case ended.")
strawberry.enum(
    OffboardingCaseAction,
    name="OffboardingCaseAction",
    description="What directory can be asked for: keepProvider, removeProvider.",
)

strawberry.enum(
    SuggestedNear,
    name="SuggestedNear",
    description="Around which place it was looked: where the patient lives, or, where that is not known, the sending office.",
)
strawberry.enum(
    SuggestionWidening,
    name="SuggestionWidening",
    description="How the search was widened because nothing matched nearby.",
)

__all__ = [
    "AccessReasonCode",
    "AppointmentState",
    "AttachmentAction",
    "AuthorizationStatus",
    "BulkReferralAction",
    "OffboardingCaseAction",
    "OffboardingCaseEnd",
    "OffboardingCaseState",
    "PassedAppointment",
    "PlanAcceptanceState",
    "ReferralAction",
    "ReferralHappened",
    "ReferralOutcome",
    "ReferralOverdue",
    "ReferralReasonKind",
    "ReferralSide",
    "ReferralSight",
    "ReferralStatus",
    "ReferralUrgency",
    "SuggestedNear",
    "SuggestionWidening",
    "WorkQueueKind",
    "WorkQueueOrder",
]
