"""Scorecards, findings and why (R32)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.auth import Viewer
from services.reporting.domain import OrganizationId
from services.reporting.store.scorecards import histories
from tests.service.reporting.conftest import Clinic, Reporting
from tests.service.reporting.people import Somebody, listed, office, staff
from tests.service.reporting.stories import Story
from tests.service.reporting.test_guides import acknowledge, published

MONDAY = datetime(2026, 3, 2, 17, tzinfo=UTC)
"""Noon in New York, of the week that is measured."""

AFTER = datetime(2026, 3, 9, 12, tzinfo=UTC)
"""The Monday after, eight in the morning: seven by summer time, which began that Sunday."""

DAY = timedelta(days=1)
RESULT = "measure weekOf ruleVersion atLeastPercent figure { part whole percent } verdict missedReferralIds restated { figure { part whole } verdict missedReferralIds }"
FINDING = f"""id version measure weekOf figure {{ part whole percent }} state cause note allowedActions
    office {{ id }} group {{ id }} hypotheses {{ cause sentence evidence {{ name value }} }} actionedAt closedAt
    investigatedBy {{ id }} results {{ {RESULT} }}
    effect {{ before {{ percent }} after {{ part whole percent }} weeks verdict }}"""
PROBLEM = "... on Problem { code message field remedy }"


async def do(clinic: Clinic, verb: str, given: dict[str, Any], by: Viewer | None = None) -> Any:  # noqa: ANN401 - JSON
    """What a mutation about findings or rules answers."""
    kind = f"{verb[0].upper()}{verb[1:]}Input"
    rule = "measure version atLeastPercent later { version atLeastPercent fromWeek targetDays }"
    wanted = (
        f"... on Finding {{ {FINDING} }}"
        if "Finding" in verb
        else f"... on ScorecardRule {{ {rule} }}"
    )
    query = (
        f"mutation($input: {kind}!) {{ {verb}(input: $input) {{ __typename {wanted} {PROBLEM} }} }}"
    )
    data = await clinic.reporting.running.data(query, {"input": given}, viewer=by or clinic.admin)
    return data[verb]


async def findings(clinic: Clinic, by: Viewer | None = None) -> list[dict[str, Any]]:
    query = f"{{ findings(first: 100) {{ edges {{ node {{ {FINDING} }} }} }} }}"
    told = await clinic.reporting.running.data(query, viewer=by or clinic.admin)
    return [edge["node"] for edge in told["findings"]["edges"]]


async def scorecard(
    clinic: Clinic, kind: str, id_: UUID, by: Viewer | None = None, week: str | None = None
) -> dict[str, Any] | None:
    """The results of a subject, by measure."""
    query = f"""query($keys: [_Any!]!, $week: Date) {{ _entities(representations: $keys) {{
        ... on {kind} {{ scorecard(weekOf: $week) {{ {RESULT} }} openFindings {{ id }} }} }} }}"""
    asked = {"keys": [{"__typename": kind, "id": str(id_)}], "week": week}
    told = await clinic.reporting.running.data(query, asked, viewer=by or clinic.admin)
    rows = told["_entities"][0]["scorecard"]
    return None if rows is None else {row["measure"]: row for row in rows}


@dataclass
class Week:
    """What a group at the clinic's office did in the week that is measured."""

    clinic: Clinic
    group: UUID
    late: list[UUID] = field(default_factory=list)

    async def acted(self, *, late: int = 0, in_time: int = 0, start: datetime = MONDAY) -> None:
        """First actions in the week: late ones after nine days."""
        for wait, many in ((9 * DAY, late), (DAY, in_time)):
            for _ in range(many):
                story = await Story(self.clinic, self.group).sent(start - wait)
                await story.acknowledged(start)
                if wait > DAY:
                    self.late.append(story.referral_id)

    async def over(self, at: datetime = AFTER) -> None:
        """The week is over, and measured."""
        await self.clinic.reporting.running.set_time(at)


@pytest.fixture
async def week(clinic: Clinic) -> Week:
    """A live office, and a group there."""
    await office(clinic)
    return Week(clinic, await clinic.group())


async def test_an_office_that_is_late_and_has_an_unconfirmed_third_of_staff_is_told_so_with_numbers(
    clinic: Clinic, week: Week
) -> None:
    """R32: 60 % late first actions, 1 of 3 staff unconfirmed: the finding names coverage, and a client admin records the cause."""
    for _ in range(2):
        await staff(clinic)
    await (await Somebody(clinic).invited(MONDAY - 30 * DAY)).granted("OFFICE_STAFF")
    await week.acted(late=6, in_time=4)

    await week.over()

    (of_group, of_office) = sorted(
        await findings(clinic), key=lambda one: one["office"] is not None
    )
    assert of_group["group"] == {"id": str(week.group)}
    assert of_office["office"] == {"id": str(clinic.office_id)}
    assert of_office["figure"] == {"part": 4, "whole": 10, "percent": 40.0}
    assert of_office["state"] == "OPEN"
    (result,) = of_office["results"]
    assert (result["verdict"], sorted(result["missedReferralIds"])) == (
        "MISSED",
        sorted(map(str, week.late)),
    )
    causes = {one["cause"]: one for one in of_office["hypotheses"]}
    assert causes.keys() == {"COVERAGE", "UNCONFIRMED_USERS"}
    assert causes["COVERAGE"]["sentence"] == "Of 3 people who work there 2 can sign in."
    assert {one["name"]: one["value"] for one in causes["COVERAGE"]["evidence"]} == {
        "staff": 3,
        "confirmed": 2,
        "unconfirmed": 1,
    }
    assert of_office["allowedActions"][:2] == ["RECORD_CAUSE", "CLOSE"]
    given = {"findingId": of_office["id"], "expectedVersion": 1, "cause": "COVERAGE", "note": "Two"}
    told = await do(clinic, "recordFindingCause", given)
    assert (told["state"], told["cause"], told["note"]) == ("INVESTIGATING", "COVERAGE", "Two")
    assert told["investigatedBy"] == {"id": str(clinic.admin.user_id)}
    assert (await do(clinic, "recordFindingCause", given))["code"] == "STALE_VERSION"


async def test_of_too_few_cases_nothing_is_said_and_nobody_is_found_wanting(
    clinic: Clinic, week: Week
) -> None:
    """R32"""
    await week.acted(late=4)

    await week.over()

    here = clinic.staff(office_admin_of=frozenset({clinic.office_id}))
    rows = await scorecard(clinic, "Group", week.group, here)
    assert rows is not None
    assert rows["FIRST_ACTION_IN_TIME"]["verdict"] == "NOT_ENOUGH_DATA"
    assert rows["FIRST_ACTION_IN_TIME"]["figure"] == {"part": 0, "whole": 4, "percent": 0.0}
    assert await findings(clinic) == []


async def test_what_still_waits_beyond_the_target_counts_and_what_is_younger_does_not(
    clinic: Clinic, week: Week
) -> None:
    """R32"""
    await week.acted(in_time=5)
    for waiting in (10, 8, 3):
        await Story(clinic, week.group).sent(AFTER - waiting * DAY)

    await week.over()

    rows = await scorecard(clinic, "Group", week.group)
    assert rows is not None
    assert rows["FIRST_ACTION_IN_TIME"]["figure"] == {"part": 5, "whole": 7, "percent": 71.4}


async def test_attendance_and_the_words_of_declines_are_measured(
    clinic: Clinic, week: Week
) -> None:
    """R32"""
    for number in range(10):
        story = await (await Story(clinic, week.group).sent(MONDAY)).scheduled(MONDAY)
        if number < 4:
            await story.completed(MONDAY + DAY)
        elif number < 6:
            await story.missed(MONDAY + DAY)
        else:
            await story.appointment_passed(MONDAY + DAY)
    for words in (True, True, False, None):
        await (await Story(clinic, week.group).sent(MONDAY)).declined(MONDAY + DAY, words=words)

    await week.over()

    here = clinic.staff(office_admin_of=frozenset({clinic.office_id}))
    rows = await scorecard(clinic, "Office", clinic.office_id, here)
    assert rows is not None
    attendance, declines = rows["ATTENDANCE_REPORTED"], rows["DECLINES_EXPLAINED"]
    assert attendance["figure"] == {"part": 6, "whole": 10, "percent": 60.0}
    assert attendance["verdict"] == "MISSED"
    assert declines["figure"] == {"part": 2, "whole": 3, "percent": 66.7}
    assert declines["verdict"] == "NOT_ENOUGH_DATA"


async def test_plans_are_measured_by_when_they_were_verified(clinic: Clinic, week: Week) -> None:
    """R32"""
    for verified_on in (*[date(2026, 2, 1)] * 4, date(2025, 12, 9), date(2025, 12, 8), None):
        await listed(clinic, verified_on)

    await week.over()

    rows = await scorecard(clinic, "Office", clinic.office_id)
    assert rows is not None
    assert rows["PLANS_VERIFIED"]["figure"] == {"part": 5, "whole": 7, "percent": 71.4}
    (finding,) = await findings(clinic)
    assert "STALE_PLANS" not in {one["cause"] for one in finding["hypotheses"]}


async def test_hypotheses_name_what_the_data_show_and_nobody(clinic: Clinic, week: Week) -> None:
    """R32: unread guides, overload, stale plans and referrals that came to the wrong place, each with its numbers."""
    reader, busy = await staff(clinic), await staff(clinic)
    elsewhere = await office(clinic, "Elsewhere", uuid4())
    for _ in range(3):
        await staff(clinic, elsewhere)
    guide = await published(clinic)
    await acknowledge(clinic.reporting, guide, reader.viewer)
    await week.acted(late=8, in_time=2)
    for reason in (*["WRONG_SPECIALTY"] * 3, *["NO_CAPACITY"] * 2):
        await (await Story(clinic, week.group).sent(MONDAY)).declined(MONDAY + DAY, reason)
    for _ in range(6):
        await listed(clinic, None)

    await week.over()

    told = [one for one in await findings(clinic) if one["measure"] == "FIRST_ACTION_IN_TIME"]
    finding = next(one for one in told if one["office"])
    found = {
        one["cause"]: {item["name"]: item["value"] for item in one["evidence"]}
        for one in finding["hypotheses"]
    }
    assert found == {
        "UNREAD_GUIDE": {"readings": 2, "unread": 1},
        "OVERLOAD": {"open": 10, "confirmed": 2, "elsewhereOpen": 0, "elsewhereConfirmed": 3},
        "STALE_PLANS": {"listed": 6, "stale": 6},
        "WRONG_GROUP": {"arrived": 5, "misdirected": 3},
    }
    text = str(finding["hypotheses"])
    assert not any(str(one.user_id) in text for one in (reader, busy))


async def test_a_rule_changed_in_a_week_is_for_the_weeks_after_it(
    reporting: Reporting, clinic: Clinic, week: Week
) -> None:
    """R32: a week is measured by the version that it began with."""
    await reporting.running.set_time(MONDAY + 2 * DAY)
    given = {"measure": "FIRST_ACTION_IN_TIME", "atLeastPercent": 30, "expectedVersion": 1}
    told = await do(clinic, "changeScorecardRule", given)
    assert (told["version"], told["atLeastPercent"]) == (1, 80)
    assert told["later"] == {
        "version": 2,
        "atLeastPercent": 30,
        "fromWeek": "2026-03-09",
        "targetDays": 7,
    }
    assert (await do(clinic, "changeScorecardRule", given))["code"] == "STALE_VERSION"
    await week.acted(late=6, in_time=4)
    await week.over()
    await week.acted(late=6, in_time=4, start=MONDAY + 7 * DAY)
    await week.over(AFTER + 7 * DAY)

    first, second = [
        await scorecard(clinic, "Group", week.group, week=one)
        for one in ("2026-03-04", "2026-03-11")
    ]

    assert first is not None
    assert second is not None
    told_of = [one["FIRST_ACTION_IN_TIME"] for one in (first, second)]
    assert [(one["ruleVersion"], one["verdict"]) for one in told_of] == [(1, "MISSED"), (2, "MET")]


async def test_a_rule_missed_again_raises_no_second_finding_until_the_first_is_closed(
    clinic: Clinic, week: Week
) -> None:
    """R32"""
    for number in range(2):
        await week.acted(late=5, start=MONDAY + number * 7 * DAY)
        await week.over(AFTER + number * 7 * DAY)
    both = await findings(clinic)
    assert [one["weekOf"] for one in both] == ["2026-03-02"] * 2
    assert all(len(one["results"]) == 2 for one in both)

    for one in both:
        given = {"findingId": one["id"], "expectedVersion": 1, "note": "Looked into"}
        closed = await do(clinic, "closeFinding", given)
        assert (closed["state"], closed["allowedActions"]) == ("CLOSED", [])
        again = {**given, "expectedVersion": 2}
        assert (await do(clinic, "closeFinding", again))["code"] == "FINDING_CLOSED"
    await week.acted(late=5, start=MONDAY + 14 * DAY)
    await week.over(AFTER + 14 * DAY)

    assert [one["weekOf"] for one in await findings(clinic)][2:] == ["2026-03-16"] * 2


async def test_measuring_again_changes_nothing(
    reporting: Reporting, clinic: Clinic, week: Week
) -> None:
    """R32: a week is measured once, however often the job runs; what comes late is not of it, but told beside it."""
    await week.acted(late=5)
    await week.over()
    before = [one | {"results": []} for one in await findings(clinic)]
    await week.acted(in_time=20)
    await week.over(AFTER + timedelta(hours=1))

    rows = await scorecard(clinic, "Group", week.group)

    assert rows is not None
    assert rows["FIRST_ACTION_IN_TIME"]["figure"]["whole"] == 5
    assert [one | {"results": []} for one in await findings(clinic)] == before
    told = await reporting.running.sql.fetchval(
        "SELECT count(*) FROM outbox WHERE organization_id = $1 AND subject LIKE '%finding.raised'",
        clinic.organization_id,
    )
    assert told == 2


async def test_who_reads_scorecards_and_findings(
    reporting: Reporting, clinic: Clinic, week: Week
) -> None:
    """R32: client admins all, office admins those of their offices; nobody else, and nobody of another organization."""
    await week.acted(late=5)
    await week.over()
    (first, _) = await findings(clinic)
    here = clinic.staff(office_admin_of=frozenset({clinic.office_id}))
    there = clinic.staff(office_admin_of=frozenset({uuid4()}))
    clerk = clinic.staff(office_staff_of=frozenset({clinic.office_id}))
    stranger = Clinic(reporting).admin

    for reader in (here, clinic.staff(reporting_only=True)):
        assert [one["allowedActions"] for one in await findings(clinic, reader)] == [[], []]
        assert await scorecard(clinic, "Office", clinic.office_id, reader)
    assert await findings(clinic, there) == []
    for other in (there, clerk, stranger):
        assert await scorecard(clinic, "Office", clinic.office_id, other) is None
        query = "query($id: ID!) { finding(id: $id) { id } }"
        asked = {"id": first["id"]}
        assert (await reporting.running.data(query, asked, viewer=other))["finding"] is None
    refused = await reporting.running.gql("{ findings { edges { node { id } } } }", viewer=clerk)
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    given = {"findingId": first["id"], "expectedVersion": 1, "cause": "OTHER"}
    for other in (here, clerk):
        assert (await do(clinic, "recordFindingCause", given, other))["code"] == "FORBIDDEN"
    assert (await do(clinic, "recordFindingCause", given, stranger))["code"] == "NOT_FOUND"


async def test_a_rule_is_kept_within_bounds(clinic: Clinic) -> None:
    """R32: below five cases nobody is judged, whoever sets the rule."""
    for wrong, field_ in (
        ({"cases": 4}, "cases"),
        ({"atLeastPercent": 0}, "atLeastPercent"),
        ({"targetDays": 0}, "targetDays"),
    ):
        given = {"measure": "FIRST_ACTION_IN_TIME", "expectedVersion": 1, **wrong}
        assert (await do(clinic, "changeScorecardRule", given))["field"] == field_
    given = {"measure": "PLANS_VERIFIED", "expectedVersion": 1, "targetDays": 3}
    assert (await do(clinic, "changeScorecardRule", given))["field"] == "targetDays"


async def test_a_week_is_gone_through_some_referrals_at_a_time_each_with_its_whole_history(
    clinic: Clinic, week: Week
) -> None:
    """R32: an organization's week need not fit into memory."""
    await week.acted(late=2, in_time=3)
    here, span = OrganizationId(clinic.organization_id), (MONDAY - DAY, MONDAY + 6 * DAY)
    async with clinic.reporting.running.parts.db.reading() as tx:
        found = [changes async for changes in histories(tx, here, span, at_a_time=2)]

    assert [len(changes) for changes in found] == [4, 4, 2]
    assert len({change.referral_id for changes in found for change in changes}) == 5
