"""A month of offices and providers as a file: rows for a spreadsheet, a workbook, and pages to print (R31)."""

import csv
import io
from collections.abc import Iterator, Sequence

from services.reporting.domain.deeds import DeedKind
from services.reporting.domain.exporting import cell
from services.reporting.domain.figures import Share
from services.reporting.domain.naming import Names, told_apart
from services.reporting.domain.pdf import GREY, Pages
from services.reporting.domain.performance import (
    WAITED_FOR,
    Leakage,
    Measured,
    Performance,
    most_received,
    most_sent,
)
from services.reporting.domain.sheets import Cell, Percent, Sheet, workbook
from services.reporting.domain.suppression import Column

WITHHELD = "withheld"
"""What is said of a number that is not told."""

_COUNTED = {
    DeedKind.RECEIVED: "Received",
    DeedKind.ACKNOWLEDGED: "Acknowledged",
    DeedKind.SCHEDULED: "Scheduled",
    DeedKind.COMPLETED: "Completed",
    DeedKind.DECLINED: "Declined",
    DeedKind.LOOP_CLOSED: "Loops closed",
    DeedKind.APPOINTMENT_OVER: "Appointments over",
    DeedKind.NO_SHOW: "No shows",
}
_TURNAROUNDS = {
    DeedKind.ACKNOWLEDGED: "Hours to acknowledge",
    DeedKind.SCHEDULED: "Hours to schedule",
    DeedKind.COMPLETED: "Hours to complete",
}
COLUMNS = (
    *_COUNTED.values(),
    "No show rate",
    *(f"{name}, {of}" for name in _TURNAROUNDS.values() for of in ("median", "nine of ten")),
)
_TOLD = "Numbers below 5, and those that would tell them, are withheld from who may not open the referrals."
FOOT = "Numbers only: nothing about a patient."


def _row(one: Measured) -> list[Cell]:
    counts = [_count(one.counts[kind]) for kind in _COUNTED]
    waits: list[Cell] = []
    for kind in WAITED_FOR:
        wait = one.waits.get(kind)
        waits += [wait.median, wait.p90] if wait else [None, None]
    return [*counts, _percent(one.no_show_rate), *waits]


def _count(count: int | None) -> Cell:
    return WITHHELD if count is None else count


def _percent(share: Share | None) -> Cell:
    if share is None:
        return WITHHELD
    return None if share.percent is None else Percent(share.percent)


def _tables(told: Performance, names: Names) -> Iterator[Sheet]:
    head = ("Name", "Id", *COLUMNS)
    everybody: list[Sequence[Cell]] = [("All", "", *_row(told.total))]
    offices = [
        (names.office(id_), str(id_), *_row(one)) for id_, one in most_received(told.offices)
    ]
    providers = [
        (names.provider(id_), str(id_ or ""), *_row(one))
        for id_, one in most_received(told.providers)
    ]
    yield Sheet("Total", head, everybody)
    yield Sheet("Offices", head, offices)
    yield Sheet("Providers", head, providers)
    yield _reasons("Declined", told.declines)
    yield _reasons("No shows", told.no_shows)
    yield _leakage(told, names)
    yield _reasons("Outside plans, why", told.outside)


def _reasons(name: str, found: Column[str]) -> Sheet:
    rows = sorted(found.cells.items(), key=lambda row: (-(row[1] or 0), row[0]))
    return Sheet(name, ("Reason", "Count"), [(code, _count(count)) for code, count in rows])


def _leakage(told: Performance, names: Names) -> Sheet:
    rows: list[Sequence[Cell]] = [("All", "", *_leaked(told.leakage))]
    rows += [
        (names.plan(plan), str(plan or ""), *_leaked(one)) for plan, one in most_sent(told.plans)
    ]
    columns = ("Plan", "Id", "Sent with a known plan", "Outside of it", "Leakage")
    return Sheet("Leakage by plan", columns, rows)


def _leaked(one: Leakage) -> tuple[Cell, Cell, Cell]:
    return _count(one.sent), _count(one.outside), _percent(one.rate)


# Files ----------------------------------------------------------------------------------------------------------------


def month_csv(told: Performance, names: Names) -> str:
    """RFC 4180: a row for each number, with its table, whose it is, and that one's id. No cell runs in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["month", "table", "of", "number", "value", "id"])
    for sheet in _tables(told, names):
        whose = 2 if _has_ids(sheet) else 1
        for row in sheet.rows:
            of, id_ = str(row[0]), str(row[1]) if _has_ids(sheet) else ""
            for name, value in zip(sheet.columns[whose:], row[whose:], strict=True):
                line = [told.month.first.isoformat(), sheet.name, of, name, _plain(value), id_]
                writer.writerow([cell(one) for one in line])
    return out.getvalue()


def _has_ids(sheet: Sheet) -> bool:
    return sheet.columns[1] == "Id"


def month_xlsx(told: Performance, names: Names) -> bytes:
    """A sheet for each table, and one of what it is."""
    about: list[Sequence[Cell]] = [
        ("Month", told.month.first),
        ("Counted as of (UTC)", told.as_of),
        ("Last fact heard (UTC)", told.data_as_of),
        ("Withheld", "nothing" if told.all_told else _TOLD),
        ("", FOOT),
    ]
    return workbook([*_tables(told, names), Sheet("About", ("", "Report"), about)])


def month_pdf(told: Performance, names: Names) -> bytes:
    """The tables, with the columns that fit a page."""
    pages = Pages(f"Offices and providers: {told.month.first:%B %Y}")
    pages.heading(pages.title, size=17)
    heard = f"{told.data_as_of:%Y-%m-%d %H:%M} UTC" if told.data_as_of else "none yet"
    pages.paragraph(
        f"Counted as of {told.as_of:%Y-%m-%d %H:%M} UTC. Last fact heard: {heard}.", 9, GREY
    )
    if not told.all_told:
        pages.paragraph(_TOLD, 9, GREY)
    pages.paragraph("Median hours: from asked to completed.", 9, GREY)
    for sheet in _tables(told, names):
        if sheet.rows:
            pages.heading(sheet.name)
            pages.table(*_fitting(sheet))
    return pages.file(FOOT)


_ON_PAPER = ("Received", "Completed", "No show rate", "Hours to complete, median")


def _fitting(sheet: Sheet) -> tuple[Sequence[str], list[list[str]]]:
    """What fits a page: of the ids, only as much as tells apart who is called the same."""
    if not _has_ids(sheet):
        return sheet.columns, [[_plain(one, unit=" %") for one in row] for row in sheet.rows]
    columns, heads = sheet.columns[2:], sheet.columns[2:]
    if set(_ON_PAPER) <= set(sheet.columns):
        columns, heads = _ON_PAPER, (*_ON_PAPER[:-1], "Median hours")
    places = [sheet.columns.index(name) for name in columns]
    names = told_apart([(str(row[0]), str(row[1])) for row in sheet.rows])
    rows = [
        [name, *(_plain(row[place], unit=" %") for place in places)]
        for name, row in zip(names, sheet.rows, strict=True)
    ]
    return ("", *heads), rows


def _plain(value: Cell, unit: str = "") -> str:
    """As the screen rounds it: percents to one decimal, hours to two."""
    if isinstance(value, Percent):
        return f"{value.value:.1f}{unit}"
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)
