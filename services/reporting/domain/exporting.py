"""A report as text: CSV that no spreadsheet takes for formulas, and JSON (R31)."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum

from kit.errors import Invalid
from services.reporting.domain.counting import MedianHours
from services.reporting.domain.figures import Figures, Rate
from services.reporting.domain.nouns import GroupId
from services.reporting.domain.reports import Report
from services.reporting.domain.tally import Number

LARGEST = 2_000_000
"""Characters of a file at most."""

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
"""How a formula may begin; the last four are as wide as a Chinese letter, and some spreadsheets take them for the same."""


class ExportFormat(StrEnum):
    """What the file is."""

    CSV = "CSV"
    JSON = "JSON"
    XLSX = "XLSX"
    PDF = "PDF"


MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSON: "application/json",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportFormat.PDF: "application/pdf",
}


def week_url(group_id: GroupId, monday: date, form: ExportFormat) -> str:
    """Where the file of a group's week is had, as a path of the gateway."""
    return f"/files/reporting/weeks/{group_id}/{monday}/{form.value.lower()}"


def month_url(first: date, form: ExportFormat) -> str:
    """Where the file of a month is had, as a path of the gateway."""
    return f"/files/reporting/months/{first}/{form.value.lower()}"


def cell(text: str) -> str:
    """A text that a spreadsheet shows and does not run: an apostrophe before what would begin a formula."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


Row = tuple[str, str, int | float | None, int | float | None, str]


def to_csv(report: Report, *, with_ids: bool) -> str:
    """RFC 4180: a header, then a row for each number, rate, median and reason, beside the week before."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["group", "week_of", "kind", "name", "value", "week_before", "referral_ids"])
    week = report.span.week.monday.isoformat()
    for kind, name, value, before, ids in rows_of(report):
        shown = ids if with_ids else ""
        row = [report.group.name, week, kind, name, _plain(value), _plain(before), shown]
        writer.writerow([cell(one) for one in row])
    return _limited(out.getvalue())


def to_json(report: Report, *, with_ids: bool) -> str:
    """The same rows as one JSON object."""
    rows: list[dict[str, object]] = []
    for kind, name, value, before, ids in rows_of(report):
        row: dict[str, object] = {"kind": kind, "name": name, "value": value, "weekBefore": before}
        rows.append(row | ({"referralIds": ids.split()} if with_ids else {}))
    as_of = report.data_as_of.isoformat() if report.data_as_of else None
    told = {
        "groupId": str(report.group.id),
        "group": report.group.name,
        "weekOf": report.span.week.monday.isoformat(),
        "asOf": report.span.as_of.isoformat(),
        "dataAsOf": as_of,
        "watermark": report.told.watermark,
        "explanations": [one.sentence for one in report.told.explanations],
        "rows": rows,
    }
    return _limited(json.dumps(told, ensure_ascii=False, indent=1))


def rows_of(report: Report) -> Iterator[Row]:
    """Kind, name, value, the week before and referral ids of each number, rate, median and reason."""
    now, before = report.figures, report.told.before
    for number in Number:
        ids = _ids(now.numbers[number])
        yield "number", number.value, now.count(number), before.count(number), ids
    for code in sorted(now.declined_by_reason.keys() | before.declined_by_reason.keys()):
        had, has = before.declined_by_reason.get(code, ()), now.declined_by_reason.get(code, ())
        yield "declined_by_reason", code, len(has), len(had), _ids(has)
    for rate in Rate:
        yield "percent", rate.value, now.rate(rate).percent, before.rate(rate).percent, ""
    for (name, this), (_, then) in zip(_medians(now), _medians(before), strict=True):
        yield "median_hours", name, this.hours if this else None, then.hours if then else None, ""


def _medians(told: Figures) -> tuple[tuple[str, MedianHours | None], ...]:
    return (
        ("to_first_action", told.to_first_action),
        ("to_schedule", told.to_schedule),
        ("to_appointment", told.to_appointment),
        ("to_completion", told.to_completion),
    )


def _ids(ids: Iterable[object]) -> str:
    return " ".join(str(one) for one in ids)


def _plain(value: float | None) -> str:
    return "" if value is None else str(value)


def _limited(text: str) -> str:
    """Invalid EXPORT_TOO_LARGE beyond two million characters."""
    if len(text) > LARGEST:
        raise Invalid(
            "The file would be larger than two million characters.",
            code="EXPORT_TOO_LARGE",
            remedy="Ask for it without the referrals' ids.",
        )
    return text
