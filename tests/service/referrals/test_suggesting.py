"""Receivers offered from a referral: for its specialty, its patient's plans and place (R28)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from kit.auth import Viewer
from proto.directory.v1 import directory_pb2 as directory
from tests.service.referrals.asking import Answer, act, at, do, draft, send
from tests.service.referrals.conftest import CARDIOLOGY, World
from tests.service.referrals.test_audited import asked, seen

SUGGEST = """
query ($id: ID!, $on: Date, $others: [ID!], $first: Int! = 10) { referral(id: $id) { id
  suggestedReceivers(on: $on, otherPlanIds: $others, first: $first) {
    on near widening insuranceUnknown
    receivers {
      office { id } provider { id } group { id } name distanceKm planAcceptance acceptedPlans { id } planVerifiedOn planStale
      acceptingNewPatients score reasons hadBefore
    }
  }
} }
"""


def listed(world: World, **fields: Any) -> directory.SuggestedReceiver:  # noqa: ANN401 - any field of it
    """The receiver, as directory suggests it."""
    return directory.SuggestedReceiver(
        provider_id=str(world.receiver.provider_id),
        office_id=str(world.receiver.office_id),
        name="Dana Receiver",
        score=0.9,
        accepting_new_patients=True,
        factors=[directory.SuggestionFactor(name="PLAN", score=1, reason="Accepts the plan.")],
        **fields,
    )


async def written(world: World, **more: Any) -> Answer:  # noqa: ANN401 - any field of a draft
    """A draft without a receiver."""
    made = draft(world.sender, None, **more)
    key = str(uuid4())
    return await do(world, "createDraft", world.sender.staff, draft=made, idempotencyKey=key)


async def suggest(world: World, viewer: Viewer, referral: Answer, **given: Any) -> Any:  # noqa: ANN401 - JSON
    """What is offered, and the last question that directory was asked for it."""
    data = await world.service.running.data(SUGGEST, {"id": referral["id"], **given}, viewer=viewer)
    found = data["referral"]
    return found and found["suggestedReceivers"]


def patient(postal_code: str | None) -> dict[str, str | None]:
    """A patient of that place."""
    born = {"givenName": "Canarina", "familyName": "Zeta-Canary", "bornOn": "1961-02-03"}
    return {**born, "postalCode": postal_code}


async def test_a_draft_is_offered_receivers_for_its_specialty_plan_place_and_day(
    world: World,
) -> None:
    """R28: each with its reasons, and good to be sent to."""
    plan, asks = uuid4(), world.service.directory
    world.service.insurance.accepting[plan] = {world.receiver.provider_id}
    one = listed(
        world, distance_km=3.25, plan="ACCEPTED", accepted_plan_ids=[str(plan)], plan_verified_on="2029-12-24",
    )  # fmt: skip
    asks.suggestions = directory.SuggestReply(receivers=[one])
    made = await written(world, planId=str(plan), patient=patient("55401-1234"))

    offered = await suggest(world, world.sender.staff, made, on="2030-02-03", first=7)

    question = asks.suggested[-1]
    assert (question.specialty_code, question.postal_code) == (CARDIOLOGY, "55401-1234")
    assert (list(question.plan_ids), question.office_id) == ([str(plan)], "")
    assert (question.on, question.first) == ("2030-02-03", 7)
    assert (offered["on"], offered["near"], offered["widening"]) == ("2030-02-03", "PATIENT", None)
    (best,) = offered["receivers"]
    assert best["provider"] == {"id": str(world.receiver.provider_id)}
    assert (best["distanceKm"], best["planAcceptance"], best["planVerifiedOn"]) == (
        3.25, "ACCEPTED", "2029-12-24",
    )  # fmt: skip
    assert (best["acceptedPlans"], best["reasons"]) == ([{"id": str(plan)}], ["Accepts the plan."])
    sent = await send(world, at(world.receiver), planId=str(plan))
    assert sent["planAcceptance"]["state"] == "ACCEPTED"


async def test_a_patient_with_two_plans_is_asked_for_with_both(world: World) -> None:
    """R28: one of them is enough, and it is said which."""
    first, second = str(uuid4()), str(uuid4())
    one = listed(world, plan="ACCEPTED", accepted_plan_ids=[second])
    world.service.directory.suggestions = directory.SuggestReply(receivers=[one])
    made = await written(world, planId=first, secondPlanId=second)
    third = str(uuid4())

    offered = await suggest(world, world.sender.staff, made, others=[third, first])

    assert list(world.service.directory.suggested[-1].plan_ids) == [first, second, third]
    assert offered["receivers"][0]["acceptedPlans"] == [{"id": second}]


@pytest.mark.parametrize("postal_code", [None, "  ", "SW1A 1AA", "99999"])
async def test_without_a_place_of_the_patient_it_is_looked_near_the_sender(
    world: World, postal_code: str | None
) -> None:
    """R28: no postal code, one that is none, and one that nobody knows."""
    asks = world.service.directory
    asks.unknown_places = {"99999"}
    asks.suggestions = directory.SuggestReply(receivers=[listed(world)])
    made = await written(world, patient=patient(postal_code))

    offered = await suggest(world, world.sender.staff, made)

    assert offered["near"] == "SENDING_OFFICE"
    assert asks.suggested[-1].office_id == str(world.sender.office_id)
    assert asks.suggested[-1].postal_code == ""
    assert (offered["receivers"][0]["distanceKm"], offered["receivers"][0]["planAcceptance"]) == (
        None,
        None,
    )


async def test_what_is_not_known_of_a_plan_is_said_and_never_called_accepted(world: World) -> None:
    """R28: insurance is silent, or never heard of the plan."""
    reply = directory.SuggestReply(
        receivers=[listed(world, plan="UNKNOWN")], widening="FARTHER", insurance_unknown=True
    )
    world.service.directory.suggestions = reply
    made = await written(world, planId=str(uuid4()))

    offered = await suggest(world, world.sender.staff, made)

    assert (offered["insuranceUnknown"], offered["widening"]) == (True, "FARTHER")
    one = offered["receivers"][0]
    assert (one["planAcceptance"], one["acceptedPlans"]) == ("UNKNOWN", [])


async def test_who_had_it_before_is_marked_and_past_receivers_are_offered_nothing(
    world: World,
) -> None:
    """R13, R14: also the receiver who would forward; not who only sees that it was there."""
    other = world.practice()
    world.service.directory.suggestions = directory.SuggestReply(receivers=[listed(world)])
    sent = await send(world)
    mine = await suggest(world, world.receiver.staff, sent)
    await act(world, "forwardReferral", world.receiver.staff, sent, receiver=at(other))

    assert mine["receivers"][0]["hadBefore"]
    assert (await suggest(world, other.staff, sent))["receivers"][0]["hadBefore"]
    assert await suggest(world, world.receiver.staff, sent) is None
    assert await suggest(world, world.practice().staff, sent) is None


async def test_a_request_asks_for_twenty_searches_at_the_most(world: World) -> None:
    """R28: a queue full of referrals is not a hundred searches of directory's at once."""
    sent = await send(world)
    before = len(world.service.directory.suggested)
    fields = " ".join(f"a{n}: suggestedReceivers(first: {n}) {{ near }}" for n in range(1, 26))
    query = f"query ($id: ID!) {{ referral(id: $id) {{ {fields} }} }}"

    answer = await world.service.running.gql(query, {"id": sent["id"]}, viewer=world.sender.staff)

    offered = [one for one in answer["data"]["referral"].values() if one is not None]
    codes = [one["extensions"]["reason"] for one in answer["errors"]]
    assert len(offered) == len(world.service.directory.suggested) - before == 20
    assert codes == ["TOO_MANY_SUGGESTIONS"] * 5


async def test_who_asks_is_in_the_trail_and_too_much_is_refused(world: World) -> None:
    """A1: how far receivers are tells where the patient lives."""
    sent = await send(world)
    given = {"id": sent["id"]}
    _, request = await asked(world, world.sender.staff, SUGGEST, **given)
    assert await seen(world, request) == {sent["id"]: {"suggestedReceivers"}}

    for wrong in ({"first": 0}, {"first": 51}, {"others": [str(uuid4()) for _ in range(10)]}):
        answer = await world.service.running.gql(SUGGEST, given | wrong, viewer=world.sender.staff)
        assert answer["errors"][0]["extensions"]["code"] in {"BAD_USER_INPUT", "PAGE_SIZE"}
