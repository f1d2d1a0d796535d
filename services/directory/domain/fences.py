"""Rules of leaving: what stands in the way, and how a case goes on (R15, R19, R24)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kit.errors import Conflict
from services.directory.domain.nouns import OfficeId

TOLD = 100
"""So many open referrals are told to a person by their ids."""


@dataclass(frozen=True, slots=True)
class OpenReferral:
    """A referral that is still being worked on. Nothing about the patient."""

    referral_id: str
    status: str
    side: str
    office_id: str
    appointment_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenWork:
    """How much open work there is; `referrals` holds all of it, the oldest first (10,000 at most)."""

    total: int
    referrals: tuple[OpenReferral, ...] = ()

    @property
    def told(self) -> tuple[OpenReferral, ...]:
        """What of it is told to a person."""
        return self.referrals[:TOLD]


@dataclass(frozen=True, slots=True)
class OfficeWork:
    """The open referrals that one office's queue holds."""

    office_id: str
    referral_ids: tuple[str, ...]


def by_office(work: OpenWork) -> tuple[OfficeWork, ...]:
    """The open referrals by the office that works on them, so that each office knows its part."""
    found: dict[str, list[str]] = {}
    for one in work.told:
        found.setdefault(one.office_id, []).append(one.referral_id)
    return tuple(OfficeWork(office, tuple(ids)) for office, ids in sorted(found.items()))


def in_the_way(work: OpenWork, offices: tuple[OfficeId, ...] = ()) -> Conflict:
    """The refusal of a removal, with both the open referrals and the offices in its way (R12, R15)."""
    parts = []
    if work.total:
        parts.append(f"{work.total} open referral{'s' if work.total != 1 else ''}")
    if offices:
        parts.append(f"{len(offices)} office{'s' if len(offices) != 1 else ''}")
    return Conflict(
        f"In the way: {' and '.join(parts)}.",
        code="OPEN_REFERRALS" if work.total else "OFFICES_REMAIN",
        remedy=_remedy(work, offices),
        total=work.total,
        office_ids=[str(office) for office in offices],
        open_referrals=list(work.told),
        office_work=list(by_office(work)),
    )


def drafts_open(drafts: Sequence[OpenReferral]) -> Conflict:
    """The refusal to let a group send no longer while drafts of it wait to be sent (R22)."""
    return Conflict(
        f"{len(drafts)} drafts of the group could no longer be sent.",
        code="DRAFTS_OPEN",
        field="maySend",
        remedy="Have them sent or given to another sender first, or set acknowledgeDrafts.",
        referral_ids=[one.referral_id for one in drafts[:TOLD]],
    )


def _remedy(work: OpenWork, offices: tuple[OfficeId, ...]) -> str:
    steps = []
    if work.total:
        steps.append("have the staff of each office reassign, forward or decline the referrals")
    if offices:
        steps.append("end the placements at the offices")
    return f"First {', then '.join(steps)}; then try again."
