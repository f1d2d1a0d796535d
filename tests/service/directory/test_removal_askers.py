"""Removals that were asked for beforehand end with who asked (R02, R07, R15); and with which case directory begins to listen."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson

from kit.bus import FORGOTTEN
from kit.inbox import Consumer
from proto.identity.v1.events_pb2 import RoleRevoked, UserDeactivated
from proto.referrals.v1 import events_pb2 as referrals_facts
from services.directory.actions import awaiting
from tests.service.directory.world import Directory, Organization
from tests.support.facts import Neighbours

AWAITED = "query($id: ID!) { provider(id: $id) { state awaitedRemoval { heldUpBy } } }"


async def _seen(organization: Organization, provider: dict[str, Any]) -> Any:  # noqa: ANN401
    return (await organization.ask(AWAITED, id=provider["id"]))["provider"]


async def _job(directory: Directory) -> None:
    await awaiting.remove_awaited(directory.running.parts.call())


async def test_a_removal_is_not_awaited_any_more_in_the_name_of_who_has_no_say_now(
    directory: Directory, organization: Organization
) -> None:
    """R02, R07, R15: whoever was deactivated, or is client admin no more, removes nobody by themselves; what others ask for stays."""
    asker = str(organization.admin.user_id)
    second = organization.somebody(client_admin=True)
    theirs = await organization.approved()
    await organization.versioned("removeWhenEmpty", theirs, second)
    for fact in (
        RoleRevoked(user_id=asker, role="CLIENT_ADMIN"),
        UserDeactivated(user_id=asker),
    ):
        provider = await organization.approved()
        await organization.versioned("removeWhenEmpty", provider)
        await organization.hear(RoleRevoked(user_id=asker, role="CALL_CENTRE"), asker)
        still = await _seen(organization, provider)
        await organization.hear(fact, asker)
        await _job(directory)

        assert still["awaitedRemoval"]
        assert (await _seen(organization, provider)) == {
            "state": "OFFBOARDING",
            "awaitedRemoval": None,
        }
        assert (await directory.facts(provider["id"]))[-1] == "removal_called_off"
    assert (await _seen(organization, theirs))["state"] == "REMOVED"


async def test_a_removal_under_way_ends_with_who_asked_for_it(
    directory: Directory, organization: Organization
) -> None:
    """R07, R15: also in the moment in which referrals is asked."""
    provider = await organization.approved()
    await organization.versioned("removeWhenEmpty", provider)
    gate = directory.referrals.hold()
    looking = asyncio.create_task(_job(directory))
    await directory.referrals.held.wait()
    asker = str(organization.admin.user_id)
    await organization.hear(UserDeactivated(user_id=asker), asker)
    gate.set()
    await looking
    await directory.running.advance(timedelta(minutes=11))

    assert (await _seen(organization, provider)) == {
        "state": "OFFBOARDING",
        "awaitedRemoval": None,
    }


async def test_nobody_is_removed_for_who_was_deactivated_a_moment_ago(
    directory: Directory, organization: Organization
) -> None:
    """R07, R15: the fact that says so has not come yet."""
    provider = await organization.approved()
    await organization.versioned("removeWhenEmpty", provider)
    asker, known = str(organization.admin.user_id), directory.identity.known
    known[asker] = (str(organization.id), True, False)
    await _job(directory)
    meanwhile = await _seen(organization, provider)
    known[asker] = (str(organization.id), True, True)
    await _job(directory)

    assert meanwhile["awaitedRemoval"]
    assert (await _seen(organization, provider))["state"] == "REMOVED"


async def test_a_case_that_began_before_directory_listened_is_heard_from_there_on(
    directory: Directory, organization: Organization
) -> None:
    """R15: its first facts are older than anybody keeps; that nothing is open is about itself."""
    running = directory.running
    parts, case, provider = running.parts, uuid4(), await organization.approved()
    ready = referrals_facts.OffboardingCaseReady(case_id=str(case), provider_id=provider["id"])
    said = Neighbours(running).event(
        ready, organization.id, "offboarding_case", case, parts.clock.now()
    )
    body = orjson.dumps(orjson.loads(said[1]) | {"sequence": "7"})
    consumer = Consumer(running.service.name, parts.db, parts.bus, running.service.hearings(parts))

    assert await consumer.apply(said[0], body, previous=FORGOTTEN)
