"""SQL of messages between the two sides, and of how far each user has read."""

from collections.abc import Sequence

from kit import db
from kit.db import Connection
from services.referrals.domain import (
    Message,
    MessageId,
    OrganizationId,
    ReferralId,
    Sealed,
    SealedMessage,
    UserId,
)

# $1 referrals, $2 the viewer's organization: the sender reads all, a receiver what was said while it was there.
_READABLE = """
FROM messages m JOIN referrals r ON r.id = m.referral_id
WHERE m.referral_id = ANY ($1) AND (r.sending_organization_id = $2 OR EXISTS (SELECT FROM hops h
    WHERE h.referral_id = m.referral_id AND h.hop = m.hop AND h.organization_id = $2))
"""


async def add(tx: Connection, message: Message, sealed: Sealed) -> None:
    """Keep a message, closed."""
    await db.run(
        tx,
        "INSERT INTO messages (id, referral_id, hop, side, by_user_id, by_organization_id, said_at, organization_id,"
        " key_number, box) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        message.id,
        message.referral_id,
        message.hop,
        message.side,
        message.by_user_id,
        message.by_organization_id,
        message.said_at,
        sealed.organization_id,
        sealed.key_number,
        sealed.box,
    )


async def page(
    tx: Connection,
    organization_id: OrganizationId,
    referral_id: ReferralId,
    part: tuple[MessageId | None, int],
) -> list[SealedMessage]:
    """What the organization may read of a referral's messages: newest first, after one, so many."""
    return await db.many(
        tx,
        SealedMessage,
        f"SELECT m.* {_READABLE} AND ($3::uuid IS NULL OR m.id < $3) ORDER BY m.id DESC LIMIT $4",
        [referral_id],
        organization_id,
        *part,
    )


async def unread(
    tx: Connection,
    organization_id: OrganizationId,
    user_id: UserId,
    referral_ids: Sequence[ReferralId],
) -> dict[ReferralId, int]:
    """How many messages of others each referral has that the user has not read; absent: none."""
    rows = await tx.fetch(
        f"SELECT m.referral_id, count(*) AS total {_READABLE} AND m.by_user_id <> $3 AND m.id > coalesce((SELECT d.until"  # noqa: S608 - a constant of this file
        " FROM messages_read d WHERE d.user_id = $3 AND d.referral_id = m.referral_id), '00000000-0000-0000-0000-000000000000')"
        " GROUP BY m.referral_id",
        referral_ids,
        organization_id,
        user_id,
    )
    return {ReferralId(row["referral_id"]): row["total"] for row in rows}


async def note_read(
    tx: Connection, user_id: UserId, referral_id: ReferralId, until: MessageId
) -> None:
    """The user has read up to that message; never back again."""
    await db.run(
        tx,
        "INSERT INTO messages_read VALUES ($1, $2, $3) ON CONFLICT (user_id, referral_id) DO UPDATE SET"
        " until = greatest(messages_read.until, excluded.until)",
        user_id,
        referral_id,
        until,
    )


# any-organization: a job seals anew whatever an older key holds
async def all_of(tx: Connection, referral_id: ReferralId) -> list[SealedMessage]:
    """Every message of a referral."""
    return await db.many(
        tx, SealedMessage, "SELECT * FROM messages WHERE referral_id = $1", referral_id
    )


async def reseal(tx: Connection, message_id: MessageId, sealed: Sealed) -> None:
    """The same message in a new box."""
    await db.run(
        tx,
        "UPDATE messages SET key_number = $2, box = $3 WHERE id = $1",
        message_id,
        sealed.key_number,
        sealed.box,
    )
