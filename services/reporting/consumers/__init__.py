"""What reporting hears: everything its reports are made of, and nothing about patients."""

from kit.inbox import Hearing
from services.reporting.consumers import people, places, referrals

HEARINGS = [
    Hearing("identity", "organization", people.ORGANIZATIONS),
    Hearing("directory", "group", places.GROUPS),
    Hearing("referrals", "referral", referrals.HANDLERS),
]
