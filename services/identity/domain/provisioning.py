"""What goes together in one user's hands, what is copied from one to another, and what leaving leaves open."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from kit.errors import Conflict
from services.identity.domain.nouns import PartnerId, User, UserId
from services.identity.domain.roles import Grant, OfficeId, Role, RoleWanted

AWAY: Final = timedelta(days=90)
"""Who has not signed in for so long is deactivated (R07)."""

WARNED_BEFORE: Final = timedelta(days=14)
"""So long before that the user is told."""


def require_together(user: User, wanted: RoleWanted) -> None:
    """Conflict ROLE_EXCLUSIVE when the role does not go with those the user has; PROVIDER_LINKED when the user is another provider.

    Who only looks does nothing else: that role stands alone (R02).
    """
    alone = Role.REPORTING_ONLY in user.roles or (wanted.role is Role.REPORTING_ONLY and user.roles)
    if alone:
        raise Conflict(
            "REPORTING_ONLY goes with no other role.",
            code="ROLE_EXCLUSIVE",
            field="role",
            remedy="Revoke the other roles first.",
        )
    if wanted.role is Role.PROVIDER and Role.PROVIDER in user.roles:
        raise Conflict(
            "This user is another provider already.",
            code="PROVIDER_LINKED",
            field="providerId",
            remedy="Revoke the role PROVIDER first.",
        )


def require_together_at_once(wanted: Iterable[RoleWanted]) -> None:
    """The same of roles that are asked for together."""
    roles = [one.role for one in wanted]
    if Role.REPORTING_ONLY in roles and len(set(roles)) > 1:
        raise Conflict(
            "REPORTING_ONLY goes with no other role.",
            code="ROLE_EXCLUSIVE",
            field="roles",
            remedy="Ask for it alone.",
        )
    if roles.count(Role.PROVIDER) > 1:
        raise Conflict(
            "A user is one provider.",
            code="PROVIDER_LINKED",
            field="roles",
            remedy="Name one.",
        )


# Copying --------------------------------------------------------------------------------------------------------------


class NotCopied(StrEnum):
    """Why a role is not copied."""

    HAS_IT = "HAS_IT"
    SUPPORT_ONLY = "SUPPORT_ONLY"
    PERSONAL = "PERSONAL"
    ALONE = "ALONE"


@dataclass(frozen=True, slots=True)
class Copying:
    """What copying one user's roles to another would add, and what it leaves out, with the reason."""

    added: tuple[RoleWanted, ...]
    left_out: tuple[tuple[RoleWanted, NotCopied], ...]


def copying(source: User, target: User) -> Copying:
    """What would be added: never more than the source has, and nothing of the target's goes (R08). Nobody becomes client admin, or
    somebody else's provider, by it; what is granted for a time is copied with its end."""
    added: list[RoleWanted] = []
    left_out: list[tuple[RoleWanted, NotCopied]] = []
    for grant in source.grants:
        wanted = RoleWanted(grant.role, grant.office_id, grant.provider_id, grant.expires_at)
        if because := _not_copied(wanted, target):
            left_out.append((wanted, because))
        else:
            added.append(wanted)
    return Copying(tuple(added), tuple(left_out))


def _not_copied(wanted: RoleWanted, target: User) -> NotCopied | None:
    if target.has(wanted):
        return NotCopied.HAS_IT
    if wanted.role is Role.CLIENT_ADMIN:
        return NotCopied.SUPPORT_ONLY
    if wanted.role is Role.PROVIDER:
        return NotCopied.PERSONAL
    if Role.REPORTING_ONLY in target.roles or wanted.role is Role.REPORTING_ONLY:
        return NotCopied.ALONE
    return None


# Leaving --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfficeLeft:
    """An office the user works for: whether it would be left to nobody, and how much open work there is."""

    office_id: OfficeId
    uncovered: bool
    open_referrals: int


@dataclass(frozen=True, slots=True)
class GroupLeft:
    """A group the user works for, and how many others would be left."""

    id: UUID
    name: str
    others: int


@dataclass(frozen=True, slots=True)
class PartnerLeft:
    """A partner whose credential the user added, and has seen: it ends, unless it is to stay."""

    id: PartnerId
    name: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """What deactivating a user would touch (R07)."""

    user: User
    offices: tuple[OfficeLeft, ...]
    claimed: int
    claimed_ids: tuple[UUID, ...]
    groups: tuple[GroupLeft, ...]
    partners: tuple[PartnerLeft, ...]
    other_report_readers: int | None

    @property
    def parts(self) -> Mapping[str, object]:
        """What a token of the preview is bound to."""
        return {
            "user": self.user.version,
            "offices": self.offices,
            "claimed_referrals": (self.claimed, self.claimed_ids),
            "groups": self.groups,
            "partners": self.partners,
            "reports": self.other_report_readers,
        }


COVERING: Final = frozenset(role for role in Role if role.for_office)
"""The roles that cover an office (R18)."""


def covers(user: User) -> frozenset[OfficeId]:
    """The offices a user covers: where a confirmed one works (R18)."""
    return workplaces(user) if user.confirmed else frozenset()


def workplaces(user: User) -> frozenset[OfficeId]:
    """The offices at which a user works, or will once confirmed: as office admin or office staff."""
    return frozenset(one.workplace for one in user.grants if one.workplace is not None)


def plans_kept_at(user: User) -> tuple[OfficeId, ...]:
    """The offices of which a user is insurance manager without being one of the whole organization (R26)."""
    kept = {one.office_id for one in user.grants if one.role is Role.INSURANCE_MANAGER}
    return () if None in kept else tuple(sorted(one for one in kept if one is not None))


def given_up(user: User, wanted: RoleWanted) -> frozenset[OfficeId]:
    """The offices a user would cover no more without this role: none when another role of theirs covers it as well (R33)."""
    left = replace(user, grants=tuple(one for one in user.grants if one.wanted.key != wanted.key))
    return covers(user) - covers(left)


def uncovered(leaving: frozenset[OfficeId], coverage: Mapping[UUID, int]) -> frozenset[OfficeId]:
    """Of the offices that somebody leaves who covers them now, those that nobody would cover then."""
    return frozenset(office for office in leaving if coverage.get(office, 0) <= 1)


@dataclass(frozen=True, slots=True)
class Handover:
    """What was agreed to about offices that would be left to nobody: that it is known, and who takes them over."""

    acknowledged: bool = False
    successor_id: UserId | None = None


def require_covered(
    alone: frozenset[OfficeId], *, acknowledged: bool, successor: User | None
) -> None:
    """Conflict SOLE_COVERAGE unless nobody is missed, or that is acknowledged and somebody who can act takes over."""
    if not alone or (acknowledged and successor is not None):
        return
    raise Conflict(
        "Nobody else covers these offices."
        if successor is None
        else "Nobody else covers these offices: say that you know.",
        code="SOLE_COVERAGE",
        field="successorId" if acknowledged else "acknowledgeUncovered",
        remedy="Acknowledge it and name a successor, or first give the offices other staff.",
        office_ids=sorted(str(office) for office in alone),
    )


def able(successor: User, leaving: User) -> bool:
    """Whether somebody can take over: confirmed, active, somebody else, and more than a looker."""
    return (
        successor.id != leaving.id
        and successor.active
        and successor.confirmed
        and Role.REPORTING_ONLY not in successor.roles
    )


# Being away -----------------------------------------------------------------------------------------------------------


def is_due(since: datetime, now: datetime) -> bool:
    """Whether somebody who was last here at `since` has been away for 90 days."""
    return now - since >= AWAY


def proposed(previous: Iterable[Grant], now: datetime) -> tuple[RoleWanted, ...]:
    """What is proposed for a user who comes back: what they had, without what would be over by now."""
    return tuple(
        RoleWanted(one.role, one.office_id, one.provider_id, one.expires_at)
        for one in previous
        if one.expires_at is None or one.expires_at > now
    )
