"""Coded reasons: what a decline, a cancellation or a no-show must say, on the day it is where the viewer works."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from kit.db import Connection
from kit.errors import Conflict, Invalid
from services.referrals.actions.peers import Call
from services.referrals.domain import OrganizationId, Reason, ReasonKind
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


async def today(tx: Connection, call: Call) -> date:
    """The day it is where the viewer's organization reads its calendar; in UTC while its time zone was not heard."""
    zone = await people.time_zone(tx, OrganizationId(call.viewer.require_organization()))
    return call.clock.today(ZoneInfo(zone or "UTC"))


async def valid_reason(tx: Connection, call: Call, kind: ReasonKind, given: Given) -> Reason:
    """The coded reason, when it is one of its kind and valid today; REASON_REQUIRED otherwise (R13)."""
    require_short(given.comment)
    found = await people.reason(tx, kind, given.code) if given.code else None
    if found is None or not found.valid_on(await today(tx, call)):
        raise Invalid(
            "Give a coded reason that is valid today.",
            code="REASON_REQUIRED",
            field="reasonCode",
            remedy="Choose one from referralReasons.",
        )
    return found


async def outside_plan_reason(tx: Connection, call: Call, code: str | None) -> Reason:
    """Why a receiver that is not listed for the patient's plan is chosen: OUTSIDE_PLAN without a reason, REASON_REQUIRED with one
    that is not valid today (R28)."""
    if code is None:
        raise Conflict(
            "That receiver is not listed for the patient's plan.",
            code="OUTSIDE_PLAN",
            field="outsidePlanReason",
            remedy="Choose one of the referral's suggestedReceivers, or say why with one of referralReasons of OUTSIDE_PLAN.",
        )
    found = await people.reason(tx, ReasonKind.OUTSIDE_PLAN, code)
    if found is None or not found.valid_on(await today(tx, call)):
        raise Invalid(
            "Give a coded reason that is valid today.",
            code="REASON_REQUIRED",
            field="outsidePlanReason",
            remedy="Choose one from referralReasons of OUTSIDE_PLAN.",
        )
    return found


async def reasons_today(tx: Connection, call: Call, kind: ReasonKind) -> list[Reason]:
    """The reasons that may be given today."""
    return await people.reasons(tx, kind, await today(tx, call))
