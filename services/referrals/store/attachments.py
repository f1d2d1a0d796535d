"""SQL of files that go with a referral, and of the sealed pieces they are kept in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kit import db
from kit.db import Connection
from services.referrals.domain import (
    Attachment,
    AttachmentId,
    OrganizationId,
    ReferralId,
    Sealed,
    SealedAttachment,
    UserId,
)

# $1 the viewer's organization: the sender reads all, a receiver what the sender attached and what was attached while it had the
# referral.
_READABLE = """
FROM attachments a JOIN referrals r ON r.id = a.referral_id
WHERE a.kept_at IS NOT NULL AND (r.sending_organization_id = $1 OR a.side = 'SENDING' OR EXISTS (SELECT FROM hops h
    WHERE h.referral_id = a.referral_id AND h.hop = a.hop AND h.organization_id = $1))
"""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a file, closed; `last` when no more follow."""

    attachment_id: AttachmentId
    number: int
    last: bool
    organization_id: OrganizationId
    key_number: int
    box: bytes

    @property
    def sealed(self) -> Sealed:
        """The bytes, closed."""
        return Sealed(self.organization_id, self.key_number, self.box)


async def begin(tx: Connection, attachment: Attachment, name: Sealed) -> None:
    """A file begins to arrive."""
    await db.run(
        tx,
        "INSERT INTO attachments (id, referral_id, hop, side, media_type, bytes, pieces, by_user_id, by_organization_id,"
        " begun_at, organization_id, key_number, box) VALUES ($1, $2, $3, $4, $5, 0, 0, $6, $7, $8, $9, $10, $11)",
        attachment.id,
        attachment.referral_id,
        attachment.hop,
        attachment.side,
        attachment.media_type,
        attachment.by_user_id,
        attachment.by_organization_id,
        attachment.begun_at,
        name.organization_id,
        name.key_number,
        name.box,
    )


async def add_piece(tx: Connection, attachment: Attachment, number: int, sealed: Sealed) -> None:
    """The next bytes of a file that is arriving."""
    await db.run(
        tx,
        "INSERT INTO attachment_pieces VALUES ($1, $2, $3, $4, $5, $6)",
        attachment.id,
        number,
        attachment.referral_id,
        sealed.organization_id,
        sealed.key_number,
        sealed.box,
    )


async def keep(tx: Connection, attachment: Attachment) -> None:
    """The file has arrived, and is seen from now on, on the hop and the side it is attached to now. LookupError when it has been
    given up meanwhile."""
    kept = await db.run(
        tx,
        "UPDATE attachments SET bytes = $2, pieces = $3, kept_at = $4, hop = $5, side = $6 WHERE id = $1 AND kept_at IS NULL",
        attachment.id,
        attachment.bytes,
        attachment.pieces,
        attachment.kept_at,
        attachment.hop,
        attachment.side,
    )
    if kept != 1:
        raise LookupError("an attachment was given up while it arrived")


async def drop(tx: Connection, attachment_id: AttachmentId) -> None:
    """Forget a file and all its pieces."""
    await db.run(tx, "DELETE FROM attachments WHERE id = $1", attachment_id)


async def give_up(tx: Connection, attachment_id: AttachmentId) -> None:
    """Forget a file that will not arrive. One that was kept stays, whatever its sender has heard of that."""
    await db.run(tx, "DELETE FROM attachments WHERE id = $1 AND kept_at IS NULL", attachment_id)


# any-organization: a job gives up what never arrived
async def drop_arriving(tx: Connection, before: datetime) -> int:
    """Forget the files that began to arrive before a moment and never did. Answers how many."""
    return await db.run(
        tx, "DELETE FROM attachments WHERE kept_at IS NULL AND begun_at < $1", before
    )


# any-organization: counted under the referral's lock, by whom its policy let attach
async def count(tx: Connection, referral_id: ReferralId) -> int:
    """How many files a referral has."""
    found: int = await db.value(
        tx,
        "SELECT count(*) FROM attachments WHERE referral_id = $1 AND kept_at IS NOT NULL",
        referral_id,
    )
    return found


async def count_arriving(
    tx: Connection, organization_id: OrganizationId, user_id: UserId, since: datetime
) -> int:
    """How many files of a user have begun to arrive since a moment, and have not yet."""
    found: int = await db.value(
        tx,
        "SELECT count(*) FROM attachments WHERE by_organization_id = $1 AND by_user_id = $2 AND kept_at IS NULL AND begun_at >= $3",
        organization_id,
        user_id,
        since,
    )
    return found


async def of(
    tx: Connection, organization_id: OrganizationId, referral_ids: Sequence[ReferralId]
) -> dict[ReferralId, list[SealedAttachment]]:
    """What the organization may read of each of these referrals' files, oldest first."""
    rows = await db.many(
        tx,
        SealedAttachment,
        f"SELECT a.* {_READABLE} AND a.referral_id = ANY($2) ORDER BY a.kept_at, a.id",
        organization_id,
        referral_ids,
    )
    found: dict[ReferralId, list[SealedAttachment]] = {one: [] for one in referral_ids}
    for one in rows:
        found[one.referral_id].append(one)
    return found


async def readable(
    tx: Connection, organization_id: OrganizationId, attachment_id: AttachmentId
) -> SealedAttachment | None:
    """A file the organization may read, as long as somebody of it sees the referral."""
    return await db.maybe(
        tx,
        SealedAttachment,
        f"SELECT a.* {_READABLE} AND a.id = $2",
        organization_id,
        attachment_id,
    )


# any-organization: asked only for files whose referral's policy answered FULL
async def piece(tx: Connection, attachment_id: AttachmentId, number: int) -> Piece | None:
    """One piece of a file."""
    return await db.maybe(
        tx, Piece, f"{_PIECES} WHERE p.attachment_id = $1 AND p.number = $2", attachment_id, number
    )


# New keys -------------------------------------------------------------------------------------------------------------

_PIECES = (
    "SELECT p.*, a.kept_at IS NOT NULL AND p.number = a.pieces - 1 AS last"
    " FROM attachment_pieces p JOIN attachments a ON a.id = p.attachment_id"
)


async def lock_names_before(
    tx: Connection, organization_id: OrganizationId, number: int, limit: int
) -> list[SealedAttachment]:
    """Files whose names are sealed with an older key of the organization than that, locked."""
    return await db.many(
        tx,
        SealedAttachment,
        "SELECT * FROM attachments WHERE organization_id = $1 AND key_number < $2 ORDER BY id LIMIT $3 FOR UPDATE",
        organization_id,
        number,
        limit,
    )


async def lock_pieces_before(
    tx: Connection, organization_id: OrganizationId, number: int, limit: int
) -> list[Piece]:
    """Pieces of kept files sealed with an older key of the organization than that, locked."""
    return await db.many(
        tx,
        Piece,
        f"{_PIECES} WHERE p.organization_id = $1 AND p.key_number < $2 AND a.kept_at IS NOT NULL"
        " ORDER BY p.attachment_id, p.number LIMIT $3 FOR UPDATE OF p",
        organization_id,
        number,
        limit,
    )


async def reseal_name(tx: Connection, attachment_id: AttachmentId, sealed: Sealed) -> None:
    """The same name in a new box."""
    await db.run(
        tx,
        "UPDATE attachments SET key_number = $2, box = $3 WHERE id = $1",
        attachment_id,
        sealed.key_number,
        sealed.box,
    )


async def reseal_piece(tx: Connection, piece: Piece, sealed: Sealed) -> None:
    """The same bytes in a new box."""
    await db.run(
        tx,
        "UPDATE attachment_pieces SET key_number = $3, box = $4 WHERE attachment_id = $1 AND number = $2",
        piece.attachment_id,
        piece.number,
        sealed.key_number,
        sealed.box,
    )


async def arriving_before(tx: Connection, organization_id: OrganizationId, number: int) -> bool:
    """Whether something that is still arriving is sealed with an older key of the organization than that."""
    found: bool = await db.value(
        tx,
        "SELECT EXISTS (SELECT FROM attachment_pieces WHERE organization_id = $1 AND key_number < $2)",
        organization_id,
        number,
    )
    return found
