"""A fence that comes up after the thing was kept stands around nobody (R15, R19, R24); and what a closing and its job get wrong easily."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from kit.each import each
from kit.errors import Conflict
from services.directory.actions import closing, group_removal
from services.directory.domain.nouns import OrganizationId
from tests.service.directory.world import OFFICE, Directory, Organization


async def _close(
    organization: Organization,
    office: dict[str, Any],
    **given: Any,  # noqa: ANN401
) -> dict[str, Any]:
    asked = {"officeId": office["id"], "expectedVersion": office["version"], **given}
    asked |= {"confirmLastOffice": True, "confirmOrphans": True}
    return await organization.do("closeOffice", "CloseOfficeInput", OFFICE, asked)


async def _keep(organization: Organization, office: dict[str, Any]) -> dict[str, Any]:
    given = {"officeId": office["id"], "expectedVersion": office["version"]}
    return await organization.do("keepOffice", "OfficeVersionInput", OFFICE, given)


async def test_a_fence_that_comes_up_late_does_not_stand_around_a_provider_who_was_kept(
    directory: Directory, organization: Organization
) -> None:
    """R15."""
    provider = await organization.approved()
    gate = directory.referrals.hold(late=True)
    removing = asyncio.create_task(organization.versioned("removeProvider", provider))
    await directory.referrals.held.wait()
    kept = await organization.versioned("keepProvider", await organization.provider(provider["id"]))
    gate.set()
    lost = await removing

    assert (kept["state"], lost["code"]) == ("APPROVED", "STALE_VERSION")
    assert provider["id"] not in directory.referrals.fences


async def test_a_fence_that_comes_up_late_does_not_stand_around_an_office_that_was_kept(
    directory: Directory, organization: Organization
) -> None:
    """R19: the job looks again while somebody keeps the office."""
    office = await organization.live_office()
    directory.referrals.leave_open(office["id"], office["id"])
    closing_ = await _close(organization, office)
    gate = directory.referrals.hold(late=True)
    again = asyncio.create_task(
        closing.finish_closing(
            directory.running.parts.call(),
            OrganizationId(organization.id),
            UUID(office["id"]),
            closing_["version"],
        )
    )
    await directory.referrals.held.wait()
    kept = await _keep(organization, closing_)
    gate.set()
    await again

    assert (closing_["state"], kept["state"]) == ("CLOSING", "LIVE")
    assert office["id"] not in directory.referrals.fences


async def test_a_fence_that_comes_up_late_does_not_stand_around_a_group_that_stays(
    directory: Directory, organization: Organization
) -> None:
    """R24: another replica has brought the group back meanwhile."""
    office = await organization.live_office()
    group = await organization.add_group(
        officeIds=[office["id"]], staffUserIds=[await organization.user()]
    )
    directory.referrals.leave_open(group["id"], office["id"])
    gate = directory.referrals.hold(late=True)
    late = asyncio.create_task(
        group_removal.finish_removal(
            directory.running.parts.call(),
            OrganizationId(organization.id),
            UUID(group["id"]),
            group["version"] + 1,
        )
    )
    await directory.referrals.held.wait()
    gate.set()
    with pytest.raises(Conflict, match="changed"):
        await late

    assert group["id"] not in directory.referrals.fences


async def test_what_one_merge_gives_back_keeps_the_fence_of_a_removal_that_took_over(
    directory: Directory, organization: Organization
) -> None:
    """R09, R15."""
    survivor, twin = await organization.approved(), await organization.add_provider(npi=None)
    gate = directory.referrals.hold()
    given = {"duplicateId": twin["id"], "expectedVersion": twin["version"]}
    given |= {"survivorId": survivor["id"], "survivorVersion": survivor["version"]}
    merging = asyncio.create_task(
        organization.do("mergeProviders", "MergeProvidersInput", "__typename", given)
    )
    await directory.referrals.held.wait()
    leaving = await organization.provider(twin["id"])
    removing = asyncio.create_task(organization.versioned("removeProvider", leaving))
    while (await organization.provider(twin["id"]))["version"] == leaving["version"]:
        await asyncio.sleep(0)
    gate.set()
    merged, removed = await asyncio.gather(merging, removing)

    assert (merged["__typename"], removed["state"]) == ("StaleVersionProblem", "REMOVED")
    assert twin["id"] in directory.referrals.fences


async def test_who_moves_with_two_placements_has_no_gap_at_the_new_office(
    directory: Directory, organization: Organization
) -> None:
    """R19."""
    provider, today = await organization.approved(), directory.today()
    office, new = await organization.live_office(), await organization.live_office()
    later = str(today + timedelta(days=30))
    await organization.place(provider, office, effectiveUntil=later)
    await organization.place(provider, office, effectiveFrom=later)
    move = {"providerId": provider["id"], "toOfficeId": new["id"]}
    await _close(organization, office, moves=[move])
    query = """query($id: ID!) { office(id: $id) { placements { edges { node {
        effectiveFrom effectiveUntil } } } } }"""
    rows = (await organization.ask(query, id=new["id"]))["office"]["placements"]["edges"]

    assert [(one["node"]["effectiveFrom"], one["node"]["effectiveUntil"]) for one in rows] == [
        (str(today), later),
        (later, None),
    ]


async def test_an_office_that_is_to_close_opens_on_no_day_after_and_is_not_closed_again(
    directory: Directory, organization: Organization
) -> None:
    """R16, R19."""
    await organization.live_office()
    office = await organization.add_office()
    closes = str(directory.today() + timedelta(days=20))
    planned = await _close(organization, office, closesOn=closes, cutOffOn=closes)
    given = {"officeId": office["id"], "expectedVersion": planned["version"], "goLiveOn": closes}
    refused = await organization.do("changeOffice", "ChangeOfficeInput", OFFICE, given)
    query = "query($id: ID!) { office(id: $id) { allowedActions } }"
    offered = (await organization.ask(query, id=office["id"]))["office"]["allowedActions"]

    assert (refused["code"], refused["field"]) == ("OFFICE_CLOSING", "goLiveOn")
    assert "CLOSE" not in offered
    assert "KEEP" in offered


async def test_what_goes_wrong_with_one_keeps_no_other_waiting() -> None:
    done: list[int] = []

    async def do(one: int) -> None:
        if one == 1:
            raise RuntimeError("no")
        done.append(one)

    with pytest.raises(ExceptionGroup) as told:
        await each(range(3), do)

    assert done == [0, 2]
    assert [str(one) for one in told.value.exceptions] == ["no"]
