"""Workbooks (XLSX): cells with real types, none of which is ever a formula; the same figures make the same bytes."""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from xml.sax.saxutils import escape, quoteattr


@dataclass(frozen=True, slots=True)
class Percent:
    """A share of 0 to 100, shown as one."""

    value: float


Cell = str | int | float | Percent | date | datetime | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with a name of at most 31 letters. Instants are shown in UTC."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_HEADER, _PERCENT, _DATE, _INSTANT, _HOURS = 1, 2, 3, 4, 5
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="3"><numFmt numFmtId="164" formatCode="0.0%"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="166" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '<fill><patternFill patternType="solid"><fgColor rgb="FFE4EBF2"/></patternFill></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="6"><xf/>'
    '<xf fontId="1" fillId="2" applyFont="1" applyFill="1"/><xf numFmtId="164" applyNumberFormat="1"/>'
    '<xf numFmtId="165" applyNumberFormat="1"/><xf numFmtId="166" applyNumberFormat="1"/><xf numFmtId="2" applyNumberFormat="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_DAY_ZERO = datetime(1899, 12, 30)
_WIDEST = 60
_ALWAYS = (1980, 1, 1, 0, 0, 0)
"""When every part of a workbook was made: the earliest that a ZIP can say."""


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """The sheets as a file."""
    parts = {
        "[Content_Types].xml": _types(len(sheets)),
        "_rels/.rels": _relations([(f"{_OFFICE}/officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": _book(sheets),
        "xl/_rels/workbook.xml.rels": _relations(
            [
                *((f"{_OFFICE}/worksheet", f"worksheets/sheet{n}.xml") for n in _numbers(sheets)),
                (f"{_OFFICE}/styles", "styles.xml"),
            ]
        ),
        "xl/styles.xml": _STYLES,
    }
    for number, sheet in enumerate(sheets, start=1):
        parts[f"xl/worksheets/sheet{number}.xml"] = _sheet(sheet)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            told = zipfile.ZipInfo(name, _ALWAYS)
            archive.writestr(told, text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _numbers(sheets: Sequence[Sheet]) -> range:
    return range(1, len(sheets) + 1)


def _types(sheets: int) -> str:
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_SHEET}.worksheet+xml"/>'
        for n in range(1, sheets + 1)
    )
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET}.styles+xml"/>{parts}</Types>'
    )


def _relations(told: Sequence[tuple[str, str]]) -> str:
    parts = "".join(
        f'<Relationship Id="rId{n}" Type="{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(told, start=1)
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{parts}</Relationships>'


def _book(sheets: Sequence[Sheet]) -> str:
    parts = "".join(
        f'<sheet name={quoteattr(sheet.name)} sheetId="{n}" r:id="rId{n}"/>'
        for n, sheet in enumerate(sheets, start=1)
    )
    return (
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{parts}</sheets></workbook>'
    )


def _sheet(sheet: Sheet) -> str:
    rows = [_row(1, [_text(name, _HEADER) for name in sheet.columns])]
    rows += [_row(n, [_cell(one) for one in row]) for n, row in enumerate(sheet.rows, start=2)]
    return (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{_widths(sheet)}</cols><sheetData>{''.join(rows)}</sheetData></worksheet>"
    )


def _widths(sheet: Sheet) -> str:
    parts = []
    for place, name in enumerate(sheet.columns):
        longest = max([len(name), *(len(str(row[place])) for row in sheet.rows)])
        width = min(longest + 2, _WIDEST)
        parts.append(f'<col min="{place + 1}" max="{place + 1}" width="{width}" customWidth="1"/>')
    return "".join(parts)


def _row(number: int, cells: Sequence[str]) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(value: Cell) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, str):
        return _text(value, 0)
    if isinstance(value, Percent):
        return f'<c s="{_PERCENT}"><v>{value.value / 100!r}</v></c>'
    if isinstance(value, datetime):
        return f'<c s="{_INSTANT}"><v>{_days(value.astimezone(UTC).replace(tzinfo=None))!r}</v></c>'
    if isinstance(value, date):
        there = datetime(value.year, value.month, value.day)
        return f'<c s="{_DATE}"><v>{_days(there):.0f}</v></c>'
    return f'<c s="{_HOURS if isinstance(value, float) else 0}"><v>{value!r}</v></c>'


def _days(at: datetime) -> float:
    return (at - _DAY_ZERO) / timedelta(days=1)


def _text(text: str, style: int) -> str:
    """A text, whatever is in it: what XML cannot say is left out, what a spreadsheet takes for an escape is escaped."""
    plain = escape(_LOOKS_ESCAPED.sub("_x005F_", _NOT_XML.sub("", text)))
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{plain}</t></is></c>'
