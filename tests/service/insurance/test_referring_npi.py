"""Payers that want to know who refers: support says so, and siblings are told (R22)."""

from uuid import UUID, uuid4

from services.insurance.domain import SELF_PAY
from tests.service.insurance.asking import ADD_PAYER, a_plan, mutate
from tests.service.insurance.conftest import Insurance, Practice
from tests.service.insurance.test_catalogue import payer
from tests.service.insurance.test_siblings import accepts, question

CHANGE_PAYER = """mutation($input: ChangePayerInput!) { changePayer(input: $input) { __typename
    ... on Payer { version needsReferringNpi } ... on Problem { code } } }"""


async def test_support_says_that_a_payer_wants_to_know_who_refers(
    insurance: Insurance, practice: Practice
) -> None:
    """R22: payers are support's, so nobody else says so; what is not said stays as it is."""
    wanted = payer(f"Blue {uuid4()}") | {"needsReferringNpi": True}
    made = await mutate(insurance, ADD_PAYER, wanted, insurance.support)
    given = {"payerId": made["id"], "expectedVersion": 1}
    renamed = given | {"name": f"Red {uuid4()}"}
    kept = await mutate(insurance, CHANGE_PAYER, renamed, insurance.support)
    off = given | {"expectedVersion": 2, "needsReferringNpi": False}
    refused = await mutate(insurance, CHANGE_PAYER, off, practice.staff(client_admin=True))
    changed = await mutate(insurance, CHANGE_PAYER, off, insurance.support)
    (row,) = await insurance.running.sql.fetch(
        "SELECT fields FROM audit_entries WHERE about = $1 AND act = 'payer.changed' ORDER BY id DESC LIMIT 1",
        UUID(made["id"]),
    )

    assert kept == {"__typename": "Payer", "version": 2, "needsReferringNpi": True}
    assert refused["code"] == "FORBIDDEN"
    assert (changed["version"], changed["needsReferringNpi"]) == (3, False)
    assert row["fields"] == ["needs_referring_npi"]


async def test_a_sibling_learns_that_a_plan_s_payer_wants_to_know_who_refers(
    insurance: Insurance, practice: Practice
) -> None:
    """R22: of the plan that is asked about, whoever accepts it; self-pay has no payer."""
    free, wanting = await a_plan(insurance), await a_plan(insurance)
    document = "query($id: ID!) { insurancePlan(id: $id) { payer { id } } }"
    found = await insurance.running.data(document, {"id": wanting}, viewer=practice.manager)
    given = {"payerId": found["insurancePlan"]["payer"]["id"], "expectedVersion": 1}
    change = "mutation($input: ChangePayerInput!) { changePayer(input: $input) { __typename } }"
    await mutate(insurance, change, given | {"needsReferringNpi": True}, insurance.support)
    plans = (free, wanting, str(SELF_PAY), str(uuid4()))
    replies = [await accepts(insurance, **question(practice, one, "2026-06-01")) for one in plans]

    assert [one.needs_referring_npi for one in replies] == [False, True, False, False]
