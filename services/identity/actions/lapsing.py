"""What ends by itself: grants whose time is over, whose office has closed or whose provider has left, and invitations. And what
goes on elsewhere: at an office that is planned anew, as the provider that another one was merged into."""

from collections.abc import Iterable
from datetime import datetime

from kit.auth import service_viewer
from kit.db import Connection
from kit.each import each
from kit.ids import new_id
from proto.identity.v1.events_pb2 import UserInviteExpired
from services.identity import store
from services.identity.actions.means import Call
from services.identity.actions.told import role_granted, role_revoked, tell_user
from services.identity.domain import GrantId, OfficeId, OrganizationId, Role, RoleWanted
from services.identity.domain.roles import ProviderId
from services.identity.store import Ended
from services.identity.store.providers import keep_gone, staying

_BY_ITSELF = service_viewer("identity")


async def lapse_grants(
    tx: Connection, organization_id: OrganizationId, office_id: OfficeId, at: datetime
) -> None:
    """The office is closed for good: every grant on it lapses, and none is made any more (R08)."""
    await store.lock_organization(tx, organization_id)
    await store.close_office(tx, organization_id, office_id)
    await _tell(
        tx,
        organization_id,
        await store.end_grants_of_office(tx, organization_id, office_id, at),
        at,
    )


async def lapse_provider(
    tx: Connection, organization_id: OrganizationId, provider_id: ProviderId, at: datetime
) -> None:
    """The provider has left the organization: nobody is that provider here any more."""
    await store.lock_organization(tx, organization_id)
    await keep_gone(tx, organization_id, provider_id)
    ended = await store.end_grants_of_provider(tx, organization_id, provider_id, at)
    await _tell(tx, organization_id, ended, at)


async def open_office(tx: Connection, organization_id: OrganizationId, office_id: OfficeId) -> None:
    """The office is planned anew: grants can be made on it. Those that have lapsed do not come back."""
    await store.lock_organization(tx, organization_id)
    await store.open_office(tx, organization_id, office_id)


async def follow_merge(
    tx: Connection,
    organization_id: OrganizationId,
    gone: ProviderId,
    stays: ProviderId,
    at: datetime,
) -> None:
    """One provider was merged into another: whoever was the one is the other, unless somebody is that already, or whom that one has
    been merged into by now."""
    await store.lock_organization(tx, organization_id)
    await keep_gone(tx, organization_id, gone, stays)
    heir = await staying(tx, organization_id, stays)
    granter = await store.granter_of_provider(tx, organization_id, gone)
    ended = await store.end_grants_of_provider(tx, organization_id, gone, at)
    await _tell(tx, organization_id, ended, at)
    if (
        granter is None
        or heir is None
        or await store.provider_is_somebody(tx, organization_id, heir)
    ):
        return
    wanted = RoleWanted(Role.PROVIDER, provider_id=heir)
    for one in ended:
        user = await store.user(tx, organization_id, one.user_id, lock=True)
        if user is not None:
            await store.add_grant(tx, user, wanted, GrantId(new_id()), granter, at)
            fact = role_granted(user.id, wanted)
            await tell_user(tx, fact, organization_id, user.id, at, by=_BY_ITSELF)


async def lapse_expired(tx: Connection, organization_id: OrganizationId, at: datetime) -> None:
    """What was granted for a time that is over lapses: viewers have known that from the very moment, others are told now. The caller
    holds the organization."""
    await _tell(tx, organization_id, await store.end_expired_grants(tx, organization_id, at), at)


async def _tell(
    tx: Connection, organization_id: OrganizationId, ended: Iterable[Ended], at: datetime
) -> None:
    for one in ended:
        fact = role_revoked(one.user_id, RoleWanted(one.role, one.office_id, one.provider_id))
        await tell_user(tx, fact, organization_id, one.user_id, at, by=_BY_ITSELF)


async def lapse_everywhere(call: Call) -> None:
    """The job: grants whose time is over, in every organization, each in a transaction of its own."""
    now = call.clock.now()
    async with call.db.reading() as tx:
        due = await store.organizations_with_expired_grants(tx, now)

    async def lapse(organization_id: OrganizationId) -> None:
        async with call.db.transaction() as tx:
            await store.lock_organization(tx, organization_id)
            await lapse_expired(tx, organization_id, now)

    await each(due, lapse)


async def tell_expired_invitations(call: Call) -> None:
    """The job: say once of each first password that it ran out unused (R04). Support alone makes a new one."""
    now = call.clock.now()
    async with call.db.transaction() as tx:
        users = await store.expired_invitations(tx, now)
        for user_id in users:
            for membership in await store.memberships_of(tx, user_id):
                fact = UserInviteExpired(user_id=str(user_id))
                await tell_user(tx, fact, membership.organization_id, user_id, now, by=_BY_ITSELF)
        await store.expiry_told(tx, users, now)
