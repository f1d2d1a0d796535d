"""Pages of queues against the plain question, which reads everything; and how much of a large queue PostgreSQL reads for one."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from kit import db
from services.referrals.domain import (
    GroupId,
    OfficeId,
    OrganizationId,
    ProviderId,
    Queue,
    QueueCounts,
    QueueFilter,
    QueueKind,
    QueueOrder,
    Reading,
    Status,
    Subject,
    Urgency,
    UserId,
)
from services.referrals.store import queues
from tests.support.servers import PostgresServer

NOW = datetime(2030, 5, 1, tzinfo=UTC)
FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)
OPEN_KINDS = (QueueKind.REQUIRES_REVIEW, QueueKind.SENT, QueueKind.RECEIVED)
REASONS = {"DECLINED": ("DECLINE", "AGE"), "CANCELLED": ("CANCEL", "RAISED_IN_ERROR")}
# $1 organization, $2 office, $3 group, $4 provider, $5 user, $6 now.
PLAIN = """
WITH sides AS (
    SELECT r.*,
        r.sending_organization_id = $1 AND (r.sending_office_id = $2 OR r.sending_group_id = $3 OR r.sending_provider_id = $4)
            AND NOT EXISTS (SELECT FROM removed_providers x WHERE x.organization_id = $1 AND x.provider_id = r.sending_provider_id) AS sends,
        r.sent_at IS NOT NULL AND r.receiving_organization_id = $1
            AND (r.receiving_office_id = $2 OR r.receiving_group_id = $3 OR r.receiving_provider_id = $4)
            AND NOT EXISTS (SELECT FROM removed_providers x WHERE x.organization_id = $1 AND x.provider_id = r.receiving_provider_id) AS receives,
        r.status IN ('COMPLETED', 'CANCELLED') AS ended,
        EXISTS (SELECT FROM archived a WHERE a.user_id = $5 AND a.referral_id = r.id) AS put_away,
        EXISTS (SELECT FROM offboarding_cases c WHERE c.organization_id = $1 AND c.closed_at IS NULL
            AND c.provider_id = r.sending_provider_id) AS sender_leaves,
        EXISTS (SELECT FROM offboarding_cases c WHERE c.organization_id = $1 AND c.closed_at IS NULL
            AND c.provider_id = r.receiving_provider_id) AND r.status <> 'DECLINED' AS receiver_leaves
    FROM referrals r
) SELECT *, array_remove(CASE WHEN ended OR put_away THEN ARRAY['ARCHIVE'] ELSE ARRAY[
        CASE WHEN sends AND (sender_leaves OR status IN ('DRAFT', 'DECLINED') OR externally_managed AND (
                status IN ('PENDING', 'FOLLOW_UP') OR status = 'IN_PROGRESS' AND callback_at <= $6))
            OR receives AND (receiver_leaves OR status IN ('PENDING', 'FOLLOW_UP') OR status = 'IN_PROGRESS' AND callback_at <= $6)
            THEN 'REQUIRES_REVIEW' END,
        CASE WHEN sends THEN 'SENT' END,
        CASE WHEN receives THEN 'RECEIVED' END] END, NULL) AS queues
FROM sides WHERE sends OR receives
"""


@dataclass
class Place:
    """An organization with offices, groups and providers, somebody's archive, and a connection behind its wall."""

    tx: asyncpg.Connection[asyncpg.Record]
    organization: OrganizationId = field(default_factory=lambda: OrganizationId(uuid4()))
    user: UserId = field(default_factory=lambda: UserId(uuid4()))
    offices: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(2)])
    groups: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(2)])
    providers: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(5)])

    async def behind_its_wall(self) -> None:
        """From here on as its people see it."""
        await self.tx.execute("SELECT set_config('suite.scope', 'network', false)")
        await self.tx.execute(
            "SELECT set_config('suite.organization', $1, false)", str(self.organization)
        )

    @property
    def queues(self) -> list[Queue]:
        """One of each sort."""
        return [
            Queue(office_id=OfficeId(self.offices[0])),
            Queue(group_id=GroupId(self.groups[0])),
            Queue(provider_id=ProviderId(self.providers[0])),
            Queue(provider_id=ProviderId(self.providers[1])),
            Queue(provider_id=ProviderId(self.providers[2])),
        ]


@pytest.fixture
async def place(postgres: PostgresServer) -> AsyncIterator[Place]:
    """In a database of its own."""
    url = await postgres.database("referrals")
    await db.migrate(url, "referrals")
    tx = await asyncpg.connect(url, server_settings={"suite.scope": "suite", "timezone": "UTC"})
    yield Place(tx)
    await tx.close()


def drawn(draw: random.Random, place: Place) -> dict[str, Any]:
    """Any referral that the tables permit, often with the place on one side or both."""
    status = draw.choice([one.value for one in Status])
    sent = status not in {"DRAFT", "CANCELLED"} or (status == "CANCELLED" and draw.random() < 0.7)
    at = NOW - timedelta(days=draw.randrange(30))
    row = {"id": UUID(int=draw.getrandbits(128)), "version": 1, "status": status, "created_at": at}
    row |= end("sending", draw, place) | end("receiving", draw, place, named=status == "SCHEDULED")
    external = row["receiving_provider_id"] is not None and draw.random() < 0.2
    group = row["receiving_group_id"] and row["receiving_provider_id"]
    kind, code = REASONS.get(status, (None, None))
    booked = status == "SCHEDULED" or (status == "FOLLOW_UP" and draw.random() < 0.5)
    return row | {
        "specialty_code": "207RC0000X",
        "urgency": draw.choice([one.value for one in Urgency]),
        "claimed_by": place.user if group and draw.random() < 0.5 else None,
        "callback_at": draw.choice([None, NOW, NOW - timedelta(1), NOW + timedelta(1)]),
        "appointment_at": NOW + timedelta(days=draw.randrange(9)) if booked else None,
        "reason_kind": kind,
        "reason_code": code,
        "outcome": "UNKNOWN" if status == "COMPLETED" else None,
        "sent_at": at if sent else None,
        "received_at": at + timedelta(days=draw.randrange(3)) if sent else None,
        "status_since": at,
        "changed_at": at,
        "externally_managed": external,
    }


def end(side: str, draw: random.Random, place: Place, *, named: bool = False) -> dict[str, Any]:
    """One end of it."""
    provider, group = draw.choice([(True, False), (True, True), (named, True)])
    return {
        f"{side}_organization_id": place.organization if draw.random() < 0.7 else uuid4(),
        f"{side}_office_id": draw.choice(place.offices),
        f"{side}_provider_id": draw.choice(place.providers) if provider else None,
        f"{side}_group_id": draw.choice(place.groups) if group else None,
    }


async def fill(place: Place, draw: random.Random, many: int) -> None:
    """Referrals; somebody leaves, somebody is removed, and some is put away by the user and by another."""
    rows = [drawn(draw, place) for _ in range(many)]
    marks = ", ".join(f"${number}" for number in range(1, len(rows[0]) + 1))
    await place.tx.executemany(
        f"INSERT INTO referrals ({', '.join(rows[0])}) VALUES ({marks})",  # noqa: S608 - constants of this file
        [tuple(row.values()) for row in rows],
    )
    away = [(who, row["id"], NOW) for row in rows for who in (place.user, uuid4())]
    await place.tx.executemany(
        "INSERT INTO archived VALUES ($1, $2, $3)", draw.sample(away, many // 4)
    )
    leaving, removed = place.providers[1:3]
    await place.tx.execute(
        "INSERT INTO offboarding_cases (id, organization_id, provider_id, opened_at) VALUES ($1, $2, $3, $4)",
        uuid4(), place.organization, leaving, NOW,
    )  # fmt: skip
    await place.tx.execute(
        "INSERT INTO removed_providers VALUES ($1, $2, $3)", place.organization, removed, NOW
    )


def sort_key(row: Any, order: QueueOrder) -> Any:  # noqa: ANN401
    """Where a row stands; NEWEST is turned round by who sorts."""
    moments = {
        QueueOrder.LONGEST_WAITING: row["received_at"] or row["created_at"],
        QueueOrder.APPOINTMENT: row["appointment_at"] or FOR_EVER,
    }
    return [*([moments[order]] if order in moments else []), row["id"]]


FILTERS: dict[QueueFilter, Callable[[Any], bool]] = {
    QueueFilter(): lambda row: True,  # noqa: ARG005
    QueueFilter(statuses=(Status.PENDING, Status.COMPLETED)): lambda row: (
        row["status"] in {"PENDING", "COMPLETED"}
    ),
    QueueFilter(urgencies=(Urgency.STAT,), externally_managed=True): lambda row: (
        row["urgency"] == "STAT" and row["externally_managed"]
    ),
    QueueFilter(unclaimed=True): lambda row: row["claimed_by"] is None,
}


@pytest.mark.parametrize("seed", range(3))
async def test_every_page_of_every_queue_is_what_reading_everything_would_find(
    place: Place, seed: int
) -> None:
    """Counts too, and for offices, groups and providers, of whom one leaves and one was removed."""
    await fill(place, random.Random(seed), 600)  # noqa: S311 - alike in each run
    await place.behind_its_wall()
    met = 0
    for queue in place.queues:
        ids = queue.office_id, queue.group_id, queue.provider_id
        rows = await place.tx.fetch(PLAIN, place.organization, *ids, place.user, NOW)
        for wanted, fits in FILTERS.items():
            for kind in QueueKind:
                orders = [QueueOrder.NEWEST] if kind is QueueKind.ARCHIVE else QueueOrder
                mine = [row for row in rows if kind in row["queues"] and fits(row)]
                for order in orders:
                    reading = Reading(queue, kind, NOW, wanted, order)
                    down = order is QueueOrder.NEWEST
                    mine.sort(key=lambda row: sort_key(row, order), reverse=down)
                    assert await paged(place, reading) == [row["id"] for row in mine], reading
                    met += len(mine)
        counts = await queues.queue_counts(place.tx, place.organization, place.user, queue, NOW)
        stand = [sum(kind in row["queues"] for row in rows) for kind in QueueKind]
        assert counts == QueueCounts(*stand)
    assert met > 1000


async def paged(place: Place, reading: Reading) -> list[UUID]:
    """The ids of a queue, by pages of uneven sizes."""
    found, after, limit = list[UUID](), None, 7
    while True:
        page = await queues.queue_page(
            place.tx, place.organization, place.user, reading, (after, limit)
        )
        found += [one.id for one in page]
        if len(page) < limit:
            return found
        after, limit = queues.place_of(page[-1], reading.order), limit * 3


# How much is read -----------------------------------------------------------------------------------------------------

OPEN, ENDED = 1000, 30_000
MANY = """INSERT INTO referrals (id, version, status, sending_organization_id, sending_office_id, sending_provider_id,
        receiving_organization_id, receiving_office_id, receiving_provider_id, specialty_code, urgency, outcome,
        created_at, sent_at, received_at, status_since, changed_at)
    SELECT lpad(to_hex($7::bigint + n), 32, '0')::uuid, 1, status::referral_status, $2, $2, $2, $1, $3, $4, '207RC0000X', 'ROUTINE',
        CASE status WHEN 'COMPLETED' THEN 'SEEN'::outcome END, at, at, at, at, at
    FROM (SELECT n, CASE WHEN n % $6 = 0 THEN 'PENDING' ELSE 'COMPLETED' END AS status, now() - n * interval '1 minute' AS at
        FROM generate_series(1, $5) AS n) AS made"""


class Explaining:
    """Stands in for a connection: says of every question how many referrals PostgreSQL read for its answer."""

    def __init__(self, tx: asyncpg.Connection[asyncpg.Record]) -> None:
        self.tx = tx
        self.read = 0

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """As a connection does."""
        explained = await self.tx.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *args)
        self.read += rows_read(orjson.loads(explained)[0]["Plan"])
        return await self.tx.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record:
        """As a connection does."""
        return (await self.fetch(sql, *args))[0]

    async def fetchval(self, sql: str, *args: object) -> Any:  # noqa: ANN401
        """As a connection does."""
        return (await self.fetch(sql, *args))[0][0]


def rows_read(node: dict[str, Any]) -> int:
    """Of the referrals, whether or not they were then left out."""
    told = "Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"
    own = sum(node.get(name, 0) for name in told) * node["Actual Loops"]
    here = own if node.get("Relation Name") == "referrals" else 0
    return round(here) + sum(rows_read(one) for one in node.get("Plans", []))


async def large(place: Place) -> None:
    """An office with a long past, and two smaller ones elsewhere."""
    office, provider = place.offices[0], place.providers[0]
    total, apart = OPEN + ENDED, (OPEN + ENDED) // OPEN
    others = [(uuid4(), uuid4(), uuid4()) for _ in range(2)]
    for number, ends in enumerate([(place.organization, office, provider), *others]):
        size = total // 3 if number else total
        given = (ends[0], uuid4(), *ends[1:], size, apart, number * total)
        await place.tx.execute(MANY, *given)
    await place.tx.execute("VACUUM ANALYZE referrals")
    await place.behind_its_wall()


async def test_a_page_reads_a_page_and_counts_read_what_is_open(place: Place) -> None:
    """What has ended costs a queue nothing, and what is open costs a page nothing, wherever the page begins."""
    await large(place)
    queue, own = Queue(office_id=OfficeId(place.offices[0])), place.organization
    for kind in (QueueKind.RECEIVED, QueueKind.REQUIRES_REVIEW):
        for order in QueueOrder:
            reading, after = Reading(queue, kind, NOW, order=order), None
            for _ in range(3):
                told: Any = Explaining(place.tx)
                page = await queues.queue_page(told, own, place.user, reading, (after, 51))
                after = queues.place_of(page[-1], order)
                by_id = order in {QueueOrder.NEWEST, QueueOrder.OLDEST}
                assert len(page) == 51
                assert told.read <= (2 * 51 if by_id else OPEN + 51), (reading, told.read)

    told = Explaining(place.tx)
    counts = await queues.queue_counts(told, own, place.user, queue, NOW)
    assert counts == QueueCounts(OPEN, 0, OPEN, queues.MOST_COUNTED)
    assert told.read <= OPEN + queues.MOST_COUNTED

    told = Explaining(place.tx)
    reading = Reading(queue, QueueKind.ARCHIVE, NOW)
    assert len(await queues.queue_page(told, own, place.user, reading, (None, 51))) == 51
    assert told.read <= 2 * 51


async def test_what_is_open_with_somebody_is_counted_without_what_has_ended(place: Place) -> None:
    """R12."""
    await large(place)
    told: Any = Explaining(place.tx)

    tally = await queues.open_tally(told, place.organization, Subject.PROVIDER, place.providers)

    assert tally == {place.providers[0]: {place.offices[0]: OPEN}}
    assert told.read <= OPEN
