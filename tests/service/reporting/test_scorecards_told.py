"""What of scorecards is told to whom: small cells, and what late facts changed (R31, R32)."""

from __future__ import annotations

from datetime import timedelta

from tests.service.reporting.conftest import Clinic
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
