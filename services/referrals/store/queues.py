"""SQL of lists: work queues, their counts, and open work."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from kit import db
from kit.db import Connection
from services.referrals.domain import (
    ACKNOWLEDGE_DAYS,
    DECIDE_DAYS,
    OpenItem,
    OrganizationId,
    Place,
    Queue,
    QueueCounts,
    QueueKind,
    QueueOrder,
    Reading,
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
WITH leaving AS MATERIALIZED (
    SELECT provider_id FROM offboarding_cases WHERE organization_id = $1 AND closed_at IS NULL
), near AS (
    SELECT r.*,
        {_SENDS} AND (r.sending_office_id = $2 OR r.sending_group_id = $3) AS sends,
        {_RECEIVES} AND (r.receiving_office_id = $2 OR r.receiving_group_id = $3) AS receives,
        EXISTS (SELECT FROM archived a WHERE a.user_id = $4 AND a.referral_id = r.id) AS put_away,
        r.sending_organization_id = $1 AND r.sending_provider_id IN (SELECT provider_id FROM leaving) AS sender_leaves,
        r.receiving_organization_id = $1 AND r.receiving_provider_id IN (SELECT provider_id FROM leaving)
            AND r.status <> 'DECLINED' AS receiver_leaves
    FROM referrals r
    WHERE (r.sending_organization_id = $1 AND r.sending_office_id = $2
        OR r.sending_organization_id = $1 AND r.sending_group_id = $3
        OR r.receiving_organization_id = $1 AND r.receiving_office_id = $2
        OR r.receiving_organization_id = $1 AND r.receiving_group_id = $3)
        AND r.status IN ('DRAFT', 'PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP', 'DECLINED')
), placed AS (
    SELECT near.*, array_remove(ARRAY[
        CASE WHEN sends AND (sender_leaves OR status IN ('DRAFT', 'DECLINED') OR externally_managed AND (
                status IN ('PENDING', 'FOLLOW_UP') OR status = 'IN_PROGRESS' AND callback_at <= $5))
            OR receives AND (receiver_leaves OR status IN ('PENDING', 'FOLLOW_UP') OR status = 'IN_PROGRESS' AND callback_at <= $5)
            THEN 'REQUIRES_REVIEW' END,
        CASE WHEN sends THEN 'SENT' END,
        CASE WHEN receives THEN 'RECEIVED' END], NULL) AS queues
    FROM near WHERE (sends OR receives) AND NOT put_away
)
"""  # noqa: S608 - constants of this file

# What is left out of a filter does not matter: {0} statuses, {1} urgencies, {2} specialty, {3} provider, {4} who claimed it,
# {5} unclaimed, {6} overdue, {7} now, {8} and {9} the product's days, {10} open with somebody of $1 who
# leaves, {11} externally managed.
_FILTER: Final = """
    (${0}::referral_status[] IS NULL OR r.status = ANY (${0})) AND (${1}::urgency[] IS NULL OR r.urgency = ANY (${1}))
    AND (${2}::text IS NULL OR r.specialty_code = ${2})
    AND (${3}::uuid IS NULL OR ${3} IN (r.sending_provider_id, r.receiving_provider_id))
    AND (${4}::uuid IS NULL OR r.claimed_by = ${4}) AND (NOT ${5} OR r.claimed_by IS NULL)
    AND (NOT ${6} OR r.received_at < ${7}::timestamptz - make_interval(days => coalesce((
        SELECT CASE r.status WHEN 'PENDING' THEN t.acknowledge_days ELSE t.decide_days END
        FROM targets t WHERE t.organization_id = r.receiving_organization_id
        ), CASE r.status WHEN 'PENDING' THEN ${8}::integer ELSE ${9}::integer END))
        AND r.status IN ('PENDING', 'IN_PROGRESS'))
    AND (NOT ${10} OR EXISTS (SELECT FROM offboarding_cases c WHERE c.organization_id = $1 AND c.closed_at IS NULL AND (
        r.receiving_organization_id = $1 AND r.receiving_provider_id = c.provider_id
            AND r.status IN ('PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP')
        OR r.sending_organization_id = $1 AND r.sending_provider_id = c.provider_id
            AND r.status NOT IN ('COMPLETED', 'CANCELLED'))))
    AND (NOT ${11} OR r.externally_managed)
"""

# $6 queue, $7 after, $8 its moment, $9 limit, then the filter's.
_NO_MOMENT: Final = datetime(9999, 12, 31, tzinfo=UTC)
_ORDERS: Final = {
    QueueOrder.NEWEST: ("($7::uuid IS NULL OR r.id < $7) AND $8::timestamptz IS NULL", "r.id DESC"),
    QueueOrder.OLDEST: ("($7::uuid IS NULL OR r.id > $7) AND $8::timestamptz IS NULL", "r.id"),
    QueueOrder.LONGEST_WAITING: (
        "($7::uuid IS NULL OR (coalesce(r.received_at, r.created_at), r.id) > ($8::timestamptz, $7))",
        "coalesce(r.received_at, r.created_at), r.id",
    ),
    QueueOrder.APPOINTMENT: (
        "($7::uuid IS NULL OR (coalesce(r.appointment_at, '9999-12-31Z'), r.id) > ($8::timestamptz, $7))",
        "coalesce(r.appointment_at, '9999-12-31Z'), r.id",
    ),
}
_PAGES: Final = {
    order: f"{_OPEN_QUEUES}SELECT * FROM placed r WHERE $6 = ANY (queues) AND {after} AND {_FILTER.format(*range(10, 22))}"  # noqa: S608 - constants of this file
    f" ORDER BY {by} LIMIT $9"
    for order, (after, by) in _ORDERS.items()
}

# The newest that ended, by each way they are found, and what the user put away. $5 after, $6 limit.
_ENDED: Final = """
(SELECT r.id FROM referrals r WHERE {side} AND r.{column} = {asked} AND r.status = '{status}'
    AND ($5::uuid IS NULL OR r.id < $5) AND {narrowed} ORDER BY r.id DESC LIMIT $6)
"""
_PUT_AWAY: Final = f"""
(SELECT r.id FROM archived a JOIN referrals r ON r.id = a.referral_id WHERE a.user_id = $4
    AND ({_SENDS} AND (r.sending_office_id = $2 OR r.sending_group_id = $3)
        OR {_RECEIVES} AND (r.receiving_office_id = $2 OR r.receiving_group_id = $3))
    AND ($5::uuid IS NULL OR a.referral_id < $5) AND {{narrowed}} ORDER BY a.referral_id DESC LIMIT $6)
"""  # noqa: S608 - constants of this file


def _in_archive(narrowed: str) -> str:
    """The archive's newest, each found by its own index and narrowed there."""
    ended = [
        _ENDED.format(side=side, column=column, asked=asked, status=status, narrowed=narrowed)
        for side, name in ((_SENDS, "sending"), (_RECEIVES, "receiving"))
        for column, asked in ((f"{name}_office_id", "$2"), (f"{name}_group_id", "$3"))
        for status in ("COMPLETED", "CANCELLED")
    ]
    return " UNION ".join([*ended, _PUT_AWAY.format(narrowed=narrowed)])


_ARCHIVE_PAGE: Final = (
    f"SELECT * FROM referrals WHERE id IN (SELECT id FROM ({_in_archive(_FILTER.format(*range(7, 19)))}) AS found"  # noqa: S608 - constants of this file
    " ORDER BY id DESC LIMIT $6) ORDER BY id DESC"
)
_ARCHIVE_COUNT: Final = (
    f"SELECT count(*) FROM (SELECT id FROM ({_in_archive('true')}) AS found LIMIT $6) AS counted"  # noqa: S608 - constants of this file
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


def _of_provider(sql: str) -> str:
    """The same of a provider's own queue: $3 is the provider, and by an index of its own found."""
    for side in ("sending", "receiving"):
        sql = sql.replace(f"r.{side}_group_id = $3", f"r.{side}_provider_id = $3")
    return sql


_PAGES_OF_PROVIDER: Final = {order: _of_provider(sql) for order, sql in _PAGES.items()}
_ARCHIVE_PAGE_OF_PROVIDER: Final = _of_provider(_ARCHIVE_PAGE)
_ARCHIVE_COUNT_OF_PROVIDER: Final = _of_provider(_ARCHIVE_COUNT)
_COUNTS_OF_PROVIDER: Final = _of_provider(_COUNTS)


def _asker(
    organization_id: OrganizationId, queue: Queue, user_id: UserId
) -> tuple[UUID | None, ...]:
    return organization_id, queue.office_id, queue.group_id or queue.provider_id, user_id


async def queue_page(
    tx: Connection,
    organization_id: OrganizationId,
    user_id: UserId,
    reading: Reading,
    page: tuple[Place | None, int],
) -> list[Referral]:
    """The referrals of a queue in the order that is asked for, after a place, so many."""
    place, limit = page
    whose, narrowed = reading.queue, _narrowed(reading)
    asker, own = _asker(organization_id, whose, user_id), whose.provider_id is not None
    after = place.referral_id if place else None
    if reading.kind is QueueKind.ARCHIVE:
        archive = _ARCHIVE_PAGE_OF_PROVIDER if own else _ARCHIVE_PAGE
        return await db.many(tx, Referral, archive, *asker, after, limit, *narrowed)
    moment = place.moment if place else None
    where = (reading.now, reading.kind, after, moment, limit)
    pages = _PAGES_OF_PROVIDER if own else _PAGES
    return await db.many(tx, Referral, pages[reading.order], *asker, *where, *narrowed)


def _narrowed(reading: Reading) -> tuple[object, ...]:
    """What the filter's parameters hold."""
    it = reading.filter
    return (
        it.statuses,
        it.urgencies,
        it.specialty_code,
        it.provider_id,
        it.claimed_by,
        it.unclaimed,
        it.overdue,
        reading.now,
        ACKNOWLEDGE_DAYS,
        DECIDE_DAYS,
        it.offboarding,
        it.externally_managed,
    )


def place_of(referral: Referral, order: QueueOrder) -> Place:
    """Where a referral stands in a queue of that order: what the next page begins after."""
    if order is QueueOrder.LONGEST_WAITING:
        return Place(referral.id, referral.received_at or referral.created_at)
    if order is QueueOrder.APPOINTMENT:
        return Place(referral.id, referral.appointment_at or _NO_MOMENT)
    return Place(referral.id)


async def queue_counts(
    tx: Connection, organization_id: OrganizationId, user_id: UserId, queue: Queue, now: datetime
) -> QueueCounts:
    """How many referrals stand in each of the four queues; of the archive at most `MOST_COUNTED`."""
    asker, own = _asker(organization_id, queue, user_id), queue.provider_id is not None
    counts = await db.one(tx, QueueCounts, _COUNTS_OF_PROVIDER if own else _COUNTS, *asker, now)
    ended = _ARCHIVE_COUNT_OF_PROVIDER if own else _ARCHIVE_COUNT
    archive: int = await db.value(tx, ended, *asker, None, MOST_COUNTED)
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
    SELECT id, status, receiving_{column} AS subject_id, 'RECEIVING' AS side, receiving_office_id AS office_id,
        appointment_at
    FROM referrals WHERE receiving_organization_id = $1 AND receiving_{column} = ANY ($2)
        AND status IN ('PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP')
    UNION ALL
    SELECT id, status, sending_{column}, 'SENDING', sending_office_id, appointment_at
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
    + "SELECT id AS referral_id, status, side, office_id, appointment_at FROM told ORDER BY id LIMIT $3"
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
