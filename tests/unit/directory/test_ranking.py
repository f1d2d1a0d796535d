"""The order of receivers (R28)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.directory.domain import ranking
from services.directory.domain.factors import WEIGHTS, FactorName, PlanCertainty
from services.directory.domain.listings import Answers, Listing, Practice, Wanted
from services.directory.domain.nouns import (
    GroupId,
    OfficeId,
    OrganizationId,
    Place,
    PlanId,
    Point,
    ProviderId,
)
from services.directory.domain.ranking import Receiver

TODAY = date(2026, 3, 2)
BOSTON = Place(Point(42.36, -71.06), "Boston", "MA")
PLAN, OTHER_PLAN = PlanId(UUID(int=5)), PlanId(UUID(int=6))
WANTED = Wanted(("207RC0000X",), frozenset({PLAN}), BOSTON, TODAY, TODAY)
SURE = [PlanCertainty.ACCEPTED, PlanCertainty.UNKNOWN, PlanCertainty.NOT_LISTED]


def practice(n: int, **given: object) -> Practice:
    one = Practice(
        provider_id=ProviderId(UUID(int=n)),
        office_id=OfficeId(UUID(int=n)),
        organization_id=OrganizationId(UUID(int=1)),
        name=f"Provider {n}",
        accepting_new_patients=True,
        changed_on=TODAY,
    )
    return replace(one, **given)  # type: ignore[arg-type]


def listing(n: int, at: Place = BOSTON, answers: Answers | None = None, **given: object) -> Listing:
    row = practice(n, **given)
    return Listing(
        row.provider_id, None, row.office_id, row.organization_id, row.name, at, (row,), answers
    )


def group(n: int, *members: Practice) -> Listing:
    first = members[0]
    return Listing(
        None, GroupId(UUID(int=n)), first.office_id, first.organization_id, "Heart", BOSTON, members
    )  # fmt: skip


ACCEPTED: dict[str, Any] = {
    "accepted": frozenset({PLAN}),
    "plans_listed": 1,
    "verified_on": TODAY,
}
DAYS = st.dates(date(2020, 1, 1), TODAY)


@st.composite
def listings(draw: st.DrawFn) -> list[Listing]:
    made = []
    for n in range(1, draw(st.integers(0, 8)) + 1):
        accepts = draw(st.booleans())
        point = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))
        place = st.builds(
            Place, point | st.none(), st.just("Boston"), st.sampled_from(["MA", "RI"])
        )
        made.append(
            listing(
                n,
                draw(place),
                draw(st.builds(Answers, st.integers(1, 9), st.floats(0, 1000)) | st.none()),
                accepting_new_patients=draw(st.booleans()),
                accepted=frozenset({PLAN}) if accepts else frozenset(),
                plans_listed=1 if accepts else draw(st.integers(0, 1)),
                verified_on=draw(DAYS | st.none()) if accepts else None,
                changed_on=draw(DAYS),
            )
        )
    return made


@given(listings(), st.randoms())
def test_the_same_data_in_any_order_gives_the_same_answer(
    rows: list[Listing], random: Random
) -> None:
    """R28."""
    shuffled = list(rows)
    random.shuffle(shuffled)

    assert ranking.ranked(rows, WANTED) == ranking.ranked(shuffled, WANTED)


@given(listings())
def test_no_receiver_comes_before_one_whose_plan_is_surer(rows: list[Listing]) -> None:
    """R28: stale or not, near or far."""
    places = [SURE.index(one.plan) for one in ranking.ranked(rows, WANTED) if one.plan]

    assert len(places) == len(rows)
    assert places == sorted(places)


@given(listings())
def test_every_score_is_a_share_and_explained(rows: list[Listing]) -> None:
    """R28."""
    for one in ranking.ranked(rows, WANTED):
        assert 0 <= one.score <= 1
        assert all(0 <= factor.score <= 1 and factor.reason for factor in one.factors)


def test_half_of_the_plan_outweighs_everything_else_that_is_asked_without_a_name() -> None:
    """R28."""
    plan, name = WEIGHTS[FactorName.PLAN], WEIGHTS[FactorName.NAME]

    assert sum(WEIGHTS.values()) - name == pytest.approx(1)
    assert plan / 2 > sum(WEIGHTS.values()) - name - plan


def test_the_nearer_of_two_equals_comes_first() -> None:
    rows = [listing(1, Place(Point(42.9, -71.06))), listing(2)]
    found = ranking.ranked(rows, WANTED)

    assert _ids(found) == [2, 1]
    assert found[0].distance_km == 0


def _ids(found: Sequence[Receiver]) -> list[int]:
    return [one.provider_id.int for one in found if one.provider_id]


def test_an_office_at_no_known_point_comes_by_its_city_and_state() -> None:
    """R16, R28."""
    nowhere, state, city = Place(None, "Reno", "NV"), Place(None, "Lowell", "MA"), Place(None, "BOSTON ", "MA")  # fmt: skip
    found = ranking.ranked([listing(1, nowhere), listing(2, state), listing(3, city)], WANTED)
    reasons = [next(f.reason for f in one.factors if f.name == "DISTANCE") for one in found]

    assert _ids(found) == [3, 2, 1]
    assert [one.distance_km for one in found] == [None, None, None]
    assert reasons == [
        "In the same city; how far is not known.",
        "Somewhere in MA; how far is not known.",
        "How far it is, is not known.",
    ]


def test_who_is_found_twice_is_told_once_as_well_as_can_be() -> None:
    far = replace(listing(1, accepting_new_patients=False), at=BOSTON)

    assert len(ranking.ranked([far, listing(1)], WANTED)) == 1
    assert ranking.ranked([far, listing(1)], WANTED)[0].accepting_new_patients


def test_a_group_is_as_sure_as_its_surest_member() -> None:
    """R21."""
    office, verified = OfficeId(UUID(int=3)), TODAY - timedelta(days=5)
    sure = practice(1, office_id=office, **ACCEPTED | {"verified_on": verified})
    mine = ranking.ranked([group(7, sure, practice(2, office_id=office, plans_listed=2))], WANTED)[
        0
    ]

    assert (mine.plan, mine.plan_verified_on) == (PlanCertainty.ACCEPTED, verified)
    assert mine.factors[0].reason.startswith("For 1 of 2 members")


def test_one_of_two_plans_is_enough_and_it_is_told_which() -> None:
    """R28: a patient with two plans."""
    both = replace(WANTED, plan_ids=frozenset({PLAN, OTHER_PLAN}))
    rows = [
        listing(1, plans_listed=1),
        listing(2, **ACCEPTED | {"accepted": frozenset({OTHER_PLAN})}),
    ]
    found = ranking.ranked(rows, both)

    assert _ids(found) == [2, 1]
    assert [one.accepted for one in found] == [{OTHER_PLAN}, set()]


@pytest.mark.parametrize(
    ("verified", "stale", "words"),
    [
        (TODAY - timedelta(days=90), False, "last verified on 2025-12-02."),
        (TODAY - timedelta(days=91), True, "last verified on 2025-12-01, more than 90 days ago."),
        (None, True, "never verified: ask before sending."),
    ],
)
def test_a_plan_not_verified_for_90_days_is_stale_and_says_so(
    verified: date | None,
    stale: bool,  # noqa: FBT001 - parametrized
    words: str,
) -> None:
    """R28."""
    one = ranking.ranked([listing(1, **ACCEPTED | {"verified_on": verified})], WANTED)[0]

    assert one.plan_stale is stale
    assert one.factors[0].reason.endswith(words)


def test_a_stale_plan_ranks_lower_than_a_verified_one_and_above_none() -> None:
    """R28."""
    old = TODAY - timedelta(days=100)
    rows = [listing(1, **ACCEPTED | {"verified_on": old}), listing(2, **ACCEPTED), listing(3)]

    assert _ids(ranking.ranked(rows, WANTED)) == [2, 1, 3]


def test_whoever_has_the_name_comes_first_whatever_else_there_is() -> None:
    """R28."""
    named = replace(WANTED, name="Ada Sample")
    alike = replace(listing(1, **ACCEPTED), likeness=0.5)
    exact = replace(
        listing(2, Place(Point(42.7, -71.0)), accepting_new_patients=False), likeness=1.0
    )
    found = ranking.ranked([alike, exact], named)

    assert _ids(found) == [2, 1]
    assert [one.factors[0].reason for one in found] == [
        "It has the name.",
        "The name is 50 % alike.",
    ]


def test_without_a_plan_and_a_place_nothing_is_said_about_them() -> None:
    wanted = replace(WANTED, plan_ids=frozenset(), place=Place())
    found = ranking.ranked([listing(1)], wanted)

    assert (found[0].plan, found[0].distance_km) == (None, None)
    assert {factor.name for factor in found[0].factors} == {
        FactorName.NEW_PATIENTS,
        FactorName.RESPONSIVENESS,
        FactorName.FRESHNESS,
    }


def test_old_data_ranks_lower() -> None:
    """R28."""
    rows = [listing(1, changed_on=TODAY - timedelta(days=120)), listing(2)]
    found = ranking.ranked(rows, WANTED)

    assert _ids(found) == [2, 1]
    assert found[1].factors[-1].reason == "Data last confirmed 120 days ago."


def test_few_answers_tell_nothing() -> None:
    """R28."""
    few = ranking.ranked([listing(1, answers=Answers(2, 500.0))], WANTED)[0]
    slow = ranking.ranked([listing(1, answers=Answers(3, 500.0))], WANTED)[0]

    assert slow.score < few.score


def test_fifty_kilometres_are_near_and_so_is_what_is_nowhere_known() -> None:
    places = [Place(Point(42.8, -71.06)), Place(Point(43.0, -71.06)), Place(None, "Lowell", "MA")]
    found = ranking.ranked([listing(n, at) for n, at in enumerate(places)], WANTED)

    assert sorted(_ids(ranking.nearby(found))) == [0, 2]
