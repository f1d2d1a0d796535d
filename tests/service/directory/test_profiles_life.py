"""What a profile says besides, that it is looked at, approved with others, and merged with its twin (R09, R11)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.service.directory.world import IN_THE_WAY, PROVIDER, Directory, Organization

SAID = """query($id: ID!) { provider(id: $id) { id version state npi languages gender email npiStatus reverifyDue
    pendingChange { languages email } allowedActions placements { state office { id } } groups { id } } }"""
MANY = """__typename ... on ApprovedProviders { approved refused results { providerId approved code
    provider { state } } } ... on Problem { code field }"""


async def _said(organization: Organization, provider_id: str, viewer: Any = None) -> Any:  # noqa: ANN401
    return (await organization.ask(SAID, viewer, id=provider_id))["provider"]


async def _merge(
    organization: Organization,
    duplicate: dict[str, Any],
    survivor: dict[str, Any],
    **more: Any,  # noqa: ANN401
) -> dict[str, Any]:
    given = {
        "duplicateId": duplicate["id"],
        "expectedVersion": duplicate["version"],
        "survivorId": survivor["id"],
        "survivorVersion": survivor["version"],
    }
    fields = PROVIDER + IN_THE_WAY
    return await organization.do("mergeProviders", "MergeProvidersInput", fields, given | more)


async def test_languages_gender_and_contact_are_said_and_mail_is_for_the_own_organization(
    organization: Organization, other: Organization
) -> None:
    """R11."""
    provider = await organization.approved(
        languages=[" ES", "en", "es"], gender="FEMALE", email="sam@sample.example"
    )
    seen, theirs = await _said(organization, provider["id"]), await _said(other, provider["id"])
    bad = await organization.add_provider(languages=["Spanish"])
    mail = await organization.add_provider(email="nowhere")

    assert (seen["languages"], seen["gender"]) == (["es", "en"], "FEMALE")
    assert (seen["email"], theirs["email"]) == ("sam@sample.example", None)
    assert theirs["languages"] == ["es", "en"]
    assert (bad["code"], mail["code"]) == ("BAD_LANGUAGE", "BAD_EMAIL")


async def test_a_changed_language_waits_for_approval_and_the_old_ones_hold(
    organization: Organization,
) -> None:
    """R11."""
    provider = await organization.approved(languages=["en"])
    office = await organization.live_office(provider)
    admin = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    given = {"providerId": provider["id"], "expectedVersion": provider["version"]}
    await organization.do(
        "changeProvider", "ChangeProviderInput", PROVIDER, given | {"languages": ["fr"]}, admin
    )
    waiting = await _said(organization, provider["id"])
    await organization.versioned("approveProvider", waiting)
    after = await _said(organization, provider["id"])

    assert (waiting["languages"], waiting["pendingChange"]["languages"]) == (["en"], ["fr"])
    assert after["languages"] == ["fr"]


async def test_a_deactivated_npi_is_not_approved_until_it_is_another(
    directory: Directory, organization: Organization
) -> None:
    """R11."""
    provider = await organization.add_provider(submit=True)
    async with directory.running.parts.db.everywhere().transaction() as tx:
        await tx.execute(
            "UPDATE providers SET npi_status = 'DEACTIVATED' WHERE id = $1", UUID(provider["id"])
        )
    refused = await organization.versioned("approveProvider", provider)
    given = {"providerId": provider["id"], "expectedVersion": provider["version"]}
    given["npi"] = directory.npi()
    changed = await organization.do("changeProvider", "ChangeProviderInput", PROVIDER, given)
    approved = await organization.versioned("approveProvider", changed)

    assert (refused["code"], refused["field"]) == ("NPI_DEACTIVATED", "npi")
    assert approved["state"] == "APPROVED"


async def test_many_are_approved_each_by_itself(
    organization: Organization, other: Organization
) -> None:
    """R11."""
    good = [await organization.add_provider(submit=True) for _ in range(2)]
    bare = await organization.add_provider(submit=True, npi=None)
    draft, foreign = await organization.add_provider(), await other.add_provider(submit=True)
    asked = [*good, bare, draft, foreign, {"id": good[0]["id"], "version": 7}]
    given = [{"providerId": one["id"], "expectedVersion": one["version"]} for one in asked]
    verb, kind = "approveProviders", "ApproveProvidersInput"
    done = await organization.do(verb, kind, MANY, {"providers": given})
    none = await organization.do(verb, kind, MANY, {"providers": []})
    staff = organization.somebody(office_admin_of=frozenset({uuid4()}))
    denied = await organization.do(verb, kind, MANY, {"providers": given}, staff)

    assert (done["approved"], done["refused"]) == (2, 4)
    assert [one["code"] for one in done["results"]] == [
        None,
        None,
        "INCOMPLETE",
        "PROVIDER_STATE",
        "NOT_FOUND",
        "STALE_VERSION",
    ]
    assert [none["code"], denied["code"]] == ["INVALID", "FORBIDDEN"]


async def test_an_approval_and_an_edit_at_once_never_approve_what_nobody_saw(
    organization: Organization,
) -> None:
    """R11."""
    for _ in range(6):
        provider = await organization.add_provider(submit=True, languages=["en"])
        given = {"providerId": provider["id"], "expectedVersion": provider["version"]}
        edit = organization.do(
            "changeProvider", "ChangeProviderInput", PROVIDER, given | {"languages": ["de"]}
        )
        approved, edited = await asyncio.gather(
            organization.versioned("approveProvider", provider), edit
        )
        names = sorted(one["__typename"] for one in (approved, edited))

        assert names == ["Provider", "StaleVersionProblem"]


async def test_a_twin_is_merged_and_its_id_answers_the_one_that_stays(
    directory: Directory, organization: Organization
) -> None:
    """R09."""
    survivor, twin = await organization.approved(), await organization.add_provider(npi=None)
    shared, own = await organization.live_office(survivor), await organization.live_office()
    await organization.place(twin, shared)
    await organization.place(twin, own)
    group = await organization.add_group(officeIds=[own["id"]], providerIds=[twin["id"]])
    merged = await _merge(organization, twin, survivor)
    by_old = await _said(organization, twin["id"])
    now = {one["office"]["id"] for one in by_old["placements"] if one["state"] == "ACTIVE"}

    assert merged["id"] == by_old["id"] == survivor["id"]
    assert now == {shared["id"], own["id"]}
    assert by_old["groups"] == [{"id": group["id"]}]
    assert (await directory.facts(twin["id"]))[-1] == "merged"


async def test_a_survivor_without_an_npi_takes_the_twin_s(organization: Organization) -> None:
    """R09."""
    survivor, twin = await organization.add_provider(npi=None), await organization.add_provider()
    merged = await _merge(organization, twin, survivor)

    assert merged["npi"] == twin["npi"]


async def test_a_merge_that_cannot_be_leaves_both_as_they_were(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R09."""
    one, two = await organization.approved(), await organization.approved()
    twin = await organization.add_provider(npi=None)
    gone = await organization.versioned("removeProvider", await organization.approved())
    directory.referrals.leave_open(twin["id"], str(uuid4()))
    foreign = await other.approved()
    answers = [
        await _merge(organization, two, one),
        await _merge(organization, one, one),
        await _merge(organization, twin, one, survivorVersion=9),
        await _merge(organization, twin, gone),
        await _merge(organization, twin, foreign),
        await _merge(organization, twin, one),
    ]
    after = await _said(organization, twin["id"])

    assert [each["code"] for each in answers] == [
        "DIFFERENT_NPI",
        "SAME_PROVIDER",
        "STALE_VERSION",
        "PROVIDER_STATE",
        "NOT_FOUND",
        "OPEN_REFERRALS",
    ]
    assert (after["id"], after["state"]) == (twin["id"], "DRAFT")
    assert twin["id"] not in directory.referrals.fences


async def test_a_merge_that_crashed_gives_the_twin_back(
    directory: Directory, organization: Organization
) -> None:
    """R09. Moves the clock."""
    survivor, twin = await organization.approved(), await organization.add_provider(npi=None)
    gate = directory.referrals.hold()
    work = asyncio.create_task(_merge(organization, twin, survivor))
    await directory.referrals.held.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    gate.set()
    await directory.running.advance(timedelta(minutes=1))
    after = await _said(organization, twin["id"])

    assert (after["id"], after["state"]) == (twin["id"], "DRAFT")
    assert twin["id"] not in directory.referrals.fences


async def test_a_profile_is_to_be_looked_at_again_after_ninety_days(
    directory: Directory, organization: Organization
) -> None:
    """R11. Moves the clock."""
    provider = await organization.approved()
    fresh = await _said(organization, provider["id"])
    await directory.running.advance(timedelta(days=90))
    due = await _said(organization, provider["id"])
    verified = await organization.versioned("verifyProvider", provider)
    done = await _said(organization, provider["id"])

    assert (fresh["reverifyDue"], due["reverifyDue"], done["reverifyDue"]) == (False, True, False)
    assert "VERIFY" in due["allowedActions"]
    assert verified["__typename"] == "Provider"
    assert (await directory.facts(provider["id"]))[-1] == "verified"
