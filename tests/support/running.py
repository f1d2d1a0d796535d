"""A real service in this process, on real servers, for tests: `async with running_service(build(environment)) as service`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from kit import subgraph
from kit.auth import Viewer
from kit.service import Parts, Service, move_time, running
from tests.support.servers import as_runtime
from tests.support.sql import Sql

P = TypeVar("P")

A_YEAR = timedelta(days=365)

VIEWER_KEY = "5e" * 32
"""The viewer key of tests, as the setting VIEWER_KEY spells it."""


AUDIT_KEY = "a0" * 32
"""The audit key of tests, as the setting AUDIT_KEY spells it."""


def environment(service: str, database_url: str, nats_url: str, **more: str) -> dict[str, str]:
    """The settings of a service under test, which runs as the role it has in production; ports are chosen by the system."""
    return {
        "MODE": "development",
        "HTTP_PORT": "0",
        "GRPC_PORT": "0",
        "NATS_URL": nats_url,
        "VIEWER_KEY": VIEWER_KEY,
        "AUDIT_KEY": AUDIT_KEY,
        f"DATABASE_URL_{service.upper()}": as_runtime(database_url),
        "SHUTDOWN_GRACE": "0",
        **more,
    }


@dataclass(frozen=True)
class Running(Generic[P]):
    """A running service. `gql` asks it as the gateway would, with a viewer of the test's choice."""

    service: Service[P]
    parts: Parts[P]

    @property
    def sql(self) -> Sql:
        """Its database, for statements of the test: they see every organization's rows."""
        return Sql(self.parts.db)

    async def gql(
        self, query: str, variables: dict[str, Any] | None = None, *, viewer: Viewer
    ) -> dict[str, Any]:
        """The whole answer: data and errors."""
        body = {"query": query, "variables": variables or {}}
        return await subgraph.answer(self.service.schema, self.parts, viewer, body)

    async def data(
        self, query: str, variables: dict[str, Any] | None = None, *, viewer: Viewer
    ) -> dict[str, Any]:
        """The data of an answer that must have no errors."""
        answer = await self.gql(query, variables, viewer=viewer)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def subscribe(
        self, query: str, variables: dict[str, Any] | None = None, *, viewer: Viewer
    ) -> AsyncIterator[dict[str, Any]]:
        """The answers of a subscription, as they come."""
        body = {"query": query, "variables": variables or {}}
        return subgraph.subscribe(self.service.schema, self.parts, viewer, body)

    async def advance(self, by: timedelta) -> None:
        """Move the clock forward; every job has run when this returns."""
        await move_time(self.service, self.parts, self.parts.clock.offset + by)

    async def set_time(self, at: datetime) -> None:
        """Move the clock to a moment; every job has run when this returns."""
        await move_time(self.service, self.parts, at - self.parts.clock.real())


@asynccontextmanager
async def running_service(
    service: Service[P], *, jobs_by_themselves: bool = False
) -> AsyncIterator[Running[P]]:
    """Start the service's parts without its HTTP door. Its jobs run when the test moves time, and not in between, unless they
    are to run by themselves."""
    if not jobs_by_themselves:
        service = replace(service, jobs=[replace(job, every=A_YEAR) for job in service.jobs])
    async with running(service) as parts:
        yield Running(service, parts)
