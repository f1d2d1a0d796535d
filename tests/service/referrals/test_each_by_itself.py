"""What is wrong with one case or one organization keeps none of the others waiting."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.referrals.actions import cases, clocks, patients
from tests.service.referrals.asking import Answer, act, at, do, draft, read, send
from tests.service.referrals.offboarding import facts_of, leave, the_case
from tests.service.referrals.test_sealed import SUPPORT, box_of, renew, whole

if TYPE_CHECKING:
    from tests.service.referrals.conftest import Practice, World
    from tests.support.servers import PostgresServer


async def test_a_case_that_cannot_be_followed_keeps_no_other_waiting(
    world: World, postgres: PostgresServer
) -> None:
    """R13: the broken one is followed first."""
    sent = await send(world)
    for practice in (world.sender, world.receiver):
        await leave(world, practice)
    broken = await the_case(world, world.sender.somebody(client_admin=True), world.sender)
    other = await the_case(world, world.receiver.somebody(client_admin=True), world.receiver)
    url = urlsplit(world.service.running.parts.settings.database_url)
    superuser = await asyncpg.connect(postgres.server.url(url.path.removeprefix("/")))
    stuffed = f"CHECK (id <> '{UUID(broken['id'])}') NOT VALID"
    await superuser.execute(f"ALTER TABLE offboarding_cases ADD CONSTRAINT stuffed {stuffed}")
    await act(world, "cancelReferral", world.sender.staff, sent, reasonCode="NO_LONGER_REQUIRED")
    try:
        with pytest.raises(ExceptionGroup):
            await cases.follow(world.service.running.parts.call())
    finally:
        await superuser.execute("ALTER TABLE offboarding_cases DROP CONSTRAINT stuffed")
        await superuser.close()

    assert [verb for verb, _ in await facts_of(world, other)] == ["opened", "ready"]


async def test_a_referral_that_cannot_be_ended_keeps_no_other_waiting(
    world: World, postgres: PostgresServer
) -> None:
    """R13: a decline that nobody answers ends by itself, and so do the others; what failed is done as soon as it can be."""
    running, staff = world.service.running, world.receiver.staff
    broken, sound = [
        await act(world, "declineReferral", staff, await send(world), reasonCode="AGE")
        for _ in range(2)
    ]
    await running.advance(timedelta(days=9))
    stuffed = f"CHECK (id <> '{UUID(broken['id'])}') NOT VALID"
    url = urlsplit(running.parts.settings.database_url)
    superuser = await asyncpg.connect(postgres.server.url(url.path.removeprefix("/")))
    await superuser.execute(f"ALTER TABLE referrals ADD CONSTRAINT stuffed {stuffed}")
    try:
        with pytest.raises(ExceptionGroup):
            await running.advance(timedelta(days=2))
    finally:
        await superuser.execute("ALTER TABLE referrals DROP CONSTRAINT stuffed")
        await superuser.close()

    assert await status(world, sound) == "COMPLETED"
    assert await status(world, broken) == "DECLINED"
    await clocks.lapse_declined(running.parts.call())
    assert await status(world, broken) == "COMPLETED"


async def status(world: World, referral: Answer) -> str:
    """What the sender sees of it now."""
    found = await read(world, world.sender.staff, referral)
    assert found
    answer: str = found["status"]
    return answer


async def _sent(world: World, by: Practice) -> Answer:
    """A referral of the practice to the other one."""
    to = world.receiver if by is world.sender else world.sender
    written, key = draft(by, at(to)), str(uuid4())
    return await do(world, "sendReferral", by.staff, draft=written, idempotencyKey=key)


async def _put_box(world: World, referral_id: str, box: bytes) -> bytes:
    """Put another box in place of a patient's; answers the one that was there."""
    async with whole(world) as tx:
        asked = "SELECT box FROM patients WHERE referral_id = $1"
        before: bytes = await tx.fetchval(asked, UUID(referral_id))
        await tx.execute(
            "UPDATE patients SET box = $2 WHERE referral_id = $1", UUID(referral_id), box
        )
    return before


async def test_an_organization_whose_box_does_not_open_keeps_no_others_new_key_waiting(
    world: World,
) -> None:
    """A2."""
    call = world.service.running.parts.call()
    first, second = sorted((world.sender, world.receiver), key=lambda one: one.organization_id)
    sent = {one.organization_id: await _sent(world, one) for one in (first, second)}
    broken, sound = sent[first.organization_id], sent[second.organization_id]
    before = await box_of(world, sound)
    for one in (first, second):
        await renew(world, SUPPORT, one.organization_id)
    box = await _put_box(world, broken["id"], b"no box")

    with pytest.raises(ExceptionGroup):
        await patients.reseal(call)

    assert await box_of(world, sound) != before
    await _put_box(world, broken["id"], box)
    assert await patients.reseal(call) >= 1
