"""Removing providers under the fence (R12, R14, R15), with crashes and races."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.directory.actions import removal
from tests.service.directory.world import Directory, Organization


async def _state(organization: Organization, provider: dict[str, Any]) -> Any:  # noqa: ANN401
    return await organization.provider(provider["id"])


async def test_a_provider_without_offices_and_referrals_is_removed(
    directory: Directory, organization: Organization
) -> None:
    """R15."""
    provider = await organization.approved()
    removed = await organization.versioned("removeProvider", provider)

    assert removed["state"] == "REMOVED"
    assert removed["allowedActions"] == []
    assert provider["id"] in directory.referrals.fences
    assert (await directory.facts(provider["id"]))[-2:] == ["offboarding_started", "removed"]


async def test_access_to_the_referrals_ends_at_once(
    directory: Directory, organization: Organization
) -> None:
    """R14."""
    provider = await organization.approved()
    await organization.versioned("removeProvider", provider)

    assert provider["id"] in directory.referrals.ended


async def test_a_removal_stands_though_referrals_did_not_hear_that_access_ends(
    directory: Directory, organization: Organization
) -> None:
    """R14: the fact says so again, later."""
    provider = await organization.approved()
    gate = directory.referrals.hold()
    removing = asyncio.create_task(organization.versioned("removeProvider", provider))
    await directory.referrals.held.wait()
    directory.referrals.away = True
    gate.set()
    removed = await removing
    directory.referrals.away = False

    assert removed["state"] == "REMOVED"
    assert provider["id"] not in directory.referrals.ended
    assert (await directory.facts(provider["id"]))[-1] == "removed"


async def test_offices_stand_in_the_way_without_a_fence_being_raised(
    directory: Directory, organization: Organization
) -> None:
    """R15."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    refused = await organization.versioned("removeProvider", provider)

    assert refused["__typename"] == "InTheWayProblem"
    assert (refused["code"], refused["total"]) == ("OFFICES_REMAIN", 0)
    assert refused["officeIds"] == [office["id"]]
    assert provider["id"] not in directory.referrals.fences
    assert (await _state(organization, provider))["state"] == "APPROVED"


async def test_referrals_and_offices_in_the_way_are_listed_together(
    directory: Directory, organization: Organization
) -> None:
    """R12, R15."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    received = directory.referrals.leave_open(provider["id"], office["id"])
    sent = directory.referrals.leave_open(provider["id"], office["id"], side="SENDING")
    refused = await organization.versioned("removeProvider", provider)

    assert (refused["code"], refused["total"]) == ("OPEN_REFERRALS", 2)
    assert refused["officeIds"] == [office["id"]]
    assert refused["byOffice"] == [{"officeId": office["id"], "referralIds": [received, sent]}]


async def test_a_refused_removal_lowers_the_fence_and_gives_the_provider_back(
    directory: Directory, organization: Organization
) -> None:
    """R15."""
    provider = await organization.approved()
    office = await organization.live_office()
    directory.referrals.leave_open(provider["id"], office["id"])
    refused = await organization.versioned("removeProvider", provider)
    after = await _state(organization, provider)

    assert (refused["code"], refused["officeIds"]) == ("OPEN_REFERRALS", [])
    assert after["state"] == "APPROVED"
    assert provider["id"] not in directory.referrals.fences
    assert (await directory.facts(provider["id"]))[-2:] == [
        "offboarding_started",
        "offboarding_stopped",
    ]


async def test_offboarding_that_was_started_stays_open_when_a_removal_is_refused(
    directory: Directory, organization: Organization
) -> None:
    """R15."""
    provider = await organization.approved()
    leaving = await organization.versioned("startOffboarding", provider)
    directory.referrals.leave_open(provider["id"], str(organization.id))
    refused = await organization.versioned("removeProvider", leaving)
    after = await _state(organization, provider)
    directory.referrals.work.clear()
    removed = await organization.versioned("removeProvider", after)

    assert refused["code"] == "OPEN_REFERRALS"
    assert after["state"] == "OFFBOARDING"
    assert removed["state"] == "REMOVED"


async def test_a_leaving_provider_can_be_kept(organization: Organization) -> None:
    provider = await organization.approved()
    leaving = await organization.versioned("startOffboarding", provider)
    kept = await organization.versioned("keepProvider", leaving)

    assert leaving["state"] == "OFFBOARDING"
    assert kept["state"] == "APPROVED"
    assert "PLACE" in kept["allowedActions"]


async def test_a_leaving_provider_cannot_be_placed(organization: Organization) -> None:
    """R15."""
    provider, office = await organization.approved(), await organization.live_office()
    await organization.versioned("startOffboarding", provider)

    assert (await organization.place(provider, office))["code"] == "PROVIDER_LEAVING"


async def test_only_a_client_admin_removes_a_provider(organization: Organization) -> None:
    provider = await organization.approved()
    office = await organization.live_office(provider)
    admin = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))

    assert (await organization.versioned("removeProvider", provider, admin))["code"] == "FORBIDDEN"


async def test_while_referrals_is_away_nothing_is_removed_and_the_job_gives_the_provider_back(
    directory: Directory, organization: Organization
) -> None:
    provider = await organization.approved()
    directory.referrals.fenceless = True
    refused = await organization.versioned("removeProvider", provider)
    between = await _state(organization, provider)
    directory.referrals.fenceless = False
    await directory.running.advance(timedelta(minutes=1))

    assert refused["code"] == "UNAVAILABLE"
    assert between["state"] == "OFFBOARDING"
    assert (await _state(organization, provider))["state"] == "APPROVED"


@pytest.mark.parametrize("work", [0, 1])
async def test_a_removal_that_crashed_is_finished_by_the_job(
    directory: Directory, organization: Organization, work: int
) -> None:
    """R15."""
    provider = await organization.approved()
    for _ in range(work):
        directory.referrals.leave_open(provider["id"], str(organization.id))
    gate = directory.referrals.hold()
    asked = asyncio.create_task(organization.versioned("removeProvider", provider))
    await directory.referrals.held.wait()
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    gate.set()
    crashed = await _state(organization, provider)
    await directory.running.advance(timedelta(minutes=1))
    after = await _state(organization, provider)

    assert crashed["state"] == "OFFBOARDING"
    assert after["state"] == ("APPROVED" if work else "REMOVED")
    assert (provider["id"] in directory.referrals.fences) is (not work)


async def test_a_provider_who_is_kept_while_being_removed_is_not_removed(
    directory: Directory, organization: Organization
) -> None:
    """R15."""
    provider = await organization.approved()
    gate = directory.referrals.hold()
    removing = asyncio.create_task(organization.versioned("removeProvider", provider))
    await directory.referrals.held.wait()
    kept = await organization.versioned("keepProvider", await _state(organization, provider))
    gate.set()
    lost = await removing

    assert kept["state"] == "APPROVED"
    assert (lost["code"], lost["currentVersion"]) == ("STALE_VERSION", kept["version"])
    assert (await _state(organization, provider))["state"] == "APPROVED"
    assert provider["id"] not in directory.referrals.fences


async def test_a_placement_never_survives_a_removal_that_races_it(
    organization: Organization,
) -> None:
    """R15."""
    office = await organization.live_office()
    for _ in range(12):
        provider = await organization.approved()
        removed, placed = await asyncio.gather(
            organization.versioned("removeProvider", provider),
            organization.place(provider, office),
        )
        won = removed["__typename"] == "Provider"

        assert won is (placed["__typename"] != "Placement")
        if won:
            assert placed["code"] in {"PROVIDER_LEAVING", "NOT_FOUND"}
        else:
            assert removed["code"] in {"OFFICES_REMAIN", "STALE_PREVIEW"}


async def test_two_removals_at_once_remove_once(
    directory: Directory, organization: Organization
) -> None:
    provider = await organization.approved()
    answers = await asyncio.gather(
        *(organization.versioned("removeProvider", provider) for _ in range(4))
    )

    assert (
        sorted(one["__typename"] for one in answers) == ["Provider"] + ["StaleVersionProblem"] * 3
    )
    assert (await directory.facts(provider["id"])).count("removed") == 1


async def test_a_removed_provider_leaves_its_groups_and_frees_its_npi(
    directory: Directory, organization: Organization
) -> None:
    provider = await organization.approved()
    office = await organization.live_office(provider)
    group = await organization.add_group(officeIds=[office["id"]], providerIds=[provider["id"]])
    await organization.end_placements(provider)
    removed = await organization.versioned("removeProvider", provider)
    data = await organization.ask(
        "query($id: ID!) { group(id: $id) { providers { id } } }", id=group["id"]
    )
    again = await organization.add_provider(npi=provider["npi"])

    assert removed["state"] == "REMOVED"
    assert data["group"]["providers"] == []
    assert again["__typename"] == "Provider"
    assert (await directory.facts(group["id"]))[-1] == "staffed"


async def test_the_organization_reads_a_removed_provider_and_the_network_its_name(
    organization: Organization, other: Organization
) -> None:
    """R24's history, for providers: the other side of an old referral still reads who it was."""
    provider = await organization.approved()
    await organization.versioned("removeProvider", provider)
    listed = await other.ask("{ providers(network: true, first: 100) { edges { node { id } } } }")

    assert (await other.provider(provider["id"]))["state"] == "REMOVED"
    assert provider["id"] not in {edge["node"]["id"] for edge in listed["providers"]["edges"]}


async def test_an_old_step_of_a_removal_changes_nothing(
    directory: Directory, organization: Organization
) -> None:
    provider = await organization.approved()
    call = directory.running.parts.call()
    with pytest.raises(Exception, match="has changed since you read it"):
        await removal.finish_keeping(call, organization.id, UUID(provider["id"]), 1)  # type: ignore[arg-type]

    assert (await _state(organization, provider))["state"] == "APPROVED"
