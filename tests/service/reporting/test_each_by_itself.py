"""What is wrong with one organization keeps none of the others waiting."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from kit import db
from services.reporting.actions import publish_due, remind_due, restate_due
from services.reporting.actions.measuring import measure_due
from services.reporting.actions.trainings import remind_of_trainings
from tests.service.reporting.conftest import Clinic, Reporting
from tests.service.reporting.stories import Story

MONDAY = datetime(2026, 3, 2, 5, tzinfo=UTC)
DUE = datetime(2026, 3, 9, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = "2026-03-02"


async def test_a_zone_that_only_this_machine_knows_hinders_no_fact(reporting: Reporting) -> None:
    """R31: Python takes `localtime` for a zone, and PostgreSQL does not."""
    odd = Clinic(reporting)
    await odd.open("localtime")
    group = await odd.group(at=MONDAY)
    story = await Story(odd, group).sent(MONDAY + DAY)
    await reporting.running.set_time(DUE + DAY)
    await story.declined(MONDAY + DAY + HOUR, "AGE")

    report = await reporting.report(odd, group, WEEK)

    assert (report["figures"]["declined"]["count"], report["restated"]) == (1, True)


async def test_an_organization_in_no_time_zone_holds_up_nobody_elses_week(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31: the jobs go through the organizations in the order of their ids; the one in no zone is the first."""
    parts = reporting.running.parts
    group = await clinic.group(at=MONDAY)
    await Story(clinic, group).sent(MONDAY + DAY)
    await Clinic(reporting, UUID(int=1)).open("Nowhere/Nowhere")
    await db.move_clock(parts.db, DUE + HOUR - parts.clock.real())
    await parts.clock.sync()

    for job in (publish_due, restate_due, measure_due, remind_of_trainings):
        with pytest.raises(ExceptionGroup) as failed:
            await job(parts)
        assert len(failed.value.exceptions) == 1
    await remind_due(parts)
    report = await reporting.report(clinic, group, WEEK)
    measured = await reporting.running.sql.fetchval(
        "SELECT count(*) FROM scorecard_weeks WHERE organization_id = $1", clinic.organization_id
    )

    assert (report["published"]["figures"]["received"]["count"], measured) == (1, 1)
