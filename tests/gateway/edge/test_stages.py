"""What is paid for once: parsing, preparing and planning a text."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from gateway.config import SUPERGRAPH as COMPOSED
from gateway.http.answers import Rejected
from gateway.http.stages import Cache, Parsed, Stages
from gateway.limits import Limits
from gateway.supergraph import load_supergraph

SUPERGRAPH = load_supergraph((Path(__file__).parent / "neighbours.graphql").read_text())
OURS = load_supergraph(COMPOSED.read_text())
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


def told(stages: Stages, text: str, **variables: object) -> list[str]:
    """What a client is told of a request that cannot be run."""
    with pytest.raises(Rejected) as refusal:
        stages.coerce(stages.prepare(stages.parse(text), anonymous=False), variables)
    return [one["message"] for one in refusal.value.errors]


SIGN_IN = "mutation ($i: SignInInput!) { signIn(input: $i) { __typename } }"
BY_STATE = "query ($s: ProviderState) { providers(filter: {state: $s}) { __typename } }"
SOME = "query ($n: Int) { providers(first: $n) { __typename } }"
WRONG = [
    (SIGN_IN, {"i": {"emial": "x", "password": "hunter2"}}),
    (SIGN_IN, {"i": "hunter2"}),
    (SIGN_IN, {"i": {"email": "x", "password": {"is": "hunter2"}}}),
    (
        SIGN_IN.replace("$i)", '{emial: "x", password: "hunter2"})').replace(
            "($i: SignInInput!)", ""
        ),
        {},
    ),
    (BY_STATE, {"s": "APROVED"}),
    (BY_STATE, {"s": {"is": "hunter2"}}),
    (SOME, {"n": "hunter2"}),
]


@pytest.mark.parametrize(("text", "variables"), WRONG)
def test_a_refusal_repeats_no_value_and_production_suggests_no_name(
    text: str, variables: dict[str, object]
) -> None:
    messages = told(Stages(OURS, Limits()), text, **variables)

    assert not any("hunter2" in message or "id you mean" in message for message in messages)
    assert all(message.endswith(".") for message in messages)


def test_development_suggests_the_names_of_fields_and_values_that_may_be_meant() -> None:
    stages = Stages(OURS, Limits(introspection=True))

    assert any("'email'?" in one for one in told(stages, SIGN_IN, i={"emial": "x", "password": ""}))
    assert "'APPROVED'" in told(stages, BY_STATE, s="APROVED")[0]


def test_of_many_wrong_values_only_some_are_told() -> None:
    text = (
        "mutation ($r: [RoleInput!]!) { inviteUser(input: {email: 1, roles: $r}) { __typename } }"
    )
    text = text.replace("email: 1", 'email: "a", name: "b", idempotencyKey: "c"')

    assert len(told(Stages(OURS, Limits()), text, r=["OFFICE"] * 10_000)) == 21
