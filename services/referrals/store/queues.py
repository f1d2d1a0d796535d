"""SQL of lists: work queues, their counts, and open work."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from kit import db
from kit.db import Connection
from services.referrals.domain import (
    OpenItem,
    OrganizationId,
    Queue,
    QueueCounts,
    QueueKind,
    Referral,
    ReferralId,
    Subject,
    UserId,
)

MOST_COUNTED: Final = 1000
"""The archive grows for ever: it is counted so far and no further."""

# $1 organization, $2 office, $3 group, $4 user, $5 now. A provider removed from the organization takes the side with it (R14).
_SIDE: Final = """r.{side}_organization_id = $1 AND NOT EXISTS (SELECT FROM removed_providers x
    WHERE x.organization_id = $1 AND x.provider_id = r.{side}_provider_id)"""
_SENDS: Final = _SIDE.format(side="sending")
_RECEIVES: Final = "r.sent_at IS NOT NULL AND " + _SIDE.format(side="receiving")

# What has not ended, which the indexes find by status, however much has.
_OPEN_QUEUES: Final = f"""
WITH near AS (
    SELECT r.*,
        {_SENDS} AND (r.sending_office_id = $2 OR r.sending_group_id = $3) AS sends,
        {_RECEIVES} AND (r.receiving_office_id = $2 OR r.receiving_group_id = $3) AS receives,
        EXISTS (SELECT FROM archived a WHERE a.user_id = $4 AND a.referral_id = r.id) AS put_away
    FROM referrals r
    WHERE (r.sending_organization_id = $1 AND r.sending_office_id = $2
        OR r.sending_organization_id = $1 AND r.sending_group_id = $3
        OR r.receiving_organization_id = $1 AND r.receiving_office_id = $2
        OR r.receiving_organization_id = $1 AND r.receiving_group_id = $3)
        AND r.status IN ('DRAFT', 'PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP', 'DECLINED')
), placed AS (
    SELECT near.*, array_remove(ARRAY[
        CASE WHEN sends AND status IN ('DRAFT', 'DECLINED')
            OR receives AND (status IN ('PENDING', 'FOLLOW_UP') OR status = 'IN_PROGRESS' AND callback_at <= $5)
            THEN 'REQUIRES_REVIEW' END,
        CASE WHEN sends THEN 'SENT' END,
        CASE WHEN receives THEN 'RECEIVED' END], NULL) AS queues
    FROM near WHERE (sends OR receives) AND NOT put_away
)
"""  # noqa: S608 - constants of this file
_PAGE: Final = (
    _OPEN_QUEUES  # noqa: S608 - constants of this file
    + "SELECT * FROM placed WHERE $6 = ANY (queues) AND ($7::uuid IS NULL OR id < $7) ORDER BY id DESC LIMIT $8"
)

# The newest that ended, by each way they are found, and what the user put away. $5 after, $6 limit.
_ENDED: Final = """
(SELECT r.id FROM referrals r WHERE {side} AND r.{column} = {asked} AND r.status = '{status}'
    AND ($5::uuid IS NULL OR r.id < $5) ORDER BY r.id DESC LIMIT $6)
"""
_PUT_AWAY: Final = f"""
(SELECT r.id FROM archived a JOIN referrals r ON r.id = a.referral_id WHERE a.user_id = $4
    AND ({_SENDS} AND (r.sending_office_id = $2 OR r.sending_group_id = $3)
        OR {_RECEIVES} AND (r.receiving_office_id = $2 OR r.receiving_group_id = $3))
    AND ($5::uuid IS NULL OR a.referral_id < $5) ORDER BY a.referral_id DESC LIMIT $6)
"""  # noqa: S608 - constants of this file
_IN_ARCHIVE: Final = " UNION ".join(
    [
        _ENDED.format(side=side, column=column, asked=asked, status=status)
        for side, name in ((_SENDS, "sending"), (_RECEIVES, "receiving"))
        for column, asked in ((f"{name}_office_id", "$2"), (f"{name}_group_id", "$3"))
        for status in ("COMPLETED", "CANCELLED")
    ]
    + [_PUT_AWAY]
)
_ARCHIVE_PAGE: Final = f"""
SELECT * FROM referrals WHERE id IN (SELECT id FROM ({_IN_ARCHIVE}) AS found ORDER BY id DESC LIMIT $6) ORDER BY id DESC
"""  # noqa: S608 - constants of this file
_ARCHIVE_COUNT: Final = (
    f"SELECT count(*) FROM (SELECT id FROM ({_IN_ARCHIVE}) AS found LIMIT $6) AS counted"  # noqa: S608 - constants of this file
)
_COUNTS: Final = (
    _OPEN_QUEUES
    + """SELECT
    count(*) FILTER (WHERE 'REQUIRES_REVIEW' = ANY (queues)) AS requires_review,
    count(*) FILTER (WHERE 'SENT' = ANY (queues)) AS sent,
    count(*) FILTER (WHERE 'RECEIVED' = ANY (queues)) AS received,
    0 AS archive
FROM placed"""
)


async def queue_page(
    tx: Connection,
    organization_id: OrganizationId,
    user_id: UserId,
    queue: tuple[Queue, QueueKind, datetime],
    page: tuple[ReferralId | None, int],
) -> list[Referral]:
    """The referrals of a queue as of a moment, newest first, after an id, so many."""
    whose, kind, now = queue
    asker = (organization_id, whose.office_id, whose.group_id, user_id)
    if kind is QueueKind.ARCHIVE:
        return await db.many(tx, Referral, _ARCHIVE_PAGE, *asker, *page)
    return await db.many(tx, Referral, _PAGE, *asker, now, kind, *page)


async def queue_counts(
    tx: Connection, organization_id: OrganizationId, user_id: UserId, queue: Queue, now: datetime
) -> QueueCounts:
    """How many referrals stand in each of the four queues; of the archive at most `MOST_COUNTED`."""
    asker = (organization_id, queue.office_id, queue.group_id, user_id)
    counts = await db.one(tx, QueueCounts, _COUNTS, *asker, now)
    archive: int = await db.value(tx, _ARCHIVE_COUNT, *asker, None, MOST_COUNTED)
    return replace(counts, archive=archive)


async def put_away(tx: Connection, user_id: UserId, referral_id: ReferralId, at: datetime) -> None:
    """Archive a referral for one user."""
    await db.run(
        tx,
        "INSERT INTO archived VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        user_id,
        referral_id,
        at,
    )


async def take_back(tx: Connection, user_id: UserId, referral_id: ReferralId) -> None:
    """Take a referral out of one user's archive."""
    await db.run(
        tx, "DELETE FROM archived WHERE user_id = $1 AND referral_id = $2", user_id, referral_id
    )


# any-organization: a user's own archive
async def archived_by(
    tx: Connection, user_id: UserId, ids: Sequence[ReferralId]
) -> frozenset[ReferralId]:
    """Which of these referrals the user has archived."""
    rows = await tx.fetch(
        "SELECT referral_id FROM archived WHERE user_id = $1 AND referral_id = ANY($2)",
        user_id,
        ids,
    )
    return frozenset(ReferralId(row["referral_id"]) for row in rows)


# Open work ------------------------------------------------------------------------------------------------------------

# $1 organization, $2 subjects. A referral that is open on both sides is told once per subject, as received.
_OPEN: Final = """
WITH open_work AS (
    SELECT id, status, receiving_{column} AS subject_id, 'RECEIVING' AS side, receiving_office_id AS office_id
    FROM referrals WHERE receiving_organization_id = $1 AND receiving_{column} = ANY ($2)
        AND status IN ('PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP')
    UNION ALL
    SELECT id, status, sending_{column}, 'SENDING', sending_office_id
    FROM referrals WHERE sending_organization_id = $1 AND sending_{column} = ANY ($2)
        AND status IN ('DRAFT', 'PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP', 'DECLINED')
), told AS (
    SELECT DISTINCT ON (subject_id, id) * FROM open_work ORDER BY subject_id, id, side
)
"""
_COLUMNS: Final = {
    Subject.PROVIDER: "provider_id",
    Subject.OFFICE: "office_id",
    Subject.GROUP: "group_id",
}
_ITEMS: Final = {
    kind: _OPEN.format(column=column)  # noqa: S608 - constants of this file
    + "SELECT id AS referral_id, status, side, office_id FROM told ORDER BY id LIMIT $3"
    for kind, column in _COLUMNS.items()
}
_TALLY: Final = {
    kind: _OPEN.format(column=column)  # noqa: S608 - constants of this file
    + "SELECT subject_id, office_id, count(*) AS total FROM told GROUP BY subject_id, office_id"
    for kind, column in _COLUMNS.items()
}


async def open_items(
    tx: Connection,
    organization_id: OrganizationId,
    kind: Subject,
    subject_id: UUID,
    limit: int,
) -> list[OpenItem]:
    """Open work of the organization with the subject on either side, oldest first."""
    return await db.many(tx, OpenItem, _ITEMS[kind], organization_id, [subject_id], limit)


async def open_tally(
    tx: Connection, organization_id: OrganizationId, kind: Subject, subject_ids: Sequence[UUID]
) -> dict[UUID, dict[UUID, int]]:
    """How much open work each subject has, per office of the organization; absent: none."""
    rows = await tx.fetch(_TALLY[kind], organization_id, subject_ids)
    found: dict[UUID, dict[UUID, int]] = {}
    for row in rows:
        found.setdefault(row["subject_id"], {})[row["office_id"]] = row["total"]
    return found
