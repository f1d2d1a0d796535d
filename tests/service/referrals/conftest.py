"""A running referrals service on real servers, with a small directory and a small insurance beside it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import grpc
import grpc.aio
import pytest

from kit import db
from kit.auth import Kind, Viewer
from kit.service import http_server
from proto.directory.v1 import directory_pb2 as directory
from proto.directory.v1.directory_pb2_grpc import DirectoryServicer, add_DirectoryServicer_to_server
from proto.identity.v1.identity_pb2 import RolesAtReply, RolesAtRequest, UserAt
from proto.identity.v1.identity_pb2_grpc import IdentityServicer, add_IdentityServicer_to_server
from proto.insurance.v1 import insurance_pb2 as insurance
from proto.insurance.v1.insurance_pb2_grpc import InsuranceServicer, add_InsuranceServicer_to_server
from services.referrals.actions.peers import Peers
from services.referrals.app import build
from tests.support.facts import Neighbours, forget_facts
from tests.support.object_store import SmallStore, small_store
from tests.support.running import Running, environment, running_service
from tests.support.servers import PostgresServer

CARDIOLOGY = "207RC0000X"


class SmallDirectory(DirectoryServicer):
    """Knows whose the offices are; everybody may send and receive unless it was told a code for them. `older`: as of the release
    before, it does not look at a sender that stands in the question for a receiver."""

    def __init__(self) -> None:
        self.older = False
        self.office_of: dict[UUID, UUID] = {}
        self.codes: dict[UUID, str] = {}
        self.specialties: dict[UUID, list[str]] = {}
        self.alternatives: list[directory.Alternative] = []
        self.merged: dict[UUID, UUID] = {}
        self.suggestions = directory.SuggestReply()
        self.suggested: list[directory.SuggestRequest] = []
        self.unknown_places: set[str] = set()
        self.before_answer: Callable[[], Awaitable[None]] | None = None

    async def Receiver(  # noqa: N802
        self,
        request: directory.ReceiverRequest,
        context: Any,  # noqa: ANN401, ARG002
    ) -> directory.ReceiverReply:
        who = UUID(request.provider_id or request.group_id)
        organization = self.office_of.get(UUID(request.office_id))
        code = "NOT_FOUND" if organization is None else self.codes.get(who, "OK")
        if self.before_answer is not None:
            await self.before_answer()
        return directory.ReceiverReply(
            may_receive=code == "OK",
            code=code,
            organization_id=str(organization or ""),
            specialty_codes=self.specialties.get(who, [CARDIOLOGY]),
            alternatives=self.alternatives,
            provider_id=str(self.merged.get(who, request.provider_id)),
            sender_code="" if self.older else self._sender_code(request.sender),
        )

    async def Suggest(  # noqa: N802
        self,
        request: directory.SuggestRequest,
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> directory.SuggestReply:
        self.suggested.append(request)
        reply = directory.SuggestReply()
        reply.CopyFrom(self.suggestions)
        reply.on = request.on or "2030-01-01"
        reply.place_unknown = request.postal_code in self.unknown_places
        return reply

    async def Sender(  # noqa: N802
        self,
        request: directory.SenderRequest,
        context: Any,  # noqa: ANN401, ARG002
    ) -> directory.SenderReply:
        code = self._sender_code(request)
        return directory.SenderReply(may_send=code == "OK", code=code)

    def _sender_code(self, request: directory.SenderRequest) -> str:
        if not request.office_id:
            return ""
        who = UUID(request.provider_id or request.group_id)
        known = self.office_of.get(UUID(request.office_id)) == UUID(request.organization_id)
        return self.codes.get(who, "OK") if known else "NOT_FOUND"

    async def Offices(  # noqa: N802
        self,
        request: directory.OfficesRequest,
        context: Any,  # noqa: ANN401, ARG002
    ) -> directory.OfficesReply:
        own = UUID(request.organization_id)
        found = [one for one in request.office_ids if self.office_of.get(UUID(one)) == own]
        return directory.OfficesReply(
            offices=[directory.KnownOffice(office_id=one, state="LIVE") for one in found]
        )


@dataclass
class Role:
    """A role somebody had over a span of time: at an office as its kind says, or as a provider."""

    user_id: UUID
    organization_id: UUID
    kind: str
    at: UUID
    from_at: datetime
    until_at: datetime | None = None


class SmallIdentity(IdentityServicer):
    """Remembers roles with their spans."""

    def __init__(self) -> None:
        self.roles: list[Role] = []

    async def RolesAt(self, request: RolesAtRequest, context: Any) -> RolesAtReply:  # noqa: ANN401, ARG002, N802
        at = request.at.ToDatetime(tzinfo=UTC)
        wanted = {*request.office_ids, *request.provider_ids}
        found: dict[UUID, list[Role]] = {UUID(one): [] for one in request.user_ids}
        for role in self.roles:
            stood = role.from_at <= at and (role.until_at is None or at < role.until_at)
            if stood and str(role.organization_id) == request.organization_id:
                found.setdefault(role.user_id, []).append(role)
        return RolesAtReply(
            users=[
                UserAt(
                    user_id=str(user),
                    office_admin_of=[str(one.at) for one in roles if one.kind == "OFFICE_ADMIN"],
                    office_staff_of=[str(one.at) for one in roles if one.kind == "OFFICE_STAFF"],
                    provider_id=next((str(one.at) for one in roles if one.kind == "PROVIDER"), ""),
                )
                for user, roles in found.items()
                if str(user) in request.user_ids or wanted & {str(one.at) for one in roles}
            ]
        )


class SmallInsurance(InsuranceServicer):
    """Knows which providers accept which plan, and whose payers want to know who referred; `asked` are the days
    it was asked about, `questions` those about many places at once; `away` makes it fail as a crashed service would, and
    `unanswered` counts what it was asked meanwhile of many places."""

    def __init__(self) -> None:
        self.accepting: dict[UUID, set[UUID]] = {}
        self.wanting: set[UUID] = set()
        self.asked: list[str] = []
        self.questions = self.unanswered = 0
        self.away = False

    async def Accepts(  # noqa: N802
        self,
        request: insurance.AcceptsRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> insurance.AcceptsReply:
        self.asked.append(request.on)
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        accepting = self.accepting.get(UUID(request.plan_id))
        if accepting is None:
            return insurance.AcceptsReply(plan_known=False)
        asked = {UUID(one) for one in request.provider_ids}
        return insurance.AcceptsReply(
            plan_known=True, accepting_provider_ids=[str(one) for one in asked & accepting]
        )

    async def AcceptsMany(  # noqa: N802
        self,
        request: insurance.AcceptsManyRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> insurance.AcceptsManyReply:
        if self.away:
            self.unanswered += 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        asked = [UUID(one) for one in request.plan_ids]
        known = [
            insurance.KnownPlan(plan_id=str(one), needs_referring_npi=one in self.wanting)
            for one in asked
            if one in self.accepting
        ]
        acceptances = [
            insurance.Acceptance(
                provider_id=place.provider_id, office_id=place.office_id, plan_id=str(one)
            )
            for one in asked
            for place in request.places
            if UUID(place.provider_id) in self.accepting.get(one, ())
        ]
        self.questions += 1
        return insurance.AcceptsManyReply(known_plans=known, acceptances=acceptances)


@dataclass
class Referrals:
    """The service under test and its neighbours."""

    running: Running[Peers]
    directory: SmallDirectory
    insurance: SmallInsurance
    identity: SmallIdentity
    neighbours: Neighbours


@pytest.fixture(scope="module")
async def object_store(request: pytest.FixtureRequest) -> AsyncIterator[SmallStore | None]:
    """None: files lie in the database, unless a module asks for "s3" (`BOTH_STORES`)."""
    if getattr(request, "param", "postgres") == "postgres":
        yield None
        return
    async with small_store() as store:
        yield store


@pytest.fixture(scope="module")
async def referrals(
    postgres: PostgresServer, nats_url: str, object_store: SmallStore | None
) -> AsyncIterator[Referrals]:
    """One referrals service for the tests of a module: each test brings organizations of its own."""
    small_directory, small_insurance = SmallDirectory(), SmallInsurance()
    small_identity = SmallIdentity()
    server = grpc.aio.server()
    add_DirectoryServicer_to_server(small_directory, server)
    add_InsuranceServicer_to_server(small_insurance, server)
    add_IdentityServicer_to_server(small_identity, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    url = await postgres.database("referrals")
    await db.migrate(url, "referrals")
    door = f"127.0.0.1:{port}"
    settings = environment(
        "referrals",
        url,
        nats_url,
        DIRECTORY_RPC=door,
        INSURANCE_RPC=door,
        IDENTITY_RPC=door,
        PATIENT_KEY="7e" * 32,
        **(object_store.settings() if object_store else {}),
    )
    await forget_facts(nats_url)
    async with running_service(build(settings)) as running:
        yield Referrals(
            running, small_directory, small_insurance, small_identity, Neighbours(running)
        )
    await server.stop(None)


@pytest.fixture(scope="module")
async def http_door(referrals: Referrals) -> AsyncIterator[str]:
    """The HTTP door of the service under test, on a socket of its own; answers its URL."""
    running = referrals.running
    server = http_server(running.service, running.parts)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server._serve([listener]))  # noqa: SLF001 - serve() would take over this process's signals
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        running.parts.stopping.clear()
        await task


@dataclass
class Practice:
    """An organization with an office, a provider and somebody on its staff."""

    organization_id: UUID = field(default_factory=uuid4)
    office_id: UUID = field(default_factory=uuid4)
    provider_id: UUID = field(default_factory=uuid4)
    staff: Viewer = field(init=False)

    def __post_init__(self) -> None:
        self.staff = self.somebody(office_staff_of=frozenset({self.office_id}))

    def somebody(self, **grants: Any) -> Viewer:  # noqa: ANN401 - any field of a viewer
        """A user of the organization."""
        return Viewer(
            kind=Kind.USER,
            user_id=uuid4(),
            session_id=uuid4(),
            organization_id=self.organization_id,
            **grants,
        )


@dataclass
class World:
    """Two organizations, one that sends and one that receives, and the service between them."""

    service: Referrals
    sender: Practice
    receiver: Practice

    def practice(self) -> Practice:
        """One more organization."""
        made = Practice()
        self.service.directory.office_of[made.office_id] = made.organization_id
        return made

    def office(self, practice: Practice) -> UUID:
        """One more office of an organization."""
        office_id = uuid4()
        self.service.directory.office_of[office_id] = practice.organization_id
        return office_id


@pytest.fixture
def world(referrals: Referrals) -> World:
    """Two fresh organizations."""
    made = World(referrals, Practice(), Practice())
    for practice in (made.sender, made.receiver):
        referrals.directory.office_of[practice.office_id] = practice.organization_id
    referrals.directory.before_answer = None
    referrals.insurance.away = False
    return made
