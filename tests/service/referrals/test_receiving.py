"""The receiver's work: claim, schedule, report, decline, reassign, forward; and two who act at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

from proto.directory.v1.events_pb2 import GroupStaffed
from tests.service.referrals.asking import Answer, act, at, group_at, read, send
from tests.service.referrals.conftest import Practice, World


async def staffed(world: World, practice: Practice, members: list[UUID], *staff: UUID) -> UUID:
    """A group of the practice with these providers, worked for by these users."""
    group_id, running = uuid4(), world.service.running
    fact = GroupStaffed(
        group_id=str(group_id),
        provider_ids=[str(one) for one in members],
        staff_user_ids=[str(one) for one in staff],
        ready=True,
    )
    now = running.parts.clock.now()
    await world.service.neighbours.say(fact, practice.organization_id, "group", group_id, now)
    return group_id


def ahead(world: World, days: float = 2) -> str:
    """A moment that many days from now."""
    return (world.service.running.parts.clock.now() + timedelta(days=days)).isoformat()


async def test_a_referral_is_acknowledged_scheduled_and_completed_after_the_visit(
    world: World,
) -> None:
    staff = world.receiver.staff
    noted = await act(world, "acknowledgeReferral", staff, await send(world))
    booked = await act(world, "scheduleReferral", staff, noted, at=ahead(world))
    early = await act(world, "completeReferral", staff, booked)
    await world.service.running.advance(timedelta(days=3))
    passed = await read(world, staff, booked)
    assert passed is not None
    done = await act(world, "completeReferral", staff, passed)

    assert [one["status"] for one in (noted, booked)] == ["IN_PROGRESS", "SCHEDULED"]
    assert early["code"] == "APPOINTMENT_AHEAD"
    assert passed["status"] == "FOLLOW_UP"
    assert [one["state"] for one in passed["appointments"]] == ["PASSED"]
    assert done["status"] == "COMPLETED"
    assert [one["state"] for one in done["appointments"]] == ["FULFILLED"]
    assert [step["happened"] for step in done["history"]] == [
        "SENT", "ACKNOWLEDGED", "SCHEDULED", "APPOINTMENT_PASSED", "COMPLETED",
    ]  # fmt: skip


async def test_a_missed_appointment_is_reported_with_a_reason_and_booked_again(
    world: World,
) -> None:
    staff = world.receiver.staff
    booked = await act(world, "scheduleReferral", staff, await send(world), at=ahead(world, 1))
    moved = await act(world, "rescheduleReferral", staff, booked, at=ahead(world, 2))
    await world.service.running.advance(timedelta(days=3))
    passed = await read(world, staff, moved)
    assert passed is not None
    without = await act(world, "reportNoShow", staff, passed, reasonCode="NO_CAPACITY")
    missed = await act(world, "reportNoShow", staff, passed, reasonCode="ILL")
    again = await act(world, "rescheduleReferral", staff, missed, at=ahead(world))
    taken_back = await act(world, "cancelAppointment", staff, again)

    assert without["code"] == "REASON_REQUIRED"
    assert (missed["status"], again["status"]) == ("FOLLOW_UP", "SCHEDULED")
    assert (taken_back["status"], taken_back["appointmentAt"]) == ("IN_PROGRESS", None)
    told = [(one["state"], one["noShowCode"]) for one in taken_back["appointments"]]
    assert told == [("CANCELLED", None), ("NO_SHOW", "ILL"), ("CANCELLED", None)]


async def test_a_time_that_is_past_too_far_or_without_offset_is_refused(world: World) -> None:
    sent = await send(world)

    staff = world.receiver.staff
    refused = await act(world, "scheduleReferral", staff, sent, at=ahead(world, -1))
    too_far = await act(world, "scheduleReferral", staff, sent, at="9999-12-31T23:59:59-12:00")
    naive = await act(world, "acknowledgeReferral", staff, sent, callbackAt="2031-01-01T00:00:00")

    assert (refused["code"], refused["field"]) == ("TIME_PASSED", "at")
    assert (too_far["code"], too_far["field"]) == ("TIME_TOO_FAR", "at")
    assert naive["field"] == "callbackAt"


async def test_a_decline_without_a_reason_valid_today_is_refused(world: World) -> None:
    """R13."""
    sent, staff = await send(world), world.receiver.staff
    pool = world.service.running.parts.db.pool
    await pool.execute(
        "INSERT INTO reasons VALUES ('DECLINE', 'OUTDATED', 'Outdated', '2000-01-01', '2001-01-01')"
        " ON CONFLICT DO NOTHING"
    )

    refused = [
        await act(world, "declineReferral", staff, sent, reasonCode=code)
        for code in ("", "NONSENSE", "RAISED_IN_ERROR", "OUTDATED")
    ]
    declined = await act(
        world, "declineReferral", staff, sent, reasonCode="AGE", comment="canary-comment"
    )

    assert {one["code"] for one in refused} == {"REASON_REQUIRED"}
    assert (declined["status"], declined["reasonCode"]) == ("DECLINED", "AGE")
    told = await read(world, world.sender.staff, sent)
    assert told is not None
    assert told["history"][-1]["comment"] == "canary-comment"
    assert told["history"][-1]["by"] is None
    assert told["allowedActions"] == ["RESEND", "CHANGE_SENDER", "CHANGE_AUTHORIZATION", "CANCEL"]


async def test_a_group_referral_is_claimed_for_one_of_its_providers(world: World) -> None:
    """R21."""
    practice, colleague = world.receiver, world.receiver.somebody()
    group = await staffed(world, practice, [practice.provider_id], colleague.user_id or uuid4())
    sent = await send(world, group_at(practice, group))
    waiting = await read(world, colleague, sent)
    assert waiting is not None

    stranger = await act(world, "claimReferral", colleague, waiting, providerId=str(uuid4()))
    claimed = await act(
        world, "claimReferral", colleague, waiting, providerId=str(practice.provider_id)
    )

    assert "CLAIM" in waiting["allowedActions"]
    assert "SCHEDULE" not in waiting["allowedActions"]
    assert stranger["code"] == "NOT_A_MEMBER"
    assert (claimed["status"], claimed["claimedBy"]["id"]) == (
        "IN_PROGRESS",
        str(colleague.user_id),
    )
    assert claimed["receivingProvider"]["id"] == str(practice.provider_id)
    seen_by_sender = await read(world, world.sender.staff, sent)
    assert seen_by_sender is not None
    assert seen_by_sender["claimedBy"] is None


async def test_of_two_who_claim_at_once_one_wins_and_the_other_is_told(world: World) -> None:
    """R21."""
    practice = world.receiver
    group = await staffed(world, practice, [practice.provider_id])
    for _ in range(10):
        sent = await send(world, group_at(practice, group))
        others = [practice.staff, practice.somebody(office_staff_of=practice.staff.offices)]

        answers = await asyncio.gather(
            *(
                act(world, "claimReferral", one, sent, providerId=str(practice.provider_id))
                for one in others
            )
        )

        codes = sorted(one.get("code", "WON") for one in answers)
        assert codes == ["ALREADY_CLAIMED", "WON"]


async def test_of_two_changes_at_once_one_wins_and_the_other_learns_the_current_version(
    world: World,
) -> None:
    """Cross-cutting 3, 8."""
    staff = world.receiver.staff
    for _ in range(10):
        sent = await send(world)

        answers = await asyncio.gather(
            act(world, "acknowledgeReferral", staff, sent),
            act(world, "declineReferral", staff, sent, reasonCode="AGE"),
        )

        lost = [one for one in answers if one["__typename"] == "StaleVersionProblem"]
        assert len(lost) == 1
        assert (lost[0]["code"], lost[0]["currentVersion"]) == ("STALE_VERSION", 2)


async def test_an_appointment_that_passes_while_it_is_declined_has_one_winner(
    world: World,
) -> None:
    """Cross-cutting 8."""
    staff, running = world.receiver.staff, world.service.running
    for _ in range(5):
        sent = await send(world)
        booked = await act(world, "scheduleReferral", staff, sent, at=ahead(world, 1))

        answer, _ = await asyncio.gather(
            act(world, "declineReferral", staff, booked, reasonCode="AGE"),
            running.advance(timedelta(days=2)),
        )

        after = await read(world, staff, booked)
        assert after is not None
        won = "DECLINED" if "code" not in answer else "FOLLOW_UP"
        assert (after["status"], after["version"]) == (won, booked["version"] + 1)


async def test_a_referral_is_reassigned_within_the_organization_only(world: World) -> None:
    """R13."""
    staff, other, second = world.receiver.staff, world.practice(), world.office(world.receiver)
    sent = await send(world)
    booked = await act(world, "scheduleReferral", staff, sent, at=ahead(world))
    wrong = uuid4()
    world.service.directory.specialties[wrong] = ["207N00000X"]

    beyond = await act(world, "reassignReferral", staff, booked, receiver=at(other))
    unfit = await act(
        world,
        "reassignReferral",
        staff,
        booked,
        receiver={"officeId": str(second), "providerId": str(wrong)},
    )
    moved = await act(
        world,
        "reassignReferral",
        staff,
        booked,
        receiver={"officeId": str(second), "providerId": str(uuid4())},
    )

    assert (beyond["code"], unfit["code"]) == ("OTHER_ORGANIZATION", "WRONG_SPECIALTY")
    assert (moved["status"], moved["hop"], moved["sight"]) == ("IN_PROGRESS", 1, "PAST")
    assert await read(world, staff, sent) is None
    there = world.receiver.somebody(office_staff_of=frozenset({second}))
    arrived = await read(world, there, sent)
    assert arrived is not None
    assert (arrived["status"], arrived["appointmentAt"]) == ("IN_PROGRESS", None)


async def test_a_forwarded_referral_waits_at_its_new_receiver_one_hop_further(
    world: World,
) -> None:
    """R13."""
    other, staff = world.practice(), world.receiver.staff
    sent = await send(world)

    left = await act(world, "forwardReferral", staff, sent, receiver=at(other))
    arrived = await read(world, other.staff, sent)

    assert (left["sight"], left["patient"], left["allowedActions"]) == ("PAST", None, [])
    assert left["receivingOffice"]["id"] == str(world.receiver.office_id)
    assert arrived is not None
    assert (arrived["status"], arrived["hop"]) == ("PENDING", 2)
    assert arrived["patient"]["givenName"] == "Canarina"


async def test_a_forward_back_is_a_loop_that_must_be_confirmed(world: World) -> None:
    """R13, cross-cutting 9."""
    other = world.practice()
    sent = await send(world)
    left = await act(world, "forwardReferral", world.receiver.staff, sent, receiver=at(other))
    back = {"receiver": at(world.receiver)}

    loop = await act(world, "forwardReferral", other.staff, left, **back)
    same = await act(world, "forwardReferral", other.staff, left, receiver=at(other))
    confirmed = await act(world, "forwardReferral", other.staff, left, confirmLoop=True, **back)

    assert (loop["code"], same["code"]) == ("FORWARD_LOOP", "SAME_RECEIVER")
    assert confirmed["sight"] == "PAST"
    again = await read(world, world.receiver.staff, sent)
    assert again is not None
    assert (again["sight"], again["hop"]) == ("FULL", 3)


async def test_a_group_says_how_many_of_its_providers_accept_the_plan(world: World) -> None:
    """R21, R28."""
    plan, one, two = uuid4(), uuid4(), uuid4()
    group = await staffed(world, world.receiver, [one, two])
    world.service.insurance.accepting[plan] = {one}

    sent = await send(world, group_at(world.receiver, group), planId=str(plan))
    unknown = await send(world, group_at(world.receiver, uuid4()), planId=str(plan))

    assert sent["planAcceptance"] == {"state": "ACCEPTED", "asked": 2, "accepting": 1}
    assert unknown["planAcceptance"]["state"] == "UNKNOWN"


async def test_a_callback_brings_a_referral_in_progress_back_to_review(world: World) -> None:
    sent: Answer = await send(world)

    noted = await act(
        world, "acknowledgeReferral", world.receiver.staff, sent, callbackAt=ahead(world, 1)
    )
    past = await act(
        world,
        "acknowledgeReferral",
        world.receiver.staff,
        await send(world),
        callbackAt=ahead(world, -1),
    )

    assert noted["callbackAt"] is not None
    assert past["field"] == "callbackAt"


async def test_nothing_is_booked_until_the_sender_has_recorded_that_the_payer_agrees(
    world: World,
) -> None:
    staff = world.receiver.staff
    sent = await send(world, authorization="DECLINED")

    refused = await act(world, "scheduleReferral", staff, sent, at=ahead(world))
    not_theirs = await act(world, "changeAuthorization", staff, sent, authorization="OBTAINED")
    agreed = await act(
        world, "changeAuthorization", world.sender.staff, sent, authorization="OBTAINED"
    )
    booked = await act(world, "scheduleReferral", staff, agreed, at=ahead(world))

    assert (refused["code"], not_theirs["code"]) == ("NOT_AUTHORIZED", "WRONG_SIDE")
    assert (agreed["status"], agreed["version"]) == ("PENDING", 2)
    assert booked["status"] == "SCHEDULED"
