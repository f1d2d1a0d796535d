"""SQL of files that go with a referral; `pieces` has what they are kept in."""

from collections.abc import Sequence
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


async def lock_arriving(tx: Connection, user_id: UserId) -> None:
    """No other file of the user begins to arrive before this transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"arriving {user_id}")


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


# New keys -------------------------------------------------------------------------------------------------------------


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


async def reseal_name(tx: Connection, attachment_id: AttachmentId, sealed: Sealed) -> None:
    """The same name in a new box."""
    await db.run(
        tx,
        "UPDATE attachments SET key_number = $2, box = $3 WHERE id = $1",
        attachment_id,
        sealed.key_number,
        sealed.box,
    )
