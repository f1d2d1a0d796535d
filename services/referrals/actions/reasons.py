"""Coded reasons: what a decline, a cancellation or a no-show must say."""

from dataclasses import dataclass
from datetime import UTC, datetime

from kit.db import Connection
from kit.errors import Invalid
from services.referrals.domain import Reason, ReasonKind
from services.referrals.store import people

MAX_COMMENT = 2000


@dataclass(frozen=True, slots=True)
class Given:
    """The reason as the client gave it. The comment may speak of the patient: PHI."""

    code: str
    comment: str | None = None


def require_short(comment: str | None) -> None:
    """Refuse a long comment here: a constraint of the table would show it in the log of the fault."""
    if comment is not None and len(comment) > MAX_COMMENT:
        raise Invalid(f"A comment has at most {MAX_COMMENT} characters.", field="comment")


async def valid_reason(tx: Connection, kind: ReasonKind, given: Given, now: datetime) -> Reason:
    """The coded reason, when it is one of its kind and valid today; REASON_REQUIRED otherwise (R13)."""
    require_short(given.comment)
    found = await people.reason(tx, kind, given.code) if given.code else None
    if found is None or not found.valid_on(now.astimezone(UTC).date()):
        raise Invalid(
            "Give a coded reason that is valid today.",
            code="REASON_REQUIRED",
            field="reasonCode",
            remedy="Choose one from referralReasons.",
        )
    return found


async def reasons_today(tx: Connection, kind: ReasonKind, now: datetime) -> list[Reason]:
    """The reasons that may be given today."""
    return await people.reasons(tx, kind, now.astimezone(UTC).date())
