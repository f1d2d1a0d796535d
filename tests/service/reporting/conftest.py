"""A running reporting service on real servers, and the network it hears of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import grpc.aio
import pytest

from kit import db
from kit.auth import Kind, Viewer
from proto.directory.v1.directory_pb2 import KnownProvider, ProvidersReply, ProvidersRequest
from proto.directory.v1.directory_pb2_grpc import (
    DirectoryServicer,
    add_DirectoryServicer_to_server,
)
from proto.directory.v1.events_pb2 import GroupAdded, GroupRemoved
from proto.identity.v1.events_pb2 import OrganizationAdded
from proto.insurance.v1.insurance_pb2 import NamedPlan, PlansReply, PlansRequest
from proto.insurance.v1.insurance_pb2_grpc import InsuranceServicer, add_InsuranceServicer_to_server
from services.reporting.actions import Peers
from services.reporting.app import build
from tests.support.facts import Neighbours, forget_facts
from tests.support.running import Running, environment, running_service
from tests.support.servers import PostgresServer

LONG_AGO = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Namer(DirectoryServicer, InsuranceServicer):
    """Directory and insurance, as far as reporting asks them: what providers (by organization) and plans are called. `silent` ones
    answer that they cannot; `asked` is how many were asked for at once."""

    def __init__(self) -> None:
        self.providers: dict[tuple[UUID, UUID], str] = {}
        self.plans: dict[UUID, tuple[str, str]] = {}
        self.silent: set[str] = set()
        self.asked: list[int] = []

    async def Providers(self, request: ProvidersRequest, context: Any) -> ProvidersReply:  # noqa: ANN401, N802
        await self._answer("directory", len(request.provider_ids), context)
        there = UUID(request.organization_id)
        keys = [(there, UUID(one)) for one in request.provider_ids]
        return ProvidersReply(
            providers=[
                KnownProvider(provider_id=str(key[1]), state="APPROVED", name=self.providers[key])
                for key in keys
                if key in self.providers
            ]
        )

    async def Plans(self, request: PlansRequest, context: Any) -> PlansReply:  # noqa: ANN401, N802
        await self._answer("insurance", len(request.plan_ids), context)
        known = {one: self.plans[UUID(one)] for one in request.plan_ids if UUID(one) in self.plans}
        return PlansReply(
            plans=[
                NamedPlan(plan_id=one, name=name, payer_name=payer)
                for one, (name, payer) in known.items()
            ]
        )

    async def _answer(self, name: str, count: int, context: Any) -> None:  # noqa: ANN401 - grpc's
        self.asked.append(count)
        if name in self.silent:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")


@dataclass
class Reporting:
    """The service under test and its neighbours."""

    running: Running[Peers]
    neighbours: Neighbours
    namer: Namer = field(default_factory=Namer)

    async def figures(self, clinic: Clinic, group_id: UUID, week_of: str) -> dict[str, Any]:
        """A group's figures as the client admin reads them."""
        report = await self.report(clinic, group_id, week_of)
        told: dict[str, Any] = report["figures"]
        return told

    async def report(self, clinic: Clinic, group_id: UUID, week_of: str) -> dict[str, Any]:
        """A group's whole report as the client admin reads it."""
        asked = {"groupId": str(group_id), "weekOf": week_of}
        data = await self.running.data(REPORT, asked, viewer=clinic.admin)
        told: dict[str, Any] = data["groupProgressReport"]
        return told


NUMBERS = [
    "opening",
    "received",
    "reopened",
    "reassignedIn",
    "completed",
    "cancelled",
    "declined",
    "forwardedOut",
    "reassignedOut",
    "closing",
    "sent",
    "acknowledged",
    "scheduled",
    "appointmentsPassed",
    "noShows",
    "overdue",
    "unworked",
    "firstActions",
    "firstScheduled",
    "appointmentsOver",
    "completedSeen",
    "loopsClosed",
    "outcomesAttached",
    "sentWithKnownPlan",
    "sentOutsidePlan",
]
RATES = ["noShowRate", "declineRate", "loopClosure", "leakage"]
FIGURES = f"""fragment F on ReportFigures {{ {" ".join(f"{one} {{ count referralIds }}" for one in NUMBERS)}
    declinedByReason {{ reasonCode declined {{ count referralIds }} }}
    backlogByAge {{ fromDays toDays open {{ count referralIds }} }}
    toFirstAction {{ hours referrals }} toSchedule {{ hours referrals }} toCompletion {{ hours referrals }}
    toAppointment {{ hours referrals }} {" ".join(f"{one} {{ part whole percent }}" for one in RATES)}
    reconciles unexplainedReferralIds }}"""
TOLD = """group { id } weekOf startsAt endsAt asOf dataAsOf restated watermark figures { ...F } weekBefore { ...F }
    explanations { number before now sentence drivers { dimension key before now } }
    differences { number before now added { referralIds } removed { referralIds } }
    published { id version publishedAt dataAsOf watermark reviewedAt reviewedBy { id } allowedActions figures { ...F } }"""
REPORT = f"""query($groupId: ID!, $weekOf: Date!) {{ groupProgressReport(groupId: $groupId, weekOf: $weekOf)
    {{ {TOLD} }} }} {FIGURES}"""


def counts(figures: dict[str, Any]) -> dict[str, int]:
    """The numbers that are not zero, but for those that only say what others are taken of."""
    told = (name for name in NUMBERS if not name.startswith("first"))
    return {name: figures[name]["count"] for name in told if figures[name]["count"]}


@dataclass
class Clinic:
    """An organization with a time zone, one office and groups there."""

    reporting: Reporting
    organization_id: UUID = field(default_factory=uuid4)
    office_id: UUID = field(default_factory=uuid4)

    @property
    def admin(self) -> Viewer:
        """Its client admin."""
        return Viewer(
            kind=Kind.USER,
            user_id=UUID(int=1),
            organization_id=self.organization_id,
            client_admin=True,
        )

    def staff(self, **grants: Any) -> Viewer:  # noqa: ANN401 - any field of a viewer
        """Somebody else there."""
        return replace(self.admin, user_id=uuid4(), client_admin=False, **grants)

    async def open(self, time_zone: str) -> None:
        """Tell that the organization exists."""
        fact = OrganizationAdded(
            organization_id=str(self.organization_id), name="Clinic", time_zone=time_zone
        )
        await self.reporting.neighbours.say(
            fact, self.organization_id, "organization", self.organization_id, LONG_AGO
        )

    async def group(
        self, name: str = "Cardiology", *, at: datetime = LONG_AGO, office_id: UUID | None = None
    ) -> UUID:
        """Tell of a group; answers its id."""
        group_id = uuid4()
        fact = GroupAdded(
            group_id=str(group_id), name=name, office_ids=[str(office_id or self.office_id)]
        )
        await self.reporting.neighbours.say(fact, self.organization_id, "group", group_id, at)
        return group_id

    async def remove_group(self, group_id: UUID, at: datetime) -> None:
        """Tell that a group is no more."""
        fact = GroupRemoved(group_id=str(group_id))
        await self.reporting.neighbours.say(fact, self.organization_id, "group", group_id, at)


def settings(url: str, nats_url: str, door: str = "127.0.0.1:1") -> dict[str, str]:
    """The settings of a reporting service; `door` is where its siblings are asked."""
    return environment("reporting", url, nats_url, DIRECTORY_RPC=door, INSURANCE_RPC=door)


@pytest.fixture(scope="module")
async def reporting(postgres: PostgresServer, nats_url: str) -> AsyncIterator[Reporting]:
    """One reporting service for the tests of a module: each test brings an organization of its own."""
    url = await postgres.database("reporting")
    await db.migrate(url, "reporting")
    namer, server = Namer(), grpc.aio.server()
    add_DirectoryServicer_to_server(namer, server)
    add_InsuranceServicer_to_server(namer, server)
    door = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    await forget_facts(nats_url)
    async with running_service(build(settings(url, nats_url, door))) as running:
        yield Reporting(running, Neighbours(running), namer)
    await server.stop(None)


@pytest.fixture
async def clinic(reporting: Reporting) -> Clinic:
    """A fresh organization in New York."""
    made = Clinic(reporting)
    await made.open("America/New_York")
    return made
