"""A report as a workbook and as pages: read back as any program would."""

import io
import re
import zipfile
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime
from struct import unpack_from
from uuid import UUID
from xml.etree import ElementTree as Tree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Invalid
from services.reporting.domain import (
    Change,
    Dimension,
    Driver,
    Explanation,
    Group,
    Number,
    OrganizationId,
    Report,
    Span,
    Week,
    ageing,
    documents,
    funnel,
)
from services.reporting.domain.documents import to_pdf, to_xlsx
from services.reporting.domain.fonts import noto
from services.reporting.domain.letters import LACKING, width_of, wrapped, written
from services.reporting.domain.naming import UNKNOWN, Names, plan_name, told_apart
from services.reporting.domain.pdf import Pages
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

    figures = {row[1][1]: row[2] for row in cells(to_xlsx(told, Names(), with_ids=True), 1)}
    ids = [row[2][1] for row in cells(to_xlsx(told, Names(), with_ids=True), 3)[1:]]

    assert (figures["Received"], figures["Closing"]) == (("n", "1"), ("n", "1"))
    assert set(ids) == {str(tale.referral_id)}
    assert to_xlsx(told, Names(), with_ids=True) == to_xlsx(told, Names(), with_ids=True)
    assert str(tale.referral_id).encode() not in b"".join(
        zipfile.ZipFile(io.BytesIO(to_xlsx(told, Names(), with_ids=False))).read(
            f"xl/worksheets/sheet{n}.xml"
        )
        for n in (1, 2, 3)
    )


def test_a_workbook_of_too_many_referrals_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """R31"""
    monkeypatch.setattr(documents, "MOST_IDS", 1)

    with pytest.raises(Invalid) as refused:
        to_xlsx(report(Told().sent(DAY)), Names(), with_ids=True)

    assert refused.value.code == "EXPORT_TOO_LARGE"


def words(file: bytes) -> str:
    """All that a PDF writes."""
    streams = map(zlib.decompress, re.findall(rb"stream\n(.*?)\nendstream", file, re.DOTALL))
    return b"\n".join(one for one in streams if b" Tj" in one).decode("cp1252")


def test_the_pages_of_a_report_say_its_figures_and_draw_its_charts() -> None:
    """R31"""
    told = report(Told().sent(DAY), name="Cardiology (Zürich) \\")
    charts = [chart("Cardiology", told.span.week, told.figures) for chart in (ageing, funnel)]

    file = to_pdf(told, Names(), charts)
    said = words(file)

    assert file.startswith(b"%PDF-1.7")
    assert r"Cardiology \(Zürich\) \\: week of 2026-03-02" in said
    for part in ("(Received) Tj", "(0 to 3 days) Tj", "(First acted on) Tj", "1 of 3) Tj"):
        assert part in said
    assert file == to_pdf(told, Names(), charts)


def test_files_name_who_moved_a_number_with_the_id_beside_it() -> None:
    """R31: an office that is not the organization's own has no name here."""
    busy, own = UUID(int=21), UUID(int=22)
    told = report()
    drivers = (
        Driver(Dimension.PROVIDER, str(busy), 0, 12),
        Driver(Dimension.SENDING_OFFICE, str(own), 6, 12),
        Driver(Dimension.OFFICE, str(UUID(int=23)), 0, 6),
        Driver(Dimension.REASON, "AGE", 0, 6),
    )
    explained = Explanation(Number.RECEIVED, 6, 18, drivers)
    told = replace(told, told=replace(told.told, explanations=(explained,)))
    names = Names(offices={own: "Birch Street"}, providers={busy: "Anna Lee"})

    rows = cells(to_xlsx(told, names, with_ids=False), 4)[1:]
    said = words(to_pdf(told, names, []))

    assert [[text for _, text in row[1:4]] for row in rows] == [
        ["Provider", "Anna Lee", str(busy)],
        ["Sending office", "Birch Street", str(own)],
        ["Office", "an office of another organization", str(UUID(int=23))],
        ["Reason", "AGE", ""],
    ]
    assert [row[4] for row in rows][:2] == [("n", "12"), ("n", "12")]
    assert "(Anna Lee) Tj" in said
    assert "(an office of another organization) Tj" in said


def test_every_object_of_a_pdf_is_where_its_table_says() -> None:
    file = to_pdf(report(), Names(), [])
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


@given(st.lists(st.text("abc", min_size=1, max_size=40), min_size=1, max_size=30))
def test_lines_fit_and_nothing_is_left_out(parts: list[str]) -> None:
    lines = wrapped(" ".join(parts), 10, 80)

    assert "".join(lines).replace(" ", "") == "".join(parts)
    assert all(width_of(line, 10) <= 80 for line in lines)


def test_names_that_are_longer_than_their_column_are_told_whole() -> None:
    """R31: two people whose long names begin alike are two people on paper, as are two who are told apart by the end of their ids."""
    long = "Maria Magdalena Theodora von und zu Hohenlohe-Langenburg-Schillingsfuerst-Bartenstein, Professor of Cardiology "
    names = told_apart(
        [
            (f"{long}Anna", "1"),
            (f"{long}Berta", "2"),
            *[("x" * 150, "3-aaaaaa"), ("x" * 150, "4-bbbbbb")],
        ]
    )
    pages = Pages("Long")
    pages.heading(f"{long * 2}Carla")
    pages.table(("", "A", "B", "C"), [(name, "1", "2", "3") for name in names])

    said = words(pages.file("Foot"))

    shown = re.findall(r"\((.*)\) Tj", said.replace("\\", ""))
    together = "".join(shown).replace(" ", "")
    for whole in (*names, f"{long * 2}Carla"):
        assert whole.replace(" ", "").replace("…", "") in together.replace("…", "")


def test_a_long_table_tells_its_head_again_on_each_page() -> None:
    pages = Pages("Long")
    pages.table(("Name", "Count"), [(f"Row {number}", str(number)) for number in range(120)])

    said = words(pages.file("Foot"))

    assert said.count("(Name) Tj") == said.count("of 3) Tj") == 3


SAMPLES = [
    "Łucja Żółć",
    "Ștefan Țurcanu",
    "Nguyễn Thị Hồng",
    "Şükrü İnönü",
    "Вікторія Їжакевич",
    "Αλέξανδρος Ώρα",
]


def glyphs_of(file: bytes) -> dict[int, str]:
    """Which letter a document says that each glyph is."""
    streams = map(zlib.decompress, re.findall(rb"stream\n(.*?)\nendstream", file, re.DOTALL))
    (told,) = (one.decode() for one in streams if b"beginbfchar" in one)
    pairs = re.findall(r"<([0-9A-F]{4})> <([0-9a-f]+)>", told)
    return {int(glyph, 16): bytes.fromhex(letter).decode("utf-16-be") for glyph, letter in pairs}


@pytest.mark.parametrize("name", SAMPLES)
def test_names_that_helvetica_lacks_letters_for_are_written_as_they_are(name: str) -> None:
    """R31: in a font that the document brings, which says what its glyphs mean."""
    pages = Pages("Names")
    pages.paragraph(name)

    file = pages.file("Foot")
    meant = glyphs_of(file)
    (shown,) = re.findall(r"<([0-9A-F]+)> Tj", words(file))

    letters = [meant[int(shown[at : at + 4], 16)] for at in range(0, len(shown), 4)]
    assert "".join(letters) == name
    assert len(file) < 40_000


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王小明", LACKING),
        ("Dr. أحمد محمد (ENT)", f"Dr. {LACKING} (ENT)"),
        ("José 😀", f"José {LACKING}"),
        ("Jose\u0301", "José"),
        ("\uff21\uff22 Łódź", "AB Łódź"),
    ],
)
def test_letters_of_other_scripts_are_left_out_where_everybody_sees_it(
    name: str, shown: str
) -> None:
    """R31: who copies the text, or has it read out, has it whole; the foot of the page says what it means."""
    assert written(name).text == shown
    pages = Pages("Names")
    pages.paragraph(name)

    said = words(pages.file("Foot"))

    lacking = LACKING in shown
    assert ("stands for letters" in said) == lacking
    assert (f"/ActualText <FEFF{name.encode('utf-16-be').hex()}>" in said) == lacking


def test_a_part_of_a_font_has_the_outlines_that_are_used_and_their_parts() -> None:
    font = noto(bold=False)
    wanted = [font.glyphs[letter] for letter in "ễŁ"]

    part = font.part(wanted)
    (count,) = unpack_from(">H", part, 4)
    tables = {
        tag: (start, length)
        for tag, _, start, length in (
            unpack_from(">4sLLL", part, 12 + 16 * n) for n in range(count)
        )
    }

    assert 300 < tables[b"glyf"][1] < 4_000
    assert len(part) % 4 == 0
    assert sum(unpack_from(f">{len(part) // 4}L", part)) & 0xFFFFFFFF == 0xB1B0AFBA
    assert font.part(wanted) == font.part(reversed(wanted))


def test_names_that_read_alike_on_paper_are_told_apart_by_their_ids() -> None:
    """R31"""
    rows = [("Anna Lee", "1-aaaaaa"), ("Anna Lee", "2-bbbbbb"), ("Łucja", "3"), ("All", "")]
    rows += [("王小明", "4-cccccc"), (UNKNOWN, "5-dddddd")]

    assert told_apart(rows) == [
        "Anna Lee (…aaaaaa)",
        "Anna Lee (…bbbbbb)",
        "Łucja",
        "All",
        "王小明 (…cccccc)",
        "name unknown (…dddddd)",
    ]


def test_a_plan_is_called_with_its_payer_unless_it_says_so_itself() -> None:
    """R31"""
    assert plan_name("Gold", "Blue Shore") == "Blue Shore: Gold"
    assert plan_name("Blue Shore Gold", "Blue Shore") == "Blue Shore Gold"
    assert plan_name("Self-pay", "") == "Self-pay"
