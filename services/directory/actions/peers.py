"""The siblings that directory asks: identity about people, referrals about open work and fences."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from kit.rpc import Peer
from kit.service import Call as KitCall
from proto.identity.v1.identity_pb2 import CoverageRequest, UsersRequest
from proto.identity.v1.identity_pb2 import KnownUser as UserReply
from proto.identity.v1.identity_pb2_grpc import IdentityStub
from proto.referrals.v1.referrals_pb2 import FenceRequest, HandOverRequest, OpenWorkReply
from proto.referrals.v1.referrals_pb2 import OpenReferral as ReferralReply
from proto.referrals.v1.referrals_pb2_grpc import ReferralsStub
from services.directory.domain.fences import OpenReferral, OpenWork
from services.directory.domain.nouns import OfficeId, OrganizationId, ProviderId, UserId

PROVIDER, OFFICE, GROUP = "PROVIDER", "OFFICE", "GROUP"
LONG = 25.0
"""Seconds for what is done to many things at once; less than the job leaves a verb to itself."""


@dataclass(frozen=True, slots=True)
class KnownUser:
    """A user of the organization, as identity knows them."""

    user_id: UserId
    confirmed: bool
    active: bool
    office_ids: frozenset[UUID] = frozenset()


class Identity(Protocol):
    """What directory asks identity."""

    async def coverage(
        self, organization_id: OrganizationId, offices: Iterable[OfficeId]
    ) -> dict[UUID, int]:
        """How many confirmed, active staff each office has."""

    async def users(
        self, organization_id: OrganizationId, ids: Iterable[UUID]
    ) -> dict[UUID, KnownUser]:
        """Those of these users who belong to the organization."""


class Referrals(Protocol):
    """What directory asks referrals. `kind` is PROVIDER, OFFICE or GROUP."""

    async def raise_fence(
        self, organization_id: OrganizationId, kind: str, subject: UUID
    ) -> OpenWork:
        """Let nothing more be sent to it, and answer the open work that got in before, all of it."""

    async def lower_fence(self, organization_id: OrganizationId, kind: str, subject: UUID) -> None:
        """Let it receive again."""

    async def open_work(
        self, organization_id: OrganizationId, kind: str, subject: UUID, *, every: bool = True
    ) -> OpenWork:
        """Its open work, without a fence: all of it, or the oldest."""

    async def end_access(self, organization_id: OrganizationId, provider_id: UUID) -> None:
        """The organization reads none of a removed provider's referrals any more (R14)."""

    async def hand_over(
        self, organization_id: OrganizationId, group_id: UUID, to: Mapping[UUID, ProviderId]
    ) -> None:
        """Give open referrals of a group to its members, all or none (R24)."""


@dataclass(frozen=True)
class Peers:
    """Directory's siblings."""

    identity: Identity
    referrals: Referrals


Call = KitCall[Peers]


def connect(to: Callable[[str, str], Peer], *, identity: str, referrals: str) -> Peers:
    """The siblings at these addresses."""
    return Peers(AskIdentity(to("identity", identity)), AskReferrals(to("referrals", referrals)))


class AskIdentity:
    """Identity over gRPC, asked in directory's own name: who may ask for what is decided here before."""

    def __init__(self, peer: Peer) -> None:
        self._peer, self._stub = peer, IdentityStub(peer.channel)

    async def coverage(
        self, organization_id: OrganizationId, offices: Iterable[OfficeId]
    ) -> dict[UUID, int]:
        """How many confirmed, active staff each office has."""
        request = CoverageRequest(
            organization_id=str(organization_id), office_ids=[str(one) for one in offices]
        )
        reply = await self._peer.ask(self._stub.Coverage, request)
        return {UUID(row.office_id): row.confirmed_staff for row in reply.offices}

    async def users(
        self, organization_id: OrganizationId, ids: Iterable[UUID]
    ) -> dict[UUID, KnownUser]:
        """Those of these users who belong to the organization."""
        request = UsersRequest(
            organization_id=str(organization_id), user_ids=[str(one) for one in ids]
        )
        reply = await self._peer.ask(self._stub.Users, request)
        return {UUID(row.user_id): _known(row) for row in reply.users}


def _known(row: UserReply) -> KnownUser:
    offices = frozenset(UUID(one) for one in (*row.office_admin_of, *row.office_staff_of))
    return KnownUser(UserId(UUID(row.user_id)), row.confirmed, row.active, offices)


class AskReferrals:
    """Referrals over gRPC, asked in directory's own name."""

    def __init__(self, peer: Peer) -> None:
        self._peer, self._stub = peer, ReferralsStub(peer.channel)

    async def raise_fence(
        self, organization_id: OrganizationId, kind: str, subject: UUID
    ) -> OpenWork:
        """Let nothing more be sent to it, and answer the open work that got in before, all of it."""
        request = _request(organization_id, kind, subject, every=True)
        return _work(await self._peer.ask(self._stub.RaiseFence, request))

    async def lower_fence(self, organization_id: OrganizationId, kind: str, subject: UUID) -> None:
        """Let it receive again."""
        await self._peer.ask(self._stub.LowerFence, _request(organization_id, kind, subject))

    async def open_work(
        self, organization_id: OrganizationId, kind: str, subject: UUID, *, every: bool = True
    ) -> OpenWork:
        """Its open work, without a fence: all of it, or the oldest."""
        request = _request(organization_id, kind, subject, every=every)
        return _work(await self._peer.ask(self._stub.OpenWork, request))

    async def end_access(self, organization_id: OrganizationId, provider_id: UUID) -> None:
        """The organization reads none of a removed provider's referrals any more (R14)."""
        request = _request(organization_id, PROVIDER, provider_id)
        await self._peer.ask(self._stub.EndAccess, request)

    async def hand_over(
        self, organization_id: OrganizationId, group_id: UUID, to: Mapping[UUID, ProviderId]
    ) -> None:
        """Give open referrals of a group to its members, all or none (R24)."""
        request = HandOverRequest(organization_id=str(organization_id), group_id=str(group_id))
        for referral_id, provider_id in to.items():
            request.handovers.add(referral_id=str(referral_id), provider_id=str(provider_id))
        await self._peer.ask(self._stub.HandOver, request, deadline=LONG)


def _request(
    organization_id: OrganizationId, kind: str, subject: UUID, *, every: bool = False
) -> FenceRequest:
    return FenceRequest(
        organization_id=str(organization_id), kind=kind, subject_id=str(subject), all=every
    )


def _work(reply: OpenWorkReply) -> OpenWork:
    return OpenWork(
        reply.total,
        tuple(
            OpenReferral(row.referral_id, row.status, row.side, row.office_id, _appointment(row))
            for row in reply.referrals
        ),
    )


def _appointment(row: ReferralReply) -> datetime | None:
    return row.appointment_at.ToDatetime(UTC) if row.HasField("appointment_at") else None
