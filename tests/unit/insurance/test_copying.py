"""What a copy adds, and what it leaves out."""

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Invalid
from services.insurance import domain
from services.insurance.domain import (
    CopyItem,
    CopyOutcome,
    CopyWanted,
    OfficeId,
    Participation,
    ParticipationId,
    Period,
    Place,
    PlanId,
    ProviderId,
)
from tests.unit.insurance.builders import PLAN, plan, row

ANNA, BEN = ProviderId(UUID(int=1)), ProviderId(UUID(int=2))
HERE, THERE = OfficeId(UUID(int=3)), OfficeId(UUID(int=4))
FROM = date(2027, 1, 1)
ALWAYS = Period(date(2000, 1, 1))
DAYS = st.dates(date(2026, 1, 1), date(2028, 12, 31))
PERIODS = st.builds(Period, DAYS, st.none() | DAYS)


def at(place: Place, first: date, until: date | None = None) -> Participation:
    found = row(first, until)
    return replace(
        found,
        provider_id=place.provider_id or found.provider_id,
        office_id=place.office_id or found.office_id,
    )


def item(first: date = FROM, until: date | None = None) -> CopyItem:
    return CopyItem(1, ParticipationId(uuid4()), until, BEN, HERE, PLAN, first, until)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (Place(), Place(BEN)),
        (Place(ANNA), Place()),
        (Place(ANNA, HERE), Place(ANNA)),
        (Place(ANNA, HERE), Place(ANNA, HERE)),
        (Place(office_id=HERE), Place(office_id=HERE)),
    ],
)
def test_a_copy_goes_from_somebody_or_somewhere_to_somebody_or_somewhere_else(
    source: Place, target: Place
) -> None:
    """R27"""
    with pytest.raises(Invalid):
        domain.clean_copy(CopyWanted(source, target, FROM))


@pytest.mark.parametrize(
    ("source", "target", "spot"),
    [
        (Place(ANNA), Place(BEN), (BEN, HERE)),
        (Place(office_id=HERE), Place(office_id=THERE), (ANNA, THERE)),
        (Place(ANNA, HERE), Place(BEN, THERE), (BEN, THERE)),
    ],
)
def test_what_the_target_leaves_open_stays_as_it_is_at_the_source(
    source: Place, target: Place, spot: tuple[ProviderId, OfficeId]
) -> None:
    """R27"""
    wanted = domain.clean_copy(CopyWanted(source, target, FROM))
    (copied,) = domain.items_of([at(Place(ANNA, HERE), date(2026, 1, 1))], wanted)
    assert (copied.provider_id, copied.office_id) == spot
    assert copied.period == Period(FROM)


def test_only_what_still_holds_is_copied_only_elsewhere_and_only_the_plans_asked_for() -> None:
    """R27"""
    here = Place(ANNA, HERE)
    rows = [
        at(here, date(2026, 1, 1), FROM),
        at(Place(BEN, HERE), date(2026, 1, 1)),
        at(here, date(2027, 6, 1)),
        replace(at(here, FROM), plan_id=PlanId(uuid4())),
    ]
    wanted = CopyWanted(Place(office_id=HERE), Place(provider_id=BEN), FROM, (PLAN,))
    (copied,) = domain.items_of(rows, wanted)
    assert (copied.source_id, copied.effective_from) == (rows[2].id, date(2027, 6, 1))


def test_too_much_for_one_copy_is_refused() -> None:
    """R27"""
    one = at(Place(ANNA, HERE), FROM)
    with pytest.raises(Invalid) as refused:
        domain.items_of([one] * 10_001, CopyWanted(Place(ANNA), Place(BEN), FROM))
    assert refused.value.code == "TOO_MANY"


@given(PERIODS, st.lists(PERIODS, max_size=3), PERIODS, st.lists(PERIODS, max_size=3), DAYS)
def test_a_copy_only_adds_days_that_are_free_where_the_provider_works_and_the_plan_is_offered(
    days: Period, placements: list[Period], offered: Period, taken: list[Period], day: date
) -> None:
    """R27"""
    wanted = item(days.first, days.until)
    existing = [(ParticipationId(uuid4()), one) for one in taken]
    the_plan = plan(first=offered.first, until=offered.until)

    judged = domain.judge(wanted, placements, the_plan, existing)

    if judged.outcome is CopyOutcome.ADDED and judged.days.covers(day):
        assert days.covers(day)
        assert offered.covers(day)
        assert not any(one.covers(day) for one in taken)
        assert any(one.until is None or day < one.until for one in placements)


def test_a_copy_says_why_it_leaves_a_row_out() -> None:
    """R27"""
    standing = ParticipationId(uuid4())
    taken = [(standing, Period(date(2027, 3, 1), date(2027, 4, 1)))]
    ended = plan(until=FROM)

    assert domain.judge(item(), [ALWAYS], plan(), taken) == domain.Judged(
        CopyOutcome.ALREADY_THERE, Period(FROM), standing
    )
    assert domain.judge(item(), [], plan(), []).outcome is CopyOutcome.NOT_AT_OFFICE
    assert domain.judge(item(), [ALWAYS], ended, []).outcome is CopyOutcome.NOT_OFFERED


def test_a_copied_row_does_not_outlast_the_placement_or_the_plan() -> None:
    """R27"""
    until_june, until_may = Period(date(2020, 1, 1), date(2027, 6, 1)), date(2027, 5, 1)
    assert domain.judge(item(), [until_june], plan(), []).days == Period(FROM, date(2027, 6, 1))
    judged = domain.judge(item(), [until_june], plan(until=until_may), [])
    assert judged.days == Period(FROM, until_may)


def test_a_source_that_ends_earlier_than_it_did_has_changed_and_one_that_was_verified_has_not() -> (
    None
):
    """R27"""
    source = row(date(2026, 1, 1), date(2028, 1, 1))
    copied = replace(item(until=date(2028, 1, 1)), source_id=source.id)
    assert not domain.changed_since(copied, replace(source, version=7))
    assert domain.changed_since(copied, replace(source, effective_until=date(2027, 2, 1)))
    assert domain.changed_since(copied, None)
