"""Charts of a report as SVG: read in print without colour and by a screen reader, nothing in them runs (R31)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape

from services.reporting.domain.figures import Figures
from services.reporting.domain.tally import Number
from services.reporting.domain.weeks import Week

TREND_WEEKS = 8
"""How many weeks a trend shows."""

TITLE = 70
"""Letters of a title that fit."""


class ChartKind(StrEnum):
    """What a chart shows."""

    TREND = "TREND"
    AGEING = "AGEING"
    FUNNEL = "FUNNEL"


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture, and the same as a table: `rows` has a label and the values under each of `columns`."""

    title: str
    description: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    svg: str


WIDTH, HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 150, 56, 268
_INK, _GREY, _LINE = "#1a1a1a", "#5a5a5a", "#d0d0d0"
_BAR = "#2f5d8a"

_AGES = (
    ("0 to 3 days", Number.BACKLOG_0_TO_3_DAYS),
    ("4 to 7 days", Number.BACKLOG_4_TO_7_DAYS),
    ("8 to 14 days", Number.BACKLOG_8_TO_14_DAYS),
    ("15 days and more", Number.BACKLOG_15_DAYS_AND_MORE),
)
_STAGES = (
    ("Received", Number.RECEIVED),
    ("First acted on", Number.FIRST_ACTIONS),
    ("First scheduled", Number.FIRST_SCHEDULED),
    ("Completed", Number.COMPLETED),
    ("Loop closed", Number.LOOPS_CLOSED),
)
_LINES = (
    ("Received", Number.RECEIVED, "", _BAR),
    ("Completed", Number.COMPLETED, "2 5", "#4d7c0f"),
    ("Open at the end", Number.CLOSING, "9 5", "#9a3412"),
)


def ageing(name: str, week: Week, told: Figures) -> Chart:
    """The open referrals at the end of a week, by how long the group has had them."""
    bars = [(label, told.count(number)) for label, number in _AGES]
    return _bars(f"{name}: open referrals by age", f"At the end of the week of {week.monday}", bars)


def funnel(name: str, week: Week, told: Figures) -> Chart:
    """What happened in a week, step by step. The steps need not be of the same referrals."""
    bars = [(label, told.count(number)) for label, number in _STAGES]
    return _bars(f"{name}: from received to closed", f"In the week of {week.monday}", bars)


def trend(name: str, weeks: Sequence[tuple[Week, Figures]]) -> Chart:
    """Received, completed and open at the end, week by week, the oldest first."""
    labels = [f"{week.monday:%d %b}" for week, _ in weeks]
    values = [[told.count(number) for _, told in weeks] for _, number, _, _ in _LINES]
    top = _round_up(max((max(line, default=0) for line in values), default=0))
    title, about = f"{name}: weeks in comparison", "Received, completed and open at the end"
    rows = tuple(
        (str(week.monday), *(str(line[place]) for line in values))
        for place, (week, _) in enumerate(weeks)
    )
    parts = [*_grid(top), *_dates(labels), *_lines(values, top, len(labels))]
    columns = ("Week of", *(label for label, _, _, _ in _LINES))
    return _chart(title, about, columns, rows, parts)


def _chart(
    title: str,
    about: str,
    columns: tuple[str, ...],
    rows: tuple[tuple[str, ...], ...],
    parts: Sequence[str],
) -> Chart:
    said = ". ".join(
        f"{row[0]}: "
        + ", ".join(f"{name} {value}" for name, value in zip(columns[1:], row[1:], strict=True))
        for row in rows
    )
    description = f"{about}. {said}." if said else f"{about}. Nothing to show."
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        ' role="img" font-family="Helvetica, Arial, sans-serif" font-size="13">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    )
    words = [_text(16, 24, _fit(title), size=16, weight="bold"), _text(16, 43, about, ink=_GREY)]
    svg = "".join([head, *words, *parts, "</svg>"])
    return Chart(title, description, columns, rows, svg)


def _bars(title: str, about: str, bars: Sequence[tuple[str, int]]) -> Chart:
    most = max((count for _, count in bars), default=0) or 1
    step = (HEIGHT - _TOP - 24) / len(bars)
    parts = []
    for place, (label, count) in enumerate(bars):
        y, length = _TOP + 10 + place * step, round(400 * count / most, 1)
        middle = round(y + step * 0.35 + 5, 1)
        parts.append(_text(150, middle, label, anchor="end"))
        parts.append(
            f'<rect x="160" y="{y:.1f}" width="{length}" height="{step * 0.7:.1f}" fill="{_BAR}"/>'
        )
        parts.append(_text(round(168 + length, 1), middle, str(count), weight="bold"))
    parts.append(
        f'<line x1="160" y1="{_TOP}" x2="160" y2="{HEIGHT - 14}" stroke="{_INK}" stroke-width="1"/>'
    )
    rows = tuple((label, str(count)) for label, count in bars)
    return _chart(title, about, ("", "referrals"), rows, parts)


def _grid(top: int) -> list[str]:
    parts = []
    for quarter in range(5):
        y = _BOTTOM - (_BOTTOM - _TOP - 8) * quarter / 4
        ink = _INK if quarter == 0 else _LINE
        parts.append(
            f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}" stroke="{ink}"/>'
        )
        parts.append(
            _text(_LEFT - 8, round(y + 4, 1), str(top * quarter // 4), ink=_GREY, anchor="end")
        )
    return parts


def _dates(labels: Sequence[str]) -> list[str]:
    return [
        _text(round(_x(place, len(labels)), 1), _BOTTOM + 20, label, ink=_GREY, anchor="middle")
        for place, label in enumerate(labels)
    ]


def _lines(values: Sequence[Sequence[int]], top: int, count: int) -> list[str]:
    """A line for each number, told apart by its dashes as well, with its name and last value in a legend at the right."""
    parts = []
    for place, ((label, _, dash, ink), line) in enumerate(zip(_LINES, values, strict=True)):
        spots = [(_x(at, count), _y(value, top)) for at, value in enumerate(line)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        look = f'fill="none" stroke="{ink}" stroke-width="2.5" stroke-dasharray="{dash or "none"}"'
        parts.append(f'<polyline points="{points}" {look}/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{ink}"/>' for x, y in spots]
        y = _TOP + 16 + place * 44
        x = WIDTH - _RIGHT + 16
        parts.append(f'<line x1="{x}" y1="{y}" x2="{x + 30}" y2="{y}" {look}/>')
        parts.append(_text(x, y + 16, f"{label}: {line[-1] if line else 0}"))
    return parts


def _x(place: int, count: int) -> float:
    room = WIDTH - _RIGHT - _LEFT - 40
    return _LEFT + 20 + (room * place / (count - 1) if count > 1 else room / 2)


def _y(value: int, top: int) -> float:
    return _BOTTOM - (_BOTTOM - _TOP - 8) * value / top


def _round_up(most: int) -> int:
    """The top of an axis: four equal whole steps."""
    step = 1
    while step * 4 < most:
        step = step * 2 if str(step)[0] != "2" else step // 2 * 5
    return step * 4


def _fit(title: str) -> str:
    return title if len(title) <= TITLE else f"{title[: TITLE - 1]}…"


def _text(  # noqa: PLR0913 - how a word looks
    x: float,
    y: float,
    words: str,
    *,
    ink: str = _INK,
    anchor: str = "start",
    size: int = 13,
    weight: str = "normal",
) -> str:
    return (
        f'<text x="{x}" y="{y}" fill="{ink}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}">'
        f"{escape(words)}</text>"
    )
