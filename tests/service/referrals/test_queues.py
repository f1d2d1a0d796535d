"""Work queues, the archive, and open work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from kit.auth import ANONYMOUS, Viewer, service_viewer
from proto.directory.v1.events_pb2 import GroupStaffed
from tests.service.referrals.asking import (
    QUEUE,
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
from tests.service.referrals.conftest import World
from tests.service.referrals.test_receiving import ahead, staffed

OPEN = """
query ($providerId: ID, $officeId: ID, $groupId: ID) {
  openWork(providerId: $providerId, officeId: $officeId, groupId: $groupId) {
    total byOffice { office { id } total } referrals { id allowedActions }
  }
}
"""
COUNT = """
query ($them: [_Any!]!) { _entities(representations: $them) {
  ... on Provider { openReferralCount } ... on Office { openReferralCount } ... on Group { openReferralCount }
} }
"""


async def open_work(world: World, viewer: Viewer, **subject: Any) -> Answer:  # noqa: ANN401
    data = await world.service.running.data(
        OPEN, {key: str(value) for key, value in subject.items()}, viewer=viewer
    )
    found: Answer = data["openWork"]
    return found


async def counted(world: World, viewer: Viewer, kind: str, id_: object) -> int | None:
    them = [{"__typename": kind, "id": str(id_)}]
    data = await world.service.running.data(COUNT, {"them": them}, viewer=viewer)
    count: int | None = data["_entities"][0]["openReferralCount"]
    return count


async def test_each_queue_holds_what_its_name_says(world: World) -> None:
    sender, receiver = world.sender.staff, world.receiver.staff
    written = draft(world.sender, at(world.receiver))
    unsent = await do(world, "createDraft", sender, draft=written, idempotencyKey=str(uuid4()))
    pending, declined, noted, done = [await send(world) for _ in range(4)]
    await act(world, "declineReferral", receiver, declined, reasonCode="AGE")
    await act(world, "acknowledgeReferral", receiver, noted)
    await act(world, "cancelReferral", sender, done, reasonCode="RAISED_IN_ERROR")
    ids = {one["id"] for one in (pending, declined, noted)}
    here, there = (
        {"officeId": str(world.sender.office_id)},
        {"officeId": str(world.receiver.office_id)},
    )

    assert await queue(world, sender, "REQUIRES_REVIEW", **here) == [declined["id"], unsent["id"]]
    assert set(await queue(world, sender, "SENT", **here)) == ids | {unsent["id"]}
    assert await queue(world, sender, "RECEIVED", **here) == []
    assert await queue(world, sender, "ARCHIVE", **here) == [done["id"]]
    assert await queue(world, receiver, "REQUIRES_REVIEW", **there) == [pending["id"]]
    assert set(await queue(world, receiver, "RECEIVED", **there)) == ids
    assert await queue(world, receiver, "ARCHIVE", **there) == [done["id"]]


async def test_a_due_callback_and_a_passed_appointment_require_review(world: World) -> None:
    receiver, there = world.receiver.staff, {"officeId": str(world.receiver.office_id)}
    noted = await act(
        world, "acknowledgeReferral", receiver, await send(world), callbackAt=ahead(world, 1)
    )
    booked = await act(world, "scheduleReferral", receiver, await send(world), at=ahead(world, 1))
    assert await queue(world, receiver, "REQUIRES_REVIEW", **there) == []

    await world.service.running.advance(timedelta(days=2))

    assert await queue(world, receiver, "REQUIRES_REVIEW", **there) == [booked["id"], noted["id"]]


async def test_an_archive_is_the_users_own_and_hides_nothing_from_others(world: World) -> None:
    """Cross-cutting 14."""
    sent, mine = await send(world), world.receiver.staff
    colleague = world.receiver.somebody(office_staff_of=mine.offices)
    there = {"officeId": str(world.receiver.office_id)}

    put_away = await do(world, "archiveReferral", mine, referralId=sent["id"])
    assert put_away["archived"]
    assert await queue(world, mine, "RECEIVED", **there) == []
    assert await queue(world, mine, "ARCHIVE", **there) == [sent["id"]]
    assert await queue(world, colleague, "RECEIVED", **there) == [sent["id"]]

    await do(world, "unarchiveReferral", mine, referralId=sent["id"])
    assert await queue(world, mine, "RECEIVED", **there) == [sent["id"]]


async def pages(world: World, viewer: Viewer, **where: Any) -> tuple[list[str], Answer]:  # noqa: ANN401
    """The ids of a queue, read by two, and its last page."""
    found, after = list[str](), None
    while True:
        data = await world.service.running.data(
            QUEUE, where | {"first": 2, "after": after}, viewer=viewer
        )
        page: Answer = data["workQueue"]
        found += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found, page


async def test_pages_go_through_a_queue_without_gap_or_repetition(world: World) -> None:
    sent = [(await send(world))["id"] for _ in range(5)]
    where = {"kind": "RECEIVED", "officeId": str(world.receiver.office_id)}

    found, page = await pages(world, world.receiver.staff, **where)

    assert found == sorted(sent, reverse=True)
    assert page["counts"] == {"requiresReview": 5, "sent": 0, "received": 5, "archive": 0}


async def test_pages_go_through_an_archive_of_what_ended_and_what_was_put_away(
    world: World,
) -> None:
    """Each is there once, even what ended after it was put away."""
    viewer, sent = world.sender.staff, [await send(world) for _ in range(6)]
    for one in (sent[1], sent[4]):
        await do(world, "archiveReferral", viewer, referralId=one["id"])
    for one in (sent[0], sent[2], sent[4], sent[5]):
        await act(world, "cancelReferral", viewer, one, reasonCode="RAISED_IN_ERROR")
    where = {"kind": "ARCHIVE", "officeId": str(world.sender.office_id)}

    found, page = await pages(world, viewer, **where)

    kept = [one["id"] for place, one in enumerate(sent) if place != 3]
    assert found == sorted(kept, reverse=True)
    assert page["counts"] == {"requiresReview": 0, "sent": 1, "received": 0, "archive": 5}


async def test_a_queue_is_refused_to_whoever_does_not_work_there(world: World) -> None:
    """R02, R26."""
    practice = world.receiver
    others = [
        world.sender.staff,
        practice.somebody(client_admin=True),
        practice.somebody(insurance_manager=True, call_centre=True),
    ]
    for viewer in others:
        where = {"kind": "RECEIVED", "officeId": str(practice.office_id)}
        answer = await world.service.running.gql(QUEUE, where, viewer=viewer)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_wrong_arguments_of_a_queue_are_named(world: World) -> None:
    staff, office = world.receiver.staff, str(world.receiver.office_id)
    wrong = [
        ({}, "ONE_OF"),
        ({"officeId": office, "groupId": str(uuid4())}, "ONE_OF"),
        ({"officeId": office, "first": 101}, "PAGE_SIZE"),
        ({"officeId": office, "after": "W10="}, "BAD_CURSOR"),
        ({"officeId": "x"}, "INVALID_ID"),
    ]
    for given, reason in wrong:
        where = {"kind": "RECEIVED"} | given
        answer = await world.service.running.gql(QUEUE, where, viewer=staff)
        assert answer["errors"][0]["extensions"]["reason"] == reason


async def test_a_groups_staff_has_the_groups_queue_and_nobody_elses(world: World) -> None:
    """R21, R23."""
    practice, colleague = world.receiver, world.receiver.somebody()
    group = await staffed(world, practice, [], colleague.user_id or uuid4())
    to_group = await send(world, group_at(practice, group))
    await send(world)

    assert await queue(world, colleague, "RECEIVED", groupId=str(group)) == [to_group["id"]]
    assert await read(world, colleague, to_group) is not None
    now = world.service.running.parts.clock.now()
    nobody = GroupStaffed(group_id=str(group), ready=False)
    await world.service.neighbours.say(nobody, practice.organization_id, "group", group, now)
    assert await read(world, colleague, to_group) is None


async def test_what_a_group_sent_and_got_back_waits_in_the_groups_queue(world: World) -> None:
    """R22."""
    practice, colleague = world.sender, world.sender.somebody()
    group = await staffed(world, practice, [], colleague.user_id or uuid4())
    sent = await send(world, sender=group_at(practice, group))
    await act(world, "declineReferral", world.receiver.staff, sent, reasonCode="NO_CAPACITY")

    assert await queue(world, colleague, "REQUIRES_REVIEW", groupId=str(group)) == [sent["id"]]
    returned = await read(world, colleague, sent)
    assert returned is not None
    assert "RESEND" in returned["allowedActions"]


async def test_open_work_shows_a_client_admin_numbers_and_staff_what_they_may_do(
    world: World,
) -> None:
    """R12."""
    practice = world.receiver
    sent = [await send(world) for _ in range(2)]
    admin = practice.somebody(client_admin=True)

    numbers = await open_work(world, admin, providerId=practice.provider_id)
    work = await open_work(world, practice.staff, providerId=practice.provider_id)
    theirs = await open_work(world, world.sender.staff, providerId=practice.provider_id)

    assert numbers == {
        "total": 2,
        "byOffice": [{"office": {"id": str(practice.office_id)}, "total": 2}],
        "referrals": [],
    }
    assert [one["id"] for one in work["referrals"]] == [one["id"] for one in sent]
    assert "REASSIGN" in work["referrals"][0]["allowedActions"]
    assert theirs["total"] == 0


async def test_what_a_leaving_provider_sent_or_drafted_is_open_work_too(world: World) -> None:
    """R12."""
    sender = world.sender
    sent = await send(world)
    written = draft(sender, at(world.receiver))
    await do(world, "createDraft", sender.staff, draft=written, idempotencyKey=str(uuid4()))
    await act(world, "declineReferral", world.receiver.staff, await send(world), reasonCode="AGE")

    assert (await open_work(world, sender.staff, providerId=sender.provider_id))["total"] == 3
    await act(world, "cancelReferral", sender.staff, sent, reasonCode="RAISED_IN_ERROR")
    assert (await open_work(world, sender.staff, providerId=sender.provider_id))["total"] == 2
    assert (await open_work(world, sender.staff, officeId=sender.office_id))["total"] == 2


async def test_providers_offices_and_groups_tell_their_own_organization_how_much_is_open(
    world: World,
) -> None:
    practice = world.receiver
    group = await staffed(world, practice, [practice.provider_id])
    await send(world)
    await send(world, group_at(practice, group))
    admin = practice.somebody(client_admin=True)

    assert await counted(world, admin, "Provider", practice.provider_id) == 1
    assert await counted(world, practice.staff, "Office", practice.office_id) == 2
    assert await counted(world, admin, "Group", group) == 1
    assert await counted(world, world.sender.staff, "Provider", practice.provider_id) == 0
    manager = practice.somebody(insurance_manager=True)
    assert await counted(world, manager, "Provider", practice.provider_id) is None


async def test_open_work_is_refused_to_roles_that_have_none_and_to_nobody(world: World) -> None:
    """R12, R26."""
    practice = world.receiver
    for viewer in (practice.somebody(insurance_manager=True), practice.somebody(call_centre=True)):
        ids = {"providerId": str(practice.provider_id)}
        answer = await world.service.running.gql(OPEN, ids, viewer=viewer)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await counted(world, ANONYMOUS, "Provider", practice.provider_id) is None
    assert await counted(world, service_viewer("gateway"), "Office", practice.office_id) is None


async def test_the_reasons_that_may_be_given_today_are_listed(world: World) -> None:
    """R13."""
    query = "{ referralReasons(kind: CANCEL) { kind code text } }"

    data = await world.service.running.data(query, viewer=world.sender.staff)

    assert [one["code"] for one in data["referralReasons"]] == [
        "BOOKED_ELSEWHERE", "NO_LONGER_REQUIRED", "PATIENT_DECLINES", "PATIENT_DIED", "RAISED_IN_ERROR",
    ]  # fmt: skip


async def test_a_queue_is_narrowed_by_what_staff_look_for(world: World) -> None:
    receiver, running = world.receiver, world.service.running
    colleague = receiver.somebody(office_staff_of=receiver.staff.offices)
    group = await staffed(
        world, receiver, [receiver.provider_id], receiver.staff.user_id or uuid4()
    )
    late = await send(world)
    await running.advance(timedelta(days=8))
    stat = await send(world, urgency="STAT")
    other = await send(world, specialtyCode="207N00000X")
    mine = await act(
        world, "claimReferral", receiver.staff,
        await send(world, group_at(receiver, group)), providerId=str(receiver.provider_id),
    )  # fmt: skip
    noted = await act(world, "acknowledgeReferral", receiver.staff, await send(world))
    there = {"officeId": str(receiver.office_id)}

    async def found(viewer: Viewer = receiver.staff, **filter_: Any) -> list[str]:  # noqa: ANN401
        return await queue(world, viewer, "RECEIVED", **there, filter=filter_)

    everything = [one["id"] for one in (noted, mine, other, stat, late)]
    assert await found() == everything
    assert await found(overdue=True) == [late["id"]]
    assert await found(urgencies=["STAT"]) == [stat["id"]]
    assert await found(specialtyCode="207N00000X") == [other["id"]]
    assert await found(claimedByMe=True) == [mine["id"]]
    assert await found(colleague, claimedByMe=True) == []
    assert await found(unclaimed=True) == [one for one in everything if one != mine["id"]]
    assert await found(statuses=["IN_PROGRESS"]) == [noted["id"], mine["id"]]
    assert await found(providerId=str(receiver.provider_id)) == everything
    assert await found(providerId=str(uuid4())) == []
    assert await found(statuses=["PENDING"], urgencies=["STAT", "URGENT"]) == [stat["id"]]


async def test_the_archive_is_narrowed_too(world: World) -> None:
    sender, here = world.sender.staff, {"officeId": str(world.sender.office_id)}
    stat, plain = await send(world, urgency="STAT"), await send(world)
    for one in (stat, plain):
        await act(world, "cancelReferral", sender, one, reasonCode="RAISED_IN_ERROR")

    assert await queue(world, sender, "ARCHIVE", **here, filter={"urgencies": ["STAT"]}) == [
        stat["id"]
    ]
    assert await queue(world, sender, "ARCHIVE", **here, filter={"statuses": ["COMPLETED"]}) == []
    refused = await world.service.running.gql(
        QUEUE, {"kind": "ARCHIVE", "order": "OLDEST", **here}, viewer=sender
    )
    assert refused["errors"][0]["extensions"]["field"] == "order"


@pytest.mark.parametrize("order", ["NEWEST", "OLDEST", "LONGEST_WAITING", "APPOINTMENT"])
async def test_pages_go_through_a_queue_in_every_order_without_gap_or_repetition(
    world: World, order: str
) -> None:
    receiver = world.receiver.staff
    first, second, third, fourth, fifth = [await send(world) for _ in range(5)]
    for one, days in ((fourth, 1), (second, 2)):
        await act(world, "scheduleReferral", receiver, one, at=ahead(world, days))
    there = {"kind": "RECEIVED", "officeId": str(world.receiver.office_id), "order": order}

    found, _ = await pages(world, receiver, **there)

    sent = [first, second, third, fourth, fifth]
    expected = {
        "NEWEST": sent[::-1],
        "OLDEST": sent,
        "LONGEST_WAITING": sent,
        "APPOINTMENT": [fourth, second, first, third, fifth],
    }
    assert found == [one["id"] for one in expected[order]]


async def test_what_arrives_or_leaves_while_somebody_pages_moves_nothing_else(
    world: World,
) -> None:
    """Paging is stable under change."""
    receiver, running = world.receiver.staff, world.service.running
    sent = [await send(world) for _ in range(6)]
    where = {"kind": "RECEIVED", "officeId": str(world.receiver.office_id), "first": 2}
    first = (await running.data(QUEUE, where, viewer=receiver))["workQueue"]
    await send(world)
    await act(world, "declineReferral", receiver, sent[5], reasonCode="AGE")
    await act(world, "cancelReferral", world.sender.staff, sent[3], reasonCode="RAISED_IN_ERROR")

    after = first["pageInfo"]["endCursor"]
    second = (await running.data(QUEUE, where | {"after": after}, viewer=receiver))["workQueue"]

    assert [edge["node"]["id"] for edge in second["edges"]] == [sent[2]["id"], sent[1]["id"]]
