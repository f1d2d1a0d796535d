"""I9, Z2: whoever goes past the gateway. Each service decides for itself, whatever it is asked and by which door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import product

import grpc
import pytest

from kit.auth import Stage, service_viewer
from tests.e2e.matrix import Bench, document, told_of
from tests.e2e.matrix_doors import Doors, attempts, operations
from tests.e2e.matrix_rows import SIGNED_IN, empty
from tests.model.cast import ACTORS, OWN_PARTS, things
from tests.model.tables import TABLES
from tests.model.words import Actor, Entity, Session, Thing

STAFF = next(one for one in ACTORS if one.name == "staff here")
REFUSED = {401, 403}
CLOSED = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
WITH_RPC = [name for name, table in TABLES.items() if table.rpcs]
ENTITIES = "query($all: [_Any!]!) { _entities(representations: $all) { ... on %s { %s } } }"


@pytest.fixture
async def doors(matrix: Bench) -> AsyncIterator[Doors]:
    """The doors of the system of the matrix."""
    await matrix.world.sign_in_anew()
    made = Doors(matrix)
    yield made
    await made.close()


@pytest.mark.parametrize("service", TABLES)
async def test_every_operation_of_a_subgraph_is_refused_to_who_comes_past_the_gateway(
    doors: Doors, service: str
) -> None:
    """I9: without a viewer that the gateway signed for this service, now; and to our own parts, who ask over gRPC."""
    bad = await doors.forgeries(service, STAFF)
    bad |= {f"{name}'s identity": doors.signed(service_viewer(name), service) for name in OWN_PARTS}
    opened = []
    for query, (what, headers) in product(operations(service), bad.items()):
        status, told = await doors.post(service, {"query": query}, headers)
        doors.bench.judged("subgraph doors", status in REFUSED, "")
        if status not in REFUSED or "data" in told:
            opened.append(f"{service}: {query} opened for {what}: {status}")
    assert opened == []


@pytest.mark.parametrize("service", TABLES)
async def test_a_services_clock_is_moved_by_the_gateway_alone(doors: Doors, service: str) -> None:
    """I9."""
    bad = await doors.forgeries(service, STAFF)
    bad["a user"] = doors.signed(await doors.viewer(STAFF), service)
    for name in set(OWN_PARTS) - {"gateway"}:
        bad[name] = doors.signed(service_viewer(name), service)
    for what, headers in bad.items():
        status, _ = await doors.post(service, {"offset_us": 0}, headers, "/dev/clock")
        assert status in REFUSED, what


@pytest.mark.parametrize("service", WITH_RPC)
async def test_every_rpc_is_refused_to_who_is_not_one_of_us(doors: Doors, service: str) -> None:
    """I9. The time is told whatever the clock of who asks says: it may not know it yet."""
    opened = []
    for rpc in TABLES[service].rpcs:
        bad = await doors.forgeries(service, STAFF)
        bad["a viewer that the gateway brought"] = doors.signed(await doors.viewer(STAFF), service)
        for what, headers in bad.items():
            code = await doors.ask(service, rpc, headers, STAFF)
            doors.bench.judged("RPC doors", code in CLOSED, "")
            if code not in CLOSED:
                opened.append(f"{rpc.name} opened for {what}: {code}")
    assert opened == []


@pytest.mark.parametrize("service", WITH_RPC)
async def test_an_rpc_is_answered_to_those_of_us_who_have_business_with_it_and_to_no_others(
    doors: Doors, service: str
) -> None:
    """I9, R02: whether they ask for themselves or carry the question of a user."""
    wrong = []
    user = await doors.viewer(STAFF)
    for rpc, name in product(TABLES[service].rpcs, OWN_PARTS):
        calls = name in rpc.callers
        code = await doors.ask(service, rpc, doors.signed(service_viewer(name), service), STAFF)
        doors.bench.judged("RPC callers", True, "")  # noqa: FBT003 - counted here, judged below
        if (code not in CLOSED) != (calls and not rpc.for_user):
            wrong.append(f"{rpc.name} asked by {name}: {code}, though {rpc.reason}")
        if rpc.for_user or not calls:
            carried = doors.signed(replace(user, service=name), service)
            code = await doors.ask(service, rpc, carried, STAFF)
            if (code not in CLOSED) != calls:
                wrong.append(f"{rpc.name} asked by {name} for a user: {code}")
    assert wrong == []


UNFINISHED = (Stage.SET_PASSWORD, Stage.SECOND_FACTOR, Stage.ENROL_FACTOR)
HALF_WAY = {(Stage.ENROL_FACTOR, "secondFactors")}
"""Who must add a second factor is shown those that are there."""


@pytest.mark.parametrize("service", TABLES)
async def test_who_has_not_finished_signing_in_is_refused_everything_by_every_service(
    doors: Doors, service: str
) -> None:
    """R05: whatever they may do afterwards; support and client admins above all."""
    let_in = []
    for name, stage in product(("support", "client admin", "staff here"), UNFINISHED):
        actor = next(one for one in ACTORS if one.name == name)
        viewer = replace(await doors.viewer(actor), stage=stage)
        for attempt in attempts(doors.bench, service, actor):
            query, variables = document([attempt])
            body = {"query": query, "variables": variables}
            _, answer = await doors.post(service, body, doors.signed(viewer, service))
            told = told_of(answer, "a0", [])
            doors.bench.judged("unfinished sessions", told.denied or told.unauthenticated, "")
            refused = told.denied or told.unauthenticated
            if not refused and (stage, attempt.name) not in HALF_WAY:
                let_in.append(f"{name}, {stage}: {attempt.name}: {told.says}")
    assert let_in == []


# Entities -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", TABLES)
async def test_an_entity_tells_by_its_key_no_more_than_any_other_way(
    doors: Doors, service: str
) -> None:
    """R02, Z2: `_entities` fetches whatever it is given a key of, so it asks who wants to know."""
    wrong = []
    for row in TABLES[service].entities:
        cast = list(things(row.about))
        actors = [one for one in ACTORS if one.session is not Session.ENDED]
        told = await asyncio.gather(*(_resolved(doors, service, row, one, cast) for one in actors))
        there = {thing for seen in told for thing in seen}
        for actor, seen in zip(actors, told, strict=True):
            for thing in cast:
                may = actor in SIGNED_IN and row.shown(actor, thing) and thing in there
                doors.bench.judged("entities", may == (thing in seen), "")
                if may != (thing in seen):
                    says = "is told" if thing in seen else "is not told"
                    wrong.append(
                        f"{actor.name} {says} {row.name}.{row.field.split('(')[0]} of {thing.name!r} by"
                        f" services/{service}, against {row.rule}"
                    )
        if not there:
            wrong.append(f"services/{service}: nothing in the cast has a {row.name}.{row.field}")
    assert wrong == []


async def _resolved(
    doors: Doors, service: str, row: Entity, actor: Actor, cast: list[Thing]
) -> set[Thing]:
    """Those of the things of which something was told."""
    field = row.field.replace("LAST WEEK", doors.bench.world.last_week)
    name = field.split("(")[0].split("{")[0].strip()
    given = [{"__typename": row.name, "id": doors.bench.id_of(thing)} for thing in cast]
    body = {"query": ENTITIES % (row.name, field), "variables": {"all": given}}
    headers = doors.signed(await doors.viewer(actor), service)
    _, answer = await doors.post(service, body, headers)
    found = (answer.get("data") or {}).get("_entities") or [None] * len(cast)
    return {
        thing
        for thing, one in zip(cast, found, strict=True)
        if one is not None and not empty(one.get(name))
    }
