"""Codes of authenticator apps, recovery codes, and what a passkey's counter may be."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from kit.errors import Conflict, Denied
from services.identity.domain import Factor, FactorId, FactorKind, UserId
from services.identity.domain.factors import (
    NEVER,
    PROOF_LIFE,
    app_uri,
    code_at,
    keep_a_factor,
    new_recovery_codes,
    new_secret,
    passkey_counts,
    plain_recovery_code,
    require_proof,
    shortest_password,
    shown,
    step_at,
    step_of,
    unshown,
)
from tests.unit.identity.builders import NOW

RFC_SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, tz=UTC)

    assert code_at(RFC_SECRET, step_at(at)) == code[2:]


@pytest.mark.parametrize("drift", [-2, -1, 0, 1, 2])
def test_a_code_is_good_from_half_a_minute_before_to_half_a_minute_after_its_own(
    drift: int,
) -> None:
    secret, step = new_secret(), step_at(NOW)

    found = step_of(secret, code_at(secret, step + drift), NOW, after=NEVER)

    assert found == (step + drift if abs(drift) <= 1 else None)


def test_a_code_is_not_good_after_it_or_a_later_one_was_used() -> None:
    secret, step = new_secret(), step_at(NOW)

    for after in (step, step + 1):
        assert step_of(secret, code_at(secret, step), NOW, after=after) is None
    assert step_of(secret, code_at(secret, step), NOW, after=step - 1) == step


@pytest.mark.parametrize(
    "text",
    ["", "12345", "1234567", "abcdef", "\N{SNOWMAN}", "\uff11\uff12\uff13\uff14\uff15\uff16", "\0"],
)
def test_what_is_no_code_is_not_one(text: str) -> None:
    assert step_of(RFC_SECRET, text, NOW, after=NEVER) is None


def test_a_code_may_be_typed_with_spaces() -> None:
    secret = new_secret()
    code = code_at(secret, step_at(NOW))

    assert step_of(secret, f" {code[:3]} {code[3:]} ", NOW, after=NEVER) is not None


def test_a_secret_is_shown_as_apps_read_it() -> None:
    secret = new_secret()
    uri = urlsplit(app_uri(secret, "o'hara+x@example.org", "Referral suite"))
    query = parse_qs(uri.query)

    assert unshown(shown(secret)) == secret
    assert uri.scheme == "otpauth"
    assert query == {"secret": [shown(secret)], "issuer": ["Referral suite"]}
    assert "+" not in uri.query


def test_recovery_codes_are_ten_different_ones_however_they_are_typed() -> None:
    codes = new_recovery_codes()

    assert len(set(codes)) == 10
    for code in codes:
        assert plain_recovery_code(code.upper().replace("-", "  ")) == plain_recovery_code(code)
        assert len(plain_recovery_code(code)) == 24


@pytest.mark.parametrize(
    ("known", "told", "good"),
    [(0, 0, True), (0, 1, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)],
)
def test_a_counter_moves_on_or_does_not_count(known: int, told: int, good: bool) -> None:  # noqa: FBT001
    assert passkey_counts(known, told) is good


def test_a_proof_lasts_ten_minutes() -> None:
    require_proof(NOW, NOW + PROOF_LIFE - timedelta(microseconds=1))

    for proved_at in (None, NOW - PROOF_LIFE):
        with pytest.raises(Denied) as refused:
            require_proof(proved_at, NOW)
        assert refused.value.code == "STEP_UP_REQUIRED"


def test_the_last_factor_goes_only_where_none_is_required() -> None:
    one, other = (
        Factor(FactorId(uuid4()), UserId(uuid4()), FactorKind.TOTP, "x", NOW) for _ in range(2)
    )

    keep_a_factor(one.id, [one], required=False)
    keep_a_factor(one.id, [one, other], required=True)
    with pytest.raises(Conflict) as refused:
        keep_a_factor(one.id, [one], required=True)
    assert refused.value.code == "LAST_SECOND_FACTOR"


def test_eight_characters_do_beside_a_second_factor_and_fifteen_alone() -> None:
    assert shortest_password(second_factor=True) == 8
    assert shortest_password(second_factor=False) == 15
