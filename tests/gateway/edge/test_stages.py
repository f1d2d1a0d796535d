"""What is paid for once: parsing, preparing and planning a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.http.stages import Cache, Stages
from gateway.limits import Limits
from gateway.supergraph import load_supergraph

SUPERGRAPH = load_supergraph((Path(__file__).parent / "neighbours.graphql").read_text())
TWO = 'query A { viewer } query B { provider(id: "1") { name } }'


def test_the_cache_keeps_what_was_used_last() -> None:
    cache: Cache[int] = Cache(2)
    for key in ("a", "b", "a", "c"):
        cache.get(key, lambda: 1)

    assert [cache.get(key, lambda: 2) for key in ("a", "c", "b")] == [1, 1, 2]
    assert len(cache) == 2


def test_what_fails_is_not_kept() -> None:
    cache: Cache[int] = Cache()

    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 // 0)

    assert cache.get("a", lambda: 1) == 1


def test_a_text_is_parsed_prepared_and_planned_once() -> None:
    stages = Stages(SUPERGRAPH, Limits())

    parsed = [stages.parse(TWO), stages.parse(TWO)]
    prepared = [stages.prepare(one, "A", anonymous=True) for one in parsed]
    plans = [stages.plan(one.operation) for one in prepared]

    assert parsed[0] is parsed[1]
    assert prepared[0] is prepared[1]
    assert plans[0] is plans[1]


def test_operations_of_one_text_are_prepared_apart() -> None:
    stages = Stages(SUPERGRAPH, Limits())
    parsed = stages.parse(TWO)

    first = stages.prepare(parsed, "A", anonymous=True)
    second = stages.prepare(parsed, "B", anonymous=True)

    assert first.operation.digest != second.operation.digest
