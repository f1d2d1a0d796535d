"""What is paid for once: parsing, preparing and planning a text."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from gateway.http.answers import Rejected
from gateway.http.stages import Cache, Parsed, Stages
from gateway.limits import Limits
from gateway.supergraph import load_supergraph

SUPERGRAPH = load_supergraph((Path(__file__).parent / "neighbours.graphql").read_text())
TWO = 'query A { viewer } query B { provider(id: "1") { name } }'


def test_the_cache_keeps_what_was_used_last() -> None:
    cache: Cache[int] = Cache(2)
    cache.keep("a", 1)
    cache.keep("b", 2)
    cache.find("a")
    cache.keep("c", 3)

    assert [cache.find(key) for key in ("a", "b", "c")] == [1, None, 3]
    assert len(cache) == 2


def test_a_text_is_prepared_and_planned_once() -> None:
    stages = Stages(SUPERGRAPH, Limits())

    prepared = [stages.prepare(stages.parse(TWO, "A"), anonymous=True) for _ in range(2)]
    plans = [stages.plan(one.operation) for one in prepared]

    assert prepared[0] is prepared[1]
    assert plans[0] is plans[1]


def test_what_is_remembered_is_held_to_the_limits_of_whoever_asks_next() -> None:
    stages = Stages(SUPERGRAPH, Limits(anonymous_depth=1))
    text = '{ provider(id: "1") { name } }'
    stages.prepare(stages.parse(text), anonymous=False)

    with pytest.raises(Rejected, match="levels of fields"):
        stages.prepare(stages.parse(text), anonymous=True)


def test_operations_of_one_text_are_prepared_apart() -> None:
    stages = Stages(SUPERGRAPH, Limits())

    first = stages.prepare(stages.parse(TWO, "A"), anonymous=True)
    second = stages.prepare(stages.parse(TWO, "B"), anonymous=True)

    assert first.operation.digest != second.operation.digest


def test_no_document_outlives_its_request() -> None:
    stages = Stages(SUPERGRAPH, Limits())
    parsed = [stages.parse("{ nobody }"), stages.parse(TWO, "A")]
    with pytest.raises(Rejected):
        stages.prepare(parsed[0], anonymous=True)
    stages.prepare(parsed[1], anonymous=True)
    documents = [weakref.ref(one.document) for one in parsed if isinstance(one, Parsed)]

    del parsed
    gc.collect()

    assert [document() for document in documents] == [None, None]
