"""Organizations, users and memberships, and the rules that need nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import NewType
from uuid import UUID

from kit.errors import Conflict, Denied, stale_version
from services.identity.domain.roles import Grant, Role, RoleWanted

OrganizationId = NewType("OrganizationId", UUID)
UserId = NewType("UserId", UUID)
MembershipId = NewType("MembershipId", UUID)
SessionId = NewType("SessionId", UUID)
PartnerId = NewType("PartnerId", UUID)
LetterId = NewType("LetterId", UUID)

SUITE = OrganizationId(UUID(int=0))
"""Stands for the organization in facts about support staff, who belong to none."""

TEMPORARY_LIFE = timedelta(hours=48)
MOST_CLIENT_ADMINS = 2


class Status(StrEnum):
    """Where a user stands in an organization."""

    INVITED = "INVITED"
    INVITE_BOUNCED = "INVITE_BOUNCED"
    INVITE_EXPIRED = "INVITE_EXPIRED"
    ACTIVE = "ACTIVE"
    ACTIVE_SSO = "ACTIVE_SSO"
    DEACTIVATED = "DEACTIVATED"


class UserAction(StrEnum):
    """What a viewer may do about a user."""

    GRANT_ROLE = "GRANT_ROLE"
    REVOKE_ROLE = "REVOKE_ROLE"
    DEACTIVATE = "DEACTIVATE"
    REACTIVATE = "REACTIVATE"
    COPY_ROLES = "COPY_ROLES"
    CHANGE_TITLE = "CHANGE_TITLE"
    REPORT_BOUNCE = "REPORT_BOUNCE"
    RESEND_INVITATION = "RESEND_INVITATION"
    RESET_TEMPORARY_PASSWORD = "RESET_TEMPORARY_PASSWORD"  # noqa: S105 - the name of an action
    RESET_SECOND_FACTORS = "RESET_SECOND_FACTORS"


class OrganizationAction(StrEnum):
    """What a viewer may do about an organization."""

    INVITE_USER = "INVITE_USER"
    ADD_PARTNER = "ADD_PARTNER"
    DISMISS_CANDIDATE = "DISMISS_CANDIDATE"
    CHANGE_SIGN_IN = "CHANGE_SIGN_IN"
    BREAK_GLASS = "BREAK_GLASS"
    END_BREAK_GLASS = "END_BREAK_GLASS"


class PartnerAction(StrEnum):
    """What a viewer may do about a partner."""

    REMOVE = "REMOVE"


class LetterKind(StrEnum):
    """What a mail is for."""

    INVITATION = "INVITATION"
    MEMBERSHIP = "MEMBERSHIP"
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - a kind of mail
    NOTICE = "NOTICE"


class LetterState(StrEnum):
    """Where a mail is. BOUNCED: the receiving server refused it for good. WITHDRAWN: its secret is void."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    BOUNCED = "BOUNCED"
    WITHDRAWN = "WITHDRAWN"


class SupportAct(StrEnum):
    """What support does in an organization's matters."""

    RESET_SECOND_FACTORS = "RESET_SECOND_FACTORS"
    END_SUPPORT_ACCOUNT = "END_SUPPORT_ACCOUNT"
    CHANGE_SIGN_IN = "CHANGE_SIGN_IN"
    VERIFY_SIGN_IN_DOMAIN = "VERIFY_SIGN_IN_DOMAIN"
    ROTATE_SIGNING_KEYS = "ROTATE_SIGNING_KEYS"
    GRANT_ROLE = "GRANT_ROLE"
    REVOKE_ROLE = "REVOKE_ROLE"
    DEACTIVATE_USER = "DEACTIVATE_USER"
    REACTIVATE_USER = "REACTIVATE_USER"
    REPORT_BOUNCE = "REPORT_BOUNCE"
    RESET_TEMPORARY_PASSWORD = "RESET_TEMPORARY_PASSWORD"  # noqa: S105 - the name of an act


@dataclass(frozen=True, slots=True)
class Organization:
    """A customer of the suite."""

    id: OrganizationId
    name: str
    time_zone: str
    added_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class User:
    """A user as seen within one organization; support staff have no membership."""

    id: UserId
    organization_id: OrganizationId
    membership_id: MembershipId
    name: str
    email: str
    version: int
    confirmed_at: datetime | None = None
    deactivated_at: datetime | None = None
    invited_until: datetime | None = None
    letter_state: LetterState | None = None
    invited_at: datetime | None = None
    title: str | None = None
    signed_in_at: datetime | None = None
    has_password: bool = True
    grants: tuple[Grant, ...] = field(default=())

    @property
    def confirmed(self) -> bool:
        """Whether the person has set a password of their own (R04)."""
        return self.confirmed_at is not None

    @property
    def active(self) -> bool:
        """Whether the user has not been deactivated here."""
        return self.deactivated_at is None

    @property
    def client_admin(self) -> bool:
        """Whether the user is an active client admin."""
        return self.active and any(grant.role is Role.CLIENT_ADMIN for grant in self.grants)

    def has(self, wanted: RoleWanted) -> bool:
        """Whether this very role is granted now."""
        return any(grant.wanted.key == wanted.key for grant in self.grants)

    @property
    def roles(self) -> frozenset[Role]:
        """The roles the user has, wherever."""
        return frozenset(grant.role for grant in self.grants)

    def status(self, now: datetime) -> Status:
        """Where the user stands at `now`."""
        if not self.active:
            return Status.DEACTIVATED
        if self.confirmed:
            return Status.ACTIVE if self.has_password else Status.ACTIVE_SSO
        if self.invited_until is None or now >= self.invited_until:
            return Status.INVITE_EXPIRED
        bounced = self.letter_state is LetterState.BOUNCED
        return Status.INVITE_BOUNCED if bounced else Status.INVITED

    def invitation_hours_left(self, now: datetime) -> int | None:
        """Whole hours, rounded up, in which the invitation can still be taken; None once it was (R04)."""
        if self.confirmed or not self.active:
            return None
        if self.invited_until is None:
            return 0
        return max(0, ceil((self.invited_until - now) / timedelta(hours=1)))

    def require_version(self, expected: int) -> None:
        """Conflict STALE_VERSION when the caller has seen another version of the user."""
        if self.version != expected:
            raise stale_version("user", self.version)


@dataclass(frozen=True, slots=True)
class Account:
    """What signing in needs to know about a user."""

    id: UserId
    email: str
    name: str
    support: bool
    password_hash: str | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownMembership:
    """An active membership, with its organization's name, for choosing one at sign-in."""

    id: MembershipId
    organization_id: OrganizationId
    organization_name: str


@dataclass(frozen=True, slots=True)
class TemporaryPassword:
    """The first password of an account and its confirmation link (R05)."""

    user_id: UserId
    password_hash: str
    issued_at: datetime
    expires_at: datetime
    consumed_at: datetime | None = None

    def expired(self, now: datetime) -> bool:
        """R05: good until, and not at, exactly 48 hours after issue."""
        return now >= self.expires_at

    def require_unexpired(self, now: datetime) -> None:
        """Denied TEMP_PASSWORD_EXPIRED from then on."""
        if self.expired(now):
            raise Denied(
                "Your temporary password has expired.",
                code="TEMP_PASSWORD_EXPIRED",
                remedy="Ask support for a new one.",
            )


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner system that hears an organization's facts."""

    id: PartnerId
    organization_id: OrganizationId
    name: str
    public_key: str
    added_at: datetime
    removed_at: datetime | None
    version: int

    @property
    def durable(self) -> str:
        """The name of the partner's consumer on the stream of facts."""
        return f"partner_{self.id}"

    def require_version(self, expected: int) -> None:
        """Conflict STALE_VERSION when the caller has seen another version of the partner."""
        if self.version != expected:
            raise stale_version("partner", self.version)


@dataclass(frozen=True, slots=True)
class Advisory:
    """A word of advice that comes with a success."""

    code: str
    message: str
    client_admins: int


def advice(client_admins: int) -> Advisory | None:
    """R01: one client admin has no backup and more than two are more than advised; None when the number is right."""
    if 1 < client_admins <= MOST_CLIENT_ADMINS:
        return None
    messages = {
        0: "The organization has no client admin.",
        1: "The organization has one client admin and no backup.",
    }
    usual = f"The organization has {client_admins} client admins; one or two are advised."
    return Advisory("ADVISORY_CA_COUNT", messages.get(client_admins, usual), client_admins)


def last_client_admin(leaving: User, client_admins: Iterable[User]) -> bool:
    """R01: whether nobody would remain who can act as client admin.

    One who has not confirmed cannot act yet, so a confirmed one is replaced only by a confirmed one.
    """
    others = [one for one in client_admins if one.id != leaving.id and one.client_admin]
    remaining = [one for one in others if one.confirmed or not leaving.confirmed]
    return leaving.client_admin and not remaining


def keep_a_client_admin(leaving: User, client_admins: Iterable[User]) -> None:
    """R01: Conflict LAST_CLIENT_ADMIN when nobody would remain who can act as client admin."""
    if last_client_admin(leaving, client_admins):
        raise Conflict(
            "This is the organization's last client admin.",
            code="LAST_CLIENT_ADMIN",
            field="userId",
            remedy="Make somebody else client admin first, and see that they confirm.",
        )
