"""The live work queue, and what ends it; and what neighbours' facts do to claims."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from kit.auth import Viewer
from proto.directory.v1.events_pb2 import GroupRemoved, GroupStaffed
from proto.identity.v1.events_pb2 import RoleRevoked, SessionsRevoked, UserDeactivated
from tests.service.referrals.asking import act, at, group_at, read, send
from tests.service.referrals.conftest import World
from tests.service.referrals.fencing import directory_of
from tests.service.referrals.test_receiving import staffed

WATCH = """
subscription ($officeId: ID, $groupId: ID, $providerId: ID) {
  workQueueChanged(officeId: $officeId, groupId: $groupId, providerId: $providerId) {
    happened referral { id status sight patient { familyName } allowedActions }
  }
}
"""
PATIENCE = 5.0


class Watch:
    """An open subscription: what it tells, in order; None once it has ended."""

    def __init__(self, answers: AsyncIterator[dict[str, Any]]) -> None:
        self._answers = answers
        self._next: asyncio.Task[dict[str, Any] | None] | None = None

    async def open(self) -> None:
        """Subscribe, so that nothing that happens after this is missed."""
        self._next = asyncio.ensure_future(anext(self._answers, None))

    async def next(self) -> dict[str, Any] | None:
        assert self._next is not None
        answer = await asyncio.wait_for(self._next, PATIENCE)
        self._next = asyncio.ensure_future(anext(self._answers, None))
        if answer is None or "errors" in answer:
            return answer
        change: dict[str, Any] = answer["data"]["workQueueChanged"]
        return change

    async def close(self) -> None:
        assert self._next is not None
        self._next.cancel()
        await asyncio.gather(self._next, return_exceptions=True)
        await self._answers.aclose()  # type: ignore[attr-defined]


@asynccontextmanager
async def watching(world: World, viewer: Viewer, **where: object) -> AsyncIterator[Watch]:
    """A subscription that is certainly listening."""
    running = world.service.running
    ids = {key: str(value) for key, value in where.items()}
    before = running.parts.peers.news.watchers
    watch = Watch(running.subscribe(WATCH, ids, viewer=viewer))
    await watch.open()
    async with asyncio.timeout(PATIENCE):
        while running.parts.peers.news.watchers == before:
            await asyncio.sleep(0.01)
    try:
        yield watch
    finally:
        await watch.close()


async def say(
    world: World, fact: Message, organization_id: UUID, aggregate: str, id_: UUID
) -> None:
    """A neighbour's fact, applied."""
    now = world.service.running.parts.clock.now()
    await world.service.neighbours.say(fact, organization_id, aggregate, id_, now)


async def test_both_sides_see_a_referral_arrive_and_change_as_it_happens(world: World) -> None:
    sender, receiver = world.sender, world.receiver
    async with (
        watching(world, sender.staff, officeId=sender.office_id) as here,
        watching(world, receiver.staff, officeId=receiver.office_id) as there,
    ):
        sent = await send(world)
        arrived = await there.next()
        left = await here.next()
        await act(world, "acknowledgeReferral", receiver.staff, sent)
        noted = await here.next()

    assert arrived is not None
    assert arrived["happened"] == "SENT"
    assert arrived["referral"]["patient"]["familyName"] == "Zeta-Canary"
    assert "ACKNOWLEDGE" in arrived["referral"]["allowedActions"]
    assert left is not None
    assert left["referral"]["allowedActions"] == ["CHANGE_SENDER", "CHANGE_AUTHORIZATION", "CANCEL"]
    assert noted is not None
    assert (noted["happened"], noted["referral"]["status"]) == ("ACKNOWLEDGED", "IN_PROGRESS")


async def test_other_queues_hear_nothing_and_one_that_lost_a_referral_hears_only_that(
    world: World,
) -> None:
    receiver, other = world.receiver, world.practice()
    async with (
        watching(world, receiver.staff, officeId=receiver.office_id) as first,
        watching(world, other.staff, officeId=other.office_id) as second,
    ):
        sent = await send(world)
        await first.next()
        await act(world, "forwardReferral", receiver.staff, sent, receiver=at(other))
        gone, arrived = await first.next(), await second.next()

    assert gone is not None
    assert (gone["referral"]["sight"], gone["referral"]["patient"]) == ("PAST", None)
    assert arrived is not None
    assert (arrived["happened"], arrived["referral"]["sight"]) == ("FORWARDED", "FULL")


async def test_a_watch_is_refused_to_whoever_has_no_queue_there(world: World) -> None:
    """R02."""
    running = world.service.running
    for viewer in (world.sender.staff, world.receiver.somebody(client_admin=True)):
        answers = running.subscribe(
            WATCH, {"officeId": str(world.receiver.office_id)}, viewer=viewer
        )
        told = [answer async for answer in answers]
        assert told[0]["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_removed_providers_referrals_are_filtered_from_a_watch_that_goes_on(
    world: World,
) -> None:
    """R14."""
    receiver, sent = world.receiver, await send(world)
    async with watching(world, receiver.staff, officeId=receiver.office_id) as watch:
        async with directory_of(world) as directory:
            await directory.end_access(receiver.organization_id, receiver.provider_id)
        await act(world, "cancelReferral", world.sender.staff, sent, reasonCode="PATIENT_DIED")
        still = await send(world, {"officeId": str(receiver.office_id), "providerId": str(uuid4())})
        heard = await watch.next()

    assert heard is not None
    assert heard["referral"]["id"] == still["id"]


async def test_a_watch_ends_when_the_user_the_session_or_the_grant_does(world: World) -> None:
    """R07, cross-cutting 4."""
    practice = world.receiver
    office = practice.office_id
    stamp = Timestamp()
    for number in range(3):
        viewer = practice.somebody(office_staff_of=frozenset({office}))
        user, session = str(viewer.user_id), str(viewer.session_id)
        facts: list[Message] = [
            UserDeactivated(user_id=user),
            RoleRevoked(user_id=user, role="OFFICE_STAFF", office_id=str(office)),
            SessionsRevoked(user_id=user, session_id=session, not_after=stamp),
        ]
        async with watching(world, viewer, officeId=office) as watch:
            assert viewer.user_id is not None
            await say(world, facts[number], practice.organization_id, "user", viewer.user_id)
            assert await watch.next() is None


async def test_a_watch_goes_on_when_something_else_of_the_user_ends(world: World) -> None:
    """R07, R26: also when staff of the office keep its plans no more."""
    practice, viewer = world.receiver, world.receiver.staff
    user = str(viewer.user_id)
    assert viewer.user_id is not None
    others: list[Message] = [
        RoleRevoked(user_id=user, role="OFFICE_STAFF", office_id=str(uuid4())),
        RoleRevoked(user_id=user, role="CALL_CENTRE"),
        RoleRevoked(user_id=user, role="INSURANCE_MANAGER", office_id=str(practice.office_id)),
        SessionsRevoked(user_id=user, session_id=str(uuid4())),
    ]
    async with watching(world, viewer, officeId=practice.office_id) as watch:
        for fact in others:
            await say(world, fact, practice.organization_id, "user", viewer.user_id)
        sent = await send(world)
        heard = await watch.next()

    assert heard is not None
    assert heard["referral"]["id"] == sent["id"]


async def test_a_groups_watch_ends_when_its_viewer_leaves_the_groups_staff(world: World) -> None:
    """R23."""
    practice, colleague = world.receiver, world.receiver.somebody()
    group = await staffed(world, practice, [], colleague.user_id or uuid4())
    async with watching(world, colleague, groupId=group) as watch:
        sent = await send(world, group_at(practice, group))
        heard = await watch.next()
        await say(
            world, GroupStaffed(group_id=str(group)), practice.organization_id, "group", group
        )
        end = await watch.next()

    assert heard is not None
    assert (heard["referral"]["id"], end) == (sent["id"], None)


async def test_a_removed_group_has_no_staff(world: World) -> None:
    """R24."""
    practice, colleague = world.receiver, world.receiver.somebody()
    group = await staffed(world, practice, [], colleague.user_id or uuid4())
    sent = await send(world, group_at(practice, group))
    assert await read(world, colleague, sent) is not None

    await say(world, GroupRemoved(group_id=str(group)), practice.organization_id, "group", group)

    assert await read(world, colleague, sent) is None


async def test_a_deactivated_users_claims_go_back_to_the_queue_and_keep_their_provider(
    world: World,
) -> None:
    """R07."""
    practice = world.receiver
    leaver = practice.somebody(office_staff_of=practice.staff.offices)
    group = await staffed(world, practice, [practice.provider_id])
    sent = await send(world, group_at(practice, group))
    claimed = await act(world, "claimReferral", leaver, sent, providerId=str(practice.provider_id))
    assert leaver.user_id is not None

    async with watching(world, practice.staff, officeId=practice.office_id) as watch:
        fact = UserDeactivated(user_id=str(leaver.user_id))
        await say(world, fact, practice.organization_id, "user", leaver.user_id)
        heard = await watch.next()
    released = await read(world, practice.staff, claimed)
    assert released is not None
    taken = await act(world, "claimReferral", practice.staff, released)

    assert heard is not None
    assert heard["happened"] == "RELEASED"
    assert (released["claimedBy"], released["status"]) == (None, "IN_PROGRESS")
    assert released["receivingProvider"]["id"] == str(practice.provider_id)
    assert taken["claimedBy"]["id"] == str(practice.staff.user_id)


async def test_what_a_user_claimed_for_another_organization_stays_claimed(world: World) -> None:
    """R02, R07."""
    practice = world.receiver
    leaver = practice.somebody(office_staff_of=practice.staff.offices)
    group = await staffed(world, practice, [practice.provider_id])
    sent = await send(world, group_at(practice, group))
    claimed = await act(world, "claimReferral", leaver, sent, providerId=str(practice.provider_id))
    assert leaver.user_id is not None

    fact = UserDeactivated(user_id=str(leaver.user_id))
    await say(world, fact, world.sender.organization_id, "user", leaver.user_id)

    still = await read(world, leaver, claimed)
    assert still is not None
    assert still["claimedBy"]["id"] == str(leaver.user_id)


async def test_watchers_are_sent_away_rather_than_left_with_a_gap(world: World) -> None:
    """A listening connection that was lost may have missed something."""
    practice = world.receiver
    async with watching(world, practice.staff, officeId=practice.office_id) as watch:
        await world.service.running.sql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        told = await watch.next()

    assert told is not None
    assert told["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
