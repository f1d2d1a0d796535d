"""What a password must be."""

import secrets
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Invalid
from services.identity.domain.passwords import (
    LONGEST,
    SHORTEST,
    accept,
    own_part,
    temporary_password,
)

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
