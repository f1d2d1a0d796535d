"""The doors behind the gateway: each service's GraphQL and gRPC, knocked at directly, with a viewer signed by the test."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
import grpc.aio
import orjson

from gateway.subgraphs.pool import Bounds, Pool
from gateway.subgraphs.wire import Target
from kit.auth import VIEWER_HEADER, Kind, Stage, Viewer, service_viewer, sign_viewer
from proto.identity.v1.identity_pb2 import IntrospectRequest, ViewerReply
from proto.identity.v1.identity_pb2_grpc import IdentityStub
from tests.e2e.matrix import Attempt, Bench
from tests.e2e.matrix_rows import ask_attempt, list_attempt, verb_attempt
from tests.model.cast import things
from tests.model.tables import TABLES
from tests.model.words import NOTHING, Actor, Elsewhere, List, Rpc, Session, Verb

Headers = dict[str, str]


@dataclass
class Doors:
    """The ports of every service. `at` of a signature: now, unless the test wants another time."""

    bench: Bench
    viewers: dict[str, Viewer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.system = self.bench.world.system
        self.key = bytes.fromhex(self.system.folder.viewer_key)
        self._pools: dict[str, Pool] = {}
        self._channels: dict[str, grpc.aio.Channel] = {}

    async def close(self) -> None:
        """Hang up."""
        for pool in self._pools.values():
            pool.close()
        for channel in self._channels.values():
            await channel.close()

    # Who asks ---------------------------------------------------------------------------------------------------------

    def signed(self, viewer: Viewer, audience: str, *, aged: timedelta = timedelta(0)) -> Headers:
        """A viewer as our own parts would sign it, some time ago."""
        at = datetime.now(UTC) - aged
        return {VIEWER_HEADER: sign_viewer(viewer, audience=audience, key=self.key, at=at)}

    async def viewer(self, actor: Actor) -> Viewer:
        """What the gateway knows of an actor: nobody of who shows no token."""
        if actor.session is Session.NONE:
            return Viewer()
        if actor.name not in self.viewers:
            told = await IdentityStub(self.channel("identity")).Introspect(
                IntrospectRequest(access_token=await self.bench.world.token(actor)),
                metadata=tuple(self.signed(service_viewer("gateway"), "identity").items()),
            )
            self.viewers[actor.name] = _viewer(told)
        return self.viewers[actor.name]

    async def forgeries(self, service: str, user: Actor) -> dict[str, Headers]:
        """What no door may open for, by what is wrong with it."""
        viewer = await self.viewer(user)
        good = self.signed(viewer, service)[VIEWER_HEADER]
        elsewhere = "insurance" if service == "referrals" else "referrals"
        other_key = sign_viewer(viewer, audience=service, key=b"0" * 32, at=datetime.now(UTC))
        return {
            "nothing": {},
            "a user's access token": {
                "authorization": f"Bearer {await self.bench.world.token(user)}"
            },
            "a viewer signed for another service": self.signed(viewer, elsewhere),
            "an expired viewer": self.signed(viewer, service, aged=timedelta(seconds=61)),
            "a viewer of the future": self.signed(viewer, service, aged=timedelta(seconds=-30)),
            "a viewer signed with another key": {VIEWER_HEADER: other_key},
            "a viewer that was tampered with": {VIEWER_HEADER: "A" + good[1:]},
        }

    # GraphQL ----------------------------------------------------------------------------------------------------------

    async def post(
        self, service: str, body: dict[str, Any], headers: Headers, path: str = "/graphql"
    ) -> tuple[int, Any]:
        """Status and answer of a subgraph."""
        name = f"{service}{path}"
        if name not in self._pools:
            url = f"http://127.0.0.1:{self.system.ports[service, 'http']}{path}"
            self._pools[name] = Pool(Target.parse(url), Bounds(total=30.0))
        given = {"accept": "application/json", **headers}
        exchange = await self._pools[name].post(orjson.dumps(body), given, repeatable=False)
        return exchange.status, orjson.loads(exchange.take() or b"null")

    # gRPC -------------------------------------------------------------------------------------------------------------

    def channel(self, service: str) -> grpc.aio.Channel:
        """A connection to a service's RPCs."""
        if service not in self._channels:
            address = f"127.0.0.1:{self.system.ports[service, 'grpc']}"
            self._channels[service] = grpc.aio.insecure_channel(address)
        return self._channels[service]

    async def ask(self, service: str, rpc: Rpc, headers: Headers, actor: Actor) -> grpc.StatusCode:
        """How a well-formed question ends."""
        call: Any = self.channel(service).unary_unary(
            f"/{service}.v1.{rpc.name}",
            request_serializer=lambda message: message.SerializeToString(),
        )
        given = self.bench.filled(dict(rpc.given), actor)
        if rpc.name == "Identity/Introspect":
            given = {"access_token": await self.bench.world.token(actor)}
        try:
            await call(request_of(service, rpc, given), metadata=tuple(headers.items()), timeout=10)
        except grpc.aio.AioRpcError as refused:
            return refused.code()
        return grpc.StatusCode.OK


def request_of(service: str, rpc: Rpc, given: dict[str, Any]) -> Any:  # noqa: ANN401 - any message
    """The request of an RPC."""
    declared = importlib.import_module(f"proto.{service}.v1.{service}_pb2")
    owner, method = rpc.name.split("/")
    kind = declared.DESCRIPTOR.services_by_name[owner].methods_by_name[method].input_type
    return getattr(declared, kind.name)(**given)


def _viewer(told: ViewerReply) -> Viewer:
    return Viewer(
        kind=Kind.USER,
        user_id=UUID(told.user_id),
        session_id=UUID(told.session_id),
        organization_id=UUID(told.organization_id) if told.organization_id else None,
        stage=Stage(told.stage),
        support=told.support,
        client_admin=told.client_admin,
        insurance_manager=told.insurance_manager,
        insurance_manager_of=frozenset(map(UUID, told.insurance_manager_of)),
        call_centre=told.call_centre,
        office_admin_of=frozenset(map(UUID, told.office_admin_of)),
        office_staff_of=frozenset(map(UUID, told.office_staff_of)),
        reporting_only=told.reporting_only,
        provider_id=UUID(told.provider_id) if told.provider_id else None,
        second_factor=told.second_factor,
    )


def operations(service: str) -> Iterator[str]:
    """A document for every root field of a service: more than enough to be refused."""
    from tests.model.test_classified import sdl  # noqa: PLC0415 - the same reading of the same file

    schema = sdl(service)
    for kind, root in (
        ("query", schema.query_type),
        ("mutation", schema.mutation_type),
        ("subscription", schema.subscription_type),
    ):
        for name in root.fields if root else ():
            yield f"{kind} {{ {name} {{ __typename }} }}"


def attempts(bench: Bench, service: str, actor: Actor) -> Iterator[Attempt]:
    """One attempt for each row of a service's table."""
    table = TABLES[service]
    for row in (*table.verbs, *table.queries):
        if isinstance(row, Elsewhere):
            continue
        thing = next(iter(things(row.about)), NOTHING)
        if isinstance(row, List):
            yield list_attempt(bench, row, actor)
        elif isinstance(row, Verb):
            yield verb_attempt(bench, row, actor, bench.id_of(thing), thing)
        else:
            yield ask_attempt(bench, row, actor, bench.id_of(thing), thing)
