"""The identity service as the gateway knows it: who is behind a token, and what time it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from kit.auth import ANONYMOUS, Kind, Stage, Viewer
from kit.clock import Clock, Reading, fixed
from kit.errors import Unauthenticated
from kit.rpc import Peer
from proto.identity.v1.identity_pb2 import IntrospectRequest, TimeRequest
from proto.identity.v1.identity_pb2_grpc import IdentityStub

if TYPE_CHECKING:
    from proto.identity.v1.identity_pb2 import ViewerReply

LONGEST_TOKEN = 8192


@dataclass(frozen=True, slots=True)
class Session:
    """A viewer, the token it came with (empty when nobody is signed in) and when that token ends, in suite time."""

    viewer: Viewer = ANONYMOUS
    token: str = field(default="", repr=False)
    expires_at: datetime | None = None

    @property
    def anonymous(self) -> bool:
        """Whether nobody is signed in."""
        return not self.token


NOBODY = Session()


def bearer(authorization: str | None) -> str | None:
    """The token of an Authorization value; None when there is no value, Unauthenticated when it is not a bearer token."""
    if not authorization:
        return None
    scheme, _, token = authorization.strip().partition(" ")
    token = token.strip()
    sound = token.isascii() and token.isprintable() and 0 < len(token) <= LONGEST_TOKEN
    if scheme.lower() != "bearer" or not sound or " " in token:
        raise Unauthenticated(
            "The Authorization header is not a bearer token.",
            remedy="Send `Authorization: Bearer <access token>`, or leave the header out.",
        )
    return token


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Identity:
    """Questions to the identity service. `clock` is the gateway's own, which this service's time feeds."""

    def __init__(self, address: str, *, key: bytes) -> None:
        self.clock = Clock(self._time)
        self._peer = Peer("identity", address, me="gateway", key=key, clock=self.clock)
        self._stub = IdentityStub(self._peer.channel)
        # Identity tells the time whatever the time it is asked at: the gateway cannot know it yet.
        self._timeless = Peer("identity", address, me="gateway", key=key, clock=fixed(LONG_AGO))
        self._timeless_stub = IdentityStub(self._timeless.channel)
        self._synchronized = False

    async def synchronize(self) -> None:
        """Ask for the time; Unavailable when identity does not answer."""
        await self.clock.sync()
        self._synchronized = True

    @property
    def synchronized(self) -> bool:
        """Whether the time has been learned, without which nothing can be signed."""
        return self._synchronized

    async def introspect(self, token: str) -> Session:
        """Who is behind the token, as of now. Unauthenticated when nobody is, Unavailable when identity does not answer."""
        reply = await self._peer.ask(self._stub.Introspect, IntrospectRequest(access_token=token))
        return Session(_viewer(reply), token, reply.expires_at.ToDatetime(tzinfo=UTC))

    async def close(self) -> None:
        """Hang up."""
        await self._timeless.close()
        await self._peer.close()

    async def _time(self) -> Reading:
        reply = await self._timeless.ask(self._timeless_stub.Time, TimeRequest())
        at = reply.database_time.ToDatetime(tzinfo=UTC)
        return Reading(at, timedelta(microseconds=reply.offset_us))


def _viewer(reply: ViewerReply) -> Viewer:
    return Viewer(
        kind=Kind.USER,
        user_id=UUID(reply.user_id),
        session_id=UUID(reply.session_id),
        organization_id=UUID(reply.organization_id) if reply.organization_id else None,
        stage=Stage(reply.stage),
        support=reply.support,
        client_admin=reply.client_admin,
        insurance_manager=reply.insurance_manager,
        insurance_manager_of=frozenset(map(UUID, reply.insurance_manager_of)),
        call_centre=reply.call_centre,
        office_admin_of=frozenset(map(UUID, reply.office_admin_of)),
        office_staff_of=frozenset(map(UUID, reply.office_staff_of)),
        second_factor=reply.second_factor,
        reporting_only=reply.reporting_only,
        provider_id=UUID(reply.provider_id) if reply.provider_id else None,
    )
