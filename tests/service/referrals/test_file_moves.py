"""Files move: under a new key, into a store, and out of it again; and at every moment each can be read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from kit.errors import Unavailable
from services.referrals.actions import attachments, patients, pieces
from services.referrals.actions.peers import Call, FilePlaces
from tests.service.referrals.asking import send
from tests.service.referrals.attaching import (
    LARGE,
    Door,
    domain_id,
    jobs,
    objects_of,
    require_nothing_astray,
)
from tests.service.referrals.conftest import Referrals, World
from tests.service.referrals.test_sealed import SUPPORT, renew
from tests.support.object_store import SmallStore

pytestmark = pytest.mark.parametrize("object_store", ["s3"], indirect=True, scope="module")


@pytest.fixture
def door(http_door: str, referrals: Referrals) -> Door:
    """The service's door for files."""
    return Door(http_door, referrals)


@pytest.fixture
def store(object_store: SmallStore | None) -> SmallStore:
    """The store the service keeps its files in, well again."""
    assert object_store
    object_store.well()
    return object_store


@pytest.fixture(autouse=True)
async def nothing_astray(
    referrals: Referrals, object_store: SmallStore | None
) -> AsyncIterator[None]:
    """After each test."""
    yield
    assert object_store
    object_store.well()
    await require_nothing_astray(referrals, object_store)


# New keys -------------------------------------------------------------------------------------------------------------


async def test_new_keys_never_cost_the_only_readable_copy(
    world: World, door: Door, store: SmallStore
) -> None:
    sent, staff = await send(world), world.receiver.staff
    id_ = await door.attached(world.sender.staff, sent, contents=LARGE)
    before = await objects_of(world, id_)
    await renew(world, SUPPORT, world.sender.organization_id)
    store.trouble["PUT"] = [""]  # one piece moves, the next does not
    store.always["PUT"] = "500"
    with pytest.raises(ExceptionGroup):
        await patients.reseal(jobs(world))
    store.well()
    between = await objects_of(world, id_)
    assert (await door.get(staff, id_)).body == LARGE
    await patients.reseal(jobs(world))
    after = await objects_of(world, id_)

    assert between[0] != before[0]
    assert between[1:] == before[1:]
    assert set(after) & set(before) == set()
    assert (await door.get(staff, id_)).body == LARGE
    await pieces.drop_loose(jobs(world))
    assert set(before) & store.names == set()
    assert set(after) <= store.names
    keys = await world.service.running.sql.fetch(
        "SELECT number FROM data_keys WHERE organization_id = $1", world.sender.organization_id
    )
    assert [row["number"] for row in keys] == [2]


async def test_a_lost_object_keeps_no_other_from_its_new_key(
    world: World, door: Door, store: SmallStore
) -> None:
    sent = await send(world)
    first, second = [
        await door.attached(world.sender.staff, sent, contents=LARGE, name=f"{n}.pdf")
        for n in range(2)
    ]
    lost = (await objects_of(world, first))[0]
    box = store.objects.pop(f"here/{lost}")
    before = set(await objects_of(world, second))
    await renew(world, SUPPORT, world.sender.organization_id)
    with pytest.raises(ExceptionGroup):
        await patients.reseal(jobs(world))

    assert set(await objects_of(world, second)) & before == set()
    store.put(lost, box)  # found again: its key was not forgotten
    await patients.reseal(jobs(world))
    assert (await door.get(world.sender.staff, first)).body == LARGE


async def test_a_download_goes_on_while_its_file_moves_under_a_new_key(
    world: World, door: Door, store: SmallStore
) -> None:
    sent, staff = await send(world), world.receiver.staff
    id_ = await door.attached(world.sender.staff, sent, contents=LARGE)
    body = (await attachments.read(world.service.running.parts.call(staff), domain_id(id_))).body
    got = await anext(body)
    store.trouble["GET"] = ["slow"]
    asked = len(store.asked)
    second = asyncio.create_task(anext(body))
    async with asyncio.timeout(3):
        while len(store.asked) == asked:
            await asyncio.sleep(0.01)
    await renew(world, SUPPORT, world.sender.organization_id)
    await patients.reseal(jobs(world))
    await pieces.drop_loose(jobs(world))
    store.awake.set()  # what it asks for is not there any more
    got += await second
    async for piece in body:
        got += piece

    assert got == LARGE


# Settings -------------------------------------------------------------------------------------------------------------


def elsewhere(call: Call) -> Call:
    """The same, when new files go into the database again and the store is still set."""
    places = FilePlaces(call.peers.files.objects, new_in_objects=False)
    return replace(call, peers=replace(call.peers, files=places))


async def test_files_are_read_wherever_they_lie_and_a_new_key_takes_them_where_new_ones_go(
    world: World, door: Door
) -> None:
    sent = await send(world)
    running, staff = world.service.running, world.sender.staff
    there = await door.attached(staff, sent, contents=LARGE, name="there.pdf")
    upload = attachments.Upload(
        domain_id(sent["id"]), "here.pdf", attachments.MediaType.PDF, len(LARGE), None, "k"
    )

    async def body() -> AsyncIterator[bytes]:
        yield LARGE

    here = str(await attachments.attach(elsewhere(running.parts.call(staff)), upload, body()))
    assert await objects_of(world, here) == ["None"] * 3
    for id_ in (here, there):
        assert (await door.get(staff, id_)).body == LARGE

    for call, lies_in_rows in ((jobs(world), False), (elsewhere(jobs(world)), True)):
        await renew(world, SUPPORT, world.sender.organization_id)
        await patients.reseal(call)
        for id_ in (here, there):
            assert (await door.get(staff, id_)).body == LARGE
            assert (await objects_of(world, id_) == ["None"] * 3) is lies_in_rows


async def test_a_file_whose_store_is_set_no_more_is_told_to_be_away(
    world: World, door: Door, store: SmallStore
) -> None:
    id_ = await door.attached(world.sender.staff, await send(world))
    call = world.service.running.parts.call(world.sender.staff)
    unset = replace(call, peers=replace(call.peers, files=FilePlaces(None, new_in_objects=False)))

    with pytest.raises(Unavailable) as refused:
        await attachments.read(unset, domain_id(id_))
    assert refused.value.code == "FILE_STORE_AWAY"
    assert not await pieces.can_be_had(unset)
    assert store.asked == [("PUT", f"here/{(await objects_of(world, id_))[0]}")]
