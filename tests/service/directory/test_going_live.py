"""An office is ready as soon as it has all it needs, and live by the job alone (R16, R18)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from proto.identity.v1 import events_pb2 as identity_facts
from tests.service.directory.world import Directory, Organization


async def _state(organization: Organization, office: dict[str, Any]) -> tuple[str, int]:
    query = "query($id: ID!) { office(id: $id) { state version } }"
    found = (await organization.ask(query, id=office["id"]))["office"]
    return found["state"], found["version"]


async def _hear(organization: Organization, fact: Any, user: str) -> tuple[str, bytes]:  # noqa: ANN401 - any fact of a user
    said, now = organization.directory.neighbours, organization.directory.running.parts.clock.now()
    return await said.say(fact, organization.id, "user", UUID(user), now)


def _granted(user: str, office: dict[str, Any]) -> identity_facts.RoleGranted:
    return identity_facts.RoleGranted(user_id=user, role="OFFICE_STAFF", office_id=office["id"])


@pytest.mark.parametrize("last", ["granted", "confirmed"])
async def test_an_office_is_ready_once_its_staff_is_granted_and_confirmed_in_either_order(
    directory: Directory, organization: Organization, last: str
) -> None:
    """R18."""
    office = await organization.add_office(providerIds=[(await organization.approved())["id"]])
    directory.identity.covered[office["id"]] = 1
    user = await organization.user()
    directory.identity.works[user] = {office["id"]}
    attested = await organization.attest(office["id"], users=[user])
    assert attested["__typename"] == "Office", "identity knows before directory hears"
    granted, confirmed = _granted(user, office), identity_facts.UserConfirmed(user_id=user)
    first, second = (granted, confirmed) if last == "confirmed" else (confirmed, granted)
    await _hear(organization, first, user)
    before = await _state(organization, office)
    event = await _hear(organization, second, user)
    after = await _state(organization, office)

    assert (before, after) == (("PLANNED", 2), ("READY", 3))
    assert not await directory.neighbours.repeat(event)
    assert await _state(organization, office) == after
    assert await directory.facts(office["id"]) == ["planned", "roster_attested"]


async def test_a_staffed_office_is_ready_once_its_provider_is_approved(
    organization: Organization,
) -> None:
    """R11, R16."""
    provider = await organization.add_provider(submit=True)
    office = await organization.add_office(providerIds=[provider["id"]])
    await organization.staff(office["id"])
    before = await _state(organization, office)
    await organization.versioned("approveProvider", provider)

    assert (before[0], await _state(organization, office)) == ("PLANNED", ("READY", 3))


async def test_a_staffed_office_is_ready_once_an_approved_provider_is_placed_and_only_once(
    organization: Organization,
) -> None:
    """R16."""
    office = await organization.add_office()
    await organization.staff(office["id"])
    draft, approved = await organization.add_provider(), await organization.approved()
    await organization.place(draft, office)
    before = await _state(organization, office)
    await organization.place(approved, office, idempotencyKey="the same")
    await organization.place(approved, office, idempotencyKey="the same")
    await organization.place(await organization.approved(), office)

    assert (before[0], await _state(organization, office)) == ("PLANNED", ("READY", 3))


async def test_an_approval_and_the_staff_that_come_at_once_make_the_office_ready_once(
    organization: Organization,
) -> None:
    """R16, R18."""
    for _ in range(8):
        provider = await organization.add_provider(submit=True)
        office = await organization.add_office(providerIds=[provider["id"]])
        await asyncio.gather(
            organization.versioned("approveProvider", provider), organization.staff(office["id"])
        )

        assert await _state(organization, office) == ("READY", 3)


async def test_on_its_day_an_office_becomes_ready_at_once_and_live_by_the_job(
    directory: Directory, organization: Organization
) -> None:
    """R16."""
    office = await organization.add_office(
        goLiveOn=str(directory.today()),
        acknowledgeShortLeadTime=True,
        reason="Opens today.",
        groupOnly=True,
    )
    await organization.staff(office["id"])
    ready = await _state(organization, office)
    await directory.go_live()
    live = await _state(organization, office)

    assert (ready[0], live[0]) == ("READY", "LIVE")
    assert await directory.facts(office["id"]) == ["planned", "roster_attested", "live"]


async def test_staff_of_somewhere_else_or_not_confirmed_or_gone_makes_no_office_ready(
    organization: Organization, other: Organization
) -> None:
    """R02, R18."""
    office = await organization.add_office(providerIds=[(await organization.approved())["id"]])
    stranger, invited, gone = [await other.user(), *[await organization.user() for _ in range(2)]]
    await _hear(other, _granted(stranger, office), stranger)
    await _hear(other, identity_facts.UserConfirmed(user_id=stranger), stranger)
    await _hear(organization, _granted(invited, office), invited)
    await _hear(organization, identity_facts.UserConfirmed(user_id=gone), gone)
    await _hear(organization, identity_facts.UserDeactivated(user_id=gone), gone)
    await _hear(organization, _granted(gone, office), gone)

    assert await _state(organization, office) == ("PLANNED", 1)
