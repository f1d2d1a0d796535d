"""Files that go with a referral: taken in and handed out piece by piece, so that none is ever held whole, and sealed as they come."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from kit import audit
from kit.audit.reads import TREATMENT
from kit.db import Connection
from kit.errors import Conflict, Denied, Invalid, RateLimited
from kit.idempotency import once
from kit.ids import new_id
from services.referrals import domain, policy
from services.referrals.actions import pieces
from services.referrals.actions.keeping import announce
from services.referrals.actions.looking import full, see_in
from services.referrals.actions.peers import Call
from services.referrals.actions.telling import tell_attachment
from services.referrals.actions.vault import FILE_NAME, Keys, piece_of
from services.referrals.domain import (
    Attachment,
    AttachmentId,
    Happened,
    Inspection,
    MediaType,
    OrganizationId,
    Referral,
    ReferralId,
    Sealed,
    SealedAttachment,
    Side,
    UserId,
)
from services.referrals.policy import Seen, Sight
from services.referrals.store import attachments as store
from services.referrals.store import pieces as piece_store
from services.referrals.store import referrals

ARRIVING_EACH: Final = 4
"""So many files of one user may be on their way at once."""

ARRIVES_WITHIN: Final = timedelta(hours=1)
"""What has not arrived by then never will: its sender was cut off, or this process was."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is to be attached, as it was announced; `side` only matters to who works on both."""

    referral_id: ReferralId
    name: str
    media_type: MediaType
    bytes: int
    side: Side | None
    key: str


@dataclass(frozen=True, slots=True)
class NamedAttachment:
    """An attachment with its name, opened, and the referral it goes with."""

    attachment: Attachment
    name: str
    referral: Referral


# Coming in ------------------------------------------------------------------------------------------------------------


async def attach(call: Call, upload: Upload, body: AsyncIterable[bytes]) -> AttachmentId:
    """Take a file in. One per idempotency key and contents. Nobody sees it before all of it is here and found to be what it says;
    what was cut off, or refused, leaves nothing."""
    arriving = await _begin(call, upload)
    kept = None
    try:
        arrived, digest = await _receive(call, arriving, upload, body)
        kept = await _keep(call, upload, arrived, digest)
        return kept
    finally:
        if kept != arriving.id:
            await asyncio.shield(_give_up(call, arriving.id))


async def _begin(call: Call, upload: Upload) -> Attachment:
    """Whatever can be refused before a byte is read is refused here."""
    organization_id = OrganizationId(call.viewer.require_organization())
    user_id, now = UserId(call.viewer.require_user()), call.clock.now()
    async with call.db.transaction() as tx:
        view = await _seen(tx, call, upload.referral_id)
        side = domain.attaching_side(view.referral, view.sides, upload.side)
        await _require_room(tx, call, view.referral)
        await store.lock_arriving(tx, user_id)
        since = now - ARRIVES_WITHIN
        if await store.count_arriving(tx, organization_id, user_id, since) >= ARRIVING_EACH:
            raise RateLimited(
                "Too many of your files are on their way.",
                code="TOO_MANY_FILES",
                remedy="Wait until one has arrived.",
            )
        arriving = Attachment(
            AttachmentId(new_id()), upload.referral_id, view.referral.hop, side, upload.media_type,
            0, 0, user_id, organization_id, now, None,
        )  # fmt: skip
        keys = await call.peers.vault.own(tx, view.referral.sending_organization_id)
        name = domain.cleaned_name(upload.name, upload.media_type)
        await store.begin(tx, arriving, keys.seal(name, arriving.id, FILE_NAME))
    return arriving


async def _require_room(tx: Connection, call: Call, referral: Referral) -> None:
    most = call.peers.attachment_limits.max_count
    if await store.count(tx, referral.id) >= most:
        raise Conflict(
            f"A referral may have {most} attachments.",
            code="TOO_MANY_ATTACHMENTS",
            remedy="Put what belongs together into one file.",
        )


async def _receive(
    call: Call, arriving: Attachment, upload: Upload, body: AsyncIterable[bytes]
) -> tuple[Attachment, str]:
    """Look at the bytes and put them away as they come. Answers the attachment with its size, and the digest of its contents."""
    inspection, digest, size, number = Inspection(upload.media_type), hashlib.sha256(), 0, 0
    held = bytearray()
    async for some in body:
        size += len(some)
        if size > upload.bytes:
            raise Invalid("The file is longer than it said.", code="TOO_LARGE")
        inspection.look(some)
        digest.update(some)
        held += some
        while len(held) > pieces.PIECE_BYTES:
            await _put_away(call, arriving, number, bytes(held[: pieces.PIECE_BYTES]), last=False)
            del held[: pieces.PIECE_BYTES]
            number += 1
    if size != upload.bytes:
        raise Invalid("The file is shorter than it said.", code="CUT_OFF", remedy="Send it again.")
    inspection.end()
    await _put_away(call, arriving, number, bytes(held), last=True)
    return replace(arriving, bytes=size, pieces=number + 1), digest.hexdigest()


async def _put_away(
    call: Call, arriving: Attachment, number: int, plain: bytes, *, last: bool
) -> None:
    async with call.db.transaction() as tx:
        view = await _seen(tx, call, arriving.referral_id)
        keys = await call.peers.vault.own(tx, view.referral.sending_organization_id)
        sealed = keys.seal_bytes(plain, arriving.id, piece_of(number, last=last))
        into = await pieces.put_away(tx, call, arriving, number, sealed)
    if into is not None:
        await pieces.put(call, into, sealed)


async def _keep(call: Call, upload: Upload, arrived: Attachment, digest: str) -> AttachmentId:
    """All of it is here: what could have changed meanwhile is asked again, under the referral's lock."""
    async with call.db.transaction() as tx:
        await referrals.lock(tx, upload.referral_id)
        view = await _seen(tx, call, upload.referral_id)
        side = domain.attaching_side(view.referral, view.sides, upload.side)

        async def make() -> UUID:
            await _require_room(tx, call, view.referral)
            now, hop = call.clock.now(), view.referral.hop
            await _kept(tx, call, view.referral, replace(arrived, kept_at=now, hop=hop, side=side))
            return arrived.id

        request = ("attach", upload.referral_id, upload.name, upload.media_type, digest, side)
        now = call.clock.now()
        return AttachmentId(
            await once(tx, call.viewer, key=upload.key, request=request, at=now, make=make)
        )


async def _kept(tx: Connection, call: Call, referral: Referral, attachment: Attachment) -> None:
    await store.keep(tx, attachment)
    await tell_attachment(tx, referral, attachment)
    await _write_down(tx, call, attachment, "referral.attached")
    await announce(tx, referral, Happened.ATTACHED)


async def _give_up(call: Call, attachment_id: AttachmentId) -> None:
    async with call.db.transaction() as tx:
        await store.give_up(tx, attachment_id)


async def drop_cut_off(call: Call) -> int:
    """Forget what began to arrive and was cut off together with the process that took it in. Answers how many."""
    async with call.db.transaction() as tx:
        return await store.drop_arriving(tx, call.clock.now() - ARRIVES_WITHIN)


async def withdraw(call: Call, referral_id: ReferralId, attachment_id: AttachmentId) -> ReferralId:
    """Take a file back, all of it, before the referral is sent."""
    async with call.db.transaction() as tx:
        await referrals.lock(tx, referral_id)
        view = await _seen(tx, call, referral_id)
        organization_id = OrganizationId(call.viewer.require_organization())
        found = await store.readable(tx, organization_id, attachment_id)
        if found is None or found.referral_id != referral_id:
            raise policy.unknown_attachment("UNKNOWN_ATTACHMENT")
        if found.side not in view.sides:
            raise _not_that_side()
        domain.require_withdrawable(found, view.referral)
        await store.drop(tx, attachment_id)
        await _write_down(tx, call, found, "referral.attachment_withdrawn")
        await announce(tx, view.referral, Happened.ATTACHMENT_WITHDRAWN)
    return referral_id


async def _write_down(tx: Connection, call: Call, attachment: Attachment, act: str) -> None:
    await audit.record(
        tx,
        call.viewer,
        act=act,
        kind="referral",
        about=attachment.referral_id,
        organization_id=call.viewer.organization_id,
        at=call.clock.now(),
        fields=[_field(attachment)],
    )


async def _seen(tx: Connection, call: Call, referral_id: ReferralId) -> Seen:
    """The referral as the viewer sees it, in FULL."""
    call.viewer.require_organization()
    view = (await see_in(tx, call, [referral_id])).get(referral_id)
    if view is None:
        raise policy.unknown_referral()
    if view.sight is not Sight.FULL:
        raise _not_that_side()
    return view


def _not_that_side() -> Denied:
    return Denied("You do not work on that side.", code="WRONG_SIDE")


# Going out ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way to a viewer. That it was read stands in the audit trail before this exists."""

    named: NamedAttachment
    body: AsyncGenerator[bytes]


async def read(call: Call, attachment_id: AttachmentId) -> Download:
    """A file of a referral seen in FULL; one answer for what never was, another organization's, and lost (R14). Unavailable, and
    nothing is written down, when it cannot be had at the moment."""
    call.viewer.require_organization()
    first = await _fetch(call, attachment_id, 0)
    async with call.db.transaction() as tx:
        named = await _readable(tx, call, attachment_id)
        attachment = named.attachment
        await audit.saw(
            tx,
            call.viewer,
            {attachment.referral_id: [_field(attachment)]},
            act="referral.seen",
            kind="referral",
            about=None,
            organization_id=call.viewer.organization_id,
            at=call.clock.now(),
            purpose=TREATMENT,
        )
    return Download(named, _pieces(call, attachment, first))


@dataclass(frozen=True, slots=True)
class _Closed:
    """A piece of a file as it was found, and what opens it."""

    sealed: Sealed
    keys: Keys


async def _pieces(call: Call, attachment: Attachment, first: _Closed) -> AsyncGenerator[bytes]:
    """Each piece by the policy of the moment: a download that is dawdled over ends with the access to it."""
    for number in range(attachment.pieces):
        found = first if number == 0 else await _fetch(call, attachment.id, number)
        async with call.db.reading() as tx:
            await _readable(tx, call, attachment.id)
        use = piece_of(number, last=number == attachment.pieces - 1)
        yield found.keys.open_bytes(found.sealed, attachment.id, use)


async def _fetch(call: Call, attachment_id: AttachmentId, number: int) -> _Closed:
    """A piece of a file the viewer may read, wherever it lies now; what has moved meanwhile is looked for where it has gone."""
    missing = set[UUID | None]()
    while True:
        async with call.db.reading() as tx:
            await _readable(tx, call, attachment_id)
            piece = await piece_store.piece(tx, attachment_id, number)
            if piece is None or piece.object in missing:
                raise RuntimeError("a piece of an attachment is gone")
            keys = await call.peers.vault.of(tx, [piece.organization_id])
        box = await pieces.box_of(call, piece)
        if box is not None:
            return _Closed(piece.closed(box), keys[piece.organization_id])
        missing.add(piece.object)


async def _readable(tx: Connection, call: Call, attachment_id: AttachmentId) -> NamedAttachment:
    organization_id = OrganizationId(call.viewer.require_organization())
    found = await store.readable(tx, organization_id, attachment_id)
    view = None
    if found is not None:
        view = (await see_in(tx, call, [found.referral_id])).get(found.referral_id)
    if found is None or view is None or view.sight is not Sight.FULL:
        raise policy.unknown_attachment()
    keys = await call.peers.vault.of(tx, [found.organization_id])
    return _named(keys, found, view.referral)


async def attached(call: Call, ids: Sequence[ReferralId]) -> list[list[NamedAttachment]]:
    """The files of referrals seen in FULL, oldest first."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        shown = await full(tx, call, ids)
        found = await store.of(tx, organization_id, shown)
        known = await referrals.find(tx, shown)
        keys = await _keys(tx, call, (one for each in found.values() for one in each))
    return [[_named(keys, file, known[one]) for file in found.get(one, [])] for one in ids]


async def _keys(
    tx: Connection, call: Call, files: Iterable[SealedAttachment]
) -> dict[OrganizationId, Keys]:
    owners = {file.organization_id for file in files}
    return await call.peers.vault.of(tx, owners) if owners else {}


def _named(
    keys: Mapping[OrganizationId, Keys], found: SealedAttachment, referral: Referral
) -> NamedAttachment:
    name = keys[found.organization_id].open(found.sealed, found.id, FILE_NAME)
    return NamedAttachment(found, str(name), referral)


def _field(attachment: Attachment) -> str:
    return f"attachment {attachment.id}"


# New keys -------------------------------------------------------------------------------------------------------------

NAMES_AT_ONCE: Final = 160
"""Names of files that are sealed anew in one transaction."""


async def reseal(tx: Connection, call: Call, keys: Keys) -> int:
    """Seal anew some of what an older key of the organization holds of files in rows. Answers how many boxes; 0 when none is left."""
    names = await store.lock_names_before(tx, keys.organization_id, keys.newest, NAMES_AT_ONCE)
    for file in names:
        name = keys.open(file.sealed, file.id, FILE_NAME)
        await store.reseal_name(tx, file.id, keys.seal(name, file.id, FILE_NAME))
    return len(names) + await pieces.reseal(tx, call, keys)
