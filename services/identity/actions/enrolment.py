"""How somebody comes to belong to an organization: by address first, so that a person has one account (R03)."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from kit.errors import Conflict, Invalid
from kit.ids import new_id
from proto.identity.v1.events_pb2 import UserConfirmed, UserInvited
from services.identity import policy, store
from services.identity.actions.lapsing import lapse_expired
from services.identity.actions.means import Call, link_hash, link_token
from services.identity.actions.told import role_granted, tell_user, write_letter
from services.identity.actions.within import Work, provider_gone, require_open
from services.identity.domain import (
    Account,
    Email,
    GrantId,
    LetterKind,
    MembershipId,
    OfficeId,
    Role,
    RoleWanted,
    TemporaryPassword,
    User,
    UserId,
    letters,
)
from services.identity.domain.nouns import TEMPORARY_LIFE
from services.identity.domain.passwords import temporary_password
from services.identity.domain.provisioning import require_together, require_together_at_once
from services.identity.domain.roles import ProviderId
from services.identity.domain.sso import domain_of
from services.identity.store.providers import staying


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever is to belong."""

    email: Email
    name: str


@dataclass(frozen=True, slots=True)
class FirstSecrets:
    """A temporary password and a link, made before the transaction because hashing takes its time."""

    password: str = field(repr=False)
    password_hash: str = field(repr=False)
    link: str = field(repr=False)


async def first_secrets(call: Call) -> FirstSecrets:
    """Fresh ones."""
    password = temporary_password()
    return FirstSecrets(password, await call.peers.hasher.hash(password), link_token())


async def enrol(
    call: Call, work: Work, person: Person, wanted: tuple[RoleWanted, ...], secrets: FirstSecrets
) -> UserId:
    """Make the person a user of the organization with these roles. A new account gets an invitation; one that exists gets a
    second membership, or, within the same organization, just the roles that are missing."""
    await require_open(work, (role.office_id for role in wanted))
    account, new = await _account(work, person)
    known = await store.user(work.tx, work.organization.id, account.id, lock=True)
    if known is not None:
        _require_staying(work, known, wanted)
    if known is None:
        await _join(work, account)
    domain = domain_of(person.email.key)
    if await store.vouched_for(work.tx, work.organization.id, domain):
        await _confirmed_elsewhere(work, account, new=new)
    elif new:
        await issue_secrets(call, work, account.id, secrets)
        until = work.now + TEMPORARY_LIFE
        link = call.peers.post.confirmation(secrets.link)
        words = letters.invitation(work.organization.name, link, secrets.password, until)
        await write_letter(call, work.tx, LetterKind.INVITATION, account.id, words)
    elif known is None:
        words = letters.membership(work.organization.name, call.peers.post.public_url)
        await write_letter(call, work.tx, LetterKind.MEMBERSHIP, account.id, words)
    for role in dict.fromkeys(wanted):
        await grant(call, work, account.id, role)
    return account.id


async def _confirmed_elsewhere(work: Work, account: Account, *, new: bool) -> None:
    """The organization's own sign-in service says who this is: no mail is needed, and no password (R03)."""
    if new and await store.confirm_without_password(work.tx, account.id, work.now):
        fact = UserConfirmed(user_id=str(account.id))
        await tell_user(work.tx, fact, work.organization.id, account.id, work.now, by=work.viewer)


def _require_staying(work: Work, known: User, wanted: tuple[RoleWanted, ...]) -> None:
    """Inviting somebody who belongs already adds roles; it is no way back, and no way up (R01)."""
    if not known.active:
        raise Conflict(
            "This user has been deactivated here.",
            code="USER_DEACTIVATED",
            field="email",
            remedy="Reactivate the user.",
        )
    for role in wanted:
        if not known.has(role):
            policy.permit_upgrade(work.viewer, role)


async def _account(work: Work, person: Person) -> tuple[Account, bool]:
    """The account with that address, made now if there was none, and held: a confirmation that runs at the same time sees the
    membership, or the membership sees it."""
    new = await store.add_account(work.tx, UserId(new_id()), person.email, person.name, work.now)
    known = await store.account_by_email(work.tx, person.email.key)
    account = await store.lock_account(work.tx, known.id) if known else None
    if account is None:
        raise LookupError("an account that was just there")
    if account.support:
        raise Invalid("This address cannot be invited.", code="BAD_EMAIL", field="email")
    return account, new


async def _join(work: Work, account: Account) -> None:
    membership_id = MembershipId(new_id())
    organization_id = work.organization.id
    await store.add_membership(work.tx, organization_id, account.id, membership_id, work.now)
    invited = UserInvited(user_id=str(account.id), membership_id=str(membership_id))
    await tell_user(work.tx, invited, organization_id, account.id, work.now, by=work.viewer)
    if account.confirmed_at is not None:
        confirmed = UserConfirmed(user_id=str(account.id))
        await tell_user(work.tx, confirmed, organization_id, account.id, work.now, by=work.viewer)


async def issue_secrets(
    call: Call, work: Work, user_id: UserId, secrets: FirstSecrets
) -> TemporaryPassword:
    """Keep a temporary password and link, good for 48 hours from now, in the place of any before (R05)."""
    now = call.clock.now()
    password = TemporaryPassword(user_id, secrets.password_hash, now, now + TEMPORARY_LIFE)
    await store.put_temporary_password(work.tx, password, link_hash(secrets.link))
    return password


async def grant(call: Call, work: Work, user_id: UserId, wanted: RoleWanted) -> bool:
    """Grant a role unless the user has it; False when so. A new client admin is made known to the others (R01). Conflict
    ROLE_EXCLUSIVE, PROVIDER_LINKED or PROVIDER_TAKEN."""
    user = await work.user(user_id)
    if user.has(wanted):
        return False
    require_together(user, wanted)
    wanted.require_ahead(work.now)
    await lapse_expired(work.tx, work.organization.id, work.now)
    if wanted.provider_id is not None:
        await _require_nobodys(work, wanted.provider_id)
    await store.add_grant(work.tx, user, wanted, GrantId(new_id()), work.granter, work.now)
    fact = role_granted(user_id, wanted)
    await tell_user(work.tx, fact, work.organization.id, user_id, work.now, by=work.viewer)
    if wanted.role is Role.CLIENT_ADMIN:
        await _alert_client_admins(call, work, user)
    return True


async def _require_nobodys(work: Work, provider_id: ProviderId) -> None:
    """A provider's record is about one person, and none once it is gone. The organization, whose provider it is, is held."""
    if await staying(work.tx, work.organization.id, provider_id) != provider_id:
        raise provider_gone()
    if await store.provider_is_somebody(work.tx, work.organization.id, provider_id):
        raise Conflict(
            "Another user is this provider.",
            code="PROVIDER_TAKEN",
            field="providerId",
            remedy="Revoke the role PROVIDER there first.",
        )


async def _alert_client_admins(call: Call, work: Work, new: User) -> None:
    subject = f"{new.name} is now a client admin of {work.organization.name}"
    words = letters.notice(subject, f"{subject}.", "If this is not right, revoke the role.")
    for other in await store.client_admins(work.tx, work.organization.id):
        if other.id != new.id and other.confirmed:
            await write_letter(call, work.tx, LetterKind.NOTICE, other.id, words)


@dataclass(frozen=True, slots=True)
class RoleAsked:
    """A role as it was asked for, before anybody looked whether it can be."""

    role: Role
    office_id: UUID | None = None
    provider_id: UUID | None = None
    expires_at: datetime | None = None

    def wanted(self) -> RoleWanted:
        """The role; Invalid when its parts do not go together."""
        return RoleWanted(
            self.role,
            OfficeId(self.office_id) if self.office_id else None,
            ProviderId(self.provider_id) if self.provider_id else None,
            self.expires_at,
        )


def roles_for(asked: list[RoleAsked]) -> tuple[RoleWanted, ...]:
    """Roles as they were asked for, each once and in a fixed order; Invalid when one cannot be, Conflict when they do not go
    together."""
    wanted = {one.key: one for one in (each.wanted() for each in asked)}
    require_together_at_once(wanted.values())
    return tuple(sorted(wanted.values(), key=lambda one: (one.role, str(one.office_id))))
