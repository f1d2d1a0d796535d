"""Opening organizations, and inviting those who work for them."""

from dataclasses import dataclass
from uuid import UUID

from kit import audit, idempotency, outbox
from kit.errors import Conflict
from kit.ids import new_id
from proto.identity.v1.events_pb2 import OrganizationAdded
from services.identity import policy, store
from services.identity.actions.enrolment import FirstSecrets, Person, enrol, first_secrets
from services.identity.actions.means import Call
from services.identity.actions.throttle import begin_attempt
from services.identity.actions.within import Work, organization_work, require_known
from services.identity.domain import (
    Advisory,
    Organization,
    OrganizationId,
    Role,
    RoleWanted,
    Status,
    User,
    UserId,
    advice,
)


@dataclass(frozen=True, slots=True)
class Changed:
    """A user after a change, with advice when it concerned client admins (R01)."""

    user: User
    advisory: Advisory | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A new organization and its first client admin."""

    organization: Organization
    client_admin: User
    advisory: Advisory | None


# Opening --------------------------------------------------------------------------------------------------------------


async def add_organization(
    call: Call, name: str, time_zone: str, admin: Person, *, key: str
) -> Opened:
    """Support opens an organization and invites its first client admin."""
    policy.permit_support(call.viewer)
    secrets = await first_secrets(call)
    # whole-suite: support opens an organization of which it is not
    async with call.db.for_support(call.viewer).transaction() as tx:
        work = Work(tx, call.viewer, _new(call, name, time_zone), call.clock.now())

        async def make() -> UUID:
            await _open(call, work, admin, secrets)
            return work.organization.id

        made = await idempotency.once(
            tx,
            call.viewer,
            key=key,
            request=("addOrganization", name, time_zone, admin),
            at=work.now,
            make=make,
        )
        return await _opened(work, OrganizationId(made))


def _new(call: Call, name: str, time_zone: str) -> Organization:
    return Organization(OrganizationId(new_id()), name, time_zone, call.clock.now(), 1)


async def _open(call: Call, work: Work, admin: Person, secrets: FirstSecrets) -> None:
    organization = work.organization
    await store.add_organization(work.tx, organization)
    fact = OrganizationAdded(
        organization_id=str(organization.id),
        name=organization.name,
        time_zone=organization.time_zone,
    )
    await outbox.record(
        work.tx,
        fact,
        organization_id=organization.id,
        aggregate="organization",
        aggregate_id=organization.id,
        at=work.now,
        by=work.viewer,
    )
    await enrol(call, work, admin, (RoleWanted(Role.CLIENT_ADMIN),), secrets)


async def _opened(work: Work, organization_id: OrganizationId) -> Opened:
    organization = await store.lock_organization(work.tx, organization_id)
    admins = await store.client_admins(work.tx, organization_id)
    return Opened(organization, admins[0], advice(len(admins)))


# Inviting -------------------------------------------------------------------------------------------------------------


async def invite_user(
    call: Call, person: Person, wanted: tuple[RoleWanted, ...], *, key: str
) -> Changed:
    """Make a person a user of the viewer's organization with these roles (R03). Unavailable when an office is named and directory
    does not answer."""
    organization_id = OrganizationId(call.viewer.require_organization())
    policy.permit_invite(call.viewer, organization_id, wanted)
    request = ("inviteUser", person, wanted)
    async with call.db.reading() as tx:
        before = await idempotency.answered(tx, call.viewer, key=key, request=request)
    if before is None:
        await require_known(call, wanted, organization_id)
    secrets = await first_secrets(call)
    async with organization_work(call) as work:
        policy.permit_invite(work.viewer, organization_id, wanted)

        async def make() -> UUID:
            return await enrol(call, work, person, wanted, secrets)

        made = await idempotency.once(
            work.tx, call.viewer, key=key, request=request, at=work.now, make=make
        )
        return await changed(
            work, UserId(made), advise=any(role.role is Role.CLIENT_ADMIN for role in wanted)
        )


_RESET = "Ask support with requestSupport to reset the temporary password."


async def resend_invitation(call: Call, user_id: UserId) -> User:
    """Send the invitation's mail once more, as it is: nothing in it lives any longer for that (R05). RateLimited when it is asked too
    often: nobody's mailbox is flooded in the organization's name."""
    async with organization_work(call) as work:
        await _require_resendable(work, user_id)  # who may not ask uses up nobody's pace
    await begin_attempt(call, f"resent {call.viewer.require_organization()} {user_id}")
    async with organization_work(call) as work:
        await _require_resendable(work, user_id)
        if not await store.requeue_invitation(work.tx, user_id, work.now):
            raise Conflict(
                "The mail cannot be sent again.",
                code="NOT_INVITED",
                field="userId",
                remedy=_RESET,
            )
        await audit.record(
            work.tx,
            work.viewer,
            act="user.invitation_resent",
            about=user_id,
            kind="user",
            organization_id=work.organization.id,
            at=work.now,
        )
        return await work.user(user_id)


async def _require_resendable(work: Work, user_id: UserId) -> None:
    user = await work.user(user_id)
    policy.permit_resend(work.viewer, user)
    if user.status(work.now) not in {Status.INVITED, Status.INVITE_BOUNCED}:
        expired = user.status(work.now) is Status.INVITE_EXPIRED
        raise Conflict(
            "There is no invitation to send again.",
            code="TEMP_PASSWORD_EXPIRED" if expired else "NOT_INVITED",
            field="userId",
            remedy=_RESET if expired else None,
        )


# Titles ---------------------------------------------------------------------------------------------------------------


async def change_title(
    call: Call, user_id: UserId, title: str | None, expected_version: int
) -> User:
    """What a user is called in the organization, such as Practice manager; None takes it away."""
    async with organization_work(call) as work:
        user = await work.user(user_id)
        policy.permit_title(work.viewer, user)
        if user.title != title:
            user.require_version(expected_version)
            await store.keep_title(work.tx, user, title)
            await audit.record(
                work.tx,
                work.viewer,
                act="user.title_changed",
                about=user_id,
                kind="user",
                organization_id=work.organization.id,
                at=work.now,
            )
        return await work.user(user_id)


async def changed(work: Work, user_id: UserId, *, advise: bool) -> Changed:
    """The user as it is now; with advice about the number of client admins when that may have changed."""
    user = await work.user(user_id)
    if not advise:
        return Changed(user)
    return Changed(user, advice(len(await store.client_admins(work.tx, work.organization.id))))
