"""Whether declines come with words besides their coded reason; the words are told to nobody."""

from uuid import UUID

from kit.db import Connection
from kit.inbox import Handler, Heard
from proto.referrals.v1.events_pb2 import ReferralDeclined
from services.reporting.domain import OrganizationId, ReferralId
from services.reporting.store import scorecards


def noting_comments(handle: Handler) -> Handler:
    """The handler of a decline, and after it whether there were words, if that was told."""

    async def handle_and_note(tx: Connection, heard: Heard) -> None:
        await handle(tx, heard)
        fact: ReferralDeclined = heard.fact
        if fact.HasField("commented"):
            await scorecards.note_comment(
                tx,
                OrganizationId(heard.organization_id),
                ReferralId(UUID(fact.referral.referral_id)),
                fact.referral.version,
                commented=fact.commented,
            )

    return handle_and_note
