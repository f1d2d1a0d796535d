"""What can be read of identity."""

from enum import StrEnum
from uuid import UUID

import strawberry

from kit.audit.graph import audit_field
from kit.auth import ANONYMOUS
from kit.graphql import Connection, after_name, connection, page_of
from kit.ids import parse_id
from services.identity import domain, policy, store
from services.identity.domain import OrganizationId, UserId
from services.identity.schema.types import (
    Info,
    Organization,
    Partner,
    User,
    load_organization,
    load_user,
)


@strawberry.type(description="Whoever is signed in.")
class Viewer:
    """The viewer and what the viewer may do."""

    id: strawberry.ID
    name: str
    email: str
    support: bool
    organization_id: strawberry.Private[UUID | None]

    @strawberry.field
    async def user(self, info: Info) -> User | None:
        """The viewer as a user of the organization; null for support staff, who belong to none."""
        return await load_user(info, UUID(self.id)) if self.organization_id else None

    @strawberry.field
    async def organization(self, info: Info) -> Organization | None:
        """The organization the viewer acts in."""
        return await load_organization(info, self.organization_id) if self.organization_id else None

    @strawberry.field
    def allowed_actions(self, info: Info) -> list["ViewerAction"]:
        """What the viewer may do now, besides what things themselves list."""
        return [ViewerAction.ADD_ORGANIZATION] if info.context.call.viewer.support else []


@strawberry.enum
class ViewerAction(StrEnum):
    """What a viewer may do that belongs to no thing yet."""

    ADD_ORGANIZATION = "ADD_ORGANIZATION"


@strawberry.type
class Query:
    """Users are seen within their organization. Support reads any organization, by naming it."""

    identity_audit = audit_field(
        "identity", user=User, permit=policy.permit_audit, person=load_user
    )

    @strawberry.field
    async def viewer(self, info: Info) -> Viewer | None:
        """Whoever is signed in; null when nobody is."""
        viewer = info.context.call.viewer
        if viewer == ANONYMOUS:
            return None
        user_id = viewer.require_user()
        async with info.context.call.db.reading() as tx:
            account = await store.account(tx, UserId(user_id))
        if account is None:
            return None
        return Viewer(
            id=strawberry.ID(str(user_id)),
            name=account.name,
            email=account.email,
            support=viewer.support,
            organization_id=viewer.organization_id,
        )

    @strawberry.field
    async def organization(
        self, info: Info, id: strawberry.ID | None = None
    ) -> Organization | None:
        """The viewer's own organization; for support any, by id."""
        viewer = info.context.call.viewer
        if id is None:
            return await load_organization(info, viewer.require_organization())
        viewer.require_user()
        return await load_organization(info, parse_id(id, "id"))

    @strawberry.field
    async def organizations(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[Organization]:
        """All organizations by name, for support."""
        policy.permit_support(info.context.call.viewer)
        page = page_of(first, after)
        async with info.context.call.db.reading() as tx:
            found = await store.organizations_page(tx, after_name(page), page.limit + 1)
        return connection(found, page, key=lambda one: (one.name, one.id), node=Organization.of)

    @strawberry.field
    async def users(
        self,
        info: Info,
        organization_id: strawberry.ID | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[User]:
        """The users of the viewer's organization by name, deactivated ones included; for support of any, by id."""
        here = policy.scope(info.context.call.viewer, _organization(organization_id))
        page = page_of(first, after)
        call = info.context.call
        async with call.db.within(call.viewer, here).reading() as tx:
            found = await store.users_page(tx, here, after_name(page), page.limit + 1)
        return connection(found, page, key=_user_key, node=User.of)

    @strawberry.field
    async def user(
        self, info: Info, id: strawberry.ID, organization_id: strawberry.ID | None = None
    ) -> User | None:
        """A user of the viewer's organization; for support of any, by naming it."""
        return await load_user(info, parse_id(id, "id"), _organization(organization_id))

    @strawberry.field
    async def partners(self, info: Info) -> list[Partner]:
        """The organization's partner systems, for client admins."""
        here = policy.permit_partners(info.context.call.viewer)
        async with info.context.call.db.reading() as tx:
            return [Partner.of(one) for one in await store.partners_of(tx, here)]


def _user_key(user: domain.User) -> tuple[str, UUID]:
    return (user.name, user.id)


def _organization(text: str | None) -> OrganizationId | None:
    return OrganizationId(parse_id(text, "organizationId")) if text else None
