"""Two records of one person whose NPIs differ because one of them was typed wrong (R09, R11)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.auth import Viewer
from tests.service.directory.world import IN_THE_WAY, PROVIDER, Directory, Organization

WHY = "Looked both up in the register: the other one is nobody's."


async def _twins(
    organization: Organization,
    **second: Any,  # noqa: ANN401 - of a profile
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two approved records of one name."""
    name = {"firstName": "Renée B.", "lastName": f"O'Sample{uuid4().hex[:6]}"}
    same = name | {"firstName": "RENEE", "lastName": name["lastName"].replace("'", "")}
    return await organization.approved(**name), await organization.approved(**(same | second))


async def _merge(
    organization: Organization,
    duplicate: dict[str, Any],
    survivor: dict[str, Any],
    viewer: Viewer | None = None,
    **more: Any,  # noqa: ANN401 - what else the verb takes
) -> dict[str, Any]:
    seen = [await organization.provider(one["id"]) for one in (duplicate, survivor)]
    given = {
        "duplicateId": duplicate["id"],
        "expectedVersion": seen[0]["version"],
        "survivorId": survivor["id"],
        "survivorVersion": seen[1]["version"],
        **more,
    }
    fields = PROVIDER + IN_THE_WAY
    return await organization.do("mergeProviders", "MergeProvidersInput", fields, given, viewer)


async def _register(organization: Organization, *npis: str, status: str = "ACTIVE") -> None:
    rows = [{"npi": one, "status": status} for one in npis]
    given = {"rows": rows, "idempotencyKey": str(uuid4())}
    await organization.do("noteNpis", "NoteNpisInput", "__typename", given)


@pytest.mark.parametrize("mine", [True, False])
async def test_a_client_admin_says_which_of_two_npis_is_right_and_why(
    directory: Directory, organization: Organization, *, mine: bool
) -> None:
    """R09: whichever of the records stays, with places and groups of both; the reason is in the audit trail."""
    twin, survivor = await _twins(organization)
    office = await organization.live_office(twin)
    group = await organization.add_group(officeIds=[office["id"]], providerIds=[twin["id"]])
    right = survivor["npi"] if mine else twin["npi"]
    unsaid = await _merge(organization, twin, survivor)
    merged = await _merge(organization, twin, survivor, npi=f" {right} ", reason=WHY)
    query = """query($id: ID!) { provider(id: $id) { id npi state npiStatus groups { id }
        placements { state office { id } } } }"""
    by_old = (await organization.ask(query, id=twin["id"]))["provider"]
    rows = await directory.running.sql.fetch(
        "SELECT act, reason, fields FROM audit_entries WHERE about = ANY($1) AND act IN ('provider.merged',"
        " 'provider.npi_settled') ORDER BY act",
        [UUID(one["id"]) for one in (twin, survivor)],
    )

    assert (unsaid["code"], "reason" in unsaid["remedy"]) == ("DIFFERENT_NPI", True)
    assert (merged["id"], merged["npi"], merged["state"]) == (survivor["id"], right, "APPROVED")
    assert (by_old["id"], by_old["npi"]) == (survivor["id"], right)
    assert by_old["placements"] == [{"state": "ACTIVE", "office": {"id": office["id"]}}]
    assert by_old["groups"] == [{"id": group["id"]}]
    assert [row["act"] for row in rows] == ["provider.merged", "provider.npi_settled"]
    assert (rows[1]["reason"], rows[1]["fields"]) == (WHY, ["npi"])
    assert (await directory.facts(twin["id"]))[-1] == "merged"


async def test_what_is_said_of_the_npis_is_one_of_the_two_and_has_a_reason(
    directory: Directory, organization: Organization
) -> None:
    """R09: and whoever is refused finds both as they were."""
    twin, survivor = await _twins(organization)
    answers = [
        await _merge(organization, twin, survivor, npi=directory.npi(), reason=WHY),
        await _merge(organization, twin, survivor, npi=twin["npi"]),
        await _merge(organization, twin, survivor, npi=twin["npi"], reason="  "),
    ]
    after = await organization.provider(twin["id"])

    assert [(one["code"], one["field"]) for one in answers] == [
        ("NPI_NOT_THEIRS", "npi"),
        ("REASON_REQUIRED", "reason"),
        ("REASON_REQUIRED", "reason"),
    ]
    assert (after["id"], after["version"]) == (twin["id"], twin["version"])


async def test_two_people_whom_the_register_knows_are_not_merged(
    organization: Organization,
) -> None:
    """R09, R11: two NPIs of the register under two names; under one name one of them was taken from the wrong line."""
    one, other = await _twins(organization, lastName="Zeta")
    half = await _merge(organization, one, other)
    await _register(organization, one["npi"], other["npi"])
    refused = await _merge(organization, one, other, npi=one["npi"], reason=WHY)
    twin, survivor = await _twins(organization)
    await _register(organization, twin["npi"], survivor["npi"])
    merged = await _merge(organization, twin, survivor, npi=twin["npi"], reason=WHY)

    assert half["code"] == "DIFFERENT_NPI"
    assert refused["code"] == "TWO_PEOPLE"
    assert refused["remedy"]
    assert (merged["id"], merged["npi"]) == (survivor["id"], twin["npi"])


async def test_an_npi_that_the_register_has_ended_is_not_the_right_one(
    organization: Organization,
) -> None:
    """R09, R11: and what the register says of the right one is taken along with it."""
    twin, survivor = await _twins(organization)
    await _register(organization, survivor["npi"], status="DEACTIVATED")
    await _register(organization, twin["npi"])
    ended = await _merge(organization, twin, survivor, npi=survivor["npi"], reason=WHY)
    merged = await _merge(organization, twin, survivor, npi=twin["npi"], reason=WHY)
    query = "query($id: ID!) { provider(id: $id) { npi npiStatus } }"
    after = (await organization.ask(query, id=survivor["id"]))["provider"]

    assert (ended["code"], ended["field"]) == ("NPI_DEACTIVATED", "npi")
    assert merged["id"] == survivor["id"]
    assert after == {"npi": twin["npi"], "npiStatus": "ACTIVE"}


async def test_a_change_that_waits_does_not_bring_the_wrong_npi_back(
    organization: Organization,
) -> None:
    """R09, R11."""
    twin, survivor = await _twins(organization)
    office = await organization.live_office(survivor)
    own = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    given = {"providerId": survivor["id"], "expectedVersion": survivor["version"]}
    given["phone"] = "617 555 0142"
    await organization.do("changeProvider", "ChangeProviderInput", PROVIDER, given, own)
    merged = await _merge(organization, twin, survivor, npi=twin["npi"], reason=WHY)
    approved = await organization.versioned("approveProvider", merged)

    assert (merged["npi"], approved["npi"]) == (twin["npi"], twin["npi"])


async def test_where_two_people_approve_an_npi_that_nobody_approved_is_not_put_in_by_a_merge(
    organization: Organization,
) -> None:
    """R09, R11."""
    survivor = await organization.approved(firstName="Ada", lastName="Twice")
    draft = await organization.add_provider(firstName="Ada", lastName="Twice")
    given = {"expectedVersion": 0, "secondApprover": True}
    verb, kind = "changeDirectorySettings", "ChangeDirectorySettingsInput"
    await organization.do(verb, kind, "__typename", given)
    refused = await _merge(organization, draft, survivor, npi=draft["npi"], reason=WHY)
    merged = await _merge(organization, draft, survivor, npi=survivor["npi"], reason=WHY)

    assert refused["code"] == "SECOND_APPROVER"
    assert (merged["id"], merged["npi"]) == (survivor["id"], survivor["npi"])


async def test_a_record_that_is_approved_while_it_takes_the_other_npi_does_not_take_one_nobody_approved(
    directory: Directory, organization: Organization
) -> None:
    """R09, R11: where two people approve, what was judged before the fence is judged again behind it."""
    name = {"firstName": "Ada", "lastName": "Meanwhile"}
    draft, survivor = [await organization.add_provider(**name) for _ in range(2)]
    given = {"expectedVersion": 0, "secondApprover": True}
    verb, kind = "changeDirectorySettings", "ChangeDirectorySettingsInput"
    await organization.do(verb, kind, "__typename", given)
    survivor = await organization.versioned("submitProvider", survivor)
    gate = directory.referrals.hold()
    merging = asyncio.create_task(
        _merge(organization, draft, survivor, npi=draft["npi"], reason=WHY)
    )
    await directory.referrals.held.wait()
    second = organization.somebody(client_admin=True)
    approved = await organization.versioned("approveProvider", survivor, second)
    gate.set()
    refused = await merging
    after = [await organization.provider(one["id"]) for one in (draft, survivor)]

    assert approved["state"] == "APPROVED"
    assert refused["code"] == "SECOND_APPROVER"
    assert [(one["npi"], one["state"]) for one in after] == [
        (draft["npi"], "DRAFT"),
        (survivor["npi"], "APPROVED"),
    ]


async def test_who_puts_another_npi_into_what_was_submitted_does_not_approve_it(
    organization: Organization,
) -> None:
    """R09, R11: as whoever changes it by hand."""
    name = {"firstName": "Ada", "lastName": "Submitted"}
    draft, survivor = [await organization.add_provider(**name) for _ in range(2)]
    given = {"expectedVersion": 0, "secondApprover": True}
    verb, kind = "changeDirectorySettings", "ChangeDirectorySettingsInput"
    await organization.do(verb, kind, "__typename", given)
    await organization.versioned("submitProvider", survivor)
    second = organization.somebody(client_admin=True)
    merged = await _merge(organization, draft, survivor, second, npi=draft["npi"], reason=WHY)
    own = await organization.versioned("approveProvider", merged, second)
    approved = await organization.versioned("approveProvider", merged)

    assert merged["npi"] == draft["npi"]
    assert own["code"] == "SECOND_APPROVER"
    assert approved["state"] == "APPROVED"


async def test_referrals_that_are_open_with_the_twin_are_still_in_the_way(
    directory: Directory, organization: Organization
) -> None:
    """R09, R15: both are as they were, with their own NPIs."""
    twin, survivor = await _twins(organization)
    directory.referrals.leave_open(twin["id"], str(uuid4()))
    refused = await _merge(organization, twin, survivor, npi=twin["npi"], reason=WHY)
    after = [await organization.provider(one["id"]) for one in (twin, survivor)]
    directory.referrals.work.clear()

    assert refused["code"] == "OPEN_REFERRALS"
    assert [(one["npi"], one["state"]) for one in after] == [
        (twin["npi"], "APPROVED"),
        (survivor["npi"], "APPROVED"),
    ]
    assert twin["id"] not in directory.referrals.fences


async def test_only_client_admins_say_which_npi_is_right(organization: Organization) -> None:
    """R02."""
    twin, survivor = await _twins(organization)
    office_admin = organization.somebody(office_admin_of=frozenset({uuid4()}))
    refused = await _merge(organization, twin, survivor, office_admin, npi=twin["npi"], reason=WHY)

    assert refused["code"] == "FORBIDDEN"
