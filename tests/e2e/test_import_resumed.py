"""An import of the national register that is killed, tried, repeated and followed by the next week's, on a live system."""

from __future__ import annotations

import asyncio
import csv
import zipfile
from pathlib import Path

import pytest

from cli.imports import files
from cli.network import Refused
from tests.e2e.clinic import Clinic
from tests.e2e.test_import import TITLES, person
from tests.support.eventually import eventually

NPI, DEACTIVATED = "NPI", "NPI Deactivation Date"
ROWS = 5000
MANY = """query($after: String) { providers(first: 100, after: $after) {
  pageInfo { hasNextPage endCursor } edges { node { npi } } } }"""
STATUS = "query($id: ID!) { provider(id: $id) { version state npiStatus npiReplacedBy } }"


def write(file: Path, *rows: dict[str, str], titles: tuple[str, ...] = TITLES) -> Path:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, titles, quoting=csv.QUOTE_ALL, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return file


def errors(file: Path) -> list[str]:
    """The row numbers in the error file."""
    report = file.with_name(f"{file.name}.errors.csv")
    with report.open(encoding="utf-8", newline="") as lines:
        return [row["row"] for row in csv.DictReader(lines)]


async def test_an_import_that_is_killed_goes_on_where_it_was_and_loses_no_row(
    clinic: Clinic, tmp_path: Path
) -> None:
    rows = [person(number) for number in range(ROWS)]
    for place in range(0, ROWS, 100):
        rows[place] = rows[place] | {NPI: "1234567890"}
    file = write(tmp_path / "npidata.csv", *rows)
    process = await clinic.started(str(file), "--json")

    async def some_are_kept() -> bool:
        return len(await clinic.providers(name="Samplewood-B")) > 0 and await _kept(clinic, file)

    await eventually(some_are_kept, within=60)
    process.kill()
    await process.communicate()
    killed_at = len(await clinic.providers())
    told, counts = await clinic.told(file)

    assert 0 < killed_at < ROWS - 50
    assert "It goes on there" in str(told[0]["said"])
    assert counts["rows"] == ROWS
    assert (counts["added"], counts["errors"]) == (ROWS - 50, 50)
    assert len(await clinic.providers()) == ROWS - 50
    assert errors(file) == [str(place + 2) for place in range(0, ROWS, 100)]


async def _kept(clinic: Clinic, file: Path) -> bool:
    query = 'query($digest: String!) { importProgress(digest: $digest, kind: "NPPES") { state } }'
    found = await clinic.admin.ask(query, digest=files.digest(file, lambda _: None))
    return found["importProgress"] is not None


async def test_a_trial_changes_nothing_and_says_what_would_become_of_the_rows(
    clinic: Clinic, tmp_path: Path
) -> None:
    known = person(1)
    await clinic.told(write(tmp_path / "first.csv", known))
    file = write(tmp_path / "npidata.csv", known, person(2), person(3, NPI="1234567890"))
    _, tried = await clinic.told(file, "--dry-run")
    before = len(await clinic.providers())
    _, done = await clinic.told(file)

    assert before == 1
    assert tried == done
    assert (done["added"], done["known_already"], done["errors"]) == (1, 1, 1)


async def test_the_bundle_is_imported_as_it_was_downloaded(clinic: Clinic, tmp_path: Path) -> None:
    plain = write(tmp_path / "npidata_pfile_20251103-20251109.csv", person(1), person(2))
    bundle = tmp_path / "NPPES_Data_Dissemination_110325_110925_Weekly.zip"
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(plain, plain.name)
        packed.writestr("npidata_pfile_20251103-20251109_fileheader.csv", "NPI\n")
        packed.writestr("othername_pfile_20251103-20251109.csv", "NPI\n")
    _, counts = await clinic.told(bundle)

    assert (counts["rows"], counts["added"]) == (2, 2)


async def test_next_week_s_file_deactivates_brings_back_and_replaces(
    clinic: Clinic, tmp_path: Path
) -> None:
    """R11."""
    titles = (*TITLES, "Replacement NPI")
    gone, replaced, follower = person(1), person(2), person(3)
    await clinic.told(write(tmp_path / "month.csv", gone, replaced, follower))
    providers = {one["npi"]: one["id"] for one in await clinic.providers()}
    ended = {"Entity Type Code": "", DEACTIVATED: "11/03/2025"}
    week = write(
        tmp_path / "week.csv",
        {NPI: gone[NPI]} | ended,
        {NPI: replaced[NPI], "Replacement NPI": follower[NPI]} | ended,
        {NPI: person(4)[NPI]} | ended,
        titles=titles,
    )
    remarks, counts = await clinic.told(week)
    first = await clinic.admin.ask(STATUS, id=providers[gone[NPI]])
    second = await clinic.admin.ask(STATUS, id=providers[replaced[NPI]])
    await clinic.told(write(tmp_path / "later.csv", gone))
    back = await clinic.admin.ask(STATUS, id=providers[gone[NPI]])

    assert (counts["deactivated_noted"], counts["deactivated_not_held"]) == (2, 1)
    assert [one["code"] for one in remarks] == ["NPI_REPLACED"]
    assert "merge them" in remarks[0]["message"]
    assert first["provider"]["npiStatus"] == "DEACTIVATED"
    assert second["provider"]["npiReplacedBy"] == follower[NPI]
    assert back["provider"]["npiStatus"] == "ACTIVE"


async def test_a_deactivated_npi_cannot_be_approved(clinic: Clinic, tmp_path: Path) -> None:
    """R11."""
    ended = {"Entity Type Code": "", DEACTIVATED: "11/03/2025"}
    row = person(1)
    await clinic.told(write(tmp_path / "month.csv", row))
    (provider,) = await clinic.providers()
    given = {"providerId": provider["id"], "expectedVersion": provider["version"]}
    await clinic.admin.do("submitProvider", given, "... on Provider { id }")
    await clinic.told(write(tmp_path / "week.csv", {NPI: row[NPI]} | ended))
    seen = (await clinic.admin.ask(STATUS, id=provider["id"]))["provider"]
    given["expectedVersion"] = seen["version"]

    with pytest.raises(Refused) as refused:
        await clinic.admin.do("approveProvider", given, "... on Provider { id }")
    assert refused.value.code == "NPI_DEACTIVATED"


async def test_two_imports_of_one_file_at_once_add_nobody_twice(
    clinic: Clinic, tmp_path: Path
) -> None:
    same = [write(tmp_path / f"{name}.csv", *(person(n) for n in range(400))) for name in "ab"]
    told = await asyncio.gather(*(clinic.told(file) for file in same))

    assert [counts["rows"] for _, counts in told] == [400, 400]
    assert len(await clinic.providers()) == 400
