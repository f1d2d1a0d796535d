"""Drafts and sends: who may, to whom, what is stored, and what a retry gets."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from kit.auth import ANONYMOUS
from proto.directory.v1 import directory_pb2 as directory
from tests.service.referrals.asking import act, at, do, draft, group_at, read, send
from tests.service.referrals.conftest import World
from tests.service.referrals.fencing import directory_of


async def test_a_sent_referral_waits_at_its_receiver_with_the_patient_and_what_may_be_done(
    world: World,
) -> None:
    sent = await send(world)

    received = await read(world, world.receiver.staff, sent)
    assert sent["status"] == "PENDING"
    assert sent["allowedActions"] == ["CHANGE_SENDER", "CHANGE_AUTHORIZATION", "CANCEL"]
    assert received is not None
    assert received["sides"] == ["RECEIVING"]
    assert received["patient"]["familyName"] == "Zeta-Canary"
    assert received["allowedActions"] == [
        "ACKNOWLEDGE", "SCHEDULE", "DECLINE", "REASSIGN", "FORWARD",
    ]  # fmt: skip


async def test_a_draft_is_the_senders_alone_until_it_is_sent(world: World) -> None:
    written = draft(world.sender, at(world.receiver))
    made = await do(
        world, "createDraft", world.sender.staff, draft=written, idempotencyKey=str(uuid4())
    )
    assert made["status"] == "DRAFT"
    assert await read(world, world.receiver.staff, made) is None

    changed = await act(
        world,
        "changeDraft",
        world.sender.staff,
        made,
        draft=draft(world.sender, at(world.receiver), urgency="URGENT"),
    )
    sent = await act(
        world, "sendReferral", world.sender.staff, changed, idempotencyKey=str(uuid4())
    )

    assert (changed["version"], sent["version"], sent["status"]) == (2, 3, "PENDING")
    assert await read(world, world.receiver.staff, made) is not None


async def test_a_draft_without_a_receiver_cannot_be_sent(world: World) -> None:
    made = await do(
        world,
        "createDraft",
        world.sender.staff,
        draft=draft(world.sender, None),
        idempotencyKey=str(uuid4()),
    )

    refused = await act(
        world, "sendReferral", world.sender.staff, made, idempotencyKey=str(uuid4())
    )

    assert refused["code"] == "RECEIVER_REQUIRED"


async def test_the_same_key_sends_once_even_when_the_receiver_has_begun_to_leave(
    world: World,
) -> None:
    """Cross-cutting 3."""
    key, written = str(uuid4()), draft(world.sender, at(world.receiver))
    first = await do(world, "sendReferral", world.sender.staff, idempotencyKey=key, draft=written)
    world.service.directory.codes[world.receiver.provider_id] = "RECEIVER_LEAVING"

    again = await do(world, "sendReferral", world.sender.staff, idempotencyKey=key, draft=written)
    other = draft(world.sender, at(world.receiver), urgency="STAT")
    reused = await do(world, "sendReferral", world.sender.staff, idempotencyKey=key, draft=other)

    assert again["id"] == first["id"]
    assert reused["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_another_patient_under_the_same_key_is_another_request(world: World) -> None:
    key, written = str(uuid4()), draft(world.sender, at(world.receiver))
    await do(world, "sendReferral", world.sender.staff, idempotencyKey=key, draft=written)
    written["patient"] = written["patient"] | {"givenName": "Somebodyelse"}

    reused = await do(world, "sendReferral", world.sender.staff, idempotencyKey=key, draft=written)

    assert reused["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_leaving_receiver_is_refused_with_alternatives(world: World) -> None:
    """R15."""
    world.service.directory.codes[world.receiver.provider_id] = "RECEIVER_LEAVING"
    office, provider = str(world.receiver.office_id), str(uuid4())
    world.service.directory.alternatives = [
        directory.Alternative(provider_id=provider, office_id=office, name="Dr. Sample")
    ]

    refused = await send(world)

    world.service.directory.alternatives = []
    assert refused["code"] == "RECEIVER_LEAVING"
    assert refused["alternatives"] == [
        {"officeId": office, "providerId": provider, "groupId": None, "name": "Dr. Sample"}
    ]


async def test_a_receiver_that_may_not_receive_is_refused_with_directorys_reason(
    world: World,
) -> None:
    """R11, R16, R23."""
    group = uuid4()
    for code in ("OFFICE_NOT_LIVE", "NOT_APPROVED", "NOT_PLACED", "GROUP_NOT_STAFFED"):
        world.service.directory.codes[group] = code
        assert (await send(world, group_at(world.receiver, group)))["code"] == code


async def test_an_unknown_receiver_is_not_found(world: World) -> None:
    nowhere = {"officeId": str(uuid4()), "providerId": str(uuid4())}

    assert (await send(world, nowhere))["code"] == "NOT_FOUND"


@pytest.mark.parametrize("older", [False, True])
async def test_a_group_that_may_send_needs_no_provider_and_one_that_may_not_is_refused(
    world: World, *, older: bool
) -> None:
    """R22: directory is asked about both ends at once; one of the release before, about each."""
    world.service.directory.older = older
    door, closed = uuid4(), uuid4()
    world.service.directory.codes[closed] = "GROUP_CANNOT_SEND"
    office = str(world.sender.office_id)

    sent = await send(world, sender={"officeId": office, "groupId": str(door)})
    refused = await send(world, sender={"officeId": office, "groupId": str(closed)})
    nobody = await send(world, sender={"officeId": office})

    assert sent["sendingProvider"] is None
    assert sent["sendingGroup"]["id"] == str(door)
    assert refused["code"] == "GROUP_CANNOT_SEND"
    assert nobody["code"] == "PROVIDER_REQUIRED"


async def test_somebody_who_does_not_work_there_cannot_send_from_an_office(world: World) -> None:
    """R02. Another organization's office answers like any office one does not work for."""
    written = draft(world.sender, at(world.receiver))
    strangers = [
        world.receiver.staff,
        world.sender.somebody(client_admin=True),
        world.sender.somebody(insurance_manager=True, call_centre=True),
    ]

    for stranger in strangers:
        refused = await do(
            world, "sendReferral", stranger, idempotencyKey=str(uuid4()), draft=written
        )
        assert refused["code"] == "FORBIDDEN"


async def test_the_plan_is_asked_for_and_insurance_away_blocks_no_send(world: World) -> None:
    """R28, cross-cutting 12."""
    plan = uuid4()
    world.service.insurance.accepting[plan] = {world.receiver.provider_id}
    accepted = await send(world, planId=str(plan))
    world.service.insurance.accepting[plan] = set()
    refused = await send(world, planId=str(plan))
    not_listed = await send(world, outside="PATIENT_CHOICE", planId=str(plan))
    world.service.insurance.away = True
    unknown = await send(world, planId=str(plan))
    world.service.insurance.away = False
    nonsense = await send(world, planId=str(uuid4()))

    states = [one["planAcceptance"]["state"] for one in (accepted, not_listed, unknown)]
    assert states == ["ACCEPTED", "NOT_LISTED", "UNKNOWN"]
    assert (refused["code"], refused["field"]) == ("OUTSIDE_PLAN", "outsidePlanReason")
    assert nonsense["code"] == "UNKNOWN_PLAN"
    assert (await send(world))["planAcceptance"] is None


async def test_bad_input_names_the_field_and_the_way_out(world: World) -> None:
    both = at(world.receiver) | {"groupId": str(uuid4())}
    assert (await send(world, both))["code"] == "RECEIVER_REQUIRED"
    assert (await send(world, specialtyCode="cardio"))["code"] == "INVALID_SPECIALTY"
    assert (await send(world, planId="nonsense"))["field"] == "planId"
    nameless = {"givenName": " ", "familyName": "Zeta-Canary", "bornOn": "1961-02-03"}
    assert (await send(world, patient=nameless))["field"] == "patient.givenName"
    endless = nameless | {"givenName": "Canarina", "clinicalNote": "x" * 4001}
    assert (await send(world, patient=endless))["field"] == "patient.clinicalNote"


async def test_only_the_sender_cancels_and_with_a_reason(world: World) -> None:
    """Only the sender cancels."""
    sent = await send(world)

    by_receiver = await act(
        world, "cancelReferral", world.receiver.staff, sent, reasonCode="RAISED_IN_ERROR"
    )
    without = await act(world, "cancelReferral", world.sender.staff, sent, reasonCode="NO_CAPACITY")
    done = await act(
        world, "cancelReferral", world.sender.staff, sent, reasonCode="RAISED_IN_ERROR"
    )

    assert by_receiver["code"] == "WRONG_SIDE"
    assert without["code"] == "REASON_REQUIRED"
    assert (done["status"], done["reasonCode"]) == ("CANCELLED", "RAISED_IN_ERROR")
    assert done["allowedActions"] == []


async def test_a_declined_referral_is_sent_again_as_a_new_hop(world: World) -> None:
    sent = await send(world)
    declined = await act(
        world, "declineReferral", world.receiver.staff, sent, reasonCode="NO_CAPACITY"
    )
    other = world.practice()

    again = await act(world, "resendReferral", world.sender.staff, declined, receiver=at(other))

    assert (again["status"], again["hop"], again["reasonCode"]) == ("PENDING", 2, None)
    assert [hop["declinedCode"] for hop in again["hops"]] == ["NO_CAPACITY", None]
    assert await read(world, other.staff, sent) is not None
    past = await read(world, world.receiver.staff, sent)
    assert past is not None
    assert (past["sight"], past["patient"], past["history"]) == ("PAST", None, [])


async def test_the_patient_may_not_be_born_in_the_future(world: World) -> None:
    unborn = {"givenName": "Canarina", "familyName": "Zeta-Canary", "bornOn": "2999-01-01"}

    assert (await send(world, patient=unborn))["field"] == "patient.bornOn"


async def test_what_a_leaving_provider_has_sent_is_handed_over_to_a_colleague(world: World) -> None:
    """R12, R13."""
    sender, sent, colleague = world.sender, await send(world), str(uuid4())
    office = str(sender.office_id)
    unfit, unsent = str(uuid4()), str(uuid4())
    world.service.directory.codes[UUID(unfit)] = "NOT_PLACED"
    async with directory_of(world) as directory_:
        await directory_.raise_fence(sender.organization_id, "PROVIDER", sender.provider_id)
        await directory_.raise_fence(sender.organization_id, "PROVIDER", UUID(unsent))

        answers = {
            provider: await act(
                world,
                "changeSender",
                sender.staff,
                sent,
                sender={"officeId": office, "providerId": provider},
            )
            for provider in (unfit, unsent, colleague)
        }
        left = await directory_.open_work(sender.organization_id, "PROVIDER", sender.provider_id)
    by_receiver = await act(
        world,
        "changeSender",
        world.receiver.staff,
        answers[colleague],
        sender={"officeId": office, "providerId": str(uuid4())},
    )

    assert answers[unfit]["code"] == "NOT_PLACED"
    assert answers[unsent]["code"] == "SENDER_LEAVING"
    assert answers[colleague]["sendingProvider"]["id"] == colleague
    assert (answers[colleague]["status"], left.total) == ("PENDING", 0)
    assert by_receiver["code"] == "WRONG_SIDE"


async def test_a_send_names_a_draft_or_a_new_referral_and_not_both(world: World) -> None:
    written = draft(world.sender, at(world.receiver))
    for given in ({}, {"draft": written, "referralId": str(uuid4())}, {"referralId": str(uuid4())}):
        refused = await do(
            world, "sendReferral", world.sender.staff, idempotencyKey=str(uuid4()), **given
        )
        assert refused["code"] == "ONE_OF"


async def test_a_draft_is_sent_once_under_one_key(world: World) -> None:
    """Cross-cutting 3."""
    key, sender = str(uuid4()), world.sender.staff
    made = await do(
        world,
        "createDraft",
        sender,
        draft=draft(world.sender, at(world.receiver)),
        idempotencyKey=str(uuid4()),
    )

    answers = await asyncio.gather(
        *(act(world, "sendReferral", sender, made, idempotencyKey=key) for _ in range(4))
    )
    later = await act(world, "sendReferral", sender, made, idempotencyKey=key)

    assert {(one["id"], one["version"]) for one in [*answers, later]} == {(made["id"], 2)}


async def test_double_clicked_sends_make_one_referral(world: World) -> None:
    """Cross-cutting 3."""
    key, written = str(uuid4()), draft(world.sender, at(world.receiver))

    answers = await asyncio.gather(
        *(
            do(world, "sendReferral", world.sender.staff, idempotencyKey=key, draft=written)
            for _ in range(4)
        )
    )

    assert len({one["id"] for one in answers}) == 1


async def test_nobody_who_is_not_signed_in_gets_anything(world: World) -> None:
    """R04, R05."""
    sent = await send(world)
    query = "query ($id: ID!) { referral(id: $id) { id } }"

    answer = await world.service.running.gql(query, {"id": sent["id"]}, viewer=ANONYMOUS)

    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
