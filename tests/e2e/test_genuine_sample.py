"""Import, search and suggestion over the genuine sample of the national register, where it is at hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.seed.world import CARDIOLOGY, DERMATOLOGY, FAMILY
from tests.e2e.clinic import PROVIDERS, ROOT, Clinic
from tests.support.eventually import eventually

GENUINE = ROOT.parent / "shared/data/nppes/npidata_pfile_sample.csv"
SUGGEST = """
query($input: SuggestReceiversInput!) { suggestReceivers(input: $input) { widening receivers {
  provider { id } distanceKm planCertainty score factors { name score reason } } } }
"""


@pytest.mark.skipif(not GENUINE.exists(), reason=f"{GENUINE.name} is not beside this checkout")
async def test_search_and_suggestion_work_over_the_genuine_sample(
    clinic: Clinic, tmp_path: Path
) -> None:
    """R28. The figures are those of the file; the people in it are real, so nothing of theirs is told."""
    _, counts = await clinic.told(GENUINE, "--errors", str(tmp_path / "errors.csv"))
    assert counts == {
        "rows": 1000, "added": 733, "added_without_specialty": 575, "known_already": 0, "errors": 0,
        "organizations_skipped": 188, "deactivated_noted": 0, "deactivated_not_held": 79,
    }  # fmt: skip
    assert len(await clinic.providers()) == 733

    approved = [await approve(clinic, one) for one in await sample(clinic)]
    offices = await settle(clinic, approved)
    await search(clinic, approved)
    await suggest(clinic, approved, offices)


async def sample(clinic: Clinic) -> list[dict[str, Any]]:
    """Some drafts of three specialties, as an admin picks them."""
    found = []
    for code in (CARDIOLOGY, DERMATOLOGY, FAMILY):
        drafts = await clinic.providers(specialtyCode=code, state="DRAFT")
        assert len(drafts) >= 4
        found += [
            one | {"code": code} for one in drafts[:4] if one["specialties"][0]["code"] == code
        ]
    return found


async def approve(clinic: Clinic, provider: dict[str, Any]) -> dict[str, Any]:
    for verb in ("submitProvider", "approveProvider"):
        seen = {"providerId": provider["id"], "expectedVersion": provider["version"]}
        provider |= await clinic.admin.do(verb, seen, "... on Provider { version state }")
    assert provider["state"] == "APPROVED"
    return provider


async def settle(clinic: Clinic, approved: list[dict[str, Any]]) -> list[str]:
    """Two offices that are live, the second one farther away; everybody works at one of them."""
    offices = []
    today = (datetime.now(UTC) + await offset(clinic)).date()
    for number, latitude in enumerate((41.90, 42.00)):
        given = {
            "name": f"Imported Office {number}",
            "address": {
                "line1": f"{number + 1} Sample Street",
                "city": "Chicago",
                "region": "IL",
                "postalCode": "60601",
            },
            "coordinates": {"latitude": latitude, "longitude": -87.63},
            "phone": f"312-555-010{number}",
            "timeZone": "America/Chicago",
            "goLiveOn": (today + timedelta(days=9)).isoformat(),
            "providerIds": [one["id"] for one in approved[number::2]],
            "idempotencyKey": f"{clinic.name} {number}",
        }
        made = await clinic.admin.do("addOffice", given, "... on Office { id }")
        offices.append(made["id"])
        staff = await clinic.joined(f"Staff {number}", "OFFICE_STAFF", made["id"])
        await staff.sign_in()
        roster = {"officeId": made["id"], "expectedVersion": 1, "userIds": [staff.user_id]}
        await clinic.admin.do("attestRoster", roster, "... on Office { id }")
    query = "query($id: ID!) { office(id: $id) { state readiness { ready } } }"
    for office in offices:
        await eventually(
            lambda office=office: ready(clinic, query, office)  # type: ignore[misc]
        )
    await clinic.client.advance(timedelta(days=10))
    for office in offices:
        assert (await clinic.admin.ask(query, id=office))["office"]["state"] == "LIVE"
    return offices


async def ready(clinic: Clinic, query: str, office: str) -> bool:
    seen: bool = (await clinic.admin.ask(query, id=office))["office"]["readiness"]["ready"]
    return seen


async def offset(clinic: Clinic) -> timedelta:
    """How far the system's clock is from now: other tests move it too."""
    given = {"email": clinic.admin.email, "password": clinic.admin.password}
    session = await clinic.client.do("signIn", given, "... on SignedIn { expiresAt }")
    ends = datetime.fromisoformat(session["expiresAt"])
    return ends - timedelta(minutes=5) - datetime.now(UTC)


async def search(clinic: Clinic, approved: list[dict[str, Any]]) -> None:
    """By part of the name and by specialty, in the whole network."""
    one = approved[0]
    filter_ = {"name": one["name"].split()[-1].lower(), "specialtyCode": one["code"]}
    found = (await clinic.admin.ask(PROVIDERS, filter=filter_, network=True))["providers"]["edges"]
    assert one["id"] in {edge["node"]["id"] for edge in found}
    drafts = await clinic.providers(state="DRAFT")
    assert len(drafts) == 733 - len(approved)


async def suggest(clinic: Clinic, approved: list[dict[str, Any]], offices: list[str]) -> None:
    """Of those who were imported, each specialty's are found, nearest first, and told why."""
    near = {"latitude": 41.88, "longitude": -87.63}
    for code in (CARDIOLOGY, DERMATOLOGY, FAMILY):
        ours = {one["id"]: place for place, one in enumerate(approved) if one["code"] == code}
        wanted = {"specialtyCode": code, "near": near, "first": 100}
        told = (await clinic.admin.ask(SUGGEST, input=wanted))["suggestReceivers"]["receivers"]
        found = [one for one in told if one["provider"] and one["provider"]["id"] in ours]

        assert {one["provider"]["id"] for one in found} == set(ours)
        assert [one["score"] for one in found] == sorted(
            (one["score"] for one in found), reverse=True
        )
        at = [ours[one["provider"]["id"]] % len(offices) for one in found]
        assert at == sorted(at), "all else alike, the nearer office comes first"
        for one in found:
            assert {"DISTANCE", "NEW_PATIENTS"} <= {factor["name"] for factor in one["factors"]}
            assert all(factor["reason"] for factor in one["factors"])
