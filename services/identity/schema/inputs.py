"""What several mutations take: roles that are asked for, and support's reason."""

from datetime import datetime

import strawberry

from kit.ids import parse_id
from services.identity import domain
from services.identity.actions import AsSupport, RoleAsked
from services.identity.domain import OrganizationId
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
