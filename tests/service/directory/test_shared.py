"""What all organizations share stands in the audit trail of the suite, and in no organization's."""

from __future__ import annotations

from tests.service.directory.test_imports import support
from tests.service.directory.world import Directory, Organization


async def test_what_support_imports_for_all_stands_in_the_audit_trail(
    directory: Directory, organization: Organization
) -> None:
    """R02"""
    who = support()
    told = "__typename ... on Problem { code }"
    specialty = {"code": "103T00000X", "grouping": "Group", "classification": "Class"}
    place = {"postalCode": "84532", "latitude": 38.57, "longitude": -109.55}
    for verb, kind, row in (
        ("importSpecialties", "ImportSpecialtiesInput", specialty),
        ("importZips", "ImportZipsInput", place),
    ):
        await organization.do(verb, kind, told, {"rows": [row]}, who)

    rows = await directory.running.sql.fetch(
        "SELECT act, support, organization_id FROM audit_entries WHERE user_id = $1 ORDER BY act",
        who.user_id,
    )
    assert [tuple(row) for row in rows] == [
        ("network.postal_codes_imported", True, None),
        ("network.specialties_imported", True, None),
    ]
