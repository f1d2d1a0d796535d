"""What people are told by mail about their work: of which kinds, what they may choose, and when it leaves. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from kit.errors import Conflict
from services.identity.domain.nouns import OrganizationId, UserId
from services.identity.domain.roles import Role

COLLECTED = timedelta(minutes=5)
"""What comes within so long after the first notice leaves with it, in one mail."""

DIGEST_AT = time(7)
"""When a day's digest leaves, in the organization's time zone."""

FRESH = timedelta(hours=24)
"""A fact older than this is no news: it is heard again, or late, and nobody is told of it."""


class NoticeKind(StrEnum):
    """What somebody may be told by mail. NEW_REFERRALS: sent, forwarded or reassigned to where they work. OVERDUE: not acknowledged
    or decided in time. RETURNED: declined by the receiver, or cancelled by the sender. ATTENDANCE: an appointment has passed, and
    nobody has said what came of it. OUTCOMES: what came of a referral they sent. INSURANCE_REVIEWS: campaigns, and that nobody is
    insurance manager. OFFICE_OPENINGS: an office could not open on its first day. COVERAGE: nobody covers an office any more.
    TASKS: what is left undone in the directory, and providers who leave and can be removed now. REPORTS: weekly progress, and
    findings of scorecards. TRAININGS: asked of them, due, overdue. GUIDES: a version of one is theirs to read. USERS: invitations that did not arrive or ran out, and accounts ended by 90 days of absence. ROLES: somebody was given a
    role, or it was taken back or lapsed. CALL_CENTRE: entries in the feed of changes. ACCOUNT_SECURITY: one's own account, password
    and second factors, and what support does."""

    NEW_REFERRALS = "NEW_REFERRALS"
    OVERDUE = "OVERDUE"
    RETURNED = "RETURNED"
    ATTENDANCE = "ATTENDANCE"
    OUTCOMES = "OUTCOMES"
    INSURANCE_REVIEWS = "INSURANCE_REVIEWS"
    OFFICE_OPENINGS = "OFFICE_OPENINGS"
    COVERAGE = "COVERAGE"
    TASKS = "TASKS"
    REPORTS = "REPORTS"
    TRAININGS = "TRAININGS"
    GUIDES = "GUIDES"
    USERS = "USERS"
    ROLES = "ROLES"
    CALL_CENTRE = "CALL_CENTRE"
    ACCOUNT_SECURITY = "ACCOUNT_SECURITY"


class Delivery(StrEnum):
    """How somebody wants to be told. AT_ONCE: within minutes. DAILY_DIGEST: at seven in the morning of the organization's time zone,
    with all else of the day before. OFF: not by mail."""

    AT_ONCE = "AT_ONCE"
    DAILY_DIGEST = "DAILY_DIGEST"
    OFF = "OFF"


class Topic(StrEnum):
    """What has happened."""

    NEW_REFERRAL = "NEW_REFERRAL"
    OVERDUE = "OVERDUE"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"
    ATTENDANCE = "ATTENDANCE"
    OUTCOME = "OUTCOME"
    CAMPAIGN = "CAMPAIGN"
    CAMPAIGN_HERE = "CAMPAIGN_HERE"
    CAMPAIGN_REMINDED = "CAMPAIGN_REMINDED"
    CAMPAIGN_ESCALATED = "CAMPAIGN_ESCALATED"
    MANAGER_MISSING = "MANAGER_MISSING"
    GO_LIVE_MISSED = "GO_LIVE_MISSED"
    OFFICE_UNCOVERED = "OFFICE_UNCOVERED"
    TASK = "TASK"
    CASE_READY = "CASE_READY"
    REMOVED_AS_ASKED = "REMOVED_AS_ASKED"
    REMOVAL_HELD_UP = "REMOVAL_HELD_UP"
    REPORT = "REPORT"
    REVIEW_DUE = "REVIEW_DUE"
    FINDING = "FINDING"
    TRAINING = "TRAINING"
    TRAINING_DUE = "TRAINING_DUE"
    TRAINING_OVERDUE = "TRAINING_OVERDUE"
    GUIDE = "GUIDE"
    INVITATION_BOUNCED = "INVITATION_BOUNCED"
    INVITATION_EXPIRED = "INVITATION_EXPIRED"
    AWAY_ENDED = "AWAY_ENDED"
    ROLES_CHANGED = "ROLES_CHANGED"


KINDS: Final[Mapping[Topic, NoticeKind]] = {
    Topic.NEW_REFERRAL: NoticeKind.NEW_REFERRALS,
    Topic.OVERDUE: NoticeKind.OVERDUE,
    Topic.DECLINED: NoticeKind.RETURNED,
    Topic.CANCELLED: NoticeKind.RETURNED,
    Topic.ATTENDANCE: NoticeKind.ATTENDANCE,
    Topic.OUTCOME: NoticeKind.OUTCOMES,
    Topic.CAMPAIGN: NoticeKind.INSURANCE_REVIEWS,
    Topic.CAMPAIGN_HERE: NoticeKind.INSURANCE_REVIEWS,
    Topic.CAMPAIGN_REMINDED: NoticeKind.INSURANCE_REVIEWS,
    Topic.CAMPAIGN_ESCALATED: NoticeKind.INSURANCE_REVIEWS,
    Topic.MANAGER_MISSING: NoticeKind.INSURANCE_REVIEWS,
    Topic.GO_LIVE_MISSED: NoticeKind.OFFICE_OPENINGS,
    Topic.OFFICE_UNCOVERED: NoticeKind.COVERAGE,
    Topic.TASK: NoticeKind.TASKS,
    Topic.CASE_READY: NoticeKind.TASKS,
    Topic.REMOVED_AS_ASKED: NoticeKind.TASKS,
    Topic.REMOVAL_HELD_UP: NoticeKind.TASKS,
    Topic.REPORT: NoticeKind.REPORTS,
    Topic.REVIEW_DUE: NoticeKind.REPORTS,
    Topic.FINDING: NoticeKind.REPORTS,
    Topic.TRAINING: NoticeKind.TRAININGS,
    Topic.TRAINING_DUE: NoticeKind.TRAININGS,
    Topic.TRAINING_OVERDUE: NoticeKind.TRAININGS,
    Topic.GUIDE: NoticeKind.GUIDES,
    Topic.INVITATION_BOUNCED: NoticeKind.USERS,
    Topic.INVITATION_EXPIRED: NoticeKind.USERS,
    Topic.AWAY_ENDED: NoticeKind.USERS,
    Topic.ROLES_CHANGED: NoticeKind.ROLES,
}

RECEIVING: Final = frozenset({Topic.NEW_REFERRAL, Topic.OVERDUE, Topic.ATTENDANCE, Topic.CANCELLED})
"""What a referral's receiver is told of it."""

SENDING: Final = frozenset({Topic.DECLINED, Topic.OUTCOME})
"""What its sender is told."""

FIXED: Final = frozenset({NoticeKind.CALL_CENTRE, NoticeKind.ACCOUNT_SECURITY})
"""What is always mailed at once: R10 promises the call centre its minute, and whoever has stolen an account would switch off the mail
that tells of it."""

_AT_ONCE: Final = FIXED | {
    NoticeKind.NEW_REFERRALS,
    NoticeKind.RETURNED,
    NoticeKind.INSURANCE_REVIEWS,
    NoticeKind.OFFICE_OPENINGS,
    NoticeKind.COVERAGE,
    NoticeKind.ROLES,
    NoticeKind.TRAININGS,
}


@dataclass(frozen=True, slots=True)
class Preference:
    """How somebody is told of a kind, and how it would be without a choice."""

    kind: NoticeKind
    delivery: Delivery
    by_default: Delivery

    @property
    def optional(self) -> bool:
        """Whether it may be chosen at all."""
        return self.kind not in FIXED


def by_default(kind: NoticeKind) -> Delivery:
    """What holds until somebody chooses."""
    return Delivery.AT_ONCE if kind in _AT_ONCE else Delivery.DAILY_DIGEST


def preferences(chosen: Mapping[NoticeKind, Delivery]) -> list[Preference]:
    """How somebody is told of each kind."""
    return [
        Preference(kind, chosen.get(kind, by_default(kind)), by_default(kind))
        for kind in NoticeKind
    ]


def require_optional(kind: NoticeKind) -> None:
    """Conflict NOTICE_NOT_OPTIONAL for what is mailed whatever somebody prefers."""
    if kind in FIXED:
        raise Conflict(
            "Mail about this is always sent, at once: it cannot be put off or switched off.",
            code="NOTICE_NOT_OPTIONAL",
            field="kind",
            remedy="Choose for the other kinds.",
        )


def is_news(told_at: datetime, now: datetime) -> bool:
    """Whether a fact is so young that people want to hear of it."""
    return now - told_at < FRESH


def due(delivery: Delivery, now: datetime, zone: ZoneInfo) -> datetime:
    """When the mail leaves that a notice of `now` goes with."""
    return now + COLLECTED if delivery is Delivery.AT_ONCE else next_digest(now, zone)


def next_digest(now: datetime, zone: ZoneInfo) -> datetime:
    """The next time, later than `now`, at which it is seven in the morning there."""
    today = now.astimezone(zone).date()
    for day in (today, today + timedelta(days=1)):
        at = datetime.combine(day, DIGEST_AT, zone).astimezone(now.tzinfo)
        if at > now:
            return at
    raise AssertionError("tomorrow is never over")


# Whom it concerns -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told, of what, and where. `only`: of all whom it would concern just these. `provider_id`: to the user who is that
    provider."""

    topic: Topic
    subject_id: UUID
    office_id: UUID | None = None
    group_id: UUID | None = None
    only: frozenset[UserId] | None = None
    provider_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class KnownGroup:
    """A group of directory: where it is, and who works for it."""

    group_id: UUID
    office_ids: frozenset[UUID]
    staff: frozenset[UserId]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something has happened: at an office, in a group, with a provider, or in the organization as such."""

    office_id: UUID | None
    group: KnownGroup | None
    provider_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """An active, confirmed user of an organization, the roles they have there now, each with its office, and the provider they are."""

    user_id: UserId
    grants: frozenset[tuple[Role, UUID | None]]
    provider_ids: frozenset[UUID] = frozenset()

    def has(self, *roles: Role) -> bool:
        """Whether they have one of these roles, wherever."""
        return any(role in roles for role, _ in self.grants)

    def works_at(self, offices: frozenset[UUID], *roles: Role) -> bool:
        """Whether they have one of these roles for one of the offices."""
        return any(role in roles and office in offices for role, office in self.grants)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that waits for its mail."""

    id: UUID
    topic: Topic
    subject_id: UUID
    office_id: UUID | None
    group_id: UUID | None
    due_at: datetime
    provider_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that is due, or will be: whose notices, of which organization, delivered how."""

    organization_id: OrganizationId
    user_id: UserId
    delivery: Delivery
