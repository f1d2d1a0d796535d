"""A change that was decided on an old version is refused, and told which version stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.directory.actions import tasks
from services.directory.schema import SCHEMA
from tests.service.directory.world import Directory, Organization

STALE = "__typename ... on Problem { code field } ... on StaleVersionProblem { currentVersion }"
REFUSED = {"__typename": "StaleVersionProblem", "code": "STALE_VERSION", "field": "expectedVersion"}
MORE: dict[str, dict[str, Any]] = {
    "rejectProvider": {"reason": "Not so."},
    "setAcceptingNewPatients": {"accepting": False},
    "attestRoster": {"userIds": []},
    "dismissTask": {"reason": "Meant so."},
    "reopenOffice": {"goLiveOn": "2100-01-01"},
    "changeGroupFlags": {"maySend": True, "mayReceive": True},
    "snoozeSuggestion": {"until": "2100-01-01"},
    "overrideGroupStaffing": {"reason": "The emergency department opens."},
}
"""What a verb must be given besides."""

BY_SUPPORT = {"overrideGroupStaffing"}
"""What only support inside the organization does."""


def versioned_verbs() -> dict[str, Any]:
    """The verbs that change what somebody has seen, with their inputs."""
    root = SCHEMA._schema.mutation_type  # noqa: SLF001 - strawberry has no other door to its fields
    assert root is not None
    inputs = {name: verb.args["input"].type.of_type for name, verb in root.fields.items()}
    return {name: kind for name, kind in inputs.items() if "expectedVersion" in kind.fields}


async def _task(directory: Directory, organization: Organization) -> dict[str, Any]:
    """Something to look after: the group has had no staff for a day."""
    await directory.running.advance(timedelta(hours=25))
    await tasks.review(directory.running.parts.call())
    data = await organization.ask("{ directoryTasks { edges { node { id version } } } }")
    return dict(data["directoryTasks"]["edges"][0]["node"])


async def test_every_verb_refuses_an_old_version_and_tells_the_one_that_stands(
    directory: Directory, organization: Organization
) -> None:
    """This test moves the clock."""
    three = [await organization.approved() for _ in range(3)]
    office = await organization.live_office(*three)
    placed = await organization.place(three[0], await organization.live_office())
    group = await organization.add_group(officeIds=[office["id"]])
    suggestion = (await organization.suggestions(office["id"]))[0]
    subjects = {
        "providerId": three[0],
        "officeId": office,
        "placementId": placed,
        "groupId": group,
        "suggestionId": suggestion,
        "taskId": await _task(directory, organization),
        "duplicateId": three[0],
    }
    other = {"survivorId": three[1]["id"], "survivorVersion": three[1]["version"]}
    MORE["mergeProviders"] = other
    verbs = versioned_verbs()
    assert len(verbs) == 28
    for verb, kind in verbs.items():
        about = subjects.keys() & kind.fields
        stands = sum(subjects[name]["version"] for name in about)
        given = {name: subjects[name]["id"] for name in about}
        given |= {"expectedVersion": stands + 7, **MORE.get(verb, {})}
        inside = organization.somebody(support=True, client_admin=True)
        viewer = inside if verb in BY_SUPPORT else organization.admin
        answer = await organization.do(verb, kind.name, STALE, given, viewer)

        assert answer == REFUSED | {"currentVersion": stands}, verb
