"""Fences: a send that races a removal is either refused or counted, never an orphan."""

from __future__ import annotations

import asyncio
import random
from uuid import uuid4

import pytest

from kit.errors import Refusal
from tests.service.referrals.asking import Answer, act, at, do, draft, group_at, read, send
from tests.service.referrals.conftest import Practice, World
from tests.service.referrals.fencing import Directory, directory_of
from tests.service.referrals.test_receiving import staffed

ROUNDS = 300


async def test_a_fence_refuses_new_sends_until_it_is_lowered(world: World) -> None:
    """R15, R19, R24."""
    practice, group = world.receiver, uuid4()
    subjects = [
        ("PROVIDER", practice.provider_id, at(practice)),
        ("OFFICE", practice.office_id, at(practice)),
        ("GROUP", group, group_at(practice, group)),
    ]
    async with directory_of(world) as directory:
        for kind, id_, receiver in subjects:
            reply = await directory.raise_fence(practice.organization_id, kind, id_)
            refused = await send(world, receiver)
            await directory.lower_fence(practice.organization_id, kind, id_)
            sent = await send(world, receiver)
            await act(
                world, "cancelReferral", world.sender.staff, sent, reasonCode="RAISED_IN_ERROR"
            )
            assert (reply.total, refused["code"]) == (0, "RECEIVER_LEAVING")


async def test_the_fences_answer_counts_what_got_in_before_on_either_side(world: World) -> None:
    """R12, R15."""
    sent = await send(world)
    async with directory_of(world) as directory:
        receiving = await directory.raise_fence(
            world.receiver.organization_id, "PROVIDER", world.receiver.provider_id
        )
        sending = await directory.raise_fence(
            world.sender.organization_id, "PROVIDER", world.sender.provider_id
        )

        told = [
            (one.referral_id, one.status, one.side, one.office_id) for one in receiving.referrals
        ]
        assert told == [(sent["id"], "PENDING", "RECEIVING", str(world.receiver.office_id))]
        assert (sending.total, sending.referrals[0].side) == (1, "SENDING")

        await act(world, "declineReferral", world.receiver.staff, sent, reasonCode="NO_CAPACITY")
        after = await directory.open_work(
            world.receiver.organization_id, "PROVIDER", world.receiver.provider_id
        )
        waiting = await directory.open_work(
            world.sender.organization_id, "PROVIDER", world.sender.provider_id
        )
        assert (after.total, waiting.total) == (0, 1)


async def test_a_fenced_sender_starts_nothing_new(world: World) -> None:
    """R12."""
    sender = world.sender
    async with directory_of(world) as directory:
        await directory.raise_fence(sender.organization_id, "PROVIDER", sender.provider_id)

    sent = await send(world)
    written = await do(
        world,
        "createDraft",
        sender.staff,
        draft=draft(sender, at(world.receiver)),
        idempotencyKey=str(uuid4()),
    )

    assert (sent["code"], written["code"]) == ("SENDER_LEAVING", "SENDER_LEAVING")


async def test_nothing_is_reassigned_forwarded_claimed_or_sent_again_into_a_fence(
    world: World,
) -> None:
    """R15."""
    practice, leaving, staff = world.receiver, uuid4(), world.receiver.staff
    group = await staffed(world, practice, [leaving])
    target = {"officeId": str(practice.office_id), "providerId": str(leaving)}
    sent, other = await send(world), world.practice()
    elsewhere = await send(world, at(other))
    waiting = await send(world, group_at(practice, group))
    declined = await act(world, "declineReferral", staff, await send(world), reasonCode="AGE")
    async with directory_of(world) as directory:
        await directory.raise_fence(practice.organization_id, "PROVIDER", leaving)

    answers = [
        await act(world, "reassignReferral", staff, sent, receiver=target),
        await act(world, "forwardReferral", other.staff, elsewhere, receiver=target),
        await act(world, "claimReferral", staff, waiting, providerId=str(leaving)),
        await act(world, "resendReferral", world.sender.staff, declined, receiver=target),
    ]

    assert [one["code"] for one in answers] == ["RECEIVER_LEAVING"] * 4


async def test_a_fence_of_another_organization_stops_nobody(world: World) -> None:
    """R02."""
    async with directory_of(world) as directory:
        await directory.raise_fence(uuid4(), "PROVIDER", world.receiver.provider_id)

    assert (await send(world))["status"] == "PENDING"


async def test_fences_and_open_work_are_for_directory_alone(world: World) -> None:
    organization, provider = world.receiver.organization_id, world.receiver.provider_id
    async with directory_of(world, me="reporting") as pretender:
        for ask in (pretender.raise_fence, pretender.lower_fence, pretender.open_work):
            with pytest.raises(Refusal) as refused:
                await ask(organization, "PROVIDER", provider)
            assert refused.value.code == "FORBIDDEN"
        with pytest.raises(Refusal):
            await pretender.end_access(organization, provider)


async def test_a_wrong_question_of_directory_is_refused(world: World) -> None:
    async with directory_of(world) as directory:
        with pytest.raises(Refusal) as kind:
            await directory.open_work(world.receiver.organization_id, "PLANET", uuid4())
        with pytest.raises(Refusal) as not_provider:
            await directory.end_access(world.receiver.organization_id, uuid4(), kind="OFFICE")
    assert (kind.value.field, not_provider.value.field) == ("kind", "kind")


async def race(world: World, directory: Directory, practice: Practice, kind: str) -> str:
    """One send against one fence; answers who won. The orphan would be neither refused nor counted."""
    group = uuid4()
    subject = {"PROVIDER": practice.provider_id, "OFFICE": practice.office_id, "GROUP": group}
    receiver = group_at(practice, group) if kind == "GROUP" else at(practice)

    async def late(action: object) -> Answer:
        await asyncio.sleep(random.random() * 0.012)  # noqa: S311 - spreads the race, hides nothing
        return await action  # type: ignore[no-any-return, misc]

    sent, reply = await asyncio.gather(
        send(world, receiver),
        late(directory.raise_fence(practice.organization_id, kind, subject[kind])),
    )
    open_now = await directory.open_work(practice.organization_id, kind, subject[kind])
    refused = sent.get("code") == "RECEIVER_LEAVING"
    counted = [one.referral_id for one in reply.referrals]  # type: ignore[attr-defined]
    assert refused or sent["id"] in counted, "an orphan: accepted, and not counted by the fence"
    assert open_now.total == len(counted)
    return "fence" if refused else "send"


@pytest.mark.parametrize("kind", ["PROVIDER", "OFFICE", "GROUP"])
async def test_a_send_racing_a_removal_is_refused_or_counted_every_time(
    world: World, kind: str
) -> None:
    """R15, R19, R24, cross-cutting 1. Two real connections, hundreds of rounds, both ends winning sometimes."""
    winners = set()
    async with directory_of(world) as directory:
        for _ in range(ROUNDS // 3):
            winners.add(await race(world, directory, world.practice(), kind))

    assert winners == {"fence", "send"}


async def test_a_send_that_directory_allowed_before_the_removal_began_is_refused_by_the_fence(
    world: World,
) -> None:
    """R15: the schedule in which the send is at its weakest, every time."""
    practice = world.receiver
    async with directory_of(world) as directory:

        async def removal_begins() -> None:
            await directory.raise_fence(practice.organization_id, "PROVIDER", practice.provider_id)

        world.service.directory.before_answer = removal_begins
        refused = await send(world)
        world.service.directory.before_answer = None
        left = await directory.open_work(practice.organization_id, "PROVIDER", practice.provider_id)

    assert (refused["code"], left.total) == ("RECEIVER_LEAVING", 0)


async def test_a_fence_waits_for_a_send_in_flight_and_counts_it(world: World) -> None:
    """R15: the other schedule; the send holds its lock while the fence is being raised."""
    practice = world.receiver
    pool = world.service.running.parts.db.pool
    sent = await send(world)
    name = f"fence PROVIDER {practice.provider_id}"
    async with directory_of(world) as directory, pool.acquire() as other:
        async with other.transaction():
            await other.execute(
                "SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))", name
            )
            raising = asyncio.ensure_future(
                directory.raise_fence(practice.organization_id, "PROVIDER", practice.provider_id)
            )
            done, _ = await asyncio.wait([raising], timeout=0.2)
            assert not done
        reply = await raising

    assert [one.referral_id for one in reply.referrals] == [sent["id"]]
    assert await read(world, practice.staff, sent) is not None


async def test_open_work_is_told_by_the_oldest_hundred_or_as_a_whole(world: World) -> None:
    """R12, R24: a total is always of everything."""
    sender = world.sender
    for number in range(103):
        given = {"draft": draft(sender, None), "idempotencyKey": f"draft {number}"}
        await do(world, "createDraft", sender.staff, **given)
    async with directory_of(world) as directory:
        about = (sender.organization_id, "PROVIDER", sender.provider_id)
        oldest = await directory.open_work(*about)
        whole = await directory.open_work(*about, all_=True)

    assert (oldest.total, len(oldest.referrals)) == (103, 100)
    assert (whole.total, len(whole.referrals)) == (103, 103)
    assert list(whole.referrals)[:100] == list(oldest.referrals)


async def test_what_is_sent_to_a_merged_record_reaches_the_one_that_stays(world: World) -> None:
    """R09: so that it counts as its open work."""
    old = uuid4()
    world.service.directory.merged[old] = world.receiver.provider_id
    sent = await send(world, {"officeId": str(world.receiver.office_id), "providerId": str(old)})
    async with directory_of(world) as directory:
        about = (world.receiver.organization_id, "PROVIDER", world.receiver.provider_id)
        work = await directory.open_work(*about)

    assert sent["receivingProvider"] == {"id": str(world.receiver.provider_id)}
    assert [one.referral_id for one in work.referrals] == [sent["id"]]
