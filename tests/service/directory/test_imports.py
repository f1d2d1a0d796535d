"""Imports on real servers: trials, what the register says of NPIs, specialties, postal codes, and going on after an interruption."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.auth import Kind, Viewer
from tests.service.directory.world import CARDIOLOGY, FAMILY, Directory, Organization

IMPORTED = (
    "__typename ... on ImportedProviders { added known refused rows { status providerId code } }"
    " ... on Problem { code message }"
)
NOTED = (
    "__typename ... on NotedNpis { rows { row status providerId replacedByProviderId code } }"
    " ... on Problem { code field }"
)
SUGGEST = """query($input: SuggestReceiversInput!) { suggestReceivers(input: $input) {
    placeUnknown receivers { provider { id } office { id } distanceKm factors { name reason } } } }"""
OFFICE = """query($id: ID!) { office(id: $id) {
    version locatedBy coordinates { latitude longitude } warnings { code message remedy } } }"""
DIGEST = "ab" * 32


def support() -> Viewer:
    return Viewer(kind=Kind.USER, user_id=uuid4(), organization_id=None, support=True)


async def _import(
    organization: Organization,
    *rows: dict[str, Any],
    **given: Any,  # noqa: ANN401
) -> dict[str, Any]:
    asked = {"idempotencyKey": str(uuid4()), "rows": list(rows), **given}
    return await organization.do("importProviders", "ImportProvidersInput", IMPORTED, asked)


def person(npi: str, **given: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "firstName": "Ada",
        "lastName": "Sample",
        "npi": npi,
        "specialtyCodes": [FAMILY],
    } | given


async def _count(organization: Organization) -> int:
    data = await organization.ask("{ providers { edges { node { id } } } }")
    return len(data["providers"]["edges"])


async def test_a_trial_says_what_would_become_of_the_rows_and_changes_nothing(
    directory: Directory, organization: Organization
) -> None:
    """R09."""
    held = await organization.add_provider()
    npi, told = directory.npi(), await directory.facts(held["id"])
    rows = (person(npi), person(npi), person("1234567890"), person(held["npi"]))
    tried = await _import(organization, *rows, dryRun=True)
    done = await _import(organization, *rows)

    assert [one["status"] for one in tried["rows"]] == ["ADDED", "KNOWN", "REFUSED", "KNOWN"]
    assert [one["status"] for one in done["rows"]] == [one["status"] for one in tried["rows"]]
    assert tried["rows"][0]["providerId"] is None
    assert tried["rows"][3]["providerId"] == held["id"]
    assert await _count(organization) == 2
    assert await directory.facts(held["id"]) == told


async def _note(organization: Organization, *rows: dict[str, Any], **given: Any) -> list[Any]:  # noqa: ANN401
    asked = {"idempotencyKey": str(uuid4()), "rows": list(rows), **given}
    answer = await organization.do("noteNpis", "NoteNpisInput", NOTED, asked)
    assert answer["__typename"] == "NotedNpis", answer
    return list(answer["rows"])


async def _status(organization: Organization, provider: dict[str, Any]) -> Any:  # noqa: ANN401
    query = (
        "query($id: ID!) { provider(id: $id) { npiStatus npiDeactivatedOn npiReplacedBy version } }"
    )
    return (await organization.ask(query, id=provider["id"]))["provider"]


async def test_a_deactivated_npi_is_noted_once_and_blocks_the_approval(
    directory: Directory, organization: Organization
) -> None:
    """R11."""
    provider = await organization.add_provider(submit=True)
    gone = {"npi": provider["npi"], "status": "DEACTIVATED", "deactivatedOn": "2026-01-05"}
    first, again = await _note(organization, gone), await _note(organization, gone)
    seen = await _status(organization, provider)
    refused = await organization.versioned("approveProvider", provider | seen)
    back = await _note(organization, {"npi": provider["npi"], "status": "ACTIVE"})
    approved = await organization.versioned(
        "approveProvider", provider | await _status(organization, provider)
    )

    assert [first[0]["status"], again[0]["status"], back[0]["status"]] == [
        "CHANGED",
        "SAME",
        "CHANGED",
    ]
    assert (seen["npiStatus"], seen["npiDeactivatedOn"]) == ("DEACTIVATED", "2026-01-05")
    assert refused["code"] == "NPI_DEACTIVATED"
    assert approved["state"] == "APPROVED"
    facts = await directory.facts(provider["id"])
    assert facts == ["added", "submitted", "npi_checked", "npi_checked", "approved"]


async def test_whoever_is_imported_from_the_register_has_an_active_npi(
    directory: Directory, organization: Organization
) -> None:
    """R11."""
    held, npi = await organization.add_provider(), directory.npi()
    await _note(organization, {"npi": held["npi"], "status": "DEACTIVATED"})
    done = await _import(organization, person(npi), person(held["npi"]), fromRegister=True)
    plain = await _import(organization, person(directory.npi()))
    ids = [one["providerId"] for one in (*done["rows"], *plain["rows"])]
    states = [(await _status(organization, {"id": one}))["npiStatus"] for one in ids]

    assert states == ["ACTIVE", "ACTIVE", "UNKNOWN"]
    assert (await directory.facts(held["id"]))[-2:] == ["npi_checked", "npi_checked"]


async def test_a_provider_whose_npi_is_deactivated_is_not_found_any_more(
    organization: Organization,
) -> None:
    """R11."""
    provider = await organization.approved(specialtyCodes=["207N00000X"])
    await organization.live_office(provider)

    async def found() -> bool:
        asked = {"specialtyCode": "207N00000X", "first": 100}
        rows = (await organization.ask(SUGGEST, input=asked))["suggestReceivers"]["receivers"]
        return provider["id"] in {one["provider"]["id"] for one in rows if one["provider"]}

    before = await found()
    await _note(organization, {"npi": provider["npi"], "status": "DEACTIVATED"})
    after = await found()
    await _note(organization, {"npi": provider["npi"], "status": "ACTIVE"})

    assert [before, after, await found()] == [True, False, True]


async def test_a_replaced_npi_names_who_has_the_one_in_its_place(
    organization: Organization,
) -> None:
    """R11."""
    old, new = await organization.add_provider(), await organization.add_provider()
    gone = {"npi": old["npi"], "status": "DEACTIVATED", "replacedBy": new["npi"]}
    told = await _note(organization, gone)

    assert told[0]["replacedByProviderId"] == new["id"]
    assert (await _status(organization, old))["npiReplacedBy"] == new["npi"]


async def test_what_is_not_held_or_no_npi_is_said_row_by_row_and_another_organization_s_stays(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R02, R11."""
    theirs = await other.add_provider()
    rows = [
        {"npi": theirs["npi"], "status": "DEACTIVATED"},
        {"npi": "1234567890", "status": "ACTIVE"},
        {"npi": directory.npi(), "status": "UNKNOWN"},
    ]
    told = await _note(organization, *rows)

    assert [(one["status"], one["code"]) for one in told] == [
        ("NOT_HELD", None), ("REFUSED", "NPI_INVALID"), ("REFUSED", "INVALID"),
    ]  # fmt: skip
    assert (await _status(other, theirs))["npiStatus"] == "UNKNOWN"


async def test_a_trial_of_notes_changes_nothing_and_a_retry_is_answered_alike(
    organization: Organization,
) -> None:
    provider = await organization.add_provider()
    gone = {"npi": provider["npi"], "status": "DEACTIVATED"}
    tried = await _note(organization, gone, dryRun=True)
    untouched = await _status(organization, provider)
    key = str(uuid4())
    first = await _note(organization, gone, idempotencyKey=key)
    again = await _note(organization, gone, idempotencyKey=key)

    assert tried[0]["status"] == "CHANGED"
    assert (untouched["npiStatus"], untouched["version"]) == ("UNKNOWN", provider["version"])
    assert first == again


async def test_only_client_admins_import_and_only_support_keeps_what_all_share(
    directory: Directory, organization: Organization
) -> None:
    """R02."""
    npi, somebody = directory.npi(), organization.somebody(office_admin_of=frozenset({uuid4()}))
    key = {"idempotencyKey": str(uuid4())}
    row = {"code": CARDIOLOGY, "grouping": "G", "classification": "C"}
    place = {"postalCode": "02139", "latitude": 42.0, "longitude": -71.0}
    kept = {"digest": DIGEST, "kind": "NPPES", "state": "{}"}
    calls: list[tuple[str, str, dict[str, Any], Viewer]] = [
        ("noteNpis", "NoteNpisInput", key | {"rows": [{"npi": npi, "status": "ACTIVE"}]}, somebody),
        ("keepImportProgress", "KeepImportProgressInput", kept, somebody),
        ("importSpecialties", "ImportSpecialtiesInput", {"rows": [row]}, organization.admin),
        ("importZips", "ImportZipsInput", {"rows": [place]}, organization.admin),
    ]
    for verb, kind, given, viewer in calls:
        answer = await organization.do(verb, kind, "... on Problem { code }", given, viewer)
        assert answer == {"code": "FORBIDDEN"}, verb


# Specialties ----------------------------------------------------------------------------------------------------------


async def _specialties(organization: Organization, *rows: dict[str, Any]) -> dict[str, Any]:
    fields = "... on ImportedSpecialties { added changed } ... on Problem { code field }"
    given = {"rows": list(rows)}
    return await organization.do(
        "importSpecialties", "ImportSpecialtiesInput", fields, given, support()
    )


async def test_specialties_are_added_changed_and_never_doubled(organization: Organization) -> None:
    """R11."""
    new = {
        "code": "101Y00000X",
        "grouping": "Behavioral",
        "classification": "Counselor",
        "name": "Counselor",
    }
    twin = new | {"code": "101YA0400X", "specialization": "Addiction"}
    first = await _specialties(organization, new, twin)
    again = await _specialties(organization, new, twin)
    renamed = await _specialties(
        organization, new | {"classification": "Counsellor", "name": "Guide"}
    )
    known = {one["code"]: one["name"] for one in (await organization.ask("{ specialties { code name } }"))["specialties"]}  # fmt: skip

    assert (first, again) == ({"added": 2, "changed": 0}, {"added": 0, "changed": 0})
    assert renamed == {"added": 0, "changed": 1}
    assert (known["101Y00000X"], known["101YA0400X"]) == ("Guide", "Counselor (101YA0400X)")


async def test_a_bad_row_of_specialties_is_named_and_nothing_is_kept(
    organization: Organization,
) -> None:
    good = {"code": "102X00000X", "grouping": "Group", "classification": "Class"}
    refused = await _specialties(organization, good, good | {"code": "102X"})
    known = (await organization.ask("{ specialties { code } }"))["specialties"]

    assert refused == {"code": "BAD_CODE", "field": "rows.1.code"}
    assert "102X00000X" not in {one["code"] for one in known}


# Postal codes ---------------------------------------------------------------------------------------------------------


async def _zips(organization: Organization, *rows: dict[str, Any]) -> dict[str, Any]:
    fields = "... on ImportedZips { changed officesLocated } ... on Problem { code field }"
    return await organization.do(
        "importZips", "ImportZipsInput", fields, {"rows": list(rows)}, support()
    )


def address(postal_code: str) -> dict[str, str]:
    return {"line1": f"{uuid4()}", "city": "Moab", "region": "UT", "postalCode": postal_code}


async def _place(organization: Organization, office: dict[str, Any]) -> Any:  # noqa: ANN401
    return (await organization.ask(OFFICE, id=office["id"]))["office"]


async def test_an_office_without_coordinates_stands_in_the_middle_of_its_postal_code(
    organization: Organization,
) -> None:
    """R16: given coordinates win, and nobody knows of a place says so."""
    given = {"latitude": 38.0, "longitude": -109.0}
    lost = await organization.add_office(address=address("84532-0001"), coordinates=None)
    told = await organization.add_office(address=address("84532"), coordinates=given)
    before = await _place(organization, lost)
    done = await _zips(organization, {"postalCode": "84532", "latitude": 38.5, "longitude": -109.5})
    later = await organization.add_office(address=address("84532"), coordinates=None)
    found, kept = await _place(organization, lost), await _place(organization, told)

    assert (before["coordinates"], before["locatedBy"]) == (None, None)
    assert [one["code"] for one in before["warnings"]] == ["NO_GEOCODE"]
    assert done["officesLocated"] == 1
    assert (found["coordinates"], found["locatedBy"]) == ({"latitude": 38.5, "longitude": -109.5}, "POSTAL_CODE")  # fmt: skip
    assert found["warnings"] == []
    assert (kept["coordinates"], kept["locatedBy"]) == (given, "GIVEN")
    assert (await _place(organization, later))["locatedBy"] == "POSTAL_CODE"


async def test_an_office_that_moves_leaves_the_place_of_its_old_postal_code(
    organization: Organization,
) -> None:
    """R16."""
    await _zips(organization, {"postalCode": "84401", "latitude": 41.2, "longitude": -112.0})
    office = await organization.add_office(address=address("84532"))

    async def change(**what: Any) -> Any:  # noqa: ANN401
        version = (await _place(organization, office))["version"]
        asked = {"officeId": office["id"], "expectedVersion": version, **what}
        fields = "__typename ... on Problem { code message }"
        answer = await organization.do("changeOffice", "ChangeOfficeInput", fields, asked)
        assert answer["__typename"] == "Office", answer
        return await _place(organization, office)

    moved = await change(address=address("84401"))
    pinned = await change(coordinates={"latitude": 41.3, "longitude": -112.1})
    lost = await change(address=address("84999"))

    assert (moved["locatedBy"], moved["coordinates"]["latitude"]) == ("POSTAL_CODE", 41.2)
    assert (pinned["locatedBy"], pinned["coordinates"]["latitude"]) == ("GIVEN", 41.3)
    assert (lost["locatedBy"], [one["code"] for one in lost["warnings"]]) == (None, ["NO_GEOCODE"])


async def test_who_looks_near_a_postal_code_is_told_when_nobody_knows_where_it_is(
    organization: Organization,
) -> None:
    """R28: missing ZIP."""
    provider = await organization.approved(specialtyCodes=["207P00000X"])
    office = await organization.live_office(provider, address=address("84533"), coordinates=None)

    async def near(**where: Any) -> Any:  # noqa: ANN401
        asked = {"specialtyCode": "207P00000X", **where}
        return (await organization.ask(SUGGEST, input=asked))["suggestReceivers"]

    unknown = await near(postalCode="84533", city="moab", region="UT")
    await _zips(organization, {"postalCode": "84533", "latitude": 38.6, "longitude": -109.6})
    known = await near(postalCode="84533")

    assert unknown["placeUnknown"] is True
    assert unknown["receivers"][0]["office"]["id"] == office["id"]
    assert "In the same city; how far is not known." in {
        one["reason"] for one in unknown["receivers"][0]["factors"]
    }
    assert (known["placeUnknown"], known["receivers"][0]["distanceKm"]) == (False, 0.0)


@pytest.mark.parametrize(
    "row", [{"postalCode": "123"}, {"latitude": 91.0}, {"region": "Utah"}, {"city": "x" * 101}]
)
async def test_a_postal_code_that_is_none_is_refused(
    organization: Organization, row: dict[str, Any]
) -> None:
    given = {"postalCode": "84601", "latitude": 40.2, "longitude": -111.6} | row
    assert (await _zips(organization, given))["code"] in {"INVALID", "BAD_COORDINATES"}


# Going on -------------------------------------------------------------------------------------------------------------

KEPT = "... on ImportProgress { state finishedAt } ... on Problem { code field }"
PROGRESS = 'query($digest: String!) { importProgress(digest: $digest, kind: "NPPES") { state finishedAt } }'


async def _keep(organization: Organization, **given: Any) -> Any:  # noqa: ANN401
    asked = {"digest": DIGEST, "kind": "NPPES", "state": "{}", **given}
    return await organization.do("keepImportProgress", "KeepImportProgressInput", KEPT, asked)


async def test_an_import_goes_on_where_it_was_kept_and_only_in_its_organization(
    organization: Organization, other: Organization
) -> None:
    await _keep(organization, state='{"row": 200}')
    await _keep(organization, state='{"row": 400}')
    mine = (await organization.ask(PROGRESS, digest=DIGEST))["importProgress"]
    theirs = (await other.ask(PROGRESS, digest=DIGEST))["importProgress"]
    done = await _keep(organization, finished=True)

    assert mine == {"state": '{"row": 400}', "finishedAt": None}
    assert theirs is None
    assert done["finishedAt"] is not None


async def test_a_progress_that_nobody_could_read_again_is_refused(
    organization: Organization,
) -> None:
    for field, value in (("digest", "AB" * 32), ("kind", "nppes"), ("state", "x" * 4001)):
        assert (await _keep(organization, **{field: value}))["field"] == field


async def test_after_thirty_days_an_import_begins_anew(
    directory: Directory, organization: Organization
) -> None:
    await _keep(organization)
    await directory.running.advance(timedelta(days=31))
    try:
        found = (await organization.ask(PROGRESS, digest=DIGEST))["importProgress"]
        left = await directory.running.sql.fetchval(
            "SELECT count(*) FROM import_progress WHERE organization_id = $1",
            UUID(str(organization.id)),
        )
    finally:
        await directory.running.advance(timedelta(days=-31))

    assert (found, left) == (None, 0)
