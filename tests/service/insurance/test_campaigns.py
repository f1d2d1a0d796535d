"""Year-start campaigns on real servers, with time moved."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.insurance import actions
from tests.service.insurance.asking import ADD, END, a_plan, mutate, wanted
from tests.service.insurance.campaigning import (
    EVIDENCE,
    attest,
    campaigns,
    closed,
    deactivated,
    granted,
    items,
    known,
    left,
    removed,
    revoked,
    told,
)
from tests.service.insurance.conftest import Insurance, Practice, new_practice, placed


async def at(insurance: Insurance, year: int, month: int = 1, day: int = 1, hour: int = 0) -> None:
    """Move time; what became due is done then."""
    await insurance.running.set_time(datetime(year, month, day, hour, tzinfo=UTC))


async def opened(insurance: Insurance, practice: Practice) -> dict[str, Any]:
    """The practice's one campaign."""
    (found,) = await campaigns(insurance, practice)
    return found


async def accept(
    insurance: Insurance, practice: Practice, plan: str, **more: str
) -> dict[str, Any]:
    added = await mutate(
        insurance, ADD, wanted(practice, plan, "2026-01-01") | more, practice.manager
    )
    assert added["__typename"] == "Participation"
    return added


@pytest.mark.parametrize(
    ("zone", "midnight", "year"),
    [
        ("Pacific/Kiritimati", datetime(2030, 12, 31, 10, tzinfo=UTC), 2031),
        ("Australia/Sydney", datetime(2030, 12, 31, 13, tzinfo=UTC), 2031),
        ("America/Los_Angeles", datetime(2031, 1, 1, 8, tzinfo=UTC), 2031),
    ],
)
async def test_a_campaign_opens_at_the_organizations_own_new_year(
    insurance: Insurance, practice: Practice, zone: str, midnight: datetime, year: int
) -> None:
    """R29"""
    await known(insurance, practice, zone, at=datetime(2030, 3, 1, tzinfo=UTC))
    await placed(insurance, practice)

    await insurance.running.set_time(midnight - timedelta(minutes=1))
    before = await campaigns(insurance, practice)
    await insurance.running.set_time(midnight + timedelta(minutes=1))

    assert before == []
    found = await opened(insurance, practice)
    assert (found["kind"], found["year"], found["dueOn"]) == ("YEAR_START", year, f"{year}-01-31")
    assert found["progress"] == {"total": 1, "open": 1, "attested": 0, "dropped": 0}


async def test_there_is_one_item_for_each_provider_at_each_office_whatever_is_listed_there(
    insurance: Insurance, practice: Practice
) -> None:
    """R29: 40 profiles, 40 items."""
    await known(insurance, practice)
    offices = [uuid4() for _ in range(4)]
    for _ in range(10):
        provider = uuid4()
        for office in offices:
            await placed(insurance, practice, provider_id=provider, office_id=office)
    await at(insurance, 2031, 1, 2)

    found = await opened(insurance, practice)

    assert found["progress"]["total"] == 40
    (fact,) = await told(insurance, practice, "campaign.opened")
    assert (fact["items"], fact["kind"], fact["dueOn"]) == (40, "YEAR_START", "2031-01-31")


async def test_however_often_and_wherever_the_job_runs_an_organization_has_one_campaign_a_year(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice)
    await placed(insurance, practice)
    await at(insurance, 2031, 1, 2)
    other = new_practice(insurance)
    await known(insurance, other)
    await placed(insurance, other)

    call = insurance.running.parts.call()
    await asyncio.gather(*(actions.open_year_starts(call) for _ in range(6)))

    assert len(await campaigns(insurance, other)) == 1
    assert len(await told(insurance, other, "campaign.opened")) == 1
    assert len(await campaigns(insurance, practice)) == 1


async def test_after_an_outage_on_new_years_day_the_campaign_opens_late_and_is_due_later(
    insurance: Insurance, practice: Practice
) -> None:
    """R29: down until 15 February of a leap year, due on the 29th."""
    await known(insurance, practice)
    await placed(insurance, practice)
    await at(insurance, 2032, 2, 15, 12)
    found = await opened(insurance, practice)
    assert (found["year"], found["dueOn"]) == (2032, "2032-02-29")


async def test_an_organization_that_went_live_in_december_is_asked_and_one_of_january_is_not(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice, at=datetime(2032, 12, 30, tzinfo=UTC))
    late = new_practice(insurance)
    await known(insurance, late, at=datetime(2033, 1, 2, tzinfo=UTC))
    await placed(insurance, practice)
    await placed(insurance, late)
    await at(insurance, 2033, 1, 3)

    assert len(await campaigns(insurance, practice)) == 1
    assert await campaigns(insurance, late) == []
    await at(insurance, 2034, 1, 1, 1)
    assert [one["year"] for one in await campaigns(insurance, late)] == [2034]


async def test_attesting_an_item_verifies_its_rows_and_the_last_one_closes_the_campaign(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice)
    await placed(insurance, practice)
    rows = [
        await accept(insurance, practice, await a_plan(insurance), source="PAYER") for _ in range(2)
    ]
    await at(insurance, 2031, 1, 2, 12)
    campaign = await opened(insurance, practice)
    (item,) = await items(insurance, practice.manager, campaign["id"])
    assert item["allowedActions"] == ["ATTEST"]
    assert {one["id"] for one in item["participations"]} == {one["id"] for one in rows}

    assert await attest(insurance, practice.manager, item) == [(None, [])]

    (seen,) = await items(insurance, practice.manager, campaign["id"])
    assert (seen["state"], seen["allowedActions"]) == ("ATTESTED", [])
    assert seen["attestedBy"] == {"id": str(practice.manager.user_id)}
    assert {one["lastVerifiedOn"] for one in seen["participations"]} == {"2031-01-02"}
    done = await opened(insurance, practice)
    assert (done["closedBecause"], done["progress"]["attested"]) == ("DONE", 1)
    assert len(await told(insurance, practice, "participation.verified")) == 2
    (fact,) = await told(insurance, practice, "campaign.item_attested")
    assert (fact["participations"], fact["providerId"]) == (2, str(practice.provider_id))
    assert len(await told(insurance, practice, "campaign.closed")) == 1


async def test_attesting_again_changes_nothing_and_somebody_else_is_told_that_it_is_settled(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice)
    await placed(insurance, practice)
    await placed(insurance, practice, provider_id=uuid4())
    await at(insurance, 2031, 1, 2)
    campaign = await opened(insurance, practice)
    item, _ = await items(insurance, practice.manager, campaign["id"])

    assert await attest(insurance, practice.manager, item) == [(None, [])]
    assert await attest(insurance, practice.manager, item) == [(None, [])]
    other = practice.staff(client_admin=True)
    assert await attest(insurance, other, item) == [("ITEM_SETTLED", [])]
    assert len(await told(insurance, practice, "campaign.item_attested")) == 1


async def test_an_item_whose_rows_were_edited_since_they_were_seen_is_not_attested(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice)
    await placed(insurance, practice)
    row = await accept(insurance, practice, await a_plan(insurance))
    await at(insurance, 2031, 1, 2)
    campaign = await opened(insurance, practice)
    (item,) = await items(insurance, practice.manager, campaign["id"])

    ending = {
        "participationId": row["id"], "effectiveUntil": "2031-06-01", "expectedVersion": 1,
    }  # fmt: skip
    await mutate(insurance, END, ending, practice.manager)

    assert await attest(insurance, practice.manager, item) == [
        ("STALE_PREVIEW", ["participations"])
    ]
    (item,) = await items(insurance, practice.manager, campaign["id"])
    assert await attest(insurance, practice.manager, item) == [(None, [])]


async def test_of_attesting_and_editing_at_once_nothing_is_verified_that_was_not_seen(
    insurance: Insurance,
) -> None:
    """R29"""
    for _ in range(5):
        place = new_practice(insurance)
        await known(insurance, place)
        await placed(insurance, place)
        row = await accept(insurance, place, await a_plan(insurance), source="PAYER")
        await at(insurance, 2031, 1, 2)
        campaign = await opened(insurance, place)
        (item,) = await items(insurance, place.manager, campaign["id"])
        ending = {
            "participationId": row["id"], "effectiveUntil": "2031-06-01", "expectedVersion": 1,
        }  # fmt: skip

        ((code, _),), ended = await asyncio.gather(
            attest(insurance, place.manager, item), mutate(insurance, END, ending, place.manager)
        )

        if ended["__typename"] == "Participation":
            assert (code, ended["lastVerifiedOn"]) == ("STALE_PREVIEW", None)
        else:
            assert (code, ended["code"]) == (None, "STALE_VERSION")


async def test_an_office_admin_sees_and_attests_the_items_of_own_offices(
    insurance: Insurance, practice: Practice
) -> None:
    """R26, R29"""
    there = uuid4()
    await known(insurance, practice)
    await placed(insurance, practice)
    await placed(insurance, practice, office_id=there)
    await at(insurance, 2031, 1, 2)
    campaign = await opened(insurance, practice)
    whole = await items(insurance, practice.manager, campaign["id"])
    admin = practice.staff(office_admin_of=frozenset({there}))

    (mine,) = await items(insurance, admin, campaign["id"])
    (not_mine,) = [one for one in whole if one["id"] != mine["id"]]

    assert mine["office"] == {"id": str(there)}
    assert await attest(insurance, admin, mine, not_mine) == [(None, []), ("FORBIDDEN", [])]
    stranger = new_practice(insurance).manager
    assert await attest(insurance, stranger, not_mine) == [("NOT_FOUND", [])]


async def test_a_provider_who_comes_during_a_campaign_gets_an_item_and_one_who_leaves_loses_it(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice)
    placement = await placed(insurance, practice)
    await at(insurance, 2031, 1, 5)
    newcomer, there = uuid4(), uuid4()
    await placed(insurance, practice, provider_id=newcomer, first="2031-01-10")
    await placed(insurance, practice, provider_id=newcomer, office_id=there)
    assert (await opened(insurance, practice))["progress"]["open"] == 3

    await left(insurance, practice, placement, "2031-01-05")
    after_one_left = (await opened(insurance, practice))["progress"]
    await closed(insurance, practice, there)
    await removed(insurance, practice, newcomer)

    assert after_one_left == {"total": 3, "open": 2, "attested": 0, "dropped": 1}
    over = await opened(insurance, practice)
    assert (over["progress"]["dropped"], over["closedBecause"]) == (3, "DONE")


async def test_an_item_whose_provider_leaves_later_is_dropped_on_that_day(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice)
    placement = await placed(insurance, practice)
    await at(insurance, 2031, 1, 5)
    await left(insurance, practice, placement, "2031-01-20")

    await at(insurance, 2031, 1, 19, 12)
    assert (await opened(insurance, practice))["progress"]["open"] == 1
    await at(insurance, 2031, 1, 20, 12)
    assert (await opened(insurance, practice))["progress"]["dropped"] == 1


async def test_whoever_does_it_is_reminded_weekly_and_client_admins_are_told_on_31_january(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice)
    for _ in range(5):
        await placed(insurance, practice, provider_id=uuid4())
    manager = await granted(insurance, practice, "INSURANCE_MANAGER")
    admin = await granted(insurance, practice, "CLIENT_ADMIN")
    await at(insurance, 2031, 1, 1, 1)
    for day in (7, 8, 8, 9, 15, 22, 29, 30):
        await at(insurance, 2031, 1, day, 12)
    reminders = await told(insurance, practice, "campaign.reminded")
    before = await told(insurance, practice, "campaign.escalated")

    for _ in range(3):
        await at(insurance, 2031, 1, 31, 12)

    assert [(one["openItems"], one["userIds"]) for one in reminders] == [(5, [str(manager)])] * 4
    assert before == []
    (escalated,) = await told(insurance, practice, "campaign.escalated")
    assert (escalated["openItems"], escalated["userIds"]) == (5, [str(admin)])
    assert (await opened(insurance, practice))["escalatedOn"] == "2031-01-31"


async def test_without_an_insurance_manager_client_admins_are_reminded_instead(
    insurance: Insurance, practice: Practice
) -> None:
    """R26, R29"""
    await known(insurance, practice)
    await placed(insurance, practice)
    admin = await granted(insurance, practice, "CLIENT_ADMIN")
    await at(insurance, 2031, 1, 1, 1)
    await at(insurance, 2031, 1, 8, 12)

    (reminded,) = await told(insurance, practice, "campaign.reminded")
    assert reminded["userIds"] == [str(admin)]
    assert (await opened(insurance, practice))["assignedTo"] is None


async def test_client_admins_are_told_once_a_week_that_nobody_is_insurance_manager(
    insurance: Insurance, practice: Practice
) -> None:
    """R26"""
    await known(insurance, practice)
    await accept(insurance, practice, await a_plan(insurance))
    admin = await granted(insurance, practice, "CLIENT_ADMIN")
    await at(insurance, 2036, 3, 3, 12)
    for day in (4, 5, 10, 11):
        await at(insurance, 2036, 3, day, 12)
    await granted(insurance, practice, "INSURANCE_MANAGER")
    await at(insurance, 2036, 3, 20, 12)

    found = await told(insurance, practice, "manager.missing")
    assert [one["userIds"] for one in found] == [[str(admin)]] * 2


async def test_the_campaigns_of_a_manager_who_goes_are_handed_to_another_or_to_client_admins(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice)
    await placed(insurance, practice)
    later = datetime(2026, 1, 1, tzinfo=UTC)
    first = await granted(insurance, practice, "INSURANCE_MANAGER")
    second = await granted(insurance, practice, "INSURANCE_MANAGER", at=later)
    await at(insurance, 2031, 1, 2)
    assert (await opened(insurance, practice))["assignedTo"] == {"id": str(first)}

    await deactivated(insurance, practice, first)
    assert (await opened(insurance, practice))["assignedTo"] == {"id": str(second)}
    await revoked(insurance, practice, second)
    assert (await opened(insurance, practice))["assignedTo"] is None
    third = await granted(insurance, practice, "INSURANCE_MANAGER")
    assert (await opened(insurance, practice))["assignedTo"] == {"id": str(third)}

    told_of = [
        one.get("userId", "") for one in await told(insurance, practice, "campaign.assigned")
    ]
    assert told_of == [str(first), str(second), "", str(third)]


async def test_the_campaign_of_the_next_year_ends_that_of_the_year_before(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice)
    await placed(insurance, practice)
    await at(insurance, 2031, 1, 2)
    await at(insurance, 2032, 1, 2)

    newest, earlier = await campaigns(insurance, practice)
    assert (newest["year"], newest["closedBecause"]) == (2032, None)
    assert (earlier["year"], earlier["closedBecause"]) == (2031, "SUPERSEDED")


async def test_a_campaign_without_anybody_to_ask_about_is_over_when_it_was_due(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice)
    await at(insurance, 2031, 1, 2)
    assert (await opened(insurance, practice))["closedBecause"] is None
    await at(insurance, 2031, 1, 31, 12)
    assert (await opened(insurance, practice))["closedBecause"] == "DONE"
    assert await told(insurance, practice, "campaign.escalated") == []


async def test_the_evidence_of_a_campaign_says_who_said_what_when_and_comes_in_pages(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice)
    await placed(insurance, practice)
    await placed(insurance, practice, provider_id=uuid4())
    formula = await a_plan(insurance, name="=HYPERLINK(1)")
    row = await accept(insurance, practice, formula, source="PAYER")
    await at(insurance, 2031, 1, 2)
    campaign = await opened(insurance, practice)
    await attest(
        insurance, practice.manager, *await items(insurance, practice.manager, campaign["id"])
    )

    text, after, pages = "", None, 0
    while True:
        asked = {"id": campaign["id"], "first": 1, "after": after}
        data = await insurance.running.data(EVIDENCE, asked, viewer=practice.manager)
        page = data["campaignEvidence"]
        text, after, pages = text + page["csv"], page["endCursor"], pages + 1
        if not page["hasNextPage"]:
            break

    lines = list(csv.DictReader(io.StringIO(text)))
    assert (pages, len(lines)) == (2, 2)
    (told_of,) = [one for one in lines if one["participation_id"] == row["id"]]
    assert told_of["plan"] == "'=HYPERLINK(1)"
    assert (told_of["verified_on"], told_of["verified_by"]) == (
        "2031-01-02",
        str(practice.manager.user_id),
    )
    assert {one["state"] for one in lines} == {"ATTESTED"}


async def test_evidence_stays_as_it_was_when_a_row_is_ended_afterwards(
    insurance: Insurance, practice: Practice
) -> None:
    """R27, R29"""
    await known(insurance, practice)
    await placed(insurance, practice)
    row = await accept(insurance, practice, await a_plan(insurance))
    await at(insurance, 2031, 1, 2)
    campaign = await opened(insurance, practice)
    await attest(
        insurance, practice.manager, *await items(insurance, practice.manager, campaign["id"])
    )
    asked = {"id": campaign["id"]}
    before = await insurance.running.data(EVIDENCE, asked, viewer=practice.manager)

    ending = {
        "participationId": row["id"], "effectiveUntil": "2031-03-01", "expectedVersion": 2,
    }  # fmt: skip
    ended = await mutate(insurance, END, ending, practice.manager)

    assert ended["__typename"] == "Participation"
    assert await insurance.running.data(EVIDENCE, asked, viewer=practice.manager) == before
