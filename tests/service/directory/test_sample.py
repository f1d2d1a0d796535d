"""Search and suggestion over genuine register data, when it is here. The data itself is not ours to keep."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.service.directory.world import BOSTON, CARDIOLOGY, FAMILY, Organization

SAMPLE = Path(__file__).resolve().parents[4] / "shared/data/nppes/npidata_pfile_sample.csv"
ANSWER = """__typename ... on ImportedProviders { added known refused rows {
    status providerId code ignoredSpecialtyCodes } } ... on Problem { code message }"""

pytestmark = pytest.mark.skipif(
    not SAMPLE.exists(), reason="the genuine NPPES sample is not beside this checkout"
)


def _individuals(most: int) -> list[dict[str, Any]]:
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = (row for row in csv.DictReader(file) if row["Entity Type Code"] == "1")
        return [
            {
                "firstName": row["Provider First Name"].title(),
                "lastName": row["Provider Last Name (Legal Name)"].title(),
                "npi": row["NPI"],
                "credential": row["Provider Credential Text"],
                "specialtyCodes": [
                    code
                    for n in range(1, 16)
                    if (code := row[f"Healthcare Provider Taxonomy Code_{n}"])
                ],
            }
            for row in islice(rows, most)
        ]


async def test_genuine_profiles_are_imported_found_and_suggested(
    organization: Organization,
) -> None:
    """R28."""
    answer = await organization.do(
        "importProviders",
        "ImportProvidersInput",
        ANSWER,
        {"idempotencyKey": str(uuid4()), "rows": _individuals(200), "submit": True},
    )
    known = [
        row
        for row, sent in zip(answer["rows"], _individuals(200), strict=True)
        if {FAMILY, CARDIOLOGY} & set(sent["specialtyCodes"])
    ]
    approved = [
        await organization.versioned("approveProvider", {"id": row["providerId"], "version": 1})
        for row in known
    ]
    await organization.live_office(*approved)
    query = """query($input: SuggestReceiversInput!) { suggestReceivers(input: $input) {
        receivers { provider { id } } } }"""
    found: set[str] = set()
    for code in (FAMILY, CARDIOLOGY):
        given = {"specialtyCode": code, "near": BOSTON, "first": 100}
        data = await organization.ask(query, input=given)
        found |= {one["provider"]["id"] for one in data["suggestReceivers"]["receivers"]}
    first = approved[0]["name"].split()[-1]
    listed = await organization.ask(
        "query($name: String) { providers(filter: {name: $name}) { edges { node { id } } } }",
        name=first.lower(),
    )

    assert (answer["added"], answer["refused"]) == (200, 0)
    assert known
    assert found == {one["id"] for one in approved}
    assert approved[0]["id"] in {edge["node"]["id"] for edge in listed["providers"]["edges"]}
