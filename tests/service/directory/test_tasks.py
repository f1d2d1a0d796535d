"""What admins are to look after, on real servers (R06, R16, R18, R23). These tests move the clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from kit.auth import Viewer
from proto.identity.v1 import events_pb2 as identity_facts
from services.directory.actions import tasks as verbs
from tests.service.directory.world import CARDIOLOGY, Directory, Organization

TASKS = """{ directoryTasks(first: 100) { edges { node { id kind version toDo allowedActions
    provider { id } providers { id } group { id } office { id } } } } }"""
DISMISSED = "__typename ... on DirectoryTask { closedBecause reason } ... on Problem { code field }"


async def _tasks(organization: Organization, viewer: Viewer | None = None) -> list[dict[str, Any]]:
    data = await organization.ask(TASKS, viewer)
    return [edge["node"] for edge in data["directoryTasks"]["edges"]]


async def _later(directory: Directory, **time: float) -> None:
    await directory.running.advance(timedelta(**time))
    await verbs.review(directory.running.parts.call())


async def _dismiss(
    organization: Organization,
    task: dict[str, Any],
    viewer: Viewer | None = None,
    **given: Any,  # noqa: ANN401
) -> dict[str, Any]:
    asked = {"taskId": task["id"], "expectedVersion": task["version"], "reason": "Research only."}
    return await organization.do(
        "dismissTask", "DismissTaskInput", DISMISSED, asked | given, viewer
    )


async def test_a_provider_without_an_office_for_a_day_is_a_task_until_placed(
    directory: Directory, organization: Organization
) -> None:
    """R06."""
    provider, placed = await organization.approved(), await organization.approved()
    office = await organization.live_office(placed)
    await _later(directory, hours=23, minutes=50)
    before = await _tasks(organization)
    await _later(directory, minutes=11)
    await asyncio.gather(*(verbs.review(directory.running.parts.call()) for _ in range(4)))
    (task,) = await _tasks(organization)
    await organization.place(provider, office)
    after = await _tasks(organization)

    assert before == after == []
    assert (task["kind"], task["provider"]) == ("PROVIDER_WITHOUT_OFFICE", {"id": provider["id"]})
    assert task["allowedActions"] == ["DISMISS"]
    assert await directory.facts(task["id"]) == ["raised", "closed"]


async def test_who_is_not_meant_to_have_an_office_is_dismissed_for_good(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R06."""
    await organization.approved()
    await _later(directory, hours=25)
    (task,) = await _tasks(organization)
    admin = organization.somebody(office_admin_of=frozenset({uuid4()}))
    denied = await _dismiss(organization, task, admin)
    foreign = await _dismiss(other, task)
    silent = await _dismiss(organization, task, reason=" ")
    done = await _dismiss(organization, task)
    again = await _dismiss(organization, task, expectedVersion=2)
    await _later(directory, hours=25)

    assert [one["code"] for one in (denied, foreign, silent)] == [
        "FORBIDDEN",
        "NOT_FOUND",
        "INVALID",
    ]
    assert (done["closedBecause"], done["reason"]) == ("DISMISSED", "Research only.")
    assert again["code"] == "TASK_CLOSED"
    assert await _tasks(organization) == []


async def test_an_import_whose_providers_have_no_office_is_one_task(
    directory: Directory, organization: Organization
) -> None:
    """R06."""
    rows = [
        {
            "firstName": "Sam",
            "lastName": f"Imported {number}",
            "npi": directory.npi(),
            "specialtyCodes": [CARDIOLOGY],
        }
        for number in range(4)
    ]
    fields = "... on ImportedProviders { rows { providerId } }"
    given = {"idempotencyKey": str(uuid4()), "rows": rows, "submit": True}
    made = await organization.do("importProviders", "ImportProvidersInput", fields, given)
    people = [{"id": row["providerId"], "version": 1} for row in made["rows"]]
    for one in people:
        await organization.versioned("approveProvider", one)
    await _later(directory, hours=25)
    (task,) = await _tasks(organization)
    office = await organization.live_office()
    for one in people:
        await organization.place(one, office)
    await _later(directory, minutes=1)

    assert task["kind"] == "IMPORT_WITHOUT_OFFICES"
    assert {one["id"] for one in task["providers"]} == {one["id"] for one in people}
    assert await _tasks(organization) == []


async def test_a_group_without_staff_is_a_task_after_a_day_and_at_once_when_it_had_some(
    directory: Directory, organization: Organization
) -> None:
    """R23."""
    office, user = await organization.live_office(), await organization.user()
    new = await organization.add_group(officeIds=[office["id"]])
    staffed = await organization.add_group(officeIds=[office["id"]], staffUserIds=[user])
    await organization.hear(identity_facts.UserDeactivated(user_id=user), user)
    await _later(directory, minutes=1)
    first = await _tasks(organization)
    await _later(directory, hours=25)
    both = await _tasks(organization)
    here = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    elsewhere = organization.somebody(office_admin_of=frozenset({uuid4()}))

    assert [one["group"] for one in first] == [{"id": staffed["id"]}]
    assert {one["group"]["id"] for one in both} == {new["id"], staffed["id"]}
    assert len(await _tasks(organization, here)) == 2
    assert await _tasks(organization, here) == [one | {"allowedActions": []} for one in both]
    assert await _tasks(organization, elsewhere) == []


async def test_a_live_office_asks_for_its_roster_and_a_missed_first_day_is_a_task(
    directory: Directory, organization: Organization
) -> None:
    """R16, R18."""
    live = await organization.live_office()
    today = {"acknowledgeShortLeadTime": True, "reason": "Opens today."}
    late = await organization.add_office(goLiveOn=str(directory.today()), **today)
    await directory.go_live()
    await organization.staff(live["id"], attested=False)
    await _later(directory, minutes=1)
    found = {one["kind"]: one["office"]["id"] for one in await _tasks(organization)}
    await organization.attest(live["id"])
    await _later(directory, minutes=1)
    left = [one["kind"] for one in await _tasks(organization)]

    assert found == {"ROSTER_NOT_ATTESTED": live["id"], "GO_LIVE_MISSED": late["id"]}
    assert left == ["GO_LIVE_MISSED"]


async def test_tasks_are_for_admins(directory: Directory, organization: Organization) -> None:
    """R02."""
    staff = organization.somebody(office_staff_of=frozenset({uuid4()}))
    answer = await directory.running.gql(TASKS, {}, viewer=staff)

    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
