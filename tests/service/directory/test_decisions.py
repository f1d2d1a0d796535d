"""Decisions about profiles that are easily got wrong: while somebody leaves, by whom, and which of two records stays (R09, R11)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.service.directory.world import IN_THE_WAY, PROVIDER, Directory, Organization


async def _change(
    organization: Organization,
    provider: dict[str, Any],
    viewer: Any = None,  # noqa: ANN401
    **given: Any,  # noqa: ANN401
) -> dict[str, Any]:
    asked = {"providerId": provider["id"], "expectedVersion": provider["version"], **given}
    return await organization.do(
        "changeProvider", "ChangeProviderInput", PROVIDER, asked, viewer=viewer
    )


async def _reject(organization: Organization, provider: dict[str, Any]) -> dict[str, Any]:
    given = {"providerId": provider["id"], "expectedVersion": provider["version"]}
    given["reason"] = "The number is of another practice."
    return await organization.do("rejectProvider", "RejectProviderInput", PROVIDER, given)


async def _merge(
    organization: Organization, duplicate: dict[str, Any], survivor: dict[str, Any]
) -> dict[str, Any]:
    given = {
        "duplicateId": duplicate["id"],
        "expectedVersion": duplicate["version"],
        "survivorId": survivor["id"],
        "survivorVersion": survivor["version"],
    }
    fields = PROVIDER + IN_THE_WAY
    return await organization.do("mergeProviders", "MergeProvidersInput", fields, given)


async def _two_approvers(organization: Organization) -> None:
    given = {"expectedVersion": 0, "secondApprover": True}
    answer = await organization.do(
        "changeDirectorySettings", "ChangeDirectorySettingsInput", "__typename", given
    )
    assert answer["__typename"] == "DirectorySettings"


async def _proposed(organization: Organization) -> tuple[dict[str, Any], dict[str, Any]]:
    """An approved provider with a change that waits, and an office where the admin who asked for it works."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    own = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    return await _change(organization, provider, own, phone="617 555 0199"), office


async def test_a_change_that_waits_is_not_decided_while_the_provider_is_leaving(
    organization: Organization,
) -> None:
    """R11, R15."""
    waits, _ = await _proposed(organization)
    leaving = await organization.versioned("startOffboarding", waits)
    refused = await organization.versioned("approveProvider", leaving)
    kept = await organization.versioned("keepProvider", leaving)
    approved = await organization.versioned("approveProvider", kept)

    assert refused["code"] == "PROVIDER_STATE"
    assert not {"APPROVE", "REJECT"} & set(leaving["allowedActions"])
    assert (kept["state"], approved["state"]) == ("APPROVED", "APPROVED")


async def test_who_turned_a_change_down_and_why_stands_in_the_audit_trail(
    directory: Directory, organization: Organization
) -> None:
    """R11."""
    waits, _ = await _proposed(organization)
    rejected = await _reject(organization, waits)
    submitted = await organization.add_provider(submit=True)
    await _reject(organization, submitted)
    rows = [
        await directory.running.sql.fetch(
            "SELECT act, user_id, reason FROM audit_entries WHERE about = $1 ORDER BY id DESC LIMIT 1",
            UUID(one["id"]),
        )
        for one in (waits, submitted)
    ]

    assert rejected["state"] == "APPROVED"
    assert [row[0]["act"] for row in rows] == ["provider.change_rejected", "provider.rejected"]
    assert {row[0]["reason"] for row in rows} == {"The number is of another practice."}


async def test_whoever_changes_what_was_submitted_does_not_approve_it_alone(
    organization: Organization,
) -> None:
    """R11."""
    await _two_approvers(organization)
    second = replace(organization.admin, user_id=uuid4())
    asked = await organization.add_provider(submit=True, viewer=second)
    changed = await _change(organization, asked, phone="617 555 0123")
    alone = await organization.versioned("approveProvider", changed)
    together = await organization.versioned("approveProvider", changed, viewer=second)

    assert alone["code"] == "SECOND_APPROVER"
    assert together["state"] == "APPROVED"


async def test_an_approved_record_is_not_merged_into_one_that_nobody_approved(
    organization: Organization,
) -> None:
    """R09, R11: others would no longer find who it was."""
    approved = await organization.approved()
    draft = await organization.add_provider(npi=None)
    refused = await _merge(organization, approved, draft)
    merged = await _merge(organization, draft, approved)

    assert (refused["code"], refused["field"]) == ("PROVIDER_STATE", "survivorId")
    assert merged["id"] == approved["id"]


async def test_a_survivor_takes_along_what_the_register_says_of_the_npi(
    organization: Organization,
) -> None:
    """R09, R11: a deactivated NPI stays one."""
    survivor = await organization.add_provider(npi=None, submit=True)
    twin = await organization.add_provider()
    given = {
        "rows": [{"npi": twin["npi"], "status": "DEACTIVATED"}],
        "idempotencyKey": str(uuid4()),
    }
    await organization.do("noteNpis", "NoteNpisInput", "__typename", given)
    noted = await organization.provider(twin["id"])
    merged = await _merge(organization, noted, survivor)
    refused = await organization.versioned("approveProvider", merged)

    assert merged["npi"] == twin["npi"]
    assert refused["code"] == "NPI_DEACTIVATED"


async def test_a_merge_and_a_closing_at_once_leave_nobody_at_a_closed_office(
    organization: Organization,
) -> None:
    """R09, R19."""
    for _ in range(4):
        survivor, twin = await organization.approved(), await organization.add_provider(npi=None)
        office = await organization.live_office()
        await organization.live_office()
        await organization.place(twin, office)
        given = {"officeId": office["id"], "expectedVersion": office["version"]}
        given |= {"confirmOrphans": True, "confirmLastOffice": True}
        _, closed = await asyncio.gather(
            _merge(organization, twin, survivor),
            organization.do("closeOffice", "CloseOfficeInput", "__typename", given),
        )
        after = await organization.provider(survivor["id"])

        if closed["__typename"] == "Office":
            assert all(one["state"] == "ENDED" for one in after["placements"])


async def test_an_approval_and_an_import_of_the_same_npi_do_not_wait_for_each_other(
    organization: Organization,
) -> None:
    """R09, R11."""
    for _ in range(8):
        provider = await organization.add_provider(submit=True)
        row = {"firstName": "Sam", "lastName": "Sample", "npi": provider["npi"]}
        given = {"rows": [row], "fromRegister": True, "idempotencyKey": str(uuid4())}
        approved, imported = await asyncio.gather(
            organization.versioned("approveProvider", provider),
            organization.do("importProviders", "ImportProvidersInput", "__typename", given),
        )

        assert approved["__typename"] in {"Provider", "StaleVersionProblem"}
        assert imported["__typename"] == "ImportedProviders"


async def test_an_admin_is_offered_to_change_only_whom_they_still_have(
    directory: Directory, organization: Organization
) -> None:
    """R09."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    own = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    before = (await organization.provider(provider["id"], own))["allowedActions"]
    await organization.end_placements(provider)
    await directory.running.advance(timedelta(days=1))
    after = (await organization.provider(provider["id"], own))["allowedActions"]
    refused = await _change(organization, provider, own, phone="617 555 0100")

    assert "CHANGE" in before
    assert after == ["PLACE"]
    assert refused["code"] == "FORBIDDEN"
