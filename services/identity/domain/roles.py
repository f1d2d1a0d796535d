"""Roles, as they are asked for and as they are granted: in the whole organization, at an office, or as a provider."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from kit.errors import Invalid
from kit.workplace import WORKING_ROLES

GrantId = NewType("GrantId", UUID)
OfficeId = NewType("OfficeId", UUID)
ProviderId = NewType("ProviderId", UUID)


class Role(StrEnum):
    """What a user may be in an organization. Two of them are for an office each, INSURANCE_MANAGER may be, and PROVIDER names a
    provider's record."""

    CLIENT_ADMIN = "CLIENT_ADMIN"
    REPORTING_ONLY = "REPORTING_ONLY"
    OFFICE_ADMIN = "OFFICE_ADMIN"
    OFFICE_STAFF = "OFFICE_STAFF"
    INSURANCE_MANAGER = "INSURANCE_MANAGER"
    CALL_CENTRE = "CALL_CENTRE"
    PROVIDER = "PROVIDER"

    @property
    def for_office(self) -> bool:
        """Whether it is always granted office by office: its holders work there."""
        return self in WORKING_ROLES

    @property
    def may_be_for_office(self) -> bool:
        """Whether it can be granted at an office: as well who works elsewhere and keeps the plans of just that one (R26)."""
        return self.for_office or self is Role.INSURANCE_MANAGER


@dataclass(frozen=True, slots=True)
class RoleWanted:
    """A role somebody asks to grant or revoke; Invalid when role, office, provider and time do not go together."""

    role: Role
    office_id: OfficeId | None = None
    provider_id: ProviderId | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        self._require_office()
        if (self.role is Role.PROVIDER) != (self.provider_id is not None):
            raise Invalid(
                "PROVIDER, and no other role, names the provider the user is.",
                code="PROVIDER_REQUIRED" if self.provider_id is None else "PROVIDER_NOT_WANTED",
                field="providerId",
                remedy="Name the provider with the role PROVIDER.",
            )
        self._require_end()

    def _require_end(self) -> None:
        if self.expires_at is None:
            return
        if self.office_id is None or self.role is Role.OFFICE_STAFF:
            raise Invalid(
                "Only office admins, and insurance managers of an office, are made for a time.",
                code="END_NOT_WANTED",
                field="expiresAt",
                remedy="Leave the end out.",
            )
        if self.expires_at.tzinfo is None:
            raise Invalid(
                "The end needs a time zone.", field="expiresAt", remedy="Let it end with Z."
            )

    def _require_office(self) -> None:
        if self.role.for_office and self.office_id is None:
            raise Invalid(
                f"{self.role} is granted for an office.",
                code="OFFICE_REQUIRED",
                field="officeId",
                remedy="Name the office.",
            )
        if not self.role.may_be_for_office and self.office_id is not None:
            raise Invalid(
                f"{self.role} is for the whole organization.",
                code="OFFICE_NOT_WANTED",
                field="officeId",
                remedy="Leave the office out.",
            )

    @property
    def key(self) -> tuple[Role, OfficeId | None, ProviderId | None]:
        """What it is, whenever it ends."""
        return (self.role, self.office_id, self.provider_id)

    @property
    def workplace(self) -> OfficeId | None:
        """The office at which it makes its holder work, if at one."""
        return self.office_id if self.role.for_office else None

    def require_ahead(self, now: datetime) -> None:
        """Invalid when it would have ended before it began."""
        if self.expires_at is not None and self.expires_at <= now:
            raise Invalid(
                "The end must lie ahead.",
                code="END_PASSED",
                field="expiresAt",
                remedy="Name a later moment, or none.",
            )


@dataclass(frozen=True, slots=True)
class Grant:
    """A role a user has now; with `expires_at` only until then."""

    id: GrantId
    role: Role
    office_id: OfficeId | None
    granted_at: datetime
    provider_id: ProviderId | None = None
    expires_at: datetime | None = None

    @property
    def wanted(self) -> RoleWanted:
        """The role as it would be asked for anew, without an end."""
        return RoleWanted(self.role, self.office_id, self.provider_id)

    @property
    def workplace(self) -> OfficeId | None:
        """The office at which it makes its holder work, if at one. An insurance manager of an office is none of its staff (R26)."""
        return self.office_id if self.role.for_office else None
