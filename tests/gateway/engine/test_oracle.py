"""The reference planner's plans give the same answers, and never with fewer fetches."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, Phase, given, seed, settings

from gateway.plan import from_json
from tests.gateway.engine.presses import press
from tests.gateway.engine.random_operations import operations
from tests.gateway.engine.shops import shop
from tests.gateway.engine.worlds import Value, World

MODULES = os.environ.get("GATEWAY_ORACLE", "")
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(
    not (NODE and MODULES),
    reason="needs node, and GATEWAY_ORACLE naming a folder where npm has installed "
    "@graphql-hive/router-query-planner, @theguild/federation-composition and graphql",
)


def oracle(task: str, given: Value) -> Value:
    """Run the reference composer or planner on JSON input."""
    script = Path(__file__).with_name("oracle.mjs")
    command = [str(NODE), str(script), MODULES, task]
    done = subprocess.run(  # noqa: S603 -- our own script
        command, input=json.dumps(given), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def some_operations(world: World, count: int) -> list[tuple[str, dict[str, Value]]]:
    """Valid random operations, the same in every run."""
    schema = world.supergraph.public_schema
    found: list[tuple[str, dict[str, Value]]] = []

    @seed(1)
    @settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        database=None,
    )
    @given(operations(schema))
    def collect(asked: tuple[str, dict[str, Value]]) -> None:
        if not validate(schema, parse(asked[0])):
            found.append(asked)

    collect()
    return found


@pytest.mark.parametrize("world", [press(), shop()], ids=["press", "shop"])
async def test_the_reference_planner_never_needs_fewer_fetches(world: World) -> None:
    asked = some_operations(world, 200)
    texts = [text for text, _ in asked]
    replies = oracle("plan", {"supergraph": world.sdl, "operations": texts})
    compared = 0

    for (text, variables), reply in zip(asked, replies, strict=True):
        ours, our_fetches = await _run(world, text, variables)
        assert ours == world.whole(text, variables).data
        if "plan" in reply:
            theirs, their_fetches = await _run(world, text, variables, reply["plan"])
            if theirs == ours:
                compared += 1
                assert our_fetches <= their_fetches, text

    assert compared > len(asked) // 2


async def _run(
    world: World, text: str, variables: dict[str, bool], plan: Value = None
) -> tuple[Value, int]:
    """The data and the number of fetches."""
    world.log.clear()
    answer = await world.ask(text, variables, from_json(plan) if plan else None)
    return answer.data, len(world.log)


@pytest.mark.parametrize("name", ["press", "shop", "zoo"])
def test_the_committed_supergraphs_are_what_the_composer_makes(name: str) -> None:
    folder = Path(__file__).with_name(name)
    sources = {
        path.stem: path.read_text()
        for path in sorted(folder.glob("*.graphql"))
        if path.stem != "supergraph"
    }

    composed = oracle("compose", {"subgraphs": sources})

    assert composed["errors"] == []
    assert composed["supergraph"].strip() == (folder / "supergraph.graphql").read_text().strip()
