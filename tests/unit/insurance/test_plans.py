"""Plans that are renamed, end, or are merged."""

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Conflict, Invalid, Refusal
from services.insurance import domain
from services.insurance.domain import InsurancePlan, Payer, PayerId, PlanId
from tests.unit.insurance.builders import plan, row

NEW_YEAR = date(2027, 1, 1)
OTHER = PlanId(UUID(int=8))
DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))


@given(st.lists(st.sampled_from(["Gold", "Silver", "Bronze"]), max_size=6))
def test_a_renamed_plan_is_known_by_every_name_it_had_and_none_of_them_twice(
    names: list[str],
) -> None:
    """R27"""
    renamed = plan()
    for name in names:
        renamed = domain.renamed_plan(renamed, name)

    assert set(renamed.former_names) == {"Gold", *names} - {renamed.name}
    assert len(set(renamed.former_names)) == len(renamed.former_names)


def test_a_renamed_payer_keeps_the_name_it_had() -> None:
    """R27"""
    payer = Payer(PayerId(uuid4()), "Acme", (), version=1)
    assert domain.renamed_payer(payer, "Apex").former_names == ("Acme",)
    assert domain.renamed_payer(payer, "Acme").former_names == ()


def self_pay() -> InsurancePlan:
    return replace(plan(), self_pay=True, payer_id=None, product_type=None)


@pytest.mark.parametrize(
    ("ending", "ends_on", "code"),
    [
        (self_pay(), NEW_YEAR, "SELF_PAY_STAYS"),
        (plan(first=NEW_YEAR), NEW_YEAR, "EMPTY_PERIOD"),
        (plan(until=NEW_YEAR), NEW_YEAR, "ALREADY_ENDS"),
        (plan(until=NEW_YEAR), date(2027, 2, 1), "ALREADY_ENDS"),
    ],
)
def test_an_end_that_makes_no_sense_is_refused(
    ending: InsurancePlan, ends_on: date, code: str
) -> None:
    """R27"""
    with pytest.raises(Refusal) as refused:
        domain.refuse_end(ending, ends_on)
    assert refused.value.code == code


def test_an_end_that_was_told_may_be_moved_to_an_earlier_day() -> None:
    """R27"""
    domain.refuse_end(plan(until=date(2027, 7, 1)), NEW_YEAR)


def test_a_plan_is_merged_into_another_plan_that_is_offered_then() -> None:
    """R27"""
    domain.refuse_successor(plan(), plan(OTHER), NEW_YEAR)
    for successor in (None, plan(), replace(self_pay(), id=OTHER)):
        with pytest.raises(Invalid) as unknown:
            domain.refuse_successor(plan(), successor, NEW_YEAR)
        assert unknown.value.code == "UNKNOWN_PLAN"
    with pytest.raises(Conflict) as ended:
        domain.refuse_successor(plan(), plan(OTHER, until=NEW_YEAR), NEW_YEAR)
    assert ended.value.code == "PLAN_NOT_OFFERED"


@given(DAYS, st.none() | DAYS, DAYS, st.none() | DAYS, DAYS)
def test_a_successor_takes_over_the_days_that_are_taken_from_the_plan_and_no_others(
    first: date, until: date | None, ends_on: date, successor_until: date | None, day: date
) -> None:
    """R27"""
    old, successor = row(first, until), plan(OTHER, until=successor_until)

    kept = old.period.clipped(ends_on)
    after = domain.followed(old, ends_on, successor)

    assert not (kept.covers(day) and after.covers(day))
    followed = old.period.covers(day) and day >= ends_on and successor.period.covers(day)
    assert after.covers(day) == followed
    assert (kept.covers(day) or after.covers(day)) <= old.period.covers(day)
