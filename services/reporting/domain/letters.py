"""Texts on pages: in which font they are written, how wide they are, and what stands for letters that no font of ours has."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from services.reporting.domain.fonts import Font, noto

_WIDTHS = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556"
    " 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556"
    " 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)
_HELVETICA = dict(zip(map(chr, range(32, 127)), map(int, _WIDTHS.split()), strict=True))
_BOLDER = 1.06
LACKING = "[…]"
"""What stands where a text has letters that pages cannot show."""

_NONE = "\ufffe"
_RUN = re.compile(rf"{_NONE}(?:\s*{_NONE})*")


@dataclass(frozen=True, slots=True)
class Written:
    """A text as it is written: in Noto, or (None) in the Helvetica that every reader brings. `whole`: no letter is lacking."""

    text: str
    font: Font | None
    whole: bool

    def width(self, size: float, *, bold: bool) -> float:
        """In points."""
        if self.font is None:
            wide = sum(_HELVETICA.get(letter, 556) for letter in self.text)
            return wide * size / 1000 * (_BOLDER if bold else 1.0)
        glyphs = self.font.glyphs
        return sum(self.font.width(glyphs[letter]) for letter in self.text) * size / 1000


@lru_cache(4096)
def written(text: str, *, bold: bool = False) -> Written:
    """How a text is written. Letters that only another script has, which would have to be joined or read the other way round as
    well, are left out where everybody sees it."""
    plain = "".join(one if one.isprintable() else " " for one in unicodedata.normalize("NFC", text))
    if _usual(plain):
        return Written(plain, None, whole=True)
    font = noto(bold=bold)
    shown = _RUN.sub(LACKING, "".join(_letter(one, font) for one in plain))
    return Written(
        shown, None if _usual(shown) else font, _NONE not in plain and LACKING not in shown
    )


def _usual(text: str) -> bool:
    return len(text.encode("cp1252", "ignore")) == len(text)


def _letter(letter: str, font: Font) -> str:
    """The letter as the font has it; else the plain letters that it stands for, as a wide one does."""
    for one in (letter, unicodedata.normalize("NFKC", letter)):
        if all(part in font.glyphs for part in one):
            return one
    return _NONE


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is, in points."""
    return written(text, bold=bold).width(size, bold=bold)


def wrapped(text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """A text in lines that fit; a word that does not fit a line goes on in the next."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if width_of(longer, size, bold=bold) <= room:
            lines[-1] = longer
        else:
            pieces = _pieces(word, size, room, bold=bold)
            lines = [*(line for line in lines if line), *pieces]
    return lines


def _pieces(word: str, size: float, room: float, *, bold: bool) -> list[str]:
    """A word in pieces that fit, of a letter at least."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and width_of(pieces[-1] + letter, size, bold=bold) > room:
            pieces.append("")
        pieces[-1] += letter
    return pieces
