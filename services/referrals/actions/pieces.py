"""Where the pieces of files lie: in rows, or in objects of an S3-compatible store.

A row names an object before it is put, and an object that no row names any more is remembered until the store has forgotten it: so
whatever ends in between, no file that is seen is without its bytes, and no bytes are without somebody who knows of them.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from kit.db import Connection
from kit.errors import Unavailable
from kit.objects import Objects
from services.referrals.actions.peers import Call
from services.referrals.actions.vault import Keys, piece_of
from services.referrals.domain import Attachment, AttachmentId, OrganizationId, Sealed
from services.referrals.store import pieces as store
from services.referrals.store.pieces import LooseObject, Piece

log = logging.getLogger(__name__)

PIECE_BYTES: Final = 256 * 1024
_MOST_BYTES: Final = PIECE_BYTES + 1024
"""A piece with what sealing adds to it."""

IN_FLIGHT: Final = timedelta(minutes=20)
"""After so long the store accepts nothing that we asked of it before: a signature is good for 15 minutes."""

_AGAIN: Final = timedelta(minutes=1)
_AT_ONCE: Final = 200
_FAILURES: Final = 3
"""After so many in a row the store is left alone until the job comes again."""


# Coming in and going out ----------------------------------------------------------------------------------------------


async def put_away(
    tx: Connection, call: Call, attachment: Attachment, number: int, sealed: Sealed
) -> UUID | None:
    """Write down the next piece of a file. Of one that is to lie in an object answers the name: `put` it when this is committed."""
    into = uuid4() if call.peers.files.new_in_objects else None
    await store.add(tx, attachment, number, sealed, into)
    return into


async def put(call: Call, into: UUID, sealed: Sealed) -> None:
    """Put what lies in an object there; Unavailable when the store does not take it."""
    await _objects(call).put(str(into), sealed.box)


async def box_of(call: Call, piece: Piece) -> bytes | None:
    """A piece's box, wherever it lies; None when its object is not there. Unavailable when nobody can say."""
    if piece.object is None:
        return piece.box
    return await _objects(call).get(str(piece.object), _MOST_BYTES)


def _objects(call: Call) -> Objects:
    found = call.peers.files.objects
    if found is None:
        log.error("a file lies in an object store, and none is set")
        raise Unavailable(
            "This file cannot be had at the moment.",
            code="FILE_STORE_AWAY",
            remedy="Ask who runs the suite.",
        )
    return found


# New keys -------------------------------------------------------------------------------------------------------------

RESEALED_AT_ONCE: Final = 16
"""Pieces that are sealed anew in one transaction: some megabytes."""

MOVED_AT_ONCE: Final = 10_000
"""Pieces whose names are held while they move, one after another."""


async def reseal(tx: Connection, call: Call, keys: Keys) -> int:
    """Seal anew, in their rows, some of the pieces there that an older key holds. Answers how many."""
    if call.peers.files.new_in_objects:
        return 0
    found = await store.lock_before(tx, keys.organization_id, keys.newest, RESEALED_AT_ONCE)
    for piece in found:
        await store.reseal(tx, piece, _sealed_anew(keys, piece, piece.box or b""))
    return len(found)


async def reseal_objects(call: Call, organization_id: OrganizationId) -> int:
    """Seal anew the pieces that lie in objects, or are to from now on, where new files go. The row names the new place only when the
    new box is there, and the old one goes after that. Answers how many; one that fails keeps no other waiting."""
    done, failures = 0, list[Exception]()
    for attachment_id, number in await _with_old_keys(call, organization_id):
        try:
            await _move(call, attachment_id, number)
            done += 1
        except RuntimeError as error:  # it is lost, or does not open
            failures.append(error)
    if failures:
        raise ExceptionGroup("pieces of files were not sealed anew", failures)
    return done


async def _with_old_keys(
    call: Call, organization_id: OrganizationId
) -> Sequence[tuple[AttachmentId, int]]:
    async with call.db.reading() as tx:
        keys = (await call.peers.vault.of(tx, [organization_id]))[organization_id]
        return await store.before(tx, organization_id, keys.newest, MOVED_AT_ONCE)


async def _move(call: Call, attachment_id: AttachmentId, number: int) -> None:
    async with call.db.reading() as tx:
        piece = await store.piece(tx, attachment_id, number)
        if piece is None:
            return
        keys = (await call.peers.vault.of(tx, [piece.organization_id]))[piece.organization_id]
    box = await box_of(call, piece)
    if box is None:
        raise RuntimeError("an object of an attachment is gone")
    sealed = _sealed_anew(keys, piece, box)
    if not call.peers.files.new_in_objects:
        async with call.db.transaction() as tx:
            await store.reseal(tx, piece, sealed)
        return
    into = uuid4()
    async with call.db.transaction() as tx:
        if not await store.intend(tx, piece, into):
            return
    await put(call, into, sealed)
    async with call.db.transaction() as tx:
        await store.settle(tx, piece, into, sealed.key_number)


def _sealed_anew(keys: Keys, piece: Piece, box: bytes) -> Sealed:
    use = piece_of(piece.number, last=piece.last)
    return keys.seal_bytes(
        keys.open_bytes(piece.closed(box), piece.attachment_id, use), piece.attachment_id, use
    )


# What no row names ----------------------------------------------------------------------------------------------------


async def drop_loose(call: Call) -> int:
    """Have the store forget the objects that no row names any more. Answers how many it has now forgotten. Each is deleted once more
    when nothing can still be on its way to the store; what it does not delete is asked again."""
    done, failures = 0, 0
    while due := await _due(call):
        for loose in due:
            try:
                await _delete(call, loose)
            except Unavailable:
                failures += 1
                if failures == _FAILURES:
                    raise
            else:
                failures, done = 0, done + 1
    return done


async def _due(call: Call) -> list[LooseObject]:
    async with call.db.reading() as tx:
        return await store.due(tx, call.clock.now(), _AT_ONCE)


async def _delete(call: Call, loose: LooseObject) -> None:
    now = call.clock.now()
    async with call.db.transaction() as tx:  # should it fail, others come first
        await store.postpone(tx, loose, now + _AGAIN, gone=False)
    await _objects(call).delete(str(loose.id))
    async with call.db.transaction() as tx:
        if loose.gone:
            await store.forget(tx, loose)
        else:
            await store.postpone(tx, loose, now + IN_FLIGHT, gone=True)


async def count_strangers(call: Call) -> int:
    """How many objects the store has where ours are that nobody knows; they are reported and left alone: whose they are is for people
    to find out."""
    objects = call.peers.files.objects
    if objects is None:
        return 0
    strangers = 0
    async for names in objects.names():
        ids = [found for name in names if (found := _id_of(name)) is not None]
        async with call.db.reading() as tx:
            unknown = await store.unknown(tx, ids)
        strangers += len(unknown) + len(names) - len(ids)
    if strangers:
        log.warning("the object store holds what no file names", extra={"objects": strangers})
    return strangers


def _id_of(name: str) -> UUID | None:
    try:
        found = UUID(name)
    except ValueError:
        return None
    return found if str(found) == name else None


async def can_be_had(call: Call) -> bool:
    """Whether files that lie in objects can be had now, and new ones kept there."""
    objects = call.peers.files.objects
    if objects is not None:
        return await objects.answers()
    async with call.db.reading() as tx:
        return not await store.any_object(tx)
