"""Days are those of the calendar of the organization that acts."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from proto.identity.v1.events_pb2 import OrganizationAdded
from tests.service.referrals.asking import draft, send
from tests.service.referrals.conftest import World

NEW_YEARS_EVE = datetime(2027, 1, 1, 3, tzinfo=UTC)
"""Ten in the evening in New York, one in the afternoon of New Year in Guam."""


async def in_zone(world: World, time_zone: str) -> None:
    """The sender reads its calendar there."""
    here, running = world.sender.organization_id, world.service.running
    fact = OrganizationAdded(organization_id=str(here), name="Here", time_zone=time_zone)
    now = running.parts.clock.now()
    await world.service.neighbours.say(fact, here, "organization", here, now)
    await running.set_time(NEW_YEARS_EVE)


async def test_a_plan_that_ends_with_the_year_is_accepted_until_midnight_where_the_sender_is(
    world: World,
) -> None:
    """R27"""
    plan = uuid4()
    world.service.insurance.accepting[plan] = {world.receiver.provider_id}
    await in_zone(world, "America/New_York")

    await send(world, planId=str(plan))

    assert world.service.insurance.asked[-1] == "2026-12-31"


@pytest.mark.parametrize(
    ("time_zone", "code"), [("Pacific/Guam", None), ("America/New_York", "INVALID")]
)
async def test_a_child_born_today_is_referred_today_and_not_the_day_before(
    world: World, time_zone: str, code: str | None
) -> None:
    await in_zone(world, time_zone)
    patient = draft(world.sender, None)["patient"] | {"bornOn": "2027-01-01"}

    answer = await send(world, patient=patient)

    assert answer.get("code") == code


async def test_nobody_is_older_than_people_become(world: World) -> None:
    patient = draft(world.sender, None)["patient"] | {"bornOn": "0001-01-01"}

    answer = await send(world, patient=patient)

    assert (answer["code"], answer["field"]) == ("INVALID", "patient.bornOn")
