"""What insurance asks directory: whether a provider works at an office, and until when."""

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias
from uuid import UUID

from kit import service
from kit.rpc import Peer
from proto.directory.v1.directory_pb2 import PlacementKey, PlacementsRequest
from proto.directory.v1.directory_pb2_grpc import DirectoryStub
from services.insurance import domain
from services.insurance.domain import OrganizationId, Period, Place


@dataclass(frozen=True)
class Peers:
    """The siblings insurance asks."""

    directory: Peer


Call: TypeAlias = service.Call[Peers]


async def require_placed(
    call: Call, organization_id: OrganizationId, place: Place, days: Period, today: date
) -> None:
    """Refuse PROVIDER_NOT_AT_OFFICE unless directory says that the provider works there, for this organization, on the first
    day (or today, if that is later), and PLACEMENT_ENDS when not for as long (R27)."""
    key = PlacementKey(provider_id=str(place.provider_id), office_id=str(place.office_id))
    reply = await call.peers.directory.ask(
        DirectoryStub(call.peers.directory.channel).Placements,
        PlacementsRequest(keys=[key], on=max(days.first, today).isoformat()),
        viewer=call.viewer,
    )
    own = [one for one in reply.placements if UUID(one.organization_id) == organization_id]
    if not own:
        raise domain.not_at_office()
    ends = [one.effective_until for one in own]
    if all(ends):
        domain.refuse_beyond_placement(days, date.fromisoformat(max(ends)))
