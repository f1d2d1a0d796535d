"""Messages between the two sides of a referral: said, read, and counted while unread."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kit import audit
from kit.db import Connection
from kit.idempotency import once
from kit.ids import new_id
from services.referrals import domain, policy
from services.referrals.actions.keeping import announce
from services.referrals.actions.looking import full, see_in
from services.referrals.actions.peers import Call
from services.referrals.actions.telling import tell_message
from services.referrals.actions.vault import MESSAGE
from services.referrals.domain import (
    Happened,
    Message,
    MessageId,
    OrganizationId,
    Referral,
    ReferralId,
    Side,
    UserId,
)
from services.referrals.store import messages as store
from services.referrals.store import referrals


@dataclass(frozen=True, slots=True)
class Saying:
    """What is to be said; `side` only matters to who works on both."""

    referral_id: ReferralId
    text: str
    side: Side | None = None


@dataclass(frozen=True, slots=True)
class ToldMessage:
    """A message, opened."""

    message: Message
    text: str


async def say(call: Call, saying: Saying, key: str) -> ReferralId:
    """Say something to the other side. One per idempotency key; it changes neither status nor version."""
    text = domain.cleaned(saying.text)
    call.viewer.require_organization()

    async with call.db.transaction() as tx:
        referral, side = await _speaking(tx, call, saying)

        async def make() -> UUID:
            return await _said(tx, call, referral, side, text)

        request = ("sendMessage", saying.referral_id, text, saying.side)
        await once(tx, call.viewer, key=key, request=request, at=call.clock.now(), make=make)
    return saying.referral_id


async def _speaking(tx: Connection, call: Call, saying: Saying) -> tuple[Referral, Side]:
    """The referral, locked so that it does not go on meanwhile, and the side the viewer speaks for."""
    await referrals.lock(tx, saying.referral_id)
    view = (await see_in(tx, call, [saying.referral_id])).get(saying.referral_id)
    if view is None:
        raise policy.unknown_referral()
    return view.referral, domain.speaking_side(view.referral, view.sides, saying.side)


async def _said(tx: Connection, call: Call, referral: Referral, side: Side, text: str) -> MessageId:
    now, id_ = call.clock.now(), MessageId(new_id())
    message = Message(
        id=id_,
        referral_id=referral.id,
        hop=referral.hop,
        side=side,
        by_user_id=UserId(call.viewer.require_user()),
        by_organization_id=OrganizationId(call.viewer.require_organization()),
        said_at=now,
    )
    keys = await call.peers.vault.own(tx, referral.sending_organization_id)
    await store.add(tx, message, keys.seal(text, id_, MESSAGE))
    await tell_message(tx, referral, message)
    await audit.record(
        tx,
        call.viewer,
        act="referral.message",
        kind="referral",
        about=referral.id,
        organization_id=message.by_organization_id,
        at=now,
    )
    await announce(tx, referral, Happened.MESSAGE)
    return id_


async def read_page(
    call: Call, referral_id: ReferralId, part: tuple[MessageId | None, int]
) -> list[ToldMessage]:
    """What the viewer's organization may read of a referral seen in FULL: newest first. A receiver reads what was said while it
    had the referral."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        if not await full(tx, call, [referral_id]):
            return []
        found = await store.page(tx, organization_id, referral_id, part)
        keys = await call.peers.vault.of(tx, {one.organization_id for one in found})
    return [
        ToldMessage(one, str(keys[one.organization_id].open(one.sealed, one.id, MESSAGE)))
        for one in found
    ]


async def unread(call: Call, ids: Sequence[ReferralId]) -> list[int]:
    """How many messages of others the viewer has not read, of referrals seen in FULL."""
    organization_id = OrganizationId(call.viewer.require_organization())
    user_id = UserId(call.viewer.require_user())
    async with call.db.reading() as tx:
        counts = await store.unread(tx, organization_id, user_id, await full(tx, call, ids))
    return [counts.get(one, 0) for one in ids]


async def note_read(call: Call, referral_id: ReferralId, until: MessageId) -> ReferralId:
    """The viewer has read up to a message; nobody else's count changes."""
    user_id = UserId(call.viewer.require_user())
    call.viewer.require_organization()
    async with call.db.transaction() as tx:
        if not await full(tx, call, [referral_id]):
            raise policy.unknown_referral()
        await store.note_read(tx, user_id, referral_id, until)
    return referral_id
