"""Receivers that work outside of the suite: what is sent there is reported on by its sender, and ends by itself when nobody does."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from kit.errors import Conflict
from services.referrals.domain.machine import turned
from services.referrals.domain.nouns import OfficeId, Outcome, Referral, Status

UNREPORTED_AFTER: Final = timedelta(days=15)
"""How long a referral waits for somebody to report that an offline receiver has taken note."""


@dataclass(frozen=True, slots=True)
class ExternalOffice:
    """Whether an office works outside of the suite; `version` 0: nobody ever said so."""

    office_id: OfficeId
    externally_managed: bool = False
    version: int = 0


def managed(referral: Referral, *, externally: bool) -> Referral:
    """The referral that has just arrived at a receiver that works in the suite, or outside of it: there nobody claims for a group."""
    if externally and referral.receiving_provider_id is None:
        raise Conflict(
            "That office works outside of the suite: nobody there claims what is sent to a group.",
            code="OFFLINE_GROUP",
            field="receiver",
            remedy="Name a provider of the office.",
        )
    return replace(referral, externally_managed=externally)


def unreported(referral: Referral, now: datetime) -> Referral | None:
    """Completed with nothing known, fifteen days after it was sent to an offline receiver and nobody reported; None when it is not so
    far."""
    waits = referral.externally_managed and referral.status is Status.PENDING
    if not waits or referral.received_at is None or now < referral.received_at + UNREPORTED_AFTER:
        return None
    return replace(turned(referral, Status.COMPLETED, now), outcome=Outcome.UNKNOWN)
