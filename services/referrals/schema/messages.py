"""Messages of a referral in GraphQL: saying something, and having read."""

from typing import Annotated, Union

import strawberry
from strawberry import ID

from kit.graphql import CommonProblems, mutation, own_mutation
from kit.ids import parse_id
from services.referrals import policy
from services.referrals.actions import messages
from services.referrals.domain import MessageId, ReferralId
from services.referrals.schema.entities import Info
from services.referrals.schema.nodes import Referral, load_referral
from services.referrals.schema.words import ReferralSide

Written = Union[Referral, CommonProblems]  # noqa: UP007 - strawberry flattens a Union into the union it is listed in
SendMessageResult = Annotated[Written, strawberry.union("SendMessageResult")]
ReadMessagesResult = Annotated[Written, strawberry.union("ReadMessagesResult")]


@strawberry.input
class SendMessageInput:
    """sendMessage."""

    referral_id: ID
    text: str = strawberry.field(description="Up to 4,000 characters.")
    idempotency_key: str
    side: ReferralSide | None = strawberry.field(
        default=None, description="For which side you speak; needed only when you work on both."
    )


@strawberry.input
class ReadMessagesInput:
    """readMessages."""

    referral_id: ID
    until: ID = strawberry.field(description="The last message that was read.")


@strawberry.type
class MessageMutation:
    """What can be done with messages."""

    @mutation
    async def send_message(self, info: Info, input: SendMessageInput) -> SendMessageResult:
        """Say something to the other side of a referral; its status and version stay."""
        id_ = ReferralId(parse_id(input.referral_id, "referralId"))
        saying = messages.Saying(id_, input.text, input.side)
        await messages.say(info.context.call, saying, input.idempotency_key)
        return await _shown(info, input.referral_id)

    @own_mutation
    async def read_messages(self, info: Info, input: ReadMessagesInput) -> ReadMessagesResult:
        """Say up to which message you have read; nobody else's count changes."""
        id_ = ReferralId(parse_id(input.referral_id, "referralId"))
        until = MessageId(parse_id(input.until, "until"))
        await messages.note_read(info.context.call, id_, until)
        return await _shown(info, input.referral_id)


async def _shown(info: Info, id_: ID) -> Referral:
    found = await load_referral(info, id_)
    if found is None:
        raise policy.unknown_referral()
    return found
