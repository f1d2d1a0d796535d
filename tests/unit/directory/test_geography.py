"""Where the search looks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from services.directory.domain.geography import cells, distance_km
from services.directory.domain.nouns import Place, Point

LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)
POINTS = st.builds(Point, LATITUDES, LONGITUDES)


def square(point: Point) -> int:
    """As `cell_of` of the database numbers it."""
    east = min(int((point.longitude + 180) * 10 // 1), 3599)
    return int((point.latitude + 90) * 10 // 1) * 3600 + east


def test_a_distance_is_the_great_circle_s() -> None:
    boston, newyork = Point(42.36, -71.06), Point(40.7128, -74.0060)

    assert distance_km(boston, newyork) == pytest.approx(306, abs=2)
    assert distance_km(Point(0, 0), Point(0, 180)) == pytest.approx(20015, abs=2)


@given(POINTS, st.floats(-0.6, 0.6), st.floats(-0.9, 0.9))
@example(Point(0.0, 179.95), 0.0, 0.2)
@example(Point(-17.0, -180.0), 0.1, -0.1)
@example(Point(89.9, 10.0), 0.05, 0.9)
@example(Point(90.0, 180.0), 0.0, 0.0)
def test_whoever_is_near_enough_is_in_a_square_that_is_looked_at(
    point: Point, north: float, east: float
) -> None:
    """R28: across the date line and around the poles as well."""
    latitude = max(-90.0, min(90.0, point.latitude + north))
    longitude = (point.longitude + east + 180) % 360 - 180
    other = Point(latitude, longitude)
    assume(distance_km(point, other) <= 50)

    assert any(first <= square(other) <= last for first, last in cells(Place(point), 50.0))


@given(POINTS, st.sampled_from([50.0, 200.0, 800.0]))
def test_no_square_is_looked_at_twice(point: Point, km: float) -> None:
    spans = sorted(cells(Place(point, region="MA"), km))

    assert all(first <= last for first, last in spans)
    assert all(one[1] < other[0] for one, other in pairwise(spans))


def test_few_squares_are_looked_at_for_few_kilometres() -> None:
    spans = cells(Place(Point(42.36, -71.06)), 50.0)

    assert sum(last - first + 1 for first, last in spans) < 200


def test_a_state_has_a_square_of_its_own_for_offices_at_no_known_point() -> None:
    """R16."""
    assert cells(Place(Point(42.36, -71.06), region="MA"), 50.0)[0] == (-9921, -9921)


def test_without_a_point_or_a_limit_everything_is_looked_at() -> None:
    everywhere = [(-(2**31), 2**31 - 1)]

    assert cells(Place(None, "Boston", "MA"), 50.0) == everywhere
    assert cells(Place(Point(0, 0)), None) == everywhere
