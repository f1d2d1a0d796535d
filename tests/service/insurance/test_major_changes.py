"""Campaigns about a major change, and handing campaigns over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.service.insurance.asking import ADD, a_plan, mutate, wanted
from tests.service.insurance.campaigning import (
    ASSIGN,
    CALL_OFF,
    CAMPAIGNS,
    DECLARE,
    EVIDENCE,
    ITEMS,
    attest,
    campaigns,
    granted,
    items,
    known,
    told,
)
from tests.service.insurance.conftest import Insurance, Practice, new_practice, placed


async def declare(
    insurance: Insurance,
    practice: Practice,
    **more: Any,  # noqa: ANN401 - any field of the input
) -> dict[str, Any]:
    input_ = {"reason": "The contract ended", "idempotencyKey": str(uuid4())} | more
    return await mutate(insurance, DECLARE, input_, practice.manager)


async def payer_of(insurance: Insurance, plan: str) -> str:
    query = "query($id: ID!) { insurancePlan(id: $id) { payer { id } } }"
    data = await insurance.running.data(query, {"id": plan}, viewer=insurance.support)
    found: str = data["insurancePlan"]["payer"]["id"]
    return found


async def two_places(insurance: Insurance, practice: Practice) -> tuple[str, str]:
    """A plan accepted at the practice's place, and one that a colleague accepts there."""
    first, second, colleague = await a_plan(insurance), await a_plan(insurance), uuid4()
    await placed(insurance, practice)
    await placed(insurance, practice, provider_id=colleague)
    await mutate(insurance, ADD, wanted(practice, first, "2026-01-01"), practice.manager)
    theirs = wanted(practice, second, "2026-01-01") | {"providerId": str(colleague)}
    await mutate(insurance, ADD, theirs, practice.manager)
    return first, second


async def test_a_contract_with_one_payer_ended_only_its_rows_are_in_the_campaign(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    first, _ = await two_places(insurance, practice)
    other = wanted(practice, await a_plan(insurance), "2026-01-01")
    await mutate(insurance, ADD, other, practice.manager)

    campaign = await declare(insurance, practice, payerIds=[await payer_of(insurance, first)])

    assert (campaign["kind"], campaign["reason"]) == ("MAJOR_CHANGE", "The contract ended")
    (item,) = await items(insurance, practice.manager, campaign["id"])
    assert item["provider"] == {"id": str(practice.provider_id)}
    assert [one["plan"]["id"] for one in item["participations"]] == [first]


async def test_a_campaign_may_be_about_single_plans(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    plans = await two_places(insurance, practice)
    campaign = await declare(insurance, practice, planIds=list(plans))
    assert campaign["progress"]["total"] == 2
    assert {one["id"] for one in campaign["plans"]} == set(plans)


async def test_a_change_that_touches_nothing_or_is_unknown_is_refused(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    plan = await a_plan(insurance)
    nothing = await declare(insurance, practice, planIds=[plan])
    unknown = await declare(insurance, practice, planIds=[str(uuid4())])
    no_payer = await declare(insurance, practice, payerIds=[str(uuid4())])
    no_scope = await declare(insurance, practice)

    codes = [one["code"] for one in (nothing, unknown, no_payer, no_scope)]
    assert codes == ["NOTHING_TO_REVIEW", "UNKNOWN_PLAN", "NOT_FOUND", "INVALID"]
    assert await campaigns(insurance, practice) == []


async def test_a_retry_with_the_same_key_declares_once(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    first, _ = await two_places(insurance, practice)
    answers = [
        await declare(insurance, practice, planIds=[first], idempotencyKey="k") for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert len(await campaigns(insurance, practice)) == 1


async def test_attesting_verifies_only_the_rows_in_the_campaigns_scope(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await placed(insurance, practice)
    plans = [await a_plan(insurance) for _ in range(2)]
    for plan in plans:
        imported = wanted(practice, plan, "2026-01-01") | {"source": "IMPORT"}
        await mutate(insurance, ADD, imported, practice.manager)
    campaign = await declare(insurance, practice, planIds=plans[:1])

    (item,) = await items(insurance, practice.manager, campaign["id"])
    await attest(insurance, practice.manager, item)

    verified = await told(insurance, practice, "participation.verified")
    assert [one["planId"] for one in verified] == plans[:1]


async def test_a_provider_who_comes_later_has_nothing_to_do_with_a_major_change(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    first, _ = await two_places(insurance, practice)
    await declare(insurance, practice, planIds=[first])
    await placed(insurance, practice, provider_id=uuid4())
    (campaign,) = await campaigns(insurance, practice)
    assert campaign["progress"]["total"] == 1


async def test_a_campaign_is_handed_to_an_insurance_manager_and_to_nobody_else(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    first, _ = await two_places(insurance, practice)
    manager = await granted(insurance, practice, "INSURANCE_MANAGER")
    campaign = await declare(insurance, practice, planIds=[first])
    hand = {"campaignId": campaign["id"], "expectedVersion": campaign["version"]}

    back = await mutate(insurance, ASSIGN, hand, practice.manager)
    stale = await mutate(insurance, ASSIGN, hand, practice.manager)
    again = hand | {"expectedVersion": back["version"]}
    strange = await mutate(insurance, ASSIGN, again | {"userId": str(uuid4())}, practice.manager)
    given = await mutate(insurance, ASSIGN, again | {"userId": str(manager)}, practice.manager)

    assert campaign["assignedTo"] == {"id": str(manager)}
    assert (back["assignedTo"], stale["code"]) == (None, "STALE_VERSION")
    assert (strange["code"], given["assignedTo"]) == ("NOT_A_MANAGER", {"id": str(manager)})


async def test_a_major_change_may_be_called_off_and_the_start_of_a_year_may_not(
    insurance: Insurance, practice: Practice
) -> None:
    """R29"""
    await known(insurance, practice)
    first, _ = await two_places(insurance, practice)
    change = await declare(insurance, practice, planIds=[first])
    await insurance.running.set_time(datetime(2037, 1, 2, tzinfo=UTC))
    (year, _) = await campaigns(insurance, practice)

    stays = await mutate(
        insurance,
        CALL_OFF,
        {"campaignId": year["id"], "expectedVersion": year["version"]},
        practice.manager,
    )
    (_, seen) = await campaigns(insurance, practice)
    call_off = {"campaignId": change["id"], "expectedVersion": seen["version"]}
    over = await mutate(insurance, CALL_OFF, call_off, practice.manager)
    again = await mutate(
        insurance, CALL_OFF, call_off | {"expectedVersion": over["version"]}, practice.manager
    )
    (item,) = await items(insurance, practice.manager, change["id"])

    assert (stays["code"], over["closedBecause"]) == ("YEAR_START_STAYS", "CALLED_OFF")
    assert again["code"] == "CAMPAIGN_CLOSED"
    assert await attest(insurance, practice.manager, item) == [("CAMPAIGN_CLOSED", [])]


async def test_staff_and_other_organizations_see_no_campaign_and_office_admins_declare_none(
    insurance: Insurance, practice: Practice
) -> None:
    """R26, R29"""
    first, _ = await two_places(insurance, practice)
    campaign = await declare(insurance, practice, planIds=[first])
    stranger = new_practice(insurance).manager
    admin = practice.staff(office_admin_of=frozenset({practice.office_id}))

    refused = await insurance.running.gql(CAMPAIGNS, viewer=practice.staff())
    foreign = await insurance.running.data(ITEMS, {"id": campaign["id"]}, viewer=stranger)
    evidence = await insurance.running.data(EVIDENCE, {"id": campaign["id"]}, viewer=stranger)
    input_ = {"reason": "x", "planIds": [first], "idempotencyKey": "k"}
    denied = await mutate(insurance, DECLARE, input_, admin)

    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (foreign["campaign"], evidence["campaignEvidence"]) == (None, None)
    assert denied["code"] == "FORBIDDEN"
