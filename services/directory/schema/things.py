"""Providers, offices, placements and groups, as GraphQL tells them."""

from collections.abc import Callable
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar
from uuid import UUID

import strawberry

from kit.graphql import Connection, after_key, connection, described, page_of
from kit.ids import parse_id
from services.directory import policy
from services.directory.domain import nouns
from services.directory.schema import loading
from services.directory.schema.making import ProviderMaking
from services.directory.schema.office_life import OfficeLife
from services.directory.schema.words import (
    Address,
    Coordinates,
    Gender,
    GroupAction,
    GroupOverride,
    GroupState,
    Info,
    LocatedBy,
    NpiStatus,
    OfficeAction,
    OfficeState,
    PlacementAction,
    PlacementState,
    ProviderAction,
    ProviderState,
    Specialty,
    User,
    id_of,
)

if TYPE_CHECKING:
    from services.directory.schema.organization import Organization

T = TypeVar("T")

_HOME = "services.directory.schema.organization"
_Organization: TypeAlias = Annotated["Organization", strawberry.lazy(_HOME)]


def organization(organization_id: UUID) -> "Organization":
    """The organization a thing belongs to."""
    from services.directory.schema.organization import Organization  # noqa: PLC0415 - it lists these

    return Organization(id=id_of(organization_id))


def shown(kind: Callable[..., T], row: Any) -> T:  # noqa: ANN401 - the noun that the kind shows
    """A noun as GraphQL tells it: the fields it declares are those of the noun."""
    declared = {one.name for one in fields(kind) if one.init} - {"id", "row"}  # type: ignore[arg-type]
    return kind(id=id_of(row.id), row=row, **{name: getattr(row, name) for name in declared})


@strawberry.federation.type(keys=["id"], description="A person who gives care.")
class Provider(ProviderMaking):
    """Provider. What concerns its making (reasons, pending change) is shown within its organization only."""

    id: strawberry.ID
    npi: str | None
    first_name: str
    last_name: str
    name: str = strawberry.field(description="As people say it.")
    credential: str
    phone: str
    languages: list[str] = strawberry.field(description="ISO 639 codes, the best one first.")
    gender: Gender | None  # type: ignore[valid-type]
    npi_status: NpiStatus = strawberry.field(  # type: ignore[valid-type]
        description="What the national register says of the NPI; a deactivated one cannot be approved (R11)."
    )
    npi_deactivated_on: date | None
    npi_replaced_by: str | None = strawberry.field(
        description="The NPI that the register has put in the place of a deactivated one."
    )
    state: ProviderState  # type: ignore[valid-type]
    version: int

    @described("The primary one first.")
    async def specialties(self, info: Info) -> list[Specialty]:
        """What the provider does."""
        rows = await loading.specialties(info, self.row.specialty_codes)
        return [Specialty.of(row) for row in rows]

    @described("Oldest first. Those of other organizations: where the provider sees patients now.")
    async def placements(self, info: Info) -> list["Placement"]:
        """Where the provider works."""
        rows = await loading.placements_of_provider(info, self.row.id)
        return [Placement.of(row) for row in rows]

    @strawberry.field
    async def groups(self, info: Info) -> list["Group"]:
        """The groups of which the provider is a member."""
        return [Group.of(row) for row in await loading.groups_of_provider(info, self.row.id)]

    @strawberry.field
    async def allowed_actions(self, info: Info) -> list[ProviderAction]:  # type: ignore[valid-type]
        """What the viewer may do with the provider now."""
        if not self._own(info):
            return []
        offices = await loading.offices_of_provider(info, self.row.id)
        return list(policy.provider_actions(info.context.call.viewer, self.row, offices))

    @strawberry.field
    def organization(self) -> _Organization | None:
        """The organization the provider belongs to."""
        return organization(self.row.organization_id)

    @classmethod
    def of(cls, row: nouns.Provider) -> "Provider":
        """As GraphQL tells it."""
        return shown(cls, row)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Provider | None":
        """A provider another subgraph names."""
        row = await loading.provider(info, parse_id(id, "id"))
        return cls.of(row) if row else None


@strawberry.federation.type(keys=["id"], description="A place where care is given.")
class Office(OfficeLife):
    """Office."""

    id: strawberry.ID
    name: str
    phone: str
    time_zone: str = strawberry.field(description="IANA name; its days follow it.")
    go_live_on: date
    group_only: bool = strawberry.field(
        description="It receives for groups only and may go live without a provider of its own."
    )
    state: OfficeState  # type: ignore[valid-type]
    closes_on: date | None = strawberry.field(
        description="The first day without it, once its closing is planned (R19)."
    )
    cut_off_on: date | None = strawberry.field(
        description="From this day on nothing is sent to it (R19)."
    )
    version: int

    @strawberry.field
    def address(self) -> Address:
        """Where it is."""
        one = self.row.address
        return Address(
            line1=one.line1,
            line2=one.line2,
            city=one.city,
            region=one.region,
            postal_code=one.postal_code,
        )

    @described("Where it is, in degrees; null while its place is not known.")
    def coordinates(self) -> Coordinates | None:
        """As given, or the middle of its postal code."""
        at = self.row.point
        return Coordinates(latitude=at.latitude, longitude=at.longitude) if at else None

    @described("How its coordinates are known; null: they are not.")
    def located_by(self) -> LocatedBy | None:  # type: ignore[valid-type]
        """Given coordinates win."""
        return self.row.located_by

    @strawberry.field
    async def placements(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection["Placement"]:
        """Who works there, oldest placement first."""
        page = page_of(first, after)
        after_day = after_key(page, date.fromisoformat, UUID)
        rows = await loading.placements_of_office(info, self.row.id)
        rest = [row for row in rows if after_day is None or _placement_key(row) > after_day]
        return connection(rest, page, key=_placement_key, node=Placement.of)

    @strawberry.field
    async def groups(self, info: Info) -> list["Group"]:
        """The groups that receive or send there."""
        return [Group.of(row) for row in await loading.groups_of_office(info, self.row.id)]

    @strawberry.field
    def allowed_actions(self, info: Info) -> list[OfficeAction]:  # type: ignore[valid-type]
        """What the viewer may do with the office now."""
        return list(policy.office_actions(info.context.call.viewer, self.row))

    @strawberry.field
    def organization(self) -> _Organization | None:
        """The organization the office belongs to."""
        return organization(self.row.organization_id)

    @classmethod
    def of(cls, row: nouns.Office) -> "Office":
        """As GraphQL tells it."""
        return shown(cls, row)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Office | None":
        """An office another subgraph names."""
        row = await loading.office(info, parse_id(id, "id"))
        return cls.of(row) if row else None


def _placement_key(row: nouns.Placement) -> tuple[date, UUID]:
    return (row.effective_from, row.id)


@strawberry.type(
    description="A provider works at an office, from a day until the day after the last."
)
class Placement:
    """Placement."""

    id: strawberry.ID
    effective_from: date
    effective_until: date | None = strawberry.field(
        description="The day after the last; null: no end. Equal to effectiveFrom when it never began."
    )
    accepting_new_patients: bool
    version: int
    row: strawberry.Private[nouns.Placement]

    @strawberry.field
    async def provider(self, info: Info) -> Provider | None:
        """Who works there."""
        row = await loading.provider(info, self.row.provider_id)
        return Provider.of(row) if row else None

    @strawberry.field
    async def office(self, info: Info) -> Office | None:
        """Where."""
        row = await loading.office(info, self.row.office_id)
        return Office.of(row) if row else None

    @described("PENDING until the provider is approved.")
    async def state(self, info: Info) -> PlacementState | None:  # type: ignore[valid-type]
        """How it stands on the office's day."""
        at = await loading.office(info, self.row.office_id)
        who = await loading.provider(info, self.row.provider_id)
        return self.row.state(loading.today(info, at), who.state) if at and who else None

    @strawberry.field
    async def allowed_actions(self, info: Info) -> list[PlacementAction]:  # type: ignore[valid-type]
        """What the viewer may do with it now."""
        at = await loading.office(info, self.row.office_id)
        viewer = info.context.call.viewer
        if at is None:
            return []
        return list(policy.placement_actions(viewer, self.row, loading.today(info, at)))

    @classmethod
    def of(cls, row: nouns.Placement) -> "Placement":
        """As GraphQL tells it."""
        return shown(cls, row)


@strawberry.federation.type(
    keys=["id"], description="Providers who receive or send referrals together."
)
class Group:
    """Group."""

    id: strawberry.ID
    name: str
    state: GroupState = strawberry.field(  # type: ignore[valid-type]
        description="INCOMPLETE until a confirmed user works for it (R23), or support lets it take part (R25)."
    )
    may_send: bool
    may_receive: bool
    version: int
    row: strawberry.Private[nouns.Group]

    @strawberry.field
    async def offices(self, info: Info) -> list[Office]:
        """Where it receives and sends."""
        return [Office.of(row) for row in await loading.offices(info, self.row.office_ids)]

    @strawberry.field
    async def providers(self, info: Info) -> list[Provider]:
        """Its members."""
        return [Provider.of(row) for row in await loading.providers(info, self.row.provider_ids)]

    @described("Shown within the organization only.")
    def staff(self, info: Info) -> list[User | None]:
        """The users who work for it."""
        own = policy.is_own(info.context.call.viewer, self.row.organization_id)
        return [User(id=id_of(one)) for one in self.row.staff_user_ids] if own else []

    @described(
        "Who of support lets it take part though nobody who has confirmed works for it, since when and why; null when nobody does."
        " Shown within the organization only (R25)."
    )
    def override(self, info: Info) -> GroupOverride | None:
        """Until it is taken back, or somebody works for it."""
        own = policy.is_own(info.context.call.viewer, self.row.organization_id)
        return GroupOverride.of(self.row) if own else None

    @strawberry.field
    def allowed_actions(self, info: Info) -> list[GroupAction]:  # type: ignore[valid-type]
        """What the viewer may do with the group now."""
        return list(policy.group_actions(info.context.call.viewer, self.row))

    @strawberry.field
    def organization(self) -> _Organization | None:
        """The organization the group belongs to."""
        return organization(self.row.organization_id)

    @classmethod
    def of(cls, row: nouns.Group) -> "Group":
        """As GraphQL tells it."""
        return shown(cls, row)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Group | None":
        """A group another subgraph names."""
        row = await loading.group(info, parse_id(id, "id"))
        return cls.of(row) if row else None
