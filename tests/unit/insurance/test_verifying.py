"""The 90-day clock of every row."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Conflict, Invalid
from services.insurance import domain
from services.insurance.domain import (
    Certainty,
    Outcome,
    ParticipationId,
    VerificationWanted,
)

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("today", "certainty"),
    [
        (date(2028, 1, 1), Certainty.VERIFIED),
        (date(2028, 3, 31), Certainty.VERIFIED),
        (date(2028, 4, 1), Certainty.STALE),
    ],
)
def test_a_row_is_stale_after_ninety_days_and_a_leap_day_is_one_of_them(
    today: date, certainty: Certainty
) -> None:
    """R27: from 1 January 2028 the ninetieth day is 31 March, because February has 29 days."""
    assert domain.certainty(date(2028, 1, 1), today) is certainty


def test_a_row_that_nobody_verified_is_unverified_and_has_no_age() -> None:
    """R27"""
    assert domain.certainty(None, date(2026, 1, 1)) is Certainty.UNVERIFIED
    assert domain.age_days(None, date(2026, 1, 1)) is None
    assert domain.verify_by(None) is None


@given(DAYS, DAYS)
def test_a_row_is_verified_exactly_until_the_day_it_is_to_be_verified_by(
    verified_on: date, today: date
) -> None:
    """R27"""
    by = domain.verify_by(verified_on)
    assert by is not None
    assert (domain.certainty(verified_on, today) is Certainty.VERIFIED) == (today <= by)


@given(DAYS, DAYS)
def test_an_age_is_never_negative_wherever_a_calendar_was_read(first: date, today: date) -> None:
    """R27"""
    age = domain.age_days(first, today)
    assert age is not None
    assert age == max(0, (today - first).days)


@given(DAYS, DAYS, st.integers(0, 90))
def test_a_row_is_due_within_so_many_days_if_and_only_if_it_would_be_stale_then(
    verified_on: date, today: date, within: int
) -> None:
    """R27"""
    due = verified_on < domain.due_before(today, within)
    later = today + timedelta(days=within)
    assert due == (domain.certainty(verified_on, later) is Certainty.STALE)


@pytest.mark.parametrize("within", [-1, 91])
def test_the_list_of_what_is_due_looks_at_most_ninety_days_ahead(within: int) -> None:
    """R27"""
    with pytest.raises(Invalid) as refused:
        domain.due_before(date(2026, 1, 1), within)
    assert refused.value.field == "within"


def wanted(number: int) -> VerificationWanted:
    return VerificationWanted(ParticipationId(UUID(int=number)), 1)


@pytest.mark.parametrize("numbers", [[], list(range(101)), [1, 2, 1]])
def test_one_call_verifies_one_to_a_hundred_rows_each_once(numbers: list[int]) -> None:
    """R27"""
    with pytest.raises(Invalid):
        domain.clean_verifications([wanted(one) for one in numbers])


def test_an_outcome_tells_the_refusal_of_its_row() -> None:
    """R27"""
    row_id = ParticipationId(UUID(int=1))
    refused = Outcome.refused(row_id, Conflict("It has ended.", code="OVER", remedy="Add one."))
    assert refused == Outcome(row_id, "OVER", "It has ended.", "Add one.")
