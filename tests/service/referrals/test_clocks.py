"""What time does: declines lapse, receivers are late, passed appointments complete where that is wanted; and loops close."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import orjson

from services.referrals.actions import clocks
from tests.service.referrals.asking import PROBLEM, Answer, act, read, send
from tests.service.referrals.conftest import World
from tests.service.referrals.test_receiving import ahead

CHANGE = f"""
mutation ($input: ChangeReferralTargetsInput!) {{
  changeReferralTargets(input: $input) {{
    ... on ReferralTargets {{ version acknowledgeDays decideDays passedAppointment }} {PROBLEM}
  }}
}}
"""
CLOCK = "query ($id: ID!) { referral(id: $id) { dueAt overdue outcome loopClosedAt outcomeReport { text } } }"


async def change_targets(world: World, **given: Any) -> Answer:  # noqa: ANN401 - GraphQL variables
    """As a client admin of the receiver."""
    admin = world.receiver.somebody(client_admin=True)
    data = await world.service.running.data(CHANGE, {"input": given}, viewer=admin)
    answer: Answer = data["changeReferralTargets"]
    return answer


async def clock(world: World, referral: Answer) -> Answer:
    """How the receiver stands, as the sender sees it."""
    data = await world.service.running.data(
        CLOCK, {"id": referral["id"]}, viewer=world.sender.staff
    )
    answer: Answer = data["referral"]
    return answer


async def facts_of(world: World, referral: Answer, verb: str) -> list[Any]:
    """The bodies of the facts told of the referral with that verb."""
    rows = await world.service.running.sql.fetch(
        "SELECT body FROM outbox WHERE aggregate_id = $1 AND subject LIKE '%.' || $2 ORDER BY id",
        referral["id"],
        verb,
    )
    return [orjson.loads(row["body"])["data"] for row in rows]


async def test_a_decline_that_nobody_answers_completes_after_ten_days(world: World) -> None:
    running, staff = world.service.running, world.receiver.staff
    lapsing = await act(
        world, "declineReferral", staff, await send(world), reasonCode="NO_CAPACITY"
    )
    waiting = await act(
        world, "declineReferral", staff, await send(world), reasonCode="INFORMATION_REQUIRED"
    )

    await running.advance(timedelta(days=9))
    early = await read(world, world.sender.staff, lapsing)
    await running.advance(timedelta(days=1, seconds=1))
    lapsed = await read(world, world.sender.staff, lapsing)
    still = await read(world, world.sender.staff, waiting)

    assert early is not None
    assert lapsed is not None
    assert still is not None
    assert (early["status"], lapsed["status"], still["status"]) == (
        "DECLINED", "COMPLETED", "DECLINED",
    )  # fmt: skip
    assert (lapsed["reasonCode"], lapsed["hops"][0]["declinedCode"]) == (None, "NO_CAPACITY")
    assert lapsed["history"][-1]["happened"] == "LAPSED"
    assert (await clock(world, lapsing))["outcome"] == "DECLINED"
    assert [one["outcome"] for one in await facts_of(world, lapsing, "completed")] == [
        "DECLINED"
    ] * 2


async def test_two_replicas_let_a_decline_lapse_once(world: World) -> None:
    """Cross-cutting 15."""
    running, staff = world.service.running, world.receiver.staff
    declined = await act(world, "declineReferral", staff, await send(world), reasonCode="AGE")
    await running.advance(timedelta(days=11))

    await asyncio.gather(*(clocks.lapse_declined(running.parts.call()) for _ in range(4)))

    assert len(await facts_of(world, declined, "completed")) == 2


async def test_a_late_receiver_is_told_of_once_for_each_lateness(world: World) -> None:
    running = world.service.running
    sent = await send(world)

    await running.advance(timedelta(days=8))
    first = await clock(world, sent)
    await running.advance(timedelta(days=7))
    second = await clock(world, sent)
    await asyncio.gather(*(clocks.tell_late(running.parts.call()) for _ in range(4)))

    assert (first["overdue"], second["overdue"]) == ("ACKNOWLEDGE", "DECIDE")
    told = [one["overdue"] for one in await facts_of(world, sent, "overdue")]
    assert told == ["ACKNOWLEDGE"] * 2 + ["DECIDE"] * 2


async def test_a_client_admin_sets_the_targets_and_nobody_else(world: World) -> None:
    sent = await send(world)

    changed = await change_targets(world, expectedVersion=0, acknowledgeDays=2)
    stale = await change_targets(world, expectedVersion=0, acknowledgeDays=3)
    wrong = await change_targets(world, expectedVersion=1, decideDays=0)
    denied = await world.service.running.data(
        CHANGE, {"input": {"expectedVersion": 1}}, viewer=world.receiver.staff
    )

    assert (changed["acknowledgeDays"], changed["decideDays"]) == (2, 14)
    assert (stale["code"], stale["currentVersion"]) == ("STALE_VERSION", 1)
    assert wrong["field"] == "decideDays"
    assert denied["changeReferralTargets"]["code"] == "FORBIDDEN"
    await world.service.running.advance(timedelta(days=3))
    assert (await clock(world, sent))["overdue"] == "ACKNOWLEDGE"


async def test_a_passed_appointment_completes_where_the_receiving_organization_wants_it(
    world: World,
) -> None:
    await change_targets(world, expectedVersion=0, passedAppointment="COMPLETED")
    staff = world.receiver.staff
    booked = await act(world, "scheduleReferral", staff, await send(world), at=ahead(world, 1))

    await world.service.running.advance(timedelta(days=2))

    passed = await read(world, staff, booked)
    assert passed is not None
    assert (passed["status"], passed["appointments"][0]["state"]) == ("COMPLETED", "PASSED")
    assert (await clock(world, booked))["outcome"] == "UNKNOWN"
    assert len(await facts_of(world, booked, "completed")) == 2


async def test_the_loop_closes_when_the_receiver_reports_back(world: World) -> None:
    """Completion is not yet loop closure."""
    staff = world.receiver.staff
    booked = await act(world, "scheduleReferral", staff, await send(world), at=ahead(world, 1))
    early = await act(world, "attachOutcome", staff, booked, report="canary-report")
    await world.service.running.advance(timedelta(days=2))
    passed = await read(world, staff, booked)
    assert passed is not None
    done = await act(world, "completeReferral", staff, passed)
    open_loop = await clock(world, done)
    refused = await act(world, "attachOutcome", world.sender.staff, done, report="canary-report")
    blank = await act(world, "attachOutcome", staff, done, report="  ")
    closed = await act(world, "attachOutcome", staff, done, report=" canary-report ")
    amended = await act(world, "attachOutcome", staff, closed, report="canary-amended")

    assert (early["code"], early["allowedActions"][0]) == ("WRONG_STATUS", "RESCHEDULE")
    assert (refused["code"], blank["field"]) == ("WRONG_SIDE", "report")
    assert (open_loop["outcome"], open_loop["loopClosedAt"]) == ("SEEN", None)
    now = await clock(world, amended)
    assert now["loopClosedAt"] is not None
    assert now["outcomeReport"] == {"text": "canary-amended"}
    told = await facts_of(world, done, "outcome_attached")
    assert len(told) == 4
    assert "canary" not in str(told)
