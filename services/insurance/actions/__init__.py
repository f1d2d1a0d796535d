"""The verbs of insurance: each loads, permits, decides, saves, and records the fact."""

from services.insurance.actions.catalogue import NewPayer, NewPlan, add_payer, add_plan
from services.insurance.actions.participations import (
    NewParticipations,
    add_participation,
    add_participations,
    day_of,
    end_at_place,
    end_participation,
    verify_participation,
)
from services.insurance.actions.peers import Call, Peers, Place

__all__ = [
    "Call",
    "NewParticipations",
    "NewPayer",
    "NewPlan",
    "Peers",
    "Place",
    "add_participation",
    "add_participations",
    "add_payer",
    "add_plan",
    "day_of",
    "end_at_place",
    "end_participation",
    "verify_participation",
]
