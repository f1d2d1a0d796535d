"""Plans that are renamed, end or are merged, from GraphQL to PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.insurance import actions
from services.insurance.actions import ending_plans
from tests.service.insurance.asking import ADD, PROBLEM, a_plan, mutate, wanted
from tests.service.insurance.conftest import Insurance, Practice, new_practice, placed
from tests.service.insurance.test_accepts import accepts, accepts_many
from tests.service.insurance.test_copies import copy, preview, to_office

CHANGE_PLAN = f"""mutation($input: ChangeInsurancePlanInput!) {{ changeInsurancePlan(input: $input) {{
    __typename {PROBLEM} ... on InsurancePlan {{ id name formerNames productType version }} }} }}"""
CHANGE_PAYER = f"""mutation($input: ChangePayerInput!) {{ changePayer(input: $input) {{
    __typename {PROBLEM} ... on Payer {{ id name formerNames version identifiers {{ system value }} }} }} }}"""
PLAN = "query($id: ID!) { insurancePlan(id: $id) { name version effectiveUntil successor { id } payer { id name version } } }"
PLANS = "query($text: String!) { insurancePlans(text: $text) { edges { node { id name } } } }"
END_PREVIEW = """query($planId: ID!, $endsOn: Date!, $successorId: ID) {
    insurancePlanEndPreview(planId: $planId, endsOn: $endsOn, successorId: $successorId) {
        participations token organizations { organizationId participations } successor { id } } }"""
END_PLAN = f"""mutation($input: EndInsurancePlanInput!) {{ endInsurancePlan(input: $input) {{
    __typename {PROBLEM} ... on StalePreviewProblem {{ moved }}
    ... on PlanEnding {{ id endsOn total done finishedAt plan {{ id }} successor {{ id }} }} }} }}"""
ENDINGS = "query($planId: ID!) { insurancePlanEndings(planId: $planId) { total done finishedAt } }"
ROWS = """query($officeId: ID!) { participations(officeId: $officeId, first: 100) { edges { node {
    id effectiveFrom effectiveUntil certainty copiedFrom source plan { id } } } } }"""
NEW_YEAR = "2031-01-01"


async def rows(insurance: Insurance, practice: Practice) -> list[dict[str, Any]]:
    asked = {"officeId": str(practice.office_id)}
    data = await insurance.running.data(ROWS, asked, viewer=practice.manager)
    return [edge["node"] for edge in data["participations"]["edges"]]


async def add(
    insurance: Insurance,
    practice: Practice,
    plan: str,
    first: str = "2026-01-01",
    until: str | None = None,
) -> dict[str, Any]:
    added = await mutate(insurance, ADD, wanted(practice, plan, first, until), practice.manager)
    assert added["__typename"] == "Participation"
    return added


async def read(insurance: Insurance, plan: str) -> dict[str, Any]:
    data = await insurance.running.data(PLAN, {"id": plan}, viewer=insurance.support)
    found: dict[str, Any] = data["insurancePlan"]
    return found


async def end(
    insurance: Insurance,
    plan: str,
    successor: str | None = None,
    on: str = NEW_YEAR,
    **more: Any,  # noqa: ANN401 - any field
) -> dict[str, Any]:
    """Preview, and end as it says."""
    asked = {"planId": plan, "endsOn": on, "successorId": successor}
    data = await insurance.running.data(END_PREVIEW, asked, viewer=insurance.support)
    input_ = asked | {
        "token": data["insurancePlanEndPreview"]["token"],
        "expectedVersion": (await read(insurance, plan))["version"],
        "idempotencyKey": str(uuid4()),
    }
    return await mutate(insurance, END_PLAN, input_ | more, insurance.support)


async def facts(insurance: Insurance, practice: Practice, verb: str) -> list[dict[str, Any]]:
    found = await insurance.running.parts.db.pool.fetch(
        "SELECT body::json->'data' AS data FROM outbox WHERE organization_id = $1 AND subject LIKE '%.' || $2 ORDER BY id",
        practice.organization_id,
        verb,
    )
    return [row["data"] for row in found]


async def test_a_renamed_plan_is_found_by_its_former_name(insurance: Insurance) -> None:
    """R27"""
    former, now = f"Bronze {uuid4()}", f"Copper {uuid4()}"
    plan = await a_plan(insurance, name=former)
    change = {"planId": plan, "name": now, "expectedVersion": 1}

    renamed = await mutate(insurance, CHANGE_PLAN, change, insurance.support)
    stale = await mutate(insurance, CHANGE_PLAN, change, insurance.support)

    assert (renamed["name"], renamed["formerNames"], renamed["version"]) == (now, [former], 2)
    assert (stale["code"], stale["currentVersion"]) == ("STALE_VERSION", 2)
    data = await insurance.running.data(PLANS, {"text": former}, viewer=insurance.support)
    assert [edge["node"]["name"] for edge in data["insurancePlans"]["edges"]] == [now]


async def test_a_payer_gets_another_name_and_other_identifiers_which_stay_one_payers(
    insurance: Insurance,
) -> None:
    """R27"""
    first = (await read(insurance, await a_plan(insurance)))["payer"]
    second = (await read(insurance, await a_plan(insurance)))["payer"]
    number = {"system": "payer-id", "value": str(uuid4())}

    changed = await mutate(
        insurance,
        CHANGE_PAYER,
        {"payerId": first["id"], "name": f"New {uuid4()}", "identifiers": [number], "expectedVersion": 1},
        insurance.support,
    )  # fmt: skip
    taken = await mutate(
        insurance,
        CHANGE_PAYER,
        {"payerId": second["id"], "identifiers": [number], "expectedVersion": 1},
        insurance.support,
    )
    named = await mutate(
        insurance,
        CHANGE_PAYER,
        {"payerId": second["id"], "name": changed["name"], "expectedVersion": 1},
        insurance.support,
    )

    assert (changed["formerNames"], changed["identifiers"]) == ([first["name"]], [number])
    assert (taken["code"], named["code"]) == ("IDENTIFIER_TAKEN", "NAME_TAKEN")


async def test_only_support_changes_or_ends_what_the_network_shares(
    insurance: Insurance, practice: Practice
) -> None:
    """R26"""
    plan = await a_plan(insurance)
    admin = practice.staff(client_admin=True)
    change = {"planId": plan, "name": "Mine", "expectedVersion": 1}

    refused = await mutate(insurance, CHANGE_PLAN, change, admin)
    asked = {"planId": plan, "endsOn": NEW_YEAR}
    seen = await insurance.running.gql(END_PREVIEW, asked, viewer=admin)

    assert refused["code"] == "FORBIDDEN"
    assert seen["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_an_ended_plan_takes_the_rows_of_every_organization_along(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    plan, other = await a_plan(insurance), new_practice(insurance)
    await add(insurance, practice, plan)
    await add(insurance, other, plan, until="2030-06-01")
    await add(insurance, other, plan, first="2031-06-01")

    ended = await end(insurance, plan)
    await actions.end_rows(insurance.running.parts.call())

    assert (ended["__typename"], ended["total"]) == ("PlanEnding", 2)
    data = await insurance.running.data(ENDINGS, {"planId": plan}, viewer=insurance.support)
    (done,) = data["insurancePlanEndings"]
    assert (done["done"], done["finishedAt"] is not None) == (2, True)
    (mine,) = await rows(insurance, practice)
    assert mine["effectiveUntil"] == NEW_YEAR
    theirs = [(row["effectiveFrom"], row["effectiveUntil"]) for row in await rows(insurance, other)]
    assert theirs == [("2026-01-01", "2030-06-01"), ("2031-06-01", "2031-06-01")]
    for one in (practice, other):
        assert await facts(insurance, one, "plan.ended") == [{"planId": plan, "endsOn": NEW_YEAR}]
        assert len(await facts(insurance, one, "participation.ended")) == 1


async def test_an_ended_plan_is_accepted_by_nobody_at_once_whatever_its_rows_say(
    insurance: Insurance, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R27, R28"""
    plan = await a_plan(insurance)
    await add(insurance, practice, plan)
    monkeypatch.setattr(ending_plans, "AT_ONCE", 0)

    async def nothing_yet(*_: object) -> bool:
        return True

    monkeypatch.setattr(ending_plans, "go_on", nothing_yet)
    await end(insurance, plan)

    (row,) = await rows(insurance, practice)
    assert row["effectiveUntil"] is None
    assert (await accepts(insurance, practice, plan, NEW_YEAR)).acceptances == []
    (before,) = (await accepts(insurance, practice, plan, "2030-12-31")).acceptances
    assert before.effective_until == NEW_YEAR


async def test_the_rows_of_a_merged_plan_are_followed_by_rows_of_its_successor_for_review(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    old, new = await a_plan(insurance), await a_plan(insurance)
    row = await add(insurance, practice, old, until="2033-01-01")

    merged = await end(insurance, old, new)

    assert merged["successor"] == {"id": new}
    history, follower = await rows(insurance, practice)
    assert (history["id"], history["effectiveUntil"]) == (row["id"], NEW_YEAR)
    assert follower | {"id": ""} == {
        "id": "", "effectiveFrom": NEW_YEAR, "effectiveUntil": "2033-01-01", "certainty": "UNVERIFIED",
        "copiedFrom": row["id"], "source": "PAYER", "plan": {"id": new},
    }  # fmt: skip
    assert (await read(insurance, old))["successor"] == {"id": new}
    reply = await accepts(insurance, practice, old, NEW_YEAR)
    assert (reply.plan_known, reply.successor_plan_id) == (True, new)
    many = await accepts_many(insurance, [practice], [old, new], NEW_YEAR)
    offered = {one.plan_id: (one.offered, one.successor_plan_id) for one in many.known_plans}
    assert offered == {old: (False, new), new: (True, "")}


async def test_where_the_successor_is_accepted_already_nothing_is_added(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    old, new = await a_plan(insurance), await a_plan(insurance)
    await add(insurance, practice, old)
    standing = await add(insurance, practice, new, first="2031-03-01")

    await end(insurance, old, new)

    (kept,) = [row for row in await rows(insurance, practice) if row["plan"]["id"] == new]
    assert kept["id"] == standing["id"]


async def test_a_preview_of_an_end_says_whose_rows_would_end_and_goes_stale_when_one_is_added(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    plan, other = await a_plan(insurance), new_practice(insurance)
    await add(insurance, practice, plan)
    await add(insurance, other, plan)
    asked = {"planId": plan, "endsOn": NEW_YEAR}
    data = await insurance.running.data(END_PREVIEW, asked, viewer=insurance.support)
    seen = data["insurancePlanEndPreview"]

    elsewhere = new_practice(insurance)
    await add(insurance, elsewhere, plan)
    refused = await end(insurance, plan, token=seen["token"])

    assert seen["participations"] == 2
    assert {one["organizationId"]: one["participations"] for one in seen["organizations"]} == {
        str(practice.organization_id): 1,
        str(other.organization_id): 1,
    }
    assert (refused["code"], refused["moved"]) == ("STALE_PREVIEW", ["participations"])
    assert (await read(insurance, plan))["effectiveUntil"] is None


async def test_self_pay_is_neither_renamed_nor_ended(insurance: Insurance) -> None:
    """R27"""
    self_pay = "00000000-0000-7000-8000-000000000001"
    change = {"planId": self_pay, "name": "Cash", "expectedVersion": 1}
    renamed = await mutate(insurance, CHANGE_PLAN, change, insurance.support)
    asked = {"planId": self_pay, "endsOn": NEW_YEAR}
    ended = await insurance.running.gql(END_PREVIEW, asked, viewer=insurance.support)

    assert renamed["code"] == "SELF_PAY_STAYS"
    assert ended["errors"][0]["extensions"]["reason"] == "SELF_PAY_STAYS"


async def test_the_rows_follow_some_at_a_time_and_several_workers_end_each_once(
    insurance: Insurance, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R27"""
    monkeypatch.setattr(ending_plans, "AT_ONCE", 2)
    old, new = await a_plan(insurance), await a_plan(insurance)
    await add(insurance, practice, old)
    for _ in range(4):
        colleague = uuid4()
        await placed(insurance, practice, provider_id=colleague)
        input_ = wanted(practice, old, "2026-01-01") | {"providerId": str(colleague)}
        await mutate(insurance, ADD, input_, practice.manager)

    begun = await end(insurance, old, new)
    call = insurance.running.parts.call()
    await asyncio.gather(*(actions.end_rows(call) for _ in range(3)))

    assert (begun["total"], begun["done"], begun["finishedAt"]) == (5, 2, None)
    found = await rows(insurance, practice)
    assert sorted(row["plan"]["id"] for row in found) == sorted([old] * 5 + [new] * 5)
    assert len(await facts(insurance, practice, "participation.ended")) == 5
    assert len(await facts(insurance, practice, "plan.ended")) == 1


async def test_a_row_that_is_added_while_its_plan_ends_does_not_outlast_it(
    insurance: Insurance,
) -> None:
    """R27"""
    for _ in range(5):
        plan, place = await a_plan(insurance), new_practice(insurance)
        added, _ = await asyncio.gather(
            mutate(insurance, ADD, wanted(place, plan, "2026-01-01"), place.manager),
            end(insurance, plan),
        )
        await actions.end_rows(insurance.running.parts.call())

        assert added["__typename"] in ("Participation", "ConflictProblem")
        if (await read(insurance, plan))["effectiveUntil"] == NEW_YEAR:
            assert [row["effectiveUntil"] for row in await rows(insurance, place)] == [NEW_YEAR]


async def test_a_new_row_ends_with_a_plan_whose_end_is_known(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    plan = await a_plan(insurance, effectiveUntil="2030-01-01")
    row = await add(insurance, practice, plan)
    assert row["effectiveUntil"] == "2030-01-01"


async def test_a_copy_leaves_out_a_plan_that_was_ended_since_it_was_looked_at(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    there, plan = UUID(int=uuid4().int), await a_plan(insurance)
    await placed(insurance, practice, office_id=there)
    await add(insurance, practice, plan)
    seen = await preview(insurance, to_office(practice, there), practice.manager)

    await end(insurance, plan)
    refused = await copy(insurance, to_office(practice, there), seen["token"], practice.manager)

    assert refused["code"] == "STALE_PREVIEW"
