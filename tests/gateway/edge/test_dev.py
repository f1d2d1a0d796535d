"""What development offers besides: the suite's clock, and settings that are told all at once when wrong."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from gateway.app import build
from gateway.config import GatewaySettings
from gateway.supergraph import SupergraphError
from kit.config import SettingsError, load
from tests.gateway.edge.client import Reply, request
from tests.gateway.edge.conftest import World, environment


async def move(suite: World, body: object, **headers: str) -> Reply:
    sent = {"content-type": "application/json", "x-suite-dev": "1"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await request("POST", f"{suite.door.base}/dev/clock", sent, orjson.dumps(body))


async def test_the_clock_of_every_subgraph_moves_and_the_gateways_with_them(suite: World) -> None:
    suite.identity.offset = timedelta(hours=1)  # as identity's database has it after the move

    reply = await move(suite, {"offset_seconds": 3600})

    suite.identity.offset = timedelta()
    assert reply.status == 200
    assert suite.people.offsets[-1] == suite.places.offsets[-1] == timedelta(hours=1)
    assert reply.json["offset_seconds"] == 3600
    moved = datetime.fromisoformat(reply.json["now"]) - datetime.now(UTC)
    assert abs(moved - timedelta(hours=1)) < timedelta(seconds=5)
    await suite.edge.identity.synchronize()


async def test_advancing_is_told_to_everybody_as_one_offset(suite: World) -> None:
    suite.identity.offset = timedelta(hours=1)

    await move(suite, {"advance_seconds": 1800.5})

    suite.identity.offset = timedelta()
    await suite.edge.identity.synchronize()
    assert suite.people.offsets[-1] == suite.places.offsets[-1] == timedelta(seconds=5400.5)


async def test_a_token_ends_when_the_clock_moves_past_it(suite: World) -> None:
    token = suite.user()
    assert (await suite.door.post("{ viewer }", token=token)).status == 200
    async with suite.door.events("subscription { ticks(upTo: 1) { number } }", token=token) as live:
        await live.next()

        suite.identity.offset = timedelta(minutes=6)
        await move(suite, {"offset_seconds": 360})
        try:
            _, body = await asyncio.wait_for(live.next(), 5)
            reply = await suite.door.post("{ viewer }", token=token)
        finally:
            suite.identity.offset = timedelta()
            await suite.edge.identity.synchronize()

    assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert reply.code == "UNAUTHENTICATED"


async def test_services_that_did_not_move_are_named(suite: World) -> None:
    suite.places.stuck = True
    try:
        reply = await move(suite, {"offset_seconds": 0})
    finally:
        suite.places.stuck = False

    assert (reply.status, reply.code) == (503, "UNAVAILABLE")
    assert "directory" in reply.json["errors"][0]["message"]
    assert "identity" not in reply.json["errors"][0]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"advance_seconds": 1, "offset_seconds": 1},
        {"advance_seconds": "1"},
        {"advance_seconds": True},
        {"advance_seconds": 1e12},
        {"offset_seconds": 1e18},
        {"advance_seconds": -1e300},
        {"days": 1},
    ],
)
async def test_a_move_that_says_nothing_sensible_is_refused(suite: World, body: object) -> None:
    told = len(suite.people.offsets)

    reply = await move(suite, body)

    assert (reply.status, reply.code) == (400, "BAD_REQUEST")
    assert len(suite.people.offsets) == told


@pytest.mark.parametrize("headers", [{"x_suite_dev": "0"}, {"content_type": "text/plain"}])
async def test_a_foreign_page_cannot_move_the_clock(suite: World, headers: dict[str, str]) -> None:
    told = len(suite.people.offsets)

    assert (await move(suite, {"advance_seconds": 1}, **headers)).status in {400, 415}
    assert len(suite.people.offsets) == told


def test_wrong_settings_are_all_told_together() -> None:
    given = environment("mysql://x", "nowhere") | {
        "SUPERGRAPH": "missing.graphql",
        "SUBGRAPH_IDENTITY_URL": "identity",
        "SUBGRAPH_TIMEOUT": "soon",
        "ALLOWED_ORIGINS": "https://good.example, clinic",
        "TRUSTED_PROXIES": "10.0.0.0/8, proxy",
    }
    del given["SUBGRAPH_REFERRALS_URL"]

    with pytest.raises(SettingsError) as wrong:
        load(GatewaySettings, "gateway", given)

    names = {problem.split()[0] for problem in wrong.value.problems}
    assert names == {
        "NATS_URL",
        "IDENTITY_RPC",
        "SUPERGRAPH",
        "SUBGRAPH_IDENTITY_URL",
        "SUBGRAPH_TIMEOUT",
        "SUBGRAPH_REFERRALS_URL",
        "ALLOWED_ORIGINS",
        "TRUSTED_PROXIES",
    }


async def test_a_supergraph_with_a_stranger_in_it_is_refused(tmp_path: Path) -> None:
    settings = load(GatewaySettings, "gateway", environment("nats://x", "127.0.0.1:1"))
    strange = settings.supergraph.read_text(encoding="utf-8").replace('"directory"', '"stranger"')
    path = tmp_path / "strange.graphql"
    path.write_text(strange, encoding="utf-8")
    given = environment("nats://x", "127.0.0.1:1") | {"SUPERGRAPH": str(path)}

    with pytest.raises(SupergraphError, match="stranger"):
        build(load(GatewaySettings, "gateway", given))
