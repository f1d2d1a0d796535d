"""Names of people as the register writes them, in capitals, made to look as people write them."""

from __future__ import annotations

import re

_NUMERALS = {"II", "III", "IV", "VI", "VII", "VIII"}
_WORD = re.compile(r"[^\W\d_]+")
_APOSTROPHES = ("'", "\N{RIGHT SINGLE QUOTATION MARK}")


def person_name(text: str) -> str:
    """The name with single blanks; one in capitals gets small letters. Who wrote small letters meant them."""
    name = " ".join(text.split())
    if not name.isupper():
        return name
    first, *more = name.split(" ")
    return " ".join([_part(first), *(_later(part) for part in more)])


def _later(part: str) -> str:
    """A part that is not the first can be a numeral: JOHNSON III."""
    return part if part in _NUMERALS else _part(part)


def _part(part: str) -> str:
    """SMITH-JONES, O'BRIEN and MCDONALD, each in its way."""
    return _WORD.sub(lambda found: _word(found[0], part[: found.start()]), part)


def _word(word: str, before: str) -> str:
    if before.endswith(_APOSTROPHES) and len(word) == 1:
        return word.lower()
    if word.startswith("MC") and len(word) > len("MC"):
        return f"Mc{word[2:].capitalize()}"
    return word.capitalize()
