"""What reporting hears: everything its reports are made of, and nothing about patients."""

from kit.db import Database
from kit.inbox import Hearing
from proto.referrals.v1.events_pb2 import ReferralDeclined, ReferralSent
from services.reporting.consumers import (
    declines,
    drafts,
    people,
    places,
    plans,
    practice,
    referrals,
)
from services.reporting.consumers.keeping import Progress, Rebuilt, keeping, rebuild

_REFERRALS = {
    **referrals.HANDLERS,
    **drafts.DRAFTS,
    ReferralSent: drafts.ending_drafts(referrals.HANDLERS[ReferralSent]),
    ReferralDeclined: declines.noting_comments(referrals.HANDLERS[ReferralDeclined]),
}

_USERS = Hearing("identity", "user", people.USERS)
_HEARINGS = [
    Hearing("identity", "organization", people.ORGANIZATIONS),
    _USERS,
    Hearing("directory", "group", places.GROUPS),
    Hearing("directory", "office", places.OFFICES),
    Hearing("directory", "placement", places.PLACEMENTS),
    Hearing("directory", "provider", places.PROVIDERS),
    Hearing("insurance", "participation", plans.PARTICIPATIONS),
    Hearing("insurance", "campaign", plans.CAMPAIGNS),
    Hearing("referrals", "referral", _REFERRALS),
]
"""What is kept of facts, and nothing else: hearing them again changes no training, proposal or finding."""

HEARINGS = keeping(
    [Hearing("identity", "user", practice.PRACTISED) if one is _USERS else one for one in _HEARINGS]
)


async def rebuild_all(database: Database, progress: Progress) -> Rebuilt:
    """Make everything that was heard again of the facts that were kept: see `rebuild`."""
    return await rebuild(database, _HEARINGS, progress)
