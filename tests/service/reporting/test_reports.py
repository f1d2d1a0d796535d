"""The group progress report, from facts to GraphQL."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings

from proto.directory.v1.events_pb2 import GroupAdded
from proto.referrals.v1.events_pb2 import ReferralSent
from services.reporting import store
from services.reporting.domain import GroupId, OrganizationId, figures
from tests.service.reporting.conftest import (
    REPORT,
    Clinic,
    Reporting,
    counts,
)
from tests.service.reporting.stories import Story
from tests.support.facts import eventually
from tests.unit.reporting.histories import CARDIOLOGY, HISTORIES, MONDAY

NOON = datetime(2026, 3, 3, 17, tzinfo=UTC)
"""Noon in New York, on a Tuesday of the week before the clocks change."""

WEEK = "2026-03-02"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_a_week_is_counted_with_the_referrals_behind_each_number(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group = await clinic.group()
    seen = await Story(clinic, group).sent(NOON)
    await seen.acknowledged(NOON + 2 * HOUR)
    await seen.scheduled(NOON + 5 * HOUR)
    await seen.completed(NOON + DAY)
    refused = await (await Story(clinic, group).sent(NOON)).declined(NOON + HOUR, "WRONG_SPECIALTY")
    waiting = await Story(clinic, group).sent(NOON - 10 * DAY)
    withdrawn = await (await Story(clinic, group).sent(NOON)).cancelled(NOON + HOUR)
    missed = await (await Story(clinic, group).sent(NOON)).scheduled(NOON + HOUR)
    await missed.missed(NOON + DAY)

    told = await reporting.figures(clinic, group, WEEK)

    assert counts(told) == {
        "opening": 1,
        "received": 4,
        "completed": 1,
        "cancelled": 1,
        "declined": 1,
        "closing": 2,
        "acknowledged": 1,
        "scheduled": 2,
        "appointmentsPassed": 1,
        "noShows": 1,
        "overdue": 1,
        "unworked": 1,
        "appointmentsOver": 2,
        "completedSeen": 1,
    }
    assert told["noShowRate"] == {"part": 1, "whole": 2, "percent": 50.0}
    assert told["declineRate"] == {"part": 1, "whole": 5, "percent": 20.0}
    assert told["loopClosure"] == {"part": 0, "whole": 1, "percent": 0.0}
    assert told["toAppointment"] == {"hours": 14.5, "referrals": 2}
    assert told["completed"]["referralIds"] == [str(seen.referral_id)]
    assert told["cancelled"]["referralIds"] == [str(withdrawn.referral_id)]
    assert told["overdue"]["referralIds"] == [str(waiting.referral_id)]
    (declined,) = told["declinedByReason"]
    assert (declined["reasonCode"], declined["declined"]["referralIds"]) == (
        "WRONG_SPECIALTY",
        [str(refused.referral_id)],
    )
    assert told["toFirstAction"] == {"hours": 1.0, "referrals": 3}
    assert told["toSchedule"] == {"hours": 3.0, "referrals": 2}
    assert told["toCompletion"] == {"hours": 24.0, "referrals": 1}
    assert [one["open"]["count"] for one in told["backlogByAge"]] == [0, 1, 0, 1]
    assert (told["reconciles"], told["unexplainedReferralIds"]) == (True, [])


async def test_a_week_begins_on_monday_at_midnight_where_the_organization_is(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group = await clinic.group()
    await Story(clinic, group).sent(datetime(2026, 3, 2, 4, 59, 59, tzinfo=UTC))
    await Story(clinic, group).sent(datetime(2026, 3, 2, 5, tzinfo=UTC))
    await Story(clinic, group).sent(datetime(2026, 3, 9, 3, 59, 59, tzinfo=UTC))
    await Story(clinic, group).sent(datetime(2026, 3, 9, 4, tzinfo=UTC))

    report = await reporting.report(clinic, group, "2026-03-08")

    assert report["weekOf"] == WEEK
    assert report["startsAt"] == "2026-03-02T05:00:00+00:00"
    assert report["endsAt"] == "2026-03-09T04:00:00+00:00"
    assert counts(report["figures"]) == {
        "opening": 1,
        "received": 2,
        "closing": 3,
        "unworked": 1,
    }


async def test_referrals_that_move_between_groups_reconcile_in_each(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    here, there = await clinic.group("Cardiology"), await clinic.group("Heart failure")
    await (await Story(clinic, here).sent(NOON)).reassigned(there, NOON + HOUR)
    await (await Story(clinic, here).sent(NOON)).forwarded_within(there, NOON + HOUR)
    await (await Story(clinic, here).sent(NOON)).forwarded_away(NOON + HOUR)

    ours = await reporting.figures(clinic, here, WEEK)
    theirs = await reporting.figures(clinic, there, WEEK)

    assert counts(ours) == {"received": 3, "reassignedOut": 1, "forwardedOut": 2}
    assert counts(theirs) == {"received": 1, "reassignedIn": 1, "closing": 2}
    assert ours["reconciles"]
    assert theirs["reconciles"]


async def test_an_organization_on_both_sides_hears_everything_twice_and_counts_it_once(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group = await clinic.group()
    story = Story(clinic, group, sender=clinic.organization_id, version=1, hop=1)
    for side in ("SENDING", "RECEIVING"):
        await story.say(ReferralSent(referral=story.state("PENDING", NOON, side=side)), NOON)
    story.version = 2
    leaving = story.state("PENDING", NOON + HOUR)
    gone = story.state("PENDING", NOON + HOUR, side="SENDING")
    gone.receiving_organization_id, gone.receiving_group_id, gone.hop = str(uuid4()), "", 2
    for state in (gone, leaving):
        await story.say(story.forwarded(state, group), NOON + HOUR)

    told = await reporting.figures(clinic, group, WEEK)

    assert counts(told) == {"received": 1, "forwardedOut": 1}
    assert told["reconciles"]


async def test_a_declined_referral_sent_again_is_reopened(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group = await clinic.group()
    story = await (await Story(clinic, group).sent(NOON)).declined(NOON + HOUR)
    await story.sent(NOON + DAY)

    told = await reporting.figures(clinic, group, WEEK)

    assert counts(told) == {"received": 1, "declined": 1, "reopened": 1, "closing": 1}


async def test_what_a_group_sends_is_counted_as_sent(reporting: Reporting, clinic: Clinic) -> None:
    """R22, R31"""
    emergency, ward = await clinic.group("Emergency"), await clinic.group("Ward")
    story = Story(clinic, ward, sender=clinic.organization_id, sending_group_id=emergency)

    await story.sent(NOON)

    assert counts(await reporting.figures(clinic, emergency, WEEK)) == {"sent": 1}
    assert counts(await reporting.figures(clinic, ward, WEEK)) == {"received": 1, "closing": 1}


async def test_a_referral_handed_over_to_another_sender_stays_where_it_is(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R12"""
    group = await clinic.group(at=MONDAY)
    story = await Story(clinic, group).sent(MONDAY + DAY)
    await story.sender_changed(MONDAY + 2 * DAY)

    await reporting.running.set_time(MONDAY + 3 * DAY)
    report = await reporting.report(clinic, group, WEEK)

    assert counts(report["figures"]) == {"received": 1, "closing": 1}
    assert report["dataAsOf"] == (MONDAY + 2 * DAY).isoformat()


async def test_a_fact_heard_twice_counts_once(reporting: Reporting, clinic: Clinic) -> None:
    """R31"""
    group = await clinic.group()
    story = Story(clinic, group, version=1, hop=1)
    event = await story.say(ReferralSent(referral=story.state("PENDING", NOON)), NOON)

    assert not await reporting.neighbours.repeat(event)
    assert counts(await reporting.figures(clinic, group, WEEK)) == {"received": 1, "closing": 1}


async def test_a_group_may_be_heard_of_after_its_referrals(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group = uuid4()
    await Story(clinic, group).sent(NOON)
    added = GroupAdded(group_id=str(group), name="Late", office_ids=[str(clinic.office_id)])
    await reporting.neighbours.say(added, clinic.organization_id, "group", group, NOON)

    assert counts(await reporting.figures(clinic, group, WEEK)) == {"received": 1, "closing": 1}


async def test_a_report_with_missing_facts_says_that_it_does_not_reconcile(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group = await clinic.group()
    story = Story(clinic, group, version=1, hop=1)
    await story.acknowledged(NOON)

    told = await reporting.figures(clinic, group, WEEK)

    assert not told["reconciles"]
    assert told["unexplainedReferralIds"] == [str(story.referral_id)]


async def test_facts_reach_reporting_over_the_real_stream(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group = await clinic.group()
    story = Story(clinic, group, version=1, hop=1)
    fact = ReferralSent(referral=story.state("PENDING", NOON))
    event = reporting.neighbours.event(
        fact, clinic.organization_id, "referral", story.referral_id, NOON
    )

    await reporting.neighbours.publish(event)

    async def received() -> dict[str, int]:
        return counts(await reporting.figures(clinic, group, WEEK))

    await eventually(received, lambda told: told == {"received": 1, "closing": 1})


async def test_every_report_shows_the_last_fact_it_is_made_of(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group = await clinic.group()
    await Story(clinic, group).sent(NOON)
    await Story(clinic, group).sent(NOON - DAY)

    report = await reporting.report(clinic, group, WEEK)

    assert report["dataAsOf"] == NOON.isoformat()


async def test_the_running_week_is_told_as_of_now(reporting: Reporting, clinic: Clinic) -> None:
    """R31"""
    group = await clinic.group()
    now = reporting.running.parts.clock.now()

    report = await reporting.report(clinic, group, now.date().isoformat())

    assert now <= datetime.fromisoformat(report["asOf"]) <= now + timedelta(minutes=1)
    assert report["published"] is None


@pytest.mark.parametrize(
    ("day", "code"), [("9999-12-31", "WEEK_NOT_BEGUN"), ("0001-01-01", "WEEK_TOO_EARLY")]
)
async def test_weeks_out_of_reach_are_refused(
    reporting: Reporting, clinic: Clinic, day: str, code: str
) -> None:
    """R31"""
    group = await clinic.group()

    answer = await reporting.running.gql(
        REPORT, {"groupId": str(group), "weekOf": day}, viewer=clinic.admin
    )

    assert answer["errors"][0]["extensions"]["reason"] == code


async def test_an_organization_nobody_has_heard_of_has_to_wait(reporting: Reporting) -> None:
    stranger = Clinic(reporting)

    answer = await reporting.running.gql(
        REPORT, {"groupId": str(uuid4()), "weekOf": WEEK}, viewer=stranger.admin
    )

    assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def test_what_was_heard_stays_as_it_was_heard(reporting: Reporting, clinic: Clinic) -> None:
    """R31"""
    await Story(clinic, await clinic.group()).sent(NOON)

    for change in (
        "DELETE FROM referral_changes WHERE organization_id = $1",
        "UPDATE referral_changes SET version = 9 WHERE organization_id = $1",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await reporting.running.sql.execute(change, clinic.organization_id)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(histories=HISTORIES)
async def test_what_the_database_finds_for_a_week_is_all_that_the_week_is_made_of(
    reporting: Reporting, histories: list[Any]
) -> None:
    """R31"""
    organization_id = OrganizationId(uuid4())
    changes = [change for told in histories for change in told]
    async with reporting.running.parts.db.transaction() as tx:
        for change in changes:
            await store.changes.add_change(tx, organization_id, change)

    for week in range(6):
        start, end = MONDAY + week * 7 * DAY, MONDAY + (week + 1) * 7 * DAY
        async with reporting.running.parts.db.reading() as tx:
            found = await store.changes.changes(
                tx, organization_id, [GroupId(CARDIOLOGY)], (start, end)
            )
        assert figures(found, CARDIOLOGY, start, end) == figures(changes, CARDIOLOGY, start, end)


async def test_a_week_is_told_beside_the_one_before_and_explains_itself(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group, office = await clinic.group(), uuid4()
    for n in range(6):
        story = Story(clinic, group, sending_office_id=office if n else uuid4())
        await (await story.sent(NOON)).declined(NOON + HOUR)

    report = await reporting.report(clinic, group, WEEK)

    assert counts(report["weekBefore"]) == {}
    declined = next(one for one in report["explanations"] if one["number"] == "DECLINED")
    assert (declined["before"], declined["now"]) == (0, 6)
    assert declined["drivers"] == [
        {"dimension": "SENDING_OFFICE", "key": str(office), "before": 0, "now": 5}
    ]
    assert declined["sentence"].startswith("Declined referrals rose from 0 to 6.")


async def test_the_loop_is_closed_by_the_outcome_and_leakage_by_the_sender(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    emergency, ward = await clinic.group("Emergency"), await clinic.group("Ward")
    for acceptance in ("ACCEPTED", "NOT_LISTED", "UNKNOWN", ""):
        story = Story(
            clinic,
            ward,
            sender=clinic.organization_id,
            sending_group_id=emergency,
            acceptance=acceptance,
        )
        await story.sent(NOON)
        await story.written_about("PENDING", NOON + HOUR)
    await story.completed(NOON + 2 * HOUR)
    await story.outcome_attached(NOON + 3 * HOUR)

    ours = await reporting.figures(clinic, emergency, WEEK)
    theirs = await reporting.figures(clinic, ward, WEEK)

    assert ours["leakage"] == {"part": 1, "whole": 2, "percent": 50.0}
    assert theirs["loopClosure"] == {"part": 1, "whole": 1, "percent": 100.0}
    assert theirs["loopsClosed"]["referralIds"] == [str(story.referral_id)]
