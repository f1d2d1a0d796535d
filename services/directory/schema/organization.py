"""An organization's part of the directory, and the lists of it."""

from uuid import UUID

import strawberry

from kit.graphql import Connection, after_key, after_name, connection, described, page_of
from kit.ids import parse_id
from services.directory import policy, store
from services.directory.domain import nouns, profiles
from services.directory.schema.things import Group, Office, Provider
from services.directory.schema.words import GroupState, Info, OfficeState, ProviderState
from services.directory.store.offices import OfficeFilter
from services.directory.store.providers import ProviderFilter, SortKey

MOST_TEXT = 100


@strawberry.input(description="Which providers are wanted; what is left out does not matter.")
class ProvidersFilter:
    """ProvidersFilter."""

    name: str | None = strawberry.field(default=None, description="Part of the name.")
    specialty_code: str | None = None
    office_id: strawberry.ID | None = strawberry.field(
        default=None, description="Who works there now or later."
    )
    state: ProviderState | None = None  # type: ignore[valid-type]
    without_office: bool = strawberry.field(
        default=False, description="Who works nowhere, now or later (R06)."
    )


def scope(info: Info, *, network: bool) -> nouns.OrganizationId | None:
    """The viewer's organization, or None for what the whole network may see."""
    viewer = info.context.call.viewer
    policy.permit_reading(viewer)
    return None if network else policy.acting(viewer)


async def list_providers(
    info: Info,
    organization_id: nouns.OrganizationId | None,
    wanted: ProvidersFilter,
    first: int | None,
    after: str | None,
) -> Connection[Provider]:
    """Providers by name."""
    page = page_of(first, after)
    position: SortKey | None = after_key(page, str, str, UUID)
    filter_ = ProviderFilter(
        organization_id=organization_id,
        name=profiles.clean_text(wanted.name or "", "name", MOST_TEXT, least=0),
        specialty_code=wanted.specialty_code,
        office_id=nouns.OfficeId(parse_id(wanted.office_id, "officeId"))
        if wanted.office_id
        else None,
        state=wanted.state,
        without_office=wanted.without_office,
    )
    call = info.context.call
    async with call.db.reading() as tx:
        rows = await store.providers.page(
            tx, filter_, position, page.limit + 1, now=call.clock.now()
        )
    return connection(
        rows, page, key=lambda row: (row.last_name, row.first_name, row.id), node=Provider.of
    )


async def list_offices(
    info: Info, wanted: OfficeFilter, first: int | None, after: str | None
) -> Connection[Office]:
    """Offices by name."""
    page = page_of(first, after)
    async with info.context.call.db.reading() as tx:
        rows = await store.offices.page(tx, wanted, after_name(page), page.limit + 1)
    return connection(rows, page, key=lambda row: (row.name, row.id), node=Office.of)


async def list_groups(
    info: Info,
    organization_id: nouns.OrganizationId | None,
    state: nouns.GroupState | None,
    first: int | None,
    after: str | None,
) -> Connection[Group]:
    """Groups by name."""
    page = page_of(first, after)
    async with info.context.call.db.reading() as tx:
        rows = await store.groups.page(tx, organization_id, state, after_name(page), page.limit + 1)
    return connection(rows, page, key=lambda row: (row.name, row.id), node=Group.of)


@strawberry.federation.type(keys=["id"])
class Organization:
    """An organization of identity, with its part of the directory; its own users see it."""

    id: strawberry.ID

    @described("By name. For users of the organization.")
    async def providers(
        self,
        info: Info,
        filter: ProvidersFilter | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[Provider] | None:
        """Its providers."""
        wanted = filter or ProvidersFilter()
        return await list_providers(info, self._own(info), wanted, first, after)

    @described("By name. For users of the organization.")
    async def offices(
        self,
        info: Info,
        state: OfficeState | None = None,  # type: ignore[valid-type]
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[Office] | None:
        """Its offices."""
        wanted = OfficeFilter(self._own(info), state=state)
        return await list_offices(info, wanted, first, after)

    @described("By name. For users of the organization.")
    async def groups(
        self,
        info: Info,
        state: GroupState | None = None,  # type: ignore[valid-type]
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[Group] | None:
        """Its groups."""
        return await list_groups(info, self._own(info), state, first, after)

    def _own(self, info: Info) -> nouns.OrganizationId:
        organization_id = nouns.OrganizationId(parse_id(self.id, "id"))
        policy.require_own(info.context.call.viewer, organization_id)
        return organization_id

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Organization":
        """An organization another subgraph names; what is shown of it is decided field by field."""
        return cls(id=id)
