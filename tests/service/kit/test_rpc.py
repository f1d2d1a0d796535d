"""Questions between services, over a real gRPC server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import grpc
import grpc.aio
import pytest

from kit import db
from kit.auth import VIEWER_HEADER, Kind, Viewer, sign_viewer
from kit.clock import Clock, fixed
from kit.db import Database
from kit.errors import Conflict, Denied, Unauthenticated, Unavailable
from kit.ids import new_id
from kit.rpc import Callers, Peer, open_door, whatever_the_time
from proto.directory.v1 import directory_pb2
from proto.directory.v1.directory_pb2 import OfficesReply, OfficesRequest, PlacementsRequest
from proto.directory.v1.directory_pb2_grpc import (
    DirectoryServicer,
    DirectoryStub,
    add_DirectoryServicer_to_server,
)
from tests.support.ledger import Servicer
from tests.support.process import KEY, free_port

METHODS = [
    name for name in vars(DirectoryServicer) if name[0].isupper() and not name.startswith("_")
]


@pytest.fixture
async def clock(database: Database) -> Clock:
    """The time of the test's database."""
    told = Clock(lambda: db.read_clock(database))
    await told.sync()
    return told


@asynccontextmanager
async def door(
    database: Database, clock: Clock, port: int = 0, callers: Callers | None = None
) -> AsyncIterator[int]:
    """A gRPC door of `directory`; answers its port."""
    server, bound = await open_door(
        "directory",
        f"127.0.0.1:{port}",
        [lambda server: add_DirectoryServicer_to_server(Servicer(database), server)],
        key=KEY,
        clock=clock,
        callers=callers,
    )
    try:
        yield bound
    finally:
        await server.stop(0)


@asynccontextmanager
async def peer(port: int, clock: Clock, name: str = "directory") -> AsyncIterator[Peer]:
    """`referrals` asks the peer at that port."""
    asking = Peer(name, f"127.0.0.1:{port}", me="referrals", key=KEY, clock=clock)
    try:
        yield asking
    finally:
        await asking.close()


def about(office: str, number: int = 0) -> OfficesRequest:
    """A question; some ids are special to the ledger's servicer."""
    return OfficesRequest(organization_id=str(number), office_ids=[office])


def empty(method: str) -> object:
    """An empty request of that method."""
    described = directory_pb2.DESCRIPTOR.services_by_name["Directory"].methods_by_name[method]
    return getattr(directory_pb2, described.input_type.name)()


def wrong_headers(clock: Clock) -> dict[str, str]:
    """Viewers that no door may accept."""
    viewer, now = Viewer(kind=Kind.SERVICE, service="referrals"), clock.real()
    good = sign_viewer(viewer, audience="directory", key=KEY, at=now)
    return {
        "none": "",
        "other audience": sign_viewer(viewer, audience="insurance", key=KEY, at=now),
        "other key": sign_viewer(viewer, audience="directory", key=b"0" * 32, at=now),
        "expired": sign_viewer(
            viewer, audience="directory", key=KEY, at=now - timedelta(seconds=61)
        ),
        "of the future": sign_viewer(
            viewer, audience="directory", key=KEY, at=now + timedelta(seconds=30)
        ),
        "tampered": "A" + good[1:],
        "cut": good[:-1],
        "no mac": good.split(".")[0],
    }


@pytest.mark.parametrize("method", METHODS)
async def test_every_method_refuses_a_call_without_a_good_viewer(
    database: Database, clock: Clock, method: str
) -> None:
    async with door(database, clock) as port, peer(port, clock) as asking:
        ask = getattr(DirectoryStub(asking.channel), method)
        for why, header in wrong_headers(clock).items():
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await ask(empty(method), metadata=((VIEWER_HEADER, header),))
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED, why


async def test_only_a_method_marked_for_it_answers_a_viewer_signed_at_the_wrong_time(
    database: Database, clock: Clock
) -> None:
    """A gateway whose machine is years off must still be able to ask for the time."""

    class Patient(Servicer):
        @whatever_the_time
        async def Offices(self, request: OfficesRequest, context: object) -> OfficesReply:  # noqa: N802, ARG002
            return OfficesReply()

    server, port = await open_door(
        "directory",
        "127.0.0.1:0",
        [lambda server: add_DirectoryServicer_to_server(Patient(database), server)],
        key=KEY,
        clock=clock,
    )
    years_off = fixed(datetime(2001, 1, 1, tzinfo=UTC))
    peer = Peer("directory", f"127.0.0.1:{port}", me="gateway", key=KEY, clock=years_off)
    stub = DirectoryStub(peer.channel)
    try:
        assert await peer.ask(stub.Offices, OfficesRequest()) == OfficesReply()
        with pytest.raises(Unauthenticated):
            await peer.ask(stub.Placements, PlacementsRequest())
        forged = Peer(
            "directory", f"127.0.0.1:{port}", me="gateway", key=b"x" * 32, clock=years_off
        )
        with pytest.raises(Unauthenticated):
            await forged.ask(DirectoryStub(forged.channel).Offices, OfficesRequest())
        await forged.close()
    finally:
        await peer.close()
        await server.stop(0)


async def test_the_viewer_travels_with_the_question(database: Database, clock: Clock) -> None:
    user = Viewer(kind=Kind.USER, user_id=new_id(), office_staff_of=frozenset({new_id()}))
    async with door(database, clock) as port, peer(port, clock) as asking:
        stub = DirectoryStub(asking.channel)
        mine = await asking.ask(stub.Offices, about(""))
        theirs = await asking.ask(stub.Offices, about(""), viewer=user)
    assert mine.offices[0].name == "referrals"
    assert theirs.offices[0].name == str(user.user_id)


@pytest.mark.parametrize("whose", [None, Viewer(kind=Kind.USER, user_id=new_id())])
async def test_a_question_is_for_those_parts_of_the_suite_that_have_business_with_it(
    database: Database, clock: Clock, whose: Viewer | None
) -> None:
    """R02: whoever carries it, for itself or for a user; what the table does not name is nobody's to ask."""
    callers = {"Offices": frozenset({"referrals"}), "Placements": frozenset({"insurance"})}
    async with door(database, clock, callers=callers) as port, peer(port, clock) as asking:
        stub = DirectoryStub(asking.channel)
        await asking.ask(stub.Offices, about(""), viewer=whose)
        for nobodys in (stub.Placements, stub.Sender):
            with pytest.raises(Denied) as refused:
                await asking.ask(nobodys, PlacementsRequest(), viewer=whose)
            assert refused.value.code == "FORBIDDEN"


async def test_a_question_to_the_wrong_service_is_refused(database: Database, clock: Clock) -> None:
    async with door(database, clock) as port, peer(port, clock, name="insurance") as asking:
        with pytest.raises(Unauthenticated):
            await asking.ask(DirectoryStub(asking.channel).Offices, about(""))


@pytest.mark.parametrize("ids", [0, 3, 2000])
async def test_a_refusal_comes_back_as_it_was_raised_however_much_it_tells(
    database: Database, clock: Clock, ids: int
) -> None:
    async with door(database, clock) as port, peer(port, clock) as asking:
        with pytest.raises(Conflict) as refused:
            await asking.ask(DirectoryStub(asking.channel).Offices, about("refused", ids))
    assert (refused.value.code, refused.value.field) == ("OPEN_WORK", "officeId")
    assert (refused.value.message, refused.value.remedy) == ("Work is open.", "Reassign it.")
    assert refused.value.details["total"] == ids
    assert len(refused.value.details["ids"]) == ids  # type: ignore[arg-type]


async def test_a_fault_is_masked_and_its_text_stays_at_home(
    database: Database, clock: Clock
) -> None:
    async with door(database, clock) as port, peer(port, clock) as asking:
        with pytest.raises(RuntimeError) as raised:
            await asking.ask(DirectoryStub(asking.channel).Offices, about("faulty"))
    assert "internal error" in str(raised.value)
    assert "secret" not in str(raised.value)


async def test_a_peer_that_is_too_slow_is_unavailable_and_stops_working_on_it(
    database: Database, clock: Clock
) -> None:
    async with door(database, clock) as port, peer(port, clock) as asking:
        with pytest.raises(Unavailable):
            await asking.ask(DirectoryStub(asking.channel).Offices, about("slow"), deadline=0.2)
        free = await asyncio.wait_for(database.pool.fetchval("SELECT 1"), 5)
    assert free == 1


async def test_a_peer_that_is_away_is_unavailable_within_the_deadline(clock: Clock) -> None:
    async with peer(free_port(), clock) as asking:
        since = time.monotonic()
        with pytest.raises(Unavailable) as refused:
            await asking.ask(DirectoryStub(asking.channel).Offices, about(""), deadline=0.5)
        assert time.monotonic() - since < 2
    assert refused.value.message == "The directory service does not answer."


async def test_a_peer_that_was_restarted_is_asked_again_by_the_same_channel(
    database: Database, clock: Clock
) -> None:
    port = free_port()
    async with peer(port, clock) as asking:
        stub = DirectoryStub(asking.channel)
        for _ in range(3):
            async with door(database, clock, port):
                assert await asking.ask(stub.Offices, about(""))


async def test_a_question_asked_while_the_peer_starts_waits_for_it(
    database: Database, clock: Clock
) -> None:
    port = free_port()
    async with peer(port, clock) as asking:
        waiting = asyncio.create_task(
            asking.ask(DirectoryStub(asking.channel).Offices, about(""), deadline=5)
        )
        await asyncio.wait({waiting}, timeout=0.2)
        async with door(database, clock, port):
            assert await waiting


async def test_two_doors_cannot_share_a_port_unnoticed(database: Database, clock: Clock) -> None:
    async with door(database, clock) as port:
        with pytest.raises(RuntimeError):
            async with door(database, clock, port):
                pass
