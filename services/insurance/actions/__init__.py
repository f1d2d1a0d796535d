"""The verbs of insurance: each loads, permits, decides, saves, and records the fact."""

from services.insurance.actions.accepting import Acceptance, accepts
from services.insurance.actions.campaign_work import (
    open_year_starts,
    remind_of_manager,
    role_granted,
    role_lost,
    somebody_left,
    somebody_placed,
    tend_campaigns,
)
from services.insurance.actions.campaigning import (
    Attestation,
    Attested,
    assign_campaign,
    attest_items,
    call_off_campaign,
    campaign_evidence,
    declare_major_change,
    item_token,
)
from services.insurance.actions.catalogue import (
    NewPayer,
    NewPlan,
    add_payer,
    add_plan,
    plan_names,
)
from services.insurance.actions.catalogue_changes import (
    PayerChange,
    PlanChange,
    change_payer,
    change_plan,
)
from services.insurance.actions.copying import (
    CopyPreview,
    copy_preview,
    copy_rows,
    find_copy,
    start_copy,
)
from services.insurance.actions.ending_plans import (
    PlanEnd,
    PlanEndPreview,
    end_plan,
    end_rows,
    plan_end_preview,
)
from services.insurance.actions.merging import provider_merged
from services.insurance.actions.participations import (
    NewParticipations,
    add_participation,
    add_participations,
    day_of,
    days_of,
    end_at_place,
    end_participation,
)
from services.insurance.actions.peers import Call, Peers
from services.insurance.actions.verifying import due, verify_participation, verify_participations

__all__ = [
    "Acceptance",
    "Attestation",
    "Attested",
    "Call",
    "CopyPreview",
    "NewParticipations",
    "NewPayer",
    "NewPlan",
    "PayerChange",
    "Peers",
    "PlanChange",
    "PlanEnd",
    "PlanEndPreview",
    "accepts",
    "add_participation",
    "add_participations",
    "add_payer",
    "add_plan",
    "assign_campaign",
    "attest_items",
    "call_off_campaign",
    "campaign_evidence",
    "change_payer",
    "change_plan",
    "copy_preview",
    "copy_rows",
    "day_of",
    "days_of",
    "declare_major_change",
    "due",
    "end_at_place",
    "end_participation",
    "end_plan",
    "end_rows",
    "find_copy",
    "item_token",
    "open_year_starts",
    "plan_end_preview",
    "plan_names",
    "provider_merged",
    "remind_of_manager",
    "role_granted",
    "role_lost",
    "somebody_left",
    "somebody_placed",
    "start_copy",
    "tend_campaigns",
    "verify_participation",
    "verify_participations",
]
