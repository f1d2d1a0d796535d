"""A receiver outside of the patient's plan is chosen for a coded reason, which is kept and told to the sender alone (R28)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from tests.service.referrals.asking import Answer, act, at, do, draft, send
from tests.service.referrals.conftest import World
from tests.service.referrals.test_cases import bulk
from tests.service.referrals.test_facts import told
from tests.service.referrals.test_receiving import ahead

WHY = "query ($id: ID!) { referral(id: $id) { outsidePlanReason planAcceptance { state } externallyManaged } }"
REASONS = "{ referralReasons(kind: OUTSIDE_PLAN) { code text } }"


def a_plan(world: World, *accepting: UUID) -> str:
    """A plan that these providers accept."""
    plan = uuid4()
    world.service.insurance.accepting[plan] = set(accepting)
    return str(plan)


async def reason_of(world: World, referral: Answer) -> Any:  # noqa: ANN401 - JSON
    """Why it is where it is, as the sender reads it."""
    data = await world.service.running.data(WHY, {"id": referral["id"]}, viewer=world.sender.staff)
    return data["referral"]["outsidePlanReason"]


async def test_a_send_outside_the_plan_needs_a_reason_that_is_valid_today(world: World) -> None:
    """R28: refused with the field and the way out; an empty or an unknown code is none."""
    plan = a_plan(world)

    bare = await send(world, planId=plan)
    wrong = await send(world, outside="BECAUSE", planId=plan)
    other = await send(world, outside="NO_CAPACITY", planId=plan)
    given = await send(world, outside="CONTINUITY_OF_CARE", planId=plan)

    assert (bare["code"], bare["field"]) == ("OUTSIDE_PLAN", "outsidePlanReason")
    assert "suggestedReceivers" in bare["remedy"]
    assert {wrong["code"], other["code"]} == {"REASON_REQUIRED"}
    assert await reason_of(world, given) == "CONTINUITY_OF_CARE"
    offered = (await world.service.running.data(REASONS, viewer=world.sender.staff))[
        "referralReasons"
    ]
    assert "CONTINUITY_OF_CARE" in {one["code"] for one in offered}


async def test_a_reason_is_kept_only_where_one_is_needed(world: World) -> None:
    """R28: in the plan, without a plan, or when insurance is away, nothing is outside."""
    inside = a_plan(world, world.receiver.provider_id)
    listed = await send(world, outside="SELF_PAY", planId=inside)
    without = await send(world, outside="SELF_PAY")
    world.service.insurance.away = True
    unknown = await send(world, outside="SELF_PAY", planId=a_plan(world))

    for sent in (listed, without, unknown):
        assert sent["status"] == "PENDING"
        assert await reason_of(world, sent) is None


async def test_one_of_a_patients_two_plans_is_enough(world: World) -> None:
    """R28: outside is who is listed for neither; where insurance knows one of them alone, nothing is claimed."""
    theirs, other, third = a_plan(world, world.receiver.provider_id), a_plan(world), a_plan(world)

    inside = await send(world, planId=other, secondPlanId=theirs)
    outside = await send(world, planId=other, secondPlanId=third)
    given = await send(world, outside="SELF_PAY", planId=other, secondPlanId=third)
    twice = await send(world, planId=other, secondPlanId=other)
    alone = await send(world, secondPlanId=other)
    unknown = await send(world, planId=theirs, secondPlanId=str(uuid4()))

    assert inside["planAcceptance"]["state"] == "ACCEPTED"
    assert await reason_of(world, inside) is None
    assert (outside["code"], given["planAcceptance"]["state"]) == ("OUTSIDE_PLAN", "NOT_LISTED")
    assert (twice["field"], alone["field"]) == ("secondPlanId", "secondPlanId")
    assert unknown["code"] == "UNKNOWN_PLAN"


async def test_a_draft_is_sent_outside_the_plan_with_its_reason_once(world: World) -> None:
    """R28: the retry with the same key and reason is the same send; with another reason it is another request."""
    written = draft(world.sender, at(world.receiver), planId=a_plan(world))
    staff, key = world.sender.staff, str(uuid4())
    made = await do(world, "createDraft", staff, draft=written, idempotencyKey=str(uuid4()))

    refused = await act(world, "sendReferral", staff, made, idempotencyKey=key)
    order = {"idempotencyKey": key, "outsidePlanReason": "PATIENT_CHOICE"}
    sent = await act(world, "sendReferral", staff, made, **order)
    again = await act(world, "sendReferral", staff, made, **order)
    changed = await act(
        world, "sendReferral", staff, made, **order | {"outsidePlanReason": "SELF_PAY"}
    )

    assert refused["code"] == "OUTSIDE_PLAN"
    assert sent["id"] == again["id"] == made["id"]
    assert again["version"] == sent["version"]
    assert changed["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_whoever_moves_a_referral_outside_the_plan_says_why(world: World) -> None:
    """R13, R28: forward, resend, reassign and many at once; a move back into the plan takes the reason away."""
    us, elsewhere = world.receiver, world.practice()
    plan, colleague = a_plan(world, us.provider_id), uuid4()
    where = at(us) | {"providerId": str(colleague)}
    sent = await send(world, planId=plan)

    bare = await act(world, "reassignReferral", us.staff, sent, receiver=where)
    stranger = await act(world, "reassignReferral", us.staff, sent, receiver=at(elsewhere))
    item = {"referralId": sent["id"], "expectedVersion": sent["version"]}
    many = await bulk(world, us.staff, action="REASSIGN", items=[item], receiver=where)
    moved = await act(
        world,
        "reassignReferral",
        us.staff,
        sent,
        receiver=where,
        outsidePlanReason="PATIENT_CHOICE",
    )
    assert await reason_of(world, sent) == "PATIENT_CHOICE"
    back = await act(world, "reassignReferral", us.staff, moved, receiver=at(us))
    assert await reason_of(world, sent) is None
    forward = {"receiver": at(elsewhere)}
    kept = await act(world, "forwardReferral", us.staff, back, **forward)
    gone = await act(
        world, "forwardReferral", us.staff, back, **forward, outsidePlanReason="NOBODY_IN_PLAN"
    )
    declined = await act(
        world,
        "declineReferral",
        elsewhere.staff,
        gone | {"version": back["version"] + 1},
        reasonCode="AGE",
    )
    resent = await act(world, "resendReferral", world.sender.staff, declined)

    assert (bare["code"], kept["code"], resent["code"]) == ("OUTSIDE_PLAN",) * 3
    assert stranger["code"] == "OTHER_ORGANIZATION"
    assert many["items"][0]["outcome"]["code"] == "OUTSIDE_PLAN"
    assert gone["status"] == "PENDING"


async def test_the_reason_is_told_to_the_senders_organization_alone(world: World) -> None:
    """R28: leakage is measured from facts; decision 0007."""
    plan = a_plan(world)
    sent = await send(world, outside="SELF_PAY", planId=plan)

    facts = [data["referral"] for _, _, data in await told(world, sent["id"])]

    assert [(one["side"], one.get("outsidePlanReason"), one.get("planId")) for one in facts] == [
        ("SENDING", "SELF_PAY", plan), ("RECEIVING", None, None),
    ]  # fmt: skip


async def test_a_booked_visit_is_kept_on_purpose_when_the_provider_changes(world: World) -> None:
    """R13: void unless somebody says that the new provider keeps the time; a group has nobody to keep it."""
    us = world.receiver
    booked = await act(world, "scheduleReferral", us.staff, await send(world), at=ahead(world))
    where = at(us) | {"providerId": str(uuid4())}

    kept = await act(
        world, "reassignReferral", us.staff, booked, receiver=where, keepAppointment=True
    )
    void = await act(world, "reassignReferral", us.staff, kept, receiver=at(us))

    assert (kept["status"], kept["appointmentAt"]) == ("SCHEDULED", booked["appointmentAt"])
    assert [one["state"] for one in kept["appointments"]] == ["BOOKED"]
    assert (void["status"], void["appointmentAt"]) == ("IN_PROGRESS", None)
