"""Granting, revoking and copying roles."""

from datetime import datetime
from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, StalePreviewProblem, mutation
from kit.ids import parse_id
from services.identity import actions
from services.identity.actions import CopyShown
from services.identity.domain import RoleWanted, UserId
from services.identity.domain.provisioning import NotCopied as NotCopiedBecause
from services.identity.schema.inputs import (
    AsSupportInput,
    RoleInput,
    SoleCoverageProblem,
    as_support,
    handover,
)
from services.identity.schema.types import Advisory, Info, Role, User, WantedRole

NotCopied = strawberry.enum(NotCopiedBecause, name="NotCopied")


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


@strawberry.type(description="The user has what the other had.")
class RolesCopied:
    """RolesCopied."""

    user: User


@strawberry.type(description="A role that is not copied, and why.")
class RoleLeftOut:
    """RoleLeftOut."""

    role: WantedRole
    because: NotCopied  # type: ignore[valid-type]


@strawberry.type(
    description="What copying one user's roles to another would add. Nothing is ever taken away by it."
)
class RoleCopyPreview:
    """RoleCopyPreview."""

    added: list[WantedRole]
    left_out: list[RoleLeftOut]
    token: str = strawberry.field(description="Give it to copyRoles.")

    @classmethod
    def of(cls, shown: CopyShown) -> "RoleCopyPreview":
        """As GraphQL tells it."""
        return cls(
            added=[WantedRole.of(one) for one in shown.copying.added],
            left_out=[
                RoleLeftOut(role=WantedRole.of(one), because=because)
                for one, because in shown.copying.left_out
            ],
            token=shown.token,
        )


GrantRoleResult = Annotated[RoleGranted | CommonProblems, strawberry.union("GrantRoleResult")]
RevokeRoleResult = Annotated[
    RoleRevoked | SoleCoverageProblem | CommonProblems, strawberry.union("RevokeRoleResult")
]
CopyRolesResult = Annotated[
    RolesCopied | StalePreviewProblem | CommonProblems, strawberry.union("CopyRolesResult")
]


@strawberry.input
class GrantRoleInput:
    """A role for a user; OFFICE_ADMIN and OFFICE_STAFF for an office each, INSURANCE_MANAGER for an office or, without one, for the whole
    organization, PROVIDER for a provider; OFFICE_ADMIN and INSURANCE_MANAGER of an office if wanted until a moment."""

    user_id: strawberry.ID
    role: Role  # type: ignore[valid-type]
    office_id: strawberry.ID | None = None
    provider_id: strawberry.ID | None = None
    expires_at: datetime | None = None
    expected_version: int
    as_support: AsSupportInput | None = None


@strawberry.input
class RevokeRoleInput:
    """A role to take back from a user. An office that nobody would cover then must be acknowledged, and goes to a successor, who
    becomes OFFICE_STAFF there."""

    user_id: strawberry.ID
    role: Role  # type: ignore[valid-type]
    office_id: strawberry.ID | None = None
    provider_id: strawberry.ID | None = None
    expected_version: int
    acknowledge_uncovered: bool = False
    successor_id: strawberry.ID | None = None
    as_support: AsSupportInput | None = None


@strawberry.input
class CopyRolesInput:
    """From whom to whom, as the preview showed it."""

    from_user_id: strawberry.ID
    to_user_id: strawberry.ID
    token: str


@strawberry.type
class RoleQuery:
    """What could be copied."""

    @strawberry.field
    async def role_copy_preview(
        self, info: Info, from_user_id: strawberry.ID, to_user_id: strawberry.ID
    ) -> RoleCopyPreview:
        """What copying the roles of one user to another would add, and what it would not. For client admins."""
        source = UserId(parse_id(from_user_id, "fromUserId"))
        target = UserId(parse_id(to_user_id, "toUserId"))
        return RoleCopyPreview.of(await actions.preview_copy(info.context.call, source, target))


@strawberry.type
class RoleMutation:
    """Roles."""

    @mutation
    async def grant_role(self, info: Info, input: GrantRoleInput) -> GrantRoleResult:
        """Grant a role. Client admins grant any but CLIENT_ADMIN, which support gives to who is a user already; office admins
        OFFICE_STAFF at their own offices."""
        changed = await actions.grant_role(
            info.context.call,
            UserId(parse_id(input.user_id, "userId")),
            _wanted(input),
            input.expected_version,
            as_support(input.as_support),
        )
        return RoleGranted(user=User.of(changed.user), advisory=Advisory.of(changed.advisory))

    @mutation
    async def revoke_role(self, info: Info, input: RevokeRoleInput) -> RevokeRoleResult:
        """Take a role back, by whoever may grant it."""
        changed = await actions.revoke_role(
            info.context.call,
            UserId(parse_id(input.user_id, "userId")),
            _wanted(input),
            input.expected_version,
            handover(input.successor_id, acknowledged=input.acknowledge_uncovered),
            as_support(input.as_support),
        )
        return RoleRevoked(user=User.of(changed.user), advisory=Advisory.of(changed.advisory))

    @mutation
    async def copy_roles(self, info: Info, input: CopyRolesInput) -> CopyRolesResult:
        """Give a user what another has and they have not, as roleCopyPreview showed it. For client admins."""
        source = UserId(parse_id(input.from_user_id, "fromUserId"))
        target = UserId(parse_id(input.to_user_id, "toUserId"))
        changed = await actions.copy_roles(info.context.call, source, target, input.token)
        return RolesCopied(user=User.of(changed.user))


def _wanted(input: GrantRoleInput | RevokeRoleInput) -> RoleWanted:
    ends = input.expires_at if isinstance(input, GrantRoleInput) else None
    asked = RoleInput(
        role=input.role,
        office_id=input.office_id,
        provider_id=input.provider_id,
        expires_at=ends,
    )
    return asked.asked().wanted()
