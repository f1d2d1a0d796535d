"""Opening organizations, and inviting users."""

from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, mutation
from kit.ids import parse_id
from services.identity import actions, domain
from services.identity.actions import Person
from services.identity.domain import UserId
from services.identity.schema.inputs import RoleInput
from services.identity.schema.types import Advisory, Info, Organization, User


@strawberry.type(description="A new organization and its first client admin, who is invited.")
class OrganizationAdded:
    """OrganizationAdded."""

    organization: Organization
    client_admin: User
    advisory: Advisory | None


@strawberry.type(
    description="A user of the organization; somebody already known gets no second account."
)
class UserInvited:
    """UserInvited."""

    user: User
    advisory: Advisory | None


@strawberry.type(description="The user has a new temporary password by mail, good for 48 hours.")
class TemporaryPasswordReset:
    """TemporaryPasswordReset."""

    user_id: strawberry.ID


AddOrganizationResult = Annotated[
    OrganizationAdded | CommonProblems, strawberry.union("AddOrganizationResult")
]
InviteUserResult = Annotated[UserInvited | CommonProblems, strawberry.union("InviteUserResult")]
ResendInvitationResult = Annotated[
    User | CommonProblems, strawberry.union("ResendInvitationResult")
]
ResetTemporaryPasswordResult = Annotated[
    TemporaryPasswordReset | CommonProblems, strawberry.union("ResetTemporaryPasswordResult")
]


@strawberry.input
class PersonInput:
    """Somebody to invite."""

    email: str
    name: str


@strawberry.input
class AddOrganizationInput:
    """An organization; `timeZone` is an IANA name such as America/New_York."""

    name: str
    time_zone: str
    client_admin: PersonInput
    idempotency_key: str


@strawberry.input
class InviteUserInput:
    """Somebody to work for the organization, with roles to begin with."""

    email: str
    name: str
    roles: list[RoleInput] = strawberry.field(default_factory=list)
    idempotency_key: str


@strawberry.input
class ResendInvitationInput:
    """Whose invitation to send again."""

    user_id: strawberry.ID


@strawberry.input
class ResetTemporaryPasswordInput:
    """Whose, and why; the reason is kept."""

    user_id: strawberry.ID
    reason: str


@strawberry.type
class OrganizationMutation:
    """Organizations and their users."""

    @mutation
    async def add_organization(
        self, info: Info, input: AddOrganizationInput
    ) -> AddOrganizationResult:
        """Support opens an organization and invites its first client admin."""
        opened = await actions.add_organization(
            info.context.call,
            domain.line(input.name, "name"),
            domain.time_zone(input.time_zone),
            _person(input.client_admin.email, input.client_admin.name, "clientAdmin."),
            key=input.idempotency_key,
        )
        return OrganizationAdded(
            organization=Organization.of(opened.organization),
            client_admin=User.of(opened.client_admin),
            advisory=Advisory.of(opened.advisory),
        )

    @mutation
    async def invite_user(self, info: Info, input: InviteUserInput) -> InviteUserResult:
        """Invite somebody by address of mail. Client admins invite for any role, office admins staff for their own offices."""
        changed = await actions.invite_user(
            info.context.call,
            _person(input.email, input.name),
            actions.roles_for([one.asked() for one in input.roles]),
            key=input.idempotency_key,
        )
        return UserInvited(user=User.of(changed.user), advisory=Advisory.of(changed.advisory))

    @mutation
    async def resend_invitation(
        self, info: Info, input: ResendInvitationInput
    ) -> ResendInvitationResult:
        """Send an invitation's mail once more. What it holds lives no longer for that."""
        user_id = UserId(parse_id(input.user_id, "userId"))
        return User.of(await actions.resend_invitation(info.context.call, user_id))

    @mutation
    async def reset_temporary_password(
        self, info: Info, input: ResetTemporaryPasswordInput
    ) -> ResetTemporaryPasswordResult:
        """Support only: a new temporary password for somebody who has not confirmed yet; the one before is void."""
        user_id = UserId(parse_id(input.user_id, "userId"))
        await actions.reset_temporary_password(info.context.call, user_id, input.reason)
        return TemporaryPasswordReset(user_id=strawberry.ID(str(user_id)))


def _person(email: str, name: str, prefix: str = "") -> Person:
    return Person(domain.email(email, f"{prefix}email"), domain.line(name, f"{prefix}name"))
