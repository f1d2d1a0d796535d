"""Year-start campaigns on real servers, with time moved."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.db import Connection
from services.insurance import actions, store
from services.insurance.domain import OrganizationId
from tests.service.insurance.asking import ADD, END, a_plan, mutate, wanted
from tests.service.insurance.campaigning import (
    attest,
    campaigns,
    closed,
    items,
    known,
    left,
    removed,
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


async def test_what_is_listed_for_many_items_is_read_at_once(
    insurance: Insurance, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R29"""
    await known(insurance, practice)
    for _ in range(5):
        await placed(insurance, practice, provider_id=uuid4())
    await at(insurance, 2031, 1, 2)
    campaign = await opened(insurance, practice)
    asked: list[int] = []
    read = store.rows_of_items

    async def counted(tx: Connection, of: OrganizationId, ids: Sequence[UUID], day: date) -> Any:  # noqa: ANN401 - what it answers
        asked.append(len(ids))
        return await read(tx, of, ids, day)

    monkeypatch.setattr(store, "rows_of_items", counted)
    query = """query($id: ID!) { campaign(id: $id) { items { edges { node { participations { id } } } } } }"""
    await insurance.running.data(query, {"id": campaign["id"]}, viewer=practice.manager)

    assert asked == [5]


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
    found = await opened(insurance, practice)
    assert (found["progress"]["dropped"], found["closedBecause"]) == (1, "DONE")
