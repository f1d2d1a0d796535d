"""What a password must be: long, and not what everybody guesses first. No rules of composition."""

import re
import secrets
import unicodedata
from collections.abc import Iterable

from kit.errors import Invalid
from services.identity.domain.blocklist import ROWS, WORDS
from services.identity.domain.common import COMMON

SHORTEST = 15
LONGEST = 256
ENOUGH_OF_ITS_OWN = 8
"""So many characters must be left when everything guessable is taken away."""

ENOUGH_WITH_FACTOR = 5
"""The same where a second factor is asked for as well, and shorter passwords do."""

SHORTEST_CONTEXT_WORD = 4
SHORTEST_RUN = 4

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 4, 5
_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")
_BREAKS = re.compile(r"[\W_]+")
_HEAD = re.compile(r"^[\W\d_]+")
_TAIL = re.compile(r"[\W\d_]+$")
_NO_LETTERS = re.compile(r"[\W\d_]+")
_EVERY_WORD = WORDS | COMMON
_GONE = "\0"


def normalized(password: str) -> str:
    """The form in which a password is judged and hashed, so that it is the same from every keyboard."""
    return unicodedata.normalize("NFKC", password)


def temporary_password() -> str:
    """A fresh random one of 99 bits, made to be typed from a mail."""
    return "-".join(
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS)
    )


def accept(
    password: str,
    *,
    context: Iterable[str],
    field: str = "newPassword",
    shortest: int = SHORTEST,
) -> str:
    """The normalized password; Invalid when it is too short, too long, or mostly what anybody would guess.

    `context` is what is known about the person: name, address of mail, organization. `shortest` is 8 for who is asked for a second
    factor as well, and 15 for who is not (NIST 800-63B-4).
    """
    text = normalized(password)
    _require_length(text, shortest, field)
    enough = ENOUGH_OF_ITS_OWN if shortest >= SHORTEST else ENOUGH_WITH_FACTOR
    if is_common(text) or len(own_part(text, context)) < enough:
        raise Invalid(
            "This password is too easy to guess.",
            code="PASSWORD_COMMON",
            field=field,
            remedy="Leave out common words, rows of keys, repetitions and what is known about you.",
        )
    return text


def _require_length(text: str, shortest: int, field: str) -> None:
    if len(text) < shortest:
        raise Invalid(
            f"A password needs at least {shortest} characters.",
            code="PASSWORD_TOO_SHORT",
            field=field,
            remedy="Take a sentence of several words.",
        )
    if len(text) > LONGEST:
        raise Invalid(
            f"A password has at most {LONGEST} characters.",
            code="PASSWORD_TOO_LONG",
            field=field,
            remedy="Take a shorter one.",
        )


def is_common(password: str) -> bool:
    """Whether it is nothing but one common word: with digits and signs around it, letters written as digits, or again and again."""
    folded = password.casefold()
    headless, tailless = _HEAD.sub("", folded), _TAIL.sub("", folded)
    spellings = {folded, headless, tailless, _TAIL.sub("", headless)}
    pieces = set(filter(None, _NO_LETTERS.split(folded)))
    again = len(pieces) == 1 and pieces <= _EVERY_WORD
    return again or any(_is_word(one.translate(_LOOKALIKES)) for one in spellings)


def _is_word(text: str) -> bool:
    bare = _HEAD.sub("", _TAIL.sub("", text))
    return _unit(_BREAKS.sub("", bare)) in _EVERY_WORD


def own_part(password: str, context: Iterable[str]) -> str:
    """What is left of a password without repetitions, rows of keys, base words and what is known about the person."""
    rest = _without_rows(_unit(password.casefold()))
    for word in _longest_first(WORDS | _context_words(context)):
        rest = rest.replace(word, _GONE)
    plain = rest.translate(_LOOKALIKES)
    for word in _longest_first(WORDS):
        plain = plain.replace(word, _GONE)
    return _unit(_BREAKS.sub("", plain.replace(_GONE, "")))


def _longest_first(words: Iterable[str]) -> list[str]:
    """Longer words before those they hold; of one length by the alphabet, so that every process judges alike."""
    return sorted(words, key=lambda word: (-len(word), word))


def _unit(text: str) -> str:
    """The shortest piece that makes the whole text when it is repeated."""
    if not text:
        return text
    return text[: (text + text).index(text, 1)]


def _without_rows(text: str) -> str:
    """The text without runs along the alphabet, the digits or a keyboard, in either direction."""
    kept: list[str] = []
    at = 0
    while at < len(text):
        run = _run_at(text, at)
        if run < SHORTEST_RUN:
            kept.append(text[at])
            at += 1
        else:
            kept.append(_GONE)
            at += run
    return "".join(kept)


def _run_at(text: str, at: int) -> int:
    """How many characters from `at` on stand side by side in one of the rows, or are the same."""
    longest = 0
    for row in ROWS:
        length = 0
        while at + length < len(text) and text[at : at + length + 1] in row:
            length += 1
        longest = max(longest, length)
    same = len(text) - at - len(text[at:].lstrip(text[at]))
    return max(longest, same)


def _context_words(context: Iterable[str]) -> frozenset[str]:
    pieces = (piece for text in context for piece in _BREAKS.split(normalized(text).casefold()))
    return frozenset(piece for piece in pieces if len(piece) >= SHORTEST_CONTEXT_WORD)
