"""Granting and revoking roles."""

from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, mutation
from kit.ids import parse_id
from services.identity import actions
from services.identity.domain import OfficeId, RoleWanted, UserId
from services.identity.schema.types import Advisory, Info, Role, User


@strawberry.type(description="The user has the role.")
class RoleGranted:
    """RoleGranted."""

    user: User
    advisory: Advisory | None


@strawberry.type(description="The user does not have the role.")
class RoleRevoked:
    """RoleRevoked."""

    user: User
    advisory: Advisory | None


GrantRoleResult = Annotated[RoleGranted | CommonProblems, strawberry.union("GrantRoleResult")]
RevokeRoleResult = Annotated[RoleRevoked | CommonProblems, strawberry.union("RevokeRoleResult")]


@strawberry.input
class GrantRoleInput:
    """A role for a user; OFFICE_ADMIN and OFFICE_STAFF for an office each."""

    user_id: strawberry.ID
    role: Role  # type: ignore[valid-type]
    office_id: strawberry.ID | None = None
    expected_version: int


@strawberry.input
class RevokeRoleInput:
    """A role to take back from a user."""

    user_id: strawberry.ID
    role: Role  # type: ignore[valid-type]
    office_id: strawberry.ID | None = None
    expected_version: int


@strawberry.type
class RoleMutation:
    """Roles."""

    @mutation
    async def grant_role(self, info: Info, input: GrantRoleInput) -> GrantRoleResult:
        """Grant a role. Client admins grant any, office admins OFFICE_STAFF at their own offices."""
        changed = await actions.grant_role(
            info.context.call, _user(input), _wanted(input), input.expected_version
        )
        return RoleGranted(user=User.of(changed.user), advisory=Advisory.of(changed.advisory))

    @mutation
    async def revoke_role(self, info: Info, input: RevokeRoleInput) -> RevokeRoleResult:
        """Take a role back, by whoever may grant it."""
        changed = await actions.revoke_role(
            info.context.call, _user(input), _wanted(input), input.expected_version
        )
        return RoleRevoked(user=User.of(changed.user), advisory=Advisory.of(changed.advisory))


def _user(input: GrantRoleInput | RevokeRoleInput) -> UserId:
    return UserId(parse_id(input.user_id, "userId"))


def _wanted(input: GrantRoleInput | RevokeRoleInput) -> RoleWanted:
    office = OfficeId(parse_id(input.office_id, "officeId")) if input.office_id else None
    return RoleWanted(input.role, office)
