"""The tally in SQL says what the pure tally says; and only reports that late facts touched are counted again."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.actions import hear_change, restate_due
from services.reporting.actions.reports import told
from services.reporting.domain import (
    Change,
    Group,
    Organization,
    OrganizationId,
    Span,
    Week,
)
from tests.service.reporting.conftest import LONG_AGO, Clinic, Reporting
from tests.service.reporting.stories import Story
from tests.unit.reporting.histories import (
    CARDIOLOGY,
    EMERGENCY,
    HEART,
    HISTORIES,
    MONDAY,
    told_twice,
)

DAY = timedelta(days=1)
UTC_ZONE = ZoneInfo("UTC")


def interleaved(histories: list[list[Change]], chance: random.Random) -> list[Change]:
    """The changes in an order in which referrals mix, and each referral's own keep theirs."""
    waiting = [list(changes) for changes in histories if changes]
    mixed = []
    while waiting:
        line = chance.choice(waiting)
        mixed.append(line.pop(0))
        waiting = [line for line in waiting if line]
    return mixed


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    histories=HISTORIES,
    twice=st.booleans(),
    week=st.integers(0, 3),
    hours=st.integers(1, 200),
    seed=st.integers(0, 9),
)
async def test_the_database_counts_what_the_definition_counts(
    reporting: Reporting, *, histories: list[Any], twice: bool, week: int, hours: int, seed: int
) -> None:
    """R31"""
    organization_id = OrganizationId(uuid4())
    if twice:
        histories = [told_twice(changes) for changes in histories]
    changes = interleaved(histories, random.Random(seed))  # noqa: S311 - not a secret
    groups = [
        Group(group_id, organization_id, "Group", frozenset(), LONG_AGO, None)
        for group_id in (CARDIOLOGY, HEART, EMERGENCY)
    ]
    monday = MONDAY + 7 * week * DAY
    span = Span.of(Week(monday.date()), UTC_ZONE, monday + timedelta(hours=hours))

    async with reporting.running.parts.db.transaction() as tx:
        for change in changes:
            await hear_change(tx, organization_id, change)
        found = await told(tx, Organization(organization_id, "UTC", None), groups, span)

    for group, report in zip(groups, found, strict=True):
        assert report.told == span.tell(group, changes)


async def doubts(reporting: Reporting, clinic: Clinic) -> int:
    """How many of the clinic's reports are in doubt."""
    count: int = await reporting.running.sql.fetchval(
        "SELECT count(*) FROM report_doubts WHERE organization_id = $1", clinic.organization_id
    )
    return count


async def test_only_reports_that_late_facts_touch_are_counted_again(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    monday = datetime(2026, 3, 2, 5, tzinfo=UTC)
    touched, other = await clinic.group("A", at=monday), await clinic.group("B", at=monday)
    story = await Story(clinic, touched).sent(monday + DAY)
    await Story(clinic, other).sent(monday + DAY)
    await reporting.running.set_time(monday + 9 * DAY)

    await story.acknowledged(monday + 9 * DAY)
    assert await doubts(reporting, clinic) == 0

    await Story(clinic, touched).sent(monday + 2 * DAY)
    assert await doubts(reporting, clinic) == 1

    await restate_due(reporting.running.parts)
    assert await doubts(reporting, clinic) == 0
    restated = await reporting.running.sql.fetch(
        """SELECT p.group_id FROM report_restatements r JOIN published_reports p ON p.id = r.report_id
            WHERE p.organization_id = $1""",
        clinic.organization_id,
    )
    assert [row["group_id"] for row in restated] == [touched]


async def test_a_report_of_more_than_four_weeks_ago_is_in_doubt_no_more_and_not_told(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    monday = datetime(2026, 3, 2, 5, tzinfo=UTC)
    group = await clinic.group(at=monday)
    await reporting.running.set_time(monday + 9 * DAY)
    await reporting.running.set_time(monday + 60 * DAY)

    await Story(clinic, group).sent(monday + 2 * DAY)
    before = await doubts(reporting, clinic)
    await restate_due(reporting.running.parts)

    assert (before > 0, await doubts(reporting, clinic)) == (True, 0)
    told_of = await reporting.running.sql.fetch(
        """SELECT p.week_of FROM report_restatements r JOIN published_reports p ON p.id = r.report_id
            WHERE p.organization_id = $1""",
        clinic.organization_id,
    )
    assert monday.date() not in [row["week_of"] for row in told_of]
