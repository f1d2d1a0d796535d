"""Changes of roles that are proposed because of a finding: what one would do, and when it must not be (R33)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from kit.errors import Conflict
from services.reporting.domain.findings import FindingId
from services.reporting.domain.guides import GuideRole
from services.reporting.domain.nouns import OfficeId, OrganizationId, UserId

ProposalId = NewType("ProposalId", UUID)
OfficeRole = GuideRole
"""The roles that are for an office: OFFICE_ADMIN and OFFICE_STAFF."""


class RoleChange(StrEnum):
    """Give a role, or take it away."""

    GRANT = "GRANT"
    REVOKE = "REVOKE"


@dataclass(frozen=True, slots=True)
class WantedChange:
    """A change of somebody's role at an office."""

    change: RoleChange
    user_id: UserId
    role: OfficeRole
    office_id: OfficeId


@dataclass(frozen=True, slots=True)
class Roster:
    """Who covers an office now, as far as a change is about it. `confirmed`: who has confirmed and is its office admin or staff, as
    identity counts them (R18); `holds`: whether the user has the role; `other_role`: or the other of the two; `offices`: where the user
    has one; `open`: open referrals at the office."""

    confirmed: frozenset[UserId]
    holds: bool
    other_role: bool
    user_confirmed: bool
    offices: frozenset[OfficeId]
    open: int


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change would do: the confirmed staff of the office before and after, and the open referrals they have."""

    wanted: WantedChange
    confirmed_before: int
    confirmed_after: int
    open: int
    other_offices: tuple[OfficeId, ...]
    blocked: bool


def impact(wanted: WantedChange, roster: Roster) -> Impact:
    """What a change would do. Office admins and staff cover an office; who is both does so until neither is left."""
    after = set(roster.confirmed)
    if wanted.change is RoleChange.REVOKE and not roster.other_role:
        after.discard(wanted.user_id)
    elif wanted.change is RoleChange.GRANT and roster.user_confirmed:
        after.add(wanted.user_id)
    others = tuple(sorted(roster.offices - {wanted.office_id}))
    before = len(roster.confirmed)
    return Impact(wanted, before, len(after), roster.open, others, before > 0 and not after)


def parts(roster: Roster) -> dict[str, object]:
    """What a preview is bound to."""
    return {
        "coverage": roster.confirmed,
        "roles": (roster.holds, roster.other_role, roster.offices),
    }


def require_sensible(wanted: WantedChange, roster: Roster) -> None:
    """Conflict NOTHING_TO_CHANGE when it is so already, LAST_COVERAGE when nobody would cover the office any more."""
    if roster.holds == (wanted.change is RoleChange.GRANT):
        raise Conflict(
            "It is so already.",
            code="NOTHING_TO_CHANGE",
            field="userId",
            remedy="Choose somebody else, or another role.",
        )
    if impact(wanted, roster).blocked:
        raise Conflict(
            "Nobody would cover the office any more.",
            code="LAST_COVERAGE",
            field="userId",
            remedy="Give the role to somebody else first.",
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that was proposed. It is applied when identity has told that it was made. `last_coverage`: nobody else covers the
    office by now, so identity refuses it, SOLE_COVERAGE, unless somebody is named who takes over."""

    id: ProposalId
    organization_id: OrganizationId
    finding_id: FindingId
    change: RoleChange
    user_id: UserId
    role: OfficeRole
    office_id: OfficeId
    proposed_by: UserId
    proposed_at: datetime
    applied_at: datetime | None = None
    last_coverage: bool = False
