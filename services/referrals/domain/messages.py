"""What the two sides say to each other about a referral."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from kit.errors import Conflict, Denied, Invalid
from services.referrals.domain.nouns import OrganizationId, Referral, ReferralId, Side, UserId
from services.referrals.domain.patients import Sealed

MessageId = NewType("MessageId", UUID)

LONGEST = 4000
"""Characters of a message."""


@dataclass(frozen=True, slots=True)
class Message:
    """Who said it, on which side, and while which receiver had the referral. What was said is sealed."""

    id: MessageId
    referral_id: ReferralId
    hop: int
    side: Side
    by_user_id: UserId
    by_organization_id: OrganizationId
    said_at: datetime


@dataclass(frozen=True, slots=True)
class SealedMessage(Message):
    """A message with what was said, closed."""

    organization_id: OrganizationId
    key_number: int
    box: bytes

    @property
    def sealed(self) -> Sealed:
        """What was said, closed."""
        return Sealed(self.organization_id, self.key_number, self.box)


def cleaned(text: str) -> str:
    """What is said, without space around it; Invalid when it is nothing, or too long."""
    said = text.strip().replace("\0", "")
    if not 1 <= len(said) <= LONGEST:
        raise Invalid(f"Write 1 to {LONGEST} characters.", field="text")
    return said


def speaking_side(referral: Referral, sides: Collection[Side], wanted: Side | None) -> Side:
    """The side somebody speaks for: the one they work on, or, when they work on both, the one they say."""
    if referral.sent_at is None:
        raise Conflict(
            "Nobody has this referral yet.", code="NOT_SENT", remedy="Send it, then write."
        )
    if wanted is None and len(sides) > 1:
        raise Invalid(
            "You work on both sides: say for which you speak.", code="SIDE_REQUIRED", field="side"
        )
    if not sides or (wanted is not None and wanted not in sides):
        raise Denied("You do not work on that side.", code="WRONG_SIDE", field="side")
    return wanted or next(iter(sides))
