"""How a campaign goes on: reminders, escalation, who does it, its end and its evidence."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.service.insurance.asking import ADD, END, a_plan, mutate, wanted
from tests.service.insurance.campaigning import (
    EVIDENCE,
    attest,
    campaigns,
    deactivated,
    granted,
    items,
    known,
    revoked,
    told,
)
from tests.service.insurance.conftest import Insurance, Practice, placed


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
    later = datetime(2030, 9, 1, tzinfo=UTC)
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


async def test_an_organization_whose_campaign_cannot_be_opened_keeps_no_other_waiting(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice)
    await placed(insurance, practice)
    await insurance.running.set_time(datetime(2030, 12, 31, tzinfo=UTC))
    broken = "INSERT INTO organizations VALUES ($1, 'Mars/Olympus', '2030-06-01Z')"
    await insurance.running.sql.execute(broken, UUID(int=1))
    try:
        with pytest.raises(ExceptionGroup):
            await insurance.running.set_time(datetime(2031, 1, 1, 12, tzinfo=UTC))

        (campaign,) = await campaigns(insurance, practice)
    finally:
        await insurance.running.sql.execute(
            "DELETE FROM organizations WHERE organization_id = $1", UUID(int=1)
        )
    assert campaign["year"] == 2031
