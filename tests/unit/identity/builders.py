"""Users and viewers for the tests of identity's pure rooms."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from kit.auth import Kind, Viewer
from services.identity.domain import (
    Grant,
    GrantId,
    MembershipId,
    OfficeId,
    OrganizationId,
    Role,
    RoleWanted,
    User,
    UserId,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HERE = OrganizationId(UUID(int=1))
ELSEWHERE = OrganizationId(UUID(int=2))
OFFICE = OfficeId(UUID(int=11))
OTHER_OFFICE = OfficeId(UUID(int=12))


def user(
    *roles: RoleWanted,
    organization_id: OrganizationId = HERE,
    confirmed: bool = True,
    active: bool = True,
) -> User:
    return User(
        UserId(uuid4()), organization_id, MembershipId(uuid4()), "Sam Poe", "sam@example.org", 1,
        confirmed_at=NOW if confirmed else None,
        deactivated_at=None if active else NOW,
        invited_until=None if confirmed else NOW + timedelta(hours=48),
        grants=tuple(
            Grant(GrantId(uuid4()), r.role, r.office_id, NOW, r.provider_id, r.expires_at) for r in roles
        ),
    )  # fmt: skip


def client_admin_user(*, confirmed: bool = True, active: bool = True) -> User:
    return user(RoleWanted(Role.CLIENT_ADMIN), confirmed=confirmed, active=active)


def staff_user(*offices: OfficeId) -> User:
    return user(*(RoleWanted(Role.OFFICE_STAFF, office) for office in offices))


def viewer(**powers: object) -> Viewer:
    defaults: dict[str, object] = {
        "kind": Kind.USER,
        "user_id": uuid4(),
        "session_id": uuid4(),
        "organization_id": HERE,
    }
    return Viewer(**(defaults | powers))  # type: ignore[arg-type]


CLIENT_ADMIN = viewer(client_admin=True)
OFFICE_ADMIN = viewer(office_admin_of=frozenset({OFFICE}))
STAFF = viewer(office_staff_of=frozenset({OFFICE}))
LOOKING = viewer(reporting_only=True)
SUPPORT = viewer(support=True, organization_id=None)
