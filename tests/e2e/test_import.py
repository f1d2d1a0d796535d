"""Importing the national register on a live system: made-up rows, and the genuine sample where it is at hand."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.journey.stage import new_password
from cli.network import Client, Person, Postbox
from cli.seed.world import CARDIOLOGY, DERMATOLOGY, FAMILY, check_digit
from cli.system import System
from tests.support.eventually import eventually

ROOT = Path(__file__).parents[2]
GENUINE = ROOT.parent / "shared/data/nppes/npidata_pfile_sample.csv"
TITLES = (
    "NPI", "Entity Type Code", "Provider Last Name (Legal Name)", "Provider First Name",
    "NPI Deactivation Date", "Healthcare Provider Taxonomy Code_1",
)  # fmt: skip
PROVIDERS = """
query($filter: ProvidersFilter, $network: Boolean! = false, $after: String) {
  providers(filter: $filter, network: $network, first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node { id npi name state version missing specialties { code } } } } }
"""
SUGGEST = """
query($input: SuggestReceiversInput!) { suggestReceivers(input: $input) { widening receivers {
  provider { id } distanceKm planCertainty score factors { name score reason } } } }
"""


@dataclass(frozen=True)
class Clinic:
    """An organization that has just been opened, and its client admin."""

    system: System
    client: Client
    support: Person
    admin: Person
    name: str

    async def run(self, *words: str, by: Person | None = None) -> tuple[int, str, str]:
        """`./suite import nppes`: exit code, what it said and what it complained of."""
        who = self.admin if by is None else by
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli", "import", "nppes", *words,
            "--data", str(self.system.folder.path), *(["--email", who.email] if who.email else []),
            cwd=ROOT, env=os.environ | {"SUITE_PASSWORD": who.password},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, complained = await process.communicate()
        return process.returncode or 0, said.decode(), complained.decode()

    async def told(self, file: Path, *words: str) -> tuple[list[dict[str, Any]], dict[str, int]]:
        """An import that must succeed: its remarks and its counts."""
        code, said, complained = await self.run(str(file), "--json", *words)
        assert code == 0, complained
        *remarks, last = [json.loads(line) for line in said.splitlines()]
        return remarks, last["done"]

    async def providers(self, **filter_: object) -> list[dict[str, Any]]:
        """The organization's providers."""
        found, after = [], None
        while True:
            page = (await self.admin.ask(PROVIDERS, filter=filter_, after=after))["providers"]
            found += [edge["node"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    async def joined(self, name: str, role: str, office: str | None = None) -> Person:
        """Somebody invited by the client admin, who has confirmed."""
        person = Person(self.client, name, address(name))
        given = {
            "email": person.email,
            "name": name,
            "roles": [{"role": role, "officeId": office}],
            "idempotencyKey": person.email,
        }
        await self.admin.do("inviteUser", given, "... on UserInvited { user { id } }")
        await person.confirm(
            await Postbox(self.system.folder.mail).letter(person.email), new_password()
        )
        return person


def address(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}.{secrets.token_hex(4)}@import.example"


@pytest.fixture
async def clinic(system: System) -> AsyncIterator[Clinic]:
    """An organization of this test alone."""
    client = Client(system.url)
    email, password = system.support
    support = Person(client, "Support", email, password)
    admin = Person(client, "Ida Importer", address("Ida Importer"))
    name = f"Import Clinic {secrets.token_hex(4)}"
    await open_for(support, name, admin)
    await admin.confirm(await Postbox(system.folder.mail).letter(admin.email), new_password())
    yield Clinic(system, client, support, admin, name)
    client.close()


async def open_for(support: Person, name: str, admin: Person) -> str:
    given = {
        "name": name,
        "timeZone": "America/Chicago",
        "clientAdmin": {"email": admin.email, "name": admin.name},
        "idempotencyKey": name,
    }
    wanted = "... on OrganizationAdded { organization { id } }"
    made = await support.do("addOrganization", given, wanted)
    organization_id: str = made["organization"]["id"]
    return organization_id


def person(number: int, *, code: str = CARDIOLOGY, **changes: str) -> dict[str, str]:
    row = dict.fromkeys(TITLES, "") | {
        "NPI": check_digit(str(100_001_000 + number)),
        "Entity Type Code": "1",
        "Provider Last Name (Legal Name)": f"SAMPLEWOOD-{'ABCDEFGHIJ'[number % 10]}",
        "Provider First Name": "ADA",
        "Healthcare Provider Taxonomy Code_1": code,
    }
    return row | changes


def write(file: Path, *rows: dict[str, str]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, TITLES, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    return file


async def test_individuals_become_drafts_and_every_other_row_is_accounted_for(
    clinic: Clinic, tmp_path: Path
) -> None:
    file = write(
        tmp_path / "npidata.csv",
        person(1),
        person(2, code="101Y00000X"),
        person(3, NPI="1234567890"),
        person(4, **{"Entity Type Code": "2"}),
        person(5, **{"NPI Deactivation Date": "04/07/2011", "Entity Type Code": ""}),
        person(1),
    )

    remarks, counts = await clinic.told(file)

    assert counts == {
        "rows": 6, "added": 2, "added_without_specialty": 1, "known_already": 1, "errors": 1,
        "organizations_skipped": 1, "deactivated_skipped": 1,
    }  # fmt: skip
    assert {(one["row"], one["code"], one["imported"]) for one in remarks} == {
        (3, "NO_KNOWN_SPECIALTY", True),
        (4, "NPI_INVALID", False),
    }
    first, second = sorted(await clinic.providers(), key=lambda one: one["npi"])
    assert (first["name"], first["state"]) == ("Ada Samplewood-B", "DRAFT")
    assert [one["code"] for one in first["specialties"]] == [CARDIOLOGY]
    assert second["missing"] == ["specialtyCodes"]


async def test_importing_again_adds_nothing_twice(clinic: Clinic, tmp_path: Path) -> None:
    rows = [person(number) for number in range(450)]
    file = write(tmp_path / "npidata.csv", *rows)

    first = await clinic.told(file)
    again = await clinic.told(file)
    _, more = await clinic.told(write(tmp_path / "more.csv", person(900), *rows))

    assert again == first
    assert (more["added"], more["known_already"]) == (1, 450)
    assert len(await clinic.providers()) == 451


async def test_a_person_sees_the_first_errors_and_a_table(clinic: Clinic, tmp_path: Path) -> None:
    wrong = [person(number, NPI="1234567890") for number in range(30)]
    code, said, _ = await clinic.run(str(write(tmp_path / "npidata.csv", person(1), *wrong)))

    assert code == 0
    assert said.count("NPI_INVALID") == 20
    assert "10 more rows with errors" in said
    assert "added as drafts" in said


async def test_the_first_client_admin_of_the_demo_world_imports_when_nobody_is_named(
    clinic: Clinic, tmp_path: Path
) -> None:
    file, accounts = write(tmp_path / "npidata.csv", person(1)), clinic.system.folder.accounts
    nobody = Person(clinic.client, "", "")
    code, _, complained = await clinic.run(str(file), by=nobody)
    assert code == 1
    assert "Nobody is named who imports" in complained

    entry = {"role": "client admin", "organization": clinic.name}
    entry |= {"email": clinic.admin.email, "password": clinic.admin.password}
    accounts.write_text(json.dumps([entry | {"role": "call centre"}, entry]))
    try:
        code, _, complained = await clinic.run(str(file), by=nobody)
    finally:
        accounts.unlink()

    assert (code, complained) == (0, "")
    assert len(await clinic.providers()) == 1


async def test_who_works_for_several_organizations_says_for_which(
    clinic: Clinic, tmp_path: Path
) -> None:
    other = f"Other {clinic.name}"
    await open_for(clinic.support, other, clinic.admin)
    file = write(tmp_path / "npidata.csv", person(1))

    code, _, complained = await clinic.run(str(file))
    assert code == 1
    assert other in complained
    assert "--organization" in complained
    _, counts = await clinic.told(file, "--organization", other)
    assert counts["added"] == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "is empty"),
        (b"PK\x03\x04", "is packed"),
        (b"a,b\n1,2\n", "no column 'NPI'"),
    ],
)
async def test_a_file_that_cannot_be_used_is_one_sentence_and_exit_code_1(
    clinic: Clinic, tmp_path: Path, content: bytes | None, words: str
) -> None:
    file = tmp_path / "npidata.csv"
    if content is not None:
        file.write_bytes(content)

    code, said, complained = await clinic.run(str(file))

    assert (code, said) == (1, "")
    assert complained.startswith("suite: ")
    assert words in complained
    assert complained.count("\n") == 1


async def test_a_wrong_password_or_role_is_one_sentence_and_exit_code_1(
    clinic: Clinic, tmp_path: Path
) -> None:
    file = write(tmp_path / "npidata.csv", person(1))
    stranger = Person(clinic.client, "", clinic.admin.email, "not the password at all")
    manager = await clinic.joined("Ines Manager", "INSURANCE_MANAGER")

    for who, words in ((stranger, "You are not signed in"), (manager, "Only a client admin")):
        code, _, complained = await clinic.run(str(file), by=who)
        assert code == 1
        assert words in complained
        assert complained.count("\n") == 1


async def test_a_gateway_elsewhere_is_named_by_its_address(clinic: Clinic, tmp_path: Path) -> None:
    file = write(tmp_path / "npidata.csv", person(1))

    _, counts = await clinic.told(file, "--url", f"{clinic.system.url}/")
    bad, _, no_address = await clinic.run(str(file), "--url", "gateway")
    away, _, nobody_there = await clinic.run(str(file), "--url", "http://127.0.0.1:1")

    assert counts["added"] == 1
    assert (bad, away) == (1, 1)
    assert "'gateway' is no address" in no_address
    assert "The gateway does not answer" in nobody_there


# The genuine sample ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not GENUINE.exists(), reason=f"{GENUINE.name} is not beside this checkout")
async def test_search_and_suggestion_work_over_the_genuine_sample(clinic: Clinic) -> None:
    """R28. The figures are those of the file; the people in it are real, so nothing of theirs is told."""
    _, counts = await clinic.told(GENUINE)
    assert counts == {
        "rows": 1000, "added": 733, "added_without_specialty": 575, "known_already": 0, "errors": 0,
        "organizations_skipped": 188, "deactivated_skipped": 79,
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
                "line1": "1 Sample Street",
                "city": "Chicago",
                "region": "IL",
                "postalCode": "60601",
            },
            "coordinates": {"latitude": latitude, "longitude": -87.63},
            "phone": "312-555-0100",
            "timeZone": "America/Chicago",
            "goLiveOn": (today + timedelta(days=9)).isoformat(),
            "providerIds": [one["id"] for one in approved[number::2]],
            "idempotencyKey": f"{clinic.name} {number}",
        }
        made = await clinic.admin.do("addOffice", given, "... on Office { id }")
        offices.append(made["id"])
        await clinic.joined(f"Staff {number}", "OFFICE_STAFF", made["id"])
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
