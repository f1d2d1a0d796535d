"""Reporting is made of facts alone: hearing them again from zero makes the same tables."""

import random
from datetime import UTC, datetime, timedelta

from kit import db
from services.reporting.app import build
from tests.service.reporting.conftest import Clinic, Reporting, counts
from tests.service.reporting.stories import Story
from tests.support.facts import Neighbours
from tests.support.running import environment, running_service
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
    names = (
        "organizations",
        "groups",
        "referral_changes",
        "referrals",
        "standings",
        "moments",
        "deeds",
    )
    return {
        name: [row[0] for row in await sql.fetch(f"SELECT t::text FROM {name} t ORDER BY 1")]  # noqa: S608
        for name in names
    }


async def tell_a_week(clinic: Clinic) -> None:
    here, there = await clinic.group("Cardiology"), await clinic.group("Heart failure")
    done = await (await Story(clinic, here).sent(NOON)).scheduled(NOON + HOUR)
    await (await done.completed(NOON + DAY)).outcome_attached(NOON + DAY + HOUR)
    await (await Story(clinic, here).sent(NOON)).forwarded_within(there, NOON + HOUR)
    again = await (await Story(clinic, here).sent(NOON)).declined(NOON + HOUR)
    await (await again.sent(NOON + DAY)).written_about("PENDING", NOON + DAY)
    await (await Story(clinic, there).sent(NOON)).missed(NOON + DAY)


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
    async with running_service(build(environment("reporting", url, nats_url))) as running:
        neighbours = Remembering(running)
        clinic = Clinic(Reporting(running, neighbours))
        await clinic.open("America/New_York")
        await tell_a_week(clinic)
        group = await clinic.group("Empty")
        first = await tables(running.sql)

    for seed in range(3):
        url = await postgres.database("reporting")
        await db.migrate(url, "reporting")
        async with running_service(build(environment("reporting", url, nats_url))) as running:
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
