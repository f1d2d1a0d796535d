"""The case of a provider who leaves: what is open, whose it is, who could take it, and when it is done (R12, R13)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from kit.auth import Viewer
from proto.directory.v1 import directory_pb2 as directory
from proto.directory.v1.events_pb2 import (
    ProviderMerged,
    ProviderOffboardingStopped,
    ProviderRemoved,
)
from services.referrals.actions import cases
from tests.service.referrals.asking import Answer, act, at, do, draft, group_at, queue, read, send
from tests.service.referrals.conftest import CARDIOLOGY, Practice, World
from tests.service.referrals.fencing import directory_of
from tests.service.referrals.offboarding import (
    BULK,
    ENTITY,
    LIST,
    ONE,
    case_of,
    facts_of,
    hear,
    leave,
    nodes,
    the_case,
)
from tests.service.referrals.test_receiving import ahead, staffed
from tests.service.referrals.test_watching import watching


async def colleague(world: World, practice: Practice) -> directory.Alternative:
    """Another cardiologist of the office, as directory names them to whoever asks for the leaving one."""
    one = directory.Alternative(
        provider_id=str(uuid4()),
        office_id=str(practice.office_id),
        name="Cora Colleague",
        specialty_codes=[CARDIOLOGY],
    )
    world.service.directory.alternatives = [one]
    return one


async def test_a_case_holds_every_open_referral_of_a_leaving_provider_on_its_managing_office(
    world: World,
) -> None:
    """R12, R13: both directions, drafts and what is booked; not what ended, nor what is with others."""
    us = world.receiver
    pending = await send(world)
    booked = await act(world, "scheduleReferral", us.staff, await send(world), at=ahead(world))
    ended = await act(world, "declineReferral", us.staff, await send(world), reasonCode="AGE")
    second = us.somebody(office_staff_of=frozenset({world.office(us)}))
    (elsewhere,) = second.office_staff_of
    there = await send(world, at(us) | {"officeId": str(elsewhere)})
    mine = draft(us, at(world.sender))
    written = await do(world, "createDraft", us.staff, draft=mine, idempotencyKey=str(uuid4()))
    gone_out = await do(world, "sendReferral", us.staff, draft=mine, idempotencyKey=str(uuid4()))
    await send(world, at(us) | {"providerId": str(uuid4())})

    await leave(world, us)

    admin = us.somebody(client_admin=True)
    case = await the_case(world, admin, us)
    assert case["state"] == "OPEN"
    assert case["allowedActions"] == ["KEEP_PROVIDER", "REMOVE_WHEN_EMPTY"]
    assert case["progress"]["total"] == case["progress"]["remaining"] == 5
    sides = {one["referralId"]: (one["side"], one["office"]["id"]) for one in nodes(case)}
    here = str(us.office_id)
    assert sides == {
        pending["id"]: ("RECEIVING", here),
        booked["id"]: ("RECEIVING", here),
        there["id"]: ("RECEIVING", str(elsewhere)),
        written["id"]: ("SENDING", here),
        gone_out["id"]: ("SENDING", here),
    }
    assert ended["id"] not in sides
    times = {one["referralId"]: one["appointmentAt"] for one in nodes(case)}
    assert [one for one, when in times.items() if when] == [booked["id"]]
    assert all(one["referral"] is None and one["targets"] is None for one in nodes(case))


async def test_each_office_has_its_part_of_a_case_in_its_review_queue(world: World) -> None:
    """R13: also what would not need a review otherwise; the filter finds just that."""
    us = world.receiver
    other = world.office(us)
    second = us.somebody(office_staff_of=frozenset({other}))
    booked = await act(world, "scheduleReferral", us.staff, await send(world), at=ahead(world))
    others = await send(world, at(us) | {"providerId": str(uuid4())})
    there = await send(world, at(us) | {"officeId": str(other)})
    mine = draft(us, at(world.sender))
    sent = await do(world, "sendReferral", us.staff, draft=mine, idempotencyKey=str(uuid4()))
    here, review = {"officeId": str(us.office_id)}, "REQUIRES_REVIEW"
    assert await queue(world, us.staff, review, **here) == [others["id"]]

    await leave(world, us)

    assert set(await queue(world, us.staff, review, **here)) == {
        booked["id"], others["id"], sent["id"],
    }  # fmt: skip
    wanted = {"filter": {"offboarding": True}}
    assert set(await queue(world, us.staff, review, **here, **wanted)) == {booked["id"], sent["id"]}
    assert await queue(world, us.staff, "SENT", **here, **wanted) == [sent["id"]]
    assert await queue(world, second, review, officeId=str(other), **wanted) == [there["id"]]
    assert await queue(world, us.staff, "ARCHIVE", **here, **wanted) == []
    shown = await the_case(world, us.staff, us)
    assert {one["referralId"] for one in nodes(shown)} == {booked["id"], sent["id"]}
    assert all(one["referral"]["allowedActions"] for one in nodes(shown))
    assert {one["referralId"] for one in nodes(await the_case(world, second, us))} == {there["id"]}
    at_other = await the_case(world, us.somebody(client_admin=True), us, officeId=str(other))
    assert [one["referralId"] for one in nodes(at_other)] == [there["id"]]
    assert (
        await queue(
            world, world.sender.staff, "SENT", officeId=str(world.sender.office_id), **wanted
        )
        == []
    )


async def test_staff_reassign_two_and_decline_one_and_the_case_is_ready(world: World) -> None:
    """R13: the guide's own example, in bulk, with an answer for each; then directory may remove the provider."""
    us = world.receiver
    sent = [await send(world) for _ in range(3)]
    await leave(world, us)
    case = await the_case(world, us.staff, us)
    open_now = [one["referral"] for one in nodes(case)]
    items = [{"referralId": one["id"], "expectedVersion": one["version"]} for one in open_now]
    taker = await colleague(world, us)
    where = {"officeId": str(us.office_id), "providerId": taker.provider_id}
    stale = [items[0], items[1] | {"expectedVersion": 9}]

    first = await bulk(world, us.staff, action="REASSIGN", items=stale, receiver=where)
    again = await bulk(world, us.staff, action="REASSIGN", items=[items[1]], receiver=where)
    without = await bulk(world, us.staff, action="DECLINE", items=[items[2]])
    half = await the_case(world, us.staff, us)
    last = await bulk(world, us.staff, action="DECLINE", items=[items[2]], reasonCode="NO_CAPACITY")

    assert [one["outcome"].get("code") for one in first["items"]] == [None, "STALE_VERSION"]
    assert without["items"][0]["outcome"]["code"] == "REASON_REQUIRED"
    assert (again["done"], last["done"]) == (1, 1)
    assert (half["state"], half["progress"]["total"], half["progress"]["remaining"]) == (
        "OPEN",
        3,
        1,
    )
    ready = await the_case(world, us.somebody(client_admin=True), us)
    assert (ready["state"], ready["progress"]["total"], ready["progress"]["remaining"]) == (
        "READY", 3, 0,
    )  # fmt: skip
    assert ready["allowedActions"] == ["KEEP_PROVIDER", "REMOVE_PROVIDER"]
    assert len(sent) == 3
    async with directory_of(world) as asks:
        work = await asks.raise_fence(us.organization_id, "PROVIDER", us.provider_id)
    assert work.total == 0


async def bulk(world: World, viewer: Viewer, **given: Any) -> Answer:  # noqa: ANN401
    """bulkReferrals."""
    given = {"idempotencyKey": str(uuid4()), **given}
    data = await world.service.running.data(BULK, {"input": given}, viewer=viewer)
    answer: Answer = data["bulkReferrals"]
    return answer


async def test_targets_are_of_the_office_and_specialty_with_the_plan_first(world: World) -> None:
    """R13: who does not accept the plan comes last and says so; another specialty is not offered; groups go by their members."""
    us, plan = world.receiver, uuid4()
    takes, refuses = uuid4(), uuid4()
    group = await staffed(world, us, [us.provider_id, takes])
    offer = {"office_id": str(us.office_id), "specialty_codes": [CARDIOLOGY]}
    world.service.directory.alternatives = [
        directory.Alternative(provider_id=str(refuses), name="Abe", **offer),
        directory.Alternative(provider_id=str(takes), name="Zoe", **offer),
        directory.Alternative(
            provider_id=str(uuid4()), name="Bones", office_id=str(us.office_id),
            specialty_codes=["207X00000X"],
        ),
        directory.Alternative(group_id=str(group), name="Hearts", **offer),
    ]  # fmt: skip
    world.service.insurance.accepting[plan] = {us.provider_id, takes}
    world.service.insurance.accepting[other := uuid4()] = {us.provider_id}
    with_plan = await send(world, planId=str(other), secondPlanId=str(plan))
    without = await send(world)
    mine = draft(us, at(world.sender))
    out = await do(world, "sendReferral", us.staff, draft=mine, idempotencyKey=str(uuid4()))
    await leave(world, us)

    world.service.insurance.questions = 0
    case = await the_case(world, us.staff, us)
    world.service.insurance.away = True
    unsure = await the_case(world, us.staff, us)

    offered = {
        one["referralId"]: [(each["name"], each["planAcceptance"]) for each in one["targets"]]
        for one in nodes(case)
    }
    assert offered[with_plan["id"]] == [
        ("Hearts", "ACCEPTED"), ("Zoe", "ACCEPTED"), ("Abe", "NOT_LISTED"),
    ]  # fmt: skip
    assert offered[without["id"]] == [("Abe", None), ("Hearts", None), ("Zoe", None)]
    assert [name for name, _ in offered[out["id"]]] == ["Abe", "Bones", "Zoe"]
    plans = {
        each["planAcceptance"]
        for one in nodes(unsure)
        if one["referralId"] == with_plan["id"]
        for each in one["targets"]
    }
    assert (plans, world.service.insurance.questions) == ({"UNKNOWN"}, 1)


async def test_a_case_is_told_ready_once_and_again_when_something_came_in(world: World) -> None:
    """R13: by four replicas at once; a draft in the name of the leaving provider is new work."""
    us, call = world.receiver, world.service.running.parts.call()
    sent = await send(world)
    await leave(world, us)
    case = await the_case(world, us.staff, us)
    await asyncio.gather(*(cases.follow(call) for _ in range(4)))
    assert [verb for verb, _ in await facts_of(world, case)] == ["opened"]

    await act(world, "declineReferral", us.staff, sent, reasonCode="AGE")
    await asyncio.gather(*(cases.follow(call) for _ in range(4)))
    mine = draft(us, at(world.sender))
    await do(world, "createDraft", us.staff, draft=mine, idempotencyKey=str(uuid4()))
    more = await the_case(world, us.staff, us)
    await asyncio.gather(*(cases.follow(call) for _ in range(4)))

    told = await facts_of(world, case)
    assert [verb for verb, _ in told] == ["opened", "ready", "reopened"]
    assert told[0][1] == {"caseId": case["id"], "providerId": str(us.provider_id), "items": 1}
    assert (more["state"], more["progress"]["total"], more["progress"]["remaining"]) == (
        "OPEN",
        2,
        1,
    )
    acts = await world.service.running.sql.fetch(
        "SELECT act FROM audit_entries WHERE about = $1 ORDER BY act", UUID(case["id"])
    )
    assert [row["act"] for row in acts] == [
        "offboarding_case.opened", "offboarding_case.ready", "offboarding_case.reopened",
    ]  # fmt: skip


async def test_a_cancelled_offboarding_closes_the_case_and_a_later_one_opens_another(
    world: World,
) -> None:
    """R13: heard twice, each does its work once."""
    us, provider = world.receiver, str(world.receiver.provider_id)
    await send(world)
    await leave(world, us)
    first = await the_case(world, us.staff, us)

    stopped = await hear(world, us, ProviderOffboardingStopped(provider_id=provider))
    await world.service.neighbours.repeat(stopped)

    kept = await the_case(world, us.somebody(client_admin=True), us)
    assert (kept["id"], kept["state"], kept["closedAs"]) == (first["id"], "CLOSED", "KEPT")
    assert (nodes(kept), kept["allowedActions"]) == ([], [])
    assert (kept["progress"]["total"], kept["progress"]["remaining"]) == (1, 0)
    wanted = {"officeId": str(us.office_id), "filter": {"offboarding": True}}
    assert await queue(world, us.staff, "RECEIVED", **wanted) == []
    await leave(world, us)
    anew = await the_case(world, us.staff, us)
    assert anew["id"] != first["id"]
    assert anew["state"] == "OPEN"
    assert [verb for verb, _ in await facts_of(world, first)] == ["opened", "closed"]


async def test_a_removal_closes_the_case_and_it_shows_no_referral_any_more(world: World) -> None:
    """R13, R14."""
    us = world.receiver
    sent = await send(world)
    await leave(world, us)
    await act(world, "declineReferral", us.staff, sent, reasonCode="AGE")

    await hear(world, us, ProviderRemoved(provider_id=str(us.provider_id)))

    closed = await the_case(world, us.staff, us)
    assert (closed["state"], closed["closedAs"]) == ("CLOSED", "REMOVED")
    assert (nodes(closed), closed["progress"]["total"]) == ([], 1)
    assert await read(world, us.staff, sent) is None
    told = await facts_of(world, closed)
    assert told[-1][1]["ended"] == "REMOVED"


async def test_a_record_that_is_merged_into_another_leaves_no_case_open(world: World) -> None:
    """R13: directory tells of a merger as of somebody who starts to leave, and then that it is done."""
    us = world.receiver
    await leave(world, us)

    await hear(
        world,
        us,
        ProviderMerged(provider_id=str(us.provider_id), survivor_id=str(uuid4())),
    )

    closed = await the_case(world, us.somebody(client_admin=True), us)
    assert (closed["state"], closed["closedAs"]) == ("CLOSED", "REMOVED")
    assert closed["allowedActions"] == []


async def test_cases_are_for_client_admins_and_whoever_works_referrals_of_the_organization(
    world: World,
) -> None:
    """R02, R13."""
    us, running = world.receiver, world.service.running
    sent = await send(world)
    await leave(world, us)
    for viewer in (world.sender.staff, world.sender.somebody(client_admin=True)):
        assert await case_of(world, viewer, us.provider_id) is None
        assert (await running.data(LIST, viewer=viewer))["offboardingCases"]["edges"] == []
        assert await entity(world, viewer, us) is None
    for grant in ("insurance_manager", "call_centre"):
        viewer = us.somebody(**{grant: True})
        refused = await running.gql(ONE, {"providerId": str(us.provider_id)}, viewer=viewer)
        assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert await entity(world, viewer, us) is None
    looker = us.somebody(reporting_only=True)
    seen = await the_case(world, looker, us)
    assert [one["referralId"] for one in nodes(seen)] == [sent["id"]]
    assert (nodes(seen)[0]["referral"], seen["allowedActions"]) == (None, [])
    assert await entity(world, us.staff, us) == {
        "id": seen["id"], "state": "OPEN", "progress": {"remaining": 1},
    }  # fmt: skip
    listed = await running.data(LIST, viewer=us.staff)
    assert [edge["node"]["id"] for edge in listed["offboardingCases"]["edges"]] == [seen["id"]]
    closed = await running.data(LIST, {"closed": True}, viewer=us.staff)
    assert closed["offboardingCases"]["edges"] == []


async def entity(world: World, viewer: Viewer, practice: Practice) -> Answer | None:
    """The case as a field of the provider."""
    them = [{"__typename": "Provider", "id": str(practice.provider_id)}]
    data = await world.service.running.data(ENTITY, {"them": them}, viewer=viewer)
    found: Answer | None = data["_entities"][0]["offboardingCase"]
    return found


async def test_a_large_case_is_read_in_pages_while_it_is_worked(world: World) -> None:
    """R12: what is given on between two pages neither repeats nor hides another."""
    us = world.receiver
    sent = [await send(world) for _ in range(7)]
    await leave(world, us)

    first = await the_case(world, us.staff, us, first=3)
    await act(world, "declineReferral", us.staff, sent[1], reasonCode="AGE")
    rest = await the_case(
        world, us.staff, us, first=10, after=first["items"]["pageInfo"]["endCursor"]
    )

    assert first["items"]["pageInfo"]["hasNextPage"]
    ids = [one["referralId"] for one in nodes(first) + nodes(rest)]
    assert ids == sorted(one["id"] for one in sent)


async def test_a_group_referral_claimed_for_the_leaver_is_its_groups_to_give_on(
    world: World,
) -> None:
    """R13, R21: the group's staff sees the item wherever they work."""
    us = world.receiver
    group = await staffed(world, us, [us.provider_id])
    sent = await send(world, group_at(us, group))
    await act(world, "claimReferral", us.staff, sent, providerId=str(us.provider_id))

    await leave(world, us)

    case = await the_case(world, us.staff, us)
    assert [one["referralId"] for one in nodes(case)] == [sent["id"]]
    await world.service.running.advance(timedelta(seconds=30))


async def test_a_watched_queue_sees_what_a_case_brings_into_it(world: World) -> None:
    """R13: without being read again; the other side's queue notices nothing."""
    us = world.receiver
    booked = await act(world, "scheduleReferral", us.staff, await send(world), at=ahead(world))
    async with watching(world, us.staff, officeId=us.office_id) as watch:
        await leave(world, us)
        heard = await watch.next()

    assert heard is not None
    assert (heard["happened"], heard["referral"]["id"]) == ("OFFBOARDING", booked["id"])


async def test_a_case_counts_the_visits_on_which_nobody_has_reported_back(world: World) -> None:
    """R12: they hold nothing up."""
    us = world.receiver
    booked = await act(world, "scheduleReferral", us.staff, await send(world), at=ahead(world, 1))
    await world.service.running.advance(timedelta(days=2))
    passed = await read(world, us.staff, booked)
    assert passed is not None
    done = await act(world, "completeReferral", us.staff, passed)
    await leave(world, us)
    before = await the_case(world, us.staff, us)
    await act(world, "attachOutcome", us.staff, done, report="canary-report")
    after = await the_case(world, us.staff, us)

    assert (before["state"], before["withoutOutcome"], after["withoutOutcome"]) == ("READY", 1, 0)
