"""Percentiles, medians over rounds and ratios."""

from __future__ import annotations

import pytest

from cli.bench.figures import over_rounds, percentile, ratio, spread


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(100, 0, -1)]

    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile(values, 1.0) == 100


def test_the_percentiles_of_one_value_are_that_value() -> None:
    assert spread([7.0]) == (7.0, 7.0)


def test_nothing_measured_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 0.5)


def test_one_disturbed_round_of_three_does_not_count() -> None:
    calm, disturbed = [1.0, 2.0, 3.0], [500.0, 600.0, 700.0]

    assert over_rounds([calm, disturbed, calm]) == (2.0, 3.0)


def test_a_ratio_compares_rounds_that_ran_side_by_side() -> None:
    ours, base = [[10.0], [200.0], [30.0]], [[5.0], [100.0], [10.0]]

    assert ratio(ours, base) == 2.0


def test_a_ratio_wants_as_many_rounds_of_the_baseline() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratio([[1.0], [1.0]], [[1.0]])
