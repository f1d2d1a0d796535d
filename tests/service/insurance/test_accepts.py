"""Who accepts what where on a day, how sure that is, and how old: over gRPC and GraphQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.message import Message

from kit.clock import Clock
from kit.db import read_clock
from kit.errors import Denied, Invalid
from kit.rpc import Peer
from proto.insurance.v1 import insurance_pb2 as pb
from proto.insurance.v1.insurance_pb2_grpc import InsuranceStub
from tests.service.insurance.asking import ADD, a_plan, mutate, wanted
from tests.service.insurance.conftest import Insurance, Practice, new_practice
from tests.support.running import VIEWER_KEY

ACCEPTANCES = """query($places: [ProviderAtOfficeInput!]!, $planIds: [ID!]!, $on: Date!) {
    planAcceptances(places: $places, planIds: $planIds, on: $on) {
        planId state certainty verifiedOn verifiedDaysAgo provider { id } office { id } successor { id }
        participation { id } } }"""


async def ask(insurance: Insurance, method: str, request: Message, me: str) -> Any:  # noqa: ANN401 - a reply
    """A sibling's question."""
    parts = insurance.running.parts
    clock = Clock(lambda: read_clock(parts.db))
    await clock.sync()
    address = f"127.0.0.1:{parts.grpc_port}"
    peer = Peer("insurance", address, me=me, key=bytes.fromhex(VIEWER_KEY), clock=clock)
    try:
        return await peer.ask(getattr(InsuranceStub(peer.channel), method), request)
    finally:
        await peer.close()


async def accepts(
    insurance: Insurance, practice: Practice, plan_id: str, on: str
) -> pb.AcceptsReply:
    request = pb.AcceptsRequest(
        provider_ids=[str(practice.provider_id), str(uuid4())],
        office_id=str(practice.office_id),
        plan_id=plan_id,
        on=on,
    )
    found: pb.AcceptsReply = await ask(insurance, "Accepts", request, "referrals")
    return found


async def accepts_many(
    insurance: Insurance, practices: list[Practice], plans: list[str], on: str
) -> pb.AcceptsManyReply:
    request = pb.AcceptsManyRequest(
        places=[
            pb.AcceptsPlace(provider_id=str(one.provider_id), office_id=str(one.office_id))
            for one in practices
        ],
        plan_ids=plans,
        on=on,
    )
    found: pb.AcceptsManyReply = await ask(insurance, "AcceptsMany", request, "directory")
    return found


async def accepted(
    insurance: Insurance, practice: Practice, plan_id: str, source: str = "ORGANIZATION"
) -> None:
    input_ = wanted(practice, plan_id, "2020-01-01") | {"source": source}
    added = await mutate(insurance, ADD, input_, practice.manager)
    assert added["__typename"] == "Participation"


async def test_an_answer_says_how_sure_and_how_old_it_is(
    insurance: Insurance, practice: Practice
) -> None:
    """R27, R28"""
    plan_id = await a_plan(insurance)
    await insurance.running.set_time(datetime(2031, 1, 1, 12, tzinfo=UTC))
    await accepted(insurance, practice, plan_id)

    fresh = await accepts(insurance, practice, plan_id, "2031-01-20")
    await insurance.running.set_time(datetime(2031, 4, 2, 12, tzinfo=UTC))
    stale = await accepts(insurance, practice, plan_id, "2031-04-20")

    assert (fresh.certainty, fresh.age_days) == (pb.CERTAINTY_VERIFIED, 0)
    assert (stale.certainty, stale.age_days) == (pb.CERTAINTY_STALE, 91)
    (row,) = stale.acceptances
    assert (row.provider_id, row.verified_on) == (str(practice.provider_id), "2031-01-01")
    assert (row.certainty, row.age_days, row.effective_until) == (pb.CERTAINTY_STALE, 91, "")


async def test_an_answer_is_as_sure_as_the_least_sure_of_those_who_accept(
    insurance: Insurance, practice: Practice
) -> None:
    """R28"""
    plan_id, other = await a_plan(insurance), new_practice(insurance)
    other.office_id = practice.office_id
    insurance.directory.placed[other.provider_id, other.office_id] = other.organization_id
    await accepted(insurance, practice, plan_id)
    await accepted(insurance, other, plan_id, source="IMPORT")
    request = pb.AcceptsRequest(
        provider_ids=[str(practice.provider_id), str(other.provider_id)],
        office_id=str(practice.office_id),
        plan_id=plan_id,
        on="2031-05-01",
    )

    both = await ask(insurance, "Accepts", request, "referrals")

    assert len(both.accepting_provider_ids) == 2
    assert (both.certainty, both.verified_on) == (pb.CERTAINTY_UNVERIFIED, "")


async def test_nobody_accepting_says_nothing_about_certainty(
    insurance: Insurance, practice: Practice
) -> None:
    """R28"""
    reply = await accepts(insurance, practice, await a_plan(insurance), "2031-05-01")
    assert (reply.plan_known, reply.certainty) == (True, pb.CERTAINTY_UNSPECIFIED)


async def test_a_patient_with_two_plans_is_answered_for_many_places_at_once(
    insurance: Insurance, practice: Practice
) -> None:
    """R28"""
    first, second, unknown = await a_plan(insurance), await a_plan(insurance), str(uuid4())
    other = new_practice(insurance)
    await accepted(insurance, practice, first)
    await accepted(insurance, other, first)
    await accepted(insurance, other, second)

    reply = await accepts_many(insurance, [practice, other], [first, second, unknown], "2031-05-01")

    assert {one.plan_id for one in reply.known_plans} == {first, second}
    assert {(one.provider_id, one.plan_id) for one in reply.acceptances} == {
        (str(practice.provider_id), first),
        (str(other.provider_id), first),
        (str(other.provider_id), second),
    }


async def test_a_planned_visit_is_answered_for_its_own_day(
    insurance: Insurance, practice: Practice
) -> None:
    """R27, R28: a row from 29 February of a leap year on."""
    plan_id = await a_plan(insurance)
    await mutate(
        insurance, ADD, wanted(practice, plan_id, "2032-02-29", "2033-03-01"), practice.manager
    )

    days = ["2032-02-28", "2032-02-29", "2033-02-28", "2033-03-01"]
    found = [len((await accepts(insurance, practice, plan_id, day)).acceptances) for day in days]

    assert found == [0, 1, 1, 0]


@pytest.mark.parametrize(("places", "plans"), [(1001, 1), (1, 11)])
async def test_a_question_about_too_much_is_refused(
    insurance: Insurance, practice: Practice, places: int, plans: int
) -> None:
    with pytest.raises(Invalid):
        await accepts_many(insurance, [practice] * places, [str(uuid4())] * plans, "2031-05-01")


def question(practices: list[Practice], plans: list[str], on: str) -> dict[str, object]:
    places = [
        {"providerId": str(one.provider_id), "officeId": str(one.office_id)} for one in practices
    ]
    return {"places": places, "planIds": plans, "on": on}


async def test_a_web_client_gets_one_answer_for_each_place_and_plan_and_never_a_false_yes(
    insurance: Insurance, practice: Practice
) -> None:
    """R28"""
    listed, not_listed, unknown = await a_plan(insurance), await a_plan(insurance), str(uuid4())
    not_yet = await a_plan(insurance, effectiveFrom="2050-01-01")
    await accepted(insurance, practice, listed)
    plans = [listed, not_listed, not_yet, unknown]

    data = await insurance.running.data(
        ACCEPTANCES, question([practice], plans, "2031-05-01"), viewer=practice.manager
    )

    found = [(one["planId"], one["state"]) for one in data["planAcceptances"]]
    states = ["ACCEPTED", "NOT_LISTED", "NOT_OFFERED", "UNKNOWN_PLAN"]
    assert found == list(zip(plans, states, strict=True))
    yes, no = data["planAcceptances"][:2]
    assert yes["certainty"] == "VERIFIED"
    assert (no["certainty"], no["participation"]) == (None, None)


async def test_what_another_organization_does_not_show_is_not_listed(
    insurance: Insurance, practice: Practice
) -> None:
    """R28"""
    plan_id, stranger = await a_plan(insurance), new_practice(insurance).manager
    await accepted(insurance, practice, plan_id)
    asked = question([practice], [plan_id], "2031-05-01")

    hidden = await insurance.running.data(ACCEPTANCES, asked, viewer=stranger)
    await insurance.show(practice)
    shown = await insurance.running.data(ACCEPTANCES, asked, viewer=stranger)

    assert hidden["planAcceptances"][0]["state"] == "NOT_LISTED"
    assert shown["planAcceptances"][0]["state"] == "ACCEPTED"


@pytest.mark.parametrize(("places", "plans"), [(0, 1), (101, 1), (1, 0), (1, 11)])
async def test_a_web_client_asks_about_a_hundred_places_and_ten_plans_at_the_most(
    insurance: Insurance, practice: Practice, places: int, plans: int
) -> None:
    asked = question([practice] * places, [str(uuid4())] * plans, "2031-05-01")
    answer = await insurance.running.gql(ACCEPTANCES, asked, viewer=practice.manager)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_reporting_is_told_what_plans_and_their_payers_are_called(
    insurance: Insurance,
) -> None:
    """R31: plans that nobody knows are left out."""
    plan_id = await a_plan(insurance)
    request = pb.PlansRequest(plan_ids=[plan_id, str(uuid4())])

    reply: pb.PlansReply = await ask(insurance, "Plans", request, "reporting")

    (told,) = reply.plans
    assert told.plan_id == plan_id
    assert told.name == "Gold PPO"
    assert told.payer_name.startswith("Payer ")
    with pytest.raises(Denied):
        await ask(insurance, "Plans", request, "referrals")
