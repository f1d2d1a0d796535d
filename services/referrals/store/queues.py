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

# $1 organization, $2 office, $3 group, $4 user. A provider removed from the organization takes the side with it (R14).
_WITH: Final = """
WITH gone AS MATERIALIZED (
    SELECT provider_id FROM removed_providers WHERE organization_id = $1
), leaving AS MATERIALIZED (
    SELECT provider_id FROM offboarding_cases WHERE organization_id = $1 AND closed_at IS NULL
)
"""
_SIDE: Final = """r.{side}_organization_id = $1
    AND (r.{side}_provider_id IN (SELECT provider_id FROM gone)) IS NOT TRUE"""
_SENDS: Final = _SIDE.format(side="sending")
_RECEIVES: Final = "r.sent_at IS NOT NULL AND " + _SIDE.format(side="receiving")
_SENDS_HERE: Final = f"{_SENDS} AND (r.sending_office_id = $2 OR r.sending_group_id = $3)"
_RECEIVES_HERE: Final = f"{_RECEIVES} AND (r.receiving_office_id = $2 OR r.receiving_group_id = $3)"

# A wall lets no index be asked for a status: these are, word for word, what the indexes of migration 0018 are built of.
_OPEN_ONES: Final = (
    "r.status IN ('DRAFT', 'PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP', 'DECLINED')"
)
_ENDED_ONES: Final = "r.status IN ('COMPLETED', 'CANCELLED')"

# What of a side requires review, at {now}.
_SENT_REVIEW: Final = """(r.sending_provider_id IN (SELECT provider_id FROM leaving) OR r.status IN ('DRAFT', 'DECLINED')
    OR r.externally_managed AND (r.status IN ('PENDING', 'FOLLOW_UP') OR r.status = 'IN_PROGRESS' AND r.callback_at <= {now}))"""
_RECEIVED_REVIEW: Final = """(r.receiving_provider_id IN (SELECT provider_id FROM leaving) AND r.status <> 'DECLINED'
    OR r.status IN ('PENDING', 'FOLLOW_UP') OR r.status = 'IN_PROGRESS' AND r.callback_at <= {now})"""

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

# $5 after, $6 its moment, $7 limit, then the filter's, $15 of which is now. Where nothing is given a page begins before everything:
# an index is asked for a place alike, whether or not its statement was planned for one. {_ID} is the id as those indexes hold it, and
# the primary key does not: by that key PostgreSQL would look for an office's referrals among everybody's.
_NO_MOMENT: Final = datetime(9999, 12, 31, tzinfo=UTC)
_LEAST: Final = "'00000000-0000-0000-0000-000000000000'"
_MOST: Final = "'ffffffff-ffff-ffff-ffff-ffffffffffff'"
_ID: Final = f"greatest(r.id, {_LEAST})"
_PLACED: Final = (
    f"({{0}}, r.id) > (coalesce($6::timestamptz, '-infinity'), coalesce($5::uuid, {_LEAST}))"
)
_WAITS_SINCE: Final = "coalesce(r.received_at, r.created_at)"
_APPOINTED: Final = "coalesce(r.appointment_at, '9999-12-31Z')"
_ORDERS: Final = {
    QueueOrder.NEWEST: (
        f"{_ID} < coalesce($5::uuid, {_MOST}) AND $6::timestamptz IS NULL",
        f"{_ID} DESC",
    ),
    QueueOrder.OLDEST: (f"{_ID} > coalesce($5::uuid, {_LEAST}) AND $6::timestamptz IS NULL", _ID),
    QueueOrder.LONGEST_WAITING: (_PLACED.format(_WAITS_SINCE), f"{_WAITS_SINCE}, r.id"),
    QueueOrder.APPOINTMENT: (_PLACED.format(_APPOINTED), f"{_APPOINTED}, r.id"),
}
_IN_QUEUE: Final = {
    QueueKind.REQUIRES_REVIEW: {"sending": _SENT_REVIEW, "receiving": _RECEIVED_REVIEW},
    QueueKind.SENT: {"sending": "true"},
    QueueKind.RECEIVED: {"receiving": "true"},
}

# The first of a queue, or of the archive, by each way they are found. {after} and {limit} are of the page.
_ARM: Final = """
(SELECT r.id FROM referrals r WHERE {side} AND r.{column} = {asked} AND {status}
    AND {after} AND {narrowed} ORDER BY {by} LIMIT {limit})
"""
# Asked of each row that is met, and in words of which the planner does not think that next to nothing is left.
_NOT_PUT_AWAY: Final = """NOT coalesce(
    (SELECT true FROM archived a WHERE a.user_id = $4 AND a.referral_id = r.id), false)"""
_PUT_AWAY: Final = f"""
(SELECT r.id FROM archived a JOIN referrals r ON r.id = a.referral_id WHERE a.user_id = $4
    AND ({_SENDS_HERE} OR {_RECEIVES_HERE})
    AND a.referral_id < coalesce($5::uuid, {_MOST}) AND {{narrowed}} ORDER BY a.referral_id DESC LIMIT $6)
"""  # noqa: S608 - constants of this file


def _arms(side: str, **told: str) -> list[str]:
    """How what is on one side is found: by its office, and by its group."""
    whose = _SENDS if side == "sending" else _RECEIVES
    return [
        _ARM.format(side=whose, column=f"{side}_{column}", asked=asked, **told)
        for column, asked in (("office_id", "$2"), ("group_id", "$3"))
    ]


def _page(arms: Sequence[str], by: str, limit: str) -> str:
    """The referrals of a page: few of each arm, each by its index and in order."""
    found = " UNION ALL ".join(arms)
    return f"{_WITH} SELECT r.* FROM referrals r WHERE r.id = ANY (ARRAY({found})) ORDER BY {by} LIMIT {limit}"  # noqa: S608 - constants of this file


def _open_page(kind: QueueKind, order: QueueOrder) -> str:
    (after, by), filtered = _ORDERS[order], _FILTER.format(*range(8, 20))
    arms = [
        arm
        for side, wanted in _IN_QUEUE[kind].items()
        for arm in _arms(
            side,
            status=_OPEN_ONES,
            after=after,
            narrowed=f"{wanted.format(now='$15::timestamptz')} AND {_NOT_PUT_AWAY} AND {filtered}",
            by=by,
            limit="$7",
        )
    ]
    return _page(arms, by, "$7")


def _archive(narrowed: str) -> list[str]:
    """The archive's newest: what ended, and what the user put away. $5 after, $6 limit."""
    told = {
        "status": _ENDED_ONES,
        "after": f"{_ID} < coalesce($5::uuid, {_MOST})",
        "by": f"{_ID} DESC",
    }
    ended = [
        arm
        for side in ("sending", "receiving")
        for arm in _arms(side, narrowed=narrowed, limit="$6", **told)
    ]
    return [*ended, _PUT_AWAY.format(narrowed=narrowed)]


_PAGES: Final = {
    (kind, order): _open_page(kind, order) for kind in _IN_QUEUE for order in QueueOrder
}
_ARCHIVE_PAGE: Final = _page(_archive(_FILTER.format(*range(7, 19))), "r.id DESC", "$6")
_ARCHIVE_COUNT: Final = f"{_WITH} SELECT count(*) FROM (SELECT id FROM ({' UNION '.join(_archive('true'))}) AS found LIMIT $6) AS counted"  # noqa: S608 - constants of this file
_COUNTS: Final = f"""{_WITH}, near AS (
    SELECT {_SENDS_HERE} AS sends, {_RECEIVES_HERE} AS receives,
        {_SENT_REVIEW.format(now="$5")} AS sent_review, {_RECEIVED_REVIEW.format(now="$5")} AS received_review
    FROM referrals r
    WHERE (r.sending_organization_id = $1 AND r.sending_office_id = $2
        OR r.sending_organization_id = $1 AND r.sending_group_id = $3
        OR r.receiving_organization_id = $1 AND r.receiving_office_id = $2
        OR r.receiving_organization_id = $1 AND r.receiving_group_id = $3)
        AND {_OPEN_ONES} AND NOT EXISTS (SELECT FROM archived a WHERE a.user_id = $4 AND a.referral_id = r.id)
    OFFSET 0
) SELECT
    count(*) FILTER (WHERE sends AND sent_review OR receives AND received_review) AS requires_review,
    count(*) FILTER (WHERE sends) AS sent,
    count(*) FILTER (WHERE receives) AS received,
    0 AS archive
FROM near"""  # noqa: S608 - constants of this file


def _of_provider(sql: str) -> str:
    """The same of a provider's own queue: $3 is the provider, and by an index of its own found."""
    for side in ("sending", "receiving"):
        sql = sql.replace(f"r.{side}_group_id = $3", f"r.{side}_provider_id = $3")
    return sql


_PAGES_OF_PROVIDER: Final = {asked: _of_provider(sql) for asked, sql in _PAGES.items()}
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
    pages = _PAGES_OF_PROVIDER if own else _PAGES
    sql = pages[reading.kind, reading.order]
    return await db.many(tx, Referral, sql, *asker, after, moment, limit, *narrowed)


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
