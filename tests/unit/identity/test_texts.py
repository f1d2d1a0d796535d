"""What people type about themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Invalid
from services.identity.domain import email, line, reason, time_zone
from services.identity.domain.texts import email_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna@Example.org", "anna@example.org"),
        ("anna@example.org", "\N{FULLWIDTH LATIN SMALL LETTER A}nna@example.org"),
        ("stra\N{LATIN SMALL LETTER SHARP S}e@example.org", "STRASSE@example.org"),
        ("jose\N{COMBINING ACUTE ACCENT}@example.org", "jos\N{LATIN SMALL LETTER E WITH ACUTE}@example.org"),
        ("  anna@example.org ", "anna@example.org"),
        ("anna@b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example", "anna@xn--bcher-kva.example"),
        ("anna@B\N{LATIN CAPITAL LETTER U WITH DIAERESIS}CHER.example", "ANNA@XN--BCHER-KVA.example"),
        ("anna@xn--strae-oqa.example", "anna@strasse.example"),
        ("anna@example\N{IDEOGRAPHIC FULL STOP}org", "anna@example.org"),
    ],
)  # fmt: skip
def test_spellings_of_one_address_meet_in_one_key(one: str, other: str) -> None:
    """R03"""
    assert email(one, "email").key == email(other, "email").key


def test_an_address_with_a_plus_tag_is_another_address() -> None:
    """R03"""
    assert email("anna+a@example.org", "email").key != email("anna@example.org", "email").key


@pytest.mark.parametrize(
    "text",
    [
        "", "anna", "anna@", "@example.org", "anna@example", "an na@example.org", "a@b@example.org",
        "anna@example.org\r\nBcc: all@example.org", "anna@exa\nmple.org", "anna@-a.org", "a..b@example.org",
        ".a@example.org", "a.@example.org", "<anna@example.org>", "anna@example..org", "a" * 65 + "@example.org",
        "anna@" + "a." * 130 + "org", "anna\N{ZERO WIDTH SPACE}@example.org", "anna\0@example.org", "=?utf-8?q?a=0D=0ABcc=3A?=@example.org",
    ],
)  # fmt: skip
def test_what_cannot_be_an_address_is_refused_with_the_field(text: str) -> None:
    """R03"""
    with pytest.raises(Invalid) as refused:
        email(text, "email")

    assert (refused.value.code, refused.value.field) == ("BAD_EMAIL", "email")


@given(st.from_regex(r"[a-z]{1,3}@?(xn--[a-z0-9-]{0,12}\.?){1,3}", fullmatch=True))
def test_what_looks_like_an_international_domain_has_one_key_too(text: str) -> None:
    """R03"""
    assert email_key(email_key(text)) == email_key(text)
    assert email_key(text.upper()) == email_key(text)


@given(st.text())
def test_the_key_of_any_text_is_its_own_key(text: str) -> None:
    """R03"""
    assert email_key(email_key(text)) == email_key(text)


@given(st.text())
def test_a_key_does_not_depend_on_case_where_case_can_be_undone(text: str) -> None:
    """R03"""
    assert email_key(text.casefold()) == email_key(text)


@given(st.text(), st.sampled_from("\r\n\0\x0b\x1b\x7f\u0085\u2028\u2029\u202e\u200b"), st.text())
def test_a_name_with_a_control_character_inside_is_refused(
    before: str, bad: str, after: str
) -> None:
    """R03: header injection"""
    with pytest.raises(Invalid):
        line(f"x{before}{bad}{after}x", "name")


@given(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=50))
def test_a_name_of_letters_is_kept(name: str) -> None:
    """R03"""
    assert line(f"  {name} ", "name")


@pytest.mark.parametrize("text", ["", "   ", "x" * 201])
def test_an_empty_or_endless_name_is_refused(text: str) -> None:
    """R03"""
    with pytest.raises(Invalid):
        line(text, "name")


def test_a_reason_must_say_something() -> None:
    """R05"""
    with pytest.raises(Invalid) as refused:
        reason(" \t ")

    assert refused.value.code == "REASON_REQUIRED"
    assert reason(" asked by phone ") == "asked by phone"


@pytest.mark.parametrize(
    "text",
    ["", "Mars/Olympus", "../etc/passwd", "America", "x" * 5000, "a\0b", "localtime", "Factory"],
)
def test_an_unknown_time_zone_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        time_zone(text)

    assert refused.value.code == "UNKNOWN_TIME_ZONE"


def test_a_time_zone_of_the_iana_list_is_known() -> None:
    assert time_zone("America/New_York") == "America/New_York"
