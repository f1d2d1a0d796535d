"""What many measurements come to: percentiles, medians over rounds, ratios. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple


class Spread(NamedTuple):
    """The middle of the measurements, and what all but one in a hundred stay below."""

    p50: float
    p99: float


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that a `share` (above 0, up to 1) of them does not exceed. ValueError when there are none."""
    if not values:
        raise ValueError("nothing was measured")
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def spread(values: Sequence[float]) -> Spread:
    """The spread of one round."""
    return Spread(percentile(values, 0.5), percentile(values, 0.99))


def over_rounds(rounds: Sequence[Sequence[float]]) -> Spread:
    """The medians of the rounds' spreads: one disturbed round does not count."""
    spreads = [spread(values) for values in rounds]
    return Spread(median(one.p50 for one in spreads), median(one.p99 for one in spreads))


def ratio(rounds: Sequence[Sequence[float]], baseline: Sequence[Sequence[float]]) -> float:
    """How many times the baseline: the median, over pairs of rounds that ran side by side, of the ratio of their middles."""
    pairs = zip(rounds, baseline, strict=True)
    return median(spread(values).p50 / spread(base).p50 for values, base in pairs)
