"""Payers and plans: kept by support, read by everybody."""

from typing import Any
from uuid import uuid4

import pytest

from kit.auth import ANONYMOUS
from tests.service.insurance.asking import ADD, ADD_PAYER, ADD_PLAN, a_plan, mutate, wanted
from tests.service.insurance.conftest import Insurance, Practice, new_practice

PLANS = """query($text: String! = "", $payerId: ID, $first: Int, $after: String) {
    insurancePlans(text: $text, payerId: $payerId, first: $first, after: $after) {
        edges { node { id name selfPay productType payer { name } } } pageInfo { hasNextPage endCursor } } }"""
PAYERS = """query($text: String! = "") { payers(text: $text) { edges { node { id name } } } }"""
ENTITIES = """query($refs: [_Any!]!) { _entities(representations: $refs) { __typename
    ... on Payer { id name } ... on InsurancePlan { id name payer { id } }
    ... on Provider { id participations { edges { node { plan { name } } } } }
    ... on Office { id participations(on: "2026-06-01") { edges { node { plan { name } } } } } } }"""


def payer(name: str, *identifiers: tuple[str, str]) -> dict[str, object]:
    named = [{"system": system, "value": value} for system, value in identifiers]
    return {"name": name, "identifiers": named, "idempotencyKey": str(uuid4())}


async def test_support_adds_a_payer_with_its_identifiers(insurance: Insurance) -> None:
    name, number = f"Blue {uuid4()}", str(uuid4())

    added = await mutate(
        insurance, ADD_PAYER, payer(f"  {name} ", ("payer-id", number)), insurance.support
    )

    assert (added["name"], added["version"]) == (name, 1)
    assert added["identifiers"] == [{"system": "payer-id", "value": number}]


async def test_a_payers_name_and_identifiers_are_taken_once(insurance: Insurance) -> None:
    name, number = f"Blue {uuid4()}", str(uuid4())
    await mutate(insurance, ADD_PAYER, payer(name, ("payer-id", number)), insurance.support)

    same_name = await mutate(insurance, ADD_PAYER, payer(name.upper()), insurance.support)
    same_number = await mutate(
        insurance, ADD_PAYER, payer(f"Red {uuid4()}", ("payer-id", number)), insurance.support
    )

    assert (same_name["code"], same_name["field"]) == ("NAME_TAKEN", "name")
    assert (same_number["code"], same_number["field"]) == ("IDENTIFIER_TAKEN", "identifiers")


async def test_only_support_adds_payers_and_plans(insurance: Insurance, practice: Practice) -> None:
    admin = practice.staff(client_admin=True)

    refused = await mutate(insurance, ADD_PAYER, payer(f"Blue {uuid4()}"), admin)

    assert refused["__typename"] == "DeniedProblem"


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
async def test_a_name_that_is_empty_or_too_long_is_refused(insurance: Insurance, name: str) -> None:
    refused = await mutate(insurance, ADD_PAYER, payer(name), insurance.support)

    assert (refused["__typename"], refused["field"]) == ("InvalidProblem", "name")


async def test_a_plan_needs_a_payer_that_is_known(insurance: Insurance) -> None:
    plan = {
        "payerId": str(uuid4()),
        "name": "Gold",
        "productType": "MEDIADVHMO",
        "effectiveFrom": "2026-01-01",
        "idempotencyKey": str(uuid4()),
    }

    refused = await mutate(insurance, ADD_PLAN, plan, insurance.support)

    assert (refused["__typename"], refused["field"]) == ("NotFoundProblem", "payerId")


async def test_adding_a_plan_again_with_the_same_key_answers_the_first(
    insurance: Insurance,
) -> None:
    added = await mutate(insurance, ADD_PAYER, payer(f"Blue {uuid4()}"), insurance.support)
    plan = {
        "payerId": added["id"],
        "name": "Gold",
        "productType": "QHP",
        "effectiveFrom": "2026-01-01",
        "idempotencyKey": str(uuid4()),
    }

    first = await mutate(insurance, ADD_PLAN, plan, insurance.support)
    again = await mutate(insurance, ADD_PLAN, plan, insurance.support)
    other = await mutate(
        insurance, ADD_PLAN, plan | {"idempotencyKey": str(uuid4())}, insurance.support
    )

    assert first == again
    assert first["payer"] == {"id": added["id"], "name": added["name"]}
    assert other["code"] == "NAME_TAKEN"


async def test_plans_are_found_by_their_name_and_by_their_payers(
    insurance: Insurance, practice: Practice
) -> None:
    word = uuid4().hex
    added = await mutate(insurance, ADD_PAYER, payer(f"Payer {word}"), insurance.support)
    for name in ("Silver", "Bronze"):
        plan = {
            "payerId": added["id"],
            "name": name,
            "productType": "QHP",
            "effectiveFrom": "2026-01-01",
            "idempotencyKey": str(uuid4()),
        }
        await mutate(insurance, ADD_PLAN, plan, insurance.support)

    async def names(**asked: object) -> list[str]:
        data = await insurance.running.data(PLANS, asked, viewer=practice.manager)
        return [edge["node"]["name"] for edge in data["insurancePlans"]["edges"]]

    assert await names(text=word.upper()) == ["Bronze", "Silver"]
    assert await names(text="silv", payerId=added["id"]) == ["Silver"]
    assert await names(text="%") == []


async def test_pages_of_plans_follow_one_another(insurance: Insurance, practice: Practice) -> None:
    for _ in range(3):
        await a_plan(insurance)
    seen: list[str] = []
    after: str | None = None
    more = True

    while more:
        asked = {"text": "gold", "first": 2, "after": after}
        data = await insurance.running.data(PLANS, asked, viewer=practice.manager)
        page = data["insurancePlans"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    assert len(seen) == len(set(seen)) >= 3


async def test_self_pay_is_a_plan_without_payer_or_product_type(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    data = await insurance.running.data(PLANS, {"text": "self-pay"}, viewer=practice.manager)

    (found,) = [edge["node"] for edge in data["insurancePlans"]["edges"]]
    assert found == {
        "id": "00000000-0000-7000-8000-000000000001",
        "name": "Self-pay",
        "selfPay": True,
        "productType": None,
        "payer": None,
    }


async def test_payers_are_found_by_their_name(insurance: Insurance, practice: Practice) -> None:
    word = uuid4().hex
    added = await mutate(insurance, ADD_PAYER, payer(f"Payer {word}"), insurance.support)

    data = await insurance.running.data(PAYERS, {"text": word}, viewer=practice.manager)

    assert data["payers"]["edges"] == [{"node": {"id": added["id"], "name": f"Payer {word}"}}]


async def test_references_from_other_subgraphs_resolve_in_one_go(
    insurance: Insurance, practice: Practice
) -> None:
    plan_id = await a_plan(insurance)
    await mutate(insurance, ADD, wanted(practice, plan_id, "2026-01-01"), practice.manager)
    references = [
        {"__typename": "InsurancePlan", "id": plan_id},
        {"__typename": "InsurancePlan", "id": str(uuid4())},
        {"__typename": "Provider", "id": str(practice.provider_id)},
        {"__typename": "Office", "id": str(practice.office_id)},
        {"__typename": "Provider", "id": str(uuid4())},
    ]

    data = await insurance.running.data(ENTITIES, {"refs": references}, viewer=practice.manager)

    plan, unknown, provider, office, stranger = data["_entities"]
    assert (plan["id"], plan["name"], unknown) == (plan_id, "Gold PPO", None)
    accepted = [{"node": {"plan": {"name": "Gold PPO"}}}]
    assert provider["participations"]["edges"] == accepted
    assert office["participations"]["edges"] == accepted
    assert stranger["participations"]["edges"] == []


async def test_a_provider_brings_its_participations_page_by_page(
    insurance: Insurance, practice: Practice
) -> None:
    other = new_practice(insurance)
    for place in (practice, practice, practice, other):
        input_ = wanted(place, await a_plan(insurance), "2026-01-01")
        await mutate(insurance, ADD, input_, place.manager)
    document = """query($refs: [_Any!]!, $after: String) { _entities(representations: $refs) { ... on Provider {
        participations(first: 2, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } } } }"""
    references = [
        {"__typename": "Provider", "id": str(one.provider_id)} for one in (practice, other)
    ]

    async def pages(after: str | None) -> list[Any]:
        asked = {"refs": [dict(one) for one in references], "after": after}
        data = await insurance.running.data(document, asked, viewer=practice.manager)
        return [one["participations"] for one in data["_entities"]]

    await insurance.show(other)
    mine, theirs = await pages(None)
    rest, _ = await pages(mine["pageInfo"]["endCursor"])

    assert (len(mine["edges"]), mine["pageInfo"]["hasNextPage"]) == (2, True)
    assert (len(rest["edges"]), rest["pageInfo"]["hasNextPage"]) == (1, False)
    assert (len(theirs["edges"]), theirs["pageInfo"]["hasNextPage"]) == (1, False)


async def test_a_payer_or_plan_is_read_by_its_id(insurance: Insurance, practice: Practice) -> None:
    plan_id = await a_plan(insurance)
    document = (
        "query($id: ID!) { insurancePlan(id: $id) { id payer { id } } payer(id: $id) { id } }"
    )

    by_plan = await insurance.running.data(document, {"id": plan_id}, viewer=practice.manager)
    payer_id = by_plan["insurancePlan"]["payer"]["id"]
    by_payer = await insurance.running.data(document, {"id": payer_id}, viewer=practice.manager)

    assert by_plan["payer"] is None
    assert by_payer == {"insurancePlan": None, "payer": {"id": payer_id}}


async def test_a_payer_resolves_by_reference(insurance: Insurance, practice: Practice) -> None:
    added = await mutate(insurance, ADD_PAYER, payer(f"Blue {uuid4()}"), insurance.support)
    references = {"refs": [{"__typename": "Payer", "id": added["id"]}]}

    data = await insurance.running.data(ENTITIES, references, viewer=practice.manager)

    assert data["_entities"][0]["name"] == added["name"]


@pytest.mark.parametrize("after", ["nonsense", "WzFd", "WyJ4Il0="])
async def test_a_cursor_of_plans_that_is_not_ours_is_refused(
    insurance: Insurance, practice: Practice, after: str
) -> None:
    answer = await insurance.running.gql(PLANS, {"after": after}, viewer=practice.manager)

    assert answer["errors"][0]["extensions"]["reason"] == "BAD_CURSOR"


async def test_nobody_reads_without_a_sign_in(insurance: Insurance) -> None:
    for document in (PLANS, PAYERS):
        answer = await insurance.running.gql(document, viewer=ANONYMOUS)

        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    references = {"refs": [{"__typename": "Provider", "id": str(uuid4())}]}
    answer = await insurance.running.gql(ENTITIES, references, viewer=ANONYMOUS)
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
