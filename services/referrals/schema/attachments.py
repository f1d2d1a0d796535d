"""Taking an attachment back, in GraphQL."""

from typing import Annotated, Union

import strawberry
from strawberry import ID

from kit.graphql import CommonProblems, mutation
from kit.ids import parse_id
from services.referrals import policy
from services.referrals.actions import attachments
from services.referrals.domain import AttachmentId, ReferralId
from services.referrals.schema.entities import Info
from services.referrals.schema.nodes import Referral, load_referral

Left = Union[Referral, CommonProblems]  # noqa: UP007 - strawberry flattens a Union into the union it is listed in
WithdrawAttachmentResult = Annotated[Left, strawberry.union("WithdrawAttachmentResult")]


@strawberry.input
class WithdrawAttachmentInput:
    """withdrawAttachment."""

    referral_id: ID
    attachment_id: ID


@strawberry.type
class AttachmentMutation:
    """What can be done with attachments; they come and go as files."""

    @mutation
    async def withdraw_attachment(
        self, info: Info, input: WithdrawAttachmentInput
    ) -> WithdrawAttachmentResult:
        """Take a file back, before the referral is sent."""
        referral_id = ReferralId(parse_id(input.referral_id, "referralId"))
        attachment_id = AttachmentId(parse_id(input.attachment_id, "attachmentId"))
        await attachments.withdraw(info.context.call, referral_id, attachment_id)
        found = await load_referral(info, input.referral_id)
        if found is None:
            raise policy.unknown_referral()
        return found
