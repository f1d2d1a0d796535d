"""The whole system on one machine: servers, databases, services and gateway, as one thing that starts and stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from cli.folder import ROOT, DataFolder
from cli.http import request
from cli.servers.nats import Nats
from cli.servers.nats_config import SERVICES
from cli.servers.postgres import Postgres, Role
from cli.servers.process import Child, free_port, port_free, port_open
from cli.servers.secrets import write_private
from cli.supervisor import Say, Supervisor, Unit, unit_of
from cli.trouble import Trouble
from kit.roles import OWNER

GATEWAY = "gateway"
READY_PATIENCE = 90.0
POLL = 0.05
GIVE_UP_AFTER = 3
"""A process that ends this often before it was ready once will not get ready."""

NATS_PORT = 4222
GRACE = "3"
SUPPORT_EMAIL = "support@suite.example"


class Steps(Protocol):
    """Shows a person how far the start has come."""

    def __call__(self, what: str) -> contextlib.AbstractContextManager[None]:
        """A step, from the beginning of the block to its end."""


@contextlib.contextmanager
def silent(what: str) -> Iterator[None]:  # noqa: ARG001 - as Steps wants it
    """No progress is shown."""
    yield


@dataclass(frozen=True)
class Outside:
    """What the environment puts in the place of embedded parts."""

    databases: Mapping[str, str] = field(default_factory=dict)
    nats: str | None = None
    smtp: str | None = None
    owners: Mapping[str, str] = field(default_factory=dict)

    @property
    def anything(self) -> bool:
        """Whether any part is not ours."""
        return bool(self.databases or self.nats or self.smtp)


def outside(environment: Mapping[str, str]) -> Outside:
    """DATABASE_URL_<SERVICE>, with DATABASE_OWNER_URL_<SERVICE> for its migrations, NATS_URL and SMTP_URL."""
    return Outside(
        _per_service(environment, "DATABASE_URL"),
        environment.get("NATS_URL") or None,
        environment.get("SMTP_URL") or None,
        _per_service(environment, "DATABASE_OWNER_URL"),
    )


def _per_service(environment: Mapping[str, str], prefix: str) -> dict[str, str]:
    given = {service: environment.get(f"{prefix}_{service.upper()}") for service in SERVICES}
    return {service: url for service, url in given.items() if url}


@dataclass
class System:
    """A system on `folder`, whose gateway listens on `port` (0: any). `say` is told what happens later on."""

    folder: DataFolder
    port: int
    say: Say
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    durable: bool = True

    def __post_init__(self) -> None:
        self.outside = outside(self.environment)
        self.supervisor = Supervisor(self.say)
        self.port = self.port or free_port()
        self.ports = {(name, door): free_port() for name in SERVICES for door in ("http", "grpc")}
        self.smtp_port = free_port()
        self.postgres = Postgres(
            self.folder.path / "postgres", self.folder.log("postgres"), durable=self.durable
        )
        self.nats = Nats(
            self.folder.path / "nats", self.folder.log("nats"), self.folder.credentials
        )
        self._mailbox: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The gateway."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def support(self) -> tuple[str, str]:
        """The address and password of the support account that is there from the start."""
        return SUPPORT_EMAIL, self.folder.secret("support.password", 12)

    # Starting ---------------------------------------------------------------------------------------------------------

    async def start(self, step: Steps = silent) -> None:
        """Start everything; returns when the gateway has answered a query. What was started is stopped by `stop`, also after Trouble."""
        if not port_free(self.port):
            raise Trouble(
                f"Port {self.port} is taken.", "Stop what listens there, or choose one with --port."
            )
        with step("PostgreSQL and NATS"):
            await self._check_outside()
            await self.supervisor.start(self._servers())
        with step("Databases and migrations"):
            await asyncio.gather(*(self._migrate(service) for service in SERVICES))
        children = [self._child(name) for name in (*SERVICES, GATEWAY)]
        with step("Services: " + ", ".join(SERVICES)):
            await self.supervisor.start([unit_of(child) for child in children[:-1]])
            await self.supervisor.start([unit_of(children[-1])])
            await self._start_mailbox()
            await asyncio.gather(*(self._ready(name) for name in SERVICES))
        with step("Gateway"):
            await self._ready(GATEWAY)
            await self._first_answer()
        self._tell_state([self.postgres.child, self.nats.child, *children])

    async def _check_outside(self) -> None:
        """An outside broker must answer; of an outside database the migrations tell."""
        if self.outside.nats is not None:
            broker = urlsplit(self.outside.nats)
            if not await port_open(broker.port or NATS_PORT, broker.hostname or ""):
                raise Trouble(
                    f"Nothing answers at NATS_URL ({broker.hostname}).", "Start it first."
                )

    def _servers(self) -> list[Unit]:
        units = []
        if set(self.outside.databases) != set(SERVICES):
            server = self.postgres
            units.append(Unit("postgres", server.start, lambda: server.child, server.stop))
        if self.outside.nats is None:
            broker = self.nats
            units.append(Unit("nats", broker.start, lambda: broker.child, broker.stop))
        return units

    async def _start_mailbox(self) -> None:
        if self.outside.smtp is None:
            from cli.servers.mailbox import start_mailbox  # noqa: PLC0415 - while the services start

            self._mailbox = await start_mailbox(self.folder.mail, self.smtp_port)

    def database_url(self, service: str) -> str:
        """A service's database, as the service connects to it."""
        if service in self.outside.databases:
            return self.outside.databases[service]
        return self.postgres.url(service, service, self.folder.database_password(service))

    def owner_url(self, service: str) -> str:
        """A service's database, as migrations connect to it."""
        if service in self.outside.databases:
            return self.outside.owners.get(service, self.outside.databases[service])
        owner = self._role(f"{service}{OWNER}")
        return self.postgres.url(service, owner.name, owner.password)

    def _role(self, name: str) -> Role:
        return Role(name, self.folder.database_password(name))

    async def _migrate(self, service: str) -> None:
        import asyncpg  # noqa: PLC0415 - after the servers were started

        from kit.db import MigrationError, OldServerError, migrate  # noqa: PLC0415

        if service not in self.outside.databases:
            role, owner = self._role(service), self._role(f"{service}{OWNER}")
            await self.postgres.ensure_database(service, role, owner)
        try:
            await migrate(self.owner_url(service), service)
        except OldServerError as error:
            raise Trouble(
                f"The database of {service} cannot be used: {error}.",
                f"Let DATABASE_URL_{service.upper()} name a newer server, or leave it out: ./suite up brings one.",
            ) from None
        except MigrationError as error:
            raise Trouble(
                f"The database of {service} cannot be brought up to date: {error}",
                "Use the version of the suite that made it, or another --data folder.",
            ) from None
        except (OSError, asyncpg.PostgresError) as error:
            raise Trouble(
                f"The database of {service} cannot be used: {error}",
                f"Look at DATABASE_URL_{service.upper()}, or at {self.folder.log('postgres')}.",
            ) from None

    def _child(self, name: str) -> Child:
        module = name if name == GATEWAY else f"services.{name}"
        return Child(
            name=name,
            program=[sys.executable, "-m", module, str(self.folder.path)],
            log=self.folder.log(name),
            environment=self.settings(name),
            cwd=ROOT,
            on_death=signal.SIGKILL,
            pid_file=self.folder.pid_file(name),
            mark=f"-m {module} {self.folder.path}",
        )

    # Settings ---------------------------------------------------------------------------------------------------------

    def settings(self, name: str) -> dict[str, str]:
        """The environment of a process: its own settings, and no address with a password that is meant for a sibling."""
        others = ["DATABASE_URL_", "DATABASE_OWNER_URL_", "SMTP_URL", "NATS_URL"]
        if name != "referrals":
            others.append("S3_")
        given = {
            key: value
            for key, value in self.environment.items()
            if not key.startswith(tuple(others))
        }
        common = {
            "MODE": "development",
            "HTTP_HOST": "127.0.0.1",
            "NATS_URL": self.outside.nats or self.nats.url(name),
            "VIEWER_KEY": self.folder.viewer_key,
            "PUBLIC_URL": self.environment.get("PUBLIC_URL", self.url),
            "SHUTDOWN_GRACE": GRACE,
            **{f"{peer.upper()}_RPC": self._address(peer, "grpc") for peer in SERVICES},
        }
        return given | common | (self._doors() if name == GATEWAY else self._own(name))

    def _doors(self) -> dict[str, str]:
        urls = {
            f"SUBGRAPH_{name.upper()}_URL": f"http://{self._address(name, 'http')}/graphql"
            for name in SERVICES
        }
        return urls | {"HTTP_PORT": str(self.port)}

    def _own(self, name: str) -> dict[str, str]:
        own = {
            f"DATABASE_URL_{name.upper()}": self.database_url(name),
            "HTTP_PORT": str(self.ports[name, "http"]),
            "GRPC_PORT": str(self.ports[name, "grpc"]),
            "AUDIT_KEY": self.folder.audit_key(name),
            "AUDIT_FOLDER": str(self.folder.audit),
        }
        if name == "identity":
            own["SMTP_URL"] = self.outside.smtp or f"smtp://127.0.0.1:{self.smtp_port}"
            own["PARTNER_ISSUER_SEED"] = self.folder.credentials.issuer_seed()
            own["IDENTITY_SECRET"] = self.folder.secret("identity.key")
            own["SUPPORT_EMAIL"], own["SUPPORT_PASSWORD"] = self.support
        if name == "referrals":
            own["PATIENT_KEY"] = self.folder.secret("patients.key")
        return own

    def _address(self, name: str, door: str) -> str:
        return f"127.0.0.1:{self.ports[name, door]}"

    # Being ready ------------------------------------------------------------------------------------------------------

    async def _ready(self, name: str) -> None:
        where = self.url if name == GATEWAY else f"http://{self._address(name, 'http')}"
        deadline = asyncio.get_running_loop().time() + READY_PATIENCE
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                if (await request(f"{where}/readyz", seconds=5)).status == 200:  # noqa: PLR2004 - OK
                    return
            ended = self.supervisor.ended[name] >= GIVE_UP_AFTER
            if ended or asyncio.get_running_loop().time() > deadline:
                raise Trouble(f"{name} does not get ready.\n{self._last_words(name)}")
            await asyncio.sleep(POLL)

    def _last_words(self, name: str) -> str:
        log = self.folder.log(name)
        words = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
        return "\n".join([*words, f"Its log is {log}."])

    async def _first_answer(self) -> None:
        reply = await request(f"{self.url}/graphql", {"query": "{ __typename }"})
        if not reply.body or reply.body.get("data") != {"__typename": "Query"}:
            raise Trouble(
                f"The gateway answered {reply.status} to its first query.",
                f"Its log is {self.folder.log(GATEWAY)}.",
            )

    def _tell_state(self, children: Sequence[Child | None]) -> None:
        state = {
            "url": self.url,
            "supervisor": os.getpid(),
            "processes": {child.name: child.pid for child in children if child},
            "postgres_port": self.postgres.port,
            "nats_port": self.nats.port,
        }
        write_private(self.folder.state, json.dumps(state, indent=1))

    # Stopping ---------------------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Stop in order: the gateway, the services, the mailbox, then the servers under them."""
        self.folder.state.unlink(missing_ok=True)
        await self.supervisor.stop()
        if self._mailbox is not None:
            self._mailbox.close()


def running_url(folder: DataFolder) -> str:
    """The gateway of the system that runs on this folder; Trouble when none does."""
    try:
        state = json.loads(Path(folder.state).read_text(encoding="utf-8"))
        os.kill(state["supervisor"], 0)
    except (OSError, ValueError):
        raise Trouble(
            f"No system runs on {folder.path}.",
            "Start one with ./suite up, or say with --data where it runs.",
        ) from None
    url: str = state["url"]
    return url
