"""Why can, or can't, I see or do this: the answer helps whom it may, and tells nobody else anything."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from kit.auth import Viewer
from proto.directory.v1.events_pb2 import ProviderRemoved
from tests.service.referrals.asking import Answer, act, at, group_at, send
from tests.service.referrals.conftest import World
from tests.service.referrals.test_receiving import staffed

WHY = """
query ($id: ID!) {
  explainAccess(referralId: $id) {
    sight reasons { code message office { id } } actions { action allowed code message remedy }
  }
}
"""


async def why(world: World, viewer: Viewer, referral: Answer | str) -> Answer:
    """Ask."""
    id_ = referral if isinstance(referral, str) else referral["id"]
    data = await world.service.running.data(WHY, {"id": id_}, viewer=viewer)
    answer: Answer = data["explainAccess"]
    return answer


def codes(answer: Answer) -> list[Any]:
    """The reasons in short."""
    return [one["code"] for one in answer["reasons"]]


async def test_each_side_hears_why_it_sees_and_what_only_the_other_may_do(world: World) -> None:
    sent = await send(world)

    sender = await why(world, world.sender.staff, sent)
    receiver = await why(world, world.receiver.staff, sent)

    assert (codes(sender), codes(receiver)) == (["SENDING_OFFICE"], ["RECEIVING_OFFICE"])
    assert sender["reasons"][0]["office"] == {"id": str(world.sender.office_id)}
    of_sender = {one["action"]: one for one in sender["actions"]}
    of_receiver = {one["action"]: one for one in receiver["actions"]}
    assert of_sender["CANCEL"]["allowed"]
    assert of_sender["DECLINE"]["code"] == "WRONG_SIDE"
    assert of_receiver["COMPLETE"]["code"] == "WRONG_STATUS"
    allowed = [one["action"] for one in receiver["actions"] if one["allowed"]]
    assert allowed == ["ACKNOWLEDGE", "SCHEDULE", "DECLINE", "REASSIGN", "FORWARD"]


async def test_staff_of_a_group_hear_that_they_see_it_through_the_group(world: World) -> None:
    """R21."""
    practice, colleague = world.receiver, world.receiver.somebody()
    group = await staffed(world, practice, [practice.provider_id], colleague.user_id or uuid4())
    sent = await send(world, group_at(practice, group))

    assert codes(await why(world, colleague, sent)) == ["RECEIVING_GROUP"]


async def test_a_colleague_without_the_office_hears_where_to_ask(world: World) -> None:
    sent, admin = await send(world), world.receiver.somebody(client_admin=True)

    told = await why(world, admin, sent)

    assert (told["sight"], codes(told), told["actions"]) == (None, ["NOT_ON_STAFF"], [])
    assert told["reasons"][0]["office"] == {"id": str(world.receiver.office_id)}


async def test_a_past_receiver_hears_that_it_left_and_no_more(world: World) -> None:
    sent, third = await send(world), world.practice()
    await act(world, "forwardReferral", world.receiver.staff, sent, receiver=at(third))

    told = await why(world, world.receiver.staff, sent)

    assert (told["sight"], codes(told), told["actions"]) == ("PAST", ["PAST_RECEIVER"], [])


async def test_what_is_foreign_lost_or_a_draft_of_others_is_unknown_like_what_never_was(
    world: World,
) -> None:
    """R14, Z4: no oracle."""
    sent, stranger, running = await send(world), world.practice(), world.service.running
    never = await why(world, stranger.staff, str(uuid4()))
    foreign = await why(world, stranger.staff, sent)
    fact = ProviderRemoved(provider_id=str(world.receiver.provider_id))
    now = running.parts.clock.now()
    here, provider = world.receiver.organization_id, world.receiver.provider_id
    await world.service.neighbours.say(fact, here, "provider", provider, now)
    lost = await why(world, world.receiver.staff, sent)

    assert never == foreign == lost
    assert (never["sight"], codes(never), never["actions"]) == (None, ["UNKNOWN"], [])
