"""The rules of insurance, without a database."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Conflict, Invalid
from services.insurance import domain
from services.insurance.domain import Identifier, Period, PlanId
from tests.unit.insurance.builders import PLAN, plan, row

JANUARY = date(2027, 1, 1)
DAYS = st.dates(date(2026, 1, 1), date(2026, 3, 1))
PERIODS = st.builds(Period, DAYS, st.none() | DAYS)


def test_a_row_valid_until_the_first_of_january_is_not_accepted_on_the_first_of_january() -> None:
    """R27"""
    days = Period(date(2026, 1, 1), JANUARY)

    assert days.covers(date(2026, 12, 31))
    assert not days.covers(JANUARY)


def test_a_period_without_end_covers_every_later_day() -> None:
    """R27"""
    assert Period(JANUARY).covers(date(2099, 12, 31))


def test_periods_that_meet_do_not_overlap() -> None:
    """R27"""
    assert not Period(date(2026, 1, 1), JANUARY).overlaps(Period(JANUARY))


@given(PERIODS, PERIODS)
def test_two_periods_overlap_exactly_when_they_share_a_day(one: Period, other: Period) -> None:
    """R27"""
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(70)]
    shared = any(one.covers(day) and other.covers(day) for day in days)

    assert one.overlaps(other) == shared
    assert other.overlaps(one) == shared


@given(PERIODS, DAYS, DAYS)
def test_clipping_keeps_the_days_before_and_drops_the_others(
    days: Period, until: date, day: date
) -> None:
    """R27"""
    assert days.clipped(until).covers(day) == (days.covers(day) and day < until)


@given(DAYS, DAYS)
def test_a_period_is_refused_exactly_when_it_would_hold_no_day(first: date, until: date) -> None:
    """R27"""
    if until > first:
        assert domain.period(first, until) == Period(first, until)
        return
    with pytest.raises(Invalid) as refused:
        domain.period(first, until)
    assert (refused.value.code, refused.value.field) == ("EMPTY_PERIOD", "effectiveUntil")


def test_an_overlapping_row_is_refused_by_naming_the_existing_one() -> None:
    """R27"""
    existing = row(date(2026, 6, 1), JANUARY)

    (refused,) = domain.refused_plans(
        [PLAN], Period(date(2026, 12, 31)), {PLAN: plan()}, [existing]
    )

    assert refused.refusal.code == "OVERLAP"
    assert refused.refusal.details["participation_id"] == existing.id
    assert "2026-06-01 until 2027-01-01" in refused.refusal.message


def test_rows_of_other_plans_and_rows_that_meet_do_not_stand_in_the_way() -> None:
    """R27"""
    existing = [row(date(2026, 6, 1), JANUARY), row(date(2026, 1, 1), None, PlanId(uuid4()))]

    assert domain.refused_plans([PLAN], Period(JANUARY), {PLAN: plan()}, existing) == ()


def test_an_unknown_plan_is_refused() -> None:
    """R27"""
    (refused,) = domain.refused_plans([PLAN], Period(JANUARY), {}, [])

    assert (refused.plan_id, refused.refusal.code) == (PLAN, "UNKNOWN_PLAN")


@pytest.mark.parametrize(
    ("first", "until"), [(date(2027, 2, 1), None), (date(2020, 1, 1), JANUARY)]
)
def test_a_plan_that_is_not_offered_on_the_first_day_is_refused(
    first: date, until: date | None
) -> None:
    """R27"""
    (refused,) = domain.refused_plans(
        [PLAN], Period(JANUARY), {PLAN: plan(first=first, until=until)}, []
    )

    assert refused.refusal.code == "PLAN_NOT_OFFERED"


def test_each_refused_plan_of_a_call_is_told_in_the_order_asked() -> None:
    """R27"""
    unknown, fine, taken = (PlanId(uuid4()) for _ in range(3))
    plans = {fine: plan(fine), taken: plan(taken)}

    refused = domain.refused_plans(
        [unknown, fine, taken], Period(JANUARY), plans, [row(JANUARY, None, taken)]
    )

    assert [(one.plan_id, one.refusal.code) for one in refused] == [
        (unknown, "UNKNOWN_PLAN"),
        (taken, "OVERLAP"),
    ]


def test_ending_a_row_keeps_its_first_day() -> None:
    """R27"""
    assert domain.end(row(date(2026, 1, 1)), JANUARY) == Period(date(2026, 1, 1), JANUARY)


@pytest.mark.parametrize("until", [date(2026, 1, 1), date(2025, 12, 31)])
def test_a_row_cannot_end_before_it_begins(until: date) -> None:
    """R27"""
    with pytest.raises(Invalid) as refused:
        domain.end(row(date(2026, 1, 1)), until)
    assert refused.value.code == "EMPTY_PERIOD"


@pytest.mark.parametrize("until", [JANUARY, date(2027, 1, 2)])
def test_history_is_not_lengthened_by_ending_a_row_later(until: date) -> None:
    """R27"""
    with pytest.raises(Conflict) as refused:
        domain.end(row(date(2026, 1, 1), JANUARY), until)
    assert refused.value.code == "ALREADY_ENDS"


def test_a_row_is_past_once_its_last_day_is_over() -> None:
    """R27"""
    ending = row(date(2026, 1, 1), JANUARY)

    domain.refuse_past(ending, date(2026, 12, 31))
    with pytest.raises(Conflict) as refused:
        domain.refuse_past(ending, JANUARY)
    assert refused.value.code == "PARTICIPATION_ENDED"


def test_a_row_that_never_took_effect_is_past_even_before_its_first_day() -> None:
    """R27"""
    assert row(JANUARY, JANUARY).past(date(2026, 1, 1))
    assert not row(JANUARY, date(2027, 2, 1)).past(date(2026, 1, 1))


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_a_name_must_have_one_to_two_hundred_characters(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        domain.clean_name(name)
    assert refused.value.field == "name"


def test_blanks_in_a_name_are_tidied() -> None:
    assert domain.clean_name("  Blue \t Shield ") == "Blue Shield"


def test_identifiers_are_trimmed_and_told_once() -> None:
    given_twice = [Identifier(" payer-id ", "00123"), Identifier("payer-id", "00123 ")]

    assert domain.clean_identifiers(given_twice) == (Identifier("payer-id", "00123"),)


@pytest.mark.parametrize(
    "broken", [Identifier("", "1"), Identifier("s", " "), Identifier("s", "x" * 201)]
)
def test_an_identifier_needs_a_system_and_a_value(broken: Identifier) -> None:
    with pytest.raises(Invalid) as refused:
        domain.clean_identifiers([broken])
    assert refused.value.field == "identifiers"


@pytest.mark.parametrize(
    ("plans", "code"),
    [
        ([], "INVALID"),
        ([PLAN, PLAN], "DUPLICATE"),
        ([PlanId(uuid4()) for _ in range(101)], "INVALID"),
    ],
)
def test_a_call_names_one_to_a_hundred_plans_each_once(plans: list[PlanId], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        domain.clean_plan_ids(plans)
    assert (refused.value.code, refused.value.field) == (code, "planIds")
