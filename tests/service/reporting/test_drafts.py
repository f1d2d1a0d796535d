"""Drafts in scorecards, and nowhere else (R32)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from proto.referrals.v1.events_pb2 import ReferralDraftDropped, ReferralDrafted
from tests.service.reporting.conftest import Clinic, Reporting
from tests.service.reporting.people import office, staff
from tests.service.reporting.stories import Story
from tests.service.reporting.test_scorecards import AFTER, MONDAY, do, findings, scorecard

DAY = timedelta(days=1)


class Written(Story):
    """A referral of the clinic's own that begins as a draft."""

    async def drafted(self, at: datetime, *, since: datetime | None = None) -> Written:
        """Kept at the story's office and group."""
        fact = ReferralDrafted(
            referral_id=str(self.referral_id),
            sending_office_id=str(self.sending_office_id),
            sending_group_id=str(self.sending_group_id or ""),
        )
        fact.drafted_at.FromDatetime(since or at)
        await self.say(fact, at)
        return self

    async def dropped(self, at: datetime) -> Written:
        """It will not be sent."""
        await self.say(ReferralDraftDropped(referral_id=str(self.referral_id)), at)
        return self


def written(clinic: Clinic, group: UUID | None = None) -> Written:
    made = Written(clinic, None, sender=clinic.organization_id, sending_group_id=group)
    made.sending_office_id = clinic.office_id
    return made


@pytest.fixture
async def here(clinic: Clinic) -> Clinic:
    """With a live office and staff."""
    await office(clinic)
    await staff(clinic)
    return clinic


async def test_drafts_that_lie_for_more_than_three_days_miss_the_rule_at_their_office_and_group(
    here: Clinic,
) -> None:
    """R32: no draft older than three days; the finding says why that may be, and names the drafts."""
    group = await here.group()
    lying = await written(here, group).drafted(MONDAY - 9 * DAY)
    late = await written(here, group).drafted(MONDAY - 3 * DAY)
    await late.sent(MONDAY + DAY)
    for _ in range(2):
        await (await written(here, group).drafted(MONDAY)).sent(MONDAY + DAY)
    await (await written(here, group).drafted(MONDAY)).dropped(MONDAY + 2 * DAY)
    await written(here, group).drafted(MONDAY + 5 * DAY)
    for _ in range(5):
        await (await written(here).drafted(MONDAY)).sent(MONDAY + DAY)
    before = await (await written(here).drafted(MONDAY - 20 * DAY)).dropped(MONDAY - 10 * DAY)
    await here.reporting.running.set_time(AFTER)

    of_group = (await scorecard(here, "Group", group) or {})["DRAFTS_IN_TIME"]
    of_office = (await scorecard(here, "Office", here.office_id) or {})["DRAFTS_IN_TIME"]

    assert of_group["figure"] == {"part": 3, "whole": 5, "percent": 60.0}
    assert of_office["figure"] == {"part": 8, "whole": 10, "percent": 80.0}
    assert (of_group["verdict"], of_group["atLeastPercent"]) == ("MISSED", 100)
    assert {*of_group["missedReferralIds"]} == {str(lying.referral_id), str(late.referral_id)}
    assert str(before.referral_id) not in of_office["missedReferralIds"]
    found = [one for one in await findings(here) if one["measure"] == "DRAFTS_IN_TIME"]
    assert len(found) == 2
    assert {one["cause"] for one in found[0]["hypotheses"]} == {"COVERAGE"}


async def test_a_draft_that_is_handed_to_another_place_counts_there_since_it_was_made(
    here: Clinic,
) -> None:
    """R32"""
    group, made = await here.group(), MONDAY - 9 * DAY
    for _ in range(5):
        moved = await written(here).drafted(made)
        moved.sending_group_id = group
        await moved.drafted(MONDAY + DAY, since=made)
    await here.reporting.running.set_time(AFTER)

    told = await scorecard(here, "Group", group) or {}

    assert told["DRAFTS_IN_TIME"]["figure"]["part"] == 0
    assert told["DRAFTS_IN_TIME"]["figure"]["whole"] == 5


async def test_a_few_drafts_are_too_few_to_say_anything(here: Clinic) -> None:
    """R32"""
    for _ in range(4):
        await written(here).drafted(MONDAY - 9 * DAY)
    await here.reporting.running.set_time(AFTER)

    told = await scorecard(here, "Office", here.office_id) or {}

    assert told["DRAFTS_IN_TIME"]["verdict"] == "NOT_ENOUGH_DATA"
    assert await findings(here) == []


async def test_the_rule_has_versions_and_a_target_in_days(here: Clinic) -> None:
    """R32: the weeks after the change are measured by it."""
    await here.reporting.running.set_time(MONDAY - 7 * DAY)
    given = {"measure": "DRAFTS_IN_TIME", "targetDays": 14, "expectedVersion": 1}
    assert (await do(here, "changeScorecardRule", given))["later"]["targetDays"] == 14
    for _ in range(5):
        await (await written(here).drafted(MONDAY - 9 * DAY)).sent(MONDAY)
    await here.reporting.running.set_time(AFTER)

    told = await scorecard(here, "Office", here.office_id) or {}

    assert (told["DRAFTS_IN_TIME"]["ruleVersion"], told["DRAFTS_IN_TIME"]["verdict"]) == (2, "MET")


async def test_reports_say_the_same_whether_referrals_were_drafts_before_or_not(
    reporting: Reporting, here: Clinic
) -> None:
    """R31: a draft is no referral yet."""
    plain, written_before = await here.group("Plain"), await here.group("Drafted")
    for group in (plain, written_before):
        for number in range(3):
            story = written(here, group)
            story.group_id = group
            if group is written_before:
                await story.drafted(MONDAY - 9 * DAY)
            await story.sent(MONDAY)
            if number:
                await story.acknowledged(MONDAY + DAY)
    await (await written(here, written_before).drafted(MONDAY)).dropped(MONDAY + DAY)
    await reporting.running.set_time(datetime(2026, 3, 9, 12, tzinfo=UTC))

    one, other = [
        await reporting.figures(here, group, "2026-03-04") for group in (plain, written_before)
    ]

    def numbers(told: dict[str, object]) -> dict[str, object]:
        return {
            name: value["count"] if isinstance(value, dict) and "count" in value else value
            for name, value in told.items()
            if name != "backlogByAge"
        }

    assert one["reconciles"] is other["reconciles"] is True
    assert numbers(one) == numbers(other)
