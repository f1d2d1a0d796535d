"""The documents with which tests ask insurance."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from kit.auth import Viewer
from tests.service.insurance.conftest import Insurance, Practice

PROBLEM = (
    "... on Problem { code message field remedy } ... on StaleVersionProblem { currentVersion }"
)
ROW = """... on Participation {
    id effectiveFrom effectiveUntil source lastVerifiedOn lastVerifiedBy { id } version allowedActions
    provider { id } office { id } plan { id name payer { name } }
}"""
OVERLAP = "... on OverlapProblem { participationId effectiveFrom effectiveUntil }"

ADD_PAYER = f"""mutation($input: AddPayerInput!) {{ addPayer(input: $input) {{
    __typename {PROBLEM} ... on Payer {{ id name version identifiers {{ system value }} }} }} }}"""
ADD_PLAN = f"""mutation($input: AddInsurancePlanInput!) {{ addInsurancePlan(input: $input) {{
    __typename {PROBLEM} ... on InsurancePlan {{ id name productType selfPay effectiveFrom effectiveUntil
    payer {{ id name }} }} }} }}"""
ADD = f"""mutation($input: AddParticipationInput!) {{ addParticipation(input: $input) {{
    __typename {PROBLEM} {OVERLAP} {ROW} }} }}"""
ADD_MANY = f"""mutation($input: AddParticipationsInput!) {{ addParticipations(input: $input) {{
    __typename {PROBLEM} ... on PlansRefusedProblem {{ plans {{ planId code message remedy participationId }} }}
    ... on ParticipationsAdded {{ participations {{ id plan {{ id }} }} }} }} }}"""
END = f"""mutation($input: EndParticipationInput!) {{ endParticipation(input: $input) {{
    __typename {PROBLEM} {ROW} }} }}"""
VERIFY = f"""mutation($input: VerifyParticipationInput!) {{ verifyParticipation(input: $input) {{
    __typename {PROBLEM} {ROW} }} }}"""
PARTICIPATIONS = """query($providerId: ID, $officeId: ID, $on: Date, $first: Int, $after: String) {
    participations(providerId: $providerId, officeId: $officeId, on: $on, first: $first, after: $after) {
        edges { node { id effectiveFrom effectiveUntil version lastVerifiedOn lastVerifiedBy { id } allowedActions
            plan { id name } } }
        pageInfo { hasNextPage endCursor } } }"""


async def mutate(
    insurance: Insurance,
    document: str,
    input: dict[str, Any],
    viewer: Viewer,
) -> dict[str, Any]:
    """The member of the union that the one mutation answers with."""
    data = await insurance.running.data(document, {"input": input}, viewer=viewer)
    (answer,) = data.values()
    result: dict[str, Any] = answer
    return result


async def a_plan(insurance: Insurance, **more: Any) -> str:  # noqa: ANN401 - any field of the input
    """The id of a fresh plan of a fresh payer."""
    payer = {"name": f"Payer {uuid4()}", "idempotencyKey": str(uuid4())}
    added = await mutate(insurance, ADD_PAYER, payer, insurance.support)
    plan = {
        "payerId": added["id"],
        "name": "Gold PPO",
        "productType": "COMMPPO",
        "effectiveFrom": "2020-01-01",
        "idempotencyKey": str(uuid4()),
    } | more
    made = await mutate(insurance, ADD_PLAN, plan, insurance.support)
    plan_id: str = made["id"]
    return plan_id


def wanted(
    practice: Practice, plan_id: str, first: str, until: str | None = None
) -> dict[str, Any]:
    """The input that adds one plan at the practice's place."""
    return {
        "providerId": str(practice.provider_id),
        "officeId": str(practice.office_id),
        "planId": plan_id,
        "effectiveFrom": first,
        "effectiveUntil": until,
        "idempotencyKey": str(uuid4()),
    }


async def rows(
    insurance: Insurance, viewer: Viewer, **variables: str | UUID | int | None
) -> list[dict[str, Any]]:
    """The participations a viewer finds."""
    asked = {name: str(one) if isinstance(one, UUID) else one for name, one in variables.items()}
    data = await insurance.running.data(PARTICIPATIONS, asked, viewer=viewer)
    return [edge["node"] for edge in data["participations"]["edges"]]
