"""Publishing reports on Monday morning, and reviewing them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from kit.auth import Viewer
from services.reporting.actions import publish_due, remind_due, restate_due
from tests.service.reporting.conftest import FIGURES, Clinic, Reporting, counts
from tests.service.reporting.stories import Story

MONDAY = datetime(2026, 3, 2, 5, tzinfo=UTC)
DUE = datetime(2026, 3, 9, 10, tzinfo=UTC)
"""Six in the morning in New York, on the Monday after: the clocks changed the day before."""

WEEK = "2026-03-02"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REVIEW = f"""mutation($input: MarkReportReviewedInput!) {{ markReportReviewed(input: $input) {{ __typename
    ... on Problem {{ code message field remedy }} ... on PublishedReport {{
        id version reviewedAt reviewedBy {{ id }} allowedActions figures {{ ...F }} }} }} }} {FIGURES}"""


async def facts(reporting: Reporting, clinic: Clinic) -> list[tuple[str, Any]]:
    """The facts recorded for the organization: verb and data."""
    rows = await reporting.running.sql.fetch(
        "SELECT body::json->>'type' AS type, body::json->'data' AS data FROM outbox"
        " WHERE organization_id = $1 ORDER BY id",
        clinic.organization_id,
    )
    return [(row["type"], row["data"]) for row in rows]


async def rows(reporting: Reporting, clinic: Clinic) -> list[dict[str, Any]]:
    """The published reports as they are kept."""
    found = await reporting.running.sql.fetch(
        "SELECT * FROM published_reports WHERE organization_id = $1 ORDER BY week_of, id",
        clinic.organization_id,
    )
    return [dict(row) for row in found]


async def published(reporting: Reporting, clinic: Clinic) -> tuple[UUID, dict[str, Any]]:
    """A group that received one referral in the week, and its report, published."""
    group = await clinic.group(at=MONDAY)
    await Story(clinic, group).sent(MONDAY + DAY)
    await reporting.running.set_time(DUE + HOUR)
    return group, await reporting.report(clinic, group, WEEK)


async def review(
    reporting: Reporting, report_id: str, viewer: Viewer, version: int = 1
) -> dict[str, Any]:
    """The answer of markReportReviewed."""
    input_ = {"reportId": report_id, "expectedVersion": version}
    data = await reporting.running.data(REVIEW, {"input": input_}, viewer=viewer)
    answer: dict[str, Any] = data["markReportReviewed"]
    return answer


async def test_a_report_is_published_on_monday_at_six_local_time(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group = await clinic.group(at=MONDAY)
    await Story(clinic, group).sent(MONDAY + DAY)

    await reporting.running.set_time(DUE - HOUR)
    before = await reporting.report(clinic, group, WEEK)
    await reporting.running.set_time(DUE + HOUR)
    after = await reporting.report(clinic, group, WEEK)

    assert before["published"] is None
    assert after["published"]["figures"] == after["figures"]
    assert counts(after["published"]["figures"]) == {"received": 1, "closing": 1}
    assert after["published"]["dataAsOf"] == (MONDAY + DAY).isoformat()
    report_id = after["published"]["id"]
    assert await facts(reporting, clinic) == [
        (
            "suite.reporting.report.published.v1",
            {"reportId": report_id, "groupId": str(group), "weekOf": WEEK},
        )
    ]


async def test_publishing_again_changes_nothing(reporting: Reporting, clinic: Clinic) -> None:
    """R31"""
    await published(reporting, clinic)
    once = await rows(reporting, clinic)

    await publish_due(reporting.running.parts)
    await reporting.running.advance(HOUR)

    assert len(once) == 1
    assert await rows(reporting, clinic) == once
    assert len(await facts(reporting, clinic)) == 1


async def test_two_publishers_at_once_publish_once(reporting: Reporting, clinic: Clinic) -> None:
    """R31"""
    groups = [await clinic.group(f"Group {n}", at=MONDAY) for n in range(3)]
    await reporting.running.set_time(DUE - HOUR)
    parts = reporting.running.parts
    await parts.db.pool.execute("UPDATE clock_offset SET shift = shift + interval '2 hours'")
    await parts.clock.sync()

    await asyncio.gather(*(publish_due(parts) for _ in range(3)))

    assert {row["group_id"] for row in await rows(reporting, clinic)} == set(groups)
    assert len(await facts(reporting, clinic)) == len(groups)


async def test_a_fact_that_comes_late_restates_the_report_and_leaves_it_as_published(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group, before = await published(reporting, clinic)

    await Story(clinic, group).sent(MONDAY + 2 * DAY)
    after = await reporting.report(clinic, group, WEEK)

    assert (before["restated"], after["restated"]) == (False, True)
    assert after["published"] == before["published"]
    assert counts(after["published"]["figures"]) == {"received": 1, "closing": 1}
    assert counts(after["figures"]) == {"received": 2, "closing": 2}


async def test_facts_of_a_later_week_do_not_restate_a_report(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group, _ = await published(reporting, clinic)

    await Story(clinic, group).sent(DUE)

    assert not (await reporting.report(clinic, group, WEEK))["restated"]


async def test_weeks_that_were_missed_are_published_too(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    await clinic.group(at=MONDAY)

    await reporting.running.set_time(DUE + 15 * DAY)

    weeks = [row["week_of"].isoformat() for row in await rows(reporting, clinic)]
    assert weeks == ["2026-03-02", "2026-03-09", "2026-03-16"]


async def test_a_removed_group_gets_the_report_of_its_last_week_and_no_other(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R24, R31"""
    group = await clinic.group(at=MONDAY)
    await clinic.remove_group(group, MONDAY + 9 * DAY)

    await reporting.running.set_time(DUE + 22 * DAY)

    weeks = [row["week_of"].isoformat() for row in await rows(reporting, clinic)]
    assert weeks == ["2026-03-02", "2026-03-09"]


async def test_marking_a_report_reviewed_stamps_who_and_when_once(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group, report = await published(reporting, clinic)
    report_id = report["published"]["id"]
    admin = clinic.staff(office_admin_of=frozenset({clinic.office_id}))

    reviewed = await review(reporting, report_id, admin)
    again = await review(reporting, report_id, clinic.admin)

    assert report["published"]["allowedActions"] == ["MARK_REVIEWED"]
    assert (reviewed["version"], reviewed["allowedActions"]) == (2, [])
    assert reviewed["reviewedBy"] == {"id": str(admin.user_id)}
    assert reviewed["figures"] == report["published"]["figures"]
    assert (again["__typename"], again["code"]) == ("StaleVersionProblem", "STALE_VERSION")
    stamped = (await reporting.report(clinic, group, WEEK))["published"]
    assert stamped["reviewedAt"] == reviewed["reviewedAt"]
    assert (await facts(reporting, clinic))[-1] == (
        "suite.reporting.report.reviewed.v1",
        {"reportId": report_id, "userId": str(admin.user_id)},
    )


async def test_two_reviews_at_once_leave_one_stamp(reporting: Reporting, clinic: Clinic) -> None:
    """R31"""
    _, report = await published(reporting, clinic)

    answers = await asyncio.gather(
        *(review(reporting, report["published"]["id"], clinic.admin) for _ in range(4))
    )

    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds == ["PublishedReport"] + ["StaleVersionProblem"] * 3


async def test_who_may_not_read_a_report_may_not_review_it(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31, R02"""
    _, report = await published(reporting, clinic)
    report_id = report["published"]["id"]
    stranger = Clinic(reporting).admin

    staff = await review(reporting, report_id, clinic.staff())
    foreign = await review(reporting, report_id, stranger)
    unknown = await review(reporting, str(uuid4()), stranger)

    assert staff["__typename"] == "DeniedProblem"
    assert foreign["__typename"] == "NotFoundProblem"
    assert foreign == unknown


async def test_the_database_itself_keeps_what_was_published(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    await published(reporting, clinic)

    for change in (
        "DELETE FROM published_reports WHERE organization_id = $1",
        "UPDATE published_reports SET figures = '{}' WHERE organization_id = $1",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await reporting.running.sql.execute(change, clinic.organization_id)


async def test_late_facts_are_told_once_with_what_they_changed(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group, before = await published(reporting, clinic)
    late = await Story(clinic, group).sent(MONDAY + 2 * DAY)

    for _ in range(2):
        await restate_due(reporting.running.parts)

    after = await reporting.report(clinic, group, WEEK)
    told = [data for kind, data in await facts(reporting, clinic) if "restated" in kind]
    assert told == [{"reportId": before["published"]["id"], "watermark": after["watermark"]}]
    assert before["watermark"] == before["published"]["watermark"] != after["watermark"]
    received = next(one for one in after["differences"] if one["number"] == "RECEIVED")
    assert (received["before"], received["now"]) == (1, 2)
    assert received["added"]["referralIds"] == [str(late.referral_id)]


async def test_a_report_nobody_reviewed_for_seven_days_is_asked_for_once(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    _, report = await published(reporting, clinic)
    due = {"reportId": report["published"]["id"], "weekOf": WEEK}

    async def asked() -> list[dict[str, str]]:
        told = await facts(reporting, clinic)
        return [
            {name: data[name] for name in due}
            for kind, data in told
            if kind.endswith("review_due.v1") and data["weekOf"] == WEEK
        ]

    await reporting.running.set_time(DUE + 6 * DAY)
    early = await asked()
    await reporting.running.set_time(DUE + 7 * DAY + 2 * HOUR)
    for _ in range(2):
        await remind_due(reporting.running.parts)

    assert (early, await asked()) == ([], [due])


async def test_a_reviewed_report_is_not_asked_for(reporting: Reporting, clinic: Clinic) -> None:
    """R31"""
    _, report = await published(reporting, clinic)
    await review(reporting, report["published"]["id"], clinic.admin)

    await reporting.running.set_time(DUE + 8 * DAY)

    asked = [data["weekOf"] for kind, data in await facts(reporting, clinic) if "due" in kind]
    assert WEEK not in asked
