"""Directory's questions to referrals, over real gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from kit.rpc import Peer
from proto.referrals.v1.referrals_pb2 import (
    FenceRequest,
    Handover,
    HandOverRequest,
    OpenWorkReply,
)
from proto.referrals.v1.referrals_pb2_grpc import ReferralsStub
from tests.service.referrals.conftest import World


class Directory:
    """Directory (or somebody who pretends), with a connection to referrals."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = ReferralsStub(peer.channel)

    async def raise_fence(self, organization_id: UUID, kind: str, id_: UUID) -> OpenWorkReply:
        return await self._peer.ask(self._stub.RaiseFence, _request(organization_id, kind, id_))

    async def lower_fence(self, organization_id: UUID, kind: str, id_: UUID) -> None:
        await self._peer.ask(self._stub.LowerFence, _request(organization_id, kind, id_))

    async def open_work(
        self, organization_id: UUID, kind: str, id_: UUID, *, all_: bool = False
    ) -> OpenWorkReply:
        request = _request(organization_id, kind, id_)
        request.all = all_
        return await self._peer.ask(self._stub.OpenWork, request)

    async def end_access(self, organization_id: UUID, id_: UUID, kind: str = "PROVIDER") -> None:
        await self._peer.ask(self._stub.EndAccess, _request(organization_id, kind, id_))

    async def hand_over(
        self, organization_id: UUID, group_id: UUID, to: Mapping[str, UUID]
    ) -> None:
        handovers = [
            Handover(referral_id=referral, provider_id=str(provider))
            for referral, provider in to.items()
        ]
        request = HandOverRequest(
            organization_id=str(organization_id), group_id=str(group_id), handovers=handovers
        )
        await self._peer.ask(self._stub.HandOver, request)


def _request(organization_id: UUID, kind: str, id_: UUID) -> FenceRequest:
    return FenceRequest(organization_id=str(organization_id), kind=kind, subject_id=str(id_))


@asynccontextmanager
async def directory_of(world: World, *, me: str = "directory") -> AsyncIterator[Directory]:
    """A connection of its own to the running service."""
    parts = world.service.running.parts
    peer = Peer(
        "referrals",
        f"127.0.0.1:{parts.grpc_port}",
        me=me,
        key=parts.settings.viewer_key,
        clock=parts.clock,
    )
    try:
        yield Directory(peer)
    finally:
        await peer.close()
