"""Providers on real servers: adding, changing, approving, importing (R09, R11)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

from kit.auth import ANONYMOUS
from tests.service.directory.world import CARDIOLOGY, FAMILY, PROVIDER, Directory, Organization


async def test_a_provider_is_added_submitted_and_approved(
    directory: Directory, organization: Organization
) -> None:
    """R11."""
    added = await organization.add_provider()
    submitted = await organization.versioned("submitProvider", added)
    approved = await organization.versioned("approveProvider", submitted)

    assert [one["state"] for one in (added, submitted, approved)] == [
        "DRAFT",
        "SUBMITTED",
        "APPROVED",
    ]
    assert await directory.facts(added["id"]) == ["added", "submitted", "approved"]


async def test_the_same_npi_offers_the_match_instead_of_a_second_row(
    organization: Organization,
) -> None:
    """R09."""
    first = await organization.add_provider()
    again = await organization.add_provider(npi=first["npi"])

    assert again["__typename"] == "DuplicateNpiProblem"
    assert again["code"] == "DUPLICATE_NPI"
    assert again["providerId"] == first["id"]


async def test_two_admins_who_add_the_same_npi_at_once_make_one_provider(
    directory: Directory, organization: Organization
) -> None:
    """R09."""
    npi = directory.npi()
    answers = await asyncio.gather(*(organization.add_provider(npi=npi) for _ in range(6)))

    kinds = sorted(one["__typename"] for one in answers)
    assert kinds == ["DuplicateNpiProblem"] * 5 + ["Provider"]
    made = next(one["id"] for one in answers if one["__typename"] == "Provider")
    assert {one["providerId"] for one in answers if "providerId" in one} == {made}


async def test_a_retry_with_the_same_key_adds_nothing(organization: Organization) -> None:
    key, npi = str(uuid4()), organization.directory.npi()
    given = {"idempotencyKey": key, "npi": npi, "lastName": "Retry"}
    first = await organization.add_provider(**given)
    second = await organization.add_provider(**given)
    other = await organization.add_provider(**(given | {"lastName": "Other"}))

    assert first["id"] == second["id"]
    assert other["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_wrong_check_digit_is_refused_with_the_field(organization: Organization) -> None:
    refused = await organization.add_provider(npi="1234567890")

    assert (refused["__typename"], refused["code"], refused["field"]) == (
        "InvalidProblem",
        "NPI_INVALID",
        "npi",
    )


async def test_an_unknown_specialty_is_refused(organization: Organization) -> None:
    refused = await organization.add_provider(specialtyCodes=["999999999X"])

    assert refused["code"] == "UNKNOWN_SPECIALTY"


async def test_a_profile_without_npi_and_specialty_cannot_be_approved(
    organization: Organization,
) -> None:
    """R11."""
    added = await organization.add_provider(npi=None, specialtyCodes=[], submit=True)
    refused = await organization.versioned("approveProvider", added)

    assert refused["__typename"] == "IncompleteProblem"
    assert refused["missing"] == ["npi", "specialtyCodes"]


async def test_an_office_admin_asks_for_a_provider_and_cannot_approve_it(
    organization: Organization,
) -> None:
    """R09."""
    office = await organization.live_office()
    admin = organization.somebody(office_admin_of=frozenset({uuid4()}))
    added = await organization.add_provider(admin, submit=True)
    refused = await organization.versioned("approveProvider", added, admin)

    assert added["state"] == "SUBMITTED"
    assert refused["code"] == "FORBIDDEN"
    assert office["state"] == "LIVE"


async def test_office_staff_cannot_add_a_provider(organization: Organization) -> None:
    staff = organization.somebody(office_staff_of=frozenset({uuid4()}))

    assert (await organization.add_provider(staff))["code"] == "FORBIDDEN"


async def test_another_organization_meets_an_unknown_provider(
    organization: Organization, other: Organization
) -> None:
    """R02."""
    draft = await organization.add_provider()
    refused = await other.versioned("submitProvider", draft)

    assert refused["code"] == "NOT_FOUND"
    assert await other.provider(draft["id"]) is None
    assert await other.provider(str(uuid4())) is None


async def test_an_approved_provider_is_seen_by_the_network_without_its_making(
    organization: Organization, other: Organization
) -> None:
    approved = await organization.approved()
    seen = await other.provider(approved["id"])

    assert seen["state"] == "APPROVED"
    assert seen["allowedActions"] == []
    assert seen["specialties"] == [{"code": CARDIOLOGY}]


async def test_a_stale_version_is_refused(organization: Organization) -> None:
    added = await organization.add_provider()
    await organization.versioned("submitProvider", added)

    assert (await organization.versioned("submitProvider", added))["code"] == "STALE_VERSION"


async def test_two_approvals_at_once_have_one_winner(organization: Organization) -> None:
    added = await organization.add_provider(submit=True)
    answers = await asyncio.gather(
        *(organization.versioned("approveProvider", added) for _ in range(4))
    )

    assert (
        sorted(one["__typename"] for one in answers) == ["Provider"] + ["StaleVersionProblem"] * 3
    )


async def test_a_rejected_provider_keeps_the_reason_until_it_is_submitted_again(
    organization: Organization,
) -> None:
    """R11."""
    added = await organization.add_provider(submit=True)
    given = {
        "providerId": added["id"],
        "expectedVersion": added["version"],
        "reason": "The credential is missing.",
    }
    rejected = await organization.do("rejectProvider", "RejectProviderInput", PROVIDER, given)
    seen = await organization.provider(added["id"])
    again = await organization.versioned("submitProvider", rejected)

    assert (rejected["state"], again["state"]) == ("REJECTED", "SUBMITTED")
    assert seen["rejectionReason"] == "The credential is missing."


async def _change(
    organization: Organization, provider: dict[str, Any], **given: object
) -> dict[str, Any]:
    asked = {"providerId": provider["id"], "expectedVersion": provider["version"], **given}
    return await organization.do("changeProvider", "ChangeProviderInput", PROVIDER, asked)


async def test_with_a_second_approver_old_values_hold_until_the_change_is_approved(
    organization: Organization,
) -> None:
    """R11."""
    settings = await organization.do(
        "changeDirectorySettings",
        "ChangeDirectorySettingsInput",
        "... on DirectorySettings { secondApprover version } ... on Problem { code }",
        {"expectedVersion": 0, "secondApprover": True},
    )
    second = organization.somebody(client_admin=True)
    added = await organization.add_provider(submit=True)
    own = await organization.versioned("approveProvider", added)
    approved = await organization.versioned("approveProvider", added, second)
    changed = await _change(organization, approved, specialtyCodes=[FAMILY])
    waiting = await organization.provider(approved["id"])
    done = await organization.versioned("approveProvider", changed, second)
    seen = await organization.provider(approved["id"])

    assert settings == {"secondApprover": True, "version": 1}
    assert own["code"] == "SECOND_APPROVER"
    assert waiting["specialties"] == [{"code": CARDIOLOGY}]
    assert waiting["pendingChange"] == {"specialtyCodes": [FAMILY]}
    assert done["state"] == "APPROVED"
    assert (seen["specialties"], seen["pendingChange"]) == ([{"code": FAMILY}], None)


async def test_a_provider_asks_for_a_change_of_the_own_profile_and_a_client_admin_decides(
    organization: Organization,
) -> None:
    """R02, R11: also where a client admin alone changes profiles at once."""
    approved = await organization.approved()
    me = organization.somebody(provider_id=UUID(approved["id"]))
    asked = {
        "providerId": approved["id"],
        "expectedVersion": approved["version"],
        "specialtyCodes": [FAMILY],
    }

    changed = await organization.do(
        "changeProvider", "ChangeProviderInput", PROVIDER, asked, viewer=me
    )
    waiting = await organization.provider(approved["id"])
    refused = [
        await organization.versioned(verb, changed, me)
        for verb in ("verifyProvider", "approveProvider")
    ]
    await organization.versioned("approveProvider", changed)
    seen = await organization.provider(approved["id"])

    assert waiting["specialties"] == [{"code": CARDIOLOGY}]
    assert waiting["pendingChange"] == {"specialtyCodes": [FAMILY]}
    assert changed["allowedActions"] == ["CHANGE"]
    assert [one["code"] for one in refused] == ["FORBIDDEN", "FORBIDDEN"]
    assert (seen["specialties"], seen["pendingChange"]) == ([{"code": FAMILY}], None)


async def test_a_provider_asks_for_no_change_of_a_colleague_or_of_a_record_not_yet_approved(
    organization: Organization,
) -> None:
    """R02, R11."""
    colleague = await organization.approved()
    draft = await organization.add_provider()
    for one, whose in ((colleague, draft), (draft, draft)):
        me = organization.somebody(provider_id=UUID(whose["id"]))
        asked = {
            "providerId": one["id"],
            "expectedVersion": one["version"],
            "phone": "312-555-0199",
        }

        refused = await organization.do(
            "changeProvider", "ChangeProviderInput", PROVIDER, asked, viewer=me
        )

        assert refused["code"] == "FORBIDDEN"


async def test_a_client_admin_alone_changes_an_approved_profile_at_once(
    directory: Directory, organization: Organization
) -> None:
    approved = await organization.approved()
    await _change(organization, approved, specialtyCodes=[FAMILY])

    assert (await organization.provider(approved["id"]))["specialties"] == [{"code": FAMILY}]
    assert (await directory.facts(approved["id"]))[-1] == "approved"


async def test_an_import_answers_row_by_row(
    directory: Directory, organization: Organization
) -> None:
    known = await organization.add_provider()
    key, npi = str(uuid4()), directory.npi()
    person = {"firstName": "Ina", "lastName": "Import"}
    rows = [
        person | {"npi": npi, "specialtyCodes": [CARDIOLOGY, "123456789X"]},
        person | {"npi": known["npi"]},
        person | {"npi": "1234567890"},
        person | {"npi": npi},
    ]
    fields = """__typename ... on ImportedProviders { added known refused
        rows { row status providerId code field ignoredSpecialtyCodes } } ... on Problem { code }"""
    given = {"idempotencyKey": key, "rows": rows, "submit": True}
    answer = await organization.do("importProviders", "ImportProvidersInput", fields, given)
    again = await organization.do("importProviders", "ImportProvidersInput", fields, given)

    assert (answer["added"], answer["known"], answer["refused"]) == (1, 2, 1)
    assert [row["status"] for row in answer["rows"]] == ["ADDED", "KNOWN", "REFUSED", "KNOWN"]
    assert answer["rows"][0]["ignoredSpecialtyCodes"] == ["123456789X"]
    assert answer["rows"][1]["providerId"] == known["id"]
    assert answer["rows"][2]["code"] == "NPI_INVALID"
    assert again == answer


async def test_providers_are_found_by_part_of_the_name_and_paged(
    organization: Organization,
) -> None:
    for name in ("Ardent", "Argus", "Borel"):
        await organization.add_provider(lastName=name)
    query = """query($after: String) { providers(filter: {name: "ar"}, first: 1, after: $after) {
        edges { node { name } } pageInfo { hasNextPage endCursor } } }"""
    first = (await organization.ask(query))["providers"]
    second = (await organization.ask(query, after=first["pageInfo"]["endCursor"]))["providers"]

    assert [edge["node"]["name"] for edge in first["edges"] + second["edges"]] == [
        "Sam Ardent",
        "Sam Argus",
    ]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)


async def test_a_percent_sign_in_a_name_is_only_a_percent_sign(organization: Organization) -> None:
    await organization.add_provider()
    data = await organization.ask(
        'query { providers(filter: {name: "%"}) { edges { node { id } } } }'
    )

    assert data["providers"]["edges"] == []


async def test_providers_without_an_office_are_listed(organization: Organization) -> None:
    """R06."""
    placed, loose = await organization.approved(), await organization.approved()
    await organization.live_office(placed)
    data = await organization.ask(
        "query { providers(filter: {withoutOffice: true}) { edges { node { id } } } }"
    )

    assert [edge["node"]["id"] for edge in data["providers"]["edges"]] == [loose["id"]]


async def test_nobody_reads_the_directory_without_signing_in(
    directory: Directory, organization: Organization
) -> None:
    approved = await organization.approved()
    for query in ("{ specialties { code } }", f'{{ provider(id: "{approved["id"]}") {{ id }} }}'):
        answer = await directory.running.gql(query, viewer=ANONYMOUS)
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_the_network_cannot_find_out_who_will_work_at_an_office_that_is_not_live(
    organization: Organization, other: Organization
) -> None:
    """R16: the office answers like one that never was."""
    provider = await organization.approved()
    planned = await organization.add_office(providerIds=[provider["id"]])
    query = """query($office: ID!) {
        providers(network: true, first: 100, filter: {officeId: $office}) { edges { node { id } } } }"""

    hidden = await other.ask(query, office=planned["id"])
    own = await organization.ask(query.replace("network: true, ", ""), office=planned["id"])

    assert hidden["providers"]["edges"] == []
    assert [edge["node"]["id"] for edge in own["providers"]["edges"]] == [provider["id"]]


async def test_the_network_does_not_learn_from_a_filter_who_will_work_at_a_planned_office(
    organization: Organization, other: Organization
) -> None:
    """R06, R16."""
    provider = await organization.approved(lastName="Unplaced")
    office = await organization.add_office(providerIds=[provider["id"]])
    query = """query($filter: ProvidersFilter!, $network: Boolean!) {
        providers(filter: $filter, network: $network, first: 100) { edges { node { id } } } }"""

    async def listed(viewer: Organization, *, network: bool, **wanted: object) -> list[str]:
        given = {"name": "Unplaced", **wanted}
        data = await viewer.ask(query, filter=given, network=network)
        return [edge["node"]["id"] for edge in data["providers"]["edges"]]

    assert await listed(organization, network=False, withoutOffice=True) == []
    assert await listed(organization, network=False, officeId=office["id"]) == [provider["id"]]
    assert await listed(other, network=True, withoutOffice=True) == [provider["id"]]
    assert await listed(other, network=True, officeId=office["id"]) == []
