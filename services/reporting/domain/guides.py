"""Guides: how to send and how to receive well, version by version, for those whose work it is (R30)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from kit.errors import Conflict, Invalid, stale_version
from services.reporting.domain.nouns import OfficeId, OrganizationId, UserId

GuideId = NewType("GuideId", UUID)

MAX_TITLE = 200
MAX_TEXT = 50_000
MAX_GUIDES = 200
"""Guides of an organization that are not withdrawn."""


class GuideKind(StrEnum):
    """What a guide is about."""

    SENDING = "SENDING"
    RECEIVING = "RECEIVING"


class GuideState(StrEnum):
    """A draft nobody else sees; published to its readers; not for anybody any more."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    WITHDRAWN = "WITHDRAWN"


class GuideRole(StrEnum):
    """Whose work a guide is about. Who works for a group counts as staff of its offices."""

    OFFICE_ADMIN = "OFFICE_ADMIN"
    OFFICE_STAFF = "OFFICE_STAFF"


class GuideOffices(StrEnum):
    """At which offices: all, those that send, or those that receive. One with providers of its own does both, one that only has
    groups does what they may."""

    ALL = "ALL"
    SENDING = "SENDING"
    RECEIVING = "RECEIVING"


class GuideAction(StrEnum):
    """What a viewer may do to a guide."""

    CHANGE = "CHANGE"
    PUBLISH = "PUBLISH"
    WITHDRAW = "WITHDRAW"
    ACKNOWLEDGE = "ACKNOWLEDGE"


@dataclass(frozen=True, slots=True)
class Content:
    """What a version says, and for whom. `text` is Markdown."""

    title: str
    text: str
    roles: tuple[GuideRole, ...]
    offices: GuideOffices


@dataclass(frozen=True, slots=True)
class GuideVersion:
    """One version of a guide. Once published it never changes."""

    guide_id: GuideId
    number: int
    title: str
    text: str
    roles: tuple[GuideRole, ...]
    offices: GuideOffices
    written_by: UserId
    written_at: datetime
    published_by: UserId | None
    published_at: datetime | None

    @property
    def content(self) -> Content:
        """What it says, and for whom."""
        return Content(self.title, self.text, self.roles, self.offices)


@dataclass(frozen=True, slots=True)
class Guide:
    """A guide. `number` is its version published last, 0 before the first; the one after it, if there is one, is the draft."""

    id: GuideId
    organization_id: OrganizationId
    kind: GuideKind
    state: GuideState
    number: int
    version: int
    added_at: datetime

    def require_version(self, expected: int) -> None:
        """Conflict STALE_VERSION when the caller has seen another version."""
        if self.version != expected:
            raise stale_version("guide", self.version)


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody who is asked to read a guide, for which offices, and which version they read last; 0: none."""

    guide_id: GuideId
    user_id: UserId
    office_ids: tuple[OfficeId, ...]
    number: int
    confirmed: bool
    read_number: int
    read_at: datetime | None

    @property
    def unread(self) -> bool:
        """Whether the version that is published has not been read by who can sign in."""
        return self.confirmed and self.read_number < self.number


def unread(asked: Sequence[Asked]) -> int:
    """How many readings are missing: of people who are confirmed, one for each guide and person."""
    return sum(one.unread for one in asked)


def clean(content: Content) -> Content:
    """The content as it is kept; Invalid when something is missing or too long."""
    title, text = content.title.strip(), content.text.replace("\r\n", "\n").strip()
    if not 1 <= len(title) <= MAX_TITLE or not title.isprintable():
        raise Invalid(f"The title needs 1 to {MAX_TITLE} printable characters.", field="title")
    if not 1 <= len(text) <= MAX_TEXT or "\0" in text:
        raise Invalid(f"The text needs 1 to {MAX_TEXT} characters.", field="text")
    if not content.roles:
        raise Invalid(
            "Nobody would read it.", code="NO_READERS", field="roles", remedy="Name a role."
        )
    roles = tuple(role for role in GuideRole if role in content.roles)
    return Content(title, text, roles, content.offices)


def require_draft(draft: GuideVersion | None) -> GuideVersion:
    """The draft; Conflict NOTHING_TO_PUBLISH when there is none."""
    if draft is None:
        raise Conflict(
            "There is no draft.",
            code="NOTHING_TO_PUBLISH",
            field="guideId",
            remedy="Change the guide first: that makes a draft.",
        )
    return draft


def require_published(guide: Guide) -> None:
    """Conflict GUIDE_NOT_PUBLISHED unless its readers see it now."""
    if guide.state is not GuideState.PUBLISHED:
        raise Conflict("This guide is not published.", code="GUIDE_NOT_PUBLISHED", field="guideId")


def require_newest(guide: Guide, number: int) -> None:
    """Conflict NEWER_VERSION when another version than the published one was read."""
    require_published(guide)
    if number != guide.number:
        raise Conflict(
            f"Version {guide.number} is the one to read.",
            code="NEWER_VERSION",
            field="number",
            remedy="Read the version that is published now, and acknowledge that.",
            current=guide.number,
        )
