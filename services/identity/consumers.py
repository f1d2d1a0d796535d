"""What identity hears: offices that close, providers that leave, and its own facts about partners."""

from uuid import UUID

from kit.bus import Bus
from kit.db import Connection
from kit.inbox import Heard, Hearing
from proto.directory.v1.events_pb2 import OfficeClosed, ProviderRemoved
from proto.identity.v1.events_pb2 import PartnerAdded, PartnerRemoved
from services.identity import actions, store
from services.identity.domain import OfficeId, OrganizationId, PartnerId
from services.identity.domain.nouns import ProviderId


async def _office_closed(tx: Connection, heard: Heard) -> None:
    """Grants on a closed office lapse (R08)."""
    fact: OfficeClosed = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    if await store.organization(tx, organization_id) is None:
        raise LookupError("an office of an organization nobody opened")
    await actions.lapse_grants(tx, organization_id, OfficeId(UUID(fact.office_id)), heard.time)


async def _provider_removed(tx: Connection, heard: Heard) -> None:
    """Nobody is that provider any more."""
    fact: ProviderRemoved = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    if await store.organization(tx, organization_id) is None:
        raise LookupError("a provider of an organization nobody opened")
    provider_id = ProviderId(UUID(fact.provider_id))
    await actions.lapse_provider(tx, organization_id, provider_id, heard.time)


def hearings(bus: Bus) -> list[Hearing]:
    """The handlers, by service and aggregate."""

    async def partner_changed(tx: Connection, heard: Heard) -> None:
        """The broker's consumer follows the row as it is now, so that a late fact cannot undo a later one."""
        organization_id = OrganizationId(heard.organization_id)
        partner = await store.partner(tx, organization_id, PartnerId(heard.aggregate_id))
        if partner is None:
            raise LookupError("a fact about a partner that never was")
        await actions.keep_consumer(bus, partner)

    return [
        Hearing("directory", "office", {OfficeClosed: _office_closed}),
        Hearing("directory", "provider", {ProviderRemoved: _provider_removed}),
        Hearing(
            "identity", "partner", {PartnerAdded: partner_changed, PartnerRemoved: partner_changed}
        ),
    ]
