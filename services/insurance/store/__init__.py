"""Every SQL statement of insurance."""

from services.insurance.store.catalogue import (
    add_payer,
    add_plan,
    payers,
    payers_by_id,
    plans,
    plans_by_id,
)
from services.insurance.store.participations import (
    NewParticipation,
    Slice,
    accepting,
    add_participations,
    batch,
    end,
    lasting,
    of_place,
    participation,
    participations_of_offices,
    participations_of_providers,
    search_participations,
    verify,
)
from services.insurance.store.places import (
    departures,
    hold_place,
    keep_time_zone,
    note_departure,
    time_zone,
)

__all__ = [
    "NewParticipation",
    "Slice",
    "accepting",
    "add_participations",
    "add_payer",
    "add_plan",
    "batch",
    "departures",
    "end",
    "hold_place",
    "keep_time_zone",
    "lasting",
    "note_departure",
    "of_place",
    "participation",
    "participations_of_offices",
    "participations_of_providers",
    "payers",
    "payers_by_id",
    "plans",
    "plans_by_id",
    "search_participations",
    "time_zone",
    "verify",
]
