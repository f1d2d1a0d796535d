"""Work on an organization's users: one after another, and by somebody who may still do it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from kit.auth import Viewer
from kit.db import Connection
from kit.errors import Conflict, Denied, NotFound
from services.identity import policy, store
from services.identity.actions.breaking_glass import require_inside
from services.identity.actions.means import Call
from services.identity.domain import (
    OfficeId,
    Organization,
    OrganizationId,
    Role,
    RoleWanted,
    User,
    UserId,
)
from services.identity.domain.roles import ProviderId

CLOSED = "CLOSED"
REMOVED = "REMOVED"


@dataclass(frozen=True, slots=True)
class AsSupport:
    """Support that acts in an organization, where it has no place of its own, and why: break-glass."""

    organization_id: OrganizationId
    reason: str


@dataclass(frozen=True, slots=True)
class Work:
    """A transaction that holds the organization. `viewer` is what the rows say of whoever asks, not what the request said.
    `reason` is why support acts here; empty for the organization's own people."""

    tx: Connection
    viewer: Viewer
    organization: Organization
    now: datetime
    reason: str = ""

    @property
    def by(self) -> UserId | None:
        """Whoever does it; None for a job."""
        return UserId(self.viewer.user_id) if self.viewer.user_id else None

    @property
    def granter(self) -> UserId:
        """Whoever does it, who must be a person."""
        return UserId(self.viewer.require_user())

    async def user(self, user_id: UserId, field: str = "userId") -> User:
        """A user of the organization; NotFound for any other, exactly as for one that never was. `field`: where the client named
        them."""
        found = await store.user(self.tx, self.organization.id, user_id, lock=True)
        if found is None:
            raise NotFound("There is no such user.", field=field)
        return found


def acting_in(call: Call, support: AsSupport | None) -> OrganizationId:
    """The organization a change is for: the viewer's own, or the one support names."""
    if support is None:
        return OrganizationId(call.viewer.require_organization())
    policy.permit_support(call.viewer)
    return support.organization_id


@asynccontextmanager
async def organization_work(call: Call, support: AsSupport | None = None) -> AsyncIterator[Work]:
    """Hold the viewer's organization for a change of its users. Denied when the viewer has been deactivated meanwhile: of two
    who deactivate each other the second finds that out here (R07).

    Support holds the organization it names, with a client admin's powers, a reason, and (`support_did`) nothing in secret.
    """
    organization_id = acting_in(call, support)
    # whole-suite: support belongs to none of the organizations, and works in the one it names
    database = call.db if support is None else call.db.for_support(call.viewer)
    async with database.transaction() as tx:
        if support is None and call.viewer.support:
            support = AsSupport(organization_id, (await require_inside(call, tx)).reason)
        if support is not None and await store.organization(tx, organization_id) is None:
            raise NotFound("There is no such organization.", field="organizationId")
        organization = await store.lock_organization(tx, organization_id)
        now = call.clock.now()
        if support is not None:
            account = await store.account(tx, UserId(call.viewer.require_user()))
            if account is None or not account.support:
                raise Denied("Your account is not active any more.", code="ACCOUNT_DEACTIVATED")
            viewer = replace(call.viewer, organization_id=organization_id, client_admin=True)
            yield Work(tx, viewer, organization, now, support.reason)
            return
        me = await store.user(tx, organization_id, UserId(call.viewer.require_user()))
        if me is None or not me.active:
            raise Denied("Your account is not active any more.", code="ACCOUNT_DEACTIVATED")
        yield Work(tx, viewer_of(call.viewer, me), organization, now)


def viewer_of(known: Viewer, user: User) -> Viewer:
    """The viewer with the powers the user's rows give. Who is reporting-only has no others, whatever else the rows say (R02)."""
    here = replace(known, user_id=user.id, organization_id=user.organization_id)
    if Role.REPORTING_ONLY in user.roles:
        return replace(here, reporting_only=True)
    return replace(
        here,
        client_admin=Role.CLIENT_ADMIN in user.roles,
        insurance_manager=user.has(RoleWanted(Role.INSURANCE_MANAGER)),
        insurance_manager_of=_offices(user, Role.INSURANCE_MANAGER),
        call_centre=Role.CALL_CENTRE in user.roles,
        provider_id=next((one.provider_id for one in user.grants if one.provider_id), None),
        office_admin_of=_offices(user, Role.OFFICE_ADMIN),
        office_staff_of=_offices(user, Role.OFFICE_STAFF),
    )


def _offices(user: User, role: Role) -> frozenset[OfficeId]:
    return frozenset(g.office_id for g in user.grants if g.role is role and g.office_id is not None)


async def require_known(
    call: Call, wanted: Sequence[RoleWanted], organization_id: OrganizationId
) -> None:
    """Ask directory, before any transaction, whether the organization has the offices and providers of these roles. NotFound, or
    Conflict OFFICE_CLOSED or PROVIDER_GONE."""
    offices = {role.office_id for role in wanted if role.office_id is not None}
    providers = {role.provider_id for role in wanted if role.provider_id is not None}
    if offices:
        known = await call.peers.directory.offices(organization_id, offices)
        if not offices <= known.keys():
            raise NotFound("There is no such office.", field="officeId")
        if any(state == CLOSED for state in known.values()):
            raise _closed()
    if providers:
        _require_providers(
            providers, await call.peers.directory.providers(organization_id, providers)
        )


def _require_providers(providers: set[ProviderId], known: dict[ProviderId, str]) -> None:
    if not providers <= known.keys():
        raise NotFound("There is no such provider.", field="providerId")
    if any(state == REMOVED for state in known.values()):
        raise provider_gone()


def provider_gone() -> Conflict:
    """The provider has left, or is another one by now."""
    return Conflict("This provider has left.", code="PROVIDER_GONE", field="providerId")


async def require_open(work: Work, wanted: Iterable[OfficeId | None]) -> None:
    """The same against a closing that was heard since; it waits for this transaction or came before it."""
    offices = [office for office in wanted if office is not None]
    if await store.closed_offices(work.tx, work.organization.id, offices):
        raise _closed()


def _closed() -> Conflict:
    return Conflict(
        "This office is closed.",
        code="OFFICE_CLOSED",
        field="officeId",
        remedy="Choose an office that is open.",
    )
