"""After a provider was removed: every door of the organization is shut, every door of the other side stays open (R14)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from kit.auth import Viewer
from proto.directory.v1.events_pb2 import ProviderMerged
from tests.service.referrals.asking import Answer, act, at, do, draft, queue, read, send
from tests.service.referrals.conftest import Practice, World
from tests.service.referrals.fencing import directory_of
from tests.service.referrals.offboarding import hear
from tests.service.referrals.test_access import ENTITY
from tests.service.referrals.test_cases import bulk
from tests.service.referrals.test_explaining import codes, why
from tests.service.referrals.test_messages import READ, look, say, texts
from tests.service.referrals.test_receiving import ahead
from tests.service.referrals.test_sealed import canary, find

QUEUES = ("REQUIRES_REVIEW", "SENT", "RECEIVED", "ARCHIVE")
Patient = dict[str, str]


async def ended(world: World, patient: Patient) -> Answer:
    """A referral from the sender to the receiver that has been through all of it: seen, reported on, talked about."""
    staff = world.receiver.staff
    sent = await send(world, patient=patient)
    await say(world, world.sender.staff, sent, "canary-before")
    booked = await act(world, "scheduleReferral", staff, sent, at=ahead(world, 1))
    await world.service.running.advance(timedelta(days=2))
    passed = await read(world, staff, booked)
    assert passed is not None
    done = await act(world, "completeReferral", staff, passed)
    return await act(world, "attachOutcome", staff, done, report="canary-report")


async def remove(world: World, practice: Practice) -> None:
    """Directory has removed the practice's provider."""
    async with directory_of(world) as directory:
        await directory.end_access(practice.organization_id, practice.provider_id)


async def entities(world: World, viewer: Viewer, referral: Answer) -> Any:  # noqa: ANN401 - JSON
    """The referral as the gateway fetches it by its key."""
    them = [{"__typename": "Referral", "id": referral["id"]}]
    return (await world.service.running.data(ENTITY, {"them": them}, viewer=viewer))["_entities"][0]


async def assert_gone(world: World, practice: Practice, referral: Answer, patient: Patient) -> None:
    """No door of the practice shows the referral or lets anybody do anything to it."""
    staff, where = practice.staff, {"officeId": str(practice.office_id)}
    assert await read(world, staff, referral) is None
    assert await look(world, staff, referral) is None
    assert await entities(world, staff, referral) is None
    for kind in QUEUES:
        assert referral["id"] not in await queue(world, staff, kind, **where)
    assert await find(world, staff, memberNumber=patient["memberNumber"]) == []
    born = {"familyName": patient["familyName"], "bornOn": patient["bornOn"]}
    assert await find(world, staff, **born) == []
    explained = await why(world, staff, referral)
    assert (codes(explained), explained["actions"]) == (["UNKNOWN"], [])
    assert (await say(world, staff, referral, "canary-after"))["code"] == "NOT_FOUND"
    until = {"input": {"referralId": referral["id"], "until": str(uuid4())}}
    marked = await world.service.running.data(READ, until, viewer=staff)
    assert marked["readMessages"]["code"] == "NOT_FOUND"
    for verb in ("archiveReferral", "unarchiveReferral"):
        assert (await do(world, verb, staff, referralId=referral["id"]))["code"] == "NOT_FOUND"
    one = {"referralId": referral["id"], "expectedVersion": referral["version"]}
    many = await bulk(world, staff, action="DECLINE", items=[one], reasonCode="AGE")
    assert many["items"][0]["outcome"]["code"] == "NOT_FOUND"


async def assert_kept(world: World, practice: Practice, referral: Answer, patient: Patient) -> None:
    """The practice reads all of it as before."""
    staff, where = practice.staff, {"officeId": str(practice.office_id)}
    kept = await read(world, staff, referral)
    assert kept is not None
    assert kept["patient"]["familyName"] == patient["familyName"]
    assert "canary-before" in texts(await look(world, staff, referral))
    assert (await entities(world, staff, referral))["patient"] is not None
    assert referral["id"] in await queue(world, staff, "ARCHIVE", **where)
    assert await find(world, staff, memberNumber=patient["memberNumber"]) == [referral["id"]]


@pytest.mark.parametrize("leaves", ["sender", "receiver"])
async def test_every_door_is_shut_for_the_organization_and_open_for_the_other_side(
    world: World, leaves: str
) -> None:
    """R14: reads, lists, search, messages, entities, explanations and every verb, whichever side the provider was on."""
    patient = canary()
    done = await ended(world, patient)
    gone, stays = world.receiver, world.sender
    if leaves == "sender":
        gone, stays = stays, gone
    await assert_kept(world, gone, done, patient)

    await remove(world, gone)

    await assert_gone(world, gone, done, patient)
    await assert_kept(world, stays, done, patient)
    await say(world, stays.staff, done, "canary-later")
    assert texts(await look(world, stays.staff, done))[0] == "canary-later"


async def test_the_other_side_of_the_same_organization_keeps_what_it_sent(world: World) -> None:
    """R14: a referral within the organization is its counterpart's still."""
    us, patient = world.sender, canary()
    inside = {"officeId": str(world.office(us)), "providerId": str(uuid4())}
    sent = await send(world, inside, patient=patient)
    async with directory_of(world) as directory:
        await directory.end_access(us.organization_id, UUID(inside["providerId"]))

    kept = await read(world, us.staff, sent)
    assert kept is not None
    assert kept["sides"] == ["SENDING"]
    them = us.somebody(office_staff_of=frozenset({UUID(inside["officeId"])}))
    assert await read(world, them, sent) is None
    assert await find(world, them, memberNumber=patient["memberNumber"]) == []


async def test_nothing_more_is_told_to_the_organization_and_everything_to_the_other_side(
    world: World,
) -> None:
    """R14: its partners hear nothing of what happens to the provider's referrals after the removal."""
    declined = await act(
        world, "declineReferral", world.receiver.staff, await send(world), reasonCode="AGE"
    )
    await remove(world, world.receiver)
    before = await heard_by(world, world.receiver, declined)

    await say(world, world.sender.staff, declined, "canary-later")
    await act(
        world, "cancelReferral", world.sender.staff, declined, reasonCode="NO_LONGER_REQUIRED"
    )

    assert await heard_by(world, world.receiver, declined) == before == ["sent", "declined"]
    assert await heard_by(world, world.sender, declined) == [
        "sent", "declined", "message_sent", "cancelled",
    ]  # fmt: skip


async def heard_by(world: World, practice: Practice, referral: Answer) -> list[str]:
    """The verbs of the referral's facts that were told to the practice's organization."""
    rows = await world.service.running.sql.fetch(
        "SELECT body FROM outbox WHERE aggregate_id = $1 AND organization_id = $2 ORDER BY id",
        UUID(referral["id"]),
        practice.organization_id,
    )
    return [orjson.loads(row["body"])["type"].split(".")[-2] for row in rows]


async def test_nobody_of_the_organization_writes_in_the_name_of_who_was_removed(
    world: World,
) -> None:
    """R14."""
    us = world.sender
    await remove(world, us)

    written = draft(us, at(world.receiver))
    refused = await do(world, "createDraft", us.staff, draft=written, idempotencyKey=str(uuid4()))
    sent = await do(world, "sendReferral", us.staff, draft=written, idempotencyKey=str(uuid4()))

    assert (refused["code"], sent["code"]) == ("FORBIDDEN", "FORBIDDEN")


@pytest.mark.parametrize("told_late", [False, True])
async def test_what_a_merged_record_had_is_lost_with_the_one_that_stays(
    world: World, *, told_late: bool
) -> None:
    """R14: also when it is heard of the mergers after the removal. The other side keeps it."""
    us, staying, last = world.receiver, uuid4(), uuid4()
    sent = await send(world)
    done = await act(world, "declineReferral", us.staff, sent, reasonCode="AGE")
    mergers = [
        ProviderMerged(provider_id=str(us.provider_id), survivor_id=str(staying)),
        ProviderMerged(provider_id=str(staying), survivor_id=str(last)),
    ]
    if not told_late:
        for merger in mergers:
            await hear(world, us, merger)
        assert await read(world, us.staff, done) is not None

    async with directory_of(world) as directory:
        await directory.end_access(us.organization_id, last)
    if told_late:
        for merger in mergers:
            await hear(world, us, merger)

    assert await read(world, us.staff, done) is None
    assert await read(world, world.sender.staff, done) is not None
