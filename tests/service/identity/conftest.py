"""A running identity service on real servers, with a small directory and a mail server beside it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import UUID, uuid4

import grpc
import grpc.aio
import pytest
from aiosmtpd.smtp import SMTP, Envelope

from kit import db
from kit.auth import ANONYMOUS, Viewer
from kit.clock import Clock
from kit.db import read_clock
from kit.rpc import Peer
from proto.directory.v1.directory_pb2 import (
    KnownOffice,
    KnownProvider,
    OfficesReply,
    OfficesRequest,
    ProvidersReply,
    ProvidersRequest,
    StaffedGroup,
    UserGroupsReply,
    UserGroupsRequest,
)
from proto.directory.v1.directory_pb2_grpc import (
    DirectoryServicer,
    add_DirectoryServicer_to_server,
)
from proto.referrals.v1.referrals_pb2 import OfficeWork, UserWorkReply, UserWorkRequest
from proto.referrals.v1.referrals_pb2_grpc import (
    ReferralsServicer,
    add_ReferralsServicer_to_server,
)
from services.identity import policy
from services.identity.actions import Means
from services.identity.app import build
from tests.service.identity import asking
from tests.support.facts import forget_facts, open_feed
from tests.support.running import VIEWER_KEY, Running, environment, running_service
from tests.support.servers import NatsServer, PostgresServer, operator_url

SUPPORT = ("support@suite.example", "the lighthouse keeper reads at noon")
LONG_AGO = datetime.min.replace(tzinfo=UTC)
PASSWORD = "seven herons cross the wide estuary"
TOKEN = re.compile(r"#token=([\w-]+)")
TEMPORARY = re.compile(r"temporary password: ([a-z0-9-]+)")


class SmallDirectory(DirectoryServicer):
    """Knows which offices and providers an organization has, their state, and who works for which group."""

    def __init__(self) -> None:
        self.offices: dict[UUID, tuple[UUID, str]] = {}
        self.providers: dict[UUID, tuple[UUID, str]] = {}
        self.groups: dict[UUID, list[StaffedGroup]] = {}
        self.names: dict[UUID, str] = {}
        self.away = False

    async def Offices(self, request: OfficesRequest, context: Any) -> OfficesReply:  # noqa: ANN401, N802
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        wanted = UUID(request.organization_id)
        return OfficesReply(
            offices=[
                KnownOffice(
                    office_id=one,
                    state=self.offices[UUID(one)][1],
                    name=self.names.get(UUID(one), ""),
                )
                for one in request.office_ids
                if self.offices.get(UUID(one), (None, ""))[0] == wanted
            ]
        )

    async def Providers(self, request: ProvidersRequest, context: Any) -> ProvidersReply:  # noqa: ANN401, ARG002, N802
        wanted = UUID(request.organization_id)
        return ProvidersReply(
            providers=[
                KnownProvider(provider_id=one, state=self.providers[UUID(one)][1])
                for one in request.provider_ids
                if self.providers.get(UUID(one), (None, ""))[0] == wanted
            ]
        )

    async def UserGroups(self, request: UserGroupsRequest, context: Any) -> UserGroupsReply:  # noqa: ANN401, ARG002, N802
        return UserGroupsReply(groups=self.groups.get(UUID(request.user_id), []))


class SmallReferrals(ReferralsServicer):
    """Knows what users have claimed, and what is open at offices."""

    def __init__(self) -> None:
        self.claimed: dict[UUID, list[UUID]] = {}
        self.open: dict[UUID, int] = {}
        self.away = False

    async def UserWork(self, request: UserWorkRequest, context: Any) -> UserWorkReply:  # noqa: ANN401, N802
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        held = self.claimed.get(UUID(request.user_id), [])
        return UserWorkReply(
            claimed=len(held),
            referral_ids=map(str, held),
            offices=[
                OfficeWork(office_id=one, open=self.open.get(UUID(one), 0))
                for one in request.office_ids
            ],
        )


class Mailbox:  # its handlers are named and called by aiosmtpd
    """A mail server's handler: keeps what arrives, refuses `bouncing` addresses for good, and all of them while `away`."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, EmailMessage]] = []
        self.bouncing: set[str] = set()
        self.away = False

    async def handle_RCPT(  # noqa: N802
        self, _server: object, _session: object, envelope: Envelope, address: str, _options: object
    ) -> str:
        if self.away:
            return "451 try again later"
        if address in self.bouncing:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: object, _session: object, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        self.letters += [(address, message) for address in envelope.rcpt_tos]
        return "250 OK"

    def to(self, address: str) -> list[str]:
        """The plain text of every letter to an address, the oldest first."""
        return [_plain(message) for one, message in self.letters if one == address]


def _plain(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


@dataclass
class Organization:
    """An organization of a test, its client admin, and an office it has."""

    id: UUID
    name: str
    admin: Viewer
    office: UUID


@dataclass
class Identity:
    """The service under test and its neighbours."""

    running: Running[Means]
    directory: SmallDirectory
    mailbox: Mailbox
    support: Viewer
    referrals: SmallReferrals = field(default_factory=SmallReferrals)
    signed_in_at: datetime = LONG_AGO

    async def mutate(
        self, document: str, input: dict[str, Any] | None, viewer: Viewer = ANONYMOUS
    ) -> dict[str, Any]:
        """The member of the union that the one mutation answers with. The support that a module's tests share, and move the clock
        under, has just signed in."""
        if viewer == self.support and viewer != ANONYMOUS:
            viewer = await self._at_work()
        variables = {"input": input} if input is not None else {}
        data = await self.running.data(document, variables, viewer=viewer)
        (answer,) = data.values()
        result: dict[str, Any] = answer
        return result

    async def _at_work(self) -> Viewer:
        """Support in a session that is not older than five minutes."""
        now = self.running.parts.clock.now()
        if not timedelta() <= now - self.signed_in_at < timedelta(minutes=5):
            self.support = await self.viewer((await self.sign_in(*SUPPORT))["accessToken"])
            self.signed_in_at = now
        return self.support

    async def jobs(self) -> None:
        """Every job has run when this returns: letters that were due have left."""
        await self.running.advance(timedelta())

    async def ask(self, method: str, request: object) -> Any:  # noqa: ANN401 - any reply
        """What a sibling is answered over gRPC."""
        return await ask(self.running, method, request)

    async def viewer(self, access_token: str) -> Viewer:
        """The viewer the gateway gets for a token."""
        return await viewer_behind(self.running, access_token)

    async def sign_in(self, email: str, password: str = PASSWORD, **more: object) -> dict[str, Any]:
        """What signing in answers."""
        return await self.mutate(asking.SIGN_IN, {"email": email, "password": password, **more})

    async def invite(
        self, viewer: Viewer, email: str, *roles: dict[str, object], name: str = "Sam Poe"
    ) -> dict[str, Any]:
        """What inviting answers."""
        input_ = {
            "email": email,
            "name": name,
            "roles": list(roles),
            "idempotencyKey": str(uuid4()),
        }
        return await self.mutate(asking.INVITE, input_, viewer)

    async def secrets(self, email: str) -> tuple[str, str]:
        """The link's token and the temporary password of the newest letter to an address that has them."""
        await self.jobs()
        text = next(one for one in reversed(self.mailbox.to(email)) if "#token=" in one)
        token, temporary = TOKEN.search(text), TEMPORARY.search(text)
        assert token is not None
        assert temporary is not None
        return token[1], temporary[1]

    async def confirm_by_link(self, email: str) -> None:
        """Confirm the account an invitation was sent to."""
        token, _ = await self.secrets(email)
        confirmed = await self.mutate(asking.CONFIRM, {"token": token, "newPassword": PASSWORD})
        assert confirmed["__typename"] == "PasswordSet", confirmed

    async def confirm(self, email: str) -> Viewer:
        """Confirm the account an invitation was sent to, and sign in."""
        await self.confirm_by_link(email)
        return await self.viewer((await self.sign_in(email))["accessToken"])

    async def member(
        self, organization: Organization, *roles: dict[str, object], name: str = "Sam Poe"
    ) -> Viewer:
        """A confirmed user with these roles."""
        email = an_email()
        invited = await self.invite(organization.admin, email, *roles, name=name)
        assert invited["__typename"] == "UserInvited", invited
        return await self.confirm(email)

    async def user(self, user_id: object, viewer: Viewer) -> dict[str, Any]:
        """A user as a viewer sees it."""
        data = await self.running.data(asking.USER, {"id": str(user_id)}, viewer=viewer)
        found: dict[str, Any] = data["user"]
        return found

    async def told(self, organization_id: UUID) -> list[tuple[str, dict[str, Any]]]:
        """The facts recorded for an organization, in order: the end of the type, and data."""
        rows = await self.running.sql.fetch(
            "SELECT body::json->>'type' AS type, body::json->'data' AS data FROM outbox"
            " WHERE organization_id = $1 ORDER BY id",
            organization_id,
        )
        return [(row["type"].removeprefix("suite.identity."), row["data"]) for row in rows]

    def new_provider(self, organization_id: UUID, state: str = "APPROVED") -> UUID:
        """A provider that directory knows."""
        provider = uuid4()
        self.directory.providers[provider] = (organization_id, state)
        return provider

    def new_office(self, organization_id: UUID, state: str = "LIVE") -> UUID:
        """An office that directory knows."""
        office = uuid4()
        self.directory.offices[office] = (organization_id, state)
        return office


def an_email() -> str:
    """An address nobody has."""
    return f"user-{uuid4().hex[:12]}@example.org"


async def ask(running: Running[Means], method: str, request: object) -> Any:  # noqa: ANN401 - any reply
    """Ask the gRPC door as whoever has business with it."""
    from proto.identity.v1.identity_pb2_grpc import IdentityStub  # noqa: PLC0415

    clock = Clock(lambda: read_clock(running.parts.db))
    await clock.sync()
    address = f"127.0.0.1:{running.parts.grpc_port}"
    (me,) = policy.CALLERS[method]
    peer = Peer("identity", address, me=me, key=bytes.fromhex(VIEWER_KEY), clock=clock)
    try:
        return await peer.ask(getattr(IdentityStub(peer.channel), method), request)
    finally:
        await peer.close()


async def viewer_behind(running: Running[Means], access_token: str) -> Viewer:
    """The viewer of an introspection, put together as the gateway does."""
    from gateway.auth.identity import _viewer  # noqa: PLC0415
    from proto.identity.v1.identity_pb2 import IntrospectRequest  # noqa: PLC0415

    return _viewer(await ask(running, "Introspect", IntrospectRequest(access_token=access_token)))


@pytest.fixture(scope="module")
async def identity(postgres: PostgresServer, nats_server: NatsServer) -> AsyncIterator[Identity]:
    """One identity service for the tests of a module: each test brings an organization of its own."""
    loop, mailbox = asyncio.get_running_loop(), Mailbox()
    post = await loop.create_server(
        lambda: SMTP(mailbox, loop=loop, enable_SMTPUTF8=True), "127.0.0.1", 0
    )
    directory, referrals = SmallDirectory(), SmallReferrals()  # type: ignore[abstract]
    server = grpc.aio.server()
    add_DirectoryServicer_to_server(directory, server)
    add_ReferralsServicer_to_server(referrals, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    url = await postgres.database("identity")
    await db.migrate(url, "identity")
    settings = environment(
        "identity",
        url,
        nats_server.url("identity"),
        DIRECTORY_RPC=f"127.0.0.1:{port}",
        REFERRALS_RPC=f"127.0.0.1:{port}",
        SMTP_URL=f"smtp://127.0.0.1:{post.sockets[0].getsockname()[1]}",
        IDENTITY_SECRET="1d" * 32,
        SUPPORT_EMAIL=SUPPORT[0],
        SUPPORT_PASSWORD=SUPPORT[1],
        PARTNER_ISSUER_SEED=nats_server.issuer_seed,
    )
    await forget_facts(operator_url(nats_server))
    async with running_service(build(settings)) as running:
        await open_feed(nats_server.url("referrals"), running.parts.db)
        found = Identity(running, directory, mailbox, ANONYMOUS, referrals)
        await found.jobs()
        found.support = await found.viewer((await found.sign_in(*SUPPORT))["accessToken"])
        yield found
    await server.stop(None)
    post.close()


async def new_organization(identity: Identity, name: str = "Lakeside Care") -> Organization:
    """An organization whose client admin has confirmed."""
    email = an_email()
    added = await identity.mutate(
        asking.ADD_ORGANIZATION, asking.organization(name, email), identity.support
    )
    assert added["__typename"] == "OrganizationAdded", added
    organization_id = UUID(added["organization"]["id"])
    admin = await identity.confirm(email)
    return Organization(organization_id, name, admin, identity.new_office(organization_id))


@pytest.fixture
async def here(identity: Identity) -> Organization:
    """An organization of this test alone."""
    return await new_organization(identity)
