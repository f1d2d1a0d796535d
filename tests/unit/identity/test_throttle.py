"""The pace of sign-in attempts."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import RateLimited
from services.identity.domain import Attempts, after_attempt, source_of, withdrawn
from services.identity.domain.throttle import FREE_ATTEMPTS, LONGEST_DELAY, delay_after
from tests.unit.identity.builders import NOW

MOST_A_DAY = 100
SECOND = timedelta(seconds=1)


def test_the_first_attempts_are_free_and_then_the_wait_doubles() -> None:
    waits = [delay_after(failures).total_seconds() for failures in range(1, 9)]

    assert waits == [0, 0, 1, 2, 4, 8, 16, 32]


def test_an_attempt_that_comes_too_early_is_told_when_to_come_back() -> None:
    attempts = Attempts(6, NOW, NOW + timedelta(seconds=8))

    with pytest.raises(RateLimited) as refused:
        after_attempt(attempts, NOW + timedelta(seconds=2.5))

    assert refused.value.details["retry_after_seconds"] == 6


@given(st.integers(min_value=FREE_ATTEMPTS, max_value=10**9))
def test_the_wait_is_never_a_lock(failures: int) -> None:
    assert timedelta() < delay_after(failures) <= LONGEST_DELAY


def test_a_day_without_an_attempt_forgets_the_failures() -> None:
    attempts = Attempts(500, NOW, NOW + LONGEST_DELAY)

    assert after_attempt(attempts, NOW + timedelta(days=1)).failures == 1


@given(st.lists(st.floats(min_value=0, max_value=2000), max_size=60))
def test_of_many_attempts_only_few_are_let_through(pauses: list[float]) -> None:
    attempts, at, passed = None, NOW, 0
    for pause in pauses:
        at += timedelta(seconds=pause)
        try:
            attempts = after_attempt(attempts, at)
        except RateLimited:
            continue
        passed += 1
    spent = (at - NOW).total_seconds()

    assert passed <= FREE_ATTEMPTS + 10 + spent / 512


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=1800))
def test_a_day_of_attack_is_less_than_a_hundred_guesses(pause: int) -> None:
    """However many come at every moment, each counts only once it is let through."""
    attempts, passed = None, 0
    for second in range(0, 86_400, pause):
        try:
            attempts = after_attempt(attempts, NOW + second * SECOND)
        except RateLimited:
            continue
        passed += 1

    assert passed <= MOST_A_DAY


def test_an_attempt_that_succeeds_is_as_if_it_had_not_been() -> None:
    before = Attempts(5, NOW, NOW + 4 * SECOND)
    own = after_attempt(before, NOW + 9 * SECOND)

    assert withdrawn(own, own=own, before=before) == before
    assert withdrawn(after_attempt(None, NOW), own=after_attempt(None, NOW), before=None) is None


def test_what_others_did_meanwhile_still_counts() -> None:
    own = after_attempt(None, NOW)
    later = after_attempt(own, NOW + SECOND)

    assert withdrawn(later, own=own, before=None) == replace(later, failures=1)
    assert withdrawn(replace(later, failures=1), own=own, before=None) is None
    assert withdrawn(None, own=own, before=None) is None


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.66", "192.0.2.66"),
        ("::ffff:192.0.2.66", "192.0.2.66"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::"),
        ("", ""),
        ("a door of a test", "a door of a test"),
    ],
)
def test_a_source_is_an_address_or_the_network_a_household_has(address: str, source: str) -> None:
    assert source_of(address) == source


def test_of_two_attempts_at_once_neither_is_too_early_for_having_read_the_clock_first() -> None:
    first = after_attempt(None, NOW)

    second = after_attempt(first, NOW - timedelta(milliseconds=5))

    assert second.failures == 2
    assert second.last_at == NOW
