"""Offices that work outside of the suite: who says so, what the sender then does in their place, and what ends by itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from kit.auth import Viewer
from services.referrals.actions import offline
from tests.service.referrals.asking import (
    PROBLEM,
    Answer,
    act,
    at,
    do,
    draft,
    group_at,
    queue,
    read,
    send,
)
from tests.service.referrals.conftest import Practice, World
from tests.service.referrals.test_clocks import clock, facts_of
from tests.service.referrals.test_explaining import codes, why
from tests.service.referrals.test_receiving import ahead, staffed

CHANGE = f"""
mutation ($input: ChangeExternalManagementInput!) {{
  changeExternalManagement(input: $input) {{
    ... on ExternalManagement {{ office {{ id }} externallyManaged version mayChange }} {PROBLEM}
  }}
}}
"""
OFFICE = """
query ($them: [_Any!]!) { _entities(representations: $them) {
  ... on Office { externalManagement { externallyManaged version mayChange } }
} }
"""


async def say(
    world: World,
    viewer: Viewer,
    office_id: UUID,
    *,
    external: bool = True,
    seen: int = 0,
) -> Answer:
    """Say whether an office works outside of the suite."""
    given = {"officeId": str(office_id), "externallyManaged": external, "expectedVersion": seen}
    data = await world.service.running.data(CHANGE, {"input": given}, viewer=viewer)
    answer: Answer = data["changeExternalManagement"]
    return answer


async def told(world: World, viewer: Viewer, practice: Practice) -> Any:  # noqa: ANN401 - JSON
    """What the office's entity says."""
    them = [{"__typename": "Office", "id": str(practice.office_id)}]
    data = await world.service.running.data(OFFICE, {"them": them}, viewer=viewer)
    return data["_entities"][0]["externalManagement"]


async def offline_receiver(world: World) -> Practice:
    """The receiver, whose office works outside of the suite."""
    admin = world.receiver.somebody(client_admin=True)
    assert (await say(world, admin, world.receiver.office_id))["externallyManaged"]
    return world.receiver


async def test_its_admins_say_that_an_office_works_outside_of_the_suite_and_the_network_knows(
    world: World,
) -> None:
    """Section 5.5, R02."""
    us, office = world.receiver, world.receiver.office_id
    of_office = us.somebody(office_admin_of=frozenset({office}))
    assert await told(world, world.sender.staff, us) == {
        "externallyManaged": False, "version": 0, "mayChange": False,
    }  # fmt: skip
    refused = [
        await say(world, us.staff, office),
        await say(world, us.somebody(office_admin_of=frozenset({uuid4()})), office),
    ]
    theirs = await say(world, world.sender.somebody(client_admin=True), office)
    unknown = await say(world, world.sender.somebody(client_admin=True), uuid4())

    said = await say(world, of_office, office)
    stale = await say(world, us.somebody(client_admin=True), office, external=False)
    back = await say(world, us.somebody(client_admin=True), office, external=False, seen=1)

    assert {one["code"] for one in refused} == {"FORBIDDEN"}
    assert theirs == unknown
    assert theirs["code"] == "NOT_FOUND"
    assert (said["externallyManaged"], said["version"], said["mayChange"]) == (True, 1, True)
    assert (stale["code"], stale["currentVersion"]) == ("STALE_VERSION", 1)
    assert (back["externallyManaged"], back["version"]) == (False, 2)
    assert (await told(world, world.sender.staff, us))["version"] == 2
    rows = await world.service.running.sql.fetch(
        "SELECT user_id FROM audit_entries WHERE about = $1 AND act = 'office.external_management_changed'",
        office,
    )
    assert len(rows) == 2


async def test_the_sender_reports_what_happens_at_an_offline_receiver(world: World) -> None:
    """Section 5.5: acknowledge, schedule, complete and outcome; the facts go to both as ever."""
    await offline_receiver(world)
    staff, sent = world.sender.staff, await send(world)
    assert sent["allowedActions"] == [
        "ACKNOWLEDGE", "SCHEDULE", "DECLINE", "CHANGE_SENDER", "CHANGE_AUTHORIZATION", "CANCEL",
    ]  # fmt: skip
    wrong = await act(world, "completeReferral", staff, sent)
    noted = await act(world, "acknowledgeReferral", staff, sent)
    booked = await act(world, "scheduleReferral", staff, noted, at=ahead(world, 1))
    await world.service.running.advance(timedelta(days=2))
    passed = await read(world, staff, booked)
    assert passed is not None
    done = await act(world, "completeReferral", staff, passed)
    closed = await act(world, "attachOutcome", staff, done, report="canary-report")

    assert (wrong["code"], wrong["allowedActions"]) == (
        "WRONG_STATUS", ["ACKNOWLEDGE", "SCHEDULE", "DECLINE"],
    )  # fmt: skip
    assert closed["status"] == "COMPLETED"
    assert (await clock(world, closed))["loopClosedAt"] is not None
    by = {one["happened"]: one["by"] for one in closed["history"]}
    assert by["SCHEDULED"] == {"id": str(staff.user_id)}
    for verb in ("acknowledged", "scheduled", "completed", "outcome_attached"):
        heard = await facts_of(world, closed, verb)
        assert [one["referral"]["side"] for one in heard] == ["SENDING", "RECEIVING"], verb
        assert all(one["referral"]["externallyManaged"] for one in heard)
    theirs = await read(world, world.receiver.staff, closed)
    assert theirs is not None
    assert all(one["by"] is None for one in theirs["history"] if one["happened"] == "SCHEDULED")


async def test_the_sender_declines_for_an_offline_receiver_and_moves_nothing_in_its_name(
    world: World,
) -> None:
    """Section 5.5."""
    await offline_receiver(world)
    staff, sent = world.sender.staff, await send(world)
    other = world.practice()

    forwarded = await act(world, "forwardReferral", staff, sent, receiver=at(other))
    reassigned = await act(world, "reassignReferral", staff, sent, receiver=at(other))
    bare = await act(world, "declineReferral", staff, sent, reasonCode="")
    declined = await act(world, "declineReferral", staff, sent, reasonCode="NO_CAPACITY")
    again = await act(world, "resendReferral", staff, declined, receiver=at(other))
    online = await act(world, "acknowledgeReferral", staff, again)

    assert (forwarded["code"], reassigned["code"]) == ("WRONG_SIDE", "WRONG_SIDE")
    assert (bare["code"], declined["status"]) == ("REASON_REQUIRED", "DECLINED")
    assert (again["status"], online["code"]) == ("PENDING", "WRONG_SIDE")


async def test_who_sends_to_an_online_receiver_reports_nothing_in_its_place(world: World) -> None:
    """Section 5.5: only the current receiver changes a status."""
    sent = await send(world)
    before = await act(world, "acknowledgeReferral", world.sender.staff, sent)
    await offline_receiver(world)
    after = await act(world, "acknowledgeReferral", world.sender.staff, sent)

    assert (before["code"], after["code"]) == ("WRONG_SIDE", "WRONG_SIDE")


async def test_queues_and_explanations_say_who_reports(world: World) -> None:
    """Section 5.5: it waits in the sender's review queue, where somebody can do something about it."""
    where = {"officeId": str(world.sender.office_id)}
    online = await send(world)
    us = await offline_receiver(world)
    sent = await send(world)
    wanted = {"filter": {"externallyManaged": True}}

    assert await queue(world, world.sender.staff, "REQUIRES_REVIEW", **where) == [sent["id"]]
    assert await queue(world, world.sender.staff, "SENT", **where, **wanted) == [sent["id"]]
    explained = await why(world, world.sender.staff, sent)
    assert codes(explained) == ["SENDING_OFFICE", "EXTERNALLY_MANAGED"]
    allowed = {one["action"] for one in explained["actions"] if one["allowed"]}
    assert "SCHEDULE" in allowed
    assert codes(await why(world, us.staff, sent)) == ["RECEIVING_OFFICE"]
    assert codes(await why(world, world.sender.staff, online)) == ["SENDING_OFFICE"]


async def test_what_nobody_reports_ends_once_after_fifteen_days(world: World) -> None:
    """Section 5.5, cross-cutting 15: four replicas at once; what is noted does not end."""
    running, staff = world.service.running, world.sender.staff
    await offline_receiver(world)
    silent = await send(world)
    noted = await act(world, "acknowledgeReferral", staff, await send(world))

    await running.advance(timedelta(days=14, hours=23))
    early = await read(world, staff, silent)
    await running.advance(timedelta(hours=2))
    call = running.parts.call()
    await asyncio.gather(*(offline.end_unreported(call) for _ in range(4)))
    ended, open_ = await read(world, staff, silent), await read(world, staff, noted)

    assert early is not None
    assert ended is not None
    assert open_ is not None
    assert (early["status"], ended["status"], open_["status"]) == (
        "PENDING", "COMPLETED", "IN_PROGRESS",
    )  # fmt: skip
    assert [one["outcome"] for one in await facts_of(world, silent, "completed")] == ["UNKNOWN"] * 2
    assert [one["happened"] for one in ended["history"]].count("LAPSED") == 1
    late = await act(world, "attachOutcome", staff, ended, report="canary-late")
    assert late["status"] == "COMPLETED"


async def test_a_group_of_an_offline_office_receives_nothing(world: World) -> None:
    """R21: nobody there claims."""
    us = await offline_receiver(world)
    group = await staffed(world, us, [us.provider_id])

    refused = await send(world, group_at(us, group))
    written = draft(world.sender, group_at(us, group))
    made = await do(
        world, "createDraft", world.sender.staff, draft=written, idempotencyKey=str(uuid4())
    )
    later = await act(world, "sendReferral", world.sender.staff, made, idempotencyKey=str(uuid4()))

    assert (refused["code"], refused["field"]) == ("OFFLINE_GROUP", "receiver")
    assert later["code"] == "OFFLINE_GROUP"
