"""Work on an organization's users: one after another, and by somebody who may still do it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from kit.auth import Viewer
from kit.db import Connection
from kit.errors import Conflict, Denied, NotFound
from services.identity import store
from services.identity.actions.means import Call
from services.identity.domain import OfficeId, Organization, OrganizationId, Role, User, UserId

CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Work:
    """A transaction that holds the organization. `viewer` is what the rows say of whoever asks, not what the request said."""

    tx: Connection
    viewer: Viewer
    organization: Organization
    now: datetime

    @property
    def by(self) -> UserId:
        """Whoever does it."""
        return UserId(self.viewer.require_user())

    async def user(self, user_id: UserId) -> User:
        """A user of the organization; NotFound for any other, exactly as for one that never was."""
        found = await store.user(self.tx, self.organization.id, user_id, lock=True)
        if found is None:
            raise NotFound("There is no such user.", field="userId")
        return found


@asynccontextmanager
async def organization_work(call: Call) -> AsyncIterator[Work]:
    """Hold the viewer's organization for a change of its users. Denied when the viewer has been deactivated meanwhile: of two
    who deactivate each other the second finds that out here (R07)."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.transaction() as tx:
        organization = await store.lock_organization(tx, organization_id)
        me = await store.user(tx, organization_id, UserId(call.viewer.require_user()))
        if me is None or not me.active:
            raise Denied("Your account is not active any more.", code="ACCOUNT_DEACTIVATED")
        yield Work(tx, viewer_of(call.viewer, me), organization, call.clock.now())


def viewer_of(known: Viewer, user: User) -> Viewer:
    """The viewer with the powers the user's rows give."""
    roles = {grant.role for grant in user.grants}
    return replace(
        known,
        user_id=user.id,
        organization_id=user.organization_id,
        client_admin=Role.CLIENT_ADMIN in roles,
        insurance_manager=Role.INSURANCE_MANAGER in roles,
        call_centre=Role.CALL_CENTRE in roles,
        office_admin_of=_offices(user, Role.OFFICE_ADMIN),
        office_staff_of=_offices(user, Role.OFFICE_STAFF),
    )


def _offices(user: User, role: Role) -> frozenset[OfficeId]:
    return frozenset(g.office_id for g in user.grants if g.role is role and g.office_id is not None)


async def require_offices(call: Call, wanted: Iterable[OfficeId | None]) -> None:
    """Ask directory, before any transaction, whether the organization has these offices. NotFound or Conflict OFFICE_CLOSED."""
    offices = {office for office in wanted if office is not None}
    if not offices:
        return
    organization_id = OrganizationId(call.viewer.require_organization())
    known = await call.peers.directory.offices(call.viewer, organization_id, offices)
    if not offices <= known.keys():
        raise NotFound("There is no such office.", field="officeId")
    if any(state == CLOSED for state in known.values()):
        raise _closed()


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
