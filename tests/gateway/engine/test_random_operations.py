"""Whatever is asked, the federated answer is the answer of one schema that knows everything."""

from __future__ import annotations

import asyncio
import json

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.plan import from_json, to_json
from tests.gateway.engine.presses import press
from tests.gateway.engine.random_operations import operations
from tests.gateway.engine.shops import shop
from tests.gateway.engine.worlds import World
from tests.gateway.engine.zoos import zoo

PATIENT = settings(
    max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@pytest.mark.parametrize("world", [press(), shop(), zoo()], ids=["press", "shop", "zoo"])
@PATIENT
@given(data=st.data())
def test_any_valid_query_is_answered_as_by_one_schema(world: World, data: st.DataObject) -> None:
    text, variables = data.draw(operations(world.supergraph.public_schema))
    assume(not validate(world.supergraph.public_schema, parse(text)))

    answer = asyncio.run(world.ask(text, variables))

    whole = world.whole(text, variables)
    assert answer == whole
    assert json.dumps(answer.data) == json.dumps(whole.data), "the order of fields differs"


@pytest.mark.parametrize("world", [press(), shop(), zoo()], ids=["press", "shop", "zoo"])
@PATIENT
@given(data=st.data())
def test_a_plan_survives_its_json_form(world: World, data: st.DataObject) -> None:
    text, _ = data.draw(operations(world.supergraph.public_schema))
    assume(not validate(world.supergraph.public_schema, parse(text)))

    made = world.plan(text)

    assert from_json(json.loads(json.dumps(to_json(made)))) == made
