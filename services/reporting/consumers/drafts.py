"""Drafts: where they are kept, and their end. No report counts them; a rule of scorecards does."""

from datetime import UTC
from uuid import UUID

from google.protobuf.message import Message

from kit.db import Connection
from kit.inbox import Handler, Heard
from proto.referrals.v1.events_pb2 import ReferralDraftDropped, ReferralDrafted, ReferralSent
from services.reporting.consumers.people import noted
from services.reporting.domain import GroupId, OfficeId, OrganizationId, ReferralId
from services.reporting.domain.scorecards import Draft
from services.reporting.store import drafts


async def _drafted(tx: Connection, heard: Heard) -> None:
    fact: ReferralDrafted = heard.fact
    draft = Draft(
        ReferralId(UUID(fact.referral_id)),
        OfficeId(UUID(fact.sending_office_id)),
        GroupId(UUID(fact.sending_group_id)) if fact.sending_group_id else None,
        fact.drafted_at.ToDatetime(tzinfo=UTC),
    )
    await drafts.keep(tx, OrganizationId(heard.organization_id), draft)


async def _dropped(tx: Connection, heard: Heard) -> None:
    fact: ReferralDraftDropped = heard.fact
    id_ = ReferralId(UUID(fact.referral_id))
    await drafts.end(tx, OrganizationId(heard.organization_id), id_, heard.time)


def ending_drafts(handle: Handler) -> Handler:
    """The handler of what is sent, and after it the end of the draft that it was, if it was one. Nothing tells of anything before
    the first of a referral's facts."""

    async def handle_and_end(tx: Connection, heard: Heard) -> None:
        await handle(tx, heard)
        fact: ReferralSent = heard.fact
        if heard.sequence > 1:
            id_ = ReferralId(UUID(fact.referral.referral_id))
            await drafts.end(tx, OrganizationId(heard.organization_id), id_, heard.time)

    return handle_and_end


DRAFTS: dict[type[Message], Handler] = {
    ReferralDrafted: noted(_drafted),
    ReferralDraftDropped: noted(_dropped),
}
