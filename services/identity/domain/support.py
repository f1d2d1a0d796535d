"""What people ask support for (R25), and support inside an organization (break-glass)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from kit.errors import Conflict, Invalid, stale_version
from services.identity.domain.nouns import OrganizationId, SessionId, UserId
from services.identity.domain.texts import line

SupportRequestId = NewType("SupportRequestId", UUID)
SupportAccessId = NewType("SupportAccessId", UUID)

LONGEST_NOTE = 300
LONGEST_ANSWER = 500

LONGEST_ACCESS = timedelta(hours=4)
"""How long support may act in an organization; then it has to say again why."""

_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_VERB = re.compile(r"([a-z][A-Za-z0-9]{0,63})?")


class RequestState(StrEnum):
    """Where a request stands."""

    OPEN = "OPEN"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    REFUSED = "REFUSED"


class RequestAction(StrEnum):
    """What a viewer may do with a request."""

    TAKE = "TAKE"
    ANSWER = "ANSWER"


class AccessEnd(StrEnum):
    """Why support is outside again."""

    ENDED = "ENDED"
    EXPIRED = "EXPIRED"


class AccountEnd(StrEnum):
    """Why a support account has ended."""

    ENDED = "ENDED"
    INACTIVE = "INACTIVE"


class SupportAccountAction(StrEnum):
    """What a viewer may do with a support account."""

    END = "END"


@dataclass(frozen=True, slots=True)
class SupportAccount:
    """Somebody who is support, or was. `seen_at`: here last; who never signed in counts from the day of the account."""

    id: UserId
    name: str
    email: str
    since: datetime
    signed_in_at: datetime | None
    warned_at: datetime | None
    ended_at: datetime | None
    ended_because: AccountEnd | None

    @property
    def seen_at(self) -> datetime:
        """When they were here last."""
        return max(self.since, self.signed_in_at or self.since)


def keep_support(accounts: int) -> None:
    """Conflict LAST_SUPPORT_ACCOUNT when one of so many is the last."""
    if accounts <= 1:
        raise Conflict(
            "This is the last support account.",
            code="LAST_SUPPORT_ACCOUNT",
            field="userId",
            remedy="Let the operators make another one first (SUPPORT_EMAIL).",
        )


@dataclass(frozen=True, slots=True)
class RequestWanted:
    """What was refused: the problem's code, the verb and the id it was about. Invalid when it is none of ours."""

    code: str
    verb: str
    subject_id: UUID | None
    note: str

    @classmethod
    def of(cls, code: str, verb: str, subject_id: UUID | None, note: str) -> "RequestWanted":
        """As somebody sent it."""
        if not _CODE.fullmatch(code):
            raise Invalid("This is not a problem's code.", field="code", remedy="Copy it.")
        if not _VERB.fullmatch(verb):
            raise Invalid("This is not the name of a verb.", field="verb", remedy="Copy it.")
        return cls(code, verb, subject_id, line(note, "note", LONGEST_NOTE) if note.strip() else "")


@dataclass(frozen=True, slots=True)
class SupportRequest:
    """A request of an organization, which several of its people may have made."""

    id: SupportRequestId
    organization_id: OrganizationId
    code: str
    verb: str
    subject_id: UUID | None
    state: RequestState
    asked: int
    opened_at: datetime
    taken_at: datetime | None
    answered_at: datetime | None
    answer: str | None
    version: int

    @property
    def open(self) -> bool:
        """Whether it waits for an answer."""
        return self.answered_at is None

    def require_open(self, seen: int) -> None:
        """Conflict STALE_VERSION, or REQUEST_ANSWERED."""
        if seen != self.version:
            raise stale_version("request", self.version)
        if not self.open:
            raise Conflict("The request is answered already.", code="REQUEST_ANSWERED")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked, and what they wrote."""

    request_id: SupportRequestId
    user_id: UserId
    asked_at: datetime
    note: str | None


@dataclass(frozen=True, slots=True)
class SupportAccess:
    """Support inside an organization, with one session."""

    id: SupportAccessId
    organization_id: OrganizationId
    user_id: UserId
    session_id: SessionId
    reason: str
    began_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    ended_because: AccessEnd | None

    def live(self, now: datetime) -> bool:
        """Whether it goes on."""
        return self.ended_at is None and now < self.ends_at


def access_life(minutes: int) -> timedelta:
    """How long support asks to be inside; Invalid when that is more than four hours."""
    life = timedelta(minutes=minutes)
    if not timedelta() < life <= LONGEST_ACCESS:
        raise Invalid(
            "Support acts in an organization for at most 240 minutes.",
            field="minutes",
            remedy="Break the glass again when that is not enough.",
        )
    return life
