"""What insurance hears: whom the directory shows; where providers no longer work, nothing is accepted any more (R19, R27)."""

from datetime import date
from uuid import UUID

from kit.db import Connection
from kit.inbox import Heard, Hearing
from proto.directory.v1.events_pb2 import (
    OfficeClosed,
    OfficeLive,
    PlacementChanged,
    PlacementEnded,
    ProviderApproved,
    ProviderRemoved,
)
from proto.identity.v1.events_pb2 import OrganizationAdded
from services.insurance import actions, store
from services.insurance.actions import Place
from services.insurance.domain import OfficeId, OrganizationId, ProviderId


async def _organization_added(tx: Connection, heard: Heard) -> None:
    fact: OrganizationAdded = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    await store.keep_organization(tx, organization_id, fact.time_zone, heard.time)


async def _placement_ended(tx: Connection, heard: Heard) -> None:
    """A placement that (now) has an end takes the participations after it along."""
    fact: PlacementEnded | PlacementChanged = heard.fact
    if fact.effective_until:
        place = Place(ProviderId(UUID(fact.provider_id)), OfficeId(UUID(fact.office_id)))
        await _end(tx, heard, place, date.fromisoformat(fact.effective_until))


async def _provider_approved(tx: Connection, heard: Heard) -> None:
    fact: ProviderApproved = heard.fact
    await store.show(tx, UUID(fact.provider_id))


async def _office_live(tx: Connection, heard: Heard) -> None:
    fact: OfficeLive = heard.fact
    await store.show(tx, UUID(fact.office_id))


async def _provider_removed(tx: Connection, heard: Heard) -> None:
    fact: ProviderRemoved = heard.fact
    await _end(tx, heard, Place(provider_id=ProviderId(UUID(fact.provider_id))))


async def _office_closed(tx: Connection, heard: Heard) -> None:
    fact: OfficeClosed = heard.fact
    await _end(tx, heard, Place(office_id=OfficeId(UUID(fact.office_id))))


async def _end(
    tx: Connection,
    heard: Heard,
    place: Place,
    until: date | None = None,
) -> None:
    """From `until`, or from the day of the fact where the organization reads its calendar."""
    organization_id = OrganizationId(heard.organization_id)
    last = until or await actions.day_of(tx, organization_id, heard.time)
    await actions.end_at_place(tx, organization_id, place, last, heard.time)


HEARINGS = [
    Hearing("identity", "organization", {OrganizationAdded: _organization_added}),
    Hearing(
        "directory",
        "placement",
        {PlacementEnded: _placement_ended, PlacementChanged: _placement_ended},
    ),
    Hearing(
        "directory",
        "provider",
        {ProviderApproved: _provider_approved, ProviderRemoved: _provider_removed},
    ),
    Hearing("directory", "office", {OfficeLive: _office_live, OfficeClosed: _office_closed}),
]
