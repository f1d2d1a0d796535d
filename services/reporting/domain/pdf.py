"""Pages (PDF) of text, tables and the charts, in the fonts that every reader of PDF brings, and in Noto where those lack a letter; the
same figures make the same bytes."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree as Tree

from services.reporting.domain.fonts import Font
from services.reporting.domain.letters import LACKING, Written, width_of, wrapped, written

WIDTH, HEIGHT, MARGIN = 612.0, 792.0, 48.0
_SVG = "{http://www.w3.org/2000/svg}"
_PAPER = "#ffffff"
_NARROW = 72.0
Ink = tuple[float, float, float]
BLACK: Ink = (0.1, 0.1, 0.1)
GREY: Ink = (0.35, 0.35, 0.35)
_LINE: Ink = (0.82, 0.82, 0.82)
_BAND: Ink = (0.894, 0.922, 0.949)
ROW = 15.0
"""The height of a table's row."""
_BELOW = 11.5


class Pages:
    """A document that is written from top to bottom. `title` is told to who looks at it through a reader of screens."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._pages: list[list[str]] = []
        self._y, self._each = 0.0, _NARROW
        self._used: dict[str, _Used] = {}
        self._lacking = False
        self._turn()

    def _turn(self) -> None:
        self._pages.append([])
        self._y = HEIGHT - MARGIN

    def room(self, height: float) -> None:
        """Go on with another page unless so much fits on this one."""
        if self._y - height < MARGIN + ROW:
            self._turn()

    def heading(self, text: str, size: float = 13.0) -> None:
        """Words that stand out, with room for something below them."""
        lines = wrapped(text, size, WIDTH - 2 * MARGIN, bold=True)
        self.room(len(lines) * (size + 4) + 4 * ROW)
        self._y -= 6
        for line in lines:
            self._y -= size + 4
            self._words(MARGIN, self._y, line, size=size, bold=True)
        self._y -= 6

    def paragraph(self, text: str, size: float = 10.0, ink: Ink = BLACK) -> None:
        """Words, in as many lines as they take."""
        for line in wrapped(text, size, WIDTH - 2 * MARGIN):
            self.room(size + 4)
            self._y -= size + 4
            self._words(MARGIN, self._y, line, size=size, ink=ink)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table whose first column is words and the others numbers. Its head is told again on each page; words that do not fit
        their column go on below, for who is cut is somebody else."""
        self.room(3 * ROW)
        self._each = max(_NARROW, *(width_of(name, 9.5, bold=True) + 8 for name in columns[1:]))
        self._row(columns, head=True)
        for row in rows:
            if self._y - self._height(row) < MARGIN + ROW:
                self._turn()
                self._row(columns, head=True)
            self._row(row, head=False)
        self._y -= 4

    def _row(self, cells: Sequence[str], *, head: bool) -> None:
        height = self._height(cells, bold=head)
        top, self._y = self._y, self._y - height
        if head:
            self._fill((MARGIN, self._y), (WIDTH - 2 * MARGIN, height), _BAND)
        self._line((MARGIN, self._y), (WIDTH - MARGIN, self._y), _LINE)
        each = self._each
        for number, line in enumerate(self._first(cells, bold=head)):
            self._words(MARGIN + 4, top - 11 - number * _BELOW, line, size=9.5, bold=head)
        for place, cell in enumerate(cells[1:], start=1):
            right = WIDTH - MARGIN - 4 - each * (len(cells) - 1 - place)
            x = right - width_of(cell, 9.5, bold=head)
            self._words(x, top - 11, cell, size=9.5, bold=head)

    def _first(self, cells: Sequence[str], *, bold: bool) -> list[str]:
        """The words of a row, in lines that fit their column."""
        room = max(_NARROW, WIDTH - 2 * MARGIN - self._each * (len(cells) - 1) - 12)
        words = cells[0]
        return (
            [words]
            if width_of(words, 9.5, bold=bold) <= room
            else wrapped(words, 9.5, room, bold=bold)
        )

    def _height(self, cells: Sequence[str], *, bold: bool = False) -> float:
        return ROW + (len(self._first(cells, bold=bold)) - 1) * _BELOW

    def picture(self, svg: str) -> None:
        """A chart of ours, as wide as the page."""
        root = Tree.fromstring(svg)  # noqa: S314 - made by domain/charts.py
        scale = (WIDTH - 2 * MARGIN) / float(root.attrib["width"])
        height = float(root.attrib["height"]) * scale
        self.room(height + 8)
        self._y -= height + 8
        for part in root:
            self._draw(part, scale, self._y + height)
        self._y -= 8

    def _draw(self, part: Tree.Element, scale: float, top: float) -> None:
        told = part.attrib
        match part.tag.removeprefix(_SVG):
            case "rect":
                x, y = _at(told, "x", "y", scale, top)
                w, h = float(told["width"]) * scale, float(told["height"]) * scale
                if told["fill"] != _PAPER:
                    self._fill((x, y - h), (w, h), _ink(told["fill"]))
            case "line":
                begin, end = _at(told, "x1", "y1", scale, top), _at(told, "x2", "y2", scale, top)
                self._line(begin, end, _ink(told["stroke"]), _dash(told), _wide(told))
            case "polyline":
                spots = [_spot(pair, scale, top) for pair in told["points"].split()]
                for begin, end in pairwise(spots):
                    self._line(begin, end, _ink(told["stroke"]), _dash(told), _wide(told))
            case "circle":
                x, y = _at(told, "cx", "cy", scale, top)
                r = float(told["r"]) * scale
                self._put(_dot(x, y, r, _ink(told["fill"])))
            case "text":
                self._label(part, scale, top)

    def _label(self, part: Tree.Element, scale: float, top: float) -> None:
        told, words = part.attrib, part.text or ""
        size, bold = float(told["font-size"]) * scale, told["font-weight"] == "bold"
        x, y = _at(told, "x", "y", scale, top)
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[told["text-anchor"]]
        x -= share * width_of(words, size, bold=bold)
        self._words(x, y, words, size=size, bold=bold, ink=_ink(told["fill"]))

    # Marks ------------------------------------------------------------------------------------------------------------

    def _put(self, mark: str) -> None:
        self._pages[-1].append(mark)

    def _words(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float,
        bold: bool = False,
        ink: Ink = BLACK,
    ) -> None:
        told = written(text, bold=bold)
        font = f"F{2 if bold else 1}"
        if told.font is not None:
            font = f"F{4 if bold else 3}"
            self._used.setdefault(font, _Used(told.font, {})).letters.update(
                (told.font.glyphs[letter], letter) for letter in told.text
            )
        mark = _words_at((x, y), told, f"/{font} {size:.2f} Tf", ink)
        if not told.whole:
            self._lacking = True
            mark = f"/Span << /ActualText <FEFF{text.encode('utf-16-be', 'replace').hex()}> >> BDC {mark} EMC"
        self._put(mark)

    def _fill(self, at: tuple[float, float], size: tuple[float, float], ink: Ink) -> None:
        self._put(f"{_rgb(ink)} rg {at[0]:.2f} {at[1]:.2f} {size[0]:.2f} {size[1]:.2f} re f")

    def _line(
        self,
        begin: tuple[float, float],
        end: tuple[float, float],
        ink: Ink,
        dash: str = "",
        wide: float = 0.6,
    ) -> None:
        path = f"{begin[0]:.2f} {begin[1]:.2f} m {end[0]:.2f} {end[1]:.2f} l S"
        self._put(f"{_rgb(ink)} RG {wide:.2f} w [{dash}] 0 d {path}")

    # The file ---------------------------------------------------------------------------------------------------------

    def file(self, foot: str) -> bytes:
        """The document, with `foot` and the page's number at the foot of each page."""
        count = len(self._pages)
        foot = f"{_LACKS}    {foot}" if self._lacking else foot
        fonts = {name: 6 + 2 * count + 5 * n for n, name in enumerate(sorted(self._used))}
        objects = [
            b"<< /Type /Catalog /Pages 2 0 R /Lang (en) /ViewerPreferences << /DisplayDocTitle true >> >>",
            f"<< /Type /Pages /Count {count} /Kids [{' '.join(f'{6 + 2 * n} 0 R' for n in range(count))}] >>".encode(),
            _font("Helvetica"),
            _font("Helvetica-Bold"),
            f"<< /Title <FEFF{self.title.encode('utf-16-be', 'replace').hex()}> >>".encode(),
        ]
        for number, marks in enumerate(self._pages):
            words = f"{foot}    {number + 1} of {count}"
            x = WIDTH - MARGIN - width_of(words, 8.0)
            told = [*marks, _words_at((x, MARGIN - 16), written(words), "/F1 8 Tf", GREY)]
            objects += [_page(7 + 2 * number, fonts), _stream("\n".join(told).encode("cp1252"))]
        for name, place in fonts.items():
            objects += self._used[name].objects(place)
        return _written(objects)


_LACKS = f"{LACKING} stands for letters that these pages lack: the workbook has them."


@dataclass(frozen=True, slots=True)
class _Used:
    """A font of ours, and which letter each of the glyphs is that these pages use."""

    font: Font
    letters: dict[int, str]

    def objects(self, place: int) -> list[bytes]:
        """What a reader must know of it, and the part of it that is used: five objects from that number on."""
        font, glyphs = self.font, sorted(self.letters)
        name = f"REPORT+{font.name}"
        widths = " ".join(f"{glyph} [{font.width(glyph)}]" for glyph in glyphs)
        left, low, right, high = font.box()
        return [
            f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H /DescendantFonts [{place + 1} 0 R]"
            f" /ToUnicode {place + 4} 0 R >>".encode(),
            f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity)"
            f" /Supplement 0 >> /FontDescriptor {place + 2} 0 R /CIDToGIDMap /Identity /DW 0 /W [{widths}] >>".encode(),
            f"<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [{left} {low} {right} {high}] /ItalicAngle 0"
            f" /Ascent {high} /Descent {low} /CapHeight 714 /StemV 80 /FontFile2 {place + 3} 0 R >>".encode(),
            _stream(font.part(glyphs)),
            _stream(self._meant(glyphs).encode()),
        ]

    def _meant(self, glyphs: Sequence[int]) -> str:
        """Which letters are meant: for whoever copies them, or has them read out."""
        told = [f"<{one:04X}> <{self.letters[one].encode('utf-16-be').hex()}>" for one in glyphs]
        parts = (told[start : start + 100] for start in range(0, len(told), 100))
        listed = "\n".join(
            f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar" for part in parts
        )
        return (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Letters def /CMapType 2 def\n"
            f"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{listed}\nendcmap end end"
        )


def _words_at(at: tuple[float, float], told: Written, font: str, ink: Ink) -> str:
    if told.font is not None:
        shown = f"<{''.join(f'{told.font.glyphs[letter]:04X}' for letter in told.text)}>"
    else:
        plain = told.text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        shown = f"({plain})"
    return f"BT {_rgb(ink)} rg {font} {at[0]:.2f} {at[1]:.2f} Td {shown} Tj ET"


def _dot(x: float, y: float, r: float, ink: Ink) -> str:
    """A disc, of four curves."""
    k = 0.5523 * r
    quarters = (
        (x + r, y + k, x + k, y + r, x, y + r),
        (x - k, y + r, x - r, y + k, x - r, y),
        (x - r, y - k, x - k, y - r, x, y - r),
        (x + k, y - r, x + r, y - k, x + r, y),
    )
    curves = " ".join(" ".join(f"{one:.2f}" for one in quarter) + " c" for quarter in quarters)
    return f"{_rgb(ink)} rg {x + r:.2f} {y:.2f} m {curves} f"


def _at(told: Mapping[str, str], x: str, y: str, scale: float, top: float) -> tuple[float, float]:
    return MARGIN + float(told.get(x, "0")) * scale, top - float(told.get(y, "0")) * scale


def _spot(pair: str, scale: float, top: float) -> tuple[float, float]:
    x, y = pair.split(",")
    return _at({"x": x, "y": y}, "x", "y", scale, top)


def _ink(text: str) -> Ink:
    red, green, blue = (int(text[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def _dash(told: Mapping[str, str]) -> str:
    found = told.get("stroke-dasharray", "none")
    return "" if found == "none" else found


def _wide(told: Mapping[str, str]) -> float:
    return float(told.get("stroke-width", "1")) * 0.8


def _rgb(ink: Ink) -> str:
    return " ".join(f"{one:.3f}" for one in ink)


def _font(name: str) -> bytes:
    return (
        f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>".encode()
    )


def _page(contents: int, fonts: Mapping[str, int]) -> bytes:
    more = "".join(f" /{name} {place} 0 R" for name, place in fonts.items())
    return (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH:.0f} {HEIGHT:.0f}] /Contents {contents} 0 R"
        f" /Resources << /Font << /F1 3 0 R /F2 4 0 R{more} >> >> >>"
    ).encode()


def _stream(body: bytes) -> bytes:
    packed = zlib.compress(body, 9)
    return (
        f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
        + packed
        + b"\nendstream"
    )


def _written(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    for place in places:
        out += f"{place:010} 00000 n \n".encode()
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 5 0 R >>\n".encode()
    return bytes(out + f"startxref\n{table}\n%%EOF\n".encode())
