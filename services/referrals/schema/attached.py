"""The files of a referral in GraphQL: what they are and where they are had, and taking one back."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

import strawberry
from strawberry import ID

from kit.graphql import described
from services.referrals import domain
from services.referrals.actions import attachments
from services.referrals.actions.attachments import NamedAttachment
from services.referrals.actions.peers import Call
from services.referrals.domain import ReferralId
from services.referrals.policy import Seen, Sight
from services.referrals.schema.entities import Info, User, stub
from services.referrals.schema.words import AttachmentAction, ReferralSide

T = TypeVar("T")
Load = Callable[[Call, Sequence[ReferralId]], Awaitable[Sequence[T]]]


@strawberry.type(description="A file that goes with a referral.")
class ReferralAttachment:
    """PHI; who attached it is told within the same organization only."""

    id: ID
    name: str = strawberry.field(description="As it was cleaned: it can be saved anywhere.")
    media_type: str = strawberry.field(description="What the file is, not what it was said to be.")
    size: int = strawberry.field(description="In bytes.")
    side: ReferralSide
    attached_at: datetime
    url: str = strawberry.field(
        description="Where it is had from the gateway, by GET with your access token. Whether you may is decided each time."
    )
    allowed_actions: list[AttachmentAction] = strawberry.field(
        description="What you may do to it now."
    )
    told: strawberry.Private[NamedAttachment]

    @described("Who attached it; null when it was somebody of the other side.")
    def by(self, info: Info) -> User | None:
        """The other side need not know."""
        it = self.told.attachment
        mine = info.context.call.viewer.organization_id == it.by_organization_id
        return stub(User, it.by_user_id) if mine else None


@strawberry.type
class WithAttachments:
    """What of a referral is in files, and how its fields are loaded."""

    view: strawberry.Private[Seen]

    @described(
        "Files, oldest first: a receiver has what the sender attached, and what was attached while it had the referral."
        " Empty when your sight is PAST."
    )
    async def attachments(self, info: Info) -> list[ReferralAttachment]:
        """PHI: also what a file is called."""
        found = await self._load(info, "attachments", attachments.attached)
        if found:
            self._read(info, "attachments")
        return [_attachment(one, self.view) for one in found]

    @described("The sides for which you may attach a file now.")
    def may_attach_as(self) -> list[ReferralSide]:
        """By POST to the gateway's /files/referrals/<id>/attachments."""
        if self.view.sight is not Sight.FULL:
            return []
        return [
            side for side in sorted(self.view.sides) if domain.may_attach(self.view.referral, side)
        ]

    def _read(self, info: Info, field: str) -> None:
        """A field of the patient's data will be in the answer: the audit trail is told before that leaves."""
        info.context.reads.add("referral", self.view.referral.id, field)

    async def _load(self, info: Info, name: str, load: Load[T]) -> T:
        """Batched, and anew for each version: a mutation later in the same request must not see what was before it."""
        call = info.context.call

        async def batch(keys: list[tuple[ReferralId, int]]) -> Sequence[T]:
            return await load(call, [id_ for id_, _ in keys])

        key = (self.view.referral.id, self.view.referral.version)
        return await info.context.loader(name, batch).load(key)


def _attachment(told: NamedAttachment, view: Seen) -> ReferralAttachment:
    it = told.attachment
    mine = it.side in view.sides and domain.may_withdraw(it, view.referral)
    return ReferralAttachment(
        id=ID(str(it.id)),
        name=told.name,
        media_type=it.media_type.value,
        size=it.bytes,
        side=it.side,
        attached_at=it.kept_at or it.begun_at,
        url=domain.url_of(it.id),
        allowed_actions=[domain.AttachmentAction.WITHDRAW] if mine else [],
        told=told,
    )
