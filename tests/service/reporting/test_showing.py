"""Charts and files of a report through GraphQL."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta

from services.reporting.actions import publish_due
from tests.service.reporting.conftest import Clinic, Reporting
from tests.service.reporting.stories import Story

MONDAY = datetime(2026, 3, 2, 5, tzinfo=UTC)
DAY = timedelta(days=1)
SHOWN = """query($groupId: ID!, $weekOf: Date!) { groupProgressReport(groupId: $groupId, weekOf: $weekOf) {
    trend: chart(kind: TREND) { title description svg columns rows { cells } }
    ageing: chart(kind: AGEING) { rows { cells } } funnel: chart(kind: FUNNEL) { rows { cells } }
    csv: export(format: CSV) { fileName mediaType content }
    json: export(format: JSON, withReferralIds: false) { fileName mediaType base64 content }
    xlsx: export(format: XLSX) { fileName mediaType base64 content } pdf: export(format: PDF) { fileName base64 content } } }"""


async def test_a_report_is_shown_as_charts_and_taken_away_as_files(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R31"""
    group = await clinic.group('=HYPERLINK("evil")', at=MONDAY)
    story = await Story(clinic, group).sent(MONDAY + DAY)
    await Story(clinic, group).sent(MONDAY + 8 * DAY)
    await reporting.running.set_time(MONDAY + 14 * DAY + timedelta(hours=12))
    await publish_due(reporting.running.parts)

    asked = {"groupId": str(group), "weekOf": "2026-03-09"}
    data = await reporting.running.data(SHOWN, asked, viewer=clinic.admin)

    told = data["groupProgressReport"]
    rows = [row["cells"] for row in told["trend"]["rows"]]
    assert rows == [["2026-03-02", "1", "0", "1"], ["2026-03-09", "1", "0", "2"]]
    assert told["trend"]["svg"].startswith("<svg ")
    assert [row["cells"][1] for row in told["ageing"]["rows"]] == ["0", "1", "1", "0"]
    assert told["funnel"]["rows"][0]["cells"] == ["Received", "1"]
    assert told["csv"]["fileName"] == f"report-{group}-2026-03-09.csv"
    assert str(story.referral_id) in told["csv"]["content"]
    assert '"\'=HYPERLINK(""evil"")"' in told["csv"]["content"]
    assert str(story.referral_id) not in told["json"]["content"]
    assert told["json"]["mediaType"] == "application/json"
    assert told["json"]["base64"] is False
    assert b64decode(told["xlsx"]["content"]).startswith(b"PK")
    assert told["xlsx"]["fileName"].endswith(".xlsx")
    assert b64decode(told["pdf"]["content"]).startswith(b"%PDF-")
    assert (told["xlsx"]["base64"], told["pdf"]["base64"]) == (True, True)
