"""Importing the national register on a live system: made-up rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from cli.network import Person
from cli.seed.world import CARDIOLOGY, check_digit
from tests.e2e.clinic import Clinic, open_for

TITLES = (
    "NPI", "Entity Type Code", "Provider Last Name (Legal Name)", "Provider First Name",
    "NPI Deactivation Date", "Healthcare Provider Taxonomy Code_1",
)  # fmt: skip


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
        "organizations_skipped": 1, "deactivated_noted": 0, "deactivated_not_held": 1,
    }  # fmt: skip
    assert {(one["row"], one["code"], one["imported"]) for one in remarks} == {
        (3, "NO_KNOWN_SPECIALTY", True),
        (4, "NPI_INVALID", False),
    }
    assert (tmp_path / "npidata.csv.errors.csv").read_text().splitlines() == [
        "row,key,field,code,reason",
        "4,1234567890,NPI,NPI_INVALID,The NPI is not ten digits with a right check digit.",
    ]
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
        (b"PK\x03\x04", "cannot be unpacked"),
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
