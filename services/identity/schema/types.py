"""The things of identity, as GraphQL tells them."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from kit.auth import Stage
from kit.graphql import Context, described, in_order
from kit.ids import parse_id
from services.identity import domain, policy, store
from services.identity.actions import Means
from services.identity.domain import OrganizationId
from services.identity.domain.provisioning import proposed

Info: TypeAlias = strawberry.Info[Context[Means], None]

Role = strawberry.enum(domain.Role, name="Role")
UserStatus = strawberry.enum(domain.Status, name="UserStatus")
UserAction = strawberry.enum(domain.UserAction, name="UserAction")
OrganizationAction = strawberry.enum(domain.OrganizationAction, name="OrganizationAction")
PartnerAction = strawberry.enum(domain.PartnerAction, name="PartnerAction")
LetterState = strawberry.enum(domain.LetterState, name="LetterState")
SessionStage = strawberry.enum(Stage, name="SessionStage")


@strawberry.federation.type(keys=["id"], description="A customer of the suite.")
class Organization:
    """Organization."""

    id: strawberry.ID
    name: str
    time_zone: str = strawberry.field(description="IANA name; days and weeks follow it.")
    added_at: datetime
    version: int
    row: strawberry.Private[domain.Organization]

    @strawberry.field
    def allowed_actions(self, info: Info) -> list[OrganizationAction]:  # type: ignore[valid-type]
        """What the viewer may do in it now."""
        return list(policy.organization_actions(info.context.call.viewer, self.row))

    @described(
        "Advice about the number of client admins, for them and for support; null when it is right."
    )
    async def client_admin_advice(self, info: Info) -> "Advisory | None":
        """R01."""
        call = info.context.call
        if not policy.may_see_advice(call.viewer, self.row.id):
            return None
        async with call.db.within(call.viewer, self.row.id).reading() as tx:
            found = await store.client_admins(tx, self.row.id)
        return Advisory.of(domain.advice(len(found)))

    @classmethod
    def of(cls, row: domain.Organization) -> "Organization":
        """As GraphQL tells it."""
        return cls(
            id=_id(row.id),
            name=row.name,
            time_zone=row.time_zone,
            added_at=row.added_at,
            version=row.version,
            row=row,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Organization | None":
        """An organization another subgraph names: whoever may see that thing may read whose it is."""
        if not policy.may_read_names(info.context.call.viewer):
            return None
        return await _organization(info, parse_id(id, "id"))


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class Office:
    """An office of directory."""

    id: strawberry.ID


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class Provider:
    """A provider of directory."""

    id: strawberry.ID


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class Group:
    """A group of directory."""

    id: strawberry.ID


@strawberry.type(description="A role a user has.")
class Grant:
    """Grant."""

    role: Role  # type: ignore[valid-type]
    office: Office | None = strawberry.field(
        description="Where, for office admins, office staff and insurance managers of an office; null: in the whole organization."
    )
    provider: Provider | None = strawberry.field(
        description="Whose record is about the user, for the role PROVIDER."
    )
    granted_at: datetime
    expires_at: datetime | None = strawberry.field(
        description="When it ends by itself; null: it does not."
    )

    @classmethod
    def of(cls, row: domain.Grant) -> "Grant":
        """As GraphQL tells it."""
        return cls(
            role=row.role,
            office=Office(id=_id(row.office_id)) if row.office_id else None,
            provider=Provider(id=_id(row.provider_id)) if row.provider_id else None,
            granted_at=row.granted_at,
            expires_at=row.expires_at,
        )


@strawberry.type(description="A role that could be granted.")
class WantedRole:
    """WantedRole."""

    role: Role  # type: ignore[valid-type]
    office: Office | None
    provider: Provider | None
    expires_at: datetime | None

    @classmethod
    def of(cls, row: domain.RoleWanted) -> "WantedRole":
        """As GraphQL tells it."""
        return cls(
            role=row.role,
            office=Office(id=_id(row.office_id)) if row.office_id else None,
            provider=Provider(id=_id(row.provider_id)) if row.provider_id else None,
            expires_at=row.expires_at,
        )


@strawberry.federation.type(
    keys=["id"], description="A person who signs in, as seen within the viewer's organization."
)
class User:
    """User."""

    id: strawberry.ID
    name: str
    title: str | None = strawberry.field(
        description="What the user is called in the organization, such as Practice manager."
    )
    version: int = strawberry.field(
        description="Moves with every change of the user or the user's roles here."
    )
    row: strawberry.Private[domain.User]

    @described("Shown to the user, to admins and to support; null for others.")
    def email(self, info: Info) -> str | None:
        """The address of mail."""
        return self.row.email if self._contact(info) else None

    @strawberry.field
    def status(self, info: Info) -> UserStatus:  # type: ignore[valid-type]
        """Where the user stands now."""
        return self.row.status(info.context.call.clock.now())

    @described("Since when the user is expected; null once they came, and for who may not see it.")
    def invited_at(self, info: Info) -> datetime | None:
        """R04."""
        waiting = self.row.active and not self.row.confirmed
        return self.row.invited_at if waiting and self._contact(info) else None

    @described("The last sign-in here, for admins and support; null: never.")
    def signed_in_at(self, info: Info) -> datetime | None:
        """R07."""
        return self.row.signed_in_at if self._contact(info) else None

    @described("Hours, rounded up, in which the invitation can be taken; null once it was.")
    def invitation_hours_left(self, info: Info) -> int | None:
        """R04."""
        now = info.context.call.clock.now()
        return self.row.invitation_hours_left(now) if self._contact(info) else None

    @described("Where the invitation's mail is; BOUNCED: its server refused it for good.")
    def invitation_mail(self, info: Info) -> LetterState | None:  # type: ignore[valid-type]
        """R03."""
        return self.row.letter_state if self._contact(info) else None

    @strawberry.field
    def grants(self) -> list[Grant]:
        """The roles the user has."""
        return [Grant.of(one) for one in self.row.grants]

    @described(
        "What a deactivated user had, for whoever may give it again; none of it comes back by itself."
    )
    async def proposed_roles(self, info: Info) -> list[WantedRole]:
        """R07."""
        call = info.context.call
        if self.row.active or not self._contact(info):
            return []
        previous = await self._previous(info)
        return [WantedRole.of(one) for one in proposed(previous, call.clock.now())]

    @strawberry.field
    async def organization(self, info: Info) -> Organization | None:
        """The organization the user is seen in."""
        return await load_organization(info, self.row.organization_id)

    @strawberry.field
    async def allowed_actions(self, info: Info) -> list[UserAction]:  # type: ignore[valid-type]
        """What the viewer may do about the user now."""
        call, previous = info.context.call, list[domain.Grant]()
        if not self.row.active and call.viewer.office_admin_of:
            previous = await self._previous(info)
        return list(policy.user_actions(call.viewer, self.row, call.clock.now(), previous))

    async def _previous(self, info: Info) -> list[domain.Grant]:
        call = info.context.call
        async with call.db.within(call.viewer, self.row.organization_id).reading() as tx:
            return await store.previous_grants(tx, self.row)

    def _contact(self, info: Info) -> bool:
        return policy.may_see_contact(info.context.call.viewer, self.row)

    @classmethod
    def of(cls, row: domain.User) -> "User":
        """As GraphQL tells it."""
        return cls(id=_id(row.id), name=row.name, title=row.title, version=row.version, row=row)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "User | None":
        """A user another subgraph names."""
        return await load_user(info, parse_id(id, "id"))


@strawberry.type(description="A partner system that hears the organization's facts on NATS.")
class Partner:
    """Partner."""

    id: strawberry.ID
    name: str
    public_key: str = strawberry.field(description="The key it signs in to NATS with.")
    durable: str = strawberry.field(description="Its consumer on the stream EVENTS.")
    added_at: datetime
    removed_at: datetime | None
    version: int
    row: strawberry.Private[domain.Partner]

    @strawberry.field
    def allowed_actions(self, info: Info) -> list[PartnerAction]:  # type: ignore[valid-type]
        """What the viewer may do about it now."""
        return list(policy.partner_actions(info.context.call.viewer, self.row))

    @classmethod
    def of(cls, row: domain.Partner) -> "Partner":
        """As GraphQL tells it."""
        return cls(
            id=_id(row.id),
            name=row.name,
            public_key=row.public_key,
            durable=row.durable,
            added_at=row.added_at,
            removed_at=row.removed_at,
            version=row.version,
            row=row,
        )


@strawberry.type(description="A word of advice that comes with a success.")
class Advisory:
    """Advisory."""

    code: str
    message: str
    client_admins: int = strawberry.field(description="How many client admins there are now.")

    @classmethod
    def of(cls, advisory: domain.Advisory | None) -> "Advisory | None":
        """As GraphQL tells it."""
        if advisory is None:
            return None
        return cls(
            code=advisory.code, message=advisory.message, client_admins=advisory.client_admins
        )


async def load_organization(info: Info, organization_id: UUID) -> Organization | None:
    """An organization the viewer may see; None for any other, exactly as for one that never was."""
    if not policy.may_see_organization(info.context.call.viewer, OrganizationId(organization_id)):
        return None
    return await _organization(info, organization_id)


async def _organization(info: Info, organization_id: UUID) -> Organization | None:
    """An organization, batched."""
    call = info.context.call

    async def load(ids: list[UUID]) -> list[domain.Organization | None]:
        async with call.db.reading() as tx:
            return in_order(ids, await store.organizations_by_id(tx, ids))

    found = await info.context.loader("organizations", load).load(organization_id)
    return Organization.of(found) if found else None


async def load_user(
    info: Info, user_id: UUID, organization_id: OrganizationId | None = None
) -> User | None:
    """A user of the organization the read is about, batched; None for any other, exactly as for one that never was. Support
    names the organization; without one they find nobody."""
    call = info.context.call
    if call.viewer.support and organization_id is None and call.viewer.organization_id is None:
        call.viewer.require_user()
        return None
    here = policy.scope(call.viewer, organization_id)

    async def load(ids: list[UUID]) -> list[domain.User | None]:
        async with call.db.within(call.viewer, here).reading() as tx:
            return in_order(ids, await store.users_by_id(tx, here, ids))

    found = await info.context.loader(f"users of {here}", load).load(user_id)
    return User.of(found) if found else None


def _id(value: UUID) -> strawberry.ID:
    return strawberry.ID(str(value))
