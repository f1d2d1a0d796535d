"""What is told, to whom, and that it never speaks of the patient."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from tests.service.referrals.asking import act, at, do, draft, group_at, send
from tests.service.referrals.conftest import World
from tests.service.referrals.test_receiving import ahead, staffed

Told = dict[str, Any]


async def told(world: World, referral: str) -> list[tuple[UUID, str, Told]]:
    """Every fact of a referral: organization, verb and data, in the order of telling."""
    rows = await world.service.running.sql.fetch(
        "SELECT organization_id, body FROM outbox WHERE aggregate_id = $1 ORDER BY id",
        UUID(referral),
    )
    events = [(row["organization_id"], orjson.loads(row["body"])) for row in rows]
    return [(org, event["type"].split(".")[-2], event["data"]) for org, event in events]


def sides(facts: list[tuple[UUID, str, Told]], verb: str) -> list[tuple[UUID, str]]:
    """Who heard a verb, on which side."""
    return [(org, data["referral"]["side"]) for org, name, data in facts if name == verb]


async def test_each_organization_hears_each_fact_once_with_its_side(world: World) -> None:
    staff = world.receiver.staff
    noted = await act(world, "acknowledgeReferral", staff, await send(world))
    booked = await act(world, "scheduleReferral", staff, noted, at=ahead(world, 1))
    await world.service.running.advance(timedelta(days=2))
    facts = await told(world, booked["id"])

    both = [
        (world.sender.organization_id, "SENDING"),
        (world.receiver.organization_id, "RECEIVING"),
    ]
    for verb in ("sent", "acknowledged", "scheduled", "appointment_passed"):
        assert sides(facts, verb) == both, verb
    last = facts[-1][2]["referral"]
    assert (last["status"], last["version"], last["hop"]) == ("FOLLOW_UP", "4", 1)


async def test_an_organization_on_both_sides_hears_each_fact_on_each_side_in_order(
    world: World,
) -> None:
    inside = {"officeId": str(world.office(world.sender)), "providerId": str(uuid4())}

    sent = await send(world, inside)

    us = world.sender.organization_id
    assert sides(await told(world, sent["id"]), "sent") == [(us, "SENDING"), (us, "RECEIVING")]


async def test_a_forward_is_heard_as_leaving_by_the_old_and_as_arriving_by_the_new_receiver(
    world: World,
) -> None:
    other = world.practice()
    sent = await send(world)
    await act(world, "forwardReferral", world.receiver.staff, sent, receiver=at(other))

    facts = [one for one in await told(world, sent["id"]) if one[1] == "forwarded"]

    assert {(org, data["referral"]["side"]) for org, _, data in facts} == {
        (world.sender.organization_id, "SENDING"),
        (world.receiver.organization_id, "RECEIVING"),
        (other.organization_id, "RECEIVING"),
    }
    by_org = {org: data for org, _, data in facts}
    leaving, arriving = by_org[world.receiver.organization_id], by_org[other.organization_id]
    assert leaving["referral"]["receivingOfficeId"] == str(world.receiver.office_id)
    assert leaving["referral"]["hop"] == 1
    assert leaving["referral"]["version"] == arriving["referral"]["version"] == "2"
    assert arriving["referral"]["receivingOfficeId"] == str(other.office_id)
    assert arriving["referral"]["hop"] == 2
    assert arriving["fromOrganizationId"] == str(world.receiver.organization_id)


async def test_the_plan_is_told_to_the_senders_organization_alone(world: World) -> None:
    """R28: leakage by plan is the sender's to know; decision 0007."""
    plan = uuid4()
    world.service.insurance.accepting[plan] = {world.receiver.provider_id}
    sent = await send(world, planId=str(plan))
    await act(world, "acknowledgeReferral", world.receiver.staff, sent)

    facts = await told(world, sent["id"])

    plans = [(data["referral"]["side"], data["referral"].get("planId")) for _, _, data in facts]
    assert plans == [("SENDING", str(plan)), ("RECEIVING", None)] * 2
    without = await told(world, (await send(world))["id"])
    assert all("planId" not in data["referral"] for _, _, data in without)


async def test_a_draft_is_told_to_its_own_organization_alone_with_ids_until_it_is_dropped(
    world: World,
) -> None:
    """R32: where it is kept, and that it will not be sent; what is in it is nobody's to hear."""
    sender, us = world.sender.staff, world.sender.organization_id
    written = draft(world.sender, at(world.receiver))
    made = await do(world, "createDraft", sender, draft=written, idempotencyKey=str(uuid4()))
    other = draft(world.sender, at(world.receiver), urgency="URGENT")
    changed = await act(world, "changeDraft", sender, made, draft=other)
    await act(world, "cancelReferral", sender, changed, reasonCode="RAISED_IN_ERROR")

    drafted, dropped = await told(world, made["id"])

    assert (drafted[:2], dropped[:2]) == ((us, "drafted"), (us, "draft_dropped"))
    assert drafted[2].keys() == {"referralId", "sendingOfficeId", "draftedAt"}
    assert drafted[2]["sendingOfficeId"] == str(world.sender.office_id)
    assert dropped[2] == {"referralId": made["id"]}


async def test_a_draft_that_becomes_a_groups_is_told_again_and_ends_when_it_is_sent(
    world: World,
) -> None:
    """R32"""
    sender, us = world.sender.staff, world.sender.organization_id
    written = draft(world.sender, at(world.receiver))
    made = await do(world, "createDraft", sender, draft=written, idempotencyKey=str(uuid4()))
    group = await staffed(world, world.sender, [world.sender.provider_id], sender.user_id)
    theirs = {**written, "sender": group_at(world.sender, group)}
    changed = await act(world, "changeDraft", sender, made, draft=theirs)
    sent = await act(world, "sendReferral", sender, changed, idempotencyKey=str(uuid4()))

    facts = await told(world, made["id"])

    assert sent["status"] == "PENDING"
    assert [(org, verb) for org, verb, _ in facts] == [
        (us, "drafted"),
        (us, "drafted"),
        (us, "sent"),
        (world.receiver.organization_id, "sent"),
    ]
    first, second = (data for _, verb, data in facts if verb == "drafted")
    assert second == {**first, "sendingGroupId": str(group)}


async def test_a_no_show_a_cancelled_appointment_and_a_decline_tell_their_codes(
    world: World,
) -> None:
    staff = world.receiver.staff
    booked = await act(world, "scheduleReferral", staff, await send(world), at=ahead(world, 1))
    dropped = await act(world, "cancelAppointment", staff, booked)
    again = await act(world, "scheduleReferral", staff, dropped, at=ahead(world, 1))
    await world.service.running.advance(timedelta(days=2))
    passed = again | {"version": again["version"] + 1}
    missed = await act(world, "reportNoShow", staff, passed, reasonCode="FORGOT")
    await act(world, "declineReferral", staff, missed, reasonCode="NO_CAPACITY")

    facts = {verb: data for _, verb, data in await told(world, missed["id"])}
    assert facts["appointment_cancelled"]["referral"]["status"] == "IN_PROGRESS"
    assert facts["no_show"]["reasonCode"] == "FORGOT"
    assert facts["declined"]["reasonCode"] == "NO_CAPACITY"


async def test_no_patient_data_leaves_in_facts_logs_or_refusals(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Security A4: canaries in every patient field."""
    caplog.set_level(logging.DEBUG)
    patient = {
        "givenName": "Canaryone",
        "familyName": "Canarytwo",
        "bornOn": "1931-07-19",
        "phone": "canary-three",
        "postalCode": "canary-4",
        "memberNumber": "canary-five",
        "clinicalNote": "canary-six",
    }
    sent = await send(world, patient=patient)
    await act(
        world, "declineReferral", world.receiver.staff, sent, reasonCode="AGE", comment="canary-7"
    )
    refusals = [
        await send(world, patient=patient | {"bornOn": "2999-07-19"}),
        await act(
            world,
            "forwardReferral",
            world.receiver.staff,
            await send(world),
            receiver=at(world.practice()),
            comment="canary" * 1000,
        ),
        await send(world, patient=patient | {"clinicalNote": "canary" * 1000}),
        await send(world, {"officeId": str(uuid4()), "providerId": str(uuid4())}, patient=patient),
        await act(
            world, "declineReferral", world.receiver.staff, await send(world),
            reasonCode="AGE", comment="canary" * 1000,
        ),
    ]  # fmt: skip
    broken = await world.service.running.gql(
        "mutation ($input: SendReferralInput!) { sendReferral(input: $input) { __typename } }",
        {"input": {"draft": {"patient": patient}, "idempotencyKey": "k"}},
        viewer=world.sender.staff,
    )
    pool = world.service.running.parts.db.pool
    bodies = await pool.fetch("SELECT body FROM outbox")
    assert all("code" in one for one in refusals)
    assert "errors" in broken

    leaks = [
        [row["body"] for row in bodies],
        [record.getMessage() + str(record.__dict__) for record in caplog.records],
        [str(refusals)],
    ]
    for texts in leaks:
        for text in texts:
            assert "canary" not in text.lower()
            assert "1931-07-19" not in text


async def test_the_facts_of_one_referral_are_numbered_without_gap(world: World) -> None:
    staff, sent = world.receiver.staff, await send(world)
    for _ in range(10):
        sent = await act(world, "scheduleReferral", staff, sent, at=ahead(world))
        sent = await act(world, "cancelAppointment", staff, sent)

    rows = await world.service.running.sql.fetch(
        "SELECT sequence FROM outbox WHERE aggregate_id = $1 AND organization_id = $2 ORDER BY id",
        UUID(sent["id"]),
        world.sender.organization_id,
    )
    assert [row["sequence"] for row in rows] == list(range(1, 22))


async def test_a_claim_is_told_as_acknowledged_or_as_reassigned_within_the_group(
    world: World,
) -> None:
    """R21."""
    practice = world.receiver
    group = await staffed(world, practice, [practice.provider_id])
    provider = str(practice.provider_id)
    at_once = await send(world, group_at(practice, group))
    await act(world, "claimReferral", practice.staff, at_once, providerId=provider)
    noted = await act(
        world, "acknowledgeReferral", practice.staff, await send(world, group_at(practice, group))
    )
    await act(world, "claimReferral", practice.staff, noted, providerId=provider)

    first = [verb for _, verb, _ in await told(world, at_once["id"])]
    later = await told(world, noted["id"])
    assert first == ["sent", "sent", "acknowledged", "acknowledged"]
    assert later[-1][1] == "reassigned"
    assert later[-1][2]["referral"]["receivingProviderId"] == provider
    assert later[-1][2]["fromGroupId"] == str(group)
    assert "fromProviderId" not in later[-1][2]
