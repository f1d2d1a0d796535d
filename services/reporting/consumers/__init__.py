"""What reporting hears: everything its reports are made of, and nothing about patients."""

from kit.inbox import Hearing
from proto.referrals.v1.events_pb2 import ReferralDeclined
from services.reporting.consumers import declines, people, places, plans, referrals

_REFERRALS = {
    **referrals.HANDLERS,
    ReferralDeclined: declines.noting_comments(referrals.HANDLERS[ReferralDeclined]),
}

HEARINGS = [
    Hearing("identity", "organization", people.ORGANIZATIONS),
    Hearing("identity", "user", people.USERS),
    Hearing("directory", "group", places.GROUPS),
    Hearing("directory", "office", places.OFFICES),
    Hearing("directory", "placement", places.PLACEMENTS),
    Hearing("directory", "provider", places.PROVIDERS),
    Hearing("insurance", "participation", plans.PARTICIPATIONS),
    Hearing("insurance", "campaign", plans.CAMPAIGNS),
    Hearing("referrals", "referral", _REFERRALS),
]
