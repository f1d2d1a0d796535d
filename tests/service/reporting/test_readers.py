"""Who reads which report: one by one, as a list, and through other subgraphs."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.auth import ANONYMOUS, Viewer
from tests.service.reporting.conftest import FIGURES, REPORT, TOLD, Clinic, Reporting
from tests.service.reporting.stories import Story

NOON = datetime(2026, 3, 3, 17, tzinfo=UTC)
WEEK = "2026-03-02"
DAY = timedelta(days=1)
REPORTS = f"""query($weekOf: Date!, $first: Int, $after: String) {{
    groupProgressReports(weekOf: $weekOf, first: $first, after: $after) {{
        edges {{ node {{ {TOLD} }} }} pageInfo {{ hasNextPage endCursor }} }} }} {FIGURES}"""
ENTITIES = """query($refs: [_Any!]!) { _entities(representations: $refs) { ... on Group {
    id progressReport(weekOf: "2026-03-02") { weekOf figures { received { count } } } } } }"""


async def ask(reporting: Reporting, group: UUID, viewer: Viewer) -> tuple[str | None, Any]:
    """The error's code, and the report."""
    answer = await reporting.running.gql(
        REPORT, {"groupId": str(group), "weekOf": WEEK}, viewer=viewer
    )
    code = answer["errors"][0]["extensions"]["code"] if "errors" in answer else None
    return code, (answer.get("data") or {}).get("groupProgressReport")


async def test_who_reads_a_report(reporting: Reporting, clinic: Clinic) -> None:
    """R31"""
    group = await clinic.group()
    own, other = frozenset({clinic.office_id}), frozenset({uuid4()})

    for reader in (clinic.admin, clinic.staff(office_admin_of=own)):
        code, report = await ask(reporting, group, reader)
        assert (code, report["group"]) == (None, {"id": str(group)})
    for stranger in (
        clinic.staff(office_staff_of=own),
        clinic.staff(office_admin_of=other),
        clinic.staff(insurance_manager=True),
    ):
        assert await ask(reporting, group, stranger) == ("FORBIDDEN", None)
    assert await ask(reporting, group, ANONYMOUS) == ("UNAUTHENTICATED", None)


async def test_another_organizations_group_is_answered_like_an_unknown_one(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R02"""
    other = Clinic(reporting)
    await other.open("UTC")
    foreign = await other.group()

    assert await ask(reporting, foreign, clinic.admin) == (None, None)
    assert await ask(reporting, uuid4(), clinic.admin) == (None, None)


async def test_groups_of_other_subgraphs_bring_their_report_each_by_its_own_right(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    elsewhere = uuid4()
    mine, not_mine = await clinic.group("A"), await clinic.group("B", office_id=elsewhere)
    await Story(clinic, mine).sent(NOON)
    reader = clinic.staff(office_admin_of=frozenset({clinic.office_id}))
    references = [{"__typename": "Group", "id": str(one)} for one in (mine, not_mine, uuid4())]

    answer = await reporting.running.gql(ENTITIES, {"refs": references}, viewer=reader)

    reports = [one["progressReport"] for one in answer["data"]["_entities"]]
    assert reports == [{"weekOf": WEEK, "figures": {"received": {"count": 1}}}, None, None]
    (error,) = answer["errors"]
    assert (error["extensions"]["code"], error["path"][1]) == ("FORBIDDEN", 1)


async def listed(
    reporting: Reporting,
    clinic: Clinic,
    viewer: Viewer | None = None,
    **asked: object,
) -> dict[str, Any]:
    data = await reporting.running.data(
        REPORTS, {"weekOf": WEEK} | asked, viewer=viewer or clinic.admin
    )
    told: dict[str, Any] = data["groupProgressReports"]
    return told


async def test_all_groups_of_the_organization_are_told_by_name_page_by_page(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    groups = [await clinic.group(name) for name in ("Cardiology", "Allergy", "Dermatology")]
    await Story(clinic, groups[0]).sent(NOON)

    first = await listed(reporting, clinic, first=2)
    second = await listed(reporting, clinic, first=2, after=first["pageInfo"]["endCursor"])

    told = [edge["node"] for edge in (*first["edges"], *second["edges"])]
    assert [one["group"]["id"] for one in told] == [
        str(groups[1]),
        str(groups[0]),
        str(groups[2]),
    ]
    assert [one["figures"]["received"]["count"] for one in told] == [0, 1, 0]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)


async def test_an_office_admin_lists_groups_of_own_offices_only(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    elsewhere = uuid4()
    await clinic.group("Cardiology")
    there = await clinic.group("Dermatology", office_id=elsewhere)

    told = await listed(reporting, clinic, clinic.staff(office_admin_of=frozenset({elsewhere})))

    assert [edge["node"]["group"]["id"] for edge in told["edges"]] == [str(there)]


async def test_office_staff_list_no_reports(reporting: Reporting, clinic: Clinic) -> None:
    """R31"""
    staff = clinic.staff(office_staff_of=frozenset({clinic.office_id}))

    answer = await reporting.running.gql(REPORTS, {"weekOf": WEEK}, viewer=staff)

    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_group_is_listed_in_the_weeks_in_which_it_was(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R24, R31"""
    early = await clinic.group("Early")
    await clinic.remove_group(early, NOON)
    await clinic.group("Later", at=NOON + 14 * DAY)

    async def names(week_of: str) -> list[str]:
        told = await listed(reporting, clinic, weekOf=week_of)
        return [edge["node"]["group"]["id"] for edge in told["edges"]]

    assert await names(WEEK) == [str(early)]
    assert await names("2026-03-09") == []


@pytest.mark.parametrize("after", ["WzFd", "WyJhIiwieCJd", "nonsense"])
async def test_a_cursor_that_is_not_ours_is_refused(
    reporting: Reporting, clinic: Clinic, after: str
) -> None:
    answer = await reporting.running.gql(
        REPORTS, {"weekOf": WEEK, "after": after}, viewer=clinic.admin
    )

    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
