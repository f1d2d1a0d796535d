"""A report as a workbook and as pages: read back as any program would."""

import io
import re
import zipfile
import zlib
from datetime import UTC, date, datetime
from uuid import UUID
from xml.etree import ElementTree as Tree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Invalid
from services.reporting.domain import (
    Change,
    Group,
    OrganizationId,
    Report,
    Span,
    Week,
    ageing,
    documents,
    funnel,
)
from services.reporting.domain.documents import to_pdf, to_xlsx
from services.reporting.domain.pdf import Pages, width_of, wrapped
from services.reporting.domain.sheets import Percent, Sheet, workbook
from tests.unit.reporting.histories import CARDIOLOGY, DAY, MONDAY, NEXT_MONDAY, Told

NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULA = '=HYPERLINK("evil")'


def report(*tales: Told, name: str = FORMULA) -> Report:
    organization = OrganizationId(UUID(int=9))
    group = Group(CARDIOLOGY, organization, name, frozenset(), MONDAY, None)
    span = Span.of(Week(MONDAY.date()), ZoneInfo("UTC"), NEXT_MONDAY + DAY)
    changes: list[Change] = [change for tale in tales for change in tale.changes]
    heard = datetime(2026, 3, 9, 6, tzinfo=UTC)
    return Report(group, span, heard, span.tell(group, changes), None)


def cells(file: bytes, sheet: int) -> list[list[tuple[str, str | None]]]:
    """Type and text of each cell of a sheet."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        root = Tree.fromstring(archive.read(f"xl/worksheets/sheet{sheet}.xml"))  # noqa: S314 - ours
    return [
        [(one.get("t", "n"), "".join(one.itertext())) for one in row]
        for row in root.iter(f"{NS}row")
    ]


@given(st.text(max_size=40))
def test_whatever_a_text_is_it_is_a_text_and_no_formula(text: str) -> None:
    """R31"""
    file = workbook([Sheet("One", ("A",), [(text,)])])

    (_, ((kind, _),)) = cells(file, 1)

    assert kind == "inlineStr"
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(file)).read("xl/worksheets/sheet1.xml")


def test_cells_have_the_types_of_what_they_hold() -> None:
    """R31"""
    at = datetime(2026, 3, 9, 6, tzinfo=UTC)
    file = workbook(
        [
            Sheet(
                "One", ("A",), [(3,), (2.5,), (Percent(12.5),), (date(2026, 3, 9),), (at,), (None,)]
            )
        ]
    )

    values = [row[0] for row in cells(file, 1)[1:]]

    assert values == [
        ("n", "3"),
        ("n", "2.5"),
        ("n", "0.125"),
        ("n", "46090"),
        ("n", "46090.25"),
        ("n", ""),
    ]


def test_what_a_spreadsheet_takes_for_an_escape_stays_what_it_is() -> None:
    """R31"""
    (_, ((_, text),)) = cells(workbook([Sheet("One", ("A",), [("_x0041_ <&>",)])]), 1)

    assert text == "_x005F_x0041_ <&>"


def test_the_workbook_of_a_report_has_its_figures_and_its_referrals() -> None:
    """R31"""
    tale = Told().sent(DAY)
    told = report(tale)

    figures = {row[1][1]: row[2] for row in cells(to_xlsx(told, with_ids=True), 1)}
    ids = [row[2][1] for row in cells(to_xlsx(told, with_ids=True), 3)[1:]]

    assert (figures["Received"], figures["Closing"]) == (("n", "1"), ("n", "1"))
    assert set(ids) == {str(tale.referral_id)}
    assert to_xlsx(told, with_ids=True) == to_xlsx(told, with_ids=True)
    assert str(tale.referral_id).encode() not in b"".join(
        zipfile.ZipFile(io.BytesIO(to_xlsx(told, with_ids=False))).read(
            f"xl/worksheets/sheet{n}.xml"
        )
        for n in (1, 2, 3)
    )


def test_a_workbook_of_too_many_referrals_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """R31"""
    monkeypatch.setattr(documents, "MOST_IDS", 1)

    with pytest.raises(Invalid) as refused:
        to_xlsx(report(Told().sent(DAY)), with_ids=True)

    assert refused.value.code == "EXPORT_TOO_LARGE"


def words(file: bytes) -> str:
    """All that a PDF writes."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", file, re.DOTALL)
    return b"\n".join(zlib.decompress(one) for one in streams).decode("cp1252")


def test_the_pages_of_a_report_say_its_figures_and_draw_its_charts() -> None:
    """R31"""
    told = report(Told().sent(DAY), name="Cardiology (Łódź) \\")
    charts = [chart("Cardiology", told.span.week, told.figures) for chart in (ageing, funnel)]

    file = to_pdf(told, charts)
    said = words(file)

    assert file.startswith(b"%PDF-1.7")
    assert r"Cardiology \(?ódz\) \\: week of 2026-03-02" in said
    for part in ("(Received) Tj", "(0 to 3 days) Tj", "(First acted on) Tj", "1 of 3) Tj"):
        assert part in said
    assert file == to_pdf(told, charts)


def test_every_object_of_a_pdf_is_where_its_table_says() -> None:
    file = to_pdf(report(), [])
    table = file[int(file.rsplit(b"startxref\n", 1)[1].split(b"\n")[0]) :]
    places = [int(line[:10]) for line in table.split(b"\n")[3:] if line.endswith(b" n ")]

    for number, place in enumerate(places, start=1):
        assert file[place:].startswith(f"{number} 0 obj".encode())


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_can_be_written(text: str) -> None:
    pages = Pages(text)
    pages.paragraph(text)
    pages.table((text, text), [(text, text)])

    assert pages.file("Foot").endswith(b"%%EOF\n")


@given(st.lists(st.text("abc", min_size=1, max_size=9), min_size=1, max_size=30))
def test_lines_fit_and_nothing_is_left_out(parts: list[str]) -> None:
    lines = wrapped(" ".join(parts), 10, 80)

    assert " ".join(lines).split() == parts
    assert all(width_of(line, 10) <= 80 or " " not in line for line in lines)


def test_a_long_table_tells_its_head_again_on_each_page() -> None:
    pages = Pages("Long")
    pages.table(("Name", "Count"), [(f"Row {number}", str(number)) for number in range(120)])

    said = words(pages.file("Foot"))

    assert said.count("(Name) Tj") == said.count("of 3) Tj") == 3
