"""Two replicas of the service on one database: news reach both, and the job's work is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from kit.service import run_job
from services.referrals.actions.peers import Peers
from tests.service.referrals.asking import act, read, send
from tests.service.referrals.conftest import World
from tests.service.referrals.test_receiving import ahead
from tests.service.referrals.test_watching import watching
from tests.support.running import Running, running_service


@pytest.fixture
async def second(world: World) -> AsyncIterator[Running[Peers]]:
    """One more replica."""
    async with running_service(world.service.running.service) as running:
        yield running


async def test_a_change_made_through_one_replica_is_seen_live_through_the_other(
    world: World, second: Running[Peers]
) -> None:
    there = replace(world, service=replace(world.service, running=second))
    async with watching(there, world.receiver.staff, officeId=world.receiver.office_id) as watch:
        sent = await send(world)
        heard = await watch.next()

    assert heard is not None
    assert heard["referral"]["id"] == sent["id"]


async def test_two_replicas_whose_clocks_ring_together_pass_an_appointment_once(
    world: World, second: Running[Peers]
) -> None:
    """Cross-cutting 15."""
    staff = world.receiver.staff
    booked = await act(world, "scheduleReferral", staff, await send(world), at=ahead(world, 1))
    first = world.service.running
    await first.advance(timedelta(days=2))
    await second.parts.clock.sync()

    await asyncio.gather(
        *(run_job(job, one.parts) for one in (first, second) for job in one.service.jobs)
    )

    passed = await read(world, staff, booked)
    assert passed is not None
    assert [step["happened"] for step in passed["history"]].count("APPOINTMENT_PASSED") == 1
    assert passed["version"] == booked["version"] + 1
