"""A report as a workbook, and as pages to print (R31)."""

from collections.abc import Iterator, Sequence

from kit.errors import Invalid
from services.reporting.domain.charts import Chart
from services.reporting.domain.counting import Dimension
from services.reporting.domain.exporting import rows_of
from services.reporting.domain.naming import Names, told_apart
from services.reporting.domain.pdf import GREY, Pages
from services.reporting.domain.reports import Report
from services.reporting.domain.sheets import Cell, Percent, Sheet, workbook

MOST_IDS = 50_000
"""Rows of referral ids that a workbook has at most."""

_KINDS = {
    "number": "Numbers",
    "declined_by_reason": "Declined, by reason",
    "percent": "Rates",
    "median_hours": "Medians, in hours",
}
FOOT = "Ids, numbers and names of the directory only: nothing about a patient."


def to_xlsx(report: Report, names: Names, *, with_ids: bool) -> bytes:
    """Sheets of figures beside the week before, of what moved them, of the referrals behind them, of what it is, and of who moved
    them, by name and id.

    Refuses EXPORT_TOO_LARGE.
    """
    told = list(rows_of(report))
    figures = [
        (_KINDS[kind], _words(name), _cell(kind, value), _cell(kind, before), _moved(value, before))
        for kind, name, value, before, _ in told
    ]
    columns = ("", "Number", "This week", "Week before", "Change")
    changes = [(one.sentence,) for one in report.told.explanations]
    sheets = [Sheet("Figures", columns, figures), Sheet("Changes", ("What changed",), changes)]
    if with_ids:
        ids = [
            (_KINDS[kind], _words(name), one)
            for kind, name, _, _, all_ in told
            for one in all_.split()
        ]
        sheets.append(Sheet("Referrals", ("", "Number", "Referral id"), _few_enough(ids)))
    about = Sheet("About", ("", "Report"), list(_about(report)))
    return workbook([*sheets, about, _drivers(report, names)])


def _drivers(report: Report, names: Names) -> Sheet:
    rows = [
        (
            _words(one.number.value),
            _words(driver.dimension.value.lower()),
            names.of(driver.dimension, driver.key),
            "" if driver.dimension is Dimension.REASON else driver.key,
            driver.now,
            driver.before,
        )
        for one in report.told.explanations
        for driver in one.drivers
    ]
    columns = ("Number", "By", "Name", "Id", "This week", "Week before")
    return Sheet("What moved it most", columns, rows)


def _few_enough(ids: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    if len(ids) > MOST_IDS:
        raise Invalid(
            "This file would be too large.",
            code="EXPORT_TOO_LARGE",
            field="withReferralIds",
            remedy="Ask for it without the referrals' ids.",
        )
    return ids


def _about(report: Report) -> Iterator[tuple[Cell, Cell]]:
    yield "Group", report.group.name
    yield "Group id", str(report.group.id)
    yield "Week of", report.span.week.monday
    yield "Counted as of (UTC)", report.span.as_of
    yield "Last fact heard (UTC)", report.data_as_of
    yield "Watermark", report.told.watermark
    yield "Restated since published", "yes" if report.restated else "no"
    yield "", FOOT


def _words(name: str) -> str:
    """A number's name as people read it; a coded reason stays as it is."""
    return name if name.isupper() else name.replace("_", " ").capitalize()


def _cell(kind: str, value: float | None) -> Cell:
    return Percent(value) if kind == "percent" and value is not None else value


def _moved(value: float | None, before: float | None) -> float | int | None:
    if value is None or before is None:
        return None
    return value - before if isinstance(value, int) else round(value - before, 2)


# Pages ----------------------------------------------------------------------------------------------------------------


def to_pdf(report: Report, names: Names, charts: Sequence[Chart]) -> bytes:
    """What changed, and who moved it, the charts, and the figures beside the week before."""
    week = report.span.week.monday
    pages = Pages(f"{report.group.name}: week of {week}")
    pages.heading(pages.title, size=17)
    for line in _head(report):
        pages.paragraph(line, size=9, ink=GREY)
    pages.heading("What changed since the week before")
    sentences = [one.sentence for one in report.told.explanations]
    for sentence in sentences or ["Nothing by five referrals and a fifth or more."]:
        pages.paragraph(sentence)
    _movers(pages, _drivers(report, names).rows)
    for chart in charts:
        pages.picture(chart.svg)
    _figures(pages, report)
    return pages.file(FOOT)


def _figures(pages: Pages, report: Report) -> None:
    """Each number beside the week before, kind by kind."""
    for kind, title in _KINDS.items():
        rows = [row for row in rows_of(report) if row[0] == kind]
        if rows:
            pages.heading(title)
            pages.table(
                ("", "This week", "Week before", "Change"),
                [
                    (_words(name), _plain(kind, now), _plain(kind, then), _change(kind, now, then))
                    for _, name, now, then, _ in rows
                ],
            )


def _movers(pages: Pages, moved: Sequence[Sequence[Cell]]) -> None:
    """Who moved the numbers, if anybody did."""
    if moved:
        pages.heading("What moved it most")
        called = told_apart([(str(row[2]), str(row[3])) for row in moved])
        pages.table(
            ("", "Number", "This week", "Week before"),
            [
                (name, str(row[0]), str(row[4]), str(row[5]))
                for name, row in zip(called, moved, strict=True)
            ],
        )


def _head(report: Report) -> Iterator[str]:
    heard = f"{report.data_as_of:%Y-%m-%d %H:%M} UTC" if report.data_as_of else "none yet"
    yield f"Counted as of {report.span.as_of:%Y-%m-%d %H:%M} UTC. Last fact heard: {heard}."
    state = "Not published yet." if report.published is None else "Published."
    if report.restated:
        state = "Published; facts that came late have changed it since."
    yield f"{state} Watermark {report.told.watermark}."


def _plain(kind: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f} %" if kind == "percent" else _number(value)


def _change(kind: str, value: float | None, before: float | None) -> str:
    moved = _moved(value, before)
    if moved is None:
        return ""
    if kind == "percent":
        return f"{moved:+.1f}"
    return _number(moved, sign="+") if moved else "0"


def _number(value: float, sign: str = "") -> str:
    """Whole, or with two decimals at the most: as the screen has it."""
    if isinstance(value, int):
        return f"{value:{sign}d}"
    return f"{value:{sign}.2f}".rstrip("0").rstrip(".")
