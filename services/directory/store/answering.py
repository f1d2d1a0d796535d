"""How soon receivers answer: counted anew whenever one does, and once a day as old answers pass out of the count."""

from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection

_COUNTED = """SELECT coalesce(h.group_id, h.provider_id), h.office_id, count(*),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM h.acknowledged_at - h.sent_at)) / 3600
    FROM answers_heard h
    WHERE h.sent_at >= $1 AND h.acknowledged_at >= h.sent_at AND coalesce(h.group_id, h.provider_id) IS NOT NULL"""
_KEPT = """ON CONFLICT (receiver_id, office_id)
    DO UPDATE SET answered = excluded.answered, median_hours = excluded.median_hours"""


async def count(tx: Connection, referral_id: UUID, hop: int, since: datetime) -> None:
    """Count what the receiver of this hop has answered of what was sent since then."""  # any-organization: by the referral that was told
    receiver = await tx.fetchrow(
        """SELECT coalesce(group_id, provider_id) AS id, office_id FROM answers_heard
            WHERE referral_id = $1 AND hop = $2""",
        referral_id,
        hop,
    )
    if receiver is not None:
        await db.run(
            tx,
            f"""INSERT INTO answering {_COUNTED} AND coalesce(h.group_id, h.provider_id) = $2 AND h.office_id = $3
                GROUP BY 1, 2 {_KEPT}""",
            since,
            receiver["id"],
            receiver["office_id"],
        )


async def recount(tx: Connection, since: datetime) -> None:
    """Count anew for everybody, and forget those who have answered nothing that was sent since then."""  # any-organization: the job counts for all
    await db.run(
        tx,
        """DELETE FROM answering a WHERE NOT EXISTS (
            SELECT FROM answers_heard h WHERE coalesce(h.group_id, h.provider_id) = a.receiver_id
                AND h.office_id = a.office_id AND h.sent_at >= $1 AND h.acknowledged_at >= h.sent_at)""",
        since,
    )
    await db.run(tx, f"INSERT INTO answering {_COUNTED} GROUP BY 1, 2 ORDER BY 1, 2 {_KEPT}", since)
