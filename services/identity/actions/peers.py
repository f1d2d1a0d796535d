"""What identity asks its siblings. It asks in its own name, for an organization whose user or whose support it has just judged."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from kit.rpc import Peer
from proto.directory.v1.directory_pb2 import OfficesRequest, ProvidersRequest, UserGroupsRequest
from proto.directory.v1.directory_pb2_grpc import DirectoryStub
from proto.referrals.v1.referrals_pb2 import UserWorkRequest
from proto.referrals.v1.referrals_pb2_grpc import ReferralsStub
from services.identity.domain import OfficeId, OrganizationId, UserId
from services.identity.domain.provisioning import GroupLeft
from services.identity.domain.roles import ProviderId

MOST_IDS = 100
"""So many may be asked for at once."""


class Directory:
    """The directory service, which knows offices, providers and groups."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = DirectoryStub(peer.channel)

    async def offices(
        self, organization_id: OrganizationId, wanted: Iterable[OfficeId]
    ) -> dict[UUID, str]:
        """Those of these offices that the organization has, with their state. Unavailable when directory is away."""
        request = OfficesRequest(
            organization_id=str(organization_id), office_ids=sorted(map(str, wanted))
        )
        reply = await self._peer.ask(self._stub.Offices, request)
        return {UUID(office.office_id): office.state for office in reply.offices}

    async def office_names(
        self, organization_id: OrganizationId, wanted: Iterable[OfficeId]
    ) -> dict[UUID, str]:
        """What those of these offices are called that the organization has. Unavailable when directory is away."""
        ids, found = sorted(map(str, wanted)), dict[UUID, str]()
        for start in range(0, len(ids), MOST_IDS):
            some = ids[start : start + MOST_IDS]
            request = OfficesRequest(organization_id=str(organization_id), office_ids=some)
            reply = await self._peer.ask(self._stub.Offices, request)
            found |= {UUID(one.office_id): one.name for one in reply.offices}
        return found

    async def providers(
        self, organization_id: OrganizationId, wanted: Iterable[ProviderId]
    ) -> dict[ProviderId, str]:
        """Those of these providers that the organization has, with their state."""
        request = ProvidersRequest(
            organization_id=str(organization_id), provider_ids=sorted(map(str, wanted))
        )
        reply = await self._peer.ask(self._stub.Providers, request)
        return {ProviderId(UUID(one.provider_id)): one.state for one in reply.providers}

    async def groups(
        self, organization_id: OrganizationId, user_id: UserId
    ) -> tuple[GroupLeft, ...]:
        """The groups for which the user works."""
        request = UserGroupsRequest(organization_id=str(organization_id), user_id=str(user_id))
        reply = await self._peer.ask(self._stub.UserGroups, request)
        return tuple(GroupLeft(UUID(one.group_id), one.name, one.others) for one in reply.groups)


@dataclass(frozen=True, slots=True)
class Work:
    """What is in a user's hands: open referrals they have claimed (the first hundred by id), and what is open at offices."""

    claimed: int
    claimed_ids: tuple[UUID, ...]
    offices: dict[UUID, int]


class Referrals:
    """The referrals service, which knows the open work."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = ReferralsStub(peer.channel)

    async def work(
        self, organization_id: OrganizationId, user_id: UserId, offices: Iterable[OfficeId]
    ) -> Work:
        """What is in the user's hands, and open at the offices. Unavailable when referrals is away."""
        request = UserWorkRequest(
            organization_id=str(organization_id),
            user_id=str(user_id),
            office_ids=sorted(map(str, offices)),
        )
        reply = await self._peer.ask(self._stub.UserWork, request)
        return Work(
            reply.claimed,
            tuple(UUID(one) for one in reply.referral_ids),
            {UUID(one.office_id): one.open for one in reply.offices},
        )
