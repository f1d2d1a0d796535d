"""A running insurance service on real servers, with a small directory beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import grpc.aio
import pytest

from kit import db
from kit.auth import Kind, Viewer
from proto.directory.v1.directory_pb2 import FoundPlacement, PlacementsReply, PlacementsRequest
from proto.directory.v1.directory_pb2_grpc import (
    DirectoryServicer,
    add_DirectoryServicer_to_server,
)
from proto.directory.v1.events_pb2 import OfficeLive, PlacementAdded, ProviderApproved
from services.insurance.actions import Peers
from services.insurance.app import build
from tests.support.facts import PATIENCE, Neighbours, forget_facts
from tests.support.running import Running, environment, running_service
from tests.support.servers import PostgresServer


class SmallDirectory(DirectoryServicer):
    """Knows which organization has a provider placed at an office; `asked` are the days it was asked about."""

    def __init__(self) -> None:
        self.placed: dict[tuple[UUID, UUID], UUID] = {}
        self.until: dict[tuple[UUID, UUID], str] = {}
        self.asked: list[str] = []
        self.held = asyncio.Event()
        self.waiting = 0
        self._gate = asyncio.Event()
        self._gate.set()
        self._next: dict[tuple[UUID, UUID], str | None] = {}

    def hold(self) -> asyncio.Event:
        """Keep the next answers back until the event is set; `held` tells when somebody waits."""
        self.held, self._gate = asyncio.Event(), asyncio.Event()
        return self._gate

    def answer_then_end(self, provider_id: UUID, office_id: UUID, until: str) -> None:
        """Answer once more as it was; from then on the placement has an end."""
        self._next[provider_id, office_id] = until

    def answer_then_forget(self, provider_id: UUID, office_id: UUID) -> None:
        """Answer once more as it was; from then on the provider does not work there."""
        self._next[provider_id, office_id] = None

    async def Placements(self, request: PlacementsRequest, context: Any) -> PlacementsReply:  # noqa: ANN401, ARG002, N802
        self.asked.append(request.on)
        self.held.set()
        self.waiting += 1
        await self._gate.wait()
        self.waiting -= 1
        keys = [(UUID(key.provider_id), UUID(key.office_id)) for key in request.keys]
        reply = self._reply(keys)
        for key in keys:
            self._move_on(key)
        return reply

    def _move_on(self, key: tuple[UUID, UUID]) -> None:
        if key in self._next:
            until = self._next.pop(key)
            if until is None:
                del self.placed[key]
            else:
                self.until[key] = until

    def _reply(self, keys: list[tuple[UUID, UUID]]) -> PlacementsReply:
        return PlacementsReply(
            placements=[
                FoundPlacement(
                    provider_id=str(key[0]),
                    office_id=str(key[1]),
                    organization_id=str(self.placed[key]),
                    effective_until=self.until.get(key, ""),
                )
                for key in keys
                if key in self.placed
            ]
        )


@dataclass
class Insurance:
    """The service under test, its neighbours, and somebody of support."""

    running: Running[Peers]
    directory: SmallDirectory
    neighbours: Neighbours
    support: Viewer = field(
        default_factory=lambda: Viewer(kind=Kind.USER, user_id=uuid4(), support=True)
    )

    async def show(self, practice: Practice) -> None:
        """Directory tells that the practice's provider is approved and its office live."""
        at = self.running.parts.clock.now()
        provider, office = practice.provider_id, practice.office_id
        approved, live = (
            ProviderApproved(provider_id=str(provider)),
            OfficeLive(office_id=str(office)),
        )
        organization_id = practice.organization_id
        await self.neighbours.say(approved, organization_id, "provider", provider, at)
        await self.neighbours.say(live, organization_id, "office", office, at)


@pytest.fixture(scope="module")
async def insurance(postgres: PostgresServer, nats_url: str) -> AsyncIterator[Insurance]:
    """One insurance service for the tests of a module: each test brings an organization of its own."""
    directory, server = SmallDirectory(), grpc.aio.server()
    add_DirectoryServicer_to_server(directory, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    url = await postgres.database("insurance")
    await db.migrate(url, "insurance")
    settings = environment("insurance", url, nats_url, DIRECTORY_RPC=f"127.0.0.1:{port}")
    await forget_facts(nats_url)
    async with running_service(build(settings)) as running:
        running.parts.peers.directory.patience = PATIENCE
        yield Insurance(running, directory, Neighbours(running))
    await server.stop(None)


@dataclass
class Practice:
    """An organization with a provider placed at an office, and its insurance manager."""

    organization_id: UUID
    provider_id: UUID
    office_id: UUID
    manager: Viewer

    def staff(self, **grants: Any) -> Viewer:  # noqa: ANN401 - any field of a viewer
        """Somebody else of the organization."""
        return replace(self.manager, user_id=uuid4(), insurance_manager=False, **grants)


@pytest.fixture
def practice(insurance: Insurance) -> Practice:
    """A fresh organization."""
    return new_practice(insurance)


def new_practice(insurance: Insurance) -> Practice:
    """Another organization."""
    organization_id = uuid4()
    manager = Viewer(
        kind=Kind.USER, user_id=uuid4(), organization_id=organization_id, insurance_manager=True
    )
    made = Practice(organization_id, uuid4(), uuid4(), manager)
    insurance.directory.placed[made.provider_id, made.office_id] = organization_id
    return made


async def placed(
    insurance: Insurance,
    practice: Practice,
    *,
    provider_id: UUID | None = None,
    office_id: UUID | None = None,
    first: str = "2020-01-01",
    until: str = "",
    at: datetime | None = None,
) -> UUID:
    """Directory tells that a provider (the practice's own, unless told otherwise) works at an office; answers the placement."""
    provider_id, office_id = provider_id or practice.provider_id, office_id or practice.office_id
    placement_id = uuid4()
    insurance.directory.placed[provider_id, office_id] = practice.organization_id
    fact = PlacementAdded(
        placement_id=str(placement_id),
        provider_id=str(provider_id),
        office_id=str(office_id),
        effective_from=first,
        effective_until=until,
    )
    moment = at or insurance.running.parts.clock.now()
    await insurance.neighbours.say(
        fact, practice.organization_id, "placement", placement_id, moment
    )
    return placement_id
