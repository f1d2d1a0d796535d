"""Reports as files at the service's HTTP door, asked as the gateway asks."""

import asyncio
import csv
import io
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from gateway.http.files import _PATH
from kit.auth import Viewer, sign_viewer
from kit.service import http_server
from tests.gateway.edge.client import Reply, request
from tests.service.reporting.conftest import Clinic, Reporting
from tests.service.reporting.stories import Story
from tests.service.reporting.test_performance import NEXT_MONTH, NOON, live, work
from tests.support.running import VIEWER_KEY

DAY = timedelta(days=1)
MONDAY = datetime(2026, 3, 2, 5, tzinfo=UTC)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
URLS = """query($id: ID!) { performanceReport(month: "2026-03-01") { fileUrl(format: PDF) }
    groupProgressReport(groupId: $id, weekOf: "2026-03-04") { fileUrl(format: XLSX) } }"""


@dataclass
class Door:
    """The service's HTTP door."""

    base: str
    reporting: Reporting

    async def get(self, viewer: Viewer | None, path: str) -> Reply:
        """A file, as the gateway asks for it."""
        key, clock = bytes.fromhex(VIEWER_KEY), self.reporting.running.parts.clock
        signed = {}
        if viewer is not None:
            told = sign_viewer(viewer, audience="reporting", key=key, at=clock.real())
            signed = {"x-viewer": told}
        return await request("GET", f"{self.base}/files/{path}", signed)


@pytest.fixture(scope="module")
async def door(reporting: Reporting) -> AsyncIterator[Door]:
    """The HTTP door of the service under test, on a socket of its own."""
    running = reporting.running
    server = http_server(running.service, running.parts)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server._serve([listener]))  # noqa: SLF001 - serve() would take over this process's signals
        while not server.started:
            await asyncio.sleep(0.01)
        yield Door(f"http://127.0.0.1:{listener.getsockname()[1]}", reporting)
        server.should_exit = True
        running.parts.stopping.clear()
        await task


def code(reply: Reply) -> str:
    told: str = reply.json["errors"][0]["extensions"]["code"]
    return told


async def test_a_week_is_had_as_each_kind_of_file_with_its_length(
    reporting: Reporting, clinic: Clinic, door: Door
) -> None:
    """R31"""
    group = await clinic.group('=HYPERLINK("evil")', at=MONDAY)
    story = await Story(clinic, group).sent(MONDAY + DAY)
    await reporting.running.set_time(MONDAY + 9 * DAY)

    got = {
        form: await door.get(clinic.admin, f"weeks/{group}/2026-03-04/{form}?ids=1")
        for form in ("csv", "json", "xlsx", "pdf")
    }

    assert [one.status for one in got.values()] == [200] * 4
    for form, one in got.items():
        assert one.headers["content-length"] == str(len(one.body))
        assert f"report-{group}-2026-03-02.{form}" in one.headers["content-disposition"]
        assert one.headers["cache-control"] == "no-store"
    assert got["xlsx"].headers["content-type"] == XLSX
    assert str(story.referral_id).encode() in got["csv"].body
    assert b"\"'=HYPERLINK" in got["csv"].body
    assert got["pdf"].body.startswith(b"%PDF-")


async def test_a_month_is_had_as_a_file_without_small_cells_and_no_cell_of_it_runs(
    reporting: Reporting, clinic: Clinic, door: Door
) -> None:
    """R31"""
    await live(clinic, clinic.office_id, name="=1+1")
    await work(clinic, completed=8, declined=6)
    await work(clinic, completed=2, declined=0, office=uuid4())
    await reporting.running.set_time(NEXT_MONTH)

    table = await door.get(clinic.admin, "months/2026-03-15/csv")
    rows = list(csv.DictReader(io.StringIO(table.body.decode(), newline="")))

    total = {row["number"]: row["value"] for row in rows if row["table"] == "Total"}
    assert (total["Completed"], total["Declined"]) == ("10", "6")
    offices = [row for row in rows if row["table"] == "Offices" and row["number"] == "Completed"]
    assert [row["value"] for row in offices] == ["withheld", "withheld"]
    assert {row["of"]: row["id"] for row in offices}["'=1+1"] == str(clinic.office_id)
    for form, start in (("xlsx", b"PK"), ("pdf", b"%PDF-")):
        file = await door.get(clinic.admin, f"months/2026-03-15/{form}")
        assert (file.status, file.body.startswith(start)) == (200, True)


async def named(clinic: Clinic) -> tuple[UUID, UUID, UUID, UUID]:
    """A month of two providers, called the same, who received by two plans; the ids of both, the busier one first."""
    busy, calm, gold, self_pay = uuid4(), uuid4(), uuid4(), uuid4()
    for provider_id, plan_id, count in ((calm, self_pay, 5), (busy, gold, 6)):
        for _ in range(count):
            story = Story(clinic, None, sender=clinic.organization_id, provider_id=provider_id)
            story.sending_office_id, story.acceptance = clinic.office_id, "ACCEPTED"
            story.plan_id = str(plan_id)
            await (await story.sent(NOON)).declined(NOON + DAY, "AGE")
    namer = clinic.reporting.namer
    for one in (busy, calm):
        namer.providers[clinic.organization_id, one] = "Łucja Nowak"
    namer.plans |= {gold: ("Gold PPO", "Blue Shore"), self_pay: ("Self-pay", "")}
    await clinic.reporting.running.set_time(NEXT_MONTH)
    return busy, calm, gold, self_pay


async def rows_of(door: Door, viewer: Viewer, table: str, number: str) -> list[tuple[str, ...]]:
    """Whose a number of the month's CSV is, by name and by id, and the number."""
    file = await door.get(viewer, "months/2026-03-15/csv")
    rows = csv.DictReader(io.StringIO(file.body.decode(), newline=""))
    return [
        (row["of"], row["id"], row["value"])
        for row in rows
        if (row["table"], row["number"]) == (table, number)
    ]


async def test_a_month_names_providers_and_plans_in_the_order_of_the_screen(
    clinic: Clinic, door: Door
) -> None:
    """R31: with their ids beside them; on paper, where none are, who is called the same is told apart."""
    busy, calm, gold, self_pay = await named(clinic)

    providers = await rows_of(door, clinic.admin, "Providers", "Declined")
    plans = await rows_of(door, clinic.admin, "Leakage by plan", "Sent with a known plan")
    pages = await door.get(clinic.admin, "months/2026-03-15/pdf")
    again = await door.get(clinic.admin, "months/2026-03-15/pdf")

    assert providers == [("Łucja Nowak", str(busy), "6"), ("Łucja Nowak", str(calm), "5")]
    assert plans == [
        ("All", "", "11"),
        ("Blue Shore: Gold PPO", str(gold), "6"),
        ("Self-pay", str(self_pay), "5"),
    ]
    assert pages.body == again.body
    assert max(door.reporting.namer.asked) == 2


@pytest.mark.parametrize("silent", ["directory", "insurance"])
async def test_a_file_is_made_without_names_when_a_sibling_is_silent(
    clinic: Clinic, door: Door, silent: str
) -> None:
    """R31: and says so, with the ids beside it."""
    busy, calm, gold, _ = await named(clinic)
    door.reporting.namer.silent = {silent}

    providers = await rows_of(door, clinic.admin, "Providers", "Declined")
    plans = await rows_of(door, clinic.admin, "Leakage by plan", "Outside of it")
    pages = await door.get(clinic.admin, "months/2026-03-15/pdf")

    door.reporting.namer.silent = set()
    known = silent != "directory"
    assert [one[:2] for one in providers] == [
        ("Łucja Nowak" if known else "name unknown", str(one)) for one in (busy, calm)
    ]
    assert plans[1][:2] == ("Blue Shore: Gold PPO" if not known else "name unknown", str(gold))
    assert pages.body.startswith(b"%PDF-")


async def test_a_file_is_for_who_may_read_the_report_when_they_ask(
    reporting: Reporting, clinic: Clinic, door: Door
) -> None:
    """R14, R31"""
    group = await clinic.group(at=MONDAY)
    await reporting.running.set_time(NEXT_MONTH)
    admin = clinic.staff(office_admin_of=frozenset({clinic.office_id}))
    elsewhere = clinic.staff(office_admin_of=frozenset({uuid4()}))
    other = Clinic(reporting)
    await other.open("UTC")
    path, month = f"weeks/{group}/2026-03-04/pdf", "months/2026-03-04/pdf"

    assert (await door.get(admin, path)).status == 200
    assert code(await door.get(elsewhere, path)) == "FORBIDDEN"
    assert code(await door.get(other.admin, path)) == "NOT_FOUND"
    staff = clinic.staff(office_staff_of=frozenset({clinic.office_id}))
    for one in (path, month):
        assert code(await door.get(staff, one)) == "FORBIDDEN"
        assert (await door.get(None, one)).status == 401


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("2026-03-04/docx", "NO_SUCH_FORMAT"),
        ("2026-03-04/json", "NO_SUCH_FORMAT"),
        ("march/pdf", "NO_SUCH_DAY"),
        ("2031-01-01/pdf", "MONTH_NOT_BEGUN"),
    ],
)
async def test_a_file_that_cannot_be_had_is_refused(
    reporting: Reporting, clinic: Clinic, door: Door, file: str, told: str
) -> None:
    await reporting.running.set_time(NEXT_MONTH)

    reply = await door.get(clinic.admin, f"months/{file}")

    assert (reply.status, reply.json["errors"][0]["extensions"]["reason"]) == (400, told)


async def test_a_report_says_where_its_files_are(reporting: Reporting, clinic: Clinic) -> None:
    """R31: by paths that the gateway's door for files lets through."""
    group = await clinic.group(at=MONDAY)
    await reporting.running.set_time(NOON + 30 * DAY)

    data = await reporting.running.data(URLS, {"id": str(group)}, viewer=clinic.admin)

    week = data["groupProgressReport"]["fileUrl"]
    assert week == f"/files/reporting/weeks/{group}/2026-03-02/xlsx"
    assert data["performanceReport"]["fileUrl"] == "/files/reporting/months/2026-03-01/pdf"
    for url in (week, data["performanceReport"]["fileUrl"]):
        assert _PATH.fullmatch(url.removeprefix("/files/reporting/"))
