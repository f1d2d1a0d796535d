"""What reporting hears: everything its reports are made of, and nothing about patients."""

from kit.inbox import Hearing
from services.reporting.consumers import people, places, plans, referrals

HEARINGS = [
    Hearing("identity", "organization", people.ORGANIZATIONS),
    Hearing("identity", "user", people.USERS),
    Hearing("directory", "group", places.GROUPS),
    Hearing("directory", "office", places.OFFICES),
    Hearing("directory", "placement", places.PLACEMENTS),
    Hearing("insurance", "participation", plans.PARTICIPATIONS),
    Hearing("referrals", "referral", referrals.HANDLERS),
]
