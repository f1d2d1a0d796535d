"""How an organization's people sign in: whether client admins need a second factor, and the organization's own sign-in service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message

from kit import outbox
from kit.auth import Viewer
from kit.db import Connection
from kit.errors import Conflict, Denied, Invalid, NotFound, stale_version
from kit.ids import new_id
from proto.identity.v1.events_pb2 import SignInRulesChanged, SignInServiceChanged
from services.identity import policy, store
from services.identity.actions.auditing import Concerned, note_support
from services.identity.actions.means import Call
from services.identity.actions.told import tell_sessions_revoked, write_letter
from services.identity.actions.within import viewer_of
from services.identity.domain import (
    SUITE,
    LetterKind,
    Organization,
    OrganizationId,
    SessionId,
    SupportAct,
    UserId,
    letters,
    reason,
)
from services.identity.domain.sso import (
    MOST_DOMAINS,
    SignInDomain,
    SignInService,
    issuer,
    mail_domain,
)
from services.identity.store import SignInRules

LONGEST_SECRET = 1000


@dataclass(frozen=True, slots=True)
class ServiceWanted:
    """A sign-in service as it is to be. Without a secret the one before stays."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    domains: tuple[str, ...]
    only: bool
    expected_version: int | None


@dataclass(frozen=True, slots=True)
class ServiceKnown:
    """A sign-in service, with the domains of mail it speaks for."""

    service: SignInService
    domains: tuple[SignInDomain, ...]


@dataclass(frozen=True, slots=True)
class _Deciding:
    """A transaction that holds the organization, and whoever decides for it."""

    call: Call
    tx: Connection
    organization: Organization
    viewer: Viewer
    now: datetime
    why: str

    @property
    def by(self) -> UserId:
        return UserId(self.viewer.require_user())

    async def tell(self, fact: Message, what: str) -> None:
        """Tell the fact, and, when it was support, keep why and tell the client admins."""
        here = self.organization.id
        await outbox.record(
            self.tx,
            fact,
            organization_id=here,
            aggregate="organization",
            aggregate_id=here,
            at=self.now,
            by=self.viewer,
        )
        if self.viewer.support:
            act = (SupportAct.CHANGE_SIGN_IN, self.why)
            await store.note_support_act(self.tx, new_id(), self.by, self.by, act, self.now)
            await note_support(self.call, self.tx, *act, Concerned("organization", here, here))
        await self._write(what)

    async def _write(self, what: str) -> None:
        subject = f"{what} at {self.organization.name}"
        who = "Support has done this." if self.viewer.support else "A client admin has done this."
        words = letters.notice(subject, f"{subject}.", who, "If this is not right, ask support.")
        for admin in await store.client_admins(self.tx, self.organization.id):
            if admin.confirmed and admin.id != self.by:
                await write_letter(self.call, self.tx, LetterKind.NOTICE, admin.id, words)

    async def end(
        self, sessions: list[tuple[UUID, UUID]], where: OrganizationId | None = None
    ) -> None:
        """Tell of sessions that were ended, here unless it was elsewhere."""
        for user_id, session_id in sessions:
            await tell_sessions_revoked(
                self.tx,
                UserId(user_id),
                self.now,
                by=self.viewer,
                organization_id=where or self.organization.id,
                session_id=SessionId(session_id),
            )


@asynccontextmanager
async def _deciding(
    call: Call, asked: OrganizationId | None, why: str | None
) -> AsyncIterator[_Deciding]:
    """Hold the organization for who may decide how its people sign in: a client admin by today's rows, or support, with a reason."""
    here = policy.permit_sign_in_rules(call.viewer, asked)
    said = reason(why or "") if call.viewer.support else ""
    async with call.db.within(call.viewer, here).transaction() as tx:
        if await store.organization(tx, here) is None:
            raise NotFound("There is no such organization.", field="organizationId")
        organization = await store.lock_organization(tx, here)
        viewer = await _today(call, tx, here)
        policy.permit_sign_in_rules(viewer, asked)
        yield _Deciding(call, tx, organization, viewer, call.clock.now(), said)


async def _today(call: Call, tx: Connection, here: OrganizationId) -> Viewer:
    if call.viewer.support:
        return call.viewer
    me = await store.user(tx, here, UserId(call.viewer.require_user()))
    if me is None or not me.active:
        raise Denied("Your account is not active any more.", code="ACCOUNT_DEACTIVATED")
    return viewer_of(call.viewer, me)


# Second factors -------------------------------------------------------------------------------------------------------


async def sign_in_rules(call: Call, asked: OrganizationId | None) -> SignInRules:
    """What the organization asks of its people at sign-in."""
    here = policy.permit_sign_in_rules(call.viewer, asked)
    async with call.db.within(call.viewer, here).reading() as tx:
        return await store.sign_in_rules(tx, here)


async def change_sign_in_rules(
    call: Call,
    asked: OrganizationId | None,
    expected_version: int,
    why: str | None,
    *,
    second_factor_required: bool,
) -> SignInRules:
    """Whether client admins (and support, who act for all) need a second factor. Whoever asks for one must have one; client admins
    without are signed out, and can only add one then."""
    async with _deciding(call, asked, why) as work:
        known = await store.sign_in_rules(work.tx, work.organization.id)
        if known.version != expected_version:
            raise stale_version("rules", known.version)
        if second_factor_required == known.second_factor_required:
            return known
        if second_factor_required and not work.viewer.second_factor:
            raise Conflict(
                "You have no second factor yourself.",
                code="SECOND_FACTOR_FIRST",
                remedy="Add one, sign in with it, then ask the others for theirs.",
            )
        return await _put_rules(work, second_factor_required=second_factor_required)


async def _put_rules(work: _Deciding, *, second_factor_required: bool) -> SignInRules:
    here = work.organization.id
    await store.put_sign_in_rules(work.tx, here, second_factor_required=second_factor_required)
    if second_factor_required:
        because = "SECOND_FACTOR_REQUIRED"
        await work.end(await store.weak_admin_sessions_in(work.tx, here, because, work.now))
        await work.end(await store.weak_support_sessions(work.tx, because, work.now), SUITE)
    needs = "need a second factor" if second_factor_required else "need no second factor any more"
    await work.tell(SignInRulesChanged(organization_id=str(here)), f"Client admins {needs}")
    return await store.sign_in_rules(work.tx, here)


# The sign-in service --------------------------------------------------------------------------------------------------


async def sign_in_service(call: Call, asked: OrganizationId | None) -> ServiceKnown | None:
    """The organization's sign-in service; None when it has none."""
    here = policy.permit_sign_in_rules(call.viewer, asked)
    async with call.db.within(call.viewer, here).reading() as tx:
        return await _known(tx, here)


async def _known(tx: Connection, here: OrganizationId) -> ServiceKnown | None:
    service = await store.sign_in_service(tx, here)
    if service is None:
        return None
    return ServiceKnown(service, tuple(await store.sign_in_domains(tx, here)))


async def change_sign_in_service(
    call: Call, asked: OrganizationId | None, wanted: ServiceWanted, why: str | None
) -> ServiceKnown:
    """Name the organization's sign-in service, or change it. Passwords can be refused (`only`) by who has signed in there, and as
    long as it is the same service: nobody is locked out by a wrong figure."""
    plain = call.peers.openid.web.plain
    found = issuer(wanted.issuer, plain=plain)
    domains = tuple(dict.fromkeys(mail_domain(one) for one in wanted.domains))
    if len(domains) > MOST_DOMAINS:
        raise Invalid(f"At most {MOST_DOMAINS} domains.", code="TOO_MANY_DOMAINS", field="domains")
    async with _deciding(call, asked, why) as work:
        here = work.organization.id
        before = await store.sign_in_service(work.tx, here, lock=True)
        _require_version(before, wanted.expected_version)
        service = SignInService(
            here,
            found,
            _short(wanted.client_id, "clientId"),
            _sealed(call, before, wanted),
            only=wanted.only,
            version=before.version + 1 if before else 1,
            changed_at=work.now,
        )
        await _require_tried(work, before, service)
        await store.put_sign_in_service(work.tx, service, work.by)
        await store.keep_domains(work.tx, here, domains, work.now)
        if service.only and not (before and before.only):
            because = "SINGLE_SIGN_ON_ONLY"
            await work.end(await store.password_sessions_in(work.tx, here, because, work.now))
        fact = SignInServiceChanged(organization_id=str(here))
        await work.tell(fact, "The sign-in service was changed")
        return ServiceKnown(service, tuple(await store.sign_in_domains(work.tx, here)))


def _require_version(before: SignInService | None, expected: int | None) -> None:
    current = before.version if before else 0
    if current != (expected or 0):
        raise stale_version("sign-in service", current)


def _short(text: str, name: str, longest: int = 255) -> str:
    found = text.strip()
    if not 0 < len(found) <= longest or not found.isascii() or not found.isprintable():
        raise Invalid(f"This must be 1 to {longest} visible characters.", field=name)
    return found


def _sealed(call: Call, before: SignInService | None, wanted: ServiceWanted) -> str:
    if wanted.client_secret is not None:
        secret = _short(wanted.client_secret, "clientSecret", LONGEST_SECRET)
        return call.peers.vault.seal(secret.encode())
    if before is None or (before.issuer, before.client_id) != (wanted.issuer, wanted.client_id):
        raise Invalid(
            "A new service needs its secret.", code="SECRET_REQUIRED", field="clientSecret"
        )
    return before.sealed_client_secret


async def _require_tried(
    work: _Deciding, before: SignInService | None, service: SignInService
) -> None:
    if not service.only:
        return
    same = before is not None and (
        (before.issuer, before.client_id, before.sealed_client_secret)
        == (service.issuer, service.client_id, service.sealed_client_secret)
    )
    session = await store.session(
        work.tx, SessionId(work.viewer.session_id or work.viewer.require_user())
    )
    tried = session is not None and session.single_sign_on and not work.viewer.support
    if not (same and (tried or (before is not None and before.only))):
        raise Conflict(
            "Passwords can be refused only once signing in at the service has worked.",
            code="SINGLE_SIGN_ON_FIRST",
            field="only",
            remedy="Keep passwords for now, sign in at the service, then refuse them.",
        )


async def remove_sign_in_service(
    call: Call, asked: OrganizationId | None, expected_version: int, why: str | None
) -> OrganizationId:
    """The organization's people sign in with passwords again; who has none uses “forgot password”."""
    async with _deciding(call, asked, why) as work:
        here = work.organization.id
        before = await store.sign_in_service(work.tx, here, lock=True)
        if before is None:
            raise NotFound("There is no sign-in service.", field="organizationId")
        _require_version(before, expected_version)
        await store.remove_sign_in_service(work.tx, here)
        fact = SignInServiceChanged(organization_id=str(here))
        await work.tell(fact, "The sign-in service was removed")
        return here


async def verify_sign_in_domain(
    call: Call, organization_id: OrganizationId, text: str, why: str
) -> ServiceKnown:
    """Support only: the domain of mail is the organization's own. From then on its sign-in service may say who has an address of
    it. Conflict DOMAIN_TAKEN when it is another organization's."""
    by = policy.permit_support(call.viewer)
    why, domain = reason(why), mail_domain(text)
    # whole-suite: whether the domain is another organization's already
    async with call.db.for_support(call.viewer).transaction() as tx:
        owner = await store.owner_of_domain(tx, domain)
        if owner not in {None, organization_id}:
            raise Conflict(
                "This domain is another organization's.", code="DOMAIN_TAKEN", field="domain"
            )
        now = call.clock.now()
        said = await store.verify_domain(tx, organization_id, domain, by, now)
        if not said or (known := await _known(tx, organization_id)) is None:
            raise NotFound("The organization does not name this domain.", field="domain")
        act = (SupportAct.VERIFY_SIGN_IN_DOMAIN, why)
        await store.note_support_act(tx, new_id(), by, by, act, now)
        here = organization_id
        await note_support(call, tx, *act, Concerned("organization", here, here))
        await outbox.record(
            tx,
            SignInServiceChanged(organization_id=str(organization_id)),
            organization_id=organization_id,
            aggregate="organization",
            aggregate_id=organization_id,
            at=now,
            by=call.viewer,
        )
        return replace(known, domains=tuple(await store.sign_in_domains(tx, organization_id)))
