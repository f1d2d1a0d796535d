"""One verb on many referrals: each by itself, so that what cannot be done leaves the rest done (R13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kit.errors import Invalid, Refusal
from services.referrals.actions import looking, moving, receiving, sending
from services.referrals.actions.keeping import AlreadyDone, Order
from services.referrals.actions.moving import Where
from services.referrals.actions.peers import Call
from services.referrals.actions.reasons import Given
from services.referrals.domain import Party, ReferralId

MOST: Final = 50
"""Referrals of one call: few enough for one answer."""


class BulkAction(StrEnum):
    """What can be done to many referrals at once."""

    ACKNOWLEDGE = "ACKNOWLEDGE"
    DECLINE = "DECLINE"
    REASSIGN = "REASSIGN"
    FORWARD = "FORWARD"
    CANCEL = "CANCEL"
    CHANGE_SENDER = "CHANGE_SENDER"
    ARCHIVE = "ARCHIVE"
    UNARCHIVE = "UNARCHIVE"


@dataclass(frozen=True, slots=True)
class BulkWork:
    """What is to be done, with what its verb needs: a reason, another receiver, another sender."""

    action: BulkAction
    given: Given
    where: Where | None = None
    sender: Party | None = None
    confirm_loop: bool = False
    keeps_appointment: bool = False

    def __post_init__(self) -> None:
        """Refuse before the first referral what would be refused for each."""
        moves = self.action in {BulkAction.REASSIGN, BulkAction.FORWARD}
        if moves and self.where is None:
            raise Invalid(
                "Say who is to receive the referrals.", code="RECEIVER_REQUIRED", field="receiver"
            )
        if self.action is BulkAction.CHANGE_SENDER and self.sender is None:
            raise Invalid("Say who is to send the referrals.", field="sender")


async def do_many(
    call: Call, work: BulkWork, orders: Sequence[Order]
) -> list[ReferralId | Refusal]:
    """Do it to each in the order given; for each the referral, or why not. A retry with the same keys does nothing twice."""
    call.viewer.require_organization()
    if not 1 <= len(orders) <= MOST:
        raise Invalid(
            f"Give 1 to {MOST} referrals.", field="items", remedy="Do the rest in another call."
        )
    if len({order.referral_id for order in orders}) < len(orders):
        raise Invalid("A referral is named twice.", field="items")
    return [await _attempt(call, work, order) for order in orders]


async def _attempt(call: Call, work: BulkWork, order: Order) -> ReferralId | Refusal:
    try:
        await _do(call, work, order)
    except Refusal as refusal:
        return refusal
    except AlreadyDone:
        pass
    return order.referral_id


async def _do(call: Call, work: BulkWork, order: Order) -> None:
    match work:
        case BulkWork(BulkAction.ACKNOWLEDGE):
            await receiving.acknowledge(call, order, None)
        case BulkWork(BulkAction.DECLINE, given):
            await receiving.decline(call, order, given)
        case BulkWork(BulkAction.CANCEL, given):
            await sending.cancel(call, order, given)
        case BulkWork(BulkAction.REASSIGN, _, Where() as where):
            await moving.reassign(call, order, where, keeps_appointment=work.keeps_appointment)
        case BulkWork(BulkAction.FORWARD, given, Where() as where, _, confirmed):
            said = given.comment
            await moving.forward(call, order, where, confirm_loop=confirmed, comment=said)
        case BulkWork(BulkAction.CHANGE_SENDER, _, _, Party() as sender):
            await sending.change_sender(call, order, sender)
        case BulkWork(action):
            archived = action is BulkAction.ARCHIVE
            await looking.set_archived(call, order.referral_id, archived=archived)
