"""What a password must be."""

import os
import secrets
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import Invalid
from services.identity.domain.blocklist import WORDS
from services.identity.domain.common import COMMON
from services.identity.domain.factors import SHORTEST_WITH_FACTOR
from services.identity.domain.passwords import (
    LONGEST,
    SHORTEST,
    accept,
    own_part,
    temporary_password,
)
from tests.unit.identity.password_oracle import judge

KNOWN = ("Anna Bergstrom", "anna.bergstrom@lakeside.example", "Lakeside Care")


def refusal(password: str) -> str:
    with pytest.raises(Invalid) as refused:
        accept(password, context=KNOWN)
    assert refused.value.field == "newPassword"
    return refused.value.code


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "seven purple umbrellas sing",
        "zu viele Köche verderben den Brei",
        "日本語のとても長いパスワードです。雨の日",
        "nv8#kQ2!pL0zRt5",
        "x" * 3 + "the tide is out again tonight",
    ],
)
def test_a_long_password_of_ones_own_is_accepted_without_rules_of_composition(
    password: str,
) -> None:
    """R04"""
    assert accept(password, context=KNOWN) == unicodedata.normalize("NFKC", password)


@pytest.mark.parametrize("password", ["", "short", "fourteen chars"])
def test_fewer_than_fifteen_characters_are_too_few(password: str) -> None:
    """R04"""
    assert refusal(password) == "PASSWORD_TOO_SHORT"


def test_length_counts_after_normalization() -> None:
    """R04: seven letters and eight combining accents are seven characters."""
    assert refusal("e\N{COMBINING ACUTE ACCENT}" * 7 + "a") == "PASSWORD_TOO_SHORT"


def test_a_password_longer_than_the_limit_is_refused_before_it_costs_anything() -> None:
    """R04"""
    assert refusal("ab3 " * (LONGEST // 4 + 1)) == "PASSWORD_TOO_LONG"


@pytest.mark.parametrize(
    "password",
    [
        "aaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "passwordpassword",
        "Password12345678",
        "p4$$w0rdp4$$w0rd!",
        "Welcome2026!!!!!",
        "1234567890123456",
        "qwertyuiopasdfghjkl",
        "abcdefghijklmnopqrs",
        "1qaz2wsx3edc4rfv",
        "Anna.Bergstrom.1",
        "lakeside-lakeside-care",
        "LakesideReferrals2026",
        "administrator-admin-1",
        "summer-winter-2026",
        "iloveyou iloveyou 1",
    ],
)  # fmt: skip
def test_what_anybody_would_guess_first_is_refused(password: str) -> None:
    """R04"""
    assert refusal(password) == "PASSWORD_COMMON"


@given(st.text(max_size=SHORTEST - 1))
def test_nothing_short_is_ever_accepted(password: str) -> None:
    """R04"""
    if len(unicodedata.normalize("NFKC", password)) < SHORTEST:
        assert refusal(password) == "PASSWORD_TOO_SHORT"


def test_the_block_list_has_more_than_three_thousand_words() -> None:
    """R04: at least 3,000 common words, none of them a line of anybody's list of breached passwords."""
    assert len(COMMON) >= 3_000
    assert all(word.isalpha() and word == word.casefold() for word in COMMON)


@pytest.mark.parametrize(
    "password",
    [
        "Dragonfly2026!",
        "charlotte1999",
        "$unshine!1",
        "sunflower",
        "philadelphia-philadelphia",
        "dragonfly.dragonfly",
        "1995Strawberry",
        "International!",
        "Dragonfly2026Dragonfly",
        "otter-otter-otter-otter",
    ],
)
def test_one_common_word_is_no_password_beside_a_second_factor_either(password: str) -> None:
    """R04"""
    with pytest.raises(Invalid) as refused:
        accept(password, context=KNOWN, shortest=SHORTEST_WITH_FACTOR)
    assert refused.value.code == "PASSWORD_COMMON"


def test_eight_characters_do_beside_a_second_factor_and_fifteen_are_asked_for_without() -> None:
    """R04: NIST 800-63B-4."""
    assert accept("nv8kqwpz", context=KNOWN, shortest=SHORTEST_WITH_FACTOR) == "nv8kqwpz"
    with pytest.raises(Invalid) as short:
        accept("nv8kqwp", context=KNOWN, shortest=SHORTEST_WITH_FACTOR)
    assert short.value.code == "PASSWORD_TOO_SHORT"
    assert refusal("nv8kqwpz") == "PASSWORD_TOO_SHORT"


WORDY = st.sampled_from([*sorted(COMMON)[::37], *sorted(WORDS)[::11]])
PIECES = st.one_of(
    WORDY,
    WORDY.map(str.title),
    WORDY.map(lambda word: word.replace("a", "4").replace("e", "3").replace("s", "$")),
    st.sampled_from(
        ["2026", "1999", "!!", "1", "qwerty", "987654", "aaaa", " ", "-", "Bergstrom", "lakeside"]
    ),
    st.text(max_size=6),
    st.text("abcdefghijklmnopqrstuvwxyz0123456789", max_size=9),
)
TYPED = st.one_of(
    st.lists(PIECES, max_size=5).map("".join),
    st.lists(PIECES, max_size=2).map(lambda pieces: "".join(pieces) * 3),
    st.text(max_size=40),
)


@settings(max_examples=int(os.environ.get("PASSWORDS_JUDGED", "1500")), deadline=None)
@given(TYPED, st.booleans())
def test_passwords_are_judged_as_a_second_opinion_judges_them(
    password: str,
    second_factor: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    """R04, I11: PASSWORDS_JUDGED=10000 for all of them."""
    shortest = SHORTEST_WITH_FACTOR if second_factor else SHORTEST
    try:
        accept(password, context=KNOWN, shortest=shortest)
        answer = "OK"
    except Invalid as refused:
        answer = refused.code

    assert answer == judge(password, list(KNOWN), second_factor=second_factor)


@given(st.text(min_size=1, max_size=60))
def test_every_spelling_of_a_password_is_judged_alike(password: str) -> None:
    """R04"""

    def judged(text: str) -> str:
        try:
            return accept(text, context=KNOWN)
        except Invalid as refused:
            return refused.code

    assert judged(password) == judged(unicodedata.normalize("NFKC", password))


@given(st.text(max_size=40), st.text(max_size=20))
def test_what_is_ones_own_never_grows_by_taking_context_away(password: str, known: str) -> None:
    """R04"""
    assert len(own_part(password, [known])) <= len(own_part(password, [])) + len(known)


def test_a_temporary_password_is_accepted_by_its_own_rules_and_never_twice_the_same() -> None:
    """R05"""
    made = {temporary_password() for _ in range(200)}

    assert len(made) == 200
    for password in made:
        accept(password, context=KNOWN)


@given(st.integers(min_value=12, max_value=48))
def test_a_random_password_is_accepted(size: int) -> None:
    """R04"""
    assert accept(secrets.token_hex(size), context=KNOWN)
