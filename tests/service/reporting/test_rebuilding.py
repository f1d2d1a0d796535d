"""Reporting is made of facts alone: hearing them again from zero makes the same tables."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from kit import db
from kit.errors import Conflict
from services.reporting.app import build
from services.reporting.consumers import rebuild_all
from services.reporting.store.facts import PROJECTIONS, begin_rebuilding, put_in_place
from tests.service.reporting.conftest import Clinic, Reporting, counts, settings
from tests.service.reporting.people import office, staff
from tests.service.reporting.stories import Story
from tests.service.reporting.test_drafts import written
from tests.service.reporting.test_trainings import assigned, mine
from tests.support.facts import Neighbours
from tests.support.running import running_service
from tests.support.servers import PostgresServer
from tests.support.sql import Sql

NOON = datetime(2026, 3, 3, 17, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = "2026-03-02"


class Remembering(Neighbours):
    """Neighbours who remember every event, in order."""

    def __init__(self, running: object) -> None:
        super().__init__(running)  # type: ignore[arg-type]
        self.said: list[tuple[str, bytes]] = []

    async def repeat(self, event: tuple[str, bytes]) -> bool:
        self.said.append(event)
        return await super().repeat(event)


async def tables(sql: Sql) -> dict[str, list[str]]:
    """Every row that facts made, as text."""
    return {
        name: [row[0] for row in await sql.fetch(f"SELECT t::text FROM {name} t ORDER BY 1")]  # noqa: S608
        for name in PROJECTIONS
    }


async def everything_else(sql: Sql) -> dict[str, list[str]]:
    """Every other row, but for what the machinery itself keeps moving."""
    names = await sql.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    )
    others = {row[0] for row in names} - {
        *PROJECTIONS,
        "report_doubts",
        "scorecard_doubts",
        "outbox",
        "outbox_stream",
    }
    found = {
        name: [row[0] for row in await sql.fetch(f"SELECT t::text FROM {name} t ORDER BY 1")]  # noqa: S608
        for name in sorted(others)
        if not name.startswith("audit_")
    }
    told = await sql.fetch("SELECT event_id::text FROM outbox ORDER BY 1")
    return found | {"outbox": [row[0] for row in told]}


async def tell_a_week(clinic: Clinic) -> None:
    here, there = await clinic.group("Cardiology"), await clinic.group("Heart failure")
    done = await (await Story(clinic, here).sent(NOON)).scheduled(NOON + HOUR)
    await (await done.completed(NOON + DAY)).outcome_attached(NOON + DAY + HOUR)
    await (await Story(clinic, here).sent(NOON)).forwarded_within(there, NOON + HOUR)
    again = await (await Story(clinic, here).sent(NOON)).declined(NOON + HOUR)
    await (await again.sent(NOON + DAY)).written_about("PENDING", NOON + DAY)
    await (await Story(clinic, there).sent(NOON)).missed(NOON + DAY)
    await (await written(clinic, here).drafted(NOON)).sent(NOON + DAY)
    await (await written(clinic).drafted(NOON)).dropped(NOON + DAY)


def between_things(
    events: list[tuple[str, bytes]], chance: random.Random
) -> list[tuple[str, bytes]]:
    """Another order, in which each thing's own facts keep theirs: what several consumers make of a stream."""
    lines: dict[str, list[tuple[str, bytes]]] = {}
    for event in events:
        lines.setdefault(event[1].split(b'"subject":"')[1][:36].decode(), []).append(event)
    mixed = []
    while lines:
        thing = chance.choice(sorted(lines))
        mixed.append(lines[thing].pop(0))
        if not lines[thing]:
            del lines[thing]
    return mixed


async def test_hearing_everything_again_makes_the_same_tables_and_serves_all_the_while(
    postgres: PostgresServer, nats_url: str
) -> None:
    """R31"""
    url = await postgres.database("reporting")
    await db.migrate(url, "reporting")
    async with running_service(build(settings(url, nats_url))) as running:
        neighbours = Remembering(running)
        clinic = Clinic(Reporting(running, neighbours))
        await clinic.open("America/New_York")
        await tell_a_week(clinic)
        group = await clinic.group("Empty")
        first = await tables(running.sql)

    for seed in range(3):
        url = await postgres.database("reporting")
        await db.migrate(url, "reporting")
        async with running_service(build(settings(url, nats_url))) as running:
            again = Neighbours(running)
            clinic.reporting = Reporting(running, again)
            events = between_things(neighbours.said, random.Random(seed))  # noqa: S311 - not a secret
            half = len(events) // 2
            for event in events[:half]:
                await again.repeat(event)
            meanwhile = await running.gql("{ __typename }", viewer=clinic.admin)
            assert meanwhile["data"] == {"__typename": "Query"}
            for event in events[half:]:
                await again.repeat(event)
            assert counts(await clinic.reporting.figures(clinic, group, WEEK)) == {}
            assert await tables(running.sql) == first


SPOIL = (
    "DELETE FROM standings WHERE loop_closed",
    "UPDATE deeds SET waited = '1 year'",
    "UPDATE groups SET name = 'Elsewhere'",
)


async def test_an_operator_makes_the_tables_again_of_the_facts_that_were_kept(
    postgres: PostgresServer, nats_url: str
) -> None:
    """R31"""
    url = await postgres.database("reporting")
    await db.migrate(url, "reporting")
    owner = await db.open_database(url, size=2)
    async with running_service(build(settings(url, nats_url))) as running:
        clinic = Clinic(Reporting(running, Neighbours(running)))
        await clinic.open("America/New_York")
        await tell_a_week(clinic)
        right, others = await tables(running.sql), await everything_else(running.sql)
        seen: list[tuple[int, int]] = []

        unchanged = await rebuild_all(owner, lambda done, total: seen.append((done, total)))
        assert (sum(unchanged.changed.values()), await tables(running.sql)) == (0, right)

        for statement in SPOIL:
            await running.sql.execute(statement)
        rebuilt = await rebuild_all(owner, lambda _done, _total: None)

        changed = {name for name, rows in rebuilt.changed.items() if rows}
        assert changed == {"deeds", "groups", "standings"}
        assert await tables(running.sql) == right
        assert await everything_else(running.sql) == others
        assert seen[-1][0] == rebuilt.facts == len(others["facts"])
    await owner.pool.close()


async def test_while_tables_are_made_again_the_old_ones_serve_and_facts_are_heard(
    postgres: PostgresServer, nats_url: str
) -> None:
    """R31"""
    url = await postgres.database("reporting")
    await db.migrate(url, "reporting")
    owner = await db.open_database(url, size=2)
    async with running_service(build(settings(url, nats_url))) as running:
        clinic = Clinic(Reporting(running, Neighbours(running)))
        await clinic.open("America/New_York")
        group = await clinic.group("Cardiology")
        await Story(clinic, group).sent(NOON)
        meanwhile: list[asyncio.Task[object]] = []

        async def received() -> object:
            figures = await clinic.reporting.figures(clinic, group, WEEK)
            return figures["received"]["count"]

        def progress(_done: int, _total: int) -> None:
            meanwhile.append(asyncio.ensure_future(received()))
            meanwhile.append(asyncio.ensure_future(Story(clinic, group).sent(NOON)))

        await rebuild_all(owner, progress)
        seen, _ = await asyncio.gather(*meanwhile)

        assert seen in (1, 2)
        assert await received() == 2
        again = await rebuild_all(owner, lambda _done, _total: None)
        assert sum(again.changed.values()) == 0
    await owner.pool.close()


async def test_putting_tables_in_place_compares_no_row_with_every_other(
    postgres: PostgresServer,
) -> None:
    """R31: no fact is heard meanwhile. Each with each, this many took five seconds; they take a twentieth of one."""
    url = await postgres.database("reporting")
    await db.migrate(url, "reporting")
    owner = await db.open_database(url, size=2)
    async with owner.everywhere().transaction() as tx:
        await tx.execute(
            """INSERT INTO standings (organization_id, referral_id, sequence, at, status, since, acted, scheduled, appointment,
                loop_closed, worked_at) SELECT $1, gen_random_uuid(), 1, now(), 'PENDING', now(), false, false, false, false, now()
                FROM generate_series(1, 20000)""",
            UUID(int=1),
        )
        await begin_rebuilding(tx)
        await tx.execute(
            "INSERT INTO rebuilding.standings SELECT * FROM standings ORDER BY referral_id OFFSET 7"
        )
        await tx.execute("SET LOCAL statement_timeout = '2s'")
        changed = await put_in_place(tx)
    await owner.pool.close()

    assert {name: rows for name, rows in changed.items() if rows} == {"standings": 7}


async def test_what_was_heard_before_facts_were_kept_is_not_thrown_away(
    postgres: PostgresServer,
) -> None:
    """R31"""
    url = await postgres.database("reporting")
    await db.migrate(url, "reporting")
    owner = await db.open_database(url, size=2)
    async with owner.everywhere().transaction() as tx:
        await tx.execute("UPDATE facts_kept SET from_the_first = false")

    with pytest.raises(Conflict) as refused:
        await rebuild_all(owner, lambda _done, _total: None)

    assert refused.value.code == "FACTS_NOT_KEPT"
    await owner.pool.close()


async def test_making_the_tables_again_does_nothing_a_second_time_that_was_done_about_a_finding(
    postgres: PostgresServer, nats_url: str
) -> None:
    """R34: who left and came back still has to learn what they were asked to since."""
    url = await postgres.database("reporting")
    await db.migrate(url, "reporting")
    owner = await db.open_database(url, size=2)
    async with running_service(build(settings(url, nats_url))) as running:
        clinic = Clinic(Reporting(running, Neighbours(running)))
        await clinic.open("America/New_York")
        await running.set_time(NOON)
        await office(clinic)
        returned = await staff(clinic)
        await returned.deactivated()
        await returned.back()
        await returned.granted("OFFICE_STAFF")
        await assigned(clinic, title="Telephone manners")
        others = await everything_else(running.sql)

        rebuilt = await rebuild_all(owner, lambda _done, _total: None)

        assert sum(rebuilt.changed.values()) == 0
        assert await everything_else(running.sql) == others
        assert "OPEN" in str(await mine(clinic, returned.viewer))
    await owner.pool.close()
