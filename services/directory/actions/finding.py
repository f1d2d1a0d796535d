"""Loading what a verb is about, or refusing alike when it is unknown and when it is another organization's."""

from uuid import UUID

from kit.auth import Viewer
from kit.db import Connection
from services.directory import policy, store
from services.directory.domain.nouns import Group, Office, Placement, Provider, Suggestion


async def provider(tx: Connection, viewer: Viewer, provider_id: UUID) -> Provider:
    """The viewer's organization's provider, locked."""
    found = await store.providers.locked(tx, policy.acting(viewer), provider_id)
    if found is None:
        raise policy.unknown("provider", "providerId")
    return found


async def office(tx: Connection, viewer: Viewer, office_id: UUID) -> Office:
    """The viewer's organization's office, locked."""
    found = await store.offices.locked(tx, policy.acting(viewer), office_id)
    if found is None:
        raise policy.unknown("office", "officeId")
    return found


async def office_as_it_is(tx: Connection, viewer: Viewer, office_id: UUID) -> Office:
    """The viewer's organization's office; it stays as it is until the transaction ends."""
    found = await store.offices.shared(tx, policy.acting(viewer), [office_id])
    if office_id not in found:
        raise policy.unknown("office", "officeId")
    return found[office_id]


async def placement(tx: Connection, viewer: Viewer, placement_id: UUID) -> Placement:
    """The viewer's organization's placement, locked."""
    found = await store.placements.locked(tx, policy.acting(viewer), placement_id)
    if found is None:
        raise policy.unknown("placement", "placementId")
    return found


async def group(tx: Connection, viewer: Viewer, group_id: UUID) -> Group:
    """The viewer's organization's group, locked."""
    found = await store.groups.locked(tx, policy.acting(viewer), group_id)
    if found is None:
        raise policy.unknown("group", "groupId")
    return found


async def suggestion(tx: Connection, viewer: Viewer, suggestion_id: UUID) -> Suggestion:
    """The viewer's organization's suggestion, locked."""
    found = await store.suggestions.locked(tx, policy.acting(viewer), suggestion_id)
    if found is None:
        raise policy.unknown("suggestion", "suggestionId")
    return found
