"""What insurance hears: whom the directory shows and who works where (where providers no longer work, nothing is accepted any
more: R19, R27); and who answers for an organization's insurance data (R26, R29)."""

from datetime import date
from uuid import UUID

from kit.db import Connection
from kit.inbox import Heard, Hearing
from proto.directory.v1.events_pb2 import (
    OfficeClosed,
    OfficeLive,
    PlacementAdded,
    PlacementChanged,
    PlacementEnded,
    PlacementMoved,
    ProviderApproved,
    ProviderMerged,
    ProviderRemoved,
)
from proto.identity.v1.events_pb2 import (
    OrganizationAdded,
    RoleGranted,
    RoleRevoked,
    UserDeactivated,
)
from services.insurance import actions, store
from services.insurance.domain import (
    Answering,
    AnsweringRole,
    OfficeId,
    OrganizationId,
    Place,
    ProviderId,
    UserId,
)

_ANSWERING = {one.value: one for one in AnsweringRole}


async def _organization_added(tx: Connection, heard: Heard) -> None:
    fact: OrganizationAdded = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    await store.keep_organization(tx, organization_id, fact.time_zone, heard.time)


# Who answers for insurance data ---------------------------------------------------------------------------------------


async def _role_granted(tx: Connection, heard: Heard) -> None:
    fact: RoleGranted = heard.fact
    answering = _answering(fact)
    if answering is not None:
        organization_id, user_id = _who(heard, fact.user_id)
        await actions.role_granted(tx, organization_id, user_id, answering, heard.time)


async def _role_revoked(tx: Connection, heard: Heard) -> None:
    fact: RoleRevoked = heard.fact
    answering = _answering(fact)
    if answering is not None:
        organization_id, user_id = _who(heard, fact.user_id)
        await actions.role_lost(tx, organization_id, user_id, answering, heard.time)


def _answering(fact: RoleGranted | RoleRevoked) -> Answering | None:
    role = _ANSWERING.get(fact.role)
    office_id = OfficeId(UUID(fact.office_id)) if fact.office_id else None
    return Answering(role, office_id) if role is not None else None


async def _user_deactivated(tx: Connection, heard: Heard) -> None:
    """Every role the user had ends with it."""
    fact: UserDeactivated = heard.fact
    organization_id, user_id = _who(heard, fact.user_id)
    await actions.role_lost(tx, organization_id, user_id, None, heard.time)


def _who(heard: Heard, user_id: str) -> tuple[OrganizationId, UserId]:
    return OrganizationId(heard.organization_id), UserId(UUID(user_id))


# Who works where ------------------------------------------------------------------------------------------------------


async def _placed(tx: Connection, heard: Heard) -> None:
    """Somebody works at an office, or does so on other days than before. What comes after an end is not accepted any more."""
    fact: PlacementAdded | PlacementChanged = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    place = _place(fact.provider_id, fact.office_id)
    until = _day(fact.effective_until)
    first = _day(fact.effective_from) or date.min
    placement = store.Placement(heard.aggregate_id, organization_id, *place, first, until)
    await store.place(tx, placement)
    await actions.somebody_placed(tx, organization_id, Place(*place), heard.time)
    if until is not None and isinstance(fact, PlacementChanged):
        await _end_at_office(tx, heard, place, until)


async def _placement_ended(tx: Connection, heard: Heard) -> None:
    """A placement that (now) has an end takes the participations after it along."""
    fact: PlacementEnded = heard.fact
    until = _day(fact.effective_until)
    if until is not None:
        organization_id = OrganizationId(heard.organization_id)
        await store.end_placement(tx, organization_id, heard.aggregate_id, until)
        await _end_at_office(tx, heard, _place(fact.provider_id, fact.office_id), until)


async def _placement_moved(tx: Connection, heard: Heard) -> None:
    """The office closes, and the provider goes to another one: what is accepted there waits for somebody to look at it (R19)."""
    fact: PlacementMoved = heard.fact
    move = store.Move(
        heard.aggregate_id,
        OrganizationId(heard.organization_id),
        ProviderId(UUID(fact.provider_id)),
        OfficeId(UUID(fact.from_office_id)),
        OfficeId(UUID(fact.to_office_id)),
        date.fromisoformat(fact.effective_from),
    )
    await store.keep_move(tx, move)


async def _provider_merged(tx: Connection, heard: Heard) -> None:
    fact: ProviderMerged = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    merged = ProviderId(UUID(fact.provider_id)), ProviderId(UUID(fact.survivor_id))
    today = await actions.day_of(tx, organization_id, heard.time)
    await actions.provider_merged(tx, organization_id, merged, today, heard.time)


async def _provider_approved(tx: Connection, heard: Heard) -> None:
    fact: ProviderApproved = heard.fact
    await store.show(tx, UUID(fact.provider_id))


async def _office_live(tx: Connection, heard: Heard) -> None:
    fact: OfficeLive = heard.fact
    await store.show(tx, UUID(fact.office_id))


async def _provider_removed(tx: Connection, heard: Heard) -> None:
    fact: ProviderRemoved = heard.fact
    await _end_everything(tx, heard, Place(provider_id=ProviderId(UUID(fact.provider_id))))


async def _office_closed(tx: Connection, heard: Heard) -> None:
    fact: OfficeClosed = heard.fact
    await _end_everything(tx, heard, Place(office_id=OfficeId(UUID(fact.office_id))))


async def _end_everything(tx: Connection, heard: Heard, place: Place) -> None:
    """From the day of the fact on, where the organization reads its calendar."""
    organization_id = OrganizationId(heard.organization_id)
    today = await actions.day_of(tx, organization_id, heard.time)
    await store.end_placements(tx, organization_id, place, today)
    await actions.somebody_left(tx, organization_id, heard.time)
    await actions.end_at_place(tx, organization_id, place, today, heard.time)


async def _end_at_office(
    tx: Connection, heard: Heard, place: tuple[ProviderId, OfficeId], until: date
) -> None:
    """From that day on, but for what belongs to other days on which the provider works at the office."""
    organization_id = OrganizationId(heard.organization_id)
    await actions.somebody_left(tx, organization_id, heard.time)
    working = [one.period for one in await store.placements_at(tx, organization_id, [place])]
    await actions.end_at_place(tx, organization_id, Place(*place), until, heard.time, working)


def _place(provider_id: str, office_id: str) -> tuple[ProviderId, OfficeId]:
    return ProviderId(UUID(provider_id)), OfficeId(UUID(office_id))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


HEARINGS = [
    Hearing("identity", "organization", {OrganizationAdded: _organization_added}),
    Hearing(
        "identity",
        "user",
        {
            RoleGranted: _role_granted,
            RoleRevoked: _role_revoked,
            UserDeactivated: _user_deactivated,
        },
    ),
    Hearing(
        "directory",
        "placement",
        {
            PlacementAdded: _placed,
            PlacementChanged: _placed,
            PlacementEnded: _placement_ended,
            PlacementMoved: _placement_moved,
        },
    ),
    Hearing(
        "directory",
        "provider",
        {
            ProviderApproved: _provider_approved,
            ProviderMerged: _provider_merged,
            ProviderRemoved: _provider_removed,
        },
    ),
    Hearing("directory", "office", {OfficeLive: _office_live, OfficeClosed: _office_closed}),
]
