"""A second opinion on passwords, written from the rules and not from the product's code. Only the lists of words are shared.

The rules: NFKC; at least 15 characters, or 8 beside a second factor; at most 256. Not one common word, whatever digits and signs
stand at its ends, with 0134579@$! read as letters, be it repeated; nor one and the same with digits and signs in between. And, when repetitions of the whole, runs of four or more along a
row of keys or of one character, base words and what is known about the person are taken out, longest first, and then base words once
more with digits read as letters, at least 8 letters and digits must be left (5 beside a second factor).
"""

import unicodedata
from itertools import takewhile

from services.identity.domain.blocklist import ROWS, WORDS
from services.identity.domain.common import COMMON

LETTERS = {
    "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i",
}  # fmt: skip
HOLE = "\0"


def judge(password: str, known: list[str], *, second_factor: bool) -> str:
    """The code of the refusal, or OK."""
    text = unicodedata.normalize("NFKC", password)
    if len(text) < (8 if second_factor else 15):
        return "PASSWORD_TOO_SHORT"
    if len(text) > 256:
        return "PASSWORD_TOO_LONG"
    if one_word(text):
        return "PASSWORD_COMMON"
    own = left(text.casefold(), known_words(known))
    return "OK" if len(own) >= (5 if second_factor else 8) else "PASSWORD_COMMON"


def one_word(text: str) -> bool:
    folded = list(text.casefold())
    apart = "".join(" " if no_letter(one) else one for one in folded).split(" ")
    if {*apart} - {""} and len({*apart} - {""}) == 1 and ({*apart} - {""}) <= COMMON | WORDS:
        return True
    heads = len(list(takewhile(no_letter, folded)))
    tails = len(list(takewhile(no_letter, reversed(folded))))
    for start in {0, heads}:
        for end in {0, tails}:
            kept = folded[start : len(folded) - end]
            spelled = [LETTERS.get(one, one) for one in kept]
            while spelled and no_letter(spelled[0]):
                del spelled[0]
            while spelled and no_letter(spelled[-1]):
                del spelled[-1]
            if once("".join(filter(counts, spelled))) in COMMON | WORDS:
                return True
    return False


def no_letter(one: str) -> bool:
    return not counts(one) or one.isdecimal()


def counts(one: str) -> bool:
    return one.isalnum()


def once(text: str) -> str:
    """What is repeated, when nothing but repetition makes the text."""
    for size in range(1, len(text)):
        if len(text) % size == 0 and text == text[:size] * (len(text) // size):
            return text[:size]
    return text


def known_words(known: list[str]) -> set[str]:
    words: set[str] = set()
    for one in known:
        spaced = "".join(
            letter if counts(letter) else " "
            for letter in unicodedata.normalize("NFKC", one).casefold()
        )
        words |= {word for word in spaced.split(" ") if len(word) >= 4}
    return words


def left(text: str, known: set[str]) -> str:
    rest = without(without_runs(once(text)), WORDS | known)
    plain = "".join(LETTERS.get(one, one) for one in rest)
    return once("".join(filter(counts, without(plain, WORDS))))


def without(text: str, words: set[str] | frozenset[str]) -> str:
    for size in sorted({len(word) for word in words}, reverse=True):
        for word in sorted(word for word in words if len(word) == size):
            text = HOLE.join(text.split(word))
    return text


def without_runs(text: str) -> str:
    kept, at = "", 0
    while at < len(text):
        size = max(same(text[at:]), *(along(text[at:], row) for row in ROWS))
        kept += HOLE if size >= 4 else text[at]
        at += size if size >= 4 else 1
    return kept


def same(text: str) -> int:
    return len(list(takewhile(lambda one: one == text[0], text)))


def along(text: str, row: str) -> int:
    return max(size for size in range(len(row) + 1) if text[:size] in row and size <= len(text))
