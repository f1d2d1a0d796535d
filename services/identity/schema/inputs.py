"""What several mutations take, and how they refuse: roles that are asked for, support's reason, who takes over."""

from datetime import datetime

import strawberry

from kit.graphql import Problem, problem_type
from kit.ids import parse_id
from services.identity import domain
from services.identity.actions import AsSupport, RoleAsked
from services.identity.domain import OrganizationId, UserId
from services.identity.domain.provisioning import Handover
from services.identity.schema.types import Role


@strawberry.input
class RoleInput:
    """A role to have. OFFICE_ADMIN and OFFICE_STAFF are for an office each, INSURANCE_MANAGER may be; PROVIDER names the provider the
    user is; OFFICE_ADMIN, and INSURANCE_MANAGER of an office, may end by itself."""

    role: Role  # type: ignore[valid-type]
    office_id: strawberry.ID | None = None
    provider_id: strawberry.ID | None = None
    expires_at: datetime | None = None

    def asked(self) -> RoleAsked:
        """As the verbs take it."""
        return RoleAsked(
            self.role,
            parse_id(self.office_id, "officeId") if self.office_id else None,
            parse_id(self.provider_id, "providerId") if self.provider_id else None,
            self.expires_at,
        )


@strawberry.input
class AsSupportInput:
    """Support acts in an organization: which, and why. The reason is kept, and the client admins are told."""

    organization_id: strawberry.ID
    reason: str


def as_support(input: AsSupportInput | None) -> AsSupport | None:
    """As the verbs take it."""
    if input is None:
        return None
    organization_id = OrganizationId(parse_id(input.organization_id, "organizationId"))
    return AsSupport(organization_id, domain.reason(input.reason))


def handover(successor_id: strawberry.ID | None, *, acknowledged: bool) -> Handover:
    """As the verbs take it."""
    successor = UserId(parse_id(successor_id, "successorId")) if successor_id else None
    return Handover(acknowledged, successor)


@problem_type("SOLE_COVERAGE")
@strawberry.type(
    description="Nobody else covers these offices: acknowledge it and name a successor."
)
class SoleCoverageProblem(Problem):
    """SOLE_COVERAGE, with the offices."""

    office_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
