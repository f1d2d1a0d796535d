"""Fonts for pages: how wide letters are, and the part of a font that a page uses (TrueType, with outlines in `glyf`)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from struct import pack, unpack_from

_KEPT = (b"cvt ", b"fpgm", b"glyf", b"head", b"hhea", b"hmtx", b"loca", b"maxp", b"prep")
_WORDS, _SCALE, _MORE, _PAIR, _FOUR = 0x1, 0x8, 0x20, 0x40, 0x80
"""What a part of a composed outline says of itself: wide arguments; one, two or four scales; another part follows."""

_MAGIC = 0xB1B0AFBA


@dataclass(frozen=True, slots=True)
class Font:
    """A font: its tables, which glyph each letter is, and the glyphs' widths."""

    name: str
    tables: Mapping[bytes, bytes]
    glyphs: Mapping[str, int]
    units: int
    advances: tuple[int, ...]

    @classmethod
    def of(cls, name: str, data: bytes) -> "Font":
        """A font as a file has it."""
        (count,) = unpack_from(">H", data, 4)
        tables = {}
        for number in range(count):
            tag, _, start, length = unpack_from(">4sLLL", data, 12 + 16 * number)
            tables[tag] = data[start : start + length]
        (units,) = unpack_from(">H", tables[b"head"], 18)
        (metrics,) = unpack_from(">H", tables[b"hhea"], 34)
        advances = unpack_from(f">{2 * metrics}H", tables[b"hmtx"])[::2]
        return cls(name, tables, _letters(tables[b"cmap"]), units, advances)

    def width(self, glyph: int) -> int:
        """How wide a glyph is, in thousandths of the font's size."""
        advance = self.advances[min(glyph, len(self.advances) - 1)]
        return round(1000 * advance / self.units)

    def box(self) -> tuple[int, int, int, int]:
        """Around every outline of it, in thousandths."""
        left, low, right, high = (
            round(1000 * one / self.units) for one in unpack_from(">4h", self.tables[b"head"], 36)
        )
        return left, low, right, high

    def part(self, glyphs: Iterable[int]) -> bytes:
        """The font as a file, with these glyphs at their numbers and nothing at the others."""
        outlines = _outlines(self.tables)
        kept = _with_parts({0, *glyphs}, outlines)
        glyf, places = bytearray(), [0]
        for number, outline in enumerate(outlines):
            glyf += outline + bytes(-len(outline) % 4) if number in kept else b""
            places.append(len(glyf))
        head = bytearray(self.tables[b"head"])
        head[8:12], head[50:52] = bytes(4), pack(">H", 1)
        changed = {
            b"glyf": bytes(glyf),
            b"loca": pack(f">{len(places)}L", *places),
            b"head": bytes(head),
            b"hmtx": self._metrics(kept),
        }
        tables = {**self.tables, **changed}
        return _file({tag: tables[tag] for tag in _KEPT if tag in tables})

    def _metrics(self, kept: set[int]) -> bytes:
        """Widths of what is kept; nothing else would be packed well."""
        table, whole = self.tables[b"hmtx"], len(self.advances)
        return b"".join(
            table[4 * number : 4 * number + 4] if number in kept else bytes(4)
            for number in range(whole)
        ) + bytes(len(table) - 4 * whole)


def _letters(cmap: bytes) -> dict[str, int]:
    """Which glyph each letter of the basic plane is."""
    (count,) = unpack_from(">H", cmap, 2)
    known = {
        unpack_from(">HH", cmap, 4 + 8 * n): unpack_from(">L", cmap, 8 + 8 * n)[0]
        for n in range(count)
    }
    at = known[3, 1]
    (kind,) = unpack_from(">H", cmap, at)
    if kind != 4:  # noqa: PLR2004 - the format of a table of segments
        raise ValueError("the font's letters are not told in segments")
    segments = unpack_from(">H", cmap, at + 6)[0] // 2
    ends, starts, deltas, ranges = (
        unpack_from(f">{segments}H", cmap, at + 14 + place)
        for place in (0, 2 + 2 * segments, 2 + 4 * segments, 2 + 6 * segments)
    )
    found = {}
    for segment in range(segments):
        for code in range(starts[segment], ends[segment] + 1):
            glyph = code
            if ranges[segment]:
                there = at + 16 + 6 * segments + 2 * segment + ranges[segment]
                (glyph,) = unpack_from(">H", cmap, there + 2 * (code - starts[segment]))
            if glyph:
                found[chr(code)] = (glyph + deltas[segment]) & 0xFFFF
    return {letter: glyph for letter, glyph in found.items() if glyph}


def _outlines(tables: Mapping[bytes, bytes]) -> list[bytes]:
    """The outline of each glyph; empty for a space."""
    (glyphs,) = unpack_from(">H", tables[b"maxp"], 4)
    (long,) = unpack_from(">H", tables[b"head"], 50)
    places = unpack_from(f">{glyphs + 1}{'L' if long else 'H'}", tables[b"loca"])
    each = 1 if long else 2
    return [
        tables[b"glyf"][each * places[number] : each * places[number + 1]]
        for number in range(glyphs)
    ]


def _with_parts(glyphs: set[int], outlines: list[bytes]) -> set[int]:
    """These, and what they are composed of."""
    found, left = set[int](), list(glyphs)
    while left:
        glyph = left.pop()
        if glyph not in found:
            found.add(glyph)
            left += _parts(outlines[glyph])
    return found


def _parts(outline: bytes) -> list[int]:
    """The glyphs that an outline puts together; none where it draws itself."""
    if not outline or unpack_from(">h", outline)[0] >= 0:
        return []
    found, at, flags = [], 10, _MORE
    while flags & _MORE:
        flags, glyph = unpack_from(">HH", outline, at)
        found.append(glyph)
        at += 8 if flags & _WORDS else 6
        at += 2 if flags & _SCALE else 4 if flags & _PAIR else 8 if flags & _FOUR else 0
    return found


def _file(tables: Mapping[bytes, bytes]) -> bytes:
    """The tables as a file, with their sums."""
    count = len(tables)
    power = count.bit_length() - 1
    start = pack(">LHHHH", 0x00010000, count, 16 << power, power, 16 * count - (16 << power))
    listed, body, place = b"", b"", 12 + 16 * count
    for tag, table in sorted(tables.items()):
        padded = table + bytes(-len(table) % 4)
        listed += pack(">4sLLL", tag, _sum(padded), place + len(body), len(table))
        body += padded
    whole = bytearray(start + listed + body)
    head = whole.index(tables[b"head"])
    whole[head + 8 : head + 12] = pack(">L", (_MAGIC - _sum(bytes(whole))) & 0xFFFFFFFF)
    return bytes(whole)


def _sum(table: bytes) -> int:
    words: tuple[int, ...] = unpack_from(f">{len(table) // 4}L", table)
    return sum(words) & 0xFFFFFFFF


# Noto Sans ------------------------------------------------------------------------------------------------------------


@cache
def noto(*, bold: bool) -> Font:
    """Noto Sans, which has the letters of Latin (Vietnamese too), Greek and Cyrillic; read when it is needed first."""
    if bold:
        from pymupdf_fonts.NotoSans_Bold import fontbuffer as bolder  # type: ignore[import-untyped]  # noqa: PLC0415

        return Font.of("NotoSans-Bold", bolder)
    from pymupdf_fonts.NotoSans_Regular import fontbuffer  # type: ignore[import-untyped]  # noqa: PLC0415

    return Font.of("NotoSans-Regular", fontbuffer)
