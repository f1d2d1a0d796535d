"""Files in an S3-compatible store that misbehaves: none that is seen is lost, none that is not is left, and whoever waits is told."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import orjson
import pytest

from kit import objects
from kit.errors import Unavailable
from services.referrals.actions import attachments, pieces
from tests.gateway.edge.client import opened, request
from tests.service.referrals.asking import send
from tests.service.referrals.attaching import (
    LARGE,
    Door,
    domain_id,
    drafted,
    jobs,
    leftovers,
    names,
    objects_of,
    require_nothing_astray,
    why,
    withdraw,
)
from tests.service.referrals.conftest import Referrals, World
from tests.support.files import PDF
from tests.support.object_store import ACCESS_KEY, SECRET_KEY, SmallStore

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


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store has half a second."""
    monkeypatch.setattr(objects, "PATIENCE", 0.5)


async def loose(world: World) -> int:
    """How many objects no row names, and that are not yet forgotten for good."""
    found: int = await world.service.running.sql.fetchval("SELECT count(*) FROM loose_objects")
    return found


# Coming in ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["500", "503", "cut"])
async def test_what_goes_wrong_once_is_tried_again_and_nobody_notices(
    world: World, door: Door, store: SmallStore, how: str
) -> None:
    sent = await send(world)
    store.trouble["PUT"] = ["", how]
    id_ = await door.attached(world.sender.staff, sent, contents=LARGE)
    store.trouble["GET"] = [how, "", how]

    assert (await door.get(world.receiver.staff, id_)).body == LARGE
    assert store.trouble["PUT"] == store.trouble["GET"] == []


@pytest.mark.parametrize("how", ["500", "503", "403", "404", "cut", "slow"])
@pytest.mark.usefixtures("hurried")
async def test_an_upload_the_store_does_not_take_is_told_and_leaves_nothing(
    world: World, door: Door, store: SmallStore, how: str
) -> None:
    sent = await send(world)
    store.trouble["PUT"] = [""]  # the first piece is taken
    store.always["PUT"] = how
    headers = door.signed(world.sender.staff) | {
        "content-type": "application/pdf",
        "x-file-name": "canary-name.pdf",
        "idempotency-key": "same",
        "connection": "keep-alive",
    }
    url = f"{door.base}/files/{sent['id']}/attachments"
    async with opened("POST", url, headers, LARGE) as (status, given, reader):
        told = orjson.loads(await reader.readexactly(int(given["content-length"])))
    store.well()

    assert (status, told["errors"][0]["extensions"]["reason"]) == (503, "FILE_STORE_AWAY")
    assert await leftovers(world, sent) == 0
    assert await names(world, world.sender.staff, sent) == []
    again = await door.attached(world.sender.staff, sent, contents=LARGE, key="same")
    assert (await door.get(world.sender.staff, again)).body == LARGE


async def test_what_a_dead_process_had_begun_to_put_goes_and_what_it_had_not_put_is_no_hindrance(
    world: World, store: SmallStore
) -> None:
    sent, call = await send(world), world.service.running.parts.call(world.sender.staff)
    upload = attachments.Upload(
        domain_id(sent["id"]), "a.pdf", attachments.MediaType.PDF, len(LARGE), None, "k"
    )
    arriving = await attachments._begin(call, upload)  # noqa: SLF001 - as a process does that dies with the next step
    await attachments._put_away(call, arriving, 0, PDF, last=False)  # noqa: SLF001
    store.always["PUT"] = "cut"
    with pytest.raises(Unavailable):
        await attachments._put_away(call, arriving, 1, PDF, last=True)  # noqa: SLF001
    store.well()
    began = await objects_of(world, str(arriving.id))
    assert set(began) & store.names == {began[0]}

    await world.service.running.advance(timedelta(hours=1, seconds=1))
    await pieces.drop_loose(jobs(world))
    assert set(began) & store.names == set()
    assert await leftovers(world, sent) == 0


# Going ----------------------------------------------------------------------------------------------------------------


async def test_what_is_taken_back_goes_from_the_store_and_once_more_should_it_come_late(
    world: World, door: Door, store: SmallStore
) -> None:
    made, sender = await drafted(world), world.sender.staff
    id_ = await door.attached(world.sender.staff, made, contents=LARGE)
    where = await objects_of(world, id_)
    box = store.contents(where[0])
    await withdraw(world, sender, made, id_)
    await pieces.drop_loose(jobs(world))
    assert set(where) & store.names == set()

    store.put(where[0], box)  # something on the way held the request up
    await pieces.drop_loose(jobs(world))
    assert where[0] in store.names
    await world.service.running.advance(pieces.IN_FLIGHT + timedelta(seconds=1))
    assert set(where) & store.names == set()
    assert await loose(world) == 0


@pytest.mark.parametrize("how", ["403", "503"])
async def test_what_the_store_does_not_delete_is_remembered_until_it_does(
    world: World, door: Door, store: SmallStore, how: str
) -> None:
    made, sender = await drafted(world), world.sender.staff
    await pieces.drop_loose(jobs(world))
    id_ = await door.attached(sender, made, contents=LARGE)
    where = set(await objects_of(world, id_))
    await withdraw(world, sender, made, id_)
    store.always["DELETE"] = how
    with pytest.raises(Unavailable):
        await pieces.drop_loose(jobs(world))
    assert where <= store.names

    store.well()
    await world.service.running.advance(timedelta(minutes=2))
    assert where & store.names == set()


async def test_one_object_that_cannot_be_deleted_keeps_no_other(
    world: World, door: Door, store: SmallStore
) -> None:
    made, sender = await drafted(world), world.sender.staff
    await pieces.drop_loose(jobs(world))
    id_ = await door.attached(sender, made, contents=LARGE)
    where = set(await objects_of(world, id_))
    await withdraw(world, sender, made, id_)
    store.trouble["DELETE"] = ["403"]
    await pieces.drop_loose(jobs(world))

    assert len(where & store.names) == 1
    await world.service.running.advance(timedelta(minutes=2))
    assert where & store.names == set()


async def test_objects_nobody_knows_are_counted_and_left_alone(
    world: World, door: Door, store: SmallStore, caplog: pytest.LogCaptureFixture
) -> None:
    await door.attached(world.sender.staff, await send(world), contents=LARGE)
    store.page = 2
    assert await pieces.count_strangers(jobs(world)) == 0
    strange = [str(uuid4()), "somebody-elses"]
    for name in strange:
        store.put(name, b"x")
    counted = await pieces.count_strangers(jobs(world))
    left = set(strange) <= store.names
    for name in strange:
        del store.objects[f"here/{name}"]

    assert (counted, left) == (2, True)
    assert "the object store holds what no file names" in caplog.text


# Going out ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["500", "403", "cut", "slow"])
@pytest.mark.usefixtures("hurried")
async def test_a_download_the_store_does_not_give_is_told_before_the_first_byte_and_is_no_read(
    world: World, door: Door, store: SmallStore, how: str
) -> None:
    """A1: what nobody has seen does not stand in the audit trail."""
    sent, staff = await send(world), world.receiver.staff
    id_ = await door.attached(world.sender.staff, sent, contents=LARGE)
    store.always["GET"] = how
    refused = await door.get(staff, id_)
    store.well()
    seen = await world.service.running.sql.fetchval(
        "SELECT count(*) FROM audit_entries WHERE user_id = $1 AND act = 'referral.seen'"
        " AND fields::text LIKE '%attachment%'",
        staff.user_id,
    )

    assert (refused.status, why(refused), seen) == (503, "FILE_STORE_AWAY", 0)
    assert (await door.get(staff, id_)).body == LARGE


@pytest.mark.parametrize("how", ["shuffled", "short", "lost", "large", "other"])
@pytest.mark.parametrize("number", [0, 1])
async def test_an_object_that_is_lost_or_not_what_was_put_never_comes_out(
    world: World, door: Door, store: SmallStore, how: str, number: int
) -> None:
    sent = await send(world)
    id_ = await door.attached(world.sender.staff, sent, contents=LARGE)
    where = await objects_of(world, id_)
    box = store.contents(where[number])
    put = {
        "shuffled": box[::-1],
        "short": box[:-1],
        "large": box + bytes(10_000_000),
        "other": store.contents(where[(number + 1) % 3]),
    }
    if how == "lost":
        del store.objects[f"here/{where[number]}"]
    else:
        store.put(where[number], put[how])
    call = world.service.running.parts.call(world.sender.staff)

    got = list[bytes]()

    async def read() -> None:
        async for piece in (await attachments.read(call, domain_id(id_))).body:
            got.append(piece)

    with pytest.raises(RuntimeError):
        await read()
    assert b"".join(got) == LARGE[: number * pieces.PIECE_BYTES]


# What is said of it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["", "500", "404", "cut", "slow", "skewed"])
async def test_readiness_says_when_the_store_is_away_and_the_rest_goes_on(
    door: Door, store: SmallStore, how: str
) -> None:
    store.always["GET"] = how
    if how == "skewed":
        store.ahead = timedelta(minutes=20)
    told = await request("GET", f"{door.base}/readyz")
    store.well()

    assert told.status == 200
    assert (told.json["ready"], told.json["files"]) == (True, how == "")


async def test_nothing_secret_is_logged_of_what_the_store_refuses(
    world: World, door: Door, store: SmallStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sent = await send(world)
    store.ahead = timedelta(minutes=20)
    refused = await door.attach(world.sender.staff, sent)
    skewed = set(store.disbelieved)
    store.well()
    said = caplog.text + str([vars(one) for one in caplog.records]) + refused.body.decode()

    assert (refused.status, why(refused), skewed) == (
        503,
        "FILE_STORE_AWAY",
        {"RequestTimeTooSkewed"},
    )
    assert "the object store did not do it" in said
    assert [one for one in (SECRET_KEY, ACCESS_KEY, store.url, "canary") if one in said] == []
