"""What of scorecards is told to whom: small cells, and what late facts changed (R31, R32)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from services.reporting.actions.restating import restate_scorecards
from tests.service.reporting.conftest import Clinic
from tests.service.reporting.stories import Story
from tests.service.reporting.test_scorecards import AFTER, DAY, Week, findings, scorecard, week

__all__ = ["week"]

NEXT = AFTER + timedelta(hours=5)
"""Noon of the Monday after the week that is measured."""


async def test_of_fewer_than_five_cases_no_figure_is_told_to_who_may_not_open_them(
    clinic: Clinic, week: Week
) -> None:
    """R32: the month withholds from client admins how many were acknowledged; scorecards must not tell it week by week."""
    await week.acted(late=3, in_time=1)
    await week.over()
    here = clinic.staff(office_admin_of=frozenset({clinic.office_id}))

    for kind, id_ in (("Office", clinic.office_id), ("Group", week.group)):
        for reader in (clinic.admin, clinic.staff(reporting_only=True)):
            told = await scorecard(clinic, kind, id_, reader)
            assert told is not None
            row = told["FIRST_ACTION_IN_TIME"]
            assert (row["figure"], row["missedReferralIds"]) == (None, [])
            assert row["verdict"] == "NOT_ENOUGH_DATA"
        told = await scorecard(clinic, kind, id_, here)
        assert told is not None
        assert told["FIRST_ACTION_IN_TIME"]["figure"]["whole"] == 4
        assert sorted(told["FIRST_ACTION_IN_TIME"]["missedReferralIds"]) == sorted(
            map(str, week.late)
        )


async def test_a_finding_does_not_tell_the_small_weeks_around_it_either(
    clinic: Clinic, week: Week
) -> None:
    """R32"""
    await week.acted(late=5)
    await week.over()
    await week.acted(in_time=2, start=NEXT)
    await week.over(NEXT + 7 * DAY)

    (first, _) = await findings(clinic)

    assert [one["figure"] and one["figure"]["whole"] for one in first["results"]] == [5, None]


async def test_facts_that_come_late_are_told_beside_what_the_scorecard_said(
    clinic: Clinic, week: Week
) -> None:
    """R31, R32: the weekly report is restated; the scorecard of the same week does not go on contradicting it."""
    await week.acted(in_time=5)
    await week.over()

    await week.acted(late=5)
    await restate_scorecards(clinic.reporting.running.parts)

    for kind, id_ in (("Office", clinic.office_id), ("Group", week.group)):
        told = await scorecard(clinic, kind, id_)
        assert told is not None
        row = told["FIRST_ACTION_IN_TIME"]
        assert (row["figure"]["whole"], row["verdict"]) == (5, "MET")
        assert row["restated"]["figure"] == {"part": 5, "whole": 10}
        assert row["restated"]["verdict"] == "MISSED"
        assert sorted(row["restated"]["missedReferralIds"]) == sorted(map(str, week.late))
    assert await findings(clinic) == []


async def test_a_week_of_which_nothing_had_been_heard_says_since_what_it_would_have_said(
    clinic: Clinic, week: Week
) -> None:
    """R32: and what is small is withheld there as well."""
    await week.over()
    assert await scorecard(clinic, "Group", week.group) == {}

    await week.acted(in_time=3)
    await restate_scorecards(clinic.reporting.running.parts)

    told = await scorecard(clinic, "Group", week.group)
    assert told is not None
    row = told["FIRST_ACTION_IN_TIME"]
    assert row["figure"]["whole"] == 0
    assert row["restated"] == {
        "figure": None,
        "verdict": "NOT_ENOUGH_DATA",
        "missedReferralIds": [],
    }


async def test_counting_a_week_again_without_late_facts_changes_nothing(
    clinic: Clinic, week: Week
) -> None:
    """R32: what happens in the new week is no late fact, and puts no week in doubt."""
    await week.acted(in_time=5, late=1)
    await Story(clinic, week.group).sent(AFTER - 10 * DAY)
    await week.over()
    await restate_scorecards(clinic.reporting.running.parts)

    await (await Story(clinic, week.group).sent(AFTER)).acknowledged(AFTER)

    doubts = "SELECT count(*) FROM scorecard_doubts WHERE organization_id = $1"
    sql = clinic.reporting.running.sql
    assert await sql.fetchval(doubts, clinic.organization_id) == 0
    told = await scorecard(clinic, "Group", week.group)
    assert told is not None
    assert told["FIRST_ACTION_IN_TIME"]["restated"] is None


async def test_what_helped_is_measured_again_when_facts_of_it_come_late(
    clinic: Clinic, week: Week
) -> None:
    """R33"""
    await week.acted(late=5)
    await week.over()
    (first, _) = await findings(clinic)
    sql = clinic.reporting.running.sql
    await sql.execute(
        "UPDATE findings SET actioned_at = $2, state = 'ACTIONED' WHERE id = $1",
        UUID(first["id"]),
        AFTER,
    )
    await week.acted(in_time=5, start=AFTER + 8 * DAY)
    await week.over(AFTER + 14 * DAY)

    await week.acted(in_time=3, start=AFTER + 9 * DAY)
    await restate_scorecards(clinic.reporting.running.parts)

    (found,) = [one for one in await findings(clinic) if one["id"] == first["id"]]
    assert found["effect"]["after"]["whole"] == 8
