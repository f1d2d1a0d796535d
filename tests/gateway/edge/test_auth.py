"""Tokens become viewers, and stop being so at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from nats.aio.client import Client as Nats

from gateway.auth import bearer
from kit.auth import service_viewer, sign_viewer
from kit.errors import Unauthenticated, Unavailable
from tests.gateway.edge.conftest import World, tell
from tests.gateway.edge.neighbours import KEY


async def test_a_request_without_a_token_is_anonymous(suite: World) -> None:
    assert (await suite.door.post("{ viewer }")).json == {"data": {"viewer": "anonymous"}}


async def test_a_token_becomes_the_viewer_that_the_subgraph_sees(suite: World) -> None:
    token = suite.user()

    reply = await suite.door.post("{ viewer }", token=token)

    assert reply.json == {"data": {"viewer": str(suite.users[token])}}


async def test_a_viewer_claimed_by_a_client_is_dropped_even_when_it_is_signed(suite: World) -> None:
    signed = sign_viewer(
        service_viewer("gateway"), audience="identity", key=KEY, at=suite.people.clock.real()
    )

    reply = await suite.door.post("{ viewer }", x_viewer=signed)

    assert reply.json == {"data": {"viewer": "anonymous"}}


async def test_where_a_request_came_from_is_told_by_the_gateway_and_not_by_the_client(
    suite: World,
) -> None:
    await suite.door.post("{ viewer }", x_client_address="192.0.2.66")

    assert suite.people.client_address == "127.0.0.1"


async def test_every_grant_of_the_viewer_travels(suite: World) -> None:
    token, office, organization = suite.user(), uuid4(), uuid4()
    held = suite.identity.sessions[token]
    assert not isinstance(held, Exception)
    held.organization_id = str(organization)
    held.office_staff_of.append(str(office))
    held.client_admin = True

    await suite.door.post("{ viewer }", token=token)

    assert suite.people.viewer.organization_id == organization
    assert suite.people.viewer.office_staff_of == {office}
    assert suite.people.viewer.client_admin


@pytest.mark.parametrize(
    "accept", ["application/json", "application/graphql-response+json", "text/event-stream"]
)
async def test_a_bad_token_is_refused_with_401(suite: World, accept: str) -> None:
    reply = await suite.door.post("{ viewer }", token="nobodys", accept=accept)

    assert (reply.status, reply.code) == (401, "UNAUTHENTICATED")
    assert reply.headers["www-authenticate"] == "bearer"
    assert "data" not in reply.json


@pytest.mark.parametrize(
    "value", ["Basic abc", "Bearer", "Bearer a b", "Bearer \x07", "token", "Bearer " + "x" * 9000]
)
def test_an_authorization_that_is_no_bearer_token_is_refused(value: str) -> None:
    with pytest.raises(Unauthenticated):
        bearer(value)


@pytest.mark.parametrize("value", ["Bearer abc", "bearer abc", "  BEARER   abc  "])
def test_a_bearer_token_is_read_however_it_is_spelled(value: str) -> None:
    assert bearer(value) == "abc"


async def test_a_query_may_use_what_is_remembered_and_a_mutation_never_does(suite: World) -> None:
    token = suite.user()
    before = suite.identity.introspections

    for _ in range(3):
        await suite.door.post("{ viewer }", token=token)
    assert suite.identity.introspections == before + 1

    for _ in range(3):
        await suite.door.post('mutation { rename(id: "1", name: "x") { __typename } }', token=token)
    assert suite.identity.introspections == before + 4


@pytest.mark.parametrize(
    "verb", ["deactivated", "sessions_revoked", "role_granted", "role_revoked"]
)
async def test_a_fact_about_the_user_makes_the_gateway_ask_again(
    suite: World, broker: Nats, verb: str
) -> None:
    token, other = suite.user(), suite.user()
    await suite.door.post("{ viewer }", token=token)
    await suite.door.post("{ viewer }", token=other)
    suite.identity.revoke(token)
    suite.identity.revoke(other)

    heard = suite.edge.revocations.changes
    await tell(broker, suite.users[token], verb)
    await changed(suite, heard)

    assert (await suite.door.post("{ viewer }", token=token)).code == "UNAUTHENTICATED"
    assert (await suite.door.post("{ viewer }", token=other)).status == 200


async def test_a_fact_that_names_nobody_makes_the_gateway_forget_everybody(
    suite: World, broker: Nats
) -> None:
    token = suite.user()
    await suite.door.post("{ viewer }", token=token)
    suite.identity.revoke(token)

    heard = suite.edge.revocations.changes
    await broker.publish("events.x.identity.user.deactivated", b"not json")
    await changed(suite, heard)

    assert (await suite.door.post("{ viewer }", token=token)).code == "UNAUTHENTICATED"


async def test_an_answer_that_a_revocation_overtook_is_not_remembered(suite: World) -> None:
    token = suite.user()
    suite.identity.before_answering = lambda: suite.edge.revocations.tell(suite.users[token])
    try:
        await suite.edge.sessions.of(f"Bearer {token}", fresh=True)
    finally:
        suite.identity.before_answering = lambda: None
    before = suite.identity.introspections
    await suite.edge.sessions.of(f"Bearer {token}", fresh=False)

    assert suite.identity.introspections == before + 1


async def test_a_remembered_session_ends_with_its_token(suite: World) -> None:
    token = suite.user()
    assert (await suite.door.post("{ viewer }", token=token)).status == 200
    suite.identity.offset = timedelta(minutes=6)
    try:
        await suite.edge.identity.synchronize()

        assert (await suite.door.post("{ viewer }", token=token)).code == "UNAUTHENTICATED"
    finally:
        suite.identity.offset = timedelta()
        await suite.edge.identity.synchronize()


async def test_identity_away_is_said_as_such(suite: World) -> None:
    token = suite.user()
    suite.identity.sessions[token] = Unavailable("The database does not answer.")

    reply = await suite.door.post("{ viewer }", token=token)

    assert (reply.status, reply.code) == (503, "UNAVAILABLE")


async def changed(suite: World, before: int) -> None:
    """Wait until the gateway has heard something since."""
    done = asyncio.Event()

    def hear(_: UUID | None) -> None:
        done.set()

    with suite.edge.revocations.heard_by(hear):
        if suite.edge.revocations.changes == before:
            async with asyncio.timeout(5):
                await done.wait()
