"""What a partner may still hear after a provider was removed from its organization (R14)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import orjson
import pytest
from nats.js.api import AckPolicy, ConsumerConfig

from kit.feed import FEED
from proto.directory.v1.events_pb2 import ProviderMerged
from services.referrals.store.withdrawing import LOOK_AGAIN
from tests.service.referrals.asking import act, at, read, send
from tests.service.referrals.conftest import Practice, World
from tests.service.referrals.fencing import directory_of
from tests.service.referrals.offboarding import hear
from tests.service.referrals.test_messages import say
from tests.service.referrals.test_removed import remove
from tests.support.facts import eventually


async def replay(world: World, practice: Practice) -> dict[str, list[int]]:
    """What a partner of the organization hears that begins now: the sequences of each subject."""
    await everything_told(world)
    js = world.service.running.parts.bus.js
    made = await js.add_consumer(
        FEED,
        ConsumerConfig(
            name=f"replay_{uuid4().hex}",
            filter_subject=f"events.{practice.organization_id}.>",
            ack_policy=AckPolicy.NONE,
        ),
    )
    reading = await js.pull_subscribe_bind(consumer=made.name, stream=FEED)
    heard: dict[str, list[int]] = {}
    waiting = made.num_pending or 0
    for message in await reading.fetch(waiting, timeout=2) if waiting else []:
        event = orjson.loads(message.data)
        heard.setdefault(event["subject"], []).append(int(event["sequence"]))
    await reading.unsubscribe()
    return heard


async def everything_told(world: World) -> None:
    """Wait until the stream has every fact, and the feed all of the stream."""

    async def behind() -> int:
        untold = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"
        js = world.service.running.parts.bus.js
        stream, feed = await js.stream_info("EVENTS"), await js.stream_info(FEED)
        waiting: int = await world.service.running.sql.fetchval(untold)
        return waiting + stream.state.last_seq - feed.state.last_seq

    await eventually(behind, lambda waiting: waiting == 0)


async def jobs(world: World, by: timedelta = timedelta()) -> None:
    """Every job runs once."""
    await world.service.running.advance(by)


@pytest.mark.parametrize("leaves", ["sender", "receiver"])
async def test_who_begins_after_a_removal_hears_nothing_of_the_providers_referrals(
    world: World, leaves: str
) -> None:
    """R14: whichever side the provider was on; the other side's partners hear all of it."""
    us, them = world.sender, world.receiver
    declined = await act(world, "declineReferral", them.staff, await send(world), reasonCode="AGE")
    gone, stays = (us, them) if leaves == "sender" else (them, us)
    assert await replay(world, gone) == {declined["id"]: [1, 2]}

    await remove(world, gone)
    await jobs(world)

    assert await replay(world, gone) == {}
    assert await replay(world, stays) == {declined["id"]: [1, 2]}


async def test_who_forwarded_it_hears_no_more_that_it_was_there(world: World) -> None:
    """R14: a past receiver loses it with its provider; the receiver of today does not."""
    other = world.practice()
    sent = await send(world)
    await act(world, "forwardReferral", world.receiver.staff, sent, receiver=at(other))
    assert sent["id"] in await replay(world, world.receiver)

    await remove(world, world.receiver)
    await jobs(world)

    assert await replay(world, world.receiver) == {}
    assert (await replay(world, other)).keys() == {sent["id"]}


async def test_what_the_organization_still_sees_by_another_provider_its_partners_hear(
    world: World,
) -> None:
    """R14: reassigned to a colleague before the removal, or its counterpart's in the same organization."""
    us = world.receiver
    colleague = {"officeId": str(us.office_id), "providerId": str(uuid4())}
    sent = await send(world)
    await act(world, "reassignReferral", us.staff, sent, receiver=colleague)
    within = {"officeId": str(world.office(world.sender)), "providerId": str(uuid4())}
    inside = await send(world, within)

    await remove(world, us)
    async with directory_of(world) as directory:
        await directory.end_access(world.sender.organization_id, UUID(within["providerId"]))
    await jobs(world)

    assert await read(world, us.staff, sent) is not None
    assert await replay(world, us) == {sent["id"]: [1, 2]}
    assert (await replay(world, world.sender))[inside["id"]] == [1, 2]


async def test_what_a_merged_record_had_is_withdrawn_with_the_one_that_stays(world: World) -> None:
    """R14."""
    us, staying = world.receiver, uuid4()
    sent = await send(world)
    await act(world, "declineReferral", us.staff, sent, reasonCode="AGE")
    await hear(world, us, ProviderMerged(provider_id=str(us.provider_id), survivor_id=str(staying)))
    assert await replay(world, us) == {sent["id"]: [1, 2]}

    async with directory_of(world) as directory:
        await directory.end_access(us.organization_id, staying)
    await jobs(world)

    assert await replay(world, us) == {}


async def test_what_was_being_told_at_the_moment_of_the_removal_is_found_two_minutes_later(
    world: World,
) -> None:
    """R14: a fact whose transaction began before the removal and ended after the first look."""
    us = world.receiver
    declined = await act(world, "declineReferral", us.staff, await send(world), reasonCode="AGE")
    await remove(world, us)
    await jobs(world)
    sql = world.service.running.sql
    await sql.execute(
        "DELETE FROM removed_providers WHERE organization_id = $1", us.organization_id
    )
    await say(world, world.sender.staff, declined, "canary-late")
    await sql.execute(
        "INSERT INTO removed_providers SELECT $1, $2, t, t FROM (SELECT clock_timestamp() AS t) AS now",
        us.organization_id,
        us.provider_id,
    )
    await jobs(world)
    assert await replay(world, us) == {declined["id"]: [3]}

    await look_again(world, us)
    await jobs(world)

    assert await replay(world, us) == {}
    assert await settled(world, us)


async def test_a_relay_that_is_held_up_for_long_in_the_middle_of_telling_keeps_the_removal_open(
    world: World,
) -> None:
    """R14: what it read before the removal it tells to the organization however late."""
    us, sent = world.receiver, await send(world)
    await everything_told(world)
    async with world.service.running.parts.db.everywhere().transaction() as holding:
        await holding.execute("SELECT FROM outbox_stream FOR UPDATE")
        await act(world, "declineReferral", us.staff, sent, reasonCode="AGE")
        await remove(world, us)
        for _ in range(2):
            await jobs(world)
            await look_again(world, us)
        assert not await settled(world, us)
    await everything_told(world)
    await jobs(world)
    assert await settled(world, us)
    assert await replay(world, us) == {}


async def look_again(world: World, practice: Practice) -> None:
    """The time for it has come."""
    await world.service.running.sql.execute(
        "UPDATE removed_providers SET taken_out_at = taken_out_at - $2::interval WHERE organization_id = $1",
        practice.organization_id,
        LOOK_AGAIN,
    )


async def settled(world: World, practice: Practice) -> bool:
    """Whether the removal is not looked at any more."""
    found: bool = await world.service.running.sql.fetchval(
        "SELECT settled_at IS NOT NULL FROM removed_providers WHERE organization_id = $1",
        practice.organization_id,
    )
    return found


async def test_what_comes_back_to_the_organization_later_is_told_from_there_on(
    world: World,
) -> None:
    """R14: the sender sends what was declined to a colleague of who has gone; the numbers before stay away."""
    us = world.receiver
    declined = await act(world, "declineReferral", us.staff, await send(world), reasonCode="AGE")
    await remove(world, us)
    await jobs(world)
    assert await replay(world, us) == {}

    colleague = {"officeId": str(us.office_id), "providerId": str(uuid4())}
    await act(world, "resendReferral", world.sender.staff, declined, receiver=colleague)
    await jobs(world)

    assert await replay(world, us) == {declined["id"]: [3]}
