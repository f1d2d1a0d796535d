"""Insurance managers of some offices only: what they keep, what they are told of, and what stays the whole organization's (R26)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from kit.auth import Viewer
from tests.service.insurance.asking import ADD, ADD_MANY, END, VERIFY, a_plan, mutate, rows, wanted
from tests.service.insurance.campaigning import (
    ASSIGN,
    CALL_OFF,
    DECLARE,
    EVIDENCE,
    attest,
    campaigns,
    closed,
    deactivated,
    granted,
    items,
    known,
    revoked,
    told,
)
from tests.service.insurance.conftest import Insurance, Practice, placed
from tests.service.insurance.test_copies import COPY, preview
from tests.service.insurance.test_verifying import DUE, STANDING, VERIFY_MANY

MANAGER, CLIENT_ADMIN = "INSURANCE_MANAGER", "CLIENT_ADMIN"


async def at(insurance: Insurance, year: int, month: int = 1, day: int = 1, hour: int = 0) -> None:
    """Move time; what became due is done then."""
    await insurance.running.set_time(datetime(year, month, day, hour, tzinfo=UTC))


def keeper(practice: Practice, *offices: UUID) -> Viewer:
    """Who keeps the plans of these offices, of the practice's own unless said."""
    kept = frozenset(offices or {practice.office_id})
    return practice.staff(insurance_manager_of=kept)


async def elsewhere(insurance: Insurance, practice: Practice) -> UUID:
    """Another office of the practice, at which its provider works as well."""
    office = uuid4()
    await placed(insurance, practice, office_id=office)
    return office


async def accept(
    insurance: Insurance, practice: Practice, viewer: Viewer, office: UUID | None = None
) -> dict[str, Any]:
    """What adding a plan there answers."""
    asked = wanted(practice, await a_plan(insurance), "2026-01-01")
    return await mutate(
        insurance, ADD, asked | {"officeId": str(office or practice.office_id)}, viewer
    )


# Rows -----------------------------------------------------------------------------------------------------------------


async def test_an_insurance_manager_of_an_office_edits_there_and_nowhere_else(
    insurance: Insurance, practice: Practice
) -> None:
    """R26: adding one or many, ending, verifying one or many."""
    there, me = await elsewhere(insurance, practice), keeper(practice)
    mine = await accept(insurance, practice, me)
    theirs = await accept(insurance, practice, practice.manager, there)
    many = {"planIds": [await a_plan(insurance)], "effectiveFrom": "2026-01-01"}
    many |= {"providerId": str(practice.provider_id), "idempotencyKey": str(uuid4())}
    answers = [
        await accept(insurance, practice, me, there),
        await mutate(insurance, ADD_MANY, many | {"officeId": str(there)}, me),
        await mutate(insurance, VERIFY, seen(theirs), me),
        await mutate(insurance, END, seen(theirs) | {"effectiveUntil": "2040-01-01"}, me),
    ]
    both = {"participations": [seen(mine), seen(theirs)], "idempotencyKey": str(uuid4())}
    verified = await mutate(insurance, VERIFY_MANY, both, me)

    assert mine["allowedActions"] == ["END", "VERIFY"]
    assert {one["code"] for one in answers} == {"FORBIDDEN"}
    assert [(one["problem"] or {}).get("code") for one in verified["outcomes"]] == [
        None,
        "FORBIDDEN",
    ]
    (row,) = await rows(insurance, me, officeId=practice.office_id)
    (other,) = await rows(insurance, me, officeId=there)
    assert (row["allowedActions"], other["allowedActions"]) == (["END", "VERIFY"], [])


def seen(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it was seen."""
    return {"participationId": row["id"], "expectedVersion": row["version"]}


async def test_what_is_due_is_listed_for_the_offices_that_are_kept(
    insurance: Insurance, practice: Practice
) -> None:
    """R26, R27"""
    there = await elsewhere(insurance, practice)
    for office in (practice.office_id, there):
        asked = wanted(practice, await a_plan(insurance), "2026-01-01") | {"source": "PAYER"}
        await mutate(insurance, ADD, asked | {"officeId": str(office)}, practice.manager)

    async def due(viewer: Viewer) -> int:
        data = await insurance.running.data(DUE, {}, viewer=viewer)
        return len(data["participationsDue"]["edges"])

    assert await due(keeper(practice)) == await due(keeper(practice, there)) == 1
    assert await due(keeper(practice, practice.office_id, there)) == 2


async def test_how_sure_lists_are_is_told_of_the_offices_that_are_kept(
    insurance: Insurance, practice: Practice
) -> None:
    """R26: numbers of other offices are not theirs, nor an office admin's; nor is it told of others that nobody manages them."""
    await known(insurance, practice)
    there = await elsewhere(insurance, practice)
    for office in (practice.office_id, there, there):
        await accept(insurance, practice, practice.manager, office)
    await granted(insurance, practice, MANAGER, office=practice.office_id)

    async def standing(viewer: Viewer) -> tuple[int, bool]:
        data = await insurance.running.data(STANDING, viewer=viewer)
        found = data["verificationStanding"]
        counted = ("verified", "stale", "unverified")
        return sum(found[one] for one in counted), found["managerMissing"]

    admin = practice.staff(office_admin_of=frozenset({there}))

    assert await standing(keeper(practice)) == (1, False)
    assert await standing(admin) == (2, True)
    assert await standing(keeper(practice, practice.office_id, there)) == (3, True)
    assert await standing(practice.manager) == (3, True)


async def test_plans_are_copied_to_the_offices_that_are_kept_and_to_no_others(
    insurance: Insurance, practice: Practice
) -> None:
    """R26, R27"""
    there = await elsewhere(insurance, practice)
    row = await accept(insurance, practice, practice.manager)
    plan = row["plan"]["id"]
    asked = {
        "source": {"officeId": str(practice.office_id)},
        "target": {"officeId": str(there)},
        "effectiveFrom": "2026-06-01",
        "planIds": [plan],
    }
    shown = await preview(insurance, asked, keeper(practice, there))
    given = asked | {"token": shown["token"], "idempotencyKey": str(uuid4())}

    refused = await mutate(insurance, COPY, given, keeper(practice))
    done = await mutate(insurance, COPY, given, keeper(practice, there))

    assert refused["code"] == "FORBIDDEN"
    assert done["done"] == 1


# Campaigns ------------------------------------------------------------------------------------------------------------


async def test_who_keeps_some_offices_attests_their_items_and_sees_no_others(
    insurance: Insurance, practice: Practice
) -> None:
    """R26, R29: progress and evidence as well; opening, handing over and calling off are the whole organization's."""
    there, me = await elsewhere(insurance, practice), keeper(practice)
    await placed(insurance, practice)
    plans = [
        (await accept(insurance, practice, practice.manager, one))["plan"]["id"]
        for one in (practice.office_id, there)
    ]
    change = {"reason": "The contract ended", "planIds": plans, "idempotencyKey": str(uuid4())}
    not_mine = await mutate(insurance, DECLARE, change, me)
    campaign = await mutate(insurance, DECLARE, change, practice.manager)
    every = await items(insurance, practice.manager, campaign["id"])
    (mine,) = await items(insurance, me, campaign["id"])
    (strange,) = [one for one in every if one["id"] != mine["id"]]
    hand = {"campaignId": campaign["id"], "expectedVersion": campaign["version"]}

    refused = [await mutate(insurance, verb, hand, me) for verb in (ASSIGN, CALL_OFF)]
    attested = await attest(insurance, me, mine, strange)
    data = await insurance.running.data(EVIDENCE, {"id": campaign["id"]}, viewer=me)

    assert (not_mine["code"], [one["code"] for one in refused]) == (
        "FORBIDDEN",
        ["FORBIDDEN"] * 2,
    )
    assert (mine["office"]["id"], mine["allowedActions"]) == (str(practice.office_id), ["ATTEST"])
    assert [code for code, _ in attested] == [None, "FORBIDDEN"]
    assert data["campaignEvidence"]["items"] == 1
    assert str(there) not in data["campaignEvidence"]["csv"]
    listed = await insurance.running.data(
        "{ campaigns { edges { node { allowedActions progress { total attested } } } } }", viewer=me
    )
    (edge,) = listed["campaigns"]["edges"]
    assert edge["node"] == {"allowedActions": [], "progress": {"total": 1, "attested": 1}}


async def test_who_keeps_an_office_is_reminded_of_what_is_open_there_beside_whose_campaign_it_is(
    insurance: Insurance, practice: Practice
) -> None:
    """R26, R29: reminders go to who may act, and that it begins is told."""
    await known(insurance, practice)
    there = await elsewhere(insurance, practice)
    await placed(insurance, practice)
    admin = await granted(insurance, practice, CLIENT_ADMIN)
    here = await granted(insurance, practice, MANAGER, office=practice.office_id)
    other = await granted(insurance, practice, MANAGER, office=there)
    await granted(insurance, practice, MANAGER, office=uuid4())
    await at(insurance, 2041, 1, 1, 1)
    (campaign,) = await campaigns(insurance, practice)
    (item,) = await items(insurance, keeper(practice), campaign["id"])
    await at(insurance, 2041, 1, 8, 12)
    await attest(insurance, keeper(practice), item)
    manager = await granted(insurance, practice, MANAGER)
    await at(insurance, 2041, 1, 15, 12)

    (begun,) = await told(insurance, practice, "campaign.opened")
    assert sorted(begun["officeManagerIds"]) == sorted(map(str, (here, other)))
    reminded = [one["userIds"] for one in await told(insurance, practice, "campaign.reminded")]
    assert campaign["assignedTo"] is None, "a campaign is of the whole organization"
    assert reminded == [
        [str(admin), *sorted(map(str, (here, other)))],
        [str(manager), str(other)],
    ]


async def test_a_campaign_is_handed_to_no_insurance_manager_of_just_an_office(
    insurance: Insurance, practice: Practice
) -> None:
    """R26, R29: neither by somebody, nor when whose it was is deactivated."""
    await known(insurance, practice)
    await placed(insurance, practice)
    here = await granted(insurance, practice, MANAGER, office=practice.office_id)
    manager = await granted(insurance, practice, MANAGER)
    await at(insurance, 2042, 1, 1, 1)
    (campaign,) = await campaigns(insurance, practice)
    hand = {"campaignId": campaign["id"], "expectedVersion": campaign["version"]}

    refused = await mutate(insurance, ASSIGN, hand | {"userId": str(here)}, practice.manager)
    await deactivated(insurance, practice, manager)
    (after,) = await campaigns(insurance, practice)

    assert campaign["assignedTo"] == {"id": str(manager)}
    assert (refused["code"], after["assignedTo"]) == ("NOT_A_MANAGER", None)


async def test_whose_campaign_it_is_keeps_it_when_only_the_role_at_an_office_ends(
    insurance: Insurance, practice: Practice
) -> None:
    """R26, R29"""
    await known(insurance, practice)
    await placed(insurance, practice)
    await granted(insurance, practice, MANAGER)
    later = datetime(2030, 9, 1, tzinfo=UTC)
    second = await granted(insurance, practice, MANAGER, at=later)
    await granted(insurance, practice, MANAGER, second, office=practice.office_id)
    await at(insurance, 2043, 1, 1, 1)
    (campaign,) = await campaigns(insurance, practice)
    hand = {"campaignId": campaign["id"], "expectedVersion": campaign["version"]}
    await mutate(insurance, ASSIGN, hand | {"userId": str(second)}, practice.manager)

    await revoked(insurance, practice, second, practice.office_id)

    (after,) = await campaigns(insurance, practice)
    assert after["assignedTo"] == {"id": str(second)}


# Somebody is in charge ------------------------------------------------------------------------------------------------


async def missing(insurance: Insurance, practice: Practice) -> bool:
    """Whether plans are listed where nobody is insurance manager."""
    data = await insurance.running.data(STANDING, viewer=practice.manager)
    found: bool = data["verificationStanding"]["managerMissing"]
    return found


async def test_a_manager_is_missing_until_each_office_with_plans_has_one(
    insurance: Insurance, practice: Practice
) -> None:
    """R26: one of the whole organization is one of each; where nothing is listed any more nobody is needed."""
    await known(insurance, practice)
    there = await elsewhere(insurance, practice)
    nothing = await missing(insurance, practice)
    for office in (practice.office_id, there):
        await accept(insurance, practice, practice.manager, office)
    admin = await granted(insurance, practice, CLIENT_ADMIN)
    here = await granted(insurance, practice, MANAGER, office=practice.office_id)
    await at(insurance, 2044, 3, 3, 12)
    half = await missing(insurance, practice)
    other = await granted(insurance, practice, MANAGER, office=there)
    await at(insurance, 2044, 3, 10, 12)
    whole = await missing(insurance, practice)
    await revoked(insurance, practice, other, there)
    await at(insurance, 2044, 3, 17, 12)
    again = await missing(insurance, practice)
    await closed(insurance, practice, there)
    await at(insurance, 2044, 3, 24, 12)

    assert (nothing, half, whole, again) == (False, True, False, True)
    assert not await missing(insurance, practice)
    assert here
    nagged = await told(insurance, practice, "manager.missing")
    assert [one["userIds"] for one in nagged] == [[str(admin)]] * 2
