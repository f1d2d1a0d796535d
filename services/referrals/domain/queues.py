"""How a work queue is read: narrowed, and in which order."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kit.errors import Invalid
from services.referrals.domain.nouns import (
    ProviderId,
    Queue,
    QueueKind,
    ReferralId,
    Status,
    Urgency,
    UserId,
)


class QueueOrder(StrEnum):
    """The order of a queue.

    Each is by something that a referral keeps while somebody pages, but for APPOINTMENT, where what is booked anew meanwhile may
    show again later.
    """

    NEWEST = "NEWEST"
    OLDEST = "OLDEST"
    LONGEST_WAITING = "LONGEST_WAITING"
    APPOINTMENT = "APPOINTMENT"


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What of a queue is wanted; None and False leave it all."""

    statuses: tuple[Status, ...] | None = None
    urgencies: tuple[Urgency, ...] | None = None
    specialty_code: str | None = None
    provider_id: ProviderId | None = None
    claimed_by: UserId | None = None
    unclaimed: bool = False
    overdue: bool = False
    offboarding: bool = False
    externally_managed: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A queue, which part of it, and as of when."""

    queue: Queue
    kind: QueueKind
    now: datetime
    filter: QueueFilter = QueueFilter()
    order: QueueOrder = QueueOrder.NEWEST

    def __post_init__(self) -> None:
        """The archive grows for ever: it is read by newest only."""
        if self.kind is QueueKind.ARCHIVE and self.order is not QueueOrder.NEWEST:
            raise Invalid(
                "The archive is read by NEWEST only.",
                field="order",
                remedy="Narrow it with filter.",
            )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a queue begins: after this referral (and, where the order is by time, its moment)."""

    referral_id: ReferralId
    moment: datetime | None = None
