"""A group goes, and what is open with it goes on with its providers (R24)."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from kit.errors import Conflict, Denied, NotFound
from tests.service.referrals.asking import act, group_at, read, send
from tests.service.referrals.conftest import Practice, World
from tests.service.referrals.fencing import directory_of
from tests.service.referrals.test_receiving import ahead, staffed


def _user(practice: Practice) -> UUID:
    assert practice.staff.user_id is not None
    return practice.staff.user_id


async def test_open_referrals_of_a_group_go_to_its_providers_and_none_is_open_with_it(
    world: World,
) -> None:
    """R24."""
    practice, other = world.receiver, uuid4()
    group = await staffed(world, practice, [practice.provider_id, other], _user(practice))
    sent = [await send(world, group_at(practice, group)) for _ in range(3)]
    claimed = await act(
        world, "claimReferral", practice.staff, sent[2], providerId=str(practice.provider_id)
    )
    booked = await act(world, "scheduleReferral", practice.staff, claimed, at=ahead(world))
    to = {
        sent[0]["id"]: practice.provider_id,
        sent[1]["id"]: other,
        booked["id"]: practice.provider_id,
    }
    async with directory_of(world) as directory:
        before = await directory.raise_fence(practice.organization_id, "GROUP", group)
        for _ in range(2):
            await directory.hand_over(practice.organization_id, group, to)
        after = await directory.open_work(practice.organization_id, "GROUP", group)
        theirs = await directory.open_work(practice.organization_id, "PROVIDER", other)

    seen = await read(world, practice.staff, booked)
    assert seen is not None
    assert (before.total, after.total, theirs.total) == (3, 0, 1)
    assert {one.HasField("appointment_at") for one in before.referrals} == {True, False}
    assert (seen["status"], seen["version"]) == ("SCHEDULED", booked["version"] + 1)


async def test_an_appointment_with_another_provider_is_void(world: World) -> None:
    """R13, R24."""
    practice, other = world.receiver, uuid4()
    group = await staffed(world, practice, [practice.provider_id, other], _user(practice))
    sent = await send(world, group_at(practice, group))
    claimed = await act(
        world, "claimReferral", practice.staff, sent, providerId=str(practice.provider_id)
    )
    booked = await act(world, "scheduleReferral", practice.staff, claimed, at=ahead(world))
    async with directory_of(world) as directory:
        await directory.hand_over(practice.organization_id, group, {booked["id"]: uuid4()})

    seen = await read(world, practice.staff, booked)
    assert seen is not None
    assert seen["status"] == "IN_PROGRESS"


async def test_a_handover_is_refused_as_a_whole(world: World) -> None:
    """R24: a leaving provider, and what is another organization's or unknown."""
    practice, leaving, other = world.receiver, uuid4(), uuid4()
    group = await staffed(world, practice, [practice.provider_id, other], _user(practice))
    one, two = [await send(world, group_at(practice, group)) for _ in range(2)]
    async with directory_of(world) as directory:
        await directory.raise_fence(practice.organization_id, "PROVIDER", leaving)
        first = {one["id"]: practice.provider_id}
        with pytest.raises(Conflict) as refused:
            await directory.hand_over(practice.organization_id, group, first | {two["id"]: leaving})
        with pytest.raises(NotFound):
            await directory.hand_over(
                practice.organization_id, group, first | {str(uuid4()): leaving}
            )
        with pytest.raises(NotFound):
            await directory.hand_over(uuid4(), group, first)
        work = await directory.open_work(practice.organization_id, "GROUP", group)

    assert refused.value.code == "RECEIVER_LEAVING"
    assert work.total == 2


async def test_nobody_but_directory_hands_over(world: World) -> None:
    """R02."""
    async with directory_of(world, me="insurance") as stranger:
        with pytest.raises(Denied):
            await stranger.hand_over(UUID(int=1), UUID(int=2), {})
