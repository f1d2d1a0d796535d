"""What can be read of the directory."""

import strawberry

from kit.audit.graph import audit_field
from kit.graphql import Connection, after_moment, connection, described, page_of
from kit.ids import parse_id
from services.directory import policy, store
from services.directory.schema import loading
from services.directory.schema.organization import (
    ProvidersFilter,
    list_groups,
    list_offices,
    list_providers,
    scope,
)
from services.directory.schema.searching import SearchQuery
from services.directory.schema.suggestions import GroupSuggestion
from services.directory.schema.things import Group, Office, Provider
from services.directory.schema.words import (
    DirectorySettings,
    GroupState,
    Info,
    OfficeState,
    Specialty,
    User,
)
from services.directory.store.offices import OfficeFilter

_SCOPE = "By name. Those of the viewer's organization; with `network`, what everybody may find."


@strawberry.type
class Query(SearchQuery):
    """The directory is open to every signed-in user of the network; what is in the making, to its organization."""

    @strawberry.field
    async def provider(self, info: Info, id: strawberry.ID) -> Provider | None:
        """A provider by id."""
        row = await loading.provider(info, parse_id(id, "id"))
        return Provider.of(row) if row else None

    @strawberry.field
    async def office(self, info: Info, id: strawberry.ID) -> Office | None:
        """An office by id."""
        row = await loading.office(info, parse_id(id, "id"))
        return Office.of(row) if row else None

    @strawberry.field
    async def group(self, info: Info, id: strawberry.ID) -> Group | None:
        """A group by id."""
        row = await loading.group(info, parse_id(id, "id"))
        return Group.of(row) if row else None

    @described(_SCOPE)
    async def providers(
        self,
        info: Info,
        filter: ProvidersFilter | None = None,
        network: bool = False,  # noqa: FBT001, FBT002 - a GraphQL argument
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[Provider]:
        """Providers."""
        whose = scope(info, network=network)
        return await list_providers(info, whose, filter or ProvidersFilter(), first, after)

    @described(_SCOPE)
    async def offices(
        self,
        info: Info,
        name: str = "",
        state: OfficeState | None = None,  # type: ignore[valid-type]
        network: bool = False,  # noqa: FBT001, FBT002 - a GraphQL argument
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[Office]:
        """Offices."""
        wanted = OfficeFilter(scope(info, network=network), name, state)
        return await list_offices(info, wanted, first, after)

    @described(_SCOPE)
    async def groups(
        self,
        info: Info,
        state: GroupState | None = None,  # type: ignore[valid-type]
        network: bool = False,  # noqa: FBT001, FBT002 - a GraphQL argument
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[Group]:
        """Groups."""
        return await list_groups(info, scope(info, network=network), state, first, after)

    @described(
        "The organization's open suggestions, oldest first; those that are put off only with `snoozed` (R20)."
    )
    async def group_suggestions(
        self,
        info: Info,
        office_id: strawberry.ID | None = None,
        snoozed: bool = False,  # noqa: FBT001, FBT002 - a GraphQL argument
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[GroupSuggestion]:
        """Groups that might be added."""
        page, call = page_of(first, after), info.context.call
        at = parse_id(office_id, "officeId") if office_id else None
        wanted = store.suggestions.Wanted(at, call.clock.now(), snoozed)
        async with call.db.reading() as tx:
            rows = await store.suggestions.page(
                tx, policy.acting(call.viewer), wanted, after_moment(page), page.limit + 1
            )
        return connection(
            rows,
            page,
            key=lambda row: (row.raised_at.isoformat(), row.id),
            node=GroupSuggestion.of,
        )

    directory_audit = audit_field("directory", user=User, permit=policy.permit_audit)

    @strawberry.field
    async def specialties(self, info: Info) -> list[Specialty]:
        """Every specialty the directory knows, by name."""
        policy.permit_reading(info.context.call.viewer)
        async with info.context.call.db.reading() as tx:
            return [Specialty.of(row) for row in await store.catalogue.specialties(tx)]

    @strawberry.field
    async def directory_settings(self, info: Info) -> DirectorySettings:
        """What the viewer's organization has decided."""
        organization_id = policy.acting(info.context.call.viewer)
        async with info.context.call.db.reading() as tx:
            return DirectorySettings.of(await store.catalogue.settings_seen(tx, organization_id))
