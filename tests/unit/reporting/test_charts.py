"""Reports as pictures and files, without a database."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree as Tree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Invalid
from services.reporting.domain import (
    Chart,
    Figures,
    Group,
    GroupId,
    Number,
    OfficeId,
    OrganizationId,
    ReferralId,
    Report,
    Span,
    Week,
    ageing,
    cell,
    exporting,
    funnel,
    to_csv,
    to_json,
    trend,
)
from tests.unit.reporting.histories import CARDIOLOGY, DAY, HISTORIES, MONDAY, Told

WEEK = Week(date(2026, 3, 2))
SVG = "{http://www.w3.org/2000/svg}"
COUNTS = st.integers(0, 5000)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=100)


def counting(**numbers: int) -> Figures:
    one = ReferralId(UUID(int=1))
    lists = {number: (one,) * numbers.get(number.value, 0) for number in Number}
    return Figures(lists, {}, None, None, None)


def report(name: str, *tales: Told) -> Report:
    group = Group(
        GroupId(CARDIOLOGY),
        OrganizationId(UUID(int=8)),
        name,
        frozenset[OfficeId](),
        MONDAY,
        None,
    )
    changes = [change for tale in tales for change in tale.changes]
    span = Span.of(WEEK, ZoneInfo("UTC"), MONDAY + 30 * DAY)
    return Report(group, span, datetime(2026, 3, 9, tzinfo=UTC), span.tell(group, changes), None)


def charts(name: str, received: int, closing: int, weeks: int) -> list[Chart]:
    told = counting(received=received, backlog_0_to_3_days=closing, closing=closing)
    line = [(Week(WEEK.monday + timedelta(weeks=n)), told) for n in range(weeks)]
    return [ageing(name, WEEK, told), funnel(name, WEEK, told), trend(name, line)]


@given(NAMES, COUNTS, COUNTS, st.integers(1, 8))
def test_every_chart_is_sound_says_what_it_shows_and_runs_nothing(
    name: str, received: int, closing: int, weeks: int
) -> None:
    """R31"""
    for chart in charts(name, received, closing, weeks):
        root = Tree.fromstring(chart.svg)  # noqa: S314 - our own text
        kinds = {element.tag.removeprefix(SVG) for element in root.iter()}

        assert kinds <= {"svg", "title", "desc", "rect", "text", "line", "polyline", "circle"}
        assert root.get("role") == "img"
        assert root.findtext(f"{SVG}title") == chart.title
        assert root.findtext(f"{SVG}desc") == chart.description
        assert not re.search(r"\son\w+=|href", chart.svg)
        assert all(len(row) == len(chart.columns) for row in chart.rows)


@given(COUNTS, COUNTS, st.integers(1, 8))
def test_everything_of_a_chart_is_inside_its_frame(received: int, closing: int, weeks: int) -> None:
    """R31"""
    for chart in charts("Cardiology", received, closing, weeks):
        root = Tree.fromstring(chart.svg)  # noqa: S314 - our own text
        for element in root.iter():
            x, y = float(element.get("x", 0)), float(element.get("y", 0))
            assert 0 <= x + float(element.get("width", 0)) <= 640
            assert 0 <= y + float(element.get("height", 0)) <= 320


def test_the_table_of_a_chart_has_what_the_picture_shows() -> None:
    """R31"""
    chart = funnel("Cardiology", WEEK, counting(received=4, first_actions=3, loops_closed=1))

    assert [row[1] for row in chart.rows] == ["4", "3", "0", "0", "1"]
    assert "Received: referrals 4" in chart.description


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_no_cell_begins_as_a_formula(start: str) -> None:
    """R31"""
    assert cell(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"
    assert cell("Cardiology") == "Cardiology"


@given(st.text(max_size=40), HISTORIES)
def test_a_csv_reads_back_and_no_cell_of_it_is_a_formula(
    name: str, histories: list[list[object]]
) -> None:
    """R31"""
    tale = Told(changes=[change for told in histories for change in told])  # type: ignore[misc]
    told = report(name, tale)

    text = to_csv(told, with_ids=True)

    assert text.endswith("\r\n")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert {len(row) for row in rows} == {7}
    assert all(row[0] == cell(name) for row in rows[1:])
    assert not any(one.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for one in row)
    received = next(row for row in rows if row[3] == "received")
    assert int(received[4]) == len(received[6].split()) == told.figures.count(Number.RECEIVED)


def test_json_says_the_same_as_csv_and_leaves_ids_out_when_asked() -> None:
    """R31"""
    told = report("Cardiology", Told().sent(DAY))

    rows = list(csv.DictReader(io.StringIO(to_csv(told, with_ids=False))))
    data = json.loads(to_json(told, with_ids=False))

    assert [row["name"] for row in rows] == [row["name"] for row in data["rows"]]
    assert not any(row["referral_ids"] for row in rows)
    assert not any("referralIds" in row for row in data["rows"])
    assert data["watermark"] == told.told.watermark


def test_a_file_that_grows_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """R31"""
    monkeypatch.setattr(exporting, "LARGEST", 100)

    with pytest.raises(Invalid) as refused:
        to_csv(report("Cardiology"), with_ids=True)

    assert refused.value.code == "EXPORT_TOO_LARGE"
