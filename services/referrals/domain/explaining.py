"""Why somebody does or does not see a referral, in words that tell nothing to whom it is unknown."""

from dataclasses import dataclass
from enum import StrEnum

from kit.errors import Refusal
from services.referrals.domain.machine import Action
from services.referrals.domain.nouns import OfficeId


class Because(StrEnum):
    """Why a referral is seen, or is not."""

    SENDING_OFFICE = "SENDING_OFFICE"
    SENDING_GROUP = "SENDING_GROUP"
    SENDING_PROVIDER = "SENDING_PROVIDER"
    RECEIVING_OFFICE = "RECEIVING_OFFICE"
    RECEIVING_GROUP = "RECEIVING_GROUP"
    RECEIVING_PROVIDER = "RECEIVING_PROVIDER"
    PAST_RECEIVER = "PAST_RECEIVER"
    EXTERNALLY_MANAGED = "EXTERNALLY_MANAGED"
    NOT_ON_STAFF = "NOT_ON_STAFF"
    UNKNOWN = "UNKNOWN"


WORDS = {
    Because.SENDING_OFFICE: "You work for the office that sent it.",
    Because.SENDING_GROUP: "You work for the group that sent it.",
    Because.SENDING_PROVIDER: "You are the provider who sent it.",
    Because.RECEIVING_OFFICE: "You work for the office that has it.",
    Because.RECEIVING_GROUP: "You work for the group that has it.",
    Because.RECEIVING_PROVIDER: "You are the provider who has it.",
    Because.PAST_RECEIVER: "You work where it was before: you see that it was there and its status, no more.",
    Because.EXTERNALLY_MANAGED: "Its receiver works outside of the suite: you report in its place what happens there.",
    Because.NOT_ON_STAFF: "It is in your organization, at an office and a group you do not work for. Ask an admin of the office.",
    Because.UNKNOWN: "Your organization has no such referral, or has it no more.",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """One reason; the office is named where an admin of it could help."""

    because: Because
    office_id: OfficeId | None = None


@dataclass(frozen=True, slots=True)
class ActionExplained:
    """Whether the viewer may take an action now, and why not."""

    action: Action
    refusal: Refusal | None
