"""The order of receivers (R28)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.directory.domain import ranking
from services.directory.domain.nouns import (
    GroupId,
    OfficeId,
    OrganizationId,
    PlanId,
    Point,
    ProviderId,
)
from services.directory.domain.ranking import (
    Answers,
    FactorName,
    GroupAtOffice,
    PlanCertainty,
    Practice,
    Wanted,
)

TODAY = date(2026, 3, 2)
BOSTON = Point(42.36, -71.06)
WANTED = Wanted("207RC0000X", PlanId(UUID(int=5)), BOSTON, TODAY, TODAY, include_groups=True)
SURE = [PlanCertainty.ACCEPTED, PlanCertainty.UNKNOWN, PlanCertainty.NOT_LISTED]


def practice(n: int, **given: object) -> Practice:
    one = Practice(
        provider_id=ProviderId(UUID(int=n)),
        office_id=OfficeId(UUID(int=n)),
        organization_id=OrganizationId(UUID(int=1)),
        name=f"Provider {n}",
        latitude=42.36,
        longitude=-71.06,
        staffed=True,
        accepting_new_patients=True,
        plans_listed=0,
        accepts=False,
        verified_on=None,
        changed_on=TODAY,
    )
    return replace(one, **given)  # type: ignore[arg-type]


@st.composite
def practices(draw: st.DrawFn) -> list[Practice]:
    count = draw(st.integers(0, 8))
    made = []
    for n in range(1, count + 1):
        accepts = draw(st.booleans())
        made.append(
            practice(
                n,
                latitude=draw(st.floats(-90, 90)),
                longitude=draw(st.floats(-180, 180)),
                accepting_new_patients=draw(st.booleans()),
                accepts=accepts,
                plans_listed=1 if accepts else draw(st.integers(0, 1)),
                verified_on=draw(st.dates(date(2020, 1, 1), TODAY) | st.none()),
                changed_on=draw(st.dates(date(2020, 1, 1), TODAY)),
            )
        )
    return made


ANSWERS = st.builds(Answers, st.integers(1, 9), st.floats(0, 1000))


@given(practices(), st.randoms(), ANSWERS)
def test_the_same_data_in_any_order_gives_the_same_answer(
    rows: list[Practice], random: st.RandomsStrategy, answers: Answers
) -> None:
    """R28."""
    known = {(row.provider_id, row.office_id): answers for row in rows[::2]}
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert ranking.ranked(rows, [], known, WANTED) == ranking.ranked(shuffled, [], known, WANTED)


@given(practices(), ANSWERS)
def test_no_receiver_comes_before_one_whose_plan_is_surer(
    rows: list[Practice], answers: Answers
) -> None:
    """R28."""
    known = {(row.provider_id, row.office_id): answers for row in rows[::2]}
    found = ranking.ranked(rows, [], known, WANTED)
    places = [SURE.index(one.plan) for one in found if one.plan]

    assert len(places) == len(rows)
    assert places == sorted(places)


@given(practices())
def test_every_score_is_a_share_and_explained(rows: list[Practice]) -> None:
    """R28."""
    for one in ranking.ranked(rows, [], {}, WANTED):
        assert 0 <= one.score <= 1
        assert all(0 <= factor.score <= 1 and factor.reason for factor in one.factors)


def test_half_of_the_plan_outweighs_everything_else() -> None:
    """R28."""
    plan = ranking.WEIGHTS[FactorName.PLAN]

    assert sum(ranking.WEIGHTS.values()) == pytest.approx(1)
    assert plan / 2 > sum(ranking.WEIGHTS.values()) - plan


def test_the_nearer_of_two_equals_comes_first() -> None:
    rows = [practice(1, latitude=42.9), practice(2)]
    found = ranking.ranked(rows, [], {}, WANTED)

    assert [one.provider_id for one in found] == [rows[1].provider_id, rows[0].provider_id]
    assert found[0].distance_km == 0


def test_a_distance_is_the_great_circle_s() -> None:
    newyork = Point(40.7128, -74.0060)

    assert ranking.distance_km(BOSTON, newyork) == pytest.approx(306, abs=2)
    assert ranking.distance_km(Point(0, 0), Point(0, 180)) == pytest.approx(20015, abs=2)


def test_offices_without_staff_are_left_out_but_their_ready_groups_are_not() -> None:
    """R23, R28."""
    row = practice(1, staffed=False)
    group = GroupAtOffice(
        GroupId(UUID(int=7)), row.office_id, row.organization_id, "Heart", (row.provider_id,)
    )
    found = ranking.ranked([row], [group], {}, WANTED)
    without = ranking.ranked([row], [group], {}, replace(WANTED, include_groups=False))

    assert [one.group_id for one in found] == [group.group_id]
    assert found[0].provider_id is None
    assert without == []


def test_a_group_without_a_member_who_practises_there_is_left_out() -> None:
    row = practice(1)
    group = GroupAtOffice(
        GroupId(UUID(int=7)), row.office_id, row.organization_id, "Skin", (ProviderId(UUID(int=9)),)
    )

    assert [one.group_id for one in ranking.ranked([row], [group], {}, WANTED)] == [None]


def test_a_group_is_as_sure_as_its_surest_member() -> None:
    """R21."""
    office = OfficeId(UUID(int=3))
    verified = TODAY - timedelta(days=5)
    rows = [
        practice(1, office_id=office, accepts=True, plans_listed=1, verified_on=verified),
        practice(2, office_id=office, plans_listed=2),
    ]
    ids = tuple(row.provider_id for row in rows)
    group = GroupAtOffice(GroupId(UUID(int=7)), office, rows[0].organization_id, "Heart", ids)
    found = ranking.ranked(rows, [group], {}, WANTED)
    mine = next(one for one in found if one.group_id)

    assert (mine.plan, mine.plan_verified_on) == (PlanCertainty.ACCEPTED, verified)
    assert mine.factors[0].reason.startswith("For 1 of 2 members")


def test_without_a_plan_and_a_place_nothing_is_said_about_them() -> None:
    found = ranking.ranked([practice(1)], [], {}, replace(WANTED, plan_id=None, near=None))

    assert (found[0].plan, found[0].distance_km) == (None, None)
    assert {factor.name for factor in found[0].factors} == {
        FactorName.NEW_PATIENTS,
        FactorName.RESPONSIVENESS,
        FactorName.FRESHNESS,
    }


def test_old_data_ranks_lower() -> None:
    """R28."""
    rows = [practice(1, changed_on=TODAY - timedelta(days=120)), practice(2)]
    found = ranking.ranked(rows, [], {}, WANTED)

    assert found[0].provider_id == rows[1].provider_id
    assert found[1].factors[-1].reason == "Data last confirmed 120 days ago."


def test_few_answers_tell_nothing() -> None:
    """R28."""
    row = practice(1)
    key = (row.provider_id, row.office_id)
    few = ranking.ranked([row], [], {key: Answers(2, 500.0)}, WANTED)[0]
    slow = ranking.ranked([row], [], {key: Answers(3, 500.0)}, WANTED)[0]

    assert slow.score < few.score


def test_fifty_kilometres_are_near() -> None:
    found = ranking.ranked([practice(1, latitude=42.8), practice(2, latitude=43.0)], [], {}, WANTED)

    assert [one.provider_id for one in ranking.nearby(found)] == [ProviderId(UUID(int=1))]
